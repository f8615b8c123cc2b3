"""What one notebook sets on a file changes nothing in another: every setting that DuckDB has is decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from services.duckdb_runs import run

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_drivers.duckdb.settings import REACHES, Reach
from tusk_jupyter.driverkit.session import Changed, Rows, Settings
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.sqltext.statements import split


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[DuckDBSession, DuckDBSession]]:
    """Two notebooks on one file; some settings name files, which are made in the working directory."""
    monkeypatch.chdir(tmp_path)
    both = [DuckDBSession.connect(Settings(config={"path": str(tmp_path / "lake.duckdb")})) for _ in range(2)]
    yield both[0], both[1]
    for session in both:
        session.close()


def settings_of(session: DuckDBSession) -> list[tuple[object, ...]]:
    return run(session, "SELECT name, value FROM duckdb_settings() ORDER BY ALL")


def test_every_setting_of_this_duckdb_is_decided() -> None:  # S6
    with duckdb.connect() as connection:
        there = {name.lower() for (name,) in connection.sql("SELECT name FROM duckdb_settings()").fetchall()}
    assert there - set(REACHES) == set(), "decide on them in settings.REACHES"
    assert set(REACHES) - there == set(), "DuckDB has them no more"


VALUES = {
    "BOOLEAN": ("true", "false"),
    "VARCHAR": (
        "'1GB'",
        "'nocase'",
        "'desc'",
        "'nulls_first'",
        "'japanese'",
        "'Asia/Tokyo'",
        "'json'",
        "'all'",
        "'full'",
        "'off'",
    ),
    "VARCHAR[]": ("['x']",),
}
FORMS = (
    "SET {} = {}",
    "SET GLOBAL {} = {}",
    "SET SESSION {} = {}",
    'set global "{}" to {}',
    "PRAGMA {}={}",
    "EXPLAIN ANALYZE SET GLOBAL {} = {}",
    "/* x */ SeT -- y\n {} = {}",
)


def ways(name: str, type_: str) -> Iterator[str]:
    for value in VALUES.get(type_, ("1", "3")):
        yield from (form.format(name, value) for form in FORMS)
    yield from (f"RESET {name}", f"RESET GLOBAL {name}", f"RESET SESSION {name}")


def test_no_way_to_set_any_setting_reaches_another_session(pair: tuple[DuckDBSession, DuckDBSession]) -> None:  # S6
    one, other = pair
    harmless = {name for name, reach in REACHES.items() if reach is Reach.HARMLESS}
    shown = "SELECT name, value FROM duckdb_settings() ORDER BY ALL"
    before = [row for row in run(other, shown) if row[0] not in harmless]
    for name, type_ in run(one, "SELECT lower(name), input_type FROM duckdb_settings() ORDER BY ALL"):
        if name in harmless:
            continue
        for sql in ways(str(name), str(type_)):
            try:
                run(one, sql)
            except (QueryError, UsageError):
                continue
        assert [row for row in run(other, shown) if row[0] not in harmless] == before, name
        one.reset()


@pytest.mark.parametrize(
    ("sql", "asked", "before"),
    [
        ("SET default_collation = 'nocase'", "SELECT 'a' = 'A'", False),
        ("SET GLOBAL integer_division = true", "SELECT 1 / 2", 0.5),
        ("SET GLOBAL default_order = 'desc'", "SELECT i FROM range(3) t(i) ORDER BY i LIMIT 1", 0),
        ("SET GLOBAL TimeZone = 'Asia/Tokyo'", "SELECT current_setting('TimeZone')", None),
        ("SET default_null_order = 'nulls_first'", "SELECT i FROM (VALUES (1), (NULL)) t(i) ORDER BY i LIMIT 1", 1),
        ("PRAGMA default_collation = nocase", "SELECT 'a' = 'A'", False),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_what_would_change_other_notebooks_is_refused_with_the_right_spelling(
    pair: tuple[DuckDBSession, DuckDBSession], sql: str, asked: str, before: object, read_only: bool
) -> None:
    one, other = pair
    one.set_read_only(read_only)
    expected = run(other, asked) if before is None else [(before,)]
    with pytest.raises(UsageError) as caught:
        run(one, sql)
    assert "SET SESSION" in (caught.value.hint or "")
    assert run(other, asked) == expected


def test_each_session_may_set_for_itself(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    run(one, "SET SESSION default_collation = 'nocase'; SET integer_division = true; SET TimeZone = 'Asia/Tokyo'")
    assert run(one, "SELECT 'a' = 'A', 3 / 2, current_setting('TimeZone')") == [(True, 1, "Asia/Tokyo")]
    assert run(other, "SELECT 'a' = 'A', 3 / 2") == [(False, 1.5)]
    run(
        one,
        "RESET SESSION default_collation; RESET integer_division; SET VARIABLE x = 1; CREATE SCHEMA s; USE s; SET threads = 2",
    )
    assert run(one, "SELECT 'a' = 'A', 3 / 2, getvariable('x'), current_schema()") == [(False, 1.5, 1, "s")]
    assert run(other, "SELECT getvariable('x'), current_schema()") == [(None, "main")]


def test_a_setting_with_a_field_names_it(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    for sql in ("SET memory_limit = '1GB'", "PRAGMA memory_limit = '1GB'", "RESET max_memory"):
        with pytest.raises(UsageError) as caught:
            run(pair[0], sql)
        assert "--set memory_limit=" in (caught.value.hint or "")


def test_a_setting_that_the_table_does_not_know_may_only_be_the_sessions(
    pair: tuple[DuckDBSession, DuckDBSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(REACHES, "pivot_limit")
    with pytest.raises(UsageError):
        run(pair[0], "SET pivot_limit = 5")
    run(pair[0], "SET SESSION pivot_limit = 5")
    with pytest.raises(QueryError) as caught:
        run(pair[0], "SET nosuch_setting = 5")
    assert "nosuch_setting" in caught.value.message


def test_a_database_in_memory_may_set_what_it_likes() -> None:
    session = DuckDBSession.connect(Settings(config={}))
    run(session, "SET default_collation = 'nocase'; SET GLOBAL default_order = 'desc'; SET memory_limit = '1GB'")
    assert run(session, "SELECT 'a' = 'A'") == [(True,)]
    with pytest.raises(UsageError):
        run(session, "SET arrow_output_version = '1.4'")
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CALL enable_logging()",
        "FROM enable_logging()",
        'SELECT * FROM "enable_logging"()',
        "CALL truncate_duckdb_logs()",
    ],
)
def test_nobody_turns_on_a_log_of_all_notebooks(pair: tuple[DuckDBSession, DuckDBSession], sql: str) -> None:
    with pytest.raises(UsageError):
        run(pair[0], sql)
    assert run(pair[1], "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM query('FROM enable_l' || 'ogging()')",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM enable_l' || 'ogging()'))",
        "CREATE MACRO z() AS TABLE FROM query('FROM enable_l' || 'ogging()'); FROM z()",
        "FROM logs",
        "CREATE TABLE n AS FROM logs",
        "PREPARE p AS FROM logs; EXECUTE p",
        "PIVOT logs ON a USING sum(b)",
    ],
)
def test_a_log_that_the_text_does_not_show_is_off_again(tmp_path: Path, sql: str) -> None:
    """Views that another program left in the file, and texts that the statement runs."""
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute("CREATE VIEW logs AS SELECT 1 AS a, 2 AS b FROM (SELECT count(*) FROM enable_logging())")
    one, other = (DuckDBSession.connect(Settings(config={"path": str(tmp_path / "lake.duckdb")})) for _ in range(2))
    notes: list[str] = []
    run(one, sql, notes)
    assert "DuckDB's log was on, and is off again" in " ".join(notes), "the statement is done, and reported as done"
    assert run(other, "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]
    assert run(one, "SELECT 1") == [(1,)]
    one.close()
    other.close()


def test_what_a_notebook_attached_is_not_swapped_or_detached_by_another(
    pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path
) -> None:
    one, other = pair
    run(one, f"ATTACH '{tmp_path}/o.duckdb'; CREATE TABLE o.t AS SELECT 'mine' AS whose")
    for sql in (
        f"ATTACH OR REPLACE '{tmp_path}/p.duckdb' AS o",
        f"ATTACH IF NOT EXISTS '{tmp_path}/p.duckdb' AS O",
        "ATTACH IF NOT EXISTS ':memory:' AS o",
        "ATTACH OR REPLACE DATABASE ':memory:' AS \"o\"",
        "DETACH o",
        "DETACH DATABASE IF EXISTS o",
        "DETACH DATABASE o;",
    ):
        with pytest.raises(UsageError) as caught:
            run(other, sql)
        assert "another notebook" in caught.value.message, sql
        assert run(one, "SELECT whose FROM o.t") == [("mine",)]
    run(other, f"ATTACH IF NOT EXISTS '{tmp_path}/o.duckdb' AS o; ATTACH ':memory:' AS own; DETACH own")
    run(one, "DETACH o")
    run(one, f"ATTACH '{tmp_path}/o.duckdb'")
    one.close()
    run(other, "DETACH o")


@pytest.mark.parametrize(
    ("before", "sql"),
    [
        ("CREATE SCHEMA s", "ATTACH ':memory:' AS s"),
        ("CREATE SCHEMA s", "ATTACH IF NOT EXISTS ':memory:' AS \"S\""),
        ("CREATE SCHEMA s", "ATTACH 's.duckdb'"),
        ("CREATE SCHEMA s", "ATTACH ':memory:' AS x; ALTER DATABASE x SET ALIAS TO s"),
        ("ATTACH ':memory:' AS s; CREATE TABLE s.t AS SELECT 1 AS a", "CREATE SCHEMA s"),
        ("ATTACH ':memory:' AS s; CREATE TABLE s.t AS SELECT 1 AS a", 'CREATE SCHEMA IF NOT EXISTS lake."S";'),
    ],
)
def test_no_database_takes_the_name_of_a_schema_in_the_file(
    pair: tuple[DuckDBSession, DuckDBSession], before: str, sql: str
) -> None:
    one, other = pair
    run(one, before)
    run(one, "CREATE TABLE IF NOT EXISTS s.t AS SELECT 1 AS a")
    with pytest.raises(UsageError, match="ambiguous"):
        run(other, sql)
    assert run(one, "SELECT a FROM s.t") == [(1,)]


def test_schemas_of_a_database_of_ones_own_are_free(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    run(one, "ATTACH ':memory:' AS s; CREATE TABLE s.t AS SELECT 1 AS a; CREATE SCHEMA s.s")
    run(other, "ATTACH ':memory:' AS own; CREATE SCHEMA own.s; USE own; CREATE SCHEMA IF NOT EXISTS own.s")
    assert run(one, "SELECT a FROM s.main.t") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER DATABASE o SET ALIAS TO p",
        'ALTER /* a */ DATABASE IF EXISTS "O" SET ALIAS TO p',
        "ALTER DATABASE lake SET ALIAS TO p",
        "ATTACH ':memory:' AS own; USE own; DETACH lake",
        "ATTACH OR REPLACE 'o.x.duckdb'",
        "ATTACH OR REPLACE E'\\x6F.duckdb'",
        "ATTACH OR REPLACE $$o.duckdb$$",
        "ATTACH OR REPLACE 'o.'\n'duckdb'",
        "ATTACH OR REPLACE 'duckdb:o.duckdb'",
        "ATTACH OR REPLACE x'6F'",
        "ATTACH OR REPLACE o",
        'ATTACH OR REPLACE "o.y" (READ_WRITE)',
        "ATTACH OR REPLACE 'o' || '.duckdb'",
        "ATTACH OR REPLACE CAST('x.duckdb' AS VARCHAR) AS o",
        "ATTACH OR REPLACE 'as.duckdb' AS o (TYPE duckdb)",
        "ATTACH OR REPLACE 'lake.x'",
    ],
)
def test_no_form_of_a_statement_swaps_or_renames_what_others_use(
    pair: tuple[DuckDBSession, DuckDBSession], sql: str
) -> None:
    one, other = pair
    run(one, "CREATE TABLE sales AS SELECT 1 AS a; ATTACH ':memory:' AS O; CREATE TABLE o.t AS SELECT 'mine' AS whose")
    with pytest.raises(UsageError) as caught:
        run(other, sql)
    assert "notebook" in caught.value.message or "cannot be read" in caught.value.message
    assert run(one, "SELECT whose FROM o.t") == [("mine",)]
    assert run(one, "SELECT a FROM lake.sales") == run(one, "SELECT a FROM sales") == [(1,)]


def test_who_attached_a_database_may_rename_and_detach_it(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    run(other, "ATTACH 'own.x.duckdb'; ALTER DATABASE own SET ALIAS TO other; CREATE TABLE other.t AS SELECT 1 AS a")
    with pytest.raises(UsageError):
        run(one, "DETACH other")
    run(
        other,
        "ATTACH OR REPLACE 'another.duckdb' AS other; DETACH other; ATTACH OR REPLACE 'own' || '.x.duckdb' AS free",
    )
    assert run(other, "SELECT a FROM free.t") == [(1,)]
    run(other, "BEGIN; ATTACH ':memory:' AS gone; ROLLBACK")
    run(one, "ATTACH IF NOT EXISTS ':memory:' AS fresh; DETACH fresh")


def test_a_secret_is_said_to_be_everybodys(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    (statement,) = split("CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')", "duckdb")
    outcome = pair[0].execute(statement, {})
    assert isinstance(outcome, Changed | Rows)
    notes = outcome.notes if isinstance(outcome, Changed) else outcome.notes()
    assert "every notebook" in " ".join(notes)


def test_a_secret_is_dropped_by_who_made_it(pair: tuple[DuckDBSession, DuckDBSession]) -> None:
    one, other = pair
    run(one, "CREATE SECRET S (TYPE http, BEARER_TOKEN 'x'); CREATE SECRET (TYPE http, BEARER_TOKEN 'y')")
    for sql in ("DROP SECRET s", 'DROP TEMPORARY SECRET IF EXISTS "S"', "DROP SECRET __default_http"):
        with pytest.raises(UsageError, match="another notebook"):
            run(other, sql)
    assert run(one, "SELECT count(*) FROM duckdb_secrets()") == [(2,)]
    (statement,) = split("CREATE OR REPLACE SECRET s (TYPE http, BEARER_TOKEN 'z')", "duckdb")
    outcome = other.execute(statement, {})
    assert "replaced one of another" in " ".join(outcome.notes if isinstance(outcome, Changed) else outcome.notes())
    run(one, "CREATE OR REPLACE SECRET s (TYPE http, BEARER_TOKEN 'x'); DROP SECRET s; DROP SECRET __default_http")


@pytest.mark.parametrize(
    "sql", ["IMPORT DATABASE 'given'", "PRAGMA import_database('given')", "EXPLAIN ANALYZE IMPORT DATABASE 'given'"]
)
def test_an_import_sets_nothing_for_others(pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path, sql: str) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "load.sql").write_text("")
    (tmp_path / "given" / "schema.sql").write_text("CREATE TABLE z (a INTEGER); SET GLOBAL default_order = 'desc';")
    with pytest.raises((UsageError, QueryError)):
        run(pair[0], sql)
    assert run(pair[1], "SELECT current_setting('default_order')") == [("ASCENDING",)]
    (tmp_path / "given" / "schema.sql").write_text("CREATE TABLE z (a INTEGER);")
    run(pair[0], "IMPORT DATABASE 'given'")
    assert run(pair[1], "SELECT count(*) FROM z") == [(0,)]


_COLLATING = "SET default_collation = 'nocase';"


@pytest.mark.parametrize(
    ("form", "script"),
    [
        ("IMPORT DATABASE $${folder}$$", _COLLATING),
        ("IMPORT DATABASE $a${folder}$a$", _COLLATING),
        ("IMPORT DATABASE E'{folder}'", _COLLATING),
        ("IMPORT DATABASE 'giv'\n'en'", _COLLATING),
        ("IMPORT DATABASE 'file://{folder}'", _COLLATING),
        ("IMPORT DATABASE 'file:{folder}/'", _COLLATING),
        ("PRAGMA import_database($${folder}$$)", _COLLATING),
        ("PRAGMA import_database(given)", _COLLATING),
        ("PRAGMA import_database('giv' || 'en')", _COLLATING),
        ("EXPLAIN ANALYZE IMPORT DATABASE E'{folder}'", _COLLATING),
        ("IMPORT DATABASE 'given'", "DETACH u; ATTACH ':memory:' AS u;"),
        ("IMPORT DATABASE 'given'", "ALTER DATABASE lake SET ALIAS TO x;"),
        ("IMPORT DATABASE 'given'", "IMPORT DATABASE $$within$$;"),
        ("IMPORT DATABASE 'given'", "SET arrow_output_version = '1.4';"),
    ],
)
def test_an_import_in_any_form_changes_nothing_of_others(
    pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path, form: str, script: str
) -> None:
    for folder, text in (("given", script), ("within", "SET GLOBAL default_collation = 'nocase';")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "schema.sql").write_text(text)
        (tmp_path / folder / "load.sql").write_text("")
    one, other = pair
    run(one, "ATTACH ':memory:' AS u; CREATE TABLE u.t AS SELECT 1 AS a; CREATE TABLE sales AS SELECT 2 AS a")
    with pytest.raises((UsageError, QueryError)):
        run(other, form.format(folder=tmp_path / "given"))
    assert run(one, "SELECT 'a' = 'A', t.a, sales.a AS b FROM u.t, lake.sales") == [(False, 1, 2)]
    asked = "SELECT current_setting('arrow_output_version'), current_setting('enable_logging')::INTEGER"
    assert run(other, asked) == [("1.0", 0)]


def test_a_log_that_an_import_turns_on_is_off_again(pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "schema.sql").write_text("FROM query('FROM enable_l' || 'ogging()');")
    (tmp_path / "given" / "load.sql").write_text("")
    notes: list[str] = []
    run(pair[0], "IMPORT DATABASE 'given'", notes)
    assert "is off again" in " ".join(notes)
    assert run(pair[1], "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]


def test_what_an_import_attaches_is_its_sessions(pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "schema.sql").write_text("ATTACH ':memory:' AS u;")
    (tmp_path / "given" / "load.sql").write_text("")
    one, other = pair
    run(one, "ATTACH ':memory:' AS before; IMPORT DATABASE 'given'")
    with pytest.raises(UsageError):
        run(other, "DETACH u")
    run(one, "DETACH u")


def test_a_fault_within_duckdb_is_reported_in_its_words(
    pair: tuple[DuckDBSession, DuckDBSession], tmp_path: Path
) -> None:
    """It sends fields, a stack trace with paths of this machine, and a sentence behind them."""
    for name, script in (("outer", "IMPORT DATABASE 'inner';"), ("inner", "CREATE TABLE x(a INTEGER);")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "schema.sql").write_text("")
        (tmp_path / name / "load.sql").write_text(script)
    with pytest.raises(QueryError) as caught:
        run(pair[0], "IMPORT DATABASE 'outer'")
    assert caught.value.message == "Failed to cast statement to type - statement type mismatch"
    assert "within DuckDB" in str(caught.value.hint)
    assert not pair[0].is_alive()
