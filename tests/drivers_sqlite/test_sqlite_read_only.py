"""A read-only session changes nothing: no table, no file beside the database, no mode of the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter.driverkit.session import Rows, Settings, Transaction
from tusk_jupyter.errors import QueryError, TuskError
from tusk_jupyter.sqltext.statements import split


def run(session: SQLiteSession, sql: str) -> list[tuple[object, ...]]:
    """Run statements; return the rows of the last one."""
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, "sqlite"):
        outcome = session.execute(statement, {})
        rows = []
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with two tables, a view and a trigger, in a folder of its own."""
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.executescript(
        "CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
        "CREATE TABLE log (x); CREATE VIEW v AS SELECT * FROM t;"
        "CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN INSERT INTO log VALUES (1); END;"
    )
    connection.close()
    return tmp_path


@pytest.fixture(params=["as opened", "as set"])
def session(request: pytest.FixtureRequest, folder: Path) -> Iterator[SQLiteSession]:
    settings = Settings(config={"path": str(folder / "shop.db")}, read_only=request.param == "as opened")
    opened = SQLiteSession.connect(settings)
    run(opened, "SELECT 1")
    opened.set_read_only(True)
    yield opened
    opened.close()


ATTEMPTS = (
    "INSERT INTO t VALUES (9, 'x')",
    "/* SELECT */ INSERT INTO t VALUES (9, 'x')",
    "-- SELECT\nDELETE FROM t",
    "INSERT INTO t VALUES (9, 'x') RETURNING i",
    "WITH x AS (SELECT 9) INSERT INTO t SELECT *, 'x' FROM x",
    "WITH x AS (SELECT 1) DELETE FROM t WHERE i IN x",
    "WITH x AS (SELECT 1) UPDATE t SET s = 'x' WHERE i IN x RETURNING *",
    "REPLACE INTO t VALUES (1, 'x')",
    "INSERT INTO v VALUES (9, 'x')",
    "UPDATE t SET s = 'x'",
    "DELETE FROM t",
    "DROP TABLE t",
    "DROP VIEW v",
    "ALTER TABLE t ADD COLUMN z",
    "ALTER TABLE t RENAME TO u",
    "CREATE TABLE n (a)",
    "CREATE TEMP TABLE n (a)",
    "CREATE VIEW w AS SELECT 1",
    "CREATE INDEX ix ON t (s)",
    "CREATE TRIGGER trr AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "CREATE VIRTUAL TABLE f USING fts5(a)",
    "ATTACH '{folder}/out.db' AS o",
    "ATTACH ':memory:' AS o",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO '{folder}/out.db'",
    "REINDEX",
    "ANALYZE",
    "EXPLAIN INSERT INTO t VALUES (9, 'x')",
    "PRAGMA query_only = 0; DELETE FROM t",
    "PRAGMA query_only(0)",
    "PRAGMA main.query_only = off",
    "PRAGMA journal_mode = wal",
    "PRAGMA journal_mode(delete)",
    "PRAGMA wal_checkpoint(truncate)",
    "PRAGMA wal_checkpoint",
    "PRAGMA optimize",
    "PRAGMA incremental_vacuum",
    "PRAGMA shrink_memory",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "PRAGMA schema_version = 7",
    "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = 'x'",
    "PRAGMA writable_schema = reset",
    "PRAGMA foreign_keys = 1",
    "PRAGMA locking_mode = exclusive",
    "PRAGMA temp_store_directory = '{folder}'",
    "UPDATE sqlite_master SET sql = 'x'",
    "SELECT load_extension('x')",
    "SELECT writefile('{folder}/out', 'x')",
    "SELECT fts3_tokenizer('simple')",
    "BEGIN IMMEDIATE",
    "BEGIN EXCLUSIVE",
    "BEGIN; DELETE FROM t; COMMIT",
    "SAVEPOINT s; DELETE FROM t; RELEASE s",
)


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_attempt_to_write_is_refused_and_changes_nothing(session: SQLiteSession, folder: Path, sql: str) -> None:
    #
    before = (folder / "shop.db").read_bytes()
    with pytest.raises(TuskError) as caught:
        run(session, sql.format(folder=folder))
    assert isinstance(caught.value, QueryError)
    in_any_session = ("no such function", "never loads extensions")
    assert caught.value.scenario == "read_only" or any(words in caught.value.message for words in in_any_session)
    if session.transaction is not Transaction.IDLE:
        run(session, "ROLLBACK")
    assert run(session, "SELECT group_concat(s) FROM t") == [("a,b",)]
    assert (folder / "shop.db").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"shop.db"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM t",
        "SELECT * FROM v",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT max(i) FROM n",
        "VALUES (1)",
        "EXPLAIN QUERY PLAN SELECT * FROM t",
        "PRAGMA table_info(t)",
        "PRAGMA main.table_xinfo(t)",
        "PRAGMA integrity_check",
        "PRAGMA journal_mode",
        "PRAGMA user_version",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT value FROM json_each('[1,2]')",
        "SELECT upper(s), date('now') FROM t",
        "BEGIN; SELECT 1; COMMIT; SELECT 1",
        "SAVEPOINT s; SELECT 1; RELEASE s; SELECT 1",
    ],
)
def test_reading_is_allowed(session: SQLiteSession, sql: str) -> None:
    assert run(session, sql)


def test_writing_works_again_when_allowed_again(session: SQLiteSession) -> None:
    session.set_read_only(False)
    run(session, "INSERT INTO t VALUES (9, 'x')")
    session.set_read_only(True)
    with pytest.raises(QueryError):
        run(session, "INSERT INTO t VALUES (10, 'x')")
    assert run(session, "SELECT count(*) FROM t") == [(3,)]


def test_attached_database_is_read_only_too(folder: Path) -> None:
    #
    session = SQLiteSession.connect(Settings(config={"path": str(folder / "shop.db")}))
    run(session, f"ATTACH '{folder}/other.db' AS o; CREATE TABLE o.n (a); CREATE TEMP TABLE mine (a)")
    session.set_read_only(True)
    for sql in ("INSERT INTO o.n VALUES (1)", "INSERT INTO mine VALUES (1)", "DROP TABLE o.n"):
        with pytest.raises(QueryError):
            run(session, sql)
    assert run(session, "SELECT count(*) FROM o.n") == [(0,)]
    session.close()


def test_read_only_session_on_a_wal_file_reads_what_is_in_the_wal(folder: Path) -> None:
    writer = SQLiteSession.connect(Settings(config={"path": str(folder / "shop.db")}))
    run(writer, "PRAGMA journal_mode = wal; INSERT INTO t VALUES (3, 'c')")
    reader = SQLiteSession.connect(Settings(config={"path": str(folder / "shop.db")}, read_only=True))
    assert run(reader, "SELECT count(*) FROM t") == [(3,)]
    reader.close()
    writer.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_extensions_are_off_for_another_reason_than_reading(session: SQLiteSession, read_only: bool) -> None:
    session.set_read_only(read_only)
    sql = "SELECT i, load_extension('mod_spatialite') FROM t"
    with pytest.raises(QueryError, match="never loads extensions into SQLite") as caught:
        run(session, sql)
    assert caught.value.scenario is None
    assert "read-only" not in caught.value.message + (caught.value.hint or "")
    assert caught.value.position == sql.index("load_extension")
