"""A driver that is frozen holds nobody up for long; one that is only busy is left alone."""

import threading
from types import SimpleNamespace

import pytest
from services import freeze, processes_of, wait_until

from tusk_jupyter import errors
from tusk_jupyter.launch import pulse as pulse_module
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.pulse import EVERY_S, FROZEN_S, DriverPulse
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.protocol.calls import PeerSilent


@pytest.fixture
def frozen(client, core):
    """Stops the driver of the client's session as a debugger would."""

    def freeze_driver():
        freeze(core.run(client, "SELECT pid").table.column(0)[0].as_py())

    return freeze_driver


def test_the_next_run_gets_another_session_when_nothing_was_in_the_frozen_one(client, core, frozen):
    frozen()
    assert core.run(client, "SELECT count").accepted.session_lost


def test_the_next_run_is_refused_when_something_was_in_the_frozen_session(client, core, frozen):
    core.run(client, "count")
    frozen()
    with pytest.raises(errors.SessionLost, match="gave no sign of life for 5 s and was ended"):
        core.run(client, "count")
    assert core.run(client, "count").table.column(0).to_pylist() == [1]


def test_a_run_in_a_driver_that_freezes_ends_in_our_words(client, core):
    pid = core.run(client, "SELECT pid").table.column(0)[0].as_py()

    def freeze_driver():
        core.await_running(client)
        freeze(pid)

    freezer = threading.Thread(target=freeze_driver)
    freezer.start()
    with pytest.raises(errors.DriverCrashed, match="no sign of life"):
        core.run(client, "SELECT wait 600")
    freezer.join()


def test_a_core_with_a_frozen_driver_can_be_stopped(client, core, frozen, scripted_home):
    frozen()
    client.call(control.StopCore())
    wait_until(lambda: not processes_of(scripted_home), 30.0, "the core and its frozen driver have ended")


def test_a_core_that_goes_down_takes_nothing_in_and_the_next_one_does(client, core, frozen):
    frozen()  # which holds the core's end up
    client.call(control.StopCore())
    wait_until(lambda: not client.link.places.address_file.exists(), 15.0, "the core is going down")
    before = client.link.epoch
    assert core.run(client, "SELECT rows 2").rows == 2
    assert client.link.epoch == before + 1


def test_a_connection_with_a_frozen_driver_can_be_removed(client, core, frozen, scripted_home):
    frozen()
    client.call(control.RemoveConnection(session=client.session, name="s"))
    frozen_ones = [one for one in processes_of(scripted_home) if one.status() == "stopped"]
    wait_until(lambda: not any(one.is_running() for one in frozen_ones), 30.0, "the frozen driver has ended")


def test_a_driver_that_is_silent_in_a_call_without_an_end_is_told_without_a_time(monkeypatch):
    def silent(request, *, timeout_s):
        raise PeerSilent("no answer")

    process = DriverProcess.__new__(DriverProcess)
    process.name, process._calls, process._counting = "pg", 0, threading.Lock()
    process._peer = SimpleNamespace(call=silent)
    monkeypatch.setattr(DriverProcess, "ended", False)
    with pytest.raises(errors.TimeoutExceeded, match=r"has not answered 'run'\."):
        process.call(driver.Run(session="s", run="r", ticket="t", sql="SELECT 1"), timeout_s=None)


class Clock:
    """Time that the test moves."""

    now = 0.0
    cpu = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def watched(monkeypatch):
    """A process that answers no ping, its pulse, and a clock; `pass_s` looks four times a second."""
    clock, killed = Clock(), []
    monkeypatch.setattr(pulse_module, "time", clock)
    monkeypatch.setattr(pulse_module.processes, "cpu_s", lambda pid: clock.cpu)

    def silent(timeout_s):
        raise errors.TimeoutExceeded("no answer")

    process = SimpleNamespace(pid=1, ended=False, ping=silent, kill=killed.append)
    pulse = DriverPulse(process)

    def pass_s(seconds, *, awaited=True, cpu_each=0.0):
        for _ in range(round(seconds * 4)):
            clock.now += 0.25
            clock.cpu += cpu_each
            pulse.look(awaited=awaited)

    return SimpleNamespace(process=process, killed=killed, pass_s=pass_s)


def test_a_silent_process_that_is_awaited_is_ended_within_the_ladders_time(watched):
    watched.pass_s(FROZEN_S + 1.0)
    assert watched.killed


def test_a_process_that_works_without_answering_is_left_alone(watched):
    watched.pass_s(600, cpu_each=0.25)
    assert watched.killed == []


def test_a_process_that_answers_is_left_alone_however_long_it_is_awaited(watched):
    asked = []
    watched.process.ping = asked.append
    for _ in range(100):
        before = len(asked)
        watched.pass_s(EVERY_S + 0.25)
        wait_until(lambda before=before: len(asked) > before, 5.0, "it was asked, and answered")
    assert watched.killed == []


def test_a_process_that_nobody_waits_for_is_not_asked(watched):
    watched.process.ping = None
    watched.pass_s(600, awaited=False)
    assert watched.killed == []
