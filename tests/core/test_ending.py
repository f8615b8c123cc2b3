"""Interrupt, cancel, timeout: from the kernel, from elsewhere, by the clock, and against drivers that do not listen."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.service import lifecycle
from tusk_jupyter.system.places import Places

pytestmark = pytest.mark.home("own", spares=False)


def interrupt_once_running(client, mark):
    """Press Ctrl-C in this process as soon as the scripted driver has left the mark of a statement that it executes."""

    def press():
        wait_until(lambda: any(client.link.places.run.glob(f"*/{mark}")), 15.0, "the driver executes it")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def test_an_interrupt_stops_the_run_and_leaves_the_session(client, core):  # TK-30, R-20
    core.run(client, "count")
    thread = interrupt_once_running(client, "waiting")
    with pytest.raises(errors.Cancelled, match="stopped on the server"):
        core.run(client, "wait 600")
    thread.join()
    assert core.run(client, "count").table.column(0).to_pylist() == [2]
    assert core.log(client)[1].status == "cancelled"


def test_an_interrupt_returns_soon_even_when_the_driver_does_not_listen(client, core):
    thread = interrupt_once_running(client, "hanging")
    began = time.monotonic()
    with pytest.raises(errors.Cancelled, match="has not yet confirmed"):
        core.run(client, "hang")
    thread.join()
    assert (
        time.monotonic() - began < 60
    )  # the patience is 0.8 s; what counts is that the ladder's 6 s were not waited for
    wait_until(lambda: not client.call(control.ListRuns()).runs, 15.0, "the ladder's last rung ended it")
    assert core.run(client, "rows 1").accepted.session_lost or True
    assert core.log(client)[1].status == "cancelled"


def test_a_run_is_cancelled_from_another_client(client, new_client, core):
    outcome = []

    def work():
        try:
            core.run(client, "wait 600")
        except errors.TuskError as exc:
            outcome.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    other = new_client()
    found = core.await_running(other)
    assert (found.sql, found.source, found.status) == ("wait 600", "notebook-0.ipynb", "running")
    other.call(control.CancelRun(run=found.run[:8]))
    thread.join(15)
    assert isinstance(outcome[0], errors.Cancelled)


def test_a_statement_timeout_is_told_as_such(client, core):  # TK-12, C-19
    with pytest.raises(errors.TimeoutExceeded, match="longer than its 1 s") as caught:
        core.run(client, "wait 600", timeout_s=1)
    assert "--timeout" in caught.value.hint
    assert core.log(client)[0].status == "timeout"
    assert core.run(client, "rows 1").rows == 1


def test_a_driver_that_ignores_everything_is_killed_at_its_timeout(client, core):
    with pytest.raises(errors.TimeoutExceeded):
        core.run(client, "hang", timeout_s=1)
    assert core.run(client, "rows 1").rows == 1


def test_the_timeout_of_the_connection_counts_when_the_run_names_none(client, core):
    core.connect(client, "hasty", timeout_s=1)
    with pytest.raises(errors.TimeoutExceeded):
        core.run(client, "wait 600", on="hasty")


def test_a_cancel_that_comes_too_late_changes_nothing(client, core):  # C-13: exactly one outcome
    run = core.run(client, "rows 1").accepted.run
    core.log(client)
    client.call(control.CancelRun(run=run))
    assert core.log(client)[0].status == "completed"


def test_cancelling_an_unknown_run_says_what_is_under_way(client):
    with pytest.raises(errors.UsageError, match=r"no run 'abc'.*under way: none"):
        client.call(control.CancelRun(run="abc"))


def test_progress_is_told_while_a_run_lasts(client, core):
    seen = []
    client.run(control.RunRequest(session="", connection="s", sql="wait 1.5"), on_progress=seen.append)
    assert seen
    assert all(state.status == "running" for state in seen)
    assert [state.elapsed_s for state in seen] == sorted(state.elapsed_s for state in seen)


def test_a_second_run_on_a_busy_session_waits_for_the_first(client, core):
    first = threading.Thread(target=core.run, args=(client, "wait 1"))
    first.start()
    core.await_running(client)
    assert core.run(client, "rows 1").rows == 1
    first.join()
    assert [one.sql for one in core.log(client)] == ["rows 1", "wait 1"]


def test_a_result_that_nobody_goes_on_fetching_can_be_cancelled(client, core):
    """The client stops in the middle of a result: the run waits in its generator, and a cancel closes it."""
    import pyarrow.flight as flight

    from tusk_jupyter.protocol import codec

    peer = client.link.peer()
    command = control.RunCommand(run=control.RunRequest(session="x", connection="s", sql="rows 100000000 65536"))
    info = peer.flight.get_flight_info(flight.FlightDescriptor.for_command(codec.encode(command)), peer.options())
    accepted = codec.decode(control.RunAccepted, info.app_metadata)
    with flight.FlightClient(info.endpoints[0].locations[0]) as driver:
        reader = driver.do_get(info.endpoints[0].ticket)
        reader.read_chunk()
        client.call(control.CancelRun(run=accepted.run))
        state = client.call(control.WaitRun(run=accepted.run, timeout_s=15))
        reader.cancel()
    assert state.status == "cancelled"


def test_a_ticket_is_good_for_one_use(client, core):  # QB-43
    import pyarrow.flight as flight

    from tusk_jupyter.protocol import codec

    peer = client.link.peer()
    command = control.RunCommand(run=control.RunRequest(session="x", connection="s", sql="rows 1"))
    info = peer.flight.get_flight_info(flight.FlightDescriptor.for_command(codec.encode(command)), peer.options())
    with flight.FlightClient(info.endpoints[0].locations[0]) as driver:
        assert driver.do_get(info.endpoints[0].ticket).read_all().num_rows == 1
        with pytest.raises(flight.FlightError, match="unknown, used"):
            driver.do_get(info.endpoints[0].ticket)


def test_an_interrupt_while_the_session_is_opened_stops_the_run_before_it_begins(client, core):
    """The cancel overtakes the run, which the core has not registered yet: it must not run on behind the cell."""
    core.connect(client, "slow", url="scripted://host/db?mood=slow", test=False)

    def state():
        listed = client.call(control.ListConnections(session=client.session)).connections
        return next(one.state for one in listed if one.name == "slow")

    def press():
        wait_until(lambda: state() == "connecting", 15.0, "the session is being opened")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(errors.Cancelled):
        core.run(client, "wait 600", on="slow")
    thread.join()
    wait_until(lambda: state() == "connected", 15.0, "the session is open")
    wait_until(lambda: core.log(client), 5.0, "the run has reached the log")
    wait_until(lambda: not client.call(control.ListRuns()).runs, 10.0, "nothing runs on")
    assert core.log(client)[0].status == "cancelled"


@pytest.mark.parametrize("failing", ["address", "close", "socket", "log"])
def test_a_core_goes_down_whole_though_a_step_of_it_fails(failing, monkeypatch, tmp_path):
    """A state folder that was closed to us meanwhile must not keep the process (R10)."""
    done = []

    def step(name):
        def do(*_):
            done.append(name)
            if name == failing:
                raise PermissionError(13, "Permission denied")

        return do

    core = SimpleNamespace(places=Places(tmp_path), close=step("close"))
    monkeypatch.setattr(lifecycle.belongings, "discard", step("address"))
    monkeypatch.setattr(lifecycle.sockets, "discard", step("socket"))
    monkeypatch.setattr(lifecycle.logging, "shutdown", step("log"))
    lifecycle._go_down(core, "an address")
    assert done == ["address", "close", "socket", "log"]
