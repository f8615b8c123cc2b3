"""One process holds a file for all its sessions, each with its own temp tables and transaction, and lets go of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tusk_drivers.duckdb import instances, spill
from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.driverkit.session import Rows, Settings, Transaction
from tusk_jupyter.errors import Cancelled, ConnectError, QueryError, UsageError
from tusk_jupyter.sqltext.statements import split

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "ro")
print("held", flush=True)
sys.stdin.read()
"""


def open_session(path: Path, **options: object) -> DuckDBSession:
    read_only = bool(options.pop("read_only", False))
    return DuckDBSession.connect(Settings(config={"path": str(path), **options}, read_only=read_only))


def run(session: DuckDBSession, sql: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, "duckdb"):
        outcome = session.execute(statement, {})
        rows = []
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
    return rows


@contextmanager
def held_by_another_program(path: Path, *, mode: str = "rw") -> Iterator[subprocess.Popen[bytes]]:
    """Let a process of its own, a script named etl.py, hold the file."""
    script = path.parent / "etl.py"
    script.write_text(HOLD)
    with subprocess.Popen(
        [sys.executable, str(script), str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    connection = duckdb.connect(str(tmp_path / "lake.duckdb"))
    connection.execute("CREATE TABLE t (i INTEGER PRIMARY KEY)")
    connection.close()
    return tmp_path / "lake.duckdb"


def test_two_sessions_share_the_file_and_not_their_state(path: Path) -> None:
    # UX 20: two kernels write the same file without a lock error
    a, b = open_session(path), open_session(path)
    run(a, "CREATE TEMP TABLE mine AS SELECT 1; CREATE SCHEMA s; USE s; SET VARIABLE x = 1; PREPARE p AS SELECT 1")
    for sql in ("SELECT * FROM mine", "EXECUTE p"):
        with pytest.raises(QueryError):
            run(b, sql)
    assert run(b, "SELECT current_schema(), getvariable('x')") == [("main", None)]
    run(a, "BEGIN; INSERT INTO main.t VALUES (1)")
    run(b, "INSERT INTO t VALUES (2)")
    assert run(b, "SELECT i FROM t") == [(2,)]
    run(a, "COMMIT")
    assert run(b, "SELECT i FROM t ORDER BY i") == [(1,), (2,)]
    a.close()
    b.close()


def test_file_is_shared_under_all_its_names(path: Path) -> None:
    link, hard = path.with_name("link.duckdb"), path.with_name("hard.duckdb")
    link.symlink_to(path)
    os.link(path, hard)
    sessions = [open_session(name) for name in (path, link, hard, path.parent / "." / path.name)]
    run(sessions[0], "INSERT INTO t VALUES (7)")
    assert [run(session, "SELECT i FROM t") for session in sessions] == [[(7,)]] * 4
    for session in sessions:
        session.close()


def test_memory_databases_are_private() -> None:
    a, b = (DuckDBSession.connect(Settings(config=config)) for config in ({}, {"path": ":memory:"}))
    run(a, "CREATE TABLE n AS SELECT 1")
    with pytest.raises(QueryError):
        run(b, "SELECT * FROM n")
    a.close()
    b.close()


def test_last_session_lets_go_of_the_file(path: Path) -> None:
    # UX 20: release the lock
    a, b = open_session(path), open_session(path)
    rows = a.execute(split("SELECT * FROM range(1000000)", "duckdb")[0], {})
    assert isinstance(rows, Rows)
    next(rows.batches)
    a.close()
    a.close()
    b.close()
    assert not instances._instances
    with held_by_another_program(path):
        pass


def test_foreign_holder_is_named_and_the_next_try_works(path: Path) -> None:
    # R: DESIGN 2, scenario file_locked
    with held_by_another_program(path) as process:
        for read_only in (False, True):
            with pytest.raises(ConnectError) as caught:
                open_session(path, read_only=read_only)
            assert caught.value.scenario == "file_locked"
            assert f"process id {process.pid}" in caught.value.message
            assert "etl.py" in caught.value.message
            assert (caught.value.detail or "").startswith("stage=file")
    session = open_session(path)
    assert run(session, "SELECT count(*) FROM t") == [(0,)]
    session.close()


def test_reader_shares_the_file_with_a_foreign_reader(path: Path) -> None:
    with held_by_another_program(path, mode="ro"):
        session = open_session(path, read_only=True)
        assert run(session, "SELECT count(*) FROM t") == [(0,)]
        assert "read-only" in session.server
        with pytest.raises(ConnectError) as caught:
            open_session(path)
        assert caught.value.scenario == "file_locked"
        session.close()
    writer = open_session(path)
    run(writer, "INSERT INTO t VALUES (1)")
    writer.close()


def test_write_conflict_says_to_run_it_again(path: Path) -> None:
    a, b = open_session(path), open_session(path)
    run(a, "INSERT INTO t VALUES (1); BEGIN; UPDATE t SET i = 10")
    with pytest.raises(QueryError) as caught:
        run(b, "UPDATE t SET i = 20")
    assert caught.value.scenario == "deadlock"
    assert "has changed the same rows" in (caught.value.hint or "")
    assert b.transaction is Transaction.IDLE
    run(a, "COMMIT")
    run(b, "UPDATE t SET i = 20")
    assert run(a, "SELECT i FROM t") == [(20,)]
    a.close()
    b.close()


def test_interrupt_stops_only_its_own_session(path: Path) -> None:
    a, b = open_session(path), open_session(path)
    long = "SELECT count(*) FROM range(100000) x, range(100000) y WHERE (x.range + y.range) % 7 = 3"
    outcomes: list[object] = []

    def worker() -> None:
        try:
            outcomes.append(run(a, long))
        except Cancelled as exc:
            outcomes.append(exc.scenario)

    thread = threading.Thread(target=worker)
    thread.start()
    while thread.is_alive():
        a.interrupt()
        assert run(b, "SELECT sum(range) FROM range(1000)") == [(499_500,)]
        thread.join(0.05)
    assert outcomes == ["cancelled_by_user"]
    assert run(a, "SELECT 1") == [(1,)]
    a.close()
    b.close()


# --- transactions ---


def test_error_outside_a_transaction_leaves_nothing_behind(path: Path) -> None:
    # UX 3.8
    session = open_session(path)
    for sql in ("SELEKT", "SELECT nosuch", "SELECT error('x')", "INSERT INTO t VALUES (NULL)", "COMMIT"):
        with pytest.raises(QueryError):
            run(session, sql)
        assert session.transaction is Transaction.IDLE
        assert run(session, "SELECT 1") == [(1,)]
    session.close()


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT nosuch", Transaction.OPEN),
        ("SELECT error('x')", Transaction.FAILED),
        ("INSERT INTO t VALUES (1)", Transaction.FAILED),
        ("BEGIN", Transaction.FAILED),
        ("SELEKT", Transaction.OPEN),
    ],
)
def test_state_of_the_transaction_after_an_error(path: Path, sql: str, state: Transaction) -> None:
    # UX 3.8
    session = open_session(path)
    run(session, "INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2)")
    with pytest.raises(QueryError):
        run(session, sql)
    assert session.transaction is state
    if state is Transaction.FAILED:
        with pytest.raises(QueryError) as caught:
            run(session, "SELECT 1")
        assert caught.value.scenario == "transaction_failed"
    run(session, "ROLLBACK")
    assert session.transaction is Transaction.IDLE
    assert run(session, "SELECT i FROM t") == [(1,)]
    session.close()


def test_error_in_a_transaction_points_at_its_place(path: Path) -> None:
    session = open_session(path)
    run(session, "BEGIN")
    for sql, scenario in (("SELECT 1, nosuch FROM t", "undefined_column"), ("SELECT * FROM nosuch", "undefined_table")):
        with pytest.raises(QueryError) as caught:
            run(session, sql)
        assert sql[caught.value.position or 0 :].startswith("nosuch")
        assert caught.value.scenario == scenario
        assert session.transaction is Transaction.OPEN
    session.close()


def test_failed_commit_ends_the_transaction(path: Path) -> None:
    a, b = open_session(path), open_session(path)
    run(a, "BEGIN; INSERT INTO t VALUES (1)")
    run(b, "INSERT INTO t VALUES (1)")
    with pytest.raises(QueryError):
        run(a, "COMMIT")
    assert a.transaction is Transaction.IDLE
    assert run(a, "SELECT count(*) FROM t") == [(1,)]
    a.close()
    b.close()


def test_half_read_result_in_a_transaction_does_not_end_it(path: Path) -> None:
    session = open_session(path)
    run(session, "BEGIN; INSERT INTO t VALUES (5)")
    rows = session.execute(split("SELECT * FROM range(10000000)", "duckdb")[0], {})
    assert isinstance(rows, Rows)
    next(rows.batches)
    assert run(session, "SELECT i FROM t") == [(5,)]
    assert session.transaction is Transaction.OPEN
    run(session, "COMMIT")
    session.close()


# --- opening ---


def test_new_file_simply_works_and_says_so(tmp_path: Path) -> None:
    session = open_session(tmp_path / "new.duckdb")
    assert "new file" in session.server
    run(session, "CREATE TABLE t (i INTEGER)")
    session.close()
    again = open_session(tmp_path / "new.duckdb")
    assert "new file" not in again.server
    again.close()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.duckdb", b"hello, this is a text file and no database at all" * 100, "no DuckDB database"),
        ("sqlite.duckdb", b"SQLite format 3\0" + bytes(5000), "SQLite database"),
        ("empty.duckdb", b"", "is an empty file"),
        ("table.csv", b"a,b\n1,2\n", "is a CSV file"),
        ("table.json", b'{"a": 1}\n', "is a JSON file"),
        ("table.parquet", b"PAR1" + bytes(500), "is a Parquet file"),
        ("noise.duckdb", bytes(range(256)) * 16, "is no DuckDB database"),
        ("cut.duckdb", None, "damaged"),
        ("flipped.duckdb", None, "damaged"),
    ],
)
def test_file_that_is_no_sound_database(path: Path, name: str, content: bytes | None, words: str) -> None:
    place = path.with_name(name)
    sound = path.read_bytes()
    if name.startswith("cut"):
        content = sound[: len(sound) // 2]
    elif content is None:
        content = sound[:100] + bytes([sound[100] ^ 0x55]) + sound[101:]
    place.write_bytes(content)
    with pytest.raises(ConnectError) as caught:
        open_session(place)
    assert words in caught.value.message
    assert str(place) in caught.value.message
    assert caught.value.hint
    assert place.read_bytes() == content
    assert not instances._instances


def test_an_encrypted_file_says_how_it_is_opened(tmp_path: Path) -> None:
    place = tmp_path / "locked.duckdb"
    with duckdb.connect() as con:
        con.execute("SET force_mbedtls_unsafe = true")
        con.execute(f"ATTACH '{place}' AS locked (ENCRYPTION_KEY 'k'); CREATE TABLE locked.t AS SELECT 1 AS a")
    with pytest.raises(ConnectError, match="is an encrypted DuckDB database") as caught:
        open_session(place)
    advised = re.search(r"`(ATTACH .*?)`", caught.value.hint)[1]
    session = open_session(":memory:")
    assert run(session, f"{advised.replace('...', 'k')}; SELECT a FROM db.t") == [(1,)]
    session.close()


def test_settings_reach_duckdb_and_bad_ones_are_named(tmp_path: Path) -> None:
    session = open_session(tmp_path / "a.duckdb", threads=1, memory_limit="100MB", temp_limit="1GB")
    asked = "SELECT current_setting('threads'), current_setting('memory_limit'), current_setting('temp_directory')"
    ((threads, memory, folder),) = run(session, asked)
    assert (threads, memory) == (1, "95.3 MiB")
    assert Path(str(folder)).stat().st_mode & 0o777 == 0o700
    session.close()
    assert not Path(str(folder)).exists()
    with pytest.raises(ConnectError) as caught:
        open_session(tmp_path / "b.duckdb", memory_limit="12 parsecs")
    assert "parsecs" in caught.value.message


def test_folder_of_a_dead_process_is_swept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    left = tmp_path / f"tusk-duckdb-{gone.pid}-abc"
    left.mkdir()
    (left / "spilled.tmp").write_bytes(b"x")
    ours = spill.make_folder()
    assert not left.exists()
    assert ours.exists()


def test_folder_of_a_process_that_lives_in_another_container_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its id means nothing here: this process's id, which `psutil` of another container does not find."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = DuckDBSession.connect(Settings(config={"memory_limit": "120MB"}))
    ((folder,),) = run(session, "SELECT current_setting('temp_directory')")
    monkeypatch.setattr("psutil.pid_exists", lambda pid: False)
    other = spill.make_folder()
    assert Path(str(folder)).exists()
    session.close()
    spill.remove_folder(other)
    assert list(tmp_path.iterdir()) == []


def test_what_is_spilled_is_never_readable_by_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cleaner of temporary files took the folder: DuckDB's own would be open to all."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session = DuckDBSession.connect(Settings(config={"memory_limit": "120MB"}))
    spilling = "CREATE TABLE b AS SELECT i, md5(i::VARCHAR) AS a, md5((i + 1)::VARCHAR) AS c FROM range(2000000) t(i)"
    ((folder,),) = run(session, "SELECT current_setting('temp_directory')")
    shutil.rmtree(str(folder))
    run(session, spilling)
    assert Path(str(folder)).exists(), "it has spilled"
    assert Path(str(folder)).parent.stat().st_mode & 0o777 == 0o700
    session.close()
    session = DuckDBSession.connect(Settings(config={"memory_limit": "120MB"}))
    (outer,) = tmp_path.iterdir()
    shutil.rmtree(outer)
    with pytest.raises(QueryError):
        run(session, spilling)
    assert list(tmp_path.iterdir()) == []
    session.close()


def test_no_extension_is_fetched_or_loaded_by_itself(tmp_path: Path) -> None:
    #
    session = open_session(tmp_path / "a.duckdb")
    for sql in ("SELECT * FROM 'https://127.0.0.1:1/x.parquet'", "SELECT st_area('x')"):
        with pytest.raises(QueryError) as caught:
            run(session, sql)
        assert "INSTALL" in (caught.value.hint or "")
    assert run(
        session,
        "SELECT current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions'), "
        "current_setting('allow_community_extensions'), current_setting('allow_persistent_secrets')",
    ) == [(False, False, False, False)]
    session.close()


def test_extensions_can_be_switched_off(tmp_path: Path) -> None:
    session = open_session(tmp_path / "a.duckdb", extensions="off")
    for sql in ("INSTALL httpfs", "LOAD json", "UPDATE EXTENSIONS"):
        with pytest.raises(UsageError):
            run(session, sql)
    session.close()


def test_variables_of_the_driver_are_no_tables(tmp_path: Path) -> None:
    session = open_session(tmp_path / "a.duckdb")
    kind, sql = 1, 2
    for name in ("parameters", "statement", "kind", "sql"):
        with pytest.raises(QueryError) as caught:
            run(session, f"SELECT * FROM {name}")
        assert caught.value.scenario == "undefined_table"
    assert (kind, sql) == (1, 2)
    session.close()


# --- what statements answer ---


@pytest.mark.parametrize(
    ("sql", "affected"),
    [
        ("INSERT INTO t VALUES (1), (2), (3)", 3),
        ("INSERT INTO t SELECT 9 WHERE false", 0),
        ("INSERT OR IGNORE INTO t VALUES (5), (5)", 1),
        ("CREATE TABLE n AS SELECT * FROM range(7)", 7),
        ("CREATE TABLE n (i INTEGER)", None),
        ("CREATE VIEW w AS SELECT 1", None),
        ("UPDATE t SET i = i + 100", 0),
        ("COPY (SELECT * FROM range(4)) TO '{folder}/out.csv'", 4),
        ("SET threads = 2", None),
        ("USE lake", None),
        ("BEGIN", None),
        ("CHECKPOINT", None),
        ("PREPARE p AS INSERT INTO t VALUES (1)", None),
        ("DROP TABLE t", None),
        ("CREATE SEQUENCE q", None),
    ],
)
def test_statement_without_rows_tells_what_it_changed(path: Path, sql: str, affected: int | None) -> None:
    session = open_session(path)
    (statement,) = split(sql.format(folder=path.parent), "duckdb")
    outcome = session.execute(statement, {})
    assert not isinstance(outcome, Rows)
    assert outcome.affected == affected
    session.close()


@pytest.mark.parametrize(
    ("sql", "names", "affected"),
    [
        ('INSERT INTO t VALUES (1), (2) RETURNING i AS "Count"', ["Count"], 2),
        ("DELETE FROM t RETURNING i", ["i"], 0),
        ("SHOW TABLES", ["name"], None),
        ("EXPLAIN SELECT 1", ["explain_key", "explain_value"], None),
        ('SELECT 1 AS "Count"', ["Count"], None),
        ('SELECT true AS "Success" WHERE false', ["Success"], None),
        ("COPY (SELECT 1) TO '{folder}/out.csv' (RETURN_FILES true)", ["Count", "Files"], None),
        ("PRAGMA table_info('t')", ["cid", "name", "type", "notnull", "dflt_value", "pk"], None),
        ("CALL range(3)", ["range"], None),
    ],
)
def test_statement_with_rows(path: Path, sql: str, names: list[str], affected: int | None) -> None:
    session = open_session(path)
    (statement,) = split(sql.format(folder=path.parent), "duckdb")
    outcome = session.execute(statement, {})
    assert isinstance(outcome, Rows)
    assert outcome.schema.names == names
    for _ in outcome.batches:
        pass
    assert outcome.affected() == affected or "COPY" in sql
    session.close()


@pytest.mark.parametrize(
    ("sql", "marked", "scenario"),
    [
        ("SELECT 1 FRM x", "x", "syntax"),
        ("SELECT 'é', nosuch FROM t", "nosuch", "undefined_column"),
        ("SELECT 'é', nosuch(1)", "nosuch", None),
        ("SELECT *\nFROM nowhere", "nowhere", "undefined_table"),
        ("INSERT INTO nowhere VALUES (1)", "nowhere", "undefined_table"),
        ("DROP TABLE nowhere", "nowhere", "undefined_table"),
        ("SELECT 'é' AS a, 'x'::INTEGER", "::INTEGER", None),
        ("SELECT i::VARCHAR || 'x', ('x' || i)::INTEGER FROM range(3) r(i)", "::INTEGER", None),
    ],
)
def test_error_points_at_its_place_without_an_excerpt(path: Path, sql: str, marked: str, scenario: str | None) -> None:
    session = open_session(path)
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert caught.value.position is not None
    assert sql[caught.value.position :].startswith(marked)
    assert caught.value.scenario == scenario
    assert "LINE" not in str(caught.value)
    assert "{" not in caught.value.message
    session.close()


def test_drivers_own_settings_stay(path: Path) -> None:
    session = open_session(path)
    for sql in (
        "SET errors_as_json = false",
        "RESET arrow_large_buffer_size",
        "PRAGMA arrow_lossless_conversion=false",
    ):
        with pytest.raises(UsageError):
            run(session, sql)
    session.close()


def test_memory_limit_is_an_error_and_not_the_end(tmp_path: Path) -> None:
    session = open_session(tmp_path / "a.duckdb", memory_limit="50MB", temp_limit="1MB", threads=1)
    with pytest.raises(QueryError) as caught:
        run(session, "SELECT len(list(repeat('x', 1000) || i)) FROM range(1000000) t(i)")
    assert caught.value.scenario == "memory_limit"
    assert run(session, "SELECT 1") == [(1,)]
    session.close()


def test_tree_and_description(path: Path) -> None:
    session = open_session(path)
    run(
        session,
        "CREATE SCHEMA s; CREATE TABLE s.t (a INTEGER PRIMARY KEY, b VARCHAR NOT NULL DEFAULT 'x', c DECIMAL(5, 2));"
        "CREATE INDEX by_b ON s.t (b, c); CREATE VIEW s.v AS SELECT 1 AS one; COMMENT ON TABLE s.t IS 'words';"
        "COMMENT ON COLUMN s.t.b IS 'about b'; CREATE TEMP TABLE mine (z DATE)",
    )
    assert [(node.name, node.kind) for node in session.tree([])] == [("lake", "catalog"), ("temp", "catalog")]
    assert [node.name for node in session.tree(["lake"])] == ["main", "s"]
    assert [(node.name, node.kind) for node in session.tree(["lake", "s"])] == [("t", "table"), ("v", "view")]
    columns = session.tree(["lake", "s", "t"])
    assert [(c.name, c.type, c.nullable, c.primary_key) for c in columns] == [
        ("a", "INTEGER", False, True),
        ("b", "VARCHAR", False, False),
        ("c", "DECIMAL(5,2)", True, False),
    ]
    found = session.describe(["s", "t"])
    assert found.comment == "words"
    assert (found.columns[1].default, found.columns[1].comment) == ("'x'", "about b")
    assert [(index.columns, index.unique) for index in found.indexes] == [(("a",), True), (("b", "c"), False)]
    assert session.describe(["mine"]).columns[0].type == "DATE"
    assert session.describe(["lake", "s", "v"]).kind == "view"
    session.close()


def test_table_missing_in_a_file_just_created_hints_at_the_path(tmp_path: Path) -> None:
    session = open_session(tmp_path / "typo.duckdb")
    with pytest.raises(QueryError) as caught:
        run(session, "SELECT * FROM orders")
    assert str(tmp_path / "typo.duckdb") in (caught.value.hint or "")
    session.close()


@pytest.mark.parametrize("name", ["select", "limit", "ünïcödé", "a1", "_x"])
def test_parameter_of_any_name_is_bound(path: Path, name: str) -> None:
    session = open_session(path)
    outcome = session.execute(split(f"SELECT :{name} AS v", "duckdb")[0], {name: 5})
    assert isinstance(outcome, Rows)
    assert [batch.to_pylist() for batch in outcome.batches] == [[{"v": 5}]]
    session.close()


def test_read_only_session_survives_repeated_interrupts(path: Path) -> None:
    session = open_session(path, read_only=True)
    for _ in range(3):
        stop = threading.Event()

        def insist(stop: threading.Event = stop) -> None:
            while not stop.is_set():
                session.interrupt()

        thread = threading.Thread(target=insist)
        thread.start()
        with pytest.raises(Cancelled):
            run(session, "SELECT count(*) FROM range(100000) x, range(100000) y WHERE (x.range + y.range) % 7 = 3")
        stop.set()
        thread.join()
        assert session.transaction is Transaction.IDLE
        assert run(session, "SELECT count(*) FROM t") == [(0,)]
    session.close()


def test_a_file_that_is_replaced_is_let_go_of_when_the_upload_into_it_has_ended(path: Path) -> None:
    duckdb.connect(str(path.with_suffix(".new"))).close()
    schema = pa.schema([("a", pa.int64())])

    def rows() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"a": [1]})
        path.with_suffix(".new").replace(path)
        with pytest.raises(ConnectError, match="was replaced or removed while"):
            open_session(path)
        yield pa.record_batch({"a": [2]})

    session = open_session(path)
    assert session.upload(["up"], pa.RecordBatchReader.from_batches(schema, rows()), append=False) == 2
    fresh = open_session(path)
    assert run(fresh, "SELECT count(*) FROM duckdb_tables()") == [(0,)]
    fresh.close()
    session.close()
