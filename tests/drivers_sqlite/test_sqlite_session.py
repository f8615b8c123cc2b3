"""A SQLite session beside other programs: locks, new files, errors and their places, what statements answer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter.driverkit.session import Changed, Rows, Settings, Transaction
from tusk_jupyter.errors import Cancelled, ConnectError, QueryError, UsageError
from tusk_jupyter.sqltext.statements import split

HOLD = """
import sys, sqlite3
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def open_session(path: Path, **options: object) -> SQLiteSession:
    return SQLiteSession.connect(Settings(config={"path": str(path), **options}))


def run(session: SQLiteSession, sql: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, "sqlite"):
        outcome = session.execute(statement, {})
        rows = []
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
    return rows


@contextmanager
def held_by_another_program(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process of its own, a script named etl.py, lock the file."""
    script = path.parent / "etl.py"
    script.write_text(HOLD)
    with subprocess.Popen(
        [sys.executable, str(script), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT)")
    connection.commit()
    connection.close()
    return tmp_path / "shop.db"


def _numbers(count: int) -> str:
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) SELECT i FROM n"


# --- locks ---


def test_lock_of_a_foreign_program_is_named_and_the_next_try_works(path: Path) -> None:
    session = open_session(path, busy_timeout_s=0.1)
    with held_by_another_program(path) as process:
        with pytest.raises(QueryError) as caught:
            run(session, "INSERT INTO t VALUES (1, 'a')")
        assert caught.value.scenario == "lock_timeout"
        assert f"process id {process.pid}" in caught.value.message
        assert "etl.py" in caught.value.message
        other = open_session(path, busy_timeout_s=0)
        with pytest.raises(QueryError):
            run(other, "SELECT * FROM t")
        other.close()
    run(session, "INSERT INTO t VALUES (1, 'a')")
    assert run(session, "SELECT i FROM t") == [(1,)]
    session.close()


def test_statement_waits_until_the_lock_is_gone(path: Path) -> None:
    session = open_session(path, busy_timeout_s=60)
    with held_by_another_program(path) as process:
        outcomes: list[object] = []
        thread = threading.Thread(target=lambda: outcomes.append(run(session, "INSERT INTO t VALUES (1, 'a')")))
        thread.start()
        process.kill()
        thread.join()
    assert outcomes == [[]]
    assert run(session, "SELECT count(*) FROM t") == [(1,)]
    session.close()


def test_interrupt_ends_the_wait_for_a_lock(path: Path) -> None:
    session = open_session(path, busy_timeout_s=600)
    with held_by_another_program(path):
        outcomes: list[str | None] = []

        def worker() -> None:
            with pytest.raises(Cancelled) as caught:
                run(session, "INSERT INTO t VALUES (1, 'a')")
            outcomes.append(caught.value.scenario)

        thread = threading.Thread(target=worker)
        thread.start()
        while thread.is_alive():
            session.interrupt()
            thread.join(0.05)
    assert outcomes == ["cancelled_by_user"]
    assert run(session, "SELECT count(*) FROM t") == [(0,)]
    session.close()


def test_commit_waits_for_readers_and_can_be_tried_again(path: Path) -> None:
    reader, writer = open_session(path), open_session(path, busy_timeout_s=0.05)
    run(reader, "BEGIN; SELECT * FROM t")
    run(writer, "BEGIN; INSERT INTO t VALUES (1, 'a')")
    with pytest.raises(QueryError) as caught:
        run(writer, "COMMIT")
    assert caught.value.scenario == "lock_timeout"
    assert writer.transaction is Transaction.OPEN
    run(reader, "COMMIT")
    run(writer, "COMMIT")
    assert run(reader, "SELECT i FROM t") == [(1,)]
    reader.close()
    writer.close()


def test_journal_mode_stays_as_the_user_has_it(path: Path) -> None:
    session = open_session(path)
    assert run(session, "PRAGMA journal_mode") == [("delete",)]
    run(session, "PRAGMA journal_mode = wal")
    session.close()
    again = open_session(path)
    assert run(again, "PRAGMA journal_mode") == [("wal",)]
    again.close()


# --- results half read ---


def test_half_read_result_does_not_lock_the_session(path: Path) -> None:
    session = open_session(path)
    run(
        session,
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) SELECT i, 'x' FROM n",
    )
    rows = session.execute(split("SELECT * FROM t", "sqlite")[0], {})
    assert isinstance(rows, Rows)
    run(session, "DROP TABLE t; CREATE TABLE t (i)")
    assert session.transaction is Transaction.IDLE
    other = open_session(path)
    run(other, "INSERT INTO t VALUES (1)")
    other.close()
    session.close()


def test_returning_is_complete_even_if_nobody_reads_it(path: Path) -> None:
    session = open_session(path)
    (statement,) = split("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c') RETURNING i", "sqlite")
    outcome = session.execute(statement, {})
    assert isinstance(outcome, Rows)
    assert run(session, "SELECT count(*) FROM t") == [(3,)]
    outcome = session.execute(split("DELETE FROM t RETURNING s", "sqlite")[0], {})
    assert isinstance(outcome, Rows)
    assert sum(batch.num_rows for batch in outcome.batches) == outcome.affected() == 3
    session.close()


def test_returning_that_cannot_be_committed_is_an_error_and_changes_nothing(path: Path) -> None:
    reader, writer = open_session(path), open_session(path, busy_timeout_s=0.05)
    run(reader, "BEGIN; SELECT * FROM t")
    (statement,) = split(f"INSERT INTO t SELECT i, 'x' FROM ({_numbers(3000)}) RETURNING i", "sqlite")
    with pytest.raises(QueryError) as caught:
        writer.execute(statement, {})
    assert caught.value.scenario == "lock_timeout"
    assert writer.transaction is Transaction.IDLE
    run(reader, "COMMIT")
    assert run(reader, "SELECT count(*) FROM t") == [(0,)]
    outcome = writer.execute(statement, {})
    assert isinstance(outcome, Rows)
    assert run(reader, "SELECT count(*) FROM t") == [(3000,)], "all of it, though nobody has read the rows yet"
    assert sum(batch.num_rows for batch in outcome.batches) == 3000
    reader.close()
    writer.close()


# --- transactions ---


def test_error_in_a_transaction_leaves_it_open(path: Path) -> None:
    session = open_session(path)
    run(session, "BEGIN; INSERT INTO t VALUES (1, 'a')")
    with pytest.raises(QueryError) as caught:
        run(session, "INSERT INTO t VALUES (1, 'b')")
    assert caught.value.scenario == "constraint"
    assert caught.value.code == "SQLITE_CONSTRAINT_PRIMARYKEY"
    assert session.transaction is Transaction.OPEN
    run(session, "COMMIT")
    assert run(session, "SELECT s FROM t") == [("a",)]
    session.close()


def test_error_that_rolls_back_ends_the_transaction(path: Path) -> None:
    session = open_session(path)
    run(session, "BEGIN; INSERT INTO t VALUES (1, 'a')")
    with pytest.raises(QueryError):
        run(session, "INSERT OR ROLLBACK INTO t VALUES (1, 'b')")
    assert session.transaction is Transaction.IDLE
    session.close()


# --- opening ---


def test_new_file_simply_works_and_says_so(tmp_path: Path) -> None:
    place = tmp_path / "new?file#1 %41.db"
    session = open_session(place)
    assert "new file" in session.server
    assert not place.exists(), "connecting alone leaves no file behind"
    with pytest.raises(QueryError) as caught:
        run(session, "SELECT * FROM t")
    assert str(place) in (caught.value.hint or "")
    run(session, "CREATE TABLE t (i)")
    assert place.exists()
    session.close()
    assert "new file" not in open_session(place).server


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, this is a text file and no database at all" * 100, "no SQLite database"),
        (bytes(8) + b"DUCK" + bytes(5000), "DuckDB database"),
        (b"PAR1" + bytes(500), "is a Parquet file"),
        (bytes(range(256)) * 16, "no SQLite database, or an encrypted one"),
    ],
)
def test_file_that_is_no_database(tmp_path: Path, content: bytes, words: str) -> None:
    place = tmp_path / "file.db"
    place.write_bytes(content)
    with pytest.raises(ConnectError) as caught:
        open_session(place)
    assert words in caught.value.message
    assert (caught.value.detail or "").startswith("stage=file")
    assert place.read_bytes() == content


def test_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ConnectError) as caught:
        open_session(tmp_path)
    assert caught.value.scenario == "no_such_file"


def test_damaged_file_is_an_error_with_its_code(path: Path) -> None:
    session = open_session(path)
    run(
        session,
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) SELECT i, 'x' FROM n",
    )
    session.close()
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    session = open_session(path)
    with pytest.raises(QueryError) as caught:
        run(session, "SELECT sum(i) FROM t")
    assert caught.value.code == "SQLITE_CORRUPT"
    session.close()


def test_extensions_cannot_be_loaded(path: Path) -> None:
    session = open_session(path)
    with pytest.raises(QueryError):
        run(session, "SELECT load_extension('/tmp/x.so')")
    session.close()


# --- what statements answer ---


@pytest.mark.parametrize(
    ("sql", "affected"),
    [
        ("INSERT INTO t VALUES (1, 'a'), (2, 'b')", 2),
        ("INSERT INTO t SELECT 9, 'x' WHERE 0", 0),
        ("UPDATE t SET s = 'x'", 0),
        ("WITH n AS (SELECT 7 AS i) INSERT INTO t SELECT i, 'x' FROM n", 1),
        ("-- words\nREPLACE INTO t VALUES (1, 'x')", 1),
        ("INSERT INTO logged VALUES (1)", 1),
        ("CREATE TABLE n (a)", None),
        ("CREATE TABLE n AS SELECT 1 AS a", None),
        ("BEGIN", None),
        ("DROP TABLE t", None),
        ("CREATE TRIGGER tr2 AFTER DELETE ON t BEGIN SELECT 1; DELETE FROM t; END", None),
    ],
)
def test_statement_without_rows_tells_what_it_changed(path: Path, sql: str, affected: int | None) -> None:
    session = open_session(path)
    run(
        session,
        "CREATE TABLE logged (a); CREATE TRIGGER tr AFTER INSERT ON logged BEGIN "
        "INSERT INTO t VALUES (100, 'x'); INSERT INTO t VALUES (101, 'x'); END",
    )
    outcome = session.execute(split(sql, "sqlite")[0], {})
    assert isinstance(outcome, Changed)
    assert outcome.affected == affected
    session.close()


@pytest.mark.parametrize(
    ("sql", "marked", "scenario"),
    [
        ("SELEKT 1", "SELEKT", "syntax"),
        ("SELECT from_x, FROM FROM t", "FROM FROM", "syntax"),
        ("SELECT 'near FROM' AS a FROM t WHERE FROM", "FROM", "syntax"),
        ("SELECT 'é', #1", "#", "syntax"),
        ("SELECT (1", "", "syntax"),
        ("SELECT 'abc", "'abc", "syntax"),
        ("SELECT 'nosuch' AS a, nosuch -- nosuch\nFROM t", "nosuch --", "undefined_column"),
        ("SELECT t.nosuch FROM t", "t.nosuch", "undefined_column"),
        ("SELECT * FROM main.nowhere", "main.nowhere", "undefined_table"),
        ("SELECT nofn(1)", "nofn", None),
        ("INSERT INTO t (i, zzz) VALUES (1, 2)", "zzz", "undefined_column"),
    ],
)
def test_error_points_at_its_place(path: Path, sql: str, marked: str, scenario: str | None) -> None:
    session = open_session(path)
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert caught.value.position is not None
    assert sql[caught.value.position :].startswith(marked)
    if not marked:
        assert caught.value.position == len(sql)
    if sql.count(marked) > 1 and marked == "FROM":
        assert caught.value.position == sql.rindex("FROM")
    assert caught.value.scenario == scenario


@pytest.mark.parametrize("end", [", , (0)", ")"])
def test_the_place_in_a_long_statement_is_found_at_once(path: Path, end: str) -> None:
    """Where each of its 20,000 commas was tried, 130 kB took minutes."""
    rows = ", ".join(["(1, 'a')"] * 10_000)
    session = open_session(path)
    sql = f"INSERT INTO t (i, x) VALUES {rows}{end}"
    began = time.thread_time()
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert time.thread_time() - began < 5
    assert caught.value.position == len(sql) - len(end) + end.rindex(end.strip()[-1] if end == ")" else ", ")
    session.close()


def test_locating_an_error_runs_nothing(path: Path) -> None:
    session = open_session(path)
    with pytest.raises(QueryError):
        run(session, "INSERT INTO t VALUES (1, 'x') x x x")
    assert run(session, "SELECT count(*) FROM t") == [(0,)]
    session.close()


def test_parameter_that_is_missing_or_unknown_to_sqlite_is_named(path: Path) -> None:
    session = open_session(path)
    (statement,) = split("SELECT :a, :b", "sqlite")
    with pytest.raises(UsageError, match=":b"):
        session.execute(statement, {"a": 1})
    for value in (float("nan"), 2**63, "\ud800", object()):
        with pytest.raises(UsageError):
            session.execute(statement, {"a": 1, "b": value})
    session.close()


def test_two_statements_in_one_are_refused(path: Path) -> None:
    from tusk_jupyter.sqltext.statements import Statement

    session = open_session(path)
    with pytest.raises(UsageError):
        session.execute(Statement(text="SELECT 1; DROP TABLE t", start=0, command="SELECT"), {})
    assert run(session, "SELECT count(*) FROM t") == [(0,)]
    session.close()


def test_upload_stores_exact_values_under_readable_types(path: Path) -> None:
    session = open_session(path)
    table = pa.table(
        {
            "price": pa.array([Decimal("1.20"), None], pa.decimal128(10, 2)),
            "at": pa.array([0, None], pa.timestamp("us", "Europe/Berlin")),
            "tags": pa.array([["a", "b"], None], pa.list_(pa.string())),
            "big": pa.array([2**63 - 1, None], pa.uint64()),
        }
    )
    session.upload(["up"], table.to_reader(), append=False)
    assert run(session, "SELECT * FROM up") == [
        (Decimal("1.20"), "1970-01-01 00:00:00.000000+00:00", '["a", "b"]', 2**63 - 1),
        (None, None, None, None),
    ]
    assert [(c.name, c.type) for c in session.describe(["up"]).columns] == [
        ("price", "DEC(10,2)"),
        ("at", "TEXT"),
        ("tags", "TEXT"),
        ("big", "INTEGER"),
    ]
    session.close()


def prices(*values: str | None, kind: pa.DataType | None = None) -> pa.RecordBatchReader:
    numbers = [None if value is None else Decimal(value) for value in values]
    return pa.table({"price": pa.array(numbers, kind or pa.decimal128(38, 2))}).to_reader()


def test_uploaded_decimals_compare_and_sort_as_numbers_and_come_back_as_they_were(path: Path) -> None:
    session = open_session(path)
    values = ("9.50", "10000.00", None, "-0.01", "9999999999999.99", "9223372036854775807.00", "0.10")
    session.upload(["up"], prices(*values), append=False)
    assert session.upload_notes == ()
    assert run(session, "SELECT price FROM up WHERE price > 9000 AND price < 1e6") == [(Decimal("10000.00"),)]
    assert run(session, "SELECT price FROM up WHERE price = 0.1") == [(Decimal("0.10"),)]
    back = [row[0] for row in run(session, "SELECT price FROM up ORDER BY rowid")]
    assert [value and str(value) for value in back] == list(values)
    ordered = [row[0] for row in run(session, "SELECT price FROM up WHERE price IS NOT NULL ORDER BY price")]
    assert ordered == sorted(ordered)
    run(session, "UPDATE up SET price = price / 3 WHERE price = 9.5")  # more digits than a DEC(38,2)
    assert run(session, "SELECT price FROM up WHERE price > 3 AND price < 4") == [(9.5 / 3,)]
    session.close()


def test_decimals_with_more_digits_than_a_number_keeps_become_text_with_a_note_or_are_refused(path: Path) -> None:
    session = open_session(path)
    wide = "12345678901234.56"
    session.upload(["up"], prices("1.00", *["2.50"] * 1000, wide), append=False)
    assert len(session.upload_notes) == 1 and "'price'" in session.upload_notes[0]
    assert run(session, "SELECT price FROM up WHERE price LIKE '1%'") == [("1.00",), (wide,)]
    assert session.upload(["up"], prices(wide), append=True) == 1
    assert session.upload_notes == ()
    run(session, "CREATE TABLE n (price NUMERIC)")
    assert session.upload(["n"], prices("1.50"), append=True) == 1
    with pytest.raises(UsageError, match=r"'price' holds 12345678901234\.56"):
        session.upload(["n"], prices("7.00", wide), append=True)
    assert run(session, "SELECT price FROM n") == [(1.5,)]
    session.upload(["far"], prices("1E+3", "1E-40", kind=pa.decimal256(60, 40)), append=False)
    assert run(session, "SELECT typeof(price) FROM far LIMIT 1") == [("text",)]
    session.close()


@pytest.mark.parametrize("array", [pa.array([2**64 - 1], pa.uint64()), pa.array([1], pa.duration("s"))])
def test_upload_of_what_sqlite_cannot_hold_writes_nothing(path: Path, array: pa.Array) -> None:
    session = open_session(path)
    with pytest.raises(UsageError):
        session.upload(["up"], pa.table({"a": array}).to_reader(), append=False)
    assert run(session, "SELECT count(*) FROM sqlite_master WHERE name = 'up'") == [(0,)]
    assert session.transaction is Transaction.IDLE
    session.close()


def test_tree_and_description(path: Path) -> None:
    session = open_session(path)
    run(
        session,
        "CREATE TABLE s (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c AS (a + 1), UNIQUE (b));"
        "CREATE INDEX by_c ON s (b, a); CREATE VIEW v AS SELECT a AS one FROM s; CREATE TEMP TABLE mine (z DATE);"
        "ATTACH ':memory:' AS other; CREATE TABLE other.o (x)",
    )
    assert [(n.name, n.kind) for n in session.tree([])] == [("main", "schema"), ("temp", "schema"), ("other", "schema")]
    assert [(n.name, n.kind) for n in session.tree(["main"])] == [("s", "table"), ("t", "table"), ("v", "view")]
    assert [n.name for n in session.tree(["nowhere"])] == []
    assert [(c.name, c.type, c.nullable, c.primary_key) for c in session.tree(["main", "s"])] == [
        ("a", "INTEGER", False, True),
        ("b", "TEXT", False, False),
        ("c", "", True, False),
    ]
    found = session.describe(["s"])
    assert found.columns[1].default == "'x'"
    assert {(index.columns, index.unique) for index in found.indexes} == {(("b", "a"), False), (("b",), True)}
    assert session.describe(["mine"]).columns[0].type == "DATE"
    assert session.describe(["other", "o"]).kind == "table"
    assert session.describe(["V"]).kind == "view"
    session.close()


def test_declared_types_are_known_after_a_wait_for_a_lock_too(path: Path) -> None:
    session = open_session(path, busy_timeout_s=60)
    run(session, "CREATE TABLE d (day DATE); INSERT INTO d VALUES ('2024-02-29')")
    session.reset()
    with held_by_another_program(path) as process:
        threading.Timer(0.2, process.kill).start()
        outcome = session.execute(split("SELECT day FROM d", "sqlite")[0], {})
    assert isinstance(outcome, Rows)
    assert outcome.schema.types == [pa.date32()]
    session.close()


@pytest.mark.parametrize(
    ("sql", "is_asked"),
    [
        ("SELECT 1, 'x'", False), ("VALUES (1)", False), ("SELECT i FROM t", True), ("WITH c AS (VALUES (1)) SELECT 2", True),
        ("SELECT CAST(NULL AS TEXT)", True), ("values (cast(1 as integer))", True),
    ],
)  # fmt: skip
def test_sqlite_is_asked_for_the_types_of_what_may_have_one(path: Path, sql: str, is_asked: bool) -> None:
    """From SQLite 3.41 on a CAST has one, so its column of nothing but NULL has it too."""
    session = open_session(path)
    run(session, "SELECT 1")
    asked: list[str] = []
    session._connection.set_trace_callback(asked.append)
    run(session, sql)
    assert any("TEMP VIEW" in one for one in asked) == is_asked
    if sqlite3.sqlite_version_info >= (3, 41):
        outcome = session.execute(split("SELECT CAST(NULL AS TEXT)", "sqlite")[0], {})
        assert isinstance(outcome, Rows)
        assert outcome.schema.types == [pa.large_string()]
    session.close()


def test_returning_that_breaks_a_rule_at_its_end_fails_before_a_row_is_handed_out(path: Path) -> None:
    session = open_session(path, foreign_keys=True)
    run(session, "CREATE TABLE child (t INTEGER REFERENCES t (i))")
    with pytest.raises(QueryError) as caught:
        session.execute(split(f"INSERT INTO child {_numbers(5000)} RETURNING t", "sqlite")[0], {})
    assert caught.value.scenario == "constraint"
    assert run(session, "SELECT count(*) FROM child") == [(0,)]
    session.close()
