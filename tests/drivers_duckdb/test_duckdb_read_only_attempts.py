"""Some 300 attempts to change something from a read-only session: none has an effect, wherever one could be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from services.attempts import disguised, looked_at, on_disk, run

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.driverkit.session import Settings, Transaction
from tusk_jupyter.errors import TuskError

WRITES = """
INSERT INTO t VALUES (99, 'x')
INSERT OR REPLACE INTO k VALUES (1, 'x')
INSERT INTO k VALUES (1, 'x') ON CONFLICT DO UPDATE SET s = 'x'
INSERT INTO t BY NAME SELECT 99 AS i
INSERT INTO t SELECT * FROM t RETURNING i
INSERT INTO v SELECT 1
UPDATE t SET s = 'x'
UPDATE t SET s = 'x' RETURNING *
DELETE FROM t
DELETE FROM t USING t AS u WHERE t.i = u.i
TRUNCATE t
MERGE INTO t USING (SELECT 1 AS i) n ON t.i = n.i WHEN MATCHED THEN DELETE
WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d
WITH d AS (UPDATE t SET s = 'x' RETURNING *) SELECT count(*) FROM d
WITH d AS (INSERT INTO t VALUES (99, 'x') RETURNING i) FROM d
CREATE TABLE n (a INTEGER)
CREATE TABLE n AS FROM t
CREATE OR REPLACE TABLE t AS SELECT 1 AS i
CREATE TEMP TABLE n AS SELECT 1 AS i
CREATE VIEW w AS SELECT 1
CREATE OR REPLACE VIEW v AS SELECT 2 AS a
CREATE INDEX ix ON t (i)
CREATE SEQUENCE q
CREATE MACRO m(a) AS a
CREATE OR REPLACE TEMP MACRO abs(a) AS 1
CREATE SCHEMA sc
CREATE TYPE mood AS ENUM ('a')
CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')
CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')
CREATE OR REPLACE SECRET s IN local_file (TYPE http, BEARER_TOKEN 'x')
DROP TABLE t
DROP TABLE IF EXISTS t CASCADE
DROP VIEW v
DROP SCHEMA s0 CASCADE
DROP SEQUENCE sq
DROP SECRET IF EXISTS s
ALTER TABLE t ADD COLUMN z INTEGER
ALTER TABLE t RENAME TO u
ALTER TABLE t ALTER s DROP NOT NULL
COMMENT ON TABLE t IS 'x'
COMMENT ON COLUMN t.s IS 'x'
SELECT nextval('sq')
SELECT i, nextval('sq') FROM t
SELECT setval('sq', 100)
SELECT "setval"('sq', 100)
COPY t TO '{folder}/out.csv'
COPY t TO 'out.csv'
COPY (SELECT 1) TO 'out.parquet' (FORMAT parquet)
COPY (FROM t) TO 'parts' (FORMAT csv, PARTITION_BY i)
COPY t TO '/dev/stdout'
COPY t FROM '{folder}/data.csv'
COPY FROM DATABASE lake TO memory
EXPORT DATABASE 'out'
EXPORT DATABASE '{folder}/out' (FORMAT parquet)
IMPORT DATABASE '{folder}/out'
ATTACH 'o.duckdb'
ATTACH '{folder}/o.duckdb' AS o (READ_ONLY false)
ATTACH OR REPLACE '{folder}/o.duckdb' AS o
ATTACH IF NOT EXISTS ':memory:' AS o
DETACH lake
INSTALL httpfs
FORCE INSTALL httpfs
INSTALL '{folder}/x.duckdb_extension'
LOAD httpfs
LOAD '{folder}/x.duckdb_extension'
UPDATE EXTENSIONS
CHECKPOINT
FORCE CHECKPOINT
CHECKPOINT lake
CALL checkpoint()
CALL force_checkpoint()
FROM checkpoint()
SELECT * FROM "checkpoint" ()
FROM system.main.force_checkpoint()
FROM query('FROM checkpoint()')
FROM query('SELECT nextval(''sq'')')
VACUUM
VACUUM ANALYZE t
ANALYZE
CALL enable_logging(storage = 'file', storage_config = {{'path': '{folder}/log'}})
FROM enable_logging(storage = 'file', storage_config = {{'path': '{folder}/log'}})
CALL enable_profiling()
SELECT write_log('x')
SELECT u&"write_log"('x')::INTEGER FROM (SELECT 1 AS u)
SET memory_limit = '1GB'
SET GLOBAL threads = 1
SET SESSION log_query_path = '{folder}/q.log'
SET log_query_path = 'q.log'
SET profiling_output = '{folder}/p.json'
SET home_directory = '{folder}'
SET temp_directory = '{folder}/tmp'
SET extension_directories = ['{folder}']
SET secret_directory = '{folder}'
SET file_search_path = '{folder}'
SET enable_external_access = false
SET lock_configuration = true
SET default_collation = 'nocase'
SET GLOBAL default_order = 'desc'
RESET threads
RESET GLOBAL threads
PRAGMA threads = 1
PRAGMA memory_limit = '1GB'
PRAGMA enable_profiling
PRAGMA enable_profiling = 'json'
PRAGMA profiling_output = 'p.json'
PRAGMA disable_optimizer
PRAGMA enable_checkpoint_on_shutdown
PRAGMA disable_checkpoint_on_shutdown
PRAGMA force_checkpoint
PRAGMA import_database('{folder}')
PRAGMA add_parquet_key('k', '0123456789112345')
PRAGMA default_collation = nocase
CALL add_parquet_key('k', '0123456789112345')
""".strip().splitlines()

DISGUISES = (
    "{}",
    "/* SELECT */ {}",
    "-- SELECT 1\n{}",
    "EXPLAIN ANALYZE {}",
    "EXPLAIN (ANALYZE, FORMAT json) {}",
    "BEGIN; {}; COMMIT",
    "BEGIN TRANSACTION READ WRITE; {}; COMMIT",
    "PREPARE p AS {}; EXECUTE p",
    "SELECT '--'; {}",
    "SELECT $$ ; $$; {} ;",
    "SELECT 1; COMMIT; {}",
)


def statements(folder: Path) -> list[str]:
    """All attempts, about that folder."""
    return disguised([sql.format(folder=folder) for sql in WRITES], DISGUISES)


def inside(session: DuckDBSession) -> list[object]:
    """What a statement could change in the process: settings, databases, secrets, extensions, data, variables."""
    return [
        looked_at(session, sql)
        for sql in (
            "SELECT name, value FROM duckdb_settings() ORDER BY ALL",
            "SELECT database_name, path, readonly FROM duckdb_databases() ORDER BY ALL",
            "SELECT name FROM duckdb_secrets()",
            "SELECT extension_name, loaded, installed FROM duckdb_extensions() ORDER BY ALL",
            "SELECT count(*), min(s), max(s) FROM t",
            "SELECT sequence_name, last_value FROM duckdb_sequences()",
            "SELECT table_name, comment FROM duckdb_tables() ORDER BY ALL",
            "SELECT view_name FROM duckdb_views() WHERE NOT internal",
            "SELECT abs(-5)",
        )
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A database beside other files; home and notebook are folders of their own."""
    for name in ("home", "notebook", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "notebook")
    data = tmp_path / "data"
    with duckdb.connect(str(data / "lake.duckdb")) as made:
        made.execute(
            "CREATE TABLE t (i INTEGER, s VARCHAR NOT NULL); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
            "CREATE TABLE k (i INTEGER PRIMARY KEY, s VARCHAR); INSERT INTO k VALUES (1, 'a'); CREATE SCHEMA s0;"
            "CREATE VIEW v AS SELECT 1 AS a; CREATE SEQUENCE sq"
        )
    (data / "data.csv").write_text("i,s\n9,z\n")
    (data / "load.sql").write_text("INSERT INTO t VALUES (7, 'imported');")
    (data / "schema.sql").write_text("CREATE TABLE imported (a INTEGER);")
    yield data


@pytest.mark.parametrize("beside_a_writer", [False, True])
def test_no_attempt_has_an_effect(folder: Path, tmp_path: Path, beside_a_writer: bool) -> None:
    attempts = statements(folder)
    assert len(attempts) >= 250
    config = {"path": str(folder / "lake.duckdb")}
    writer = DuckDBSession.connect(Settings(config=config)) if beside_a_writer else None
    session = DuckDBSession.connect(Settings(config=config, read_only=True))
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
        if [path for path in on_disk(tmp_path) if path not in before[1]] or inside(session) != before[0]:
            pytest.fail(f"had an effect: {sql}")
    assert (inside(session), on_disk(tmp_path)) == before
    session.close()
    if writer is not None:
        writer.close()
    assert on_disk(tmp_path) == before[1]
    assert ran == []


def test_the_attempts_have_teeth(folder: Path, tmp_path: Path) -> None:
    """Most of them do change something where that is allowed; the rest name what is not there, or what the driver forbids."""
    effective = 0
    for number, sql in enumerate(WRITES):
        copy = tmp_path / f"copy{number}.duckdb"
        copy.write_bytes((folder / "lake.duckdb").read_bytes())
        session = DuckDBSession.connect(Settings(config={"path": str(copy), "persistent_secrets": True}))
        before = inside(session), on_disk(tmp_path)
        try:
            run(session, sql.format(folder=folder))
        except TuskError:
            pass
        else:
            effective += inside(session) != before[0] or on_disk(tmp_path) != before[1]
        session.close()
        copy.unlink()
    assert effective >= len(WRITES) / 2
