"""Some 280 attempts to change something from a read-only session: none has an effect, wherever one could be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from services.attempts import disguised, looked_at, on_disk, run

from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter.driverkit.session import Settings, Transaction
from tusk_jupyter.errors import TuskError

WRITES = """
INSERT INTO t VALUES (9, 'x')
INSERT OR REPLACE INTO t VALUES (1, 'x')
INSERT OR IGNORE INTO t VALUES (9, 'x')
INSERT INTO t VALUES (1, 'x') ON CONFLICT DO UPDATE SET s = 'x'
INSERT INTO t DEFAULT VALUES
INSERT INTO t VALUES (9, 'x') RETURNING i
INSERT INTO v VALUES (9, 'x')
INSERT INTO f(f) VALUES ('optimize')
INSERT INTO f VALUES ('words')
REPLACE INTO t VALUES (1, 'x')
UPDATE t SET s = 'x'
UPDATE t SET s = 'x' RETURNING *
UPDATE OR IGNORE t SET i = 5
UPDATE sqlite_master SET sql = 'x'
UPDATE sqlite_sequence SET seq = 99
DELETE FROM t
DELETE FROM t RETURNING *
DELETE FROM sqlite_sequence
WITH x AS (SELECT 9) INSERT INTO t SELECT *, 'x' FROM x
WITH x AS (SELECT 1) UPDATE t SET s = 'x' WHERE i IN x RETURNING *
WITH x AS (SELECT 1) DELETE FROM t WHERE i IN x
CREATE TABLE n (a)
CREATE TABLE n AS SELECT * FROM t
CREATE TABLE IF NOT EXISTS n (a) STRICT
CREATE TEMP TABLE n (a)
CREATE TEMPORARY TABLE t AS SELECT 7 AS i
CREATE VIEW w AS SELECT 1
CREATE TEMP VIEW t AS SELECT 7 AS i
CREATE INDEX ix ON t (s)
CREATE UNIQUE INDEX ix ON t (s)
CREATE TRIGGER tr2 AFTER INSERT ON t BEGIN DELETE FROM t; END
CREATE TEMP TRIGGER tr2 AFTER INSERT ON t BEGIN DELETE FROM t; END
CREATE VIRTUAL TABLE g USING fts5(a)
CREATE VIRTUAL TABLE temp.g USING fts5(a)
CREATE VIRTUAL TABLE g USING rtree(id, a, b)
DROP TABLE t
DROP TABLE IF EXISTS t
DROP TABLE f
DROP VIEW v
DROP TRIGGER tr
DROP INDEX by_s
ALTER TABLE t ADD COLUMN z
ALTER TABLE t RENAME TO u
ALTER TABLE t RENAME COLUMN s TO z
ALTER TABLE t DROP COLUMN s
ATTACH 'o.db' AS o
ATTACH '{folder}/o.db' AS o
ATTACH 'file:{folder}/o.db?mode=rwc' AS o
ATTACH DATABASE ':memory:' AS o
ATTACH '' AS o
DETACH main
VACUUM
VACUUM main
VACUUM INTO 'c.db'
VACUUM INTO '{folder}/c.db'
VACUUM main INTO 'file:c.db'
REINDEX
REINDEX t
ANALYZE
ANALYZE t
PRAGMA user_version = 7
PRAGMA user_version(7)
PRAGMA main.application_id = 7
PRAGMA schema_version = 7
PRAGMA journal_mode = wal
PRAGMA journal_mode(off)
PRAGMA main.journal_mode = truncate
PRAGMA wal_checkpoint
PRAGMA wal_checkpoint(truncate)
PRAGMA optimize
PRAGMA optimize(0xfffe)
PRAGMA incremental_vacuum
PRAGMA auto_vacuum = full
PRAGMA page_size = 8192
PRAGMA encoding = 'UTF-16'
PRAGMA query_only = 0
PRAGMA query_only(off)
PRAGMA main.query_only = no
PRAGMA writable_schema = 1
PRAGMA writable_schema = reset
PRAGMA foreign_keys = 1
PRAGMA defer_foreign_keys = 1
PRAGMA locking_mode = exclusive
PRAGMA synchronous = off
PRAGMA temp_store_directory = '{folder}'
PRAGMA data_store_directory = '{folder}'
PRAGMA temp_store = 1
PRAGMA shrink_memory
PRAGMA legacy_alter_table = 1
PRAGMA trusted_schema = 0
PRAGMA max_page_count = 1
PRAGMA mmap_size = 0
SELECT load_extension('{folder}/x')
SELECT load_extension('x', 'init')
SELECT writefile('{folder}/out', 'x')
SELECT edit('x')
SELECT fts3_tokenizer('simple')
SELECT * FROM pragma_user_version(7)
SELECT * FROM pragma_journal_mode('wal')
SELECT * FROM pragma_wal_checkpoint('truncate')
SELECT * FROM pragma_optimize
SELECT * FROM pragma_query_only(0)
BEGIN IMMEDIATE
BEGIN EXCLUSIVE
""".strip().splitlines()

DISGUISES = (
    "{}",
    "/* SELECT */ {}",
    "-- SELECT 1\n{}",
    "BEGIN; {}; COMMIT",
    "SAVEPOINT s; {}; RELEASE s",
    "PRAGMA query_only = 0; {}",
    "SELECT '--'; {}",
    'SELECT "/*"; {} ; -- */',
    "EXPLAIN SELECT 1; {}",
)
HARMLESS = ("pragma_",)
"""What runs, and changes nothing because SQLite itself takes no argument there."""


def statements(folder: Path) -> list[str]:
    """All attempts, about that folder."""
    return disguised([sql.format(folder=folder) for sql in WRITES], DISGUISES)


def inside(session: SQLiteSession) -> list[object]:
    """What a statement could change in the session: data, schema, attached databases, modes."""
    shown = ("user_version", "application_id", "journal_mode", "foreign_keys", "synchronous", "max_page_count", "encoding",
             "temp_store", "auto_vacuum", "mmap_size")  # fmt: skip
    return [
        looked_at(session, sql)
        for sql in (
            "SELECT group_concat(i || s) FROM main.t",
            "SELECT group_concat(name) FROM sqlite_master",
            "SELECT group_concat(name) FROM sqlite_temp_master",
            "SELECT count(*) FROM log",
            "SELECT seq FROM sqlite_sequence",
            "PRAGMA database_list",
            *(f"PRAGMA {name}" for name in shown),
        )
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A database beside other files; home and notebook are folders of their own."""
    for name in ("home", "notebook", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "notebook")
    connection = sqlite3.connect(tmp_path / "data" / "shop.db")
    connection.executescript(
        "CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
        "CREATE INDEX by_s ON t (s); CREATE TABLE a (i INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (1);"
        "CREATE TABLE log (x); CREATE VIEW v AS SELECT * FROM t; CREATE VIRTUAL TABLE f USING fts5(w);"
        "CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN INSERT INTO log VALUES (1); END;"
    )
    connection.close()
    yield tmp_path / "data"


@pytest.mark.parametrize("how", ["as opened", "as set"])
def test_no_attempt_has_an_effect(folder: Path, tmp_path: Path, how: str) -> None:
    attempts = statements(folder)
    assert len(attempts) >= 250
    config = {"path": str(folder / "shop.db")}
    session = SQLiteSession.connect(Settings(config=config, read_only=how == "as opened"))
    run(session, "SELECT 1")
    session.set_read_only(True)
    before = inside(session), on_disk(tmp_path)
    ran = []
    for sql in attempts:
        try:
            run(session, sql)
        except TuskError:
            pass
        else:
            ran.append(sql)
        if session.transaction is not Transaction.IDLE:
            run(session, "ROLLBACK")
        if (inside(session), on_disk(tmp_path)) != before:
            pytest.fail(f"had an effect: {sql}")
    session.close()
    assert on_disk(tmp_path) == before[1]
    assert [sql for sql in ran if not any(mark in sql for mark in HARMLESS)] == []


def test_the_attempts_have_teeth(folder: Path, tmp_path: Path) -> None:
    """Most of them do change something where that is allowed; the rest name what is not there, or do it in silence."""
    effective = 0
    for number, sql in enumerate(WRITES):
        copy = tmp_path / f"copy{number}.db"
        copy.write_bytes((folder / "shop.db").read_bytes())
        session = SQLiteSession.connect(Settings(config={"path": str(copy)}))
        before = inside(session), on_disk(tmp_path)
        try:
            run(session, sql.format(folder=folder))
        except TuskError:
            session.close()
            continue
        effective += inside(session) != before[0] or on_disk(tmp_path) != before[1]
        session.close()
    assert effective >= len(WRITES) / 2
