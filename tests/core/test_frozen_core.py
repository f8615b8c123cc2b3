"""A core that is there and does not answer (swap, a disk that hangs, a stopped process): every wait on it has an end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest
from services import freeze, wait_until

from tusk_jupyter import errors
from tusk_jupyter.client import Client, driver_link, ending, link, pulse, runs, stopping, versions
from tusk_jupyter.protocol import calls, control


@contextmanager
def frozen(client, core):
    process = psutil.Process(core.status(client).pid)
    freeze(process.pid)
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


@pytest.fixture
def impatient(monkeypatch):
    """Less patience than people have."""
    monkeypatch.setattr(pulse, "QUIET_S", 0.2)
    monkeypatch.setattr(pulse, "PATIENCE_S", 0.5)
    monkeypatch.setattr(link, "CONNECT_S", 1.0)
    monkeypatch.setattr(runs, "OVERDUE_S", 0.2)


def waits_begun(client):
    """The marks that the scripted driver leaves as it begins to wait."""
    return {(mark, mark.stat().st_mtime_ns) for mark in client.link.places.run.glob("*/waiting")}


def once_running(client, core, then):
    """Freeze the core as soon as its driver executes the next "wait", then do the rest."""
    processes = []
    before = waits_begun(client)

    def work():
        wait_until(lambda: waits_begun(client) - before, 15.0, "the driver executes it")
        process = psutil.Process(core.status(client).pid)
        freeze(process.pid)
        processes.append(process)
        then()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, processes


@pytest.mark.parametrize("driver_takes_it", [True, False])
def test_an_interrupt_reaches_the_statement_though_the_core_is_frozen(
    notebook, core, monkeypatch, driver_takes_it
):  # R4
    if not driver_takes_it:  # as one of another package may not
        monkeypatch.setattr(stopping.driver_link, "leave", lambda driver, ticket: False)
    thread, found = once_running(notebook, core, lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(errors.Cancelled) as caught:
            core.run(notebook, "wait 600")
    finally:
        thread.join()
        found[0].resume()
    if not driver_takes_it:
        assert f"process {found[0].pid}" in caught.value.message
        assert "not yet confirmed" in caught.value.message
    entry = wait_until(lambda: ended(core, notebook), 30.0, "the statement has ended")
    assert entry.status == "cancelled"
    assert core.run(notebook, "rows 1").accepted.session_lost is False


def ended(core, client):
    entry = core.log(client)[0]
    return entry if entry.status != "running" else None


def test_a_call_and_a_run_end_with_the_process_and_what_to_do(notebook, core, impatient):  # R6
    with frozen(notebook, core) as process:
        for ask in (
            lambda: notebook.call(control.ListRuns()),
            lambda: core.run(notebook, "rows 1"),
            lambda: Client(notebook.link.places, source="fresh.ipynb").call(control.ListRuns()),
        ):
            with pytest.raises(errors.CoreError, match=f"process {process.pid}. does not answer") as caught:
                ask()
            assert "tusk core stop" in caught.value.hint
    wait_until(lambda: not notebook.call(control.ListRuns()).runs, 30.0, "what was asked for late has been given up")
    assert core.run(notebook, "rows 1").rows == 1


@pytest.fixture
def outcomes(notebook, monkeypatch):
    """What each call of the notebook came to, in the end: a scenario, the name of another error, or None."""
    seen = []
    ask = notebook.link._ask

    def recorded(request, timeout_s):
        try:
            reply = ask(request, timeout_s)
        except errors.TuskError as exc:
            seen.append(exc.scenario or type(exc).__name__)
            raise
        seen.append(None)
        return reply

    monkeypatch.setattr(notebook.link, "_ask", recorded)
    return seen


def sent(monkeypatch, *ages_s):
    """Have the next calls sent so long ago, as for a core that stood still since."""
    ages = iter(ages_s)
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: time.monotonic() - next(ages, 0.0)))


def test_what_was_told_as_failed_is_not_done_later(notebook, core, impatient, outcomes, monkeypatch):
    core.connect(notebook, "prod", test=False)
    notebook.call(control.UseConnection(session=notebook.session, name="s"))
    with frozen(notebook, core):
        outcomes.clear()
        sent(monkeypatch, 8.0)
        with pytest.raises(errors.CoreError, match="does not answer"):
            notebook.call(control.UseConnection(session=notebook.session, name="prod"))
    wait_until(lambda: outcomes, 15.0, "the core has heard of it")
    assert outcomes == ["received_late"]
    current = [
        one.name for one in notebook.call(control.ListConnections(session=notebook.session)).connections if one.current
    ]
    assert (current, notebook.last_connection) == (["s"], "s")


def test_what_the_core_received_late_is_asked_again_while_somebody_waits(notebook, outcomes, monkeypatch):
    outcomes.clear()
    sent(monkeypatch, 8.0, 8.0)
    assert notebook.call(control.UseConnection(session=notebook.session, name="s")).current
    assert outcomes == ["received_late", "received_late", None]


def test_a_timeout_holds_though_the_core_is_frozen(notebook, core, impatient):  # R6
    thread, found = once_running(notebook, core, lambda: None)
    try:
        with pytest.raises(errors.TimeoutExceeded, match="longer than its 1 s"):
            core.run(notebook, "wait 600", timeout_s=1)
    finally:
        thread.join()
        found[0].resume()
    assert core.run(notebook, "rows 1").rows == 1


def test_a_core_that_works_on_something_long_is_waited_for(notebook, core, impatient):
    seen = []
    waiting = threading.Thread(target=lambda: seen.append(core.run(notebook, "wait 3")))
    waiting.start()
    assert core.run(notebook, "rows 1").rows == 1  # behind it on the same session: six times the patience
    waiting.join()
    assert seen


def test_only_a_ticket_opens_the_way_to_leave(notebook, core):
    results = []
    thread = threading.Thread(target=lambda: results.append(core.run(notebook, "wait 2")))
    thread.start()
    core.await_running(notebook)
    location = next(iter(notebook._drivers._links))
    assert driver_link.leave(notebook._drivers._links[location], "guessed")
    thread.join()
    assert results


def test_a_run_whose_result_arrived_is_completed_in_the_log_though_its_core_died(notebook, core):  # R8
    results = []
    running = threading.Thread(target=lambda: results.append(core.run(notebook, "wait 1; change 3")))
    thread, found = once_running(notebook, core, lambda: None)
    running.start()
    thread.join()
    running.join()
    found[0].kill()
    found[0].wait()
    assert results[0].statements[1].affected == 3
    anew(notebook, core)  # the core after it takes what was left open for interrupted, until it is told
    entry = wait_until(lambda: completed(core, notebook, results[0]), 20.0, "the log has its end")
    assert (entry.affected, entry.statements, entry.error) == (3, 2, None)


def anew(client, core):
    """Run on a core that is started for it; the first run is told once of the session that went with the one before."""
    with contextlib.suppress(errors.SessionLost):
        return core.run(client, "rows 1", on="s")
    return core.run(client, "rows 1", on="s")


def completed(core, client, result):
    entry = next(one for one in core.log(client) if one.run == result.accepted.run)
    return entry if entry.status == "completed" else None


def test_a_run_whose_core_is_killed_may_have_taken_effect(notebook, core):  # R8
    thread, found = once_running(notebook, core, lambda: found[0].kill())
    with pytest.raises(errors.CoreError, match="may have taken effect") as caught:
        core.run(notebook, "wait 600")
    thread.join()
    assert "check what was done" in caught.value.hint
    assert anew(notebook, core).rows == 1


def test_what_was_told_as_failed_is_not_done_by_the_next_core(notebook, core, impatient, outcomes):
    with frozen(notebook, core) as process:
        outcomes.clear()
        with pytest.raises(errors.CoreError, match="does not answer"):
            notebook.call(
                control.SaveConnection(session=notebook.session, name="late", url="scripted://host/db", test=False)
            )
        process.kill()
        wait_until(lambda: outcomes, 15.0, "the call has ended")
    assert outcomes == ["PeerLost"]
    assert "late" not in [
        one.name for one in notebook.call(control.ListConnections(session=notebook.session)).connections
    ]
    assert anew(notebook, core).rows == 1


@pytest.mark.parametrize("protocol", [None, 99])
def test_core_stop_ends_a_frozen_core_of_any_version(notebook, core, monkeypatch, protocol):  # R6, R19
    monkeypatch.setattr(ending, "ASK_S", 0.5)
    anew(notebook, core)
    path = notebook.link.places.address_file
    pid = core.status(notebook).pid
    if protocol:  # written by a version that is not made yet
        said = json.loads(path.read_text())
        path.write_text(json.dumps({"pid": pid, "protocol": "two", "where": {"address": said["address"]}}))
    with frozen_pid(pid):
        ended_core = ending.end_core(notebook.link.places)
    assert (ended_core.pid, ended_core.how) == (pid, "killed")
    assert not path.exists()
    assert ending.end_core(notebook.link.places) is None


def test_core_stop_asks_a_core_that_answers(notebook, core):
    anew(notebook, core)
    ended_core = ending.end_core(notebook.link.places)
    assert ended_core.how == "asked"
    assert ended_core.sessions >= 1


def test_a_process_that_has_only_the_number_of_a_core_is_left_alone(notebook):
    """`core.json` outlives its core, and numbers are given out again."""
    with subprocess.Popen([sys.executable, "-c", "input()", "tusk_jupyter.service"], stdin=subprocess.PIPE) as other:
        notebook.link.places.address_file.write_text(json.dumps({"pid": other.pid}))
        assert ending.end_core(notebook.link.places) is None
        assert other.poll() is None
        other.kill()
    notebook.link.places.address_file.unlink()


def test_a_core_of_another_protocol_is_replaced_when_idle_and_named_when_in_use(notebook, core):  # R19
    anew(notebook, core)
    path = notebook.link.places.address_file
    said = json.loads(path.read_text())
    status = {"clients": 1, "running": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ending, "_ask", lambda address, action, request: dict(status) if action == "core.status" else None
        )
        freeze(said["pid"])  # else it writes its own words again
        path.write_text(json.dumps({**said, "protocol": 0, "version": "0.0.1"}))
        fresh = Client(notebook.link.places, source="new.ipynb")
        with pytest.raises(errors.VersionMismatch, match=f"process {said['pid']}.*notebooks use it") as caught:
            fresh.call(control.ListRuns())
        assert "tusk core stop" in caught.value.hint
        status["clients"] = 0
        assert fresh.call(control.ListRuns()).runs == ()
    assert core.status(fresh).pid != said["pid"]


def test_a_kernel_that_is_older_than_what_is_installed_is_told_to_restart(notebook, core, monkeypatch):  # R19
    address = notebook.link.address
    monkeypatch.setattr(versions, "_installed", lambda: "9.9")
    error = versions.mismatch(address)
    assert "was changed to 9.9" in error.message
    assert "Restart this kernel" in error.hint


@contextmanager
def frozen_pid(pid):
    process = psutil.Process(pid)
    freeze(process.pid)
    yield process
