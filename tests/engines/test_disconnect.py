"""`disconnect` closes a notebook's own session: what was in it goes, its file is free, and the next run is not refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from engines.conftest import Engine, connect
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("own", spares=False)

TUSK = str(Path(sys.executable).with_name("tusk"))
OPENS = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"


def is_free(engine: Engine) -> bool:
    """Return whether another program can open the file."""
    return (
        subprocess.run([sys.executable, "-c", OPENS, str(engine.file)], capture_output=True, check=False).returncode
        == 0
    )


def test_a_database_file_is_free_for_others_and_the_next_run_is_not_refused(duckdb_engine):
    duckdb_engine.run("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    assert not is_free(duckdb_engine), "the session has something in it and keeps the file"
    done = duckdb_engine.client.disconnect("duckdb")
    assert (done.connection, done.held, done.transaction, done.others) == ("duckdb", True, "idle", ())
    assert is_free(duckdb_engine)
    result = duckdb_engine.run("SELECT count(*) FROM information_schema.tables WHERE table_name = 'mine'")
    assert result.table.column(0)[0].as_py() == 0
    assert not result.accepted.session_lost, "that it is a new session is what was asked for"


def test_an_open_transaction_is_rolled_back_and_that_is_said(engine, capsys):
    engine.run("DROP TABLE IF EXISTS undone_at_the_end")
    engine.run("CREATE TABLE undone_at_the_end (a int)")
    engine.run("BEGIN")
    engine.run("INSERT INTO undone_at_the_end VALUES (1)")
    done = engine.client.disconnect(None)
    assert (done.connection, done.transaction) == (engine.name, "open")
    assert engine.value("SELECT count(*) FROM undone_at_the_end") == 0
    engine.run("DROP TABLE undone_at_the_end")


def test_it_is_refused_while_a_run_is_under_way(duckdb_engine):
    caught: list[errors.TuskError] = []

    def run() -> None:
        try:
            duckdb_engine.run(duckdb_engine.long)
        except errors.TuskError as exc:
            caught.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    ask = duckdb_engine.client.call
    (state,) = wait_until(lambda: ask(control.ListRuns()).runs, 20.0, "it runs")
    with pytest.raises(errors.UsageError, match=f"run {state.run[:8]} is under way") as refused:
        duckdb_engine.client.disconnect("duckdb")
    assert f"%tusk cancel {state.run[:8]}" in refused.value.hint
    ask(control.CancelRun(run=state.run))
    thread.join(20)
    assert caught[0].scenario == "cancelled_by_user"
    assert duckdb_engine.client.disconnect("duckdb").session


def test_who_else_has_the_file_open_is_said(duckdb_engine, second_client):
    connect(second_client, "same", str(duckdb_engine.file))
    duckdb_engine.run("SELECT 1")
    second_client.run(control.RunRequest(session="", connection="same", sql="CREATE TABLE t (a int)"))
    assert duckdb_engine.client.disconnect("duckdb").others == ("second.ipynb",)
    assert not is_free(duckdb_engine)
    assert second_client.disconnect("same").others == ()
    assert is_free(duckdb_engine)
    assert duckdb_engine.client.disconnect("duckdb").session == "", "there is none any more"


def test_the_list_of_connections_names_who_has_each_open(duckdb_engine, second_client, tusk_home):
    def listed() -> str:
        command = [TUSK, "connections"]
        return subprocess.run(command, env=tusk_home.environment(), capture_output=True, text=True, check=True).stdout

    assert "ipynb" not in listed()
    for client in (duckdb_engine.client, second_client):
        duckdb_engine.run("CREATE OR REPLACE TEMP TABLE mine AS SELECT 1 AS a", client=client)
    assert "  engines.ipynb, second.ipynb  " in listed()
    (own,) = second_client.call(control.ListConnections(session=second_client.session)).connections
    assert (own.state, own.others) == ("connected", ("engines.ipynb",))


def test_a_connection_is_not_open_because_another_one_to_the_same_file_is(duckdb_engine, second_client):
    connect(second_client, "same", str(duckdb_engine.file))
    duckdb_engine.run("CREATE OR REPLACE TEMP TABLE mine AS SELECT 1 AS a")
    own, same = second_client.call(control.ListConnections(session=second_client.session)).connections
    assert (own.name, own.state, own.others) == ("duckdb", "disconnected", ("engines.ipynb",))
    assert (same.name, same.state, same.others) == ("same", "disconnected", ())
