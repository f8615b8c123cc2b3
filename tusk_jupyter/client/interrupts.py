"""Waiting so that Ctrl-C works.

Flight's calls hold Ctrl-C back until they return (DESIGN section 9: 4 s of 4 s), so they are made on a worker thread, and the
caller's thread waits on a condition that a signal can break.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """A call under way on a worker thread."""

    def __init__(self, work: Callable[[], T], *, name: str) -> None:
        """Start `work`."""
        self._done = threading.Event()
        self._result: T
        self._error: BaseException | None = None
        self._work = work
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end, or for `timeout_s`; return whether it has ended. Breaks off with KeyboardInterrupt."""
        return self._done.wait(timeout_s)

    def result(self) -> T:
        """Return what the work returned, or raise what it raised; only after `wait` said so."""
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as exc:  # noqa: BLE001  # raised again by `result`
            self._error = exc
        finally:
            self._done.set()
