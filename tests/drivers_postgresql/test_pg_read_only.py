"""No write gets through a read-only session, whatever the words; and reading goes on.

R-29, TK-11. Each attempt is a cell: its statements run in order, and each may be refused.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest

from tusk_drivers.postgresql.readonly import ENDS_LARGE_OBJECT_WRITES
from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import QueryError, TuskError, UsageError
from tusk_jupyter.sqltext.statements import split

ATTEMPTS = """
INSERT INTO ro VALUES (2)
UPDATE ro SET a = 3
DELETE FROM ro
TRUNCATE ro
DROP TABLE ro
ALTER TABLE ro ADD COLUMN b int
CREATE TABLE ro2 AS SELECT 1 a
SELECT 1 AS a INTO ro2
CREATE INDEX ON ro (a)
MERGE INTO ro USING (SELECT 5 v) s ON false WHEN NOT MATCHED THEN INSERT VALUES (v)
WITH gone AS (DELETE FROM ro RETURNING a) SELECT * FROM gone
WITH new AS (INSERT INTO ro VALUES (9) RETURNING a) SELECT a FROM new
INSERT INTO ro VALUES (2) RETURNING a
/* SELECT */ INSERT INTO ro VALUES (2)
(SELECT add_row())
SELECT add_row()
SELECT add_row() FROM generate_series(1, 3)
VALUES (add_row())
TABLE writing_view
SELECT * FROM writing_view
EXPLAIN ANALYZE INSERT INTO ro VALUES (2)
EXPLAIN (ANALYZE) SELECT add_row()
SET default_transaction_read_only = off; INSERT INTO ro VALUES (2)
SET transaction_read_only = off; INSERT INTO ro VALUES (2)
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; INSERT INTO ro VALUES (2)
SET TRANSACTION READ WRITE; INSERT INTO ro VALUES (2)
RESET ALL; INSERT INTO ro VALUES (2)
RESET default_transaction_read_only; INSERT INTO ro VALUES (2)
DISCARD ALL; INSERT INTO ro VALUES (2)
BEGIN READ WRITE; INSERT INTO ro VALUES (2); COMMIT
START TRANSACTION READ WRITE; INSERT INTO ro VALUES (2); COMMIT
BEGIN; SET TRANSACTION READ WRITE; INSERT INTO ro VALUES (2); COMMIT
BEGIN; SET transaction_read_only TO off; INSERT INTO ro VALUES (2); COMMIT
BEGIN; SET LOCAL transaction_read_only = off; INSERT INTO ro VALUES (2); END
BEGIN READ WRITE; SAVEPOINT s; ROLLBACK TO s; INSERT INTO ro VALUES (2); COMMIT
BEGIN READ WRITE; COMMIT AND CHAIN; INSERT INTO ro VALUES (2); COMMIT
BEGIN; SET TRANSACTION READ WRITE; SELECT add_row(); COMMIT
SELECT set_config('transaction_read_only', 'off', true), add_row()
SELECT set_config('transaction_read_only', 'off', false); INSERT INTO ro VALUES (2)
SELECT set_config('default_transaction_read_only', 'off', false); INSERT INTO ro VALUES (2)
SELECT set_config('role', 'tusk', false); INSERT INTO ro VALUES (2)
BEGIN; SELECT set_config('transaction_read_only', 'off', true); INSERT INTO ro VALUES (2); COMMIT
WITH off AS MATERIALIZED (SELECT set_config('transaction_read_only', 'off', true)) INSERT INTO ro SELECT 2 FROM off
DO $$ BEGIN INSERT INTO ro VALUES (2); END $$
DO $$ BEGIN SET LOCAL transaction_read_only = off; INSERT INTO ro VALUES (2); END $$
DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO ro VALUES (2); END $$
DO $$ BEGIN COMMIT; PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO ro VALUES (2); END $$
CALL add_row_freely()
SELECT add_row_after_switch()
PREPARE p AS INSERT INTO ro VALUES (2); EXECUTE p
PREPARE p AS SELECT add_row(); EXECUTE p
DECLARE c CURSOR WITH HOLD FOR SELECT add_row(); FETCH ALL FROM c
BEGIN READ WRITE; DECLARE c CURSOR FOR SELECT add_row(); FETCH ALL FROM c; COMMIT
BEGIN READ WRITE; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'
COPY ro FROM PROGRAM 'echo 2'
COPY (SELECT 1) TO PROGRAM 'cat > {file}'
COPY (SELECT 1) TO '{file}'
SELECT query_to_xml('COPY (SELECT 1) TO PROGRAM ''cat > {file}''', true, true, '')
SELECT query_to_xml/**/('COPY (SELECT 1) TO PROGRAM ''cat > {file}''', true, true, '')
SELECT "query_to_xml" ('COPY (SELECT 1) TO PROGRAM ''cat > {file}''', true, true, '')
SELECT U&"query\\005fto_xml"('COPY (SELECT 1) TO PROGRAM ''cat > {file}''', true, true, '')
SELECT pg_catalog.lo_export(lo_from_bytea(0, 'x'), '{file}')
SELECT lo_create(4242)
SELECT lo_from_bytea(4242, 'x')
BEGIN; SELECT lo_create(4242); COMMIT
BEGIN; SELECT make_large_object(); COMMIT
SELECT make_large_object()
SELECT nextval('ro_seq')
SELECT setval('ro_seq', 100)
SELECT a FROM ro FOR UPDATE
LOCK TABLE ro
VACUUM ro
ANALYZE ro
CLUSTER ro
REINDEX TABLE ro
CHECKPOINT
ALTER SYSTEM SET work_mem = '1GB'
ALTER ROLE tusk SET work_mem = '1GB'
COMMENT ON TABLE ro IS 'changed'
GRANT ALL ON ro TO PUBLIC
SECURITY LABEL ON TABLE ro IS 'x'
NOTIFY ro
SELECT pg_notify('ro', 'x')
SELECT pg_reload_conf()
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bystander'
SELECT pg_stat_reset()
SELECT 1) TO PROGRAM 'cat > {file}'; --
SELECT 1; INSERT INTO ro VALUES (2)
CREATE TEMP TABLE mine (a int)
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
REFRESH MATERIALIZED VIEW ro_mat
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO public
REASSIGN OWNED BY tusk TO tusk_admin
LOAD 'auto_explain'
INSERT INTO ro SELECT 2 WHERE 'a' = :x
""".strip().splitlines()

SET_UP = """
DROP TABLE IF EXISTS ro CASCADE; DROP TABLE IF EXISTS ro2; DROP SEQUENCE IF EXISTS ro_seq;
CREATE TABLE ro (a int); INSERT INTO ro VALUES (1); CREATE SEQUENCE ro_seq;
CREATE OR REPLACE FUNCTION add_row() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO ro VALUES (2); RETURN 1; END $$;
CREATE OR REPLACE FUNCTION add_row_after_switch() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN SET LOCAL transaction_read_only = off; INSERT INTO ro VALUES (2); RETURN 1; END $$;
CREATE OR REPLACE FUNCTION make_large_object() RETURNS oid LANGUAGE sql AS 'SELECT lo_create(4242)';
CREATE OR REPLACE PROCEDURE add_row_freely() LANGUAGE plpgsql AS
    $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO ro VALUES (2); END $$;
DROP VIEW IF EXISTS writing_view; CREATE VIEW writing_view AS SELECT add_row();
CREATE MATERIALIZED VIEW ro_mat AS SELECT * FROM ro;
"""

STATE = """
SELECT (SELECT array_agg(a ORDER BY a) FROM ro), (SELECT last_value FROM ro_seq), to_regclass('ro2') IS NULL,
       (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
       (SELECT count(*) FROM pg_attribute), obj_description('ro'::regclass), (SELECT relacl FROM pg_class WHERE relname = 'ro'),
       (SELECT array_agg(rolconfig::text) FROM pg_roles), (SELECT count(*) FROM pg_prepared_xacts)
"""


@pytest.fixture
def prepared(admin):
    admin.do(SET_UP)
    return admin


@pytest.fixture(scope="module")
def open_folder():
    """A folder that the server's user can write to; pytest's own lie below one that he cannot enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_to_write_changes_nothing(prepared, connect, attempt, open_folder: Path):
    """Tried as superuser, whom no missing right stops."""
    file = open_folder / "written"
    bystander = connect(admin=True)
    bystander.do("SET application_name = 'bystander'")
    before = prepared.rows(STATE)
    reader = connect(admin=True, read_only=True)
    for statement in split(attempt.replace("{file}", str(file)), "postgresql"):
        with contextlib.suppress(TuskError):
            result = reader.session.execute(statement, dict.fromkeys(statement.parameters, "a"))
            list(getattr(result, "batches", ()))
    if reader.session.transaction is not Transaction.IDLE:
        reader.do("COMMIT" if reader.session.transaction is Transaction.OPEN else "ROLLBACK")
    assert prepared.rows(STATE) == before
    assert not file.exists()
    assert bystander.one("SELECT 1") == 1
    assert reader.one("SELECT count(*) FROM ro") == 1


def test_the_attempts_are_many():
    assert len(set(ATTEMPTS)) >= 90


def test_the_same_attempts_write_without_read_only(prepared, db):
    """Otherwise the table above would prove nothing."""
    admin = prepared
    admin.do("DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO ro VALUES (2); END $$")
    admin.do("CALL add_row_freely()")
    assert admin.one("SELECT add_row()") == 1
    assert admin.one("SELECT count(*) FROM ro") == 4


def test_a_refusal_names_its_reason(connect):
    reader = connect(read_only=True)
    for sql in ("CREATE TABLE x (a int)", "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT lo_create(1)"):
        with pytest.raises(QueryError) as caught:
            reader.do(sql)
        assert (caught.value.scenario, caught.value.code) == ("read_only", "25006")
        assert caught.value.hint


def test_reading_goes_on_as_usual(connect):
    reader = connect(read_only=True)
    reader.do("SET search_path = pg_catalog")
    assert reader.one("SHOW search_path") == "pg_catalog"
    assert reader.one("SELECT :a + 1", a=1) == 2
    assert reader.rows("EXPLAIN SELECT 1")
    reader.do("PREPARE p AS SELECT 7")
    assert reader.one("EXECUTE p") == 7
    assert reader.session.transaction is Transaction.IDLE
    reader.do("BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    assert reader.one("SHOW transaction_isolation") == "repeatable read"
    assert reader.session.transaction is Transaction.OPEN
    reader.do("DECLARE c CURSOR FOR SELECT generate_series(1, 3)")
    assert reader.rows("FETCH 2 FROM c") == [(1,), (2,)]
    reader.do("COMMIT")
    assert reader.session.transaction is Transaction.IDLE


@pytest.mark.parametrize("commit", ["COMMIT", "/* a */ end"])
def test_a_commit_that_takes_settings_back_says_so(connect, commit):
    """A server before 16 is sent ROLLBACK, or a large object would be written."""
    reader = connect(read_only=True)
    before = reader.one("SHOW timezone")
    reader.do("BEGIN")
    reader.do("SET timezone = 'Asia/Tokyo'")
    (statement,) = split(commit, "postgresql")
    notes = reader.session.execute(statement, {}).notes
    is_kept = reader.one("SHOW timezone") == "Asia/Tokyo"
    assert is_kept == (reader.one("SHOW server_version_num") >= str(ENDS_LARGE_OBJECT_WRITES))
    assert is_kept == (notes == ())
    if not is_kept:
        assert "settings that were SET in the transaction are as they were before it" in " ".join(notes)
        assert reader.one("SHOW timezone") == before
    assert not any("ROLLBACK" in note for note in reader.session.execute(statement, {}).notes), "none was open"


def test_a_session_turns_read_only_and_back(db):
    db.do("CREATE TEMP TABLE turn (a int)")
    db.session.set_read_only(True)
    with pytest.raises(QueryError) as caught:
        db.do("CREATE TABLE turn2 (a int)")
    assert caught.value.scenario == "read_only"
    db.session.set_read_only(False)
    assert db.do("INSERT INTO turn VALUES (1)") == 1
    db.do("BEGIN")
    with pytest.raises(UsageError, match="transaction is open"):
        db.session.set_read_only(True)


def test_a_failing_statement_leaves_no_transaction_open(connect):
    reader = connect(read_only=True)
    with pytest.raises(QueryError):
        reader.table("SELECT 1 / (g - 5000) FROM generate_series(1, 10000) g")
    assert reader.session.transaction is Transaction.IDLE
    result = reader.batches("SELECT generate_series(1, 100000000) g")
    next(result.batches)
    result.batches.close()
    assert reader.session.transaction is Transaction.IDLE
    assert reader.one("SELECT 1") == 1
