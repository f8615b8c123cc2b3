"""A transaction that is open before a statement and not behind it, and that its user did not end, is told of."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")

ROLLED_BACK = "All of the open transaction is rolled back; what follows runs outside of it."
NUMBERS = "WITH RECURSIVE c(n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
WRITES = {
    "insert": f"INSERT INTO kept {NUMBERS}",
    "delete": f"DELETE FROM kept WHERE i < ({NUMBERS.replace('SELECT n FROM', 'SELECT max(n) FROM')})",
    "returning": f"INSERT INTO kept {NUMBERS} RETURNING i",
    "create": f"CREATE TABLE more AS {NUMBERS}",
}
"""Statements of SQLite that take minutes, so that they are stopped in the middle."""


def refused(engine, sql, kind=errors.TuskError, **more):
    with pytest.raises(kind) as caught:
        engine.run(sql, **more)
    return caught.value


def last(engine):
    return engine.client.call(control.ReadLog(limit=1, connection=engine.name)).entries[0]


@pytest.fixture
def opened(sqlite_engine):
    """SQLite with a row in an open transaction."""
    sqlite_engine.run("CREATE TABLE kept (i integer PRIMARY KEY)")
    sqlite_engine.run("BEGIN; INSERT INTO kept VALUES (50)")
    return sqlite_engine


def has_ended(engine, told):
    """Assert that the error tells of the end, here and in the log, and that it is true."""
    assert told.message.count(ROLLED_BACK) == 1
    assert ROLLED_BACK in last(engine).error
    engine.run("INSERT INTO kept VALUES (51)")
    refused(engine, "ROLLBACK", errors.QueryError)
    assert engine.run("SELECT i FROM kept").table.column("i").to_pylist() == [51]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_of_sqlite_that_ran_out_of_time_tells_of_its_transaction(opened, write):
    told = refused(opened, WRITES[write], errors.TimeoutExceeded, timeout_s=0.5)
    assert "was stopped" in told.message
    has_ended(opened, told)


@pytest.mark.parametrize("write", ["insert", "returning"])
def test_a_write_of_sqlite_that_was_cancelled_tells_of_its_transaction(opened, write):
    has_ended(opened, opened.cancelled(WRITES[write]))


def test_a_script_of_sqlite_that_was_stopped_tells_of_its_transaction(opened):
    told = refused(opened, f"INSERT INTO kept VALUES (52); {WRITES['insert']}", timeout_s=0.5)
    assert "Statement 2 of 2 was stopped; 1 was run before it. All of" in told.message
    has_ended(opened, told)


def test_an_upload_into_sqlite_that_was_stopped_tells_of_its_transaction(opened):
    opened.run("CREATE TABLE t (n integer); CREATE TABLE taken (i integer); INSERT INTO t " + NUMBERS + " LIMIT 1000")
    joined = "SELECT count(*) FROM t a, t b, t c, t d"
    opened.run(f"CREATE TRIGGER dawdles AFTER INSERT ON taken BEGIN UPDATE kept SET i = i + ({joined}); END")
    request = control.UploadRequest(session="", connection="sqlite", table="taken", append=True, timeout_s=0.5)
    with pytest.raises(errors.TimeoutExceeded) as caught:
        opened.client.upload(request, pa.table({"i": [1]}))
    has_ended(opened, caught.value)


def test_a_read_of_sqlite_that_was_stopped_leaves_the_transaction_open(opened):
    told = refused(opened, NUMBERS.replace("SELECT n FROM", "SELECT max(n) FROM"), timeout_s=0.5)
    assert "transaction" not in told.message
    opened.run("ROLLBACK")
    assert opened.value("SELECT count(*) FROM kept") == 0


def test_a_full_database_and_a_trigger_that_rolls_back_are_told(opened):
    opened.run("CREATE TRIGGER refuses BEFORE INSERT ON kept WHEN NEW.i = 7 BEGIN SELECT raise(ROLLBACK, 'not 7'); END")
    opened.run("COMMIT; DELETE FROM kept; BEGIN; INSERT INTO kept VALUES (50)")
    told = refused(opened, "INSERT INTO kept VALUES (7)")
    assert told.message == f"not 7 {ROLLED_BACK}"
    has_ended(opened, told)
    opened.run("DELETE FROM kept; PRAGMA max_page_count = 20; BEGIN; INSERT INTO kept VALUES (50)")
    told = refused(opened, f"{WRITES['insert']} LIMIT 1000000")
    assert "full" in told.message
    if ROLLED_BACK not in told.message:  # SQLite may take back the statement only
        assert opened.run("SELECT i FROM kept").table.column("i").to_pylist() == [50]


# --- statements that go well ---


@pytest.fixture
def open_mysql(mysql_engine):
    """MariaDB with a row deleted in an open transaction."""
    mysql_engine.run("DROP TABLE IF EXISTS imp, made; CREATE TABLE imp (i integer PRIMARY KEY) ENGINE=InnoDB")
    mysql_engine.run("CREATE TEMPORARY TABLE IF NOT EXISTS passing (i integer); INSERT INTO imp VALUES (1)")
    mysql_engine.run("BEGIN; DELETE FROM imp")
    return mysql_engine


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE made (i integer)",
        "ALTER TABLE imp COMMENT 'x'",
        "TRUNCATE TABLE passing",
        "/* a */ create or replace view ended_seen as select 1 as n",
        "ANALYZE TABLE imp",
        "LOCK TABLES imp READ",
        "START TRANSACTION",
        "begin work",
    ],
)
def test_what_commits_the_open_transaction_of_mysql_says_so(open_mysql, sql):
    notes = open_mysql.run(sql).notes
    assert any("committed the transaction that was open" in note for note in notes), notes
    open_mysql.run("UNLOCK TABLES; ROLLBACK")
    assert open_mysql.value("SELECT count(*) FROM imp") == 0


def test_a_setting_that_commits_says_so(open_mysql):
    open_mysql.run("ROLLBACK; SET autocommit = 0; DELETE FROM imp")
    assert any("SET committed the transaction" in note for note in open_mysql.run("SET autocommit = 1").notes)


def test_a_script_that_fails_behind_an_implicit_commit_says_so(open_mysql):
    told = refused(open_mysql, "CREATE TABLE made (i integer); SELECT nothing FROM imp")
    assert told.message.count("CREATE TABLE committed the transaction that was open") == 1


def test_a_procedure_that_ends_the_transaction_is_told(open_mysql):
    open_mysql.run("ROLLBACK; CREATE OR REPLACE PROCEDURE ends() BEGIN ROLLBACK; END; BEGIN; DELETE FROM imp")
    assert any("has ended with CALL: look at what" in note for note in open_mysql.run("CALL ends()").notes)


@pytest.mark.parametrize(
    "sql", ["CREATE TEMPORARY TABLE brief (i integer)", "SELECT 1", "SAVEPOINT a", "COMMIT", "ROLLBACK AND CHAIN"]
)
def test_what_commits_nothing_or_is_meant_to_has_no_note(open_mysql, sql):
    assert open_mysql.run(sql).notes == ()


def test_the_hint_of_an_aborted_transaction_is_true_of_one_with_a_savepoint(postgresql_engine):
    postgresql_engine.run("DROP TABLE IF EXISTS parts; CREATE TABLE parts (i integer PRIMARY KEY)")
    postgresql_engine.run("BEGIN; INSERT INTO parts VALUES (1); SAVEPOINT a")
    told = refused(postgresql_engine, "INSERT INTO parts VALUES (1)", errors.QueryError)
    assert "`ROLLBACK TO` a savepoint" in told.hint
    assert "nothing of it stays" not in told.hint
    postgresql_engine.run("ROLLBACK TO a; COMMIT")
    assert postgresql_engine.value("SELECT count(*) FROM parts") == 1
