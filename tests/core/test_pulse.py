"""Who is given up for frozen: only who was asked, by somebody who was there all the time to hear the answer."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tusk_jupyter.client import pulse as client_pulse
from tusk_jupyter.errors import CoreError
from tusk_jupyter.launch import pulse
from tusk_jupyter.protocol.calls import PeerFailed, PeerSilent


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        fake = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(pulse, "time", fake)
        monkeypatch.setattr(client_pulse, "time", fake)


class Driver:
    """A driver process that answers a ping as it is told."""

    pid, ended = 1, False

    def __init__(self, answer: Exception | None) -> None:
        self.answer = answer
        self.killed: list[str] = []
        self.pings = 0

    def ping(self, timeout_s: float) -> None:
        self.pings += 1
        if self.answer is not None:
            raise self.answer

    def kill(self, why: str = "") -> None:
        self.killed.append(why)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(pulse.processes, "cpu_s", lambda pid: 1.0)
    return Clock(monkeypatch)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that have ended when they are started."""

    class Thread:
        def __init__(self, *, target: Any, **_: object) -> None:
            self.start = target

    monkeypatch.setattr(pulse.threading, "Thread", Thread)


def watched(driver: Driver, clock: Clock, seconds: float, step_s: float = 0.2) -> pulse.DriverPulse:
    signs = pulse.DriverPulse(driver)  # type: ignore[arg-type]
    for _ in range(round(seconds / step_s)):
        signs.look(awaited=True)
        clock.now += step_s
    return signs


@pytest.mark.usefixtures("at_once")
def test_a_silent_driver_that_uses_no_processor_is_killed(clock: Clock) -> None:
    driver = Driver(PeerSilent("no answer"))
    watched(driver, clock, pulse.FROZEN_S + 1.0)
    assert driver.pings
    assert driver.killed


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("answer", [None, PeerFailed("no memory")])
def test_a_driver_that_says_anything_is_not(clock: Clock, answer: Exception | None) -> None:
    driver = Driver(answer)
    watched(driver, clock, 60.0)
    assert not driver.killed


@pytest.mark.usefixtures("at_once")
def test_a_core_that_stood_still_itself_blames_no_driver(clock: Clock) -> None:
    driver = Driver(PeerSilent("the call's time had passed when the core went on"))
    signs = watched(driver, clock, 1.0)
    clock.now += 60.0
    signs.look(awaited=True)
    assert not driver.killed


def test_a_driver_that_could_not_be_asked_for_want_of_threads_is_not_silent(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    driver = Driver(None)
    watched(driver, clock, 60.0)
    assert not driver.killed


def test_a_client_that_stood_still_itself_gives_the_core_its_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = SimpleNamespace(ping=lambda: lambda: None, address=None)
    monkeypatch.setattr(client_pulse, "Task", lambda ping: SimpleNamespace(wait=lambda timeout_s: False))
    signs = client_pulse.CorePulse(link)  # type: ignore[arg-type]
    clock.now += client_pulse.QUIET_S
    signs.check()  # asks
    clock.now += 3600.0
    signs.check()
    with pytest.raises(CoreError, match="does not answer"):
        while True:
            clock.now += client_pulse.LOOK_S
            signs.check()


def test_a_core_that_could_not_be_asked_for_want_of_threads_is_asked_later(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def task(ping: object) -> object:
        asked.append(ping)
        if len(asked) == 1:
            raise CoreError("no further thread")
        return SimpleNamespace(wait=lambda timeout_s: True)

    monkeypatch.setattr(client_pulse, "Task", task)
    signs = client_pulse.CorePulse(SimpleNamespace(ping=lambda: lambda: None, address=None))  # type: ignore[arg-type]
    for _ in range(100):
        clock.now += client_pulse.LOOK_S
        signs.check()
    assert len(asked) > 1
