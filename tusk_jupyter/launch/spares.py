"""Warm spares: one idle process per recently used driver hides its start-up (0.3-0.5 s) from the next session.

A spare has loaded its libraries and has seen no connection and no secret.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.head_start import HeadStart, remember
from tusk_jupyter.launch.process import START_TIMEOUT_S, DriverProcess
from tusk_jupyter.protocol.calls import Request
from tusk_jupyter.system import processes

KEEP_S = 600.0
"""A driver unused for this long keeps no spare."""


@dataclass(slots=True)
class _Shelf:
    """What is known of one driver's spare."""

    wanted: float
    """Monotonic time of the last use."""
    process: DriverProcess | None = None
    starting: bool = False


class Spares:
    """Hands out driver processes, and keeps one warm for each driver in use; thread-safe."""

    def __init__(self, catalog: Catalog, *, on_exit: Callable[[DriverProcess], None], enabled: bool = True) -> None:
        """Start nothing yet; `on_exit` is told of every process that ends."""
        self.catalog = catalog
        self.enabled = enabled
        self._on_exit = on_exit
        self._shelves: dict[str, _Shelf] = {}
        self._processes: set[DriverProcess] = set()
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._closed = False

    def take(self, driver: str, *, fresh: bool = False) -> DriverProcess:
        """Return a process of that driver that has no session: the spare, or (always when `fresh`) a new one.

        Raises:
            DriverNotFound, DriverStartError: there is no such driver, or it does not start.
        """
        with self._lock:
            shelf = self._shelves.setdefault(driver, _Shelf(0.0))
            shelf.wanted = time.monotonic()
            spare = None
            if not fresh and self.enabled:
                self._arrived.wait_for(lambda: not shelf.starting, timeout=START_TIMEOUT_S)
                spare, shelf.process = shelf.process, None
        if spare is not None and not spare.ended:
            if not processes.is_stopped(spare.pid):
                spare.waited = True
                return spare
            spare.kill()  # nothing is in it, and a session would find out after seconds
        try:
            return self._start(driver)
        except BaseException:
            shelf.wanted = float("-inf")  # or a driver that does not start would be tried every second
            raise

    def ask(self, driver: str, request: Request, *, timeout_s: float = 60.0) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Ask one thing of a process of that driver, which ends then; a spare that died while it waited is no answer.

        Raises:
            DriverNotFound, DriverStartError, DriverCrashed; TuskError: what the driver answered.
        """
        process = self.take(driver)
        try:
            return process.call(request, timeout_s=timeout_s)
        except errors.DriverCrashed:
            if not process.waited:
                raise
        finally:
            process.stop()  # it may have seen a secret: it is no spare any more
        process = self.take(driver, fresh=True)
        try:
            return process.call(request, timeout_s=timeout_s)
        finally:
            process.stop()

    def adopt(self, start: HeadStart) -> None:
        """Take over a driver that was started before this core was up, as its spare; blocks until it listens."""
        process: DriverProcess | None = None
        try:
            process = self._start(start.name, start)
        except (errors.TuskError, OSError):
            start.child.abandon()  # a driver that has changed or gone since; whoever needs it is told
        finally:
            self._put(start.name, process)

    def expect(self, driver: str) -> None:
        """Note that a spare of that driver is on its way, so that `take` waits for it instead of starting another."""
        with self._lock:
            self._shelves[driver] = _Shelf(time.monotonic(), starting=True)

    def refill(self) -> None:
        """Start the missing spares and end the stale ones; called now and then, blocks while one starts."""
        horizon = time.monotonic() - KEEP_S
        for driver, shelf in list(self._shelves.items()):
            if not self.enabled or shelf.wanted < horizon:
                self._drop(shelf)
            elif shelf.process is None or shelf.process.ended:
                self.warm(driver)

    def warm(self, driver: str) -> None:
        """Have a spare of that driver; a driver that does not start is left to the next `take`, which says why."""
        with self._lock:
            shelf = self._shelves.setdefault(driver, _Shelf(time.monotonic()))
            if shelf.starting or (shelf.process is not None and not shelf.process.ended) or not self._keeps:
                return
            shelf.starting = True
        process: DriverProcess | None = None
        try:
            with contextlib.suppress(errors.TuskError, OSError):
                process = self._start(driver)
        finally:
            if process is None:
                shelf.wanted = float("-inf")  # the next `take` wants it again, and says why not
            self._put(driver, process)

    def _put(self, driver: str, process: DriverProcess | None) -> None:
        """Put a spare that was started on its shelf, or end it where none is wanted; None: it did not start."""
        with self._lock:
            shelf = self._shelves.setdefault(driver, _Shelf(time.monotonic()))
            if self._keeps and (shelf.process is None or shelf.process.ended):
                shelf.process, process = process, None
            shelf.starting = False  # whatever went wrong: each `take` would wait for it
            self._arrived.notify_all()
        if process is not None:
            process.stop()

    @property
    def _keeps(self) -> bool:
        """Whether a process may wait for its first session."""
        return self.enabled and not self._closed

    @property
    def processes(self) -> list[DriverProcess]:
        """All driver processes that run, spares included."""
        with self._lock:
            return [one for one in self._processes if not one.ended]

    def close(self, *, patience_s: float = 3.0) -> None:
        """End every process, also one that is just starting: ask, wait a little until all is cleaned up, kill."""
        with self._lock:
            self._closed = True
            self._arrived.wait_for(lambda: not any(one.starting for one in self._shelves.values()), patience_s)
        for process in self.processes:
            process.stop()
        deadline = time.monotonic() + patience_s
        while self._processes and time.monotonic() < deadline:  # ended, and its folder removed
            time.sleep(0.02)
        for process in self.processes:
            process.kill()

    def kill_all(self) -> None:
        """Send every process SIGKILL."""
        for process in self.processes:
            process.kill()

    def _start(self, name: str, early: HeadStart | None = None) -> DriverProcess:
        driver = self.catalog.named(name)
        if early is not None and (early.command, early.fingerprint) != (driver.command, driver.fingerprint):
            raise errors.DriverStartError(
                f"The driver {name!r} that was used last is not the one of this installation."
            )
        child = early.child if early else None
        process = DriverProcess(driver, self.catalog.places, on_exit=self._ended, child=child)
        if early is None:
            remember(self.catalog.places, name, driver.command, driver.fingerprint)
        with self._lock:
            if not process.ended:  # or nobody would take it out again: `on_exit` may have been told already
                self._processes.add(process)
        return process

    def _ended(self, process: DriverProcess) -> None:
        with self._lock:
            self._processes.discard(process)
        self._on_exit(process)

    def _drop(self, shelf: _Shelf) -> None:
        with self._lock:
            process, shelf.process = shelf.process, None
        if process is not None:
            process.stop()
