"""Transactions, interrupts, limits, errors: the session stays usable whatever happens to a statement."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import psycopg
import pytest
from services import wait_until

from tusk_jupyter.driverkit.session import Changed, Rows, Transaction
from tusk_jupyter.errors import Cancelled, ConnectError, QueryError, TimeoutExceeded, TuskError, UsageError


@pytest.fixture
def watcher(postgresql):
    with psycopg.connect(postgresql.admin_dsn, autocommit=True) as connection:
        yield connection


def running(watcher, talk, words: str = "") -> bool:
    """Whether the server works for that session on a statement with these words."""
    row = watcher.execute(
        "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND position(%s in query) > 0",
        [int(talk.session.backend), words],
    ).fetchone()
    return row is not None


@contextmanager
def interrupted(watcher, talk, words: str):
    """Interrupt the session once the statement with these words runs."""

    def act() -> None:  # a failure to see it run shows as the statement's running on, until the test's time limit
        wait_until(lambda: running(watcher, talk, words), what="the statement runs")
        talk.session.interrupt()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


ENDLESS = [
    "SELECT generate_series(1, 1000000000) g, repeat('x', 100)",
    "SELECT pg_sleep(600)",
    "SELECT generate_series(1, 1000000000) g WHERE :one = 1",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n",
    "DO $$ BEGIN PERFORM pg_sleep(600); END $$",
]


@pytest.mark.parametrize("sql", ENDLESS)
@pytest.mark.parametrize("read_only", [False, True])
def test_an_interrupt_ends_the_statement_and_nothing_else(connect, watcher, sql, read_only):  # R-20, TK-30
    if read_only and sql.startswith("DO"):
        return
    db = connect()
    db.do("CREATE TEMP TABLE kept (a int)")
    db.session.set_read_only(read_only)
    with pytest.raises(Cancelled) as caught, interrupted(watcher, db, sql[:20]):
        result = db.batches(sql, one=1)
        if isinstance(result, Rows):
            for _ in result.batches:
                pass
    assert caught.value.scenario == "cancelled_by_user"
    assert not running(watcher, db)
    assert db.one("SELECT count(*) FROM kept") == 0
    assert db.session.transaction is Transaction.IDLE


def test_an_interrupt_with_nothing_running_hits_nothing(db):
    db.session.interrupt()
    assert db.one("SELECT 1") == 1
    db.session.interrupt()
    assert db.one("SELECT 2") == 2
    assert db.session._link.cancel() is False, "a cancel request went out that the next statement might get"


def test_an_interrupted_read_leaves_the_users_transaction_open(db, watcher):
    db.do("BEGIN; CREATE TABLE mid_way (a int)")
    with pytest.raises(Cancelled), interrupted(watcher, db, "generate_series"):
        db.table("SELECT generate_series(1, 1000000000) g")
    assert db.session.transaction is Transaction.OPEN
    assert db.one("SELECT count(*) FROM mid_way") == 0
    db.do("ROLLBACK")


def test_an_interrupted_change_fails_the_users_transaction(db, watcher):
    db.do("BEGIN; CREATE TABLE mid_way (a int)")
    with pytest.raises(Cancelled), interrupted(watcher, db, "INSERT INTO mid_way"):
        db.do("INSERT INTO mid_way SELECT 1 FROM pg_sleep(600)")
    assert db.session.transaction is Transaction.FAILED
    with pytest.raises(QueryError) as caught:
        db.one("SELECT 1")
    assert caught.value.scenario == "transaction_failed"
    db.do("ROLLBACK")
    assert db.session.transaction is Transaction.IDLE


@pytest.mark.parametrize("begun", [False, True], ids=["idle", "open"])
@pytest.mark.parametrize("sql", [ENDLESS[0], ENDLESS[2], "TABLE pg_class", "SHOW ALL"])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_result_may_be_left_at_any_point(db, watcher, begun, sql, taken):
    if begun:
        db.do("BEGIN; CREATE TABLE left_behind (a int)")
    result = db.batches(sql, one=1)
    for _, _ in zip(range(taken), result.batches, strict=False):
        pass
    result.batches.close()
    assert not running(watcher, db)
    assert db.session.transaction is (Transaction.OPEN if begun else Transaction.IDLE)
    if begun:
        assert db.one("SELECT count(*) FROM left_behind") == 0
        db.do("ROLLBACK")


def test_a_result_that_was_forgotten_does_not_stand_in_the_way(db):
    db.batches(ENDLESS[0])
    assert db.one("SELECT 1") == 1


def test_a_change_that_returns_rows_is_done_whole_though_few_are_taken(db):
    db.do("CREATE TEMP TABLE whole (a int)")
    result = db.batches(
        "WITH new AS (INSERT INTO whole SELECT generate_series(1, 300000) RETURNING a) SELECT a, repeat('x', 300) FROM new"
    )
    next(result.batches)
    result.batches.close()
    assert db.one("SELECT count(*) FROM whole") == 300000


def test_changes_are_counted(db):
    assert db.do("CREATE TEMP TABLE counted (a int)") is None
    assert db.do("INSERT INTO counted SELECT generate_series(1, 7)") == 7
    assert db.rows("UPDATE counted SET a = a + 1 WHERE a > 5 RETURNING a") == [(7,), (8,)]
    assert db.affected == 2
    assert db.rows("WITH gone AS (DELETE FROM counted RETURNING a) SELECT count(*) FROM gone") == [(7,)]
    assert isinstance(db.batches("SELECT 1 AS a INTO TEMP copied"), Changed)
    assert db.do("CREATE TEMP TABLE as_select AS SELECT generate_series(1, 3) a") == 3


def test_what_copy_cannot_take_comes_the_ordinary_way(db):
    db.do("CREATE FUNCTION pg_temp.out2(OUT a int, OUT b text) LANGUAGE sql AS $$ SELECT 1, 'x' $$")
    assert db.one("SHOW transaction_isolation") == "read committed"
    assert db.rows("EXPLAIN (COSTS off) SELECT 1") == [("Result",)]
    assert db.rows("SELECT * FROM pg_temp.out2()") == [(1, "x")]
    db.do("CREATE PROCEDURE pg_temp.twice(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a * 2; END'")
    assert db.rows("CALL pg_temp.twice(21)") == [(42,)]
    db.do("PREPARE plan(int) AS SELECT $1 + 1 AS n")
    assert db.rows("EXECUTE plan(4)") == [(5,)]
    db.do("BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 3)")
    assert db.rows("FETCH ALL FROM c") == [(1,), (2,), (3,)]
    db.do("COMMIT")


@pytest.mark.parametrize("sql", ["COPY pg_class TO STDOUT", "COPY t FROM STDIN"])
def test_copy_through_the_client_is_refused_before_it_starts(db, sql):
    with pytest.raises(UsageError, match="COPY"):
        db.do(sql)
    assert db.one("SELECT 1") == 1


def test_a_comment_at_the_end_takes_nothing_with_it(db):
    assert db.one("SELECT 1 -- ) TO STDOUT") == 1
    assert db.one("/* a ( */ SELECT /* ) */ 2 -- ;") == 2


@pytest.mark.parametrize(
    ("sql", "code", "scenario", "token"),
    [
        ("SELEC 1", "42601", "syntax", "SELEC"),
        ("SELECT *\nFROM éè🐘 x", "42P01", "undefined_table", "éè🐘"),
        ("SELECT 1,\n  nope FROM pg_class", "42703", "undefined_column", "nope"),
        ("SELECT :long_name, nope", "42703", "undefined_column", "nope"),
        ("SELECT pg_read_file('x')", "42501", "permission", None),
        ("SELECT 1/0", "22012", None, None),
        ("SELECT 1; SELECT 2", "42601", "syntax", None),
        ("CREATE TABLE pg_catalog.x (a int)", "42501", "permission", None),
        ("SELECT 'a' || g FROM generate_series(1, 20000) g WHERE 1 / (g - 19000) > -2", "22012", None, None),
    ],
)
def test_an_error_has_code_scenario_and_place(db, sql, code, scenario, token):
    from tusk_jupyter.sqltext.statements import Placeholder, Statement

    places = [Placeholder(name="long_name", start=7, end=17)] if ":long_name" in sql else []
    statement = Statement(text=sql, start=0, command=sql.split()[0], placeholders=tuple(places))
    with pytest.raises(QueryError) as caught:
        result = db.session.execute(statement, {"long_name": "v"})
        list(result.batches)
    error = caught.value
    assert (error.code, error.scenario) == (code, scenario)
    assert token is None or sql[error.position :].startswith(token)
    assert db.session.transaction is Transaction.IDLE


def test_rules_of_a_table_are_a_scenario(db):
    db.do("CREATE TEMP TABLE ruled (a int PRIMARY KEY, b int NOT NULL); INSERT INTO ruled VALUES (1, 1)")
    for sql in ("INSERT INTO ruled VALUES (1, 1)", "INSERT INTO ruled VALUES (2, NULL)"):
        with pytest.raises(QueryError) as caught:
            db.do(sql)
        assert caught.value.scenario == "constraint"
        assert caught.value.detail


def test_the_servers_timeout_is_a_timeout(db):
    db.do("SET statement_timeout = '50ms'")
    with pytest.raises(TimeoutExceeded) as caught:
        db.one("SELECT pg_sleep(60)")
    assert caught.value.scenario == "statement_timeout"
    db.do("SET lock_timeout = '50ms'; SET statement_timeout = 0")
    assert db.one("SELECT 1") == 1


def test_a_lock_that_is_not_had_is_a_scenario(db, connect):
    db.do("CREATE TABLE IF NOT EXISTS locked (a int); BEGIN; LOCK TABLE locked")
    other = connect()
    other.do("SET lock_timeout = '50ms'")
    with pytest.raises(QueryError) as caught:
        other.table("SELECT * FROM locked")
    assert caught.value.scenario == "lock_timeout"
    db.do("ROLLBACK")


def test_an_administrator_who_ends_the_session(db, watcher):
    def end() -> None:
        wait_until(lambda: running(watcher, db, "pg_sleep"), what="the statement runs")
        watcher.execute("SELECT pg_terminate_backend(%s)", [int(db.session.backend)])

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(TuskError) as caught:
        db.one("SELECT pg_sleep(600)")
    thread.join()
    assert caught.value.scenario == "cancelled_by_admin"
    assert not db.session.is_alive()
    with pytest.raises(ConnectError) as caught:
        db.one("SELECT 1")
    assert caught.value.scenario == "link_lost"


def test_a_session_that_was_ended_while_idle_is_known_to_be_dead(db, watcher):
    assert db.session.is_alive()
    watcher.execute("SELECT pg_terminate_backend(%s)", [int(db.session.backend)])
    wait_until(lambda: not db.session.is_alive(), what="the session is seen to be dead")
    db.session.close()
    db.session.close()


@pytest.mark.parametrize("words", ["SELECT pg_sleep(600)", "SELECT generate_series(1, 1000000000) g"])
def test_a_backend_is_killed_from_elsewhere(db, settings, watcher, words):
    def kill() -> None:
        wait_until(lambda: running(watcher, db, words), what="the statement runs")
        type(db.session).kill_backend(settings(), db.session.backend)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(Cancelled):
        db.table(words)
    thread.join()
    assert not running(watcher, db)


def test_only_a_process_id_is_killed(db, settings):
    with pytest.raises(UsageError):
        type(db.session).kill_backend(settings(), "1; DROP TABLE x")


def test_a_reset_forgets_everything(db):
    db.do("SET search_path = pg_catalog; CREATE TEMP TABLE forgotten (a int); PREPARE p AS SELECT 1; BEGIN")
    db.session.reset()
    assert db.session.transaction is Transaction.IDLE
    assert db.one("SHOW search_path") == '"$user", public'
    assert db.one("SELECT to_regclass('pg_temp.forgotten')") is None
    assert db.one("SELECT count(*) FROM pg_prepared_statements") == 0


def test_nothing_is_left_on_the_server_by_a_statement(db, watcher):
    db.do("BEGIN")
    db.table("SELECT :a + 1, now(), 0.1::float8", a=1)
    db.table("SELECT * FROM pg_class")
    assert db.one("SELECT count(*) FROM pg_prepared_statements") == 0
    assert db.one("SELECT count(*) FROM pg_cursors") == 0
    with pytest.raises(QueryError, match="does not exist"):
        db.do("RELEASE SAVEPOINT tusk_result")
    db.do("ROLLBACK")


def test_notices_are_told(db):
    db.do("DO $$ BEGIN RAISE NOTICE 'look here'; END $$")
    assert db.notes == ["Notice: look here"]
    db.do("SELECT 1")
    db.table("SELECT 1")
    assert db.notes == []


def test_text_that_postgresql_cannot_hold_is_refused(db):
    for sql in ("SELECT 'a\x00b'", "SELECT '\ud800'"):
        with pytest.raises(UsageError):
            db.one(sql)
    with pytest.raises(UsageError, match="NUL"):
        db.one("SELECT :a", a="x\x00y")
    with pytest.raises(UsageError, match="no value"):
        db.one("SELECT :a")
    assert db.one("SELECT 1") == 1


def test_a_slow_trickle_is_handed_out_before_it_ends(db):
    result = db.batches(  # wide rows: the server itself sends nothing before it has 8 kB together
        "SELECT g, repeat('x', 20000), pg_sleep(CASE WHEN g = 4 THEN 600 ELSE 0 END) FROM generate_series(1, 9) g"
    )
    assert 1 <= next(result.batches).num_rows <= 3
    result.batches.close()
    assert db.one("SELECT 1") == 1


def test_memory_does_not_grow_with_the_result(db):
    import pyarrow as pa

    result = db.batches("SELECT g, repeat('x', 10000) FROM generate_series(1, 20000) g")
    before, most = pa.total_allocated_bytes(), 0
    for batch in result.batches:
        most = max(most, pa.total_allocated_bytes() - before)
        assert batch.nbytes < 20e6
    assert most < 80e6  # of 200 MB
