"""Runs: accepted, in the log before they begin, followed through the driver's words, ended exactly once.

A run belongs to the core and not to the kernel that asked for it; that is what lets it be listed, cancelled and waited for
from elsewhere. The driver's status stream is read by one thread per run; nothing of the data passes here.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tusk_jupyter import errors
from tusk_jupyter.launch.ladder import Ladder, Rung
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.protocol.errors import WireError, to_wire
from tusk_jupyter.protocol.scenarios import NO_SUCH_NAME
from tusk_jupyter.service.run import Ending, Run, outcome
from tusk_jupyter.service.sessions import Session, SessionGone
from tusk_jupyter.state import clock

_LOG = logging.getLogger(__name__)

FETCH_TIMEOUT_S = 60.0
"""A run whose ticket nobody redeems in this time is given up: its client has gone."""

READY_TIMEOUT_S = 30.0
"""How long a driver may take to say that it has taken a run in; it may have to change the session's mode for it."""

REMEMBERED = 500
"""Ended runs kept in memory, for clients that ask how theirs ended."""

MOST_RUNS = 1_000
"""Runs followed at once; threads are made as they are needed and kept, which is quicker than one anew for each run."""

ENDED = ("finished", "failed")


class Runs:
    """All runs; thread-safe.

    Args:
        on_start: puts the run into the log; what it raises refuses the run.
        on_end: completes the log row; called before anybody sees the run as ended.
        kill_backend: ends a session's statement on the server from another process.
        close_session: called after a run whose session cannot be used again, or should not be.
        changed: called when a run began, ended or is being cancelled.
    """

    def __init__(
        self,
        *,
        on_start: Callable[[Run], None],
        on_end: Callable[[Ending], None],
        kill_backend: Callable[[Session], None],
        close_session: Callable[[Session], None],
        changed: Callable[[], None],
    ) -> None:
        self._changed = changed
        self._on_start = on_start
        self._on_end = on_end
        self._kill_backend = kill_backend
        self._close_session = close_session
        self._under_way: dict[str, Run] = {}
        self._ended: collections.OrderedDict[str, Run] = collections.OrderedDict()
        self._starting: dict[str, tuple[float, Run]] = {}
        self._lock = threading.Lock()
        self._followers = ThreadPoolExecutor(MOST_RUNS, thread_name_prefix="run")
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="ladder")

    def start(self, run: Run, request: driver.Run | driver.Upload, *, wait_s: float) -> None:
        """Hand the run to its driver and put it into the log; waits `wait_s` for the run before it on the session.

        What the driver could refuse is not logged, so the log waits for its word; a run that has nothing to be refused
        for is logged while its driver takes it in, which saves a warm `SELECT 1` 0.4 of 3.4 ms.

        Raises:
            UsageError: the driver finds nothing to run, or a parameter without a value; nothing is logged.
            TimeoutExceeded: the session stayed busy.
            SessionGone: the session ended while waiting for it.
            DriverCrashed: the driver went before it had taken the run in; nothing is logged.
        """
        session = run.session
        if not session.turn.acquire(timeout=wait_s):
            raise errors.TimeoutExceeded(
                f"Another run of this notebook has used {session.connection.name!r} for {wait_s:.0f} s.",
                scenario="session_busy",
            )
        run.has_turn = True
        process = session.process
        if process is None or not session.usable:
            self._let_go(run)
            raise SessionGone(f"The session on {session.connection.name!r} has just ended.")
        if process.manifest.capabilities.early_fetch and _is_plain(request):
            self._log_meanwhile(run, process, request)
        else:
            self._log_when_ready(run, process, request)

    def _log_when_ready(self, run: Run, process: DriverProcess, request: driver.Run | driver.Upload) -> None:
        ready = False
        try:
            with self._watched(run):
                words = process.stream(request)
                self._await_ready(words)
            ready = True
            self._log(run)
        except BaseException:
            if ready:
                self._take(run, Rung.ASK)
            self._let_go(run)
            raise
        self._followers.submit(self._follow, run, words)

    def _log_meanwhile(self, run: Run, process: DriverProcess, request: driver.Run | driver.Upload) -> None:
        logged = threading.Event()
        self._followers.submit(self._follow, run, _taken_in(process, request, logged))
        try:
            self._log(run)
        except BaseException:
            self._take(run, Rung.ASK)
            raise
        finally:
            logged.set()  # its follower ends it, also when it could not be logged

    def _log(self, run: Run) -> None:
        run.started, run.started_at = time.monotonic(), clock.now()  # not the sign-in, nor the wait for the turn
        self._on_start(run)
        with self._lock:
            self._under_way[run.id] = run
        self._changed()

    def _let_go(self, run: Run) -> None:
        """Let the next run have the session."""
        if run.has_turn:
            run.has_turn = False
            run.session.turn.release()

    def refuse(self, run: Run, exc: errors.TuskError) -> None:
        """Put a run into the log that failed before it had a session."""
        self._on_start(run)
        with self._lock:
            self._under_way[run.id] = run
        self._end(run, driver.RunEvent(event="failed", error=to_wire(exc)))

    def running(self) -> list[Run]:
        """Return the runs under way, oldest first."""
        with self._lock:
            return list(self._under_way.values())

    def find(self, beginning: str) -> Run:
        """Return the run whose id begins so.

        Raises:
            UsageError: there is none, or more than one.
        """
        with self._lock:
            known = (*self._under_way.values(), *self._ended.values())
        found = [one for one in known if one.id.startswith(beginning)]
        if len(found) == 1:
            return found[0]
        if found:
            raise errors.UsageError(f"{len(found)} runs begin with {beginning!r}.", hint="Give more of the id.")
        under_way = ", ".join(one.id[:8] for one in self.running()) or "none"
        raise errors.UsageError(
            f"There is no run {beginning!r}; under way: {under_way}.",
            hint="`%tusk running` lists them.",
            scenario=NO_SUCH_NAME,
        )

    def cancel(self, run: Run, why: str = "cancelled") -> None:
        """Begin to end a run; returns at once."""
        with run.changed:
            if run.ladder is not None or not run.running:
                return
            run.ladder, run.why = Ladder(time.monotonic()), why
        self._climb_down(run)
        self._changed()

    def tick(self) -> None:
        """Take the steps that are due: timeouts, unfetched tickets, harder rungs. Called a few times a second."""
        now = time.monotonic()
        for since, run in list(self._starting.values()):
            if now - since > READY_TIMEOUT_S:
                self._pool.submit(self._take, run, Rung.KILL)
        for run in self.running():
            if run.ladder is not None:
                self._climb_down(run)
            elif run.overdue(now):
                self.cancel(run, "timeout")
            elif not run.fetched and now - run.started > FETCH_TIMEOUT_S:
                self.cancel(run, "unfetched")

    def watch(self, run: Run, *, every_s: float) -> Iterator[control.RunState]:
        """Yield the run's states while it runs, and its last one."""
        while run.running:
            yield run.state()
            with run.changed:
                run.changed.wait_for(lambda: not run.running, timeout=every_s)
        yield run.state()

    def wait(self, run: Run, *, timeout_s: float) -> control.RunState:
        """Return the run's state once it has ended, or when the time is up."""
        with run.changed:
            run.changed.wait_for(lambda: not run.running, timeout=timeout_s)
        return run.state()

    @contextlib.contextmanager
    def _watched(self, run: Run) -> Iterator[None]:
        """Have the driver killed if it is not ready in time: nobody could see, cancel or time out such a run."""
        self._starting[run.id] = (time.monotonic(), run)
        try:
            yield
        finally:
            del self._starting[run.id]

    def _await_ready(self, words: Iterator[driver.RunEvent]) -> None:
        first = next(words)
        if first.event != "ready":
            raise errors.ProtocolError(f"The driver began a run with {first.event!r} instead of 'ready'.")

    def _follow(self, run: Run, words: Iterator[driver.RunEvent]) -> None:
        last = driver.RunEvent(
            event="failed", alive=False, error=WireError(kind="protocol", message="The driver fell silent.")
        )
        taken_in = False
        try:
            for word in words:
                taken_in = True
                run.fetched = run.fetched or word.event in ("started", *ENDED) or word.rows > 0
                run.rows, run.bytes, run.statement = word.rows, word.bytes, word.statement
                if word.event in ENDED:
                    last = word
                    break
        except Exception as exc:  # noqa: BLE001  # whatever it is, the run must have an end
            refused = isinstance(exc, errors.TuskError) and not taken_in and not isinstance(exc, errors.DriverCrashed)
            transaction = run.session.transaction if refused else "idle"  # nothing was run in it: it is as it was
            last = driver.RunEvent(
                event="failed", rows=run.rows, alive=refused, transaction=transaction, error=to_wire(exc)
            )
        self._end(run, last)

    def _end(self, run: Run, last: driver.RunEvent) -> None:
        status, run.error = outcome(run, last)
        run.rows, run.bytes = last.rows, last.bytes
        run.elapsed_s = time.monotonic() - run.started
        session = run.session
        session.transaction, session.last_used = last.transaction, time.monotonic()
        if not last.alive or session.connection.isolation == "statement":
            try:
                self._close_session(session)
            except Exception:  # noqa: BLE001  # the run must have an end all the same
                _LOG.exception("run %s: its session could not be closed", run.id)
        self._let_go(run)  # before the log: the next run need not wait for this one's disk sync
        try:
            self._on_end(Ending(run=run, status=status, event=last))
        except Exception:  # noqa: BLE001  # the run stays open in the log and is told as interrupted at the next start
            _LOG.exception("run %s: its end could not be logged", run.id)
        run.status = status
        self._remember(run)
        with run.changed:
            run.changed.notify_all()
        self._changed()

    def _climb_down(self, run: Run) -> None:
        ladder = run.ladder
        if ladder is None:
            return
        with run.changed:
            rungs = ladder.due(time.monotonic())
        for rung in rungs:
            self._pool.submit(self._take, run, rung)

    def _take(self, run: Run, rung: Rung) -> None:
        process = run.session.process
        if not run.running or process is None:
            return
        try:
            if rung is Rung.ASK:
                process.call(driver.Cancel(session=run.session.id, run=run.id), timeout_s=1.5)
            elif rung is Rung.KILL_BACKEND:
                self._kill_backend(run.session)
            elif rung is Rung.TERMINATE:
                process.terminate()
            else:
                process.kill()
        except errors.TuskError:
            return  # the next rung does not depend on this one

    def _remember(self, run: Run) -> None:
        """Keep an ended run for a while; apart from those under way, which every new run would else be searched for in."""
        with self._lock:
            self._under_way.pop(run.id, None)
            self._ended[run.id] = run
            while len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)


def _taken_in(
    process: DriverProcess, request: driver.Run | driver.Upload, logged: threading.Event
) -> Iterator[driver.RunEvent]:
    """Hand a run to its driver, which Flight waits for; what the driver says of it counts once its start is logged."""
    words = process.stream(request)
    logged.wait()
    yield from words


def _is_plain(request: driver.Run | driver.Upload) -> bool:
    """Return whether any dialect finds a statement in a request and no placeholder: so its driver takes it in."""
    return (
        isinstance(request, driver.Run)
        and request.sql[:1].isalpha()
        and ":" not in request.sql
        and not request.parameters
        and not request.read_only
    )
