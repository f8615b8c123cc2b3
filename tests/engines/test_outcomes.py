"""What is said of a run that was stopped is what was seen of it, over links that freeze and processes that are killed."""

from __future__ import annotations

import contextlib
import socket
import threading

import psutil
import pytest
from services import freeze, wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.version import PROTOCOL_VERSION

pytestmark = pytest.mark.home("own", spares=False)


class Road:
    """A TCP road to a server on which all traffic can be stopped and let go on."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self):
        self._open.clear()

    def thaw(self):
        self._open.set()

    def close(self):
        self.thaw()
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
            self._open.wait()
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def road(request):
    made = []

    def make(host, port):
        made.append(Road(host, port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("name", ["postgresql", "mysql"])
def test_over_a_frozen_link_the_outcome_is_not_known_and_the_row_may_come(name, request, road, second_client):
    engine = request.getfixturevalue(f"{name}_engine")
    server = request.getfixturevalue("postgresql" if name == "postgresql" else "mariadb")
    link = road(server.host, server.port)
    url = server.url.replace(f"@{server.host}:{server.port}/", f"@127.0.0.1:{link.port}/")
    client = engine.client
    client.call(control.SaveConnection(session=client.session, name="far", url=url, tier="memory"))
    engine.run("DROP TABLE IF EXISTS slow_rows", client=second_client)
    engine.run("CREATE TABLE slow_rows (i integer)", client=second_client)
    client.run(control.RunRequest(session="", connection="far", sql="SELECT 1"))

    def freeze_link():
        wait_until(lambda: client.call(control.ListRuns()).runs, 15.0, "the run is under way")
        wait_until(lambda: running(engine, request), 15.0, "the server runs it")
        link.freeze()

    freezer = threading.Thread(target=freeze_link)
    freezer.start()
    sleep = "SELECT 1 FROM pg_sleep(8)" if name == "postgresql" else "SELECT 1 + sleep(8)"
    with pytest.raises(errors.TimeoutExceeded) as caught:
        client.run(control.RunRequest(session="", connection="far", sql=f"INSERT INTO slow_rows {sleep}", timeout_s=2))
    freezer.join()
    said = caught.value
    assert "Its outcome is not known" in said.message
    assert "was stopped" not in said.message
    assert said.scenario == "outcome_unknown"
    assert "Look at the data" in said.hint
    entry = client.call(control.ReadLog(limit=1000, connection="far")).entries[0]
    assert "Its outcome is not known" in entry.error
    link.thaw()


def running(engine, request):
    if engine.name == "postgresql":
        import psycopg

        with psycopg.connect(request.getfixturevalue("postgresql").admin_dsn) as admin:
            asked = (
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO slow_rows%'"
            )
            return admin.execute(asked).fetchone()[0]
    with request.getfixturevalue("mariadb").connect(admin=True) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO slow_rows%'")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
def test_of_an_engine_without_a_server_none_is_spoken_of(name, request):
    engine = request.getfixturevalue(f"{name}_engine")
    engine.run("SELECT 1")  # its process is up: on a loaded machine the start alone takes a second
    with pytest.raises(
        errors.TimeoutExceeded,
        match=r"longer than its 1 s( \(.* until its session was there for it\))? and was stopped\.\n",
    ):
        engine.run(engine.long, timeout_s=1)
    core = engine.client.call(control.GetCoreStatus(client_version="t", protocol=PROTOCOL_VERSION)).pid

    def freeze_all():
        wait_until(lambda: engine.client.call(control.ListRuns()).runs, 15.0, "the run is under way")
        for child in psutil.Process(core).children():
            freeze(child.pid)

    freezer = threading.Thread(target=freeze_all)
    freezer.start()
    with pytest.raises(errors.TimeoutExceeded) as caught:
        engine.run(engine.long, timeout_s=2)
    freezer.join()
    assert "Its outcome is not known" in caught.value.message
    assert "server" not in caught.value.message + caught.value.hint


SURVIVES = """DO $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN
BEGIN INSERT INTO pins VALUES (9); EXCEPTION WHEN query_canceled THEN INSERT INTO pins VALUES (9); END; END $$"""
"""Two stops: the server's own, and the core's where that comes late."""


def test_a_statement_that_ended_well_though_it_was_to_be_stopped_is_told_as_ended(postgresql_engine):
    engine = postgresql_engine
    engine.run("CREATE TABLE IF NOT EXISTS pins (i integer)")
    engine.run("DELETE FROM pins")
    done = engine.run(SURVIVES, timeout_s=1)
    assert "had completed before it could be stopped" in done.notes[-1]
    assert last(engine).status == "completed"
    assert engine.value("SELECT count(*) FROM pins WHERE i = 9") == 1
    with pytest.raises(errors.TimeoutExceeded) as caught:
        engine.run("INSERT INTO pins VALUES (10); SELECT pg_sleep(600)", timeout_s=1)
    assert "Statement 2 of 2 was stopped; 1 was run before it and stands." in caught.value.message
    assert "1 was run before it and stands" in last(engine).error
    with pytest.raises(errors.TimeoutExceeded, match="1 was run before it and is in the open transaction"):
        engine.run("BEGIN; SELECT pg_sleep(600)", timeout_s=1)
    engine.run("ROLLBACK")
    caught_it = f"{SURVIVES}; INSERT INTO pins VALUES (11)"
    with pytest.raises(errors.TimeoutExceeded, match="Statement 2 of 2 was not begun; 1 was run before it and stands"):
        engine.run(caught_it, timeout_s=1)
    assert engine.value("SELECT count(*) FROM pins WHERE i > 9") == 1
    divides = SURVIVES.replace("INSERT INTO pins VALUES (9)", "PERFORM 1 / 0")
    with pytest.raises(errors.QueryError, match="Division by zero"):
        engine.run(divides, timeout_s=1)
    assert last(engine).status == "failed"


STUBBORN = """
    CREATE OR REPLACE FUNCTION stubborn() RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$
"""


def test_of_a_session_that_was_ended_on_the_server_its_own_last_word_is_told(postgresql_engine):
    engine = postgresql_engine
    engine.run(f"CREATE TABLE IF NOT EXISTS pins (i integer); DELETE FROM pins; {STUBBORN}")
    with pytest.raises(errors.TimeoutExceeded) as caught:
        engine.run("INSERT INTO pins SELECT stubborn()", timeout_s=1)
    said = caught.value.message
    assert said.startswith("The run took longer than its 1 s. ")
    if "The server ended the session" in said:  # under load the driver's own process may be ended before it reads that
        assert "what it changed, and all of its transaction, is rolled back" in said
        assert "confirmed" not in said
        assert "not known" not in said
    else:
        assert "Its outcome is not known" in said
    assert last(engine).status == "timeout"
    with pytest.raises(errors.SessionLost):
        engine.run("SELECT 1")
    assert engine.value("SELECT count(*) FROM pins") == 0


def test_a_cancel_that_could_not_reach_the_server_is_told_with_its_reason(mysql_engine, mariadb):
    engine = mysql_engine
    engine.run("CREATE TABLE IF NOT EXISTS pins (i integer)")
    with mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
        cursor.execute("GRANT USAGE ON *.* TO tusk@'%' WITH MAX_USER_CONNECTIONS 1")
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'tusk'")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")  # the limit is that of sessions which begin from now on
        try:
            with pytest.raises(errors.SessionLost, match="None of this was run"):
                engine.run("SELECT 1")  # once: the session in which the table was made has ended
            engine.run("SELECT 1")
            done = engine.run("INSERT INTO pins SELECT 1 + 0 * sleep(2.5)", timeout_s=1)
        finally:
            cursor.execute("GRANT USAGE ON *.* TO tusk@'%' WITH MAX_USER_CONNECTIONS 0")
    assert done.statements[0].affected == 1
    assert "could not be asked to stop it" in done.notes[-1]
    assert "max_user_connections" in done.notes[-1]
    assert last(engine).status == "completed"


def last(engine):
    return engine.client.call(control.ReadLog(limit=1, connection=engine.name)).entries[0]
