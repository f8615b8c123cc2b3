"""A run's time limit counts from when it was asked for: whatever is waited for before its statement is within it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from services.strangers import is_silent, stranger

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.protocol import control
from tusk_jupyter.service import openings as openings_module
from tusk_jupyter.service.openings import Openings
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.sessions import Session, Sessions
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.system.places import Places

pytestmark = pytest.mark.home("shared")

WENT = "(connecting to|starting the driver process for)"
"""What took the time; on a busy machine a driver may take longer to start than these runs have."""


@pytest.mark.parametrize("url", ["postgresql://ann@127.0.0.1:{port}/shop", "mysql://ann@127.0.0.1:{port}/shop"])
def test_a_server_that_takes_the_connection_and_never_answers(client, core, url):
    with stranger(is_silent) as port:
        core.connect(client, "far", url.format(port=port), test=False)
        with pytest.raises(
            errors.TimeoutExceeded, match="longer than its 6 s: connecting to 'far' took all of it"
        ) as caught:
            core.run(client, "SELECT 1", on="far", timeout_s=6.0)
    assert "Nothing of it was executed" in caught.value.message
    assert caught.value.scenario == "connect_timeout"
    for way_out in ("Check host and port", "firewall", "--timeout"):
        assert way_out in (caught.value.hint or "")
    (entry,) = core.log(client)
    assert (entry.status, entry.connection) == ("timeout", "far")


def test_the_preference_counts_for_the_sign_in_too_and_the_next_run_has_the_session(client, core):
    core.connect(client, "slow", "scripted://host/db?mood=slow", test=False)
    client.call(control.SetPreference(name="timeout_s", value="0.5"))
    with pytest.raises(errors.TimeoutExceeded, match=f"{WENT} 'slow' took all of it"):
        core.run(client, "SELECT rows 2", on="slow")
    client.call(control.SetPreference(name="timeout_s", value=None))
    assert core.run(client, "SELECT rows 2", on="slow").rows == 2


def test_a_password_command_that_waits_for_somebody(client, core):
    core.connect(client, "asking", password_command="sleep 3; echo open sesame", test=False)
    with pytest.raises(errors.TimeoutExceeded, match="getting the password of 'asking' took all of it") as caught:
        core.run(client, "SELECT rows 2", on="asking", timeout_s=0.5)
    assert "password command" in (caught.value.hint or "")


def test_another_run_of_the_notebook(client, core):
    first = threading.Thread(target=lambda: core.run(client, "SELECT wait 3"))
    first.start()
    core.await_running(client)
    with pytest.raises(
        errors.TimeoutExceeded, match=r"longer than its 0\.5 s: another run of this notebook has used 's'"
    ):
        core.run(client, "SELECT rows 2", timeout_s=0.5)
    first.join()


def test_a_statement_has_what_the_sign_in_left_of_the_time(client, core):
    core.connect(client, "slow", "scripted://host/db?mood=slow", test=False)
    with pytest.raises(
        errors.TimeoutExceeded, match=r"longer than its 8 s \(\d\.\d s of it until its session was there"
    ):
        core.run(client, "SELECT wait 60", on="slow", timeout_s=8.0)


def test_a_sign_in_of_its_own_for_each_run_ends_with_its_run(client, core):
    core.connect(client, "strict", "scripted://host/db?mood=slow", isolation="statement", test=False)
    with pytest.raises(errors.TimeoutExceeded, match=f"{WENT} 'strict'"):
        core.run(client, "SELECT rows 2", on="strict", timeout_s=0.5)
    assert core.run(client, "SELECT rows 2", on="strict").rows == 2


def test_a_password_command_for_each_run_is_what_is_named(client, core):
    core.connect(client, "asking", password_command="sleep 3; echo open sesame", isolation="statement", test=False)
    with pytest.raises(errors.TimeoutExceeded, match="getting the password of 'asking' took all of it"):
        core.run(client, "SELECT rows 2", on="asking", timeout_s=0.5)


def opening(open_session):
    """Openings with one worker, and a run that has a tenth of a second."""
    record = ConnectionRecord(name="s", driver="sqlite")
    nowhere = SimpleNamespace(catalog=Catalog(Places(Path("/nowhere"))))
    run = Run(
        session=Session("notebook", record), source="", cell=None, sql="", dialect="sqlite", timeout_s=0.1, kind="query"
    )
    sessions = Sessions(nowhere, lambda _: {})
    return Openings(sessions, open_session, _workers=ThreadPoolExecutor(1)), run


def test_a_session_that_stands_just_as_the_time_is_up_is_no_internal_error(monkeypatch):
    def open_session(run, limit_s):
        return run.session

    def too_late(futures, timeout):
        for one in futures:
            one.result()
        return SimpleNamespace(done=set())

    openings, run = opening(open_session)
    monkeypatch.setattr(openings_module, "wait", too_late)
    with pytest.raises(errors.TimeoutExceeded, match="took all of it"):
        openings.session_for(run, usual_s=lambda: 10.0)


def test_an_opening_that_no_worker_was_free_for_is_not_begun_later():
    free, begun = threading.Event(), []

    def open_session(run, limit_s):
        begun.append(run)
        free.wait(10.0)
        return run.session

    openings, run = opening(open_session)
    openings._workers.submit(open_session, None, None)
    with pytest.raises(errors.TimeoutExceeded, match="too many other connections"):
        openings.session_for(run, usual_s=lambda: 10.0)
    free.set()
    openings._workers.shutdown(wait=True)
    assert begun == [None]
