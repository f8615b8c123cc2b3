"""A read-only session changes nothing, whatever is tried: the server refuses, and the guard takes what it lets through."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.sqltext.statements import split

ATTEMPTS = [
    "INSERT INTO kept VALUES (2)",
    "REPLACE INTO kept VALUES (2)",
    "INSERT INTO kept VALUES (2) RETURNING n",
    "UPDATE kept SET n = 9",
    "DELETE FROM kept",
    "TRUNCATE TABLE kept",
    "DROP TABLE kept",
    "ALTER TABLE kept ADD COLUMN more INT",
    "RENAME TABLE kept TO lost",
    "CREATE TABLE fresh (n INT)",
    "CREATE TABLE fresh AS SELECT 1 AS n",
    "CREATE OR REPLACE VIEW seen AS SELECT 1 AS n",
    "CREATE INDEX i ON kept (n)",
    "CREATE DATABASE fresh_database",
    "CREATE TEMPORARY TABLE scratch (n INT)",
    "CREATE OR REPLACE PROCEDURE fresh() DELETE FROM kept",
    "CREATE USER fresh_user",
    "GRANT SELECT ON tusk.* TO tusk",
    "CALL write_plainly()",
    "CALL write_after_switching()",
    "CALL write_in_own_transaction()",
    "SELECT write_in_function()",
    "DO write_in_function()",
    "SELECT switch_in_function()",
    "SET STATEMENT tx_read_only = 0 FOR INSERT INTO kept VALUES (2)",
    "EXECUTE IMMEDIATE 'INSERT INTO kept VALUES (2)'",
    "PREPARE p FROM 'INSERT INTO kept VALUES (2)'",
    "BEGIN NOT ATOMIC SET SESSION tx_read_only = 0; INSERT INTO kept VALUES (2); END",
    "START TRANSACTION READ WRITE",
    "START TRANSACTION /*!50000 READ WRITE */",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE",
    "XA START 'x'",
    "LOAD DATA INFILE '/etc/hostname' INTO TABLE kept",
    "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE kept",
    "SELECT 1 INTO OUTFILE '/tmp/tusk_read_only_test'",
    "SELECT 1 INTO /* x */ OUTFILE '/tmp/tusk_read_only_test'",
    "SELECT 1 /*!50000 INTO OUTFILE '/tmp/tusk_read_only_test' */",
    "SELECT /* ' */ 1 INTO OUTFILE '/tmp/tusk_read_only_test' /* ' */",
    "SELECT '\\' INTO OUTFILE '/tmp/tusk_read_only_test' -- '",
    "SELECT 1 INTO DUMPFILE '/tmp/tusk_read_only_test'",
    "LOCK TABLES kept WRITE",
    "FLUSH TABLES",
    "ANALYZE TABLE kept",
    "OPTIMIZE TABLE kept",
    "ANALYZE UPDATE kept SET n = 9",
    "SET GLOBAL max_connections = 151",
    "SET @@global.max_connections = 151",
    "SET PASSWORD = PASSWORD('other')",
    "SELECT NEXT VALUE FOR counter",
    "SELECT NEXTVAL(counter)",
    "SELECT SETVAL(counter, 100)",
    "KILL 1",
    "SHUTDOWN",
    "INSTALL SONAME 'x'",
    "/*!50000 DELETE FROM kept */",
    "/*M! SET STATEMENT tx_read_only = 0 FOR */ SELECT write_in_function()",
    "/*M!100000 DELETE FROM kept */",
]
SWITCHES = [
    "SET SESSION tx_read_only = 0",
    "SET tx_read_only = OFF",
    "SET @@session.tx_read_only = 0",
    "SET SESSION TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE",
    "SET autocommit = 0",
    "START TRANSACTION",
    "BEGIN",
    "COMMIT AND CHAIN",
]
READS = [
    "SELECT n FROM kept",
    "WITH q AS (SELECT n FROM kept) SELECT * FROM q",
    "(SELECT n FROM kept)",
    "SHOW TABLES",
    "EXPLAIN SELECT n FROM kept",
    "ANALYZE SELECT n FROM kept",
    "DESCRIBE kept",
    "SELECT 'DELETE FROM kept' AS s",
    "SELECT n INTO @found FROM kept",
    "SET @x = 1",
    "SET NAMES utf8mb4",
    "USE tusk",
    "VALUES (1)",
    "CHECKSUM TABLE kept",
]
LOCKS = [
    "START TRANSACTION; SELECT n FROM kept LOCK IN SHARE MODE",
    "START TRANSACTION READ ONLY; SELECT n FROM kept LOCK /* x */ IN SHARE\nMODE NOWAIT",
    "START TRANSACTION; SELECT n FROM kept LOCK /*!99999 x */ IN SHARE MODE",
    "START TRANSACTION; SELECT * FROM (SELECT n FROM kept LOCK IN SHARE MODE) q",
    "SET autocommit = 0; SET @x = (SELECT n FROM kept LOCK IN SHARE MODE)",
    "START TRANSACTION; SELECT n FROM kept FOR UPDATE",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION; SELECT n FROM kept",
    "SET @x = 1, `tx_isolation` = 'SERIALIZABLE'; START TRANSACTION; SELECT n FROM kept",
    "SET @@session.tx_isolation := 3; START TRANSACTION READ ONLY; SELECT n FROM kept",
    "SET tx_isolation = CONCAT('SERIAL', 'IZABLE'); START TRANSACTION; SELECT n FROM kept",
    "SET sql_mode = 'MSSQL'; SET [tx_isolation] = 3; START TRANSACTION; SELECT n FROM kept",
]


@pytest.fixture
def everything(admin):
    """A table and what would write to it, and the client that made them."""
    for sql in (
        "DROP TABLE IF EXISTS kept, fresh, lost",
        "CREATE TABLE kept (n INT) ENGINE=InnoDB",
        "INSERT INTO kept VALUES (1)",
        "CREATE OR REPLACE PROCEDURE write_plainly() INSERT INTO kept VALUES (2)",
        "CREATE OR REPLACE PROCEDURE write_after_switching() BEGIN SET SESSION tx_read_only = 0; "
        "INSERT INTO kept VALUES (2); END",
        "CREATE OR REPLACE PROCEDURE write_in_own_transaction() BEGIN COMMIT; START TRANSACTION READ WRITE; "
        "INSERT INTO kept VALUES (2); COMMIT; END",
        "CREATE OR REPLACE FUNCTION write_in_function() RETURNS INT BEGIN INSERT INTO kept VALUES (2); RETURN 1; END",
        "CREATE OR REPLACE FUNCTION switch_in_function() RETURNS INT BEGIN SET SESSION tx_read_only = 0; "
        "INSERT INTO kept VALUES (2); RETURN 1; END",
        "CREATE OR REPLACE SEQUENCE counter",
    ):
        admin.run(sql)
    return admin


def _state(client):
    return (
        client.values("SELECT n FROM tusk.kept ORDER BY n"),
        client.values("SHOW TABLES FROM tusk"),
        client.values("SELECT NEXT_NOT_CACHED_VALUE FROM counter".lower()),
        client.values("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_NAME = 'kept'"),
        client.values("SELECT user FROM mysql.user ORDER BY 1"),
        client.value("SELECT @@global.max_connections"),
        client.values("SELECT ROUTINE_NAME FROM information_schema.ROUTINES ORDER BY 1"),
    )


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_attempt_is_refused_and_changes_nothing(everything, connect, admin_settings, sql):  # R-21, TK-11
    before = _state(everything)
    reader = connect(admin_settings, read_only=True)
    reader.run("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
    with pytest.raises(QueryError) as caught:
        outcome = reader.run(sql)
        list(getattr(outcome, "batches", ()))
    assert caught.value.scenario == "read_only", caught.value
    assert _state(everything) == before
    assert reader.value("SELECT 1") == 1


@pytest.mark.parametrize("sql", SWITCHES)
def test_switching_the_mode_off_opens_no_way_to_write(everything, connect, admin_settings, sql):
    reader = connect(admin_settings, read_only=True)
    try:
        reader.run(sql)
    except QueryError as exc:
        assert exc.scenario == "read_only"
    with pytest.raises(QueryError) as caught:
        reader.run("INSERT INTO kept VALUES (2)")
    assert caught.value.scenario == "read_only"
    reader.run("ROLLBACK")
    assert everything.values("SELECT n FROM kept") == [1]


@pytest.mark.parametrize("sql", LOCKS)
def test_no_other_waits_for_a_row_that_was_read(everything, connect, admin_settings, sql):
    """Others do wait where the session may write: without that, this would prove nothing."""
    everything.run("SET innodb_lock_wait_timeout = 0")

    def others_wait(*, read_only: bool) -> bool:
        client = connect(admin_settings, read_only=read_only)
        for statement in split(sql, "mysql"):
            with suppress(QueryError):
                list(getattr(client.session.execute(statement, {}), "batches", ()))
        try:
            everything.run("UPDATE kept SET n = 1")
        except QueryError as exc:
            return exc.code == "1205"
        return False

    assert not others_wait(read_only=True)
    assert others_wait(read_only=False)


def test_a_row_lock_of_mysql_8_is_refused(everything, connect, admin_settings):
    with pytest.raises(QueryError, match="FOR SHARE locks rows"):
        connect(admin_settings, read_only=True).run("SELECT n FROM kept FOR SHARE OF kept SKIP LOCKED")


@pytest.mark.parametrize("sql", READS)
def test_reading_is_taken(everything, connect, admin_settings, sql):
    reader = connect(admin_settings, read_only=True)
    list(getattr(reader.run(sql), "batches", ()))
    assert reader.session.transaction is Transaction.IDLE


def test_read_only_transaction_may_be_opened(everything, connect, admin_settings):
    reader = connect(admin_settings, read_only=True)
    reader.run("START TRANSACTION READ ONLY")
    assert reader.values("SELECT n FROM kept") == [1]
    assert reader.session.transaction is Transaction.OPEN
    reader.run("COMMIT")
    assert reader.session.transaction is Transaction.IDLE


def test_writing_transaction_that_the_words_hid_is_rolled_back(everything, connect, admin_settings, monkeypatch):
    """The server's flags are the second line behind the words."""
    reader = connect(admin_settings, read_only=True)
    monkeypatch.setattr("tusk_drivers.mysql.readonly.check", lambda statement, status: None)
    reader.run("START TRANSACTION READ WRITE")
    with pytest.raises(QueryError, match="rolled back"):
        reader.run("INSERT INTO kept VALUES (2)")
    assert everything.values("SELECT n FROM kept") == [1]


def test_mode_is_not_changed_inside_a_transaction(client):
    client.run("START TRANSACTION")
    with pytest.raises(UsageError):
        client.session.set_read_only(True)
    client.run("ROLLBACK")
    client.session.set_read_only(True)
    with pytest.raises(QueryError):
        client.run("CREATE TABLE fresh (n INT)")
    client.session.set_read_only(False)
    client.run("CREATE TEMPORARY TABLE scratch (n INT)")


def test_upload_into_a_read_only_session_is_refused(connect):
    import pyarrow as pa

    reader = connect(read_only=True)
    with pytest.raises(QueryError) as caught:
        reader.session.upload(["fresh"], pa.table({"a": [1]}).to_reader(), append=False)
    assert caught.value.scenario == "read_only"
