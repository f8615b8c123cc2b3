"""A look at a run's client is an extra: that there is no thread for it ends no run."""

from __future__ import annotations

import threading

import pytest

from tusk_jupyter.driverkit.consumers import Consumers


class Run:
    def __init__(self) -> None:
        self.stopped = threading.Event()

    def cancel(self) -> None:
        self.stopped.set()


def test_a_run_goes_on_without_a_thread_and_the_next_one_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    consumers = Consumers()
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", refused)
        unwatched = Run()
        with consumers.watched(unwatched, lambda: True):
            assert not unwatched.stopped.is_set()
    run = Run()
    with consumers.watched(run, lambda: True):
        assert run.stopped.wait(10.0)
