"""An interrupt stops the statement that runs, no other one, and leaves the session usable."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace

import pytest

from tusk_drivers.mysql.session import MysqlSession
from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import Cancelled, ConnectError, QueryError, TimeoutExceeded

RACES = 300


@pytest.fixture
def quick(connect, mariadb):
    """Over the socket file, where a kill costs 2 ms: more races a second."""
    return connect(unix_socket=mariadb.socket)


def _once_it_runs(admin, backend: str, then) -> threading.Thread:
    """Call `then` from another thread as soon as the server shows a statement of `backend` at work."""

    def wait() -> None:
        sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = :id AND COMMAND <> 'Sleep'"
        while not admin.value(sql, id=int(backend)):
            pass
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SLEEP(100)",  # gives the ordinary row 1 when it is killed
        "SELECT SLEEP(100), seq FROM seq_1_to_10",
        "SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
        "INSERT INTO slow SELECT SLEEP(100)",
        "CALL sleep_long()",
    ],
)
def test_interrupt_stops_the_statement_on_the_server(client, admin, sql):  # R-31, TK-30
    client.run("CREATE OR REPLACE PROCEDURE sleep_long() SELECT SLEEP(100)")
    client.run("CREATE TEMPORARY TABLE slow (n INT)")
    thread = _once_it_runs(admin, client.session.backend, client.session.interrupt)
    with pytest.raises(Cancelled) as caught:
        list(getattr(client.run(sql), "batches", ()))
    thread.join()
    assert caught.value.scenario == "cancelled_by_user"
    assert admin.values(
        "SELECT INFO FROM information_schema.PROCESSLIST WHERE ID = :id", id=int(client.session.backend)
    ) == [None]
    assert client.value("SELECT COUNT(*) FROM slow") == 0


def test_interrupt_between_two_batches(client):
    rows = client.rows("SELECT seq FROM seq_1_to_100000000")
    next(rows.batches)
    client.session.interrupt()
    with pytest.raises(Cancelled):
        next(rows.batches)
    assert list(rows.batches) == []
    assert client.value("SELECT 5") == 5


def test_interrupt_when_nothing_runs_opens_no_connection(client, monkeypatch):
    monkeypatch.setattr("tusk_drivers.mysql.session.sign_in", lambda settings: pytest.fail("a connection was opened"))
    client.session.interrupt()
    assert client.value("SELECT 5") == 5


def test_kill_never_hits_the_next_statement(quick):
    """Statements of about the time that a kill takes, killed again and again: each is either cancelled or whole."""
    stop = threading.Event()

    def insist() -> None:
        while not stop.is_set():
            quick.session.interrupt()

    thread = threading.Thread(target=insist)
    cancelled = 0
    thread.start()
    try:
        for n in range(RACES):
            try:
                assert quick.value("SELECT SUM(seq) + :n FROM seq_1_to_20000", n=n) == 200010000 + n
            except Cancelled:
                cancelled += 1
    finally:
        stop.set()
        thread.join()
    assert cancelled
    for n in range(20):
        assert quick.value("SELECT :n", n=n) == n


def test_statement_after_an_interrupted_one_is_never_cancelled(quick):
    """One interrupt, fired at any moment of a short statement; the statement behind it must be untouched."""
    for n in range(RACES):
        fire = threading.Timer(n % 20 / 20_000, quick.session.interrupt)
        fire.start()
        with contextlib.suppress(Cancelled):
            quick.value("SELECT SUM(seq) FROM seq_1_to_3000")
        fire.join()
        assert quick.value("SELECT :n", n=n) == n


def test_a_statement_that_the_server_ends_without_an_error_is_told_as_ended(client, admin):
    thread = _once_it_runs(admin, client.session.backend, client.session.interrupt)
    client.run("DO SLEEP(100)")  # MariaDB's own answer to the kill: it was done
    thread.join()
    assert client.value("SELECT 1") == 1


def test_kill_that_is_under_way_is_waited_for(client):
    """Without the lock in `Turn` it would arrive in the middle of the statement behind."""
    turn = client.session._execution.turn
    decided, gone_on, kill = threading.Event(), threading.Event(), turn._kill

    def slow_kill() -> None:
        decided.set()
        gone_on.wait(0.5)  # set only when the session did not wait for the kill
        kill()

    turn._kill = slow_kill
    rows = client.rows("SELECT seq FROM seq_1_to_10")
    thread = threading.Thread(target=client.session.interrupt)
    thread.start()
    decided.wait()
    assert sum(batch.num_rows for batch in rows.batches) == 10  # all of them were there before the kill
    gone_on.set()
    assert client.value("SELECT SLEEP(0.3)") == 0
    thread.join()


def test_interrupt_inside_a_transaction_keeps_it(client):
    client.run("CREATE OR REPLACE TABLE held (n INT) ENGINE=InnoDB")
    client.run("START TRANSACTION")
    client.run("INSERT INTO held VALUES (1)")
    rows = client.rows("SELECT seq FROM seq_1_to_100000000")
    next(rows.batches)
    client.session.interrupt()
    with pytest.raises(Cancelled):
        list(rows.batches)
    assert client.session.transaction is Transaction.OPEN
    assert client.values("SELECT n FROM held") == [1]
    client.run("ROLLBACK")
    assert client.values("SELECT n FROM held") == []


def test_interrupt_while_waiting_for_a_lock(client, connect, admin):
    client.run("CREATE OR REPLACE TABLE locked (n INT PRIMARY KEY) ENGINE=InnoDB")
    client.run("INSERT INTO locked VALUES (1)")
    holder = connect()
    holder.run("START TRANSACTION")
    holder.run("UPDATE locked SET n = 2")
    thread = _once_it_runs(admin, client.session.backend, client.session.interrupt)
    with pytest.raises(Cancelled):
        client.run("UPDATE locked SET n = 3")
    thread.join()
    holder.run("COMMIT")
    assert client.values("SELECT n FROM locked") == [2]


def test_servers_own_time_limit(client):
    client.run("SET max_statement_time = 0.1")
    with pytest.raises(TimeoutExceeded) as caught:
        client.value("SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b")
    assert (caught.value.code, caught.value.scenario) == ("1969", "statement_timeout")
    assert client.value("SELECT 5") == 5


def test_kill_backend_ends_the_other_session(client, admin, mysql_settings):
    backend = client.session.backend
    thread = _once_it_runs(admin, backend, lambda: MysqlSession.kill_backend(mysql_settings, backend))
    with pytest.raises((Cancelled, ConnectError)):
        client.value("SELECT SLEEP(100)")
    thread.join()
    assert not client.session.is_alive()
    with pytest.raises(ConnectError) as caught:
        client.run("SELECT 1")
    assert caught.value.scenario == "link_lost"
    MysqlSession.kill_backend(mysql_settings, backend)  # gone already: nothing to do


def test_session_that_was_killed_while_idle_is_not_alive(client, admin):
    assert client.session.is_alive()
    admin.run(f"KILL {client.session.backend}")
    deadline = time.monotonic() + 10
    while client.session.is_alive() and time.monotonic() < deadline:
        pass
    assert not client.session.is_alive()


def test_upload_can_be_interrupted_and_leaves_no_table(client):
    import pyarrow as pa

    started = threading.Event()

    def batches():
        for _ in range(1000):
            yield pa.record_batch({"n": list(range(1000))})
            started.set()

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), batches())

    def stop() -> None:
        started.wait()
        client.session.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled):
        client.session.upload(["interrupted"], reader, append=False)
    thread.join()
    assert "interrupted" not in client.values("SHOW TABLES")
    assert client.session.transaction is Transaction.IDLE


def test_interrupt_that_cannot_sign_in_says_so(client, admin):
    strange = MysqlSession.connect(client.settings)
    strange._settings = replace(client.settings, secrets={"password": "changed meanwhile"})
    outcome = []

    def interrupt() -> None:
        try:
            strange.interrupt()
        except ConnectError as exc:
            outcome.append(exc.scenario)
            admin.run(f"KILL QUERY {strange.backend}")

    thread = _once_it_runs(admin, strange.backend, interrupt)
    from tusk_jupyter.sqltext.statements import split

    with pytest.raises((Cancelled, QueryError)):
        list(strange.execute(split("SELECT SLEEP(100)", "mysql")[0], {}).batches)
    thread.join()
    assert outcome == ["bad_password"]
    strange.close()
