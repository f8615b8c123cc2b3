"""One thread for calls that may never return.

D-Bus calls have no time limit of their own, and a keyring daemon that hangs must not hang the core. One thread, not one
per call: a store that was given up may still happen later, and a delete that overtook it would leave a copy behind.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Unanswered(Exception):
    """A call took longer than allowed; it may still be under way."""


class Worker:
    """Runs one call after the other on a daemon thread, and waits for each no longer than `limit_s`."""

    def __init__(self, name: str, *, limit_s: float) -> None:
        self._name = name
        self._limit_s = limit_s
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None

    def call(self, work: Callable[[], T]) -> T:
        """Return `work()`, or raise what it raised.

        Raises:
            Unanswered: it took longer than allowed. A call that had not begun never will; after one that hangs, the
                next ones fail at once until it has come back.
        """
        since = self._busy_since
        if since is not None and time.monotonic() - since > self._limit_s:
            raise Unanswered
        self._ensure_thread()
        future: Future[T] = Future()
        self._jobs.put((future, work))
        try:
            return future.result(timeout=self._limit_s)
        except TimeoutError:
            if future.done():  # the work itself raised a TimeoutError
                raise
            future.cancel()
            raise Unanswered from None

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            self._serve_one(*self._jobs.get())

    def _serve_one(self, future: Future[Any], work: Callable[[], Any]) -> None:
        """A frame of its own, so that an idle thread holds no reference to the last secret."""
        if not future.set_running_or_notify_cancel():
            return
        self._busy_since = time.monotonic()
        try:
            outcome = work()
        except BaseException as exc:  # noqa: BLE001 - handed to the caller, whatever it is
            self._busy_since = None
            future.set_exception(exc)
        else:
            self._busy_since = None
            future.set_result(outcome)
