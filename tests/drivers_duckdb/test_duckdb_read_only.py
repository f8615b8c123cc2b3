"""A read-only session changes nothing: no table, no file, no setting that other sessions share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.driverkit.session import Rows, Settings, Transaction
from tusk_jupyter.errors import QueryError
from tusk_jupyter.sqltext.statements import split


def run(session: DuckDBSession, sql: str) -> list[tuple[object, ...]]:
    """Run statements; return the rows of the last one."""
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, "duckdb"):
        outcome = session.execute(statement, {})
        rows = []
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with a table, and a file beside it that could be read or overwritten."""
    connection = duckdb.connect(str(tmp_path / "lake.duckdb"))
    connection.execute("CREATE TABLE t AS SELECT i, 'row ' || i AS s FROM range(10) x(i)")
    connection.execute("CREATE SEQUENCE sq")
    connection.execute("CREATE VIEW v AS SELECT * FROM t")
    connection.close()
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[DuckDBSession]:
    """A session that was opened for writing and is read-only now."""
    opened = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}))
    run(opened, "SELECT 1")
    opened.set_read_only(True)
    yield opened
    opened.close()


ATTEMPTS = (
    "INSERT INTO t VALUES (99, 'x')",
    "/* SELECT */ INSERT INTO t VALUES (99, 'x')",
    "-- SELECT\nDELETE FROM t",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT 99, 'x' FROM x",
    "INSERT INTO t VALUES (99, 'x') RETURNING i",
    "UPDATE t SET s = 'x'",
    "TRUNCATE t",
    "MERGE INTO t USING (SELECT 1 AS i) n ON t.i = n.i WHEN MATCHED THEN DELETE",
    "DROP TABLE t",
    "DROP VIEW v",
    "ALTER TABLE t ADD COLUMN z INTEGER",
    "CREATE TABLE n (a INTEGER)",
    "CREATE OR REPLACE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE n AS SELECT 1",
    "CREATE OR REPLACE MACRO m() AS 1",
    "CREATE SCHEMA sc",
    "CREATE TYPE mood AS ENUM ('a')",
    "CREATE SECRET s (TYPE http)",
    "CREATE PERSISTENT SECRET s (TYPE http)",
    "COMMENT ON TABLE t IS 'x'",
    "SELECT nextval('sq')",
    "SELECT setval('sq', 100)",
    "COPY t TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "COPY t FROM '{folder}/data.csv'",
    "EXPLAIN ANALYZE COPY t TO '{folder}/out.csv'",
    "EXPLAIN (ANALYZE, FORMAT json) COPY t TO '{folder}/out.csv'",
    "EXPLAIN (ANALYZE) (SELECT nextval('sq')) UNION (SELECT 2)",
    "EXPLAIN /* x */ ANALYZE /* y */ INSERT INTO t VALUES (99, 'x')",
    "PREPARE p AS COPY t TO '{folder}/out.csv'; EXECUTE p",
    "PREPARE p AS INSERT INTO t VALUES (99, 'x'); EXECUTE p",
    "PREPARE p AS COPY t TO '{folder}/out.csv'; EXPLAIN ANALYZE EXECUTE p",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.duckdb' AS o",
    "ATTACH ':memory:' AS o; CREATE TABLE o.n (a INTEGER)",
    "DETACH lake",
    "COPY FROM DATABASE lake TO lake",
    "INSTALL httpfs",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "SELECT * FROM checkpoint()",
    'SELECT * FROM "checkpoint" ()',
    "SELECT * FROM system.main.force_checkpoint()",
    "VACUUM",
    "ANALYZE",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{folder}/out'}})",
    "SELECT * FROM enable_logging(storage = 'file', storage_config = {{'path': '{folder}/out'}})",
    "SELECT * FROM query('SELECT * FROM checkpoint()')",
    "SELECT write_log('x')",
    "SET memory_limit = '1GB'",
    "SET GLOBAL threads = 1",
    "RESET threads",
    "PRAGMA threads = 1",
    "PRAGMA enable_profiling",
    "PRAGMA enable_profiling = 'json'",
    "SET profiling_output = '{folder}/out.json'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
    "PRAGMA enable_checkpoint_on_shutdown",
    "PRAGMA force_checkpoint",
    "BEGIN; INSERT INTO t VALUES (99, 'x'); COMMIT",
    "BEGIN TRANSACTION READ WRITE; DELETE FROM t; COMMIT",
    "START TRANSACTION; COPY t TO '{folder}/out.csv'",
    "SELECT 1; COMMIT; DELETE FROM t",
)


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_attempt_to_write_is_refused_and_changes_nothing(session: DuckDBSession, folder: Path, sql: str) -> None:
    #
    names = {path.name for path in folder.iterdir()}
    settings = "SELECT name, value FROM duckdb_settings() WHERE name NOT IN ('profiling_output') ORDER BY name"
    before = run(session, settings)
    with pytest.raises(QueryError) as caught:
        run(session, sql.format(folder=folder))
    if session.transaction is not Transaction.IDLE:
        run(session, "ROLLBACK")
    assert caught.value.scenario == "read_only" or "no transaction is active" in caught.value.message
    assert run(session, "SELECT count(*), min(s), max(s) FROM t") == [(10, "row 0", "row 9")]
    assert run(session, settings) == before
    assert {path.name for path in folder.iterdir()} - {"lake.duckdb.wal"} == names


def test_all_attempts_on_a_connection_that_is_read_only(folder: Path) -> None:
    #
    before = (folder / "lake.duckdb").read_bytes()
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    for sql in ATTEMPTS:
        with pytest.raises(QueryError):
            run(session, sql.format(folder=folder))
        if session.transaction is not Transaction.IDLE:
            run(session, "ROLLBACK")
    session.close()
    assert (folder / "lake.duckdb").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"lake.duckdb", "data.csv"}


def test_statement_prepared_while_writing_was_allowed_is_refused(folder: Path) -> None:
    #
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}))
    run(session, f"PREPARE p AS COPY t TO '{folder}/out.csv'; PREPARE q AS INSERT INTO t VALUES (99, 'x')")
    session.set_read_only(True)
    for sql in ("EXECUTE p", "EXECUTE q", "EXPLAIN ANALYZE EXECUTE q"):
        with pytest.raises(QueryError) as caught:
            run(session, sql)
        assert caught.value.scenario == "read_only"
    assert not (folder / "out.csv").exists()
    session.close()


def test_attached_database_is_read_only_too(folder: Path) -> None:
    #
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}))
    run(session, f"ATTACH '{folder}/other.duckdb' AS o; CREATE TABLE o.n (a INTEGER)")
    session.set_read_only(True)
    with pytest.raises(QueryError):
        run(session, "INSERT INTO o.n VALUES (1)")
    assert run(session, "SELECT count(*) FROM o.n") == [(0,)]
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM t",
        "FROM v LIMIT 1",
        "(SELECT 1)",
        "VALUES (1)",
        "TABLE t",
        "DESCRIBE t",
        "SUMMARIZE t",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "PRAGMA table_info('t')",
        "PRAGMA version",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM t",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN (SELECT 1) INTERSECT (SELECT 2)",
        "EXPLAIN (FORMAT json) (FROM t) UNION ALL (FROM t)",
        "PIVOT t ON s USING sum(i)",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "PREPARE r AS SELECT 1; EXECUTE r",
        "BEGIN; SELECT 1; COMMIT; SELECT 1",
        "SET TimeZone = 'Asia/Tokyo'; SELECT 1",
        "SET VARIABLE x = 1; SELECT getvariable('x')",
        "USE lake; SELECT 1",
        "SELECT * FROM '{folder}/data.csv'",
        "SELECT * FROM duckdb_settings()",
        "WITH query AS (SELECT 1) SELECT * FROM query",
    ],
)
def test_reading_is_allowed(session: DuckDBSession, folder: Path, sql: str) -> None:
    assert run(session, sql.format(folder=folder))
    run(session, "SET TimeZone = 'Etc/UTC'")


def test_file_of_a_read_only_session_keeps_its_bytes(folder: Path) -> None:
    #
    before = (folder / "lake.duckdb").read_bytes()
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    assert run(session, "SELECT count(*) FROM t") == [(10,)]
    session.close()
    assert (folder / "lake.duckdb").read_bytes() == before


def test_a_writer_beside_a_read_only_session_works(folder: Path) -> None:
    config = {"path": str(folder / "lake.duckdb")}
    reader = DuckDBSession.connect(Settings(config=config, read_only=True))
    writer = DuckDBSession.connect(Settings(config=config))
    run(writer, "INSERT INTO t VALUES (99, 'x')")
    assert run(reader, "SELECT count(*) FROM t") == [(11,)]
    reader.close()
    writer.close()


@pytest.mark.parametrize(
    "sql",
    [
        "FROM logs",
        "SELECT * FROM t WHERE i IN (SELECT count(*) FROM logs)",
        "TABLE logs",
        "SUMMARIZE logs",
        "EXPLAIN ANALYZE FROM logs",
        "PIVOT logs ON a USING sum(b)",
        "PIVOT (FROM made()) ON a USING sum(b)",
        "FROM query_table('lo' || 'gs')",
        "FROM made()",
        "FROM any_text('FROM made()')",
        "FROM over",
        "PREPARE p AS FROM logs WHERE a = $1; EXECUTE p(1)",
        "BEGIN; FROM logs",
    ],
)
def test_a_view_or_macro_does_no_more_than_read(tmp_path: Path, sql: str) -> None:
    """The plan shows what the text does not: a log in files that another program's view begins."""
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        begun = f"enable_logging(storage = 'file', storage_config = {{'path': '{tmp_path}/out'}})"
        rows = f"SELECT 1 AS a, 2 AS b FROM (SELECT count(*) FROM {begun})"
        connection.execute(f"CREATE VIEW logs AS {rows}; CREATE VIEW over AS FROM logs")
        connection.execute(f"CREATE MACRO made() AS TABLE {rows}; CREATE MACRO any_text(x) AS TABLE FROM query(x)")
    files = sorted(tmp_path.iterdir())
    session = DuckDBSession.connect(Settings(config={"path": str(tmp_path / "lake.duckdb")}, read_only=True))
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert caught.value.scenario == "read_only"
    if session.transaction is not Transaction.IDLE:
        run(session, "ROLLBACK")
    assert run(session, "SELECT current_setting('enable_logging')::INTEGER") == [(0,)]
    assert sorted(tmp_path.iterdir()) == files
    session.close()


def test_a_temp_table_of_rejects_takes_no_tables_place(folder: Path) -> None:
    """`read_csv` makes it in a read-only transaction too."""
    (folder / "bad.csv").write_text("a,b\n1,2\nx,y,z\n3,4\n")
    rejecting = f"read_csv('{folder}/bad.csv', store_rejects = true, rejects_table = 't')"
    with duckdb.connect(str(folder / "lake.duckdb")) as connection:
        connection.execute(f"CREATE VIEW rejecting AS FROM {rejecting}")
    session = DuckDBSession.connect(Settings(config={"path": str(folder / "lake.duckdb")}, read_only=True))
    for sql in (f"FROM {rejecting}", f"FROM {rejecting.replace(' = ', ' := ')}", f"EXPLAIN ANALYZE FROM {rejecting}"):
        with pytest.raises(QueryError, match="not allowed in a read-only session"):
            run(session, sql)
    for sql in ("FROM rejecting", "BEGIN; FROM rejecting; COMMIT"):
        run(session, sql)
        assert run(session, "SELECT count(*) FROM duckdb_tables() WHERE temporary") == [(0,)]
        assert run(session, "SELECT count(*) FROM t") == [(10,)]
    session.close()


@pytest.mark.parametrize("sql", ["LOAD httpfs", "INSTALL httpfs", "FORCE INSTALL httpfs", "FROM read_csv('s3://a/b')"])
def test_an_extension_is_told_who_loads_it(session: DuckDBSession, sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(session, sql)
    assert "no read-only session installs or loads one" in (caught.value.hint or "")
    assert "Run `INSTALL" not in (caught.value.hint or "")
