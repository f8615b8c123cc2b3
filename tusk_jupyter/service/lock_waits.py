"""Runs that wait for a lock: looked for where a run is silent, and told with who holds it.

An engine without a server waits in its driver's process, which says so with its words. A server is asked from a second
driver process, never in the user's session: first when a run has been silent for some seconds, then at growing intervals; at
most one question at a time for each connection, and one process for all of its silent runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tusk_jupyter import errors
from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.protocol.scenarios import BY_LOCK
from tusk_jupyter.service.lock_words import LockWords, Told
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.sessions import Session

_LOG = logging.getLogger(__name__)

STEPS = (1.0, 10 / 3, 10.0)
"""When a silent run is asked about, in units of the first silence (3 s): at 3, 10 and 30 s, and from then on every 30 s."""

AGAIN = 10 / 3
"""In the same unit: after how long a wait that is known is asked about anew. What was told of it must not grow old."""

QUESTIONS = 4
"""Connections that are asked about at once."""

TIMEOUT_S = 8.0

Ask = Callable[[Session, tuple[str, ...]], Sequence[driver.LockWait]]


@dataclass(slots=True)
class _Asked:
    """What has been asked and told of one run under way."""

    heard: float
    """Which silence it was: when its last news had come."""
    times: int = 0
    next: float = 0.0
    told: Told | None = None
    holders: tuple[tuple[object, ...], ...] = ()
    """How our own holders were when they were named."""


class LockWaits:
    """Keeps `Run.waits_for` and `Run.way_out` of the runs under way; ticked.

    Args:
        runs: those under way.
        words: puts a wait into words.
        ask: asks a session's server about backends, from another process.
        first_s: the first silence in seconds; 0: nobody is asked.
        changed: called when something else is told of a run.
    """

    def __init__(
        self,
        *,
        runs: Callable[[], Sequence[Run]],
        words: LockWords,
        ask: Ask,
        first_s: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._runs = runs
        self._words = words
        self._ask = ask
        self._first_s = first_s
        self._changed = changed
        self._asked: dict[str, _Asked] = {}
        self._asking: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(QUESTIONS, thread_name_prefix="locks")

    def tick(self) -> None:
        """Look at every run under way; asks nobody on this thread."""
        first_s, now = self._first_s(), time.monotonic()
        runs = [run for run in self._runs() if run.fetched]
        self._asked = {run.id: self._of(run, first_s) for run in runs}
        due: dict[str, list[Run]] = {}
        for run in runs:
            if not first_s or now - run.heard < first_s or run.ladder is not None:
                continue
            if not run.session.has_server:
                self._tell(run, self._in_words(run, run.lock_wait, {}))
            elif self._is_due(run, now):
                due.setdefault(run.session.connection.id, []).append(run)
        for connection, silent in due.items():
            if connection not in self._asking:
                self._asking.add(connection)
                self._pool.submit(self._question, connection, silent, first_s)

    def added_to(self, run: Run, error: WireError | None) -> WireError | None:
        """Return a run's error with who held the lock that was in its way, as far as that is known."""
        if error is None or error.scenario not in BY_LOCK:
            return error
        told = Told(waits_for=run.waits_for, way_out=run.way_out) if run.waits_for else self._at_the_end(run, error)
        if told is None:
            return error
        hint = f"{told.way_out} {error.hint or ''}".strip()
        return replace(error, message=f"{error.message.rstrip('.')}. In its way was {told.waits_for}.", hint=hint)

    def _at_the_end(self, run: Run, error: WireError) -> Told | None:
        """Return what is known of the wait of a run that ended before it could be told."""
        if run.session.has_server or error.scenario != "lock_timeout":
            return None
        wait = run.lock_wait
        if wait is None and self._words.open_transactions(run.session):
            wait = driver.LockWait(hidden="the system does not say whose")
        return self._words.told(run, wait, {}) if wait is not None else None

    def _of(self, run: Run, first_s: float) -> _Asked:
        """Return what is known of a run's present silence; news of it end what was told."""
        known = self._asked.get(run.id)
        if known is not None and known.heard == run.heard:
            return known
        self._tell(run, None)
        return _Asked(run.heard, next=run.heard + first_s * STEPS[0])

    def _is_due(self, run: Run, now: float) -> bool:
        asked = self._asked[run.id]
        process = run.session.process
        if process is None or run.session.backend is None or not process.manifest.capabilities.lock_waits:
            return False
        if asked.times and run.session.connection.password_command:
            return False  # the command may ask its user for something each time
        if asked.told is not None and asked.holders != _states(asked.told):
            return True  # a holder of ours has moved on
        return now >= asked.next

    def _question(self, connection: str, runs: list[Run], first_s: float) -> None:
        """Ask about the silent runs of one connection, and tell what is answered."""
        before = {run.id: self._asked.get(run.id) for run in runs}
        try:
            waits = self._waits(runs)
            for run in runs:
                asked = before[run.id]
                if asked is None or not run.running or asked.heard != run.heard:
                    continue
                told = self._in_words(run, waits.get(run.session.backend or ""), waits)
                asked.times += 1
                asked.told, asked.holders = told, _states(told)
                asked.next = _next(run, asked, first_s)
                self._tell(run, told)
        finally:
            self._asking.discard(connection)

    def _waits(self, runs: list[Run]) -> dict[str, driver.LockWait]:
        """Return the server's answer by backend; none where it could not be asked."""
        backends = tuple(dict.fromkeys(run.session.backend for run in runs if run.session.backend))
        try:
            return {wait.backend: wait for wait in self._ask(runs[0].session, backends)}
        except errors.TuskError as exc:
            _LOG.info("who holds a lock could not be asked: %s", type(exc).__name__)
        except Exception:  # noqa: BLE001  # the run goes on, and the next question comes
            _LOG.exception("locks")
        return {}

    def _in_words(self, run: Run, wait: driver.LockWait | None, waits: Mapping[str, driver.LockWait]) -> Told | None:
        """Return what is told of a run's wait; None where there is none, or no words could be found."""
        try:
            return self._words.told(run, wait, waits) if wait is not None else None
        except Exception:  # noqa: BLE001  # the run goes on, and so do the core's other looks
            _LOG.exception("locks")
            return None

    def _tell(self, run: Run, told: Told | None) -> None:
        waits_for, way_out = (told.waits_for, told.way_out) if told is not None else ("", "")
        with self._lock:
            if (run.waits_for, run.way_out) == (waits_for, way_out):
                return
            run.waits_for, run.way_out = waits_for, way_out
        self._changed()


def _next(run: Run, asked: _Asked, first_s: float) -> float:
    """Return when a run is to be asked about again."""
    now = time.monotonic()
    if asked.told is not None:
        return now + first_s * AGAIN
    if asked.times < len(STEPS):
        return max(now, run.heard + first_s * STEPS[asked.times])
    return now + first_s * STEPS[-1]


def _states(told: Told | None) -> tuple[tuple[object, ...], ...]:
    """Return how our own holders of a lock are: when that changes, the lock may be free."""
    ours = told.ours if told is not None else ()
    return tuple((one.id, one.state, one.transaction, one.last_used) for one in ours)
