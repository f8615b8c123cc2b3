"""A session that its server ends: its own reason, what became of the statement, and nothing taken for it that is not."""

from __future__ import annotations

import contextlib
import threading

import pymysql
import pytest
from services import mariadb as services
from services import wait_until
from services.proxies import proxy_to

from tusk_drivers.mysql.errors import from_server
from tusk_jupyter.driverkit.gone import ITS_OWN_COMMITS, NOT_KNOWN
from tusk_jupyter.errors import ConnectError, QueryError


def while_it_runs(server, client, action) -> threading.Thread:
    """Do something from elsewhere once the session's statement runs."""
    backend = client.session.backend

    def act() -> None:
        with contextlib.closing(server.connect(admin=True)) as watcher, watcher.cursor() as cursor:

            def runs() -> bool:
                cursor.execute(
                    "SELECT 1 FROM information_schema.processlist WHERE id = %s AND info LIKE '%%SLEEP%%'", [backend]
                )
                return cursor.fetchone() is not None

            wait_until(runs, what="the statement runs")
            action(cursor)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_a_session_that_idled_too_long_is_known_before_anything_runs(connect, sslmode):  # R15
    client = connect(sslmode=sslmode)
    client.run("SET wait_timeout = 1")
    wait_until(lambda: not client.session.is_alive(), what="the server has ended the session")
    assert "while it was idle" in client.session.parting_words()
    with pytest.raises(ConnectError) as caught:
        client.value("SELECT 1")
    assert "Nothing of this run was executed" in caught.value.message
    assert not (caught.value.detail or "").startswith("stage=")


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_a_session_that_is_killed_while_idle_has_the_servers_reason(connect, admin, sslmode):
    client = connect(sslmode=sslmode)
    admin.run(f"KILL {client.session.backend}")
    wait_until(lambda: not client.session.is_alive(), what="the server has ended the session")
    assert "while it was idle" in client.session.parting_words()


@pytest.mark.parametrize(
    "ending",
    [
        ["COMMIT RELEASE"],
        ["rollback /* and */ release"],
        ["SET completion_type = 'RELEASE'", "COMMIT"],
        ["SET completion_type = 2", "ROLLBACK"],
        ["SET STATEMENT max_statement_time = 5 FOR COMMIT RELEASE"],
        ["SET STATEMENT completion_type = 2 FOR COMMIT"],
    ],
)
def test_a_session_that_release_ends_is_known_to_have_ended_at_once(mariadb, connect, ending):
    with proxy_to("127.0.0.1", mariadb.port) as proxy:
        client = connect(port=proxy.port)
        proxy.ends_late_s = 0.3  # the server sends its answer first and closes afterwards
        for statement in ["BEGIN", *ending]:
            client.run(statement)
        assert not client.session.is_alive()


def test_a_commit_that_keeps_its_session_costs_no_further_exchange(mariadb, connect):
    with proxy_to("127.0.0.1", mariadb.port) as proxy:
        client = connect(port=proxy.port, sslmode="disable")
        for statement in ("BEGIN", "SET completion_type = 'RELEASE'", "SET completion_type = 0"):
            client.run(statement)
        before = proxy.passed
        client.run("COMMIT")
        assert proxy.passed - before == len("COMMIT") + 5  # a packet's head of 4 bytes, and the command's


def test_a_killed_sessions_statement_is_no_cancel_of_the_user(client, admin, mariadb):
    admin.run("CREATE TABLE tusk.ended (n int)")
    thread = while_it_runs(mariadb, client, lambda cursor: cursor.execute(f"KILL {client.session.backend}"))
    with pytest.raises(ConnectError) as caught:
        client.run("INSERT INTO ended SELECT SLEEP(600)")
    thread.join()
    assert caught.value.scenario in ("cancelled_by_admin", "link_lost")
    assert "session" in caught.value.message or "link" in caught.value.message
    assert not (caught.value.detail or "").startswith("stage=")
    assert admin.value("SELECT count(*) FROM tusk.ended") == 0
    admin.run("DROP TABLE tusk.ended")


def test_a_server_that_is_stopped_in_a_statement_says_so(connect, mysql_settings):
    with services.running(tls=False) as server:
        client = connect(port=server.port, user=server.user)
        thread = while_it_runs(server, client, stop)
        with pytest.raises(ConnectError) as caught:
            client.value("SELECT SLEEP(600)")
        thread.join()
    assert caught.value.scenario in ("shutdown", "cancelled_by_admin", "link_lost")
    assert not (caught.value.detail or "").startswith("stage=")


def stop(cursor) -> None:
    with contextlib.suppress(pymysql.MySQLError):
        cursor.execute("SHUTDOWN")


def test_a_link_that_is_cut_in_a_statement_leaves_its_effect_open(connect, mariadb):
    with proxy_to(mariadb.host, mariadb.port) as proxy:
        client = connect(port=proxy.port)
        thread = while_it_runs(mariadb, client, lambda _: proxy.cut())
        with pytest.raises(ConnectError) as caught:
            client.value("SELECT SLEEP(600)")
        thread.join()
    assert caught.value.scenario == "link_lost"
    assert "not known" in caught.value.message
    assert not (caught.value.detail or "").startswith("stage=")


@pytest.mark.parametrize("number", [1045, 1049, 1053, 1153, 1927, 4031, 2006, 2013, 1040])
def test_a_statement_may_raise_any_number(client, number):  # C14
    with pytest.raises(QueryError) as caught:
        client.run(
            f"BEGIN NOT ATOMIC SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'told so'; END"
        )
    assert caught.value.code == str(number)
    assert caught.value.message.startswith("told so")
    assert client.value("SELECT 1") == 1


def test_a_statement_that_is_too_large_leaves_the_session(client, admin):  # 1153: the server would end it
    client.run("SET @kept = 42")
    most = admin.value("SELECT @@global.max_allowed_packet")
    with pytest.raises(QueryError, match="max_allowed_packet") as caught:
        client.value(f"SELECT '{'x' * most}'")
    assert caught.value.code == "1153"
    assert client.value("SELECT @kept") == 42


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("INSERT INTO t VALUES (1)", "in transactional tables, and all of its transaction, is rolled back"),
        ("CALL p()", ITS_OWN_COMMITS),
        ("ALTER TABLE t ADD b INT", ITS_OWN_COMMITS),
        ("commit", NOT_KNOWN),
    ],
)
def test_what_is_said_of_a_statement_whose_session_was_ended_fits_its_kind(statement, words):
    error = pymysql.err.OperationalError(1927, "Connection was killed")
    error.sqlstate = "70100"
    told = from_server(error, statement=statement, ended=True)
    assert words in told.message
    assert (told.code, told.scenario) == ("1927", "cancelled_by_admin")
