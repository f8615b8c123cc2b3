"""A driver process that ends under its statement: the server goes no further with it, and the words say what is known."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import psycopg
import pymysql
import pytest
from engines.conftest import Engine
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("own", spares=False)

ROWS = 200
INSERTS = {
    "postgresql": f"INSERT INTO written SELECT n, pg_sleep(0.002)::text FROM generate_series(1, {ROWS}) n",
    "mysql": f"INSERT INTO written SELECT seq, SLEEP(0.002) FROM seq_1_to_{ROWS}",
}
STAYS_FOR_MINUTES = {
    "postgresql": "INSERT INTO written SELECT n, pg_sleep(600 * n)::text FROM generate_series(0, 1) n",
    "mysql": "INSERT INTO written SELECT seq, SLEEP(IF(seq > 1, 600, 0)) FROM seq_1_to_2",
}
SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE query LIKE '%INTO written%' AND usename = 'tusk' "
    "AND state <> 'idle'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = 'tusk' AND info LIKE '%INTO written%'",
}
ENDS = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
WRITERS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tusk' AND backend_xid IS NOT NULL",
    "mysql": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0",
}
OUTCOMES = {"nothing of the statement stays": {0}, "had committed": {ROWS}, "may have taken effect": {0, ROWS}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An engine, and what its server says of the sessions there."""

    engine: Engine
    backends: Callable[[], list[str]]
    """Ids of the sessions at work in the table `written`."""
    count: Callable[[], int]
    writes: Callable[[], int]
    """How many transactions have written something and are not at their end."""
    empty: Callable[[], object]

    @property
    def core(self) -> psutil.Process:
        return psutil.Process(self.engine.client.call(control.GetCoreStatus(client_version="t", protocol=1)).pid)

    def driver(self) -> psutil.Process:
        """Return the driver process that has a session, opened if there is none; a spare has no link."""
        wait_until(self._answers, 10.0, "a session is there")
        return next(one for one in self.core.children() if one.net_connections("tcp"))

    def _answers(self) -> bool:
        try:
            return bool(self.engine.run("SELECT 1"))
        except errors.TuskError:
            return False


@pytest.fixture(params=["postgresql", "mysql"])
def watched(request):
    engine = request.getfixturevalue(f"{request.param}_engine")
    server = request.getfixturevalue({"mysql": "mariadb"}.get(request.param, request.param))
    engine.run("CREATE TABLE written (n bigint, word text)")
    with contextlib.closing(_administrator(request.param, server)) as admin:
        one_at_a_time = threading.Lock()

        def look(sql: str) -> list[tuple[int, ...]]:
            with one_at_a_time, admin.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []

        yield Watched(
            engine=engine,
            backends=lambda: [str(number) for (number,) in look(SESSIONS[request.param])],
            count=lambda: look("SELECT count(*) FROM written")[0][0],
            writes=lambda: look(WRITERS[request.param])[0][0],
            empty=lambda: look("DELETE FROM written"),
        )
        for (number,) in look(SESSIONS[request.param]):  # what a test has left running would hold the table
            with contextlib.suppress(pymysql.MySQLError):
                look(ENDS[request.param].format(number))
        look("DROP TABLE written")


def _administrator(kind, server):
    return server.connect(admin=True) if kind == "mysql" else psycopg.connect(server.admin_dsn, autocommit=True)


def kill_when(watched: Watched, ready: Callable[[], bool]) -> threading.Thread:
    """Kill the driver as soon as `ready` says so, or its statement has ended."""

    driver = watched.driver()

    def kill() -> None:
        wait_until(watched.backends, 20.0, "the server runs it")
        while watched.backends() and not ready():
            pass
        if watched.backends():
            driver.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_the_server_goes_no_further_with_a_killed_drivers_statement(watched):  # R7
    killer = kill_when(watched, lambda: watched.writes() > 0)
    with pytest.raises(errors.DriverCrashed) as caught:
        watched.engine.run(STAYS_FOR_MINUTES[watched.engine.name])
    killer.join()
    assert watched.backends() == [], "the statement goes on at the server after its user was told"
    assert watched.count() == 0
    if watched.engine.name == "mysql":  # no MySQL server says what became of a statement
        assert "may have taken effect" in caught.value.message
        assert "Check" in caught.value.hint
    else:  # the second is said when the server has found out by itself, before it could be asked
        assert any(
            words in caught.value.message for words in ("nothing of the statement stays", "may have taken effect")
        )


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.soak)])
def test_words_and_database_agree_at_whatever_moment_a_driver_is_killed(watched, kills):  # R7
    told = []
    for _ in range(kills):
        looks = 0 if not told else random.randint(0, 200)
        counter = iter(range(looks))
        killer = kill_when(watched, lambda counter=counter: next(counter, None) is None)
        try:
            watched.engine.run(INSERTS[watched.engine.name])
        except errors.DriverCrashed as exc:
            said = next(words for words in OUTCOMES if words in exc.message)
            wait_until(lambda: not watched.backends(), 5.0, "the session is gone from the server")
            assert watched.count() in OUTCOMES[said], (looks, exc.message)
            told.append(said)
        else:
            assert watched.count() == ROWS
        killer.join()
        watched.empty()
    assert told, "no driver was killed in time"


def test_of_a_script_that_had_come_some_way_it_is_not_said_that_nothing_stays(watched):  # R7
    killer = kill_when(watched, lambda: watched.writes() > 0)
    script = f"INSERT INTO written VALUES (-1, 'first'); {STAYS_FOR_MINUTES[watched.engine.name]}"
    with pytest.raises(errors.DriverCrashed) as caught:
        watched.engine.run(script)
    killer.join()
    assert watched.count() == 1
    assert "nothing of the statement stays" not in caught.value.message
    assert "Check in the database" in caught.value.hint
    assert "can be run again" not in caught.value.hint


def test_a_driver_that_is_killed_between_runs_holds_no_lock(watched):  # R7
    engine = watched.engine
    engine.run("BEGIN")
    engine.run("INSERT INTO written VALUES (1, 'held')")
    for process in watched.core.children():
        process.kill()
    engine_b = engine.client  # the same notebook, in a new session
    wait_until(lambda: _takes_lock(engine, engine_b), 20.0, "the table is free")
    assert watched.count() == 0


def _takes_lock(engine, client) -> bool:
    try:
        engine.run("ALTER TABLE written ADD COLUMN more integer", client=client, timeout_s=5.0)
    except errors.TuskError:
        return False
    return True


def test_a_killed_cores_statements_end_on_the_server(watched):  # R7: drivers end with their lifeline
    killer = threading.Thread(
        target=lambda: (wait_until(watched.backends, 20.0, "the server runs it"), watched.core.kill())
    )
    killer.start()
    with pytest.raises(errors.TuskError):
        watched.engine.run(STAYS_FOR_MINUTES[watched.engine.name])
    killer.join()
    wait_until(lambda: not watched.backends(), 10.0, "the statement has ended on the server")
    assert watched.count() == 0


def test_a_server_that_cannot_be_asked_is_told_as_such(watched):  # R7
    """The second sign-in fails: its password is not the one any more."""
    engine = watched.engine

    def lock_out() -> None:
        engine.client.call(control.DeleteCredential(connection=engine.name))

    killer = kill_when(watched, lambda: lock_out() is None)
    with pytest.raises(errors.DriverCrashed) as caught:
        engine.run(STAYS_FOR_MINUTES[engine.name])
    killer.join()
    assert "could not be confirmed" in caught.value.message
