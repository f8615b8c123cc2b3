"""A script whose session is ended in the middle: which statement it met, and what of those before it stands."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

SLEEPS = {"postgresql": "SELECT pg_sleep(600)", "mysql": "SELECT sleep(600)"}
ENDS = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
STOPS = {"postgresql": "SELECT pg_cancel_backend({})", "mysql": "KILL QUERY {}"}
SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND usename = 'tusk' AND query LIKE '%{}(600%'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = 'tusk' AND info LIKE '%{}(600%'",
}


@pytest.fixture(params=["postgresql", "mysql"])
def server_engine(request):
    """An engine with a server and an empty table `steps`, and its administrator."""
    engine = request.getfixturevalue(f"{request.param}_engine")
    engine.run("DROP TABLE IF EXISTS steps; CREATE TABLE steps (i integer)")
    if request.param == "postgresql":
        admin = psycopg.connect(request.getfixturevalue("postgresql").admin_dsn, autocommit=True)
    else:
        admin = request.getfixturevalue("mariadb").connect(admin=True)
    with contextlib.closing(admin):
        yield engine, admin


def run_until(engine, admin, script, command, what="sleep"):
    """Run a script, and do something to its session on the server when it sleeps; return the error."""

    def act() -> None:
        with admin.cursor() as cursor:

            def sessions():
                cursor.execute(SESSIONS[engine.name].format(what))
                return cursor.fetchall()

            wait_until(sessions, what="the script sleeps")
            cursor.execute(command[engine.name].format(sessions()[0][0]))

    thread = threading.Thread(target=act)
    thread.start()
    with pytest.raises(errors.TuskError) as caught:
        engine.run(script)
    thread.join()
    return caught.value


def steps(engine):
    with contextlib.suppress(errors.SessionLost):
        return engine.value("SELECT count(*) FROM steps")
    return engine.value("SELECT count(*) FROM steps")


def test_the_end_of_the_session_names_the_statement_and_what_stands(server_engine):  # R5, R15
    engine, admin = server_engine
    sleeps = SLEEPS[engine.name]
    told = run_until(engine, admin, f"INSERT INTO steps VALUES (1); {sleeps}", ENDS)
    assert isinstance(told, errors.ConnectError)
    assert told.message.endswith("Statement 2 of 2 was under way; 1 was run before it and stands.")
    assert steps(engine) == 1
    told = run_until(engine, admin, f"BEGIN; INSERT INTO steps VALUES (2); {sleeps}; COMMIT", ENDS)
    assert (
        "Statement 3 of 4 was under way; 2 were run before it, and what they had in the open transaction stands only if "
        "this statement committed it." in told.message
    )
    assert steps(engine) == 1
    told = run_until(engine, admin, f"BEGIN; INSERT INTO steps VALUES (2); COMMIT; {sleeps}", ENDS)
    assert told.message.endswith("Statement 4 of 4 was under way; 3 were run before it and stand.")
    assert steps(engine) == 2


def test_a_statement_that_somebody_stopped_on_the_server_is_no_cancel_of_the_user(server_engine):  # R15
    engine, admin = server_engine
    counts = {
        "postgresql": "INSERT INTO steps SELECT 1 FROM pg_sleep(600)",
        "mysql": "INSERT INTO steps SELECT sleep(600)",
    }
    told = run_until(engine, admin, f"INSERT INTO steps VALUES (1); {counts[engine.name]}", STOPS)
    assert isinstance(told, errors.Cancelled)
    assert told.scenario == "cancelled_on_server"
    assert "on the server" in told.hint
    assert told.message.endswith("Statement 2 of 2 was stopped; 1 was run before it and stands.")
    entry = engine.client.call(control.ReadLog(limit=1, connection=engine.name)).entries[0]
    assert entry.status == "cancelled"
    told = run_until(engine, admin, counts[engine.name], STOPS)
    assert {"postgresql": "due to user request", "mysql": "interrupted"}[engine.name] in told.message
    assert steps(engine) == 1
