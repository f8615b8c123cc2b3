"""A session that its server ends: its own reason, what became of the statement, and nothing taken for it that is not."""

from __future__ import annotations

import os
import signal
import threading

import psycopg
import pytest
from services import postgresql as services
from services import wait_until
from services.proxies import proxy_to

from tusk_drivers.postgresql.errors import link_lost
from tusk_drivers.postgresql.execution import Execution
from tusk_drivers.postgresql.link import Link
from tusk_jupyter.driverkit.gone import ITS_OWN_COMMITS
from tusk_jupyter.driverkit.runs import Run
from tusk_jupyter.driverkit.tickets import TicketBook
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.errors import ConnectError, QueryError
from tusk_jupyter.sqltext.script import Script
from tusk_jupyter.sqltext.statements import split


def while_it_runs(server, talk, action) -> threading.Thread:
    """Do something from elsewhere once the session's statement runs."""
    backend = int(talk.session.backend)

    def act() -> None:
        with psycopg.connect(server.admin_dsn, autocommit=True) as watcher:
            sql = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND query LIKE '%%pg_sleep%%'"
            wait_until(lambda: watcher.execute(sql, [backend]).fetchone(), what="the statement runs")
            action(watcher)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("SET idle_session_timeout = '50ms'", "idle-session timeout"),  # 57P05
        ("SET idle_in_transaction_session_timeout = '50ms'; BEGIN", "idle-in-transaction timeout"),  # 25P03
    ],
)
def test_a_session_that_idled_too_long_has_the_servers_reason(db, setting, words):  # R15
    db.do(setting)
    wait_until(lambda: not db.session.is_alive(), what="the server has ended the session")
    assert words in db.session.parting_words()
    with pytest.raises(ConnectError) as caught:
        db.one("SELECT 1")
    assert words in caught.value.message
    assert "Nothing of this run was executed" in caught.value.message


def test_a_session_ended_by_an_administrator_while_idle_has_the_reason(db, admin):
    admin.do(f"SELECT pg_terminate_backend({db.session.backend})")
    wait_until(lambda: not db.session.is_alive(), what="the server has ended the session")
    assert "administrator command" in db.session.parting_words()


def test_an_administrators_end_of_a_statement_is_no_cancel_of_the_user(db, postgresql):  # 57P01
    db.do("CREATE TABLE ended (n int)")
    thread = while_it_runs(
        postgresql, db, lambda watcher: watcher.execute("SELECT pg_terminate_backend(%s)", [int(db.session.backend)])
    )
    with pytest.raises(ConnectError) as caught:
        db.do("INSERT INTO ended SELECT 1 FROM pg_sleep(600)")
    thread.join()
    assert (caught.value.code, caught.value.scenario) == ("57P01", "cancelled_by_admin")
    assert "administrator command" in caught.value.message
    assert "rolled back" in caught.value.message
    with psycopg.connect(postgresql.dsn, autocommit=True) as later:
        assert later.execute("SELECT count(*) FROM ended").fetchone() == (0,)
        later.execute("DROP TABLE ended")


PROCEDURE = (
    "CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ended VALUES (1); COMMIT; "
    "INSERT INTO ended VALUES (2); PERFORM pg_sleep(600); END $$"
)
BLOCK = "DO $$ BEGIN INSERT INTO ended VALUES (1); COMMIT; INSERT INTO ended VALUES (2); PERFORM pg_sleep(600); END $$"


def ended_while(server, talk, waits: str) -> threading.Thread:
    """End the session from elsewhere once it waits for something."""
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND wait_event = %s"
    backend = int(talk.session.backend)

    def act() -> None:
        with psycopg.connect(server.admin_dsn, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(sql, [backend, waits]).fetchone(), what=f"it waits for {waits}")

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize("sql", ["CALL commits()", BLOCK])
def test_what_an_ended_statement_had_committed_itself_is_not_called_rolled_back(db, postgresql, sql):
    db.do(f"CREATE TABLE ended (n int); {PROCEDURE}")
    thread = ended_while(postgresql, db, "PgSleep")
    with pytest.raises(ConnectError) as caught:
        db.do(sql)
    thread.join()
    assert ITS_OWN_COMMITS in caught.value.message
    with psycopg.connect(postgresql.dsn, autocommit=True) as later:
        assert later.execute("SELECT n FROM ended").fetchall() == [(1,)]
        later.execute("DROP PROCEDURE commits")
        later.execute("DROP TABLE ended")


@pytest.mark.parametrize("sql", ["INSERT INTO ended VALUES (1)", "BEGIN; INSERT INTO ended VALUES (1); COMMIT"])
def test_a_commit_that_waited_for_its_standby_is_not_called_rolled_back(db, admin, postgresql, sql):
    db.do(
        "CREATE TABLE ended (n int); SET synchronous_commit = on"
    )  # other tests' sessions have it off, and wait for none
    admin.do("ALTER SYSTEM SET synchronous_standby_names = 'nosuch'")
    admin.one("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: db.one("SHOW synchronous_standby_names") == "nosuch", what="the setting is read")
        admin.do("CHECKPOINT")  # sessions wait only once the checkpointer has read it, too
        thread = ended_while(postgresql, db, "SyncRep")
        with pytest.raises(ConnectError) as caught:
            db.do(sql)
        thread.join()
    finally:
        admin.do("ALTER SYSTEM RESET synchronous_standby_names")
        admin.one("SELECT pg_reload_conf()")
    assert "is committed on this server" in caught.value.message
    assert "rolled back" not in caught.value.message
    with psycopg.connect(postgresql.dsn, autocommit=True) as later:
        assert later.execute("SELECT count(*) FROM ended").fetchone() == (1,)
        later.execute("DROP TABLE ended")


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [(signal.SIGINT, "57P01", "administrator command"), (signal.SIGQUIT, "57P01", "immediate shutdown")],
)
def test_a_server_that_is_stopped_in_a_statement_says_so(connect, how, code, words):
    with services.running(tls=False) as server:
        talk = connect(port=server.port, password=server.password)
        postmaster = int((server.server.folder / "data" / "postmaster.pid").read_text().split()[0])
        thread = while_it_runs(server, talk, lambda watcher: (watcher.close(), os.kill(postmaster, how)))
        with pytest.raises(ConnectError) as caught:
            talk.one("SELECT pg_sleep(600)")
        thread.join()
    assert caught.value.code == code
    assert words in caught.value.message
    assert ("not known" in caught.value.message) is (how is signal.SIGQUIT), "it may have stopped behind a commit"
    assert "abnormally" not in caught.value.message


def test_a_link_that_is_cut_in_a_statement_leaves_its_effect_open(connect, postgresql):
    with proxy_to(postgresql.host, postgresql.port) as proxy:
        talk = connect(port=proxy.port)
        thread = while_it_runs(postgresql, talk, lambda _: proxy.cut())
        with pytest.raises(ConnectError) as caught:
            talk.one("SELECT pg_sleep(600)")
        thread.join()
    assert caught.value.scenario == "link_lost"
    assert "not known" in caught.value.message
    assert "abnormally" not in caught.value.message
    assert "check what was done" in (caught.value.hint or "")


CODES = ["28P01", "28000", "3D000", "08001", "08006", "53300", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03"]


@pytest.mark.parametrize("code", CODES)
def test_a_statement_may_raise_any_code(db, code):  # C14
    with pytest.raises(QueryError) as caught:
        db.do(f"DO $$ BEGIN RAISE EXCEPTION 'told so' USING ERRCODE = '{code}'; END $$")
    assert (caught.value.code, caught.value.message, caught.value.scenario) == (code, "Told so.", None)
    assert "password" not in (caught.value.hint or "")
    assert db.one("SELECT 1") == 1


def test_a_database_that_is_not_there_is_a_statements_error(db):  # C14
    with pytest.raises(QueryError, match="nosuch") as caught:
        db.do("DROP DATABASE nosuch")
    assert caught.value.code == "3D000"
    assert db.one("SELECT 1") == 1


def test_a_foreign_server_that_is_down_is_a_statements_error(admin):  # C14
    admin.do("CREATE EXTENSION IF NOT EXISTS dblink")
    with pytest.raises(QueryError) as caught:
        admin.one("SELECT * FROM dblink('host=127.0.0.1 port=1 dbname=x', 'SELECT 1') AS t(a int)")
    assert caught.value.code == "08001"
    assert admin.one("SELECT 1") == 1


@pytest.mark.parametrize(
    "words", ["out of memory for query result\n", "out of memory\n", "cannot allocate memory for input buffer\n"]
)
def test_memory_that_libpq_does_not_get_is_the_drivers_cap(words):  # R11; at a real cap: engines/test_memory_caps.py
    assert isinstance(link_lost(words), MemoryError)
    assert isinstance(link_lost(f"consuming input failed: {words}"), MemoryError)


@pytest.mark.parametrize(
    ("begin", "fate"),
    [
        ("SELECT 0", "3 were run before it and stand."),
        ("BEGIN", "3 were run before it, and what they had in the open transaction is rolled back."),
    ],
)
def test_of_a_session_that_ends_between_two_statements_it_is_not_said_that_nothing_was_run(
    db, admin, begin, fate
):  # R15
    db.do("DROP TABLE IF EXISTS halfway; CREATE TABLE halfway (n int)")
    script = split(f"{begin}; INSERT INTO halfway VALUES (1); SHOW server_version; SELECT 2", "postgresql")
    run, book = Run("r", db.session, Script(script), {}, limit=None, words=Words()), TicketBook()
    with pytest.raises(ConnectError) as caught:  # which of the streams meets it is not the point
        _, batches = run.open_stream(book)
        if begin == "SELECT 0":
            list(batches)
            _, batches = run.open_stream(book)
        admin.do(f"SELECT pg_terminate_backend({db.session.backend})")
        gone = f"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {db.session.backend}"
        wait_until(lambda: admin.one(gone), what="the session is gone")
        list(batches)
    assert "Nothing of this run was executed" not in caught.value.message
    assert caught.value.message.endswith(f"Statement 4 of 4 was not begun; {fate}")
    assert "administrator command" in caught.value.message
    assert "Check what stands" in caught.value.hint
    assert admin.one("SELECT count(*) FROM halfway") == (1 if begin == "SELECT 0" else 0)
    admin.do("DROP TABLE halfway")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("cannot allocate memory for input buffer", MemoryError),
        ("receiving copy data failed: out of memory", MemoryError),
        ("server closed the connection", ConnectError),
    ],
)
def test_a_copy_that_cannot_be_read_on_ends(db, words, kind):
    """Libpq answers with the same result again and again until COPY's rows are read."""
    link = db.session._link
    link.send(lambda: link.pg.send_query(b"COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000)) TO STDOUT"))
    assert link.result().status == psycopg.pq.ExecStatus.COPY_OUT
    with pytest.raises(kind), link.losing():
        raise psycopg.OperationalError(words)
    assert not link.is_open


@pytest.mark.parametrize("looks", [1, 2])
def test_a_link_that_cannot_be_read_on_is_closed_and_not_waited_for(db, monkeypatch, looks):
    """Libpq's call for the next result waits for the server, and psycopg's holds all threads of the process meanwhile."""
    link = db.session._link
    waits, seen = link.pg.consume_input, []

    class Unreadable:
        def __getattr__(self, name):
            return refuse if name == "consume_input" else getattr(pg, name)

    def refuse():
        seen.append(None)
        if len(seen) == looks:
            raise psycopg.OperationalError("consuming input failed: no such luck")
        waits()

    pg = link.pg
    monkeypatch.setattr(link, "pg", Unreadable())
    with pytest.raises(ConnectError, match="no such luck"):
        db.one("SELECT count(*) FROM generate_series(1, 3) AS n, pg_sleep(1)")
    assert not link.is_open


@pytest.mark.timeout(30)
def test_a_statement_on_a_link_that_has_closed_unnoticed_ends(db, monkeypatch):
    """In pipeline mode libpq answers nothing between two commands, and nothing for ever on a closed link."""
    monkeypatch.setattr(Link, "result", lambda link: link.close())
    with pytest.raises(ConnectError):
        db.one("SELECT 1")


def test_a_link_that_cannot_begin_a_statement_is_closed(db):
    """An answer that nobody has read keeps libpq from pipeline mode."""
    link = db.session._link
    statement = split("SELECT 2", "postgresql")[0]
    execution = Execution(link, {}, statement, {}, read_only=False, has_written=lambda: False)
    link.send(lambda: link.pg.send_query(b"SELECT 1"))
    with pytest.raises(ConnectError):
        execution._describe()
    assert not link.is_open


@pytest.mark.parametrize("has_written", [None, False])
def test_where_nobody_says_whether_a_statement_wrote_the_limit_has_a_note(db, monkeypatch, has_written):
    monkeypatch.setattr("tusk_drivers.postgresql.kill.has_written", lambda *_: has_written)
    waits = "pg_sleep(CASE i WHEN 20 THEN 0.5 WHEN 40 THEN 1 ELSE 0 END)::text"
    sql = f"SELECT repeat('x', 9000), {waits} FROM generate_series(1, 80) i"
    rows = db.session.execute(split(sql, "postgresql")[0], {})
    next(iter(rows.batches))
    db.session._running.close()
    assert ["could not be asked whether it had written" in note for note in rows.notes()] == [True] * (
        has_written is None
    )
