"""Whether whoever takes a run's rows is still there, asked while a statement keeps its call from noticing.

A client that goes (its kernel is killed, its cell is interrupted while the core is stalled) ends its call, which Flight notices
when the next rows go out. A statement that has none for an hour would run on for nobody, or commit. One thread a process looks
at all calls that wait for a database; it rests while there are none, since to wake it takes as long as a tenth of `SELECT 1`.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Protocol

LOOK_EVERY_S = 0.25
RESTS_AFTER = 8
"""So many looks at nothing, and the thread sleeps until there is something."""


class Stoppable(Protocol):
    """A run or an upload."""

    def cancel(self) -> None:
        """Stop it on the server; returns soon."""


class Consumers:
    """The calls of one process that wait for its databases."""

    def __init__(self) -> None:
        """Begin with none, and no thread."""
        self._waiting: dict[int, tuple[Stoppable, Callable[[], bool]]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._resting = True
        self._started = False

    def watched(self, run: Stoppable, is_gone: Callable[[], bool]) -> Watched:
        """Cancel `run` when its client goes within the block.

        `is_gone` is asked within the block only: behind it Flight's call, whom it asks, may be no more.
        """
        return Watched(self, run, is_gone)

    def wake(self) -> None:
        """Have the thread look, if it rests."""
        with self._lock:
            self._resting = False
            if not self._started:
                try:
                    threading.Thread(target=self._look, name="consumers", daemon=True).start()
                except RuntimeError:  # no thread now: the next call tries again, and this one must not fail for it
                    self._resting = True
                    return
                self._started = True
        self._wake.set()

    def _look(self) -> None:
        looks = 0
        while True:
            self._wake.wait(None if self._resting else LOOK_EVERY_S)
            self._wake.clear()
            for run in self._left():
                try:
                    run.cancel()
                except Exception as exc:  # noqa: BLE001  # the others' clients are looked at all the same
                    traceback.print_exception(exc)
            with self._lock:
                looks = 0 if self._waiting else looks + 1
                self._resting = looks >= RESTS_AFTER

    def _left(self) -> list[Stoppable]:
        """Return the runs whose client has gone; each is told once."""
        with self._lock:
            gone = [key for key, (_, is_gone) in self._waiting.items() if is_gone()]
            return [self._waiting.pop(key)[0] for key in gone]


class Watched:
    """The block of `watched`, entered thrice in each run: a generator would take three times as long."""

    __slots__ = ("_consumers", "_is_gone", "_run")

    def __init__(self, consumers: Consumers, run: Stoppable, is_gone: Callable[[], bool]) -> None:
        self._consumers, self._run, self._is_gone = consumers, run, is_gone

    def __enter__(self) -> None:
        consumers = self._consumers
        with consumers._lock:
            consumers._waiting[id(self._run)] = (self._run, self._is_gone)
            resting = consumers._resting
        if resting:
            consumers.wake()

    def __exit__(self, *exc: object) -> None:
        with self._consumers._lock:
            self._consumers._waiting.pop(id(self._run), None)
