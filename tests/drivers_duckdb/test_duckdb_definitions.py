"""Views, triggers and macros of unknown effect are seen however they come; without any, statements pay nothing for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from services.duckdb_runs import run

from tusk_drivers.duckdb import definitions, plan, words
from tusk_drivers.duckdb.instances import Instance
from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import QueryError

LOGS = "SELECT 1 AS a, 2 AS b FROM (SELECT count(*) FROM enable_logging())"
HIDDEN = "SELECT 1 AS a, 2 AS b FROM (SELECT count(*) FROM query('FROM enable_' || 'logging()'))"
"""The same, in a text that does not show it: a session's own `LOGS` is refused as it is defined."""


def turns_off_the_log(session: DuckDBSession, sql: str) -> bool:
    """Run a statement that turns it on; return whether it is off again and a note says so."""
    notes: list[str] = []
    run(session, sql, notes)
    assert run(session, "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]
    return "DuckDB's log was on, and is off again" in " ".join(notes)


def read_the_catalog(*sessions: DuckDBSession) -> None:
    for session in sessions:
        for _ in range(definitions._UNREAD + 1):
            run(session, "SELECT 1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a table and plain views, and others to attach, copy and import that turn on DuckDB's log."""
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("lake.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1::INTEGER AS a; CREATE MACRO twice(x) AS x + x")
        connection.execute("CREATE VIEW plain AS SELECT a::DECIMAL(9, 2) AS a, sum(a) OVER (ORDER BY a) AS s FROM t")
    with duckdb.connect("other.duckdb") as connection:
        connection.execute(f"CREATE VIEW logs AS {LOGS}")
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "schema.sql").write_text(f"CREATE VIEW logs AS {HIDDEN};")
    (tmp_path / "script" / "load.sql").write_text("")
    return tmp_path


@pytest.fixture
def pair(folder: Path) -> Iterator[tuple[DuckDBSession, DuckDBSession]]:
    both = [DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")})) for _ in range(2)]
    read_the_catalog(*both)
    yield both[0], both[1]
    for session in both:
        session.close()


def test_words_of_the_grammar_name_no_function() -> None:
    called = []
    with duckdb.connect() as connection:
        for word in plan.NOT_CALLED:
            for made, asked in (("42424", f"SELECT {word}(1)"), ("TABLE SELECT 42424", f"FROM {word}(1)")):
                connection.execute(f'CREATE OR REPLACE MACRO "{word}"(x) AS {made}')
                try:
                    answer = connection.execute(asked).fetchall()
                except duckdb.Error:
                    continue
                called += [asked] if (42424,) in answer else []
    assert called == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, sum(a) OVER (PARTITION BY (a)) FROM t JOIN u USING (a) WHERE a IN (1, 2) AND (a > 1) ORDER BY (a)",
        "SELECT CAST(a AS DECIMAL(10, 2)), a::VARCHAR(3), coalesce(a, 1), list[1] FROM (VALUES (1)) UNION ALL (SELECT 2)",
        "INSERT INTO t (a) VALUES (1)",
        'INSERT INTO lake.main."t" (a) VALUES (1)',
        "SELECT 'query()' -- query()",
    ],
)
def test_plain_statements_call_nothing_unknown(sql: str) -> None:
    assert not plan.calls_unknown(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM query('x')",
        "FROM \"query\" ('x')",
        "FROM main.sums(1)",
        "SELECT a.sums() FROM t",
        "SELECT over(1)",
        "SELECT a, by(1)",
        'SELECT "in"(1)',
        "INSERT INTO t SELECT sums(1)",
        "SELECT decimal(1)",
        "SELECT (a) AS b, into.sums(1)",
    ],
)
def test_calls_that_may_do_anything_are_seen(sql: str) -> None:
    assert plan.calls_unknown(sql)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_plain_definitions_costs_its_statements_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=read_only))
    read_the_catalog(session)
    asked: list[str] = []
    monkeypatch.setattr(plan, "functions_of", lambda connection, sql, parameters: asked.append(sql) or set())
    monkeypatch.setattr(Instance, "end_log", lambda self: bool(asked.append("log")))
    assert run(session, "SELECT count(*) FROM t JOIN plain USING (a)") == [(1,)]
    if not read_only:
        run(session, "INSERT INTO t (a) VALUES (2); UPDATE t SET a = 3 WHERE a = 2; DELETE FROM t WHERE a = 3")
    assert asked == []
    run(session, "SELECT twice(a) FROM t")
    assert asked, "the looks are what is counted here"
    session.close()


MADE = [
    f"CREATE VIEW logs AS {HIDDEN}",
    f"CREATE OR REPLACE TEMP VIEW logs AS {HIDDEN}",
    f"CREATE FUNCTION logged() AS TABLE {HIDDEN}; CREATE VIEW logs AS FROM logged()",
    f"CREATE MACRO range(x) AS TABLE {HIDDEN}; CREATE VIEW logs AS FROM range(3)",
    f"CREATE TABLE m(a INTEGER); CREATE TRIGGER g AFTER INSERT ON t FOR EACH STATEMENT INSERT INTO m SELECT a FROM ({HIDDEN})",
    "IMPORT DATABASE 'script'",
    "ATTACH 'other.duckdb' AS o; USE o",
    "ATTACH 'other.duckdb' AS o; COPY FROM DATABASE o TO lake",
    f"BEGIN; CREATE VIEW logs AS {HIDDEN}",
    f"BEGIN; CREATE VIEW logs AS {HIDDEN}; COMMIT",
]


@pytest.mark.parametrize("made", MADE)
def test_a_definition_that_comes_later_is_seen(pair: tuple[DuckDBSession, DuckDBSession], made: str) -> None:
    one, other = pair
    run(one, made)
    run(one, "CREATE TABLE IF NOT EXISTS u(b INTEGER)")
    for _ in range(definitions._UNREAD):  # it is read again, and stays known
        run(one, "FROM duckdb_tables()")
    assert turns_off_the_log(one, "INSERT INTO t VALUES (5)" if "TRIGGER" in made else "FROM logs")
    assert run(other, "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]


@pytest.mark.parametrize("made", [MADE[0], MADE[2], MADE[3], MADE[-1]])
def test_a_definition_of_another_notebook_is_seen(pair: tuple[DuckDBSession, DuckDBSession], made: str) -> None:
    one, other = pair
    run(one, made)
    assert turns_off_the_log(other, "FROM logs")
    assert run(one, "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]


def test_a_definition_is_seen_when_its_transaction_is_committed(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    run(one, f"BEGIN; CREATE VIEW logs AS {HIDDEN}")
    read_the_catalog(other)
    run(one, "COMMIT")
    assert turns_off_the_log(other, "FROM logs")


@pytest.mark.parametrize("made", [MADE[0], MADE[2], MADE[3]])
def test_a_reader_sees_what_a_writer_defines(folder: Path, made: str) -> None:
    config = {"path": str(folder / "lake.duckdb")}
    reader, writer = (DuckDBSession.connect(Settings(config=config, read_only=one)) for one in (True, False))
    read_the_catalog(reader, writer)
    run(writer, made)
    with pytest.raises(QueryError) as caught:
        run(reader, "FROM logs")
    assert caught.value.scenario == "read_only"
    reader.close()
    writer.close()


def shadowed(path: Path, body: str) -> list[str]:
    """Make a file whose macros have the names of all of DuckDB's functions; return these names."""
    with duckdb.connect() as plain:
        names = plain.sql("SELECT DISTINCT function_name FROM duckdb_functions() WHERE internal").fetchall()
    made = []
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
        for (name,) in names:
            forms = ", ".join(f"({', '.join('xyz'[:count])}) AS {body}" for count in range(4))
            for sql in (f'CREATE MACRO "{name}"{forms}', f'CREATE MACRO "{name}"() AS TABLE SELECT {body} AS shadow'):
                try:
                    connection.execute(sql)
                    made.append(name)
                except duckdb.Error:  # a table's macro needs no name of a scalar function
                    continue
    return made


def test_the_drivers_own_questions_are_not_answered_by_macros_of_the_file(folder: Path) -> None:
    """DuckDB looks for a function in the file before it looks among its own."""
    with duckdb.connect(str(folder / "plain.duckdb")) as connection:
        connection.execute("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
    assert {"duckdb_tables", "current_setting", "current_database", "lower"} <= set(
        shadowed(folder / "shadow.duckdb", "42424")
    )
    answers = []
    for name in ("plain", "shadow"):
        session = DuckDBSession.connect(Settings(config={"path": str(folder / f"{name}.duckdb")}))
        run(session, "ATTACH ':memory:' AS o; DETACH o; BEGIN; INSERT INTO t VALUES (2)")
        with pytest.raises(QueryError) as caught:
            run(session, "INSERT INTO t VALUES (2)")
        run(session, "ROLLBACK")
        with pytest.raises(QueryError):
            run(session, "FROM nowhere")
        seen = session.snapshot()
        described = session.describe((name, "main", "t"))
        tree = [session.tree(path) for path in ([name], [name, "main"], [name, "main", "t"])]
        answers.append(
            (run(session, "SELECT a FROM t"), caught.value.scenario, seen.tables[0].columns, described, tree)
        )
        session.close()
    plain, shadow = (str(answer).replace("shadow", "plain") for answer in answers)
    assert shadow == plain


READERS_WAYS = [
    "FROM logs",
    "SELECT abs(1)",
    "SELECT 1 ORDER BY abs(1)",
    "EXPLAIN ANALYZE SELECT abs(1)",
    "SELECT current_user",
    "SELECT 'a' || 'b'",
    "SET VARIABLE z = (SELECT count(*) FROM logs)",
    "SET VARIABLE z TO abs(1)",
    "CALL read_me()",
    "CALL duckdb_me()",
    "PIVOT query_table('logs') ON a USING sum(b)",
    "PRAGMA table_info('t')",
    "PRAGMA version",
]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("sql", READERS_WAYS)
def test_a_reader_runs_nothing_under_the_name_of_a_reading_function(folder: Path, sql: str, known: bool) -> None:
    begun = f"enable_logging(storage = 'file', storage_config = {{'path': '{folder}/out'}})"
    body = f"(SELECT count(*) FROM {begun})"
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute(f"CREATE VIEW logs AS SELECT {body} AS a, 2 AS b")
        for name in ("abs(x)", "current_user()", '"||"(x, y)'):
            connection.execute(f"CREATE MACRO {name} AS {body}")
        for name in ("read_me()", "duckdb_me()", "pragma_table_info(x)", "pragma_version()"):
            connection.execute(f"CREATE MACRO {name} AS TABLE SELECT {body} AS a")
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    if known:
        read_the_catalog(session)
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert caught.value.scenario == "read_only"
    assert not (folder / "out").exists()
    session.close()


def test_pragmas_and_variables_of_a_plain_file_are_a_readers(folder: Path) -> None:
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    assert run(session, "PRAGMA table_info('t')")[0][1] == "a"
    run(
        session,
        "SET VARIABLE z = (SELECT max(a) FROM t); SET VARIABLE y TO 'a'; SET TimeZone = 'UTC'; RESET VARIABLE y",
    )
    assert run(session, "SELECT getvariable('z')") == [(1,)]
    assert run(session, "CALL pragma_version()")
    session.close()


SEQUENCES_MOVED = [
    "SELECT * FROM range(moved(5)::INTEGER)",
    "EXPLAIN FROM range(moved(5)::INTEGER)",
    "FROM shown",
    "FROM 'shown'",
    "DESCRIBE shown_again",
    "FROM query_table('sho' || 'wn')",
    "FROM any_query('FROM range(setval(''s'', 5)::INTEGER)')",
    "SET VARIABLE v = (SELECT count(*) FROM shown)",
    "PREPARE p AS FROM shown",
    "SELECT * FROM t AT (VERSION => nextval('s'))",
    "FROM range(nextval('s')::INTEGER)",
]


@pytest.mark.parametrize("sql", SEQUENCES_MOVED)
def test_a_reader_moves_no_sequence_while_duckdb_plans(folder: Path, sql: str) -> None:
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute("CREATE SEQUENCE s; CREATE MACRO moved(x) AS setval('s', x)")
        connection.execute("CREATE MACRO any_query(x) AS TABLE FROM query(x)")
        connection.execute("CREATE VIEW shown AS FROM range(moved(7)::INTEGER); CREATE VIEW shown_again AS FROM shown")
        connection.execute("SELECT setval('s', 70)")
    both = [
        DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=it))
        for it in (True, False)
    ]
    with pytest.raises(QueryError) as caught:
        run(both[0], sql)
    assert caught.value.scenario == "read_only"
    assert run(both[1], "SELECT last_value FROM duckdb_sequences()") == [(70,)]
    assert run(both[0], "SELECT twice(a) FROM plain JOIN t USING (a)") == [(2,)]
    for session in both:
        session.close()


def test_a_sequence_takes_nothing_from_the_readers_of_a_file_without_such_views(folder: Path) -> None:
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute("CREATE SEQUENCE s; CREATE MACRO pragma_like(x) AS TABLE FROM query_table(x)")
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    assert run(session, "FROM query_table('t')") == run(session, "FROM pragma_like('t')") == [(1,)]
    assert run(session, "PRAGMA table_info('t')")[0][1] == "a"
    session.close()


def test_a_log_that_a_writer_turned_on_without_a_relation_is_off_again(folder: Path) -> None:
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute(f"CREATE MACRO abs(x) AS (SELECT a FROM ({LOGS}))")
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}))
    assert turns_off_the_log(session, "SELECT abs(1)")
    read_the_catalog(session)
    assert turns_off_the_log(session, "SELECT abs(1)")
    session.close()


def test_what_is_found_in_a_long_statement_is_not_kept() -> None:
    asked: list[str] = []

    @words.kept
    def times(sql: str) -> int:
        asked.append(sql)
        return len(asked)

    long = "SELECT " + "1," * words._KEPT_LETTERS + "1"
    assert [times("SELECT 1"), times("SELECT 1"), times(long), times(long)] == [1, 1, 2, 3]
    assert words.code("SELECT 1") is words.code("SELECT 1")
