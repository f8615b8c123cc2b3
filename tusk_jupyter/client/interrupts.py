"""Waiting so that Ctrl-C works.

Flight's calls hold Ctrl-C back until they return (DESIGN section 9: 4 s of 4 s), so they are made on a worker thread, and the
caller's thread waits on a lock that a signal can break. Workers are kept for the next call: a thread costs 0.1 ms. They
are daemons, unlike an executor's, so that a call that never returns does not keep the interpreter from ending.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tusk_jupyter.system import threads

T = TypeVar("T")

KEPT = 4
"""Idle workers kept; a client seldom has more than two calls under way."""


class Task(Generic[T]):
    """A call under way on a worker thread."""

    def __init__(self, work: Callable[[], T], *, begun: bool = True) -> None:
        """Start `work`, or leave that to `begin`."""
        self._running = threading.Lock()  # an Event would be two locks and a list, made anew for each call
        self._running.acquire()
        self._ended = False
        self._result: T
        self._error: BaseException | None = None
        self._work = work
        self._once = threading.Lock()
        if begun:
            self.begin()

    def begin(self) -> None:
        """Start the work. It is done once however often this is called: an interrupt may leave open whether it was.

        Raises:
            CoreError: no thread can be started for it.
        """
        _begin(self._run)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._ended

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end, or for `timeout_s`; return whether it has ended. Breaks off with KeyboardInterrupt.

        For one thread at a time.
        """
        if not self._ended:
            self._running.acquire(timeout=-1 if timeout_s is None else timeout_s)
        return self._ended

    def result(self) -> T:
        """Return what the work returned, or raise what it raised; only after `wait` said so."""
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        if not self._once.acquire(blocking=False):
            return
        try:
            self._result = self._work()
        except BaseException as exc:  # noqa: BLE001  # raised again by `result`
            self._error = exc
        finally:
            del self._work  # a result must not live as long as the idle worker
            self._ended = True
            self._running.release()


class _Worker:
    """A thread that does one thing after the other."""

    def __init__(self) -> None:
        self.orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="tusk-call", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self.orders.get()()
            if len(_idle) >= KEPT:
                return
            _idle.append(self)


_idle: list[_Worker] = []


def _begin(work: Callable[[], None]) -> None:
    try:
        worker = _idle.pop()
    except IndexError:
        try:
            worker = _Worker()
        except RuntimeError as exc:
            if (told := threads.told(exc)) is None:
                raise
            raise told from exc
    worker.orders.put(work)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a child has none of its parent's threads
