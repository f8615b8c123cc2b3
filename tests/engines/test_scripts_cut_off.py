"""A script whose session is ended in the middle: which statement it met, and what of those before it stands."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pyarrow as pa
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("own", spares=False)

SLEEPS = {"postgresql": "SELECT pg_sleep(600)", "mysql": "SELECT sleep(600)"}
ENDS = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
STOPS = {"postgresql": "SELECT pg_cancel_backend({})", "mysql": "KILL QUERY {}"}
SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND usename = 'tusk' AND query LIKE '%sleep(600%'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = 'tusk' AND info LIKE '%sleep(600%'",
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


def run_until(engine, admin, script, command, at_work=SESSIONS):
    """Run a script, and do something to its session on the server when it sleeps; return the error."""
    work = script if callable(script) else lambda: engine.run(script)

    def act() -> None:
        with admin.cursor() as cursor:

            def sessions():
                cursor.execute(at_work[engine.name])
                return cursor.fetchall()

            wait_until(sessions, what="the script sleeps")
            cursor.execute(command[engine.name].format(sessions()[0][0]))

    thread = threading.Thread(target=act)
    thread.start()
    with pytest.raises(errors.TuskError) as caught:
        work()
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


TRIGGERS = {
    "postgresql": [
        "CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$",
        "CREATE TRIGGER dawdles BEFORE INSERT ON steps FOR EACH ROW EXECUTE FUNCTION dawdle()",
    ],
    "mysql": ["CREATE TRIGGER dawdles BEFORE INSERT ON steps FOR EACH ROW SET NEW.i = SLEEP(600)"],
}


def test_an_upload_that_somebody_stopped_on_the_server_is_no_cancel_of_the_user(server_engine):  # R15
    engine, admin = server_engine
    for sql in TRIGGERS[engine.name]:
        engine.run(sql)
    rows = pa.table({"i": pa.array([1, 2], pa.int32())})
    request = control.UploadRequest(session="", connection=engine.name, table="steps", append=True)
    at_work = {
        "postgresql": "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%steps%'",
        "mysql": "SELECT id FROM information_schema.processlist WHERE user = 'tusk' AND state = 'User sleep'",
    }
    told = run_until(engine, admin, lambda: engine.client.upload(request, rows), STOPS, at_work)
    assert isinstance(told, errors.Cancelled)
    assert told.scenario == "cancelled_on_server"
    assert told.message.endswith("Nothing of the upload stays.")
    assert steps(engine) == 0


def test_an_error_that_rolls_the_open_transaction_back_says_so(sqlite_engine):
    sqlite_engine.run("CREATE TABLE steps (i integer primary key); INSERT INTO steps VALUES (1)")
    sqlite_engine.run("BEGIN; INSERT INTO steps VALUES (2)")
    with pytest.raises(errors.QueryError) as caught:
        sqlite_engine.run("INSERT OR ROLLBACK INTO steps VALUES (1)")
    assert "All of the open transaction is rolled back; what follows runs outside of it." in caught.value.message
    with pytest.raises(errors.QueryError) as caught:
        sqlite_engine.run("INSERT INTO steps VALUES (1)")
    assert "transaction" not in caught.value.message
    assert sqlite_engine.value("SELECT count(*) FROM steps") == 1


def test_an_error_behind_an_implicit_commit_does_not_say_that_it_was_rolled_back(mysql_engine):
    mysql_engine.run("DROP TABLE IF EXISTS steps; CREATE TABLE steps (i integer)")
    with pytest.raises(errors.QueryError) as caught:
        mysql_engine.run("BEGIN; INSERT INTO steps VALUES (1); CREATE TABLE steps (i integer)")
    assert "has ended with it: look at what of it stands" in caught.value.message
    assert mysql_engine.value("SELECT count(*) FROM steps") == 1
