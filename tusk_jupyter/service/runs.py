"""Runs: accepted, in the log before they begin, followed through the driver's words, ended exactly once.

A run belongs to the core and not to the kernel that asked for it; that is what lets it be listed, cancelled and waited for
from elsewhere. Nothing of the data passes here.
"""

from __future__ import annotations

import collections
import contextlib
import functools
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
from tusk_jupyter.protocol.scenarios import CORE_STOPPED, FILE_GONE, NO_SUCH_NAME
from tusk_jupyter.service import aftermath
from tusk_jupyter.service.endings import lost
from tusk_jupyter.service.outcomes import outcome
from tusk_jupyter.service.run import Ending, Run
from tusk_jupyter.service.sessions import Session, SessionGone, State
from tusk_jupyter.sqltext.commits import may_commit_itself
from tusk_jupyter.sqltext.effects import Effect
from tusk_jupyter.state import clock

_LOG = logging.getLogger(__name__)

FETCH_TIMEOUT_S = 60.0
"""A run whose ticket nobody redeems in this time is given up: its client has gone."""

READY_TIMEOUT_S = 30.0
"""How long a driver may take to take a run in; it may have to change the session's mode for it."""

OVERDUE_S = 2.0
"""As long, where the run's own time is up."""

ASK_S = 1.5
"""How long a driver may take to answer a cancel, before the ladder's next rung is due."""

WORKERS = 64
"""Runs that drivers can take in, or whose sessions can be ended, at once; the ladder's rungs never wait for them."""

_ENDED = (errors.DriverCrashed, errors.SessionLost)
"""What a driver that was to take a run in answers, or not, when the session is no more."""

REMEMBERED = 500
"""Ended runs kept in memory, for clients that ask how theirs ended."""


class Runs:
    """All runs; thread-safe.

    Args:
        on_start: puts the run into the log; what it raises refuses the run.
        on_end: completes the log row; called before anybody sees the run as ended.
        kill_backend: ends a session's statement on the server from another process.
        end_backend: ends a session there whose process has ended; None where there is no server.
        with_holder: adds to a run's error who held the lock that it waited for.
        close_session: called after a run whose session cannot be used again, or should not be.
        changed: called when a run began, ended or is being cancelled.
    """

    def __init__(
        self,
        *,
        on_start: Callable[[Run], None],
        on_end: Callable[[Ending], None],
        kill_backend: Callable[[Session], None],
        end_backend: Callable[[Session], driver.Killed | None] = lambda _: None,
        with_holder: Callable[[Run, WireError | None], WireError | None] = lambda _, error: error,
        close_session: Callable[[Session], None],
        changed: Callable[[], None],
    ) -> None:
        self._changed = changed
        self._on_start = on_start
        self._on_end = on_end
        self._kill_backend = kill_backend
        self._end_backend = end_backend
        self._with_holder = with_holder
        self._close_session = close_session
        self._under_way: dict[str, Run] = {}
        self._ended: collections.OrderedDict[str, Run] = collections.OrderedDict()
        self._starting: dict[str, tuple[float, Run]] = {}
        self._lock = threading.Lock()
        self._last_ended = time.monotonic()  # a core that comes up is about to be used
        self._closing = False
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="run")
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="ladder")

    def start(self, run: Run, request: driver.Run | driver.Upload, *, wait_s: float) -> None:
        """Hand the run to its driver and put it into the log; waits `wait_s` for the run before it on the session.

        Raises:
            UsageError: the driver finds nothing to run, or a parameter without a value; nothing is logged.
            TimeoutExceeded: the session stayed busy.
            SessionGone: the session ended while waiting for it, or before its driver had taken the run in.
        """
        session = run.session
        left_s = run.left_s()
        limited = left_s is not None and left_s < wait_s
        if not session.turn.acquire(timeout=left_s if limited and left_s is not None else wait_s):
            name = session.connection.name
            words = f"Another run of this notebook has used {name!r} for {wait_s:.0f} s."
            if limited:
                words = (
                    f"The run took longer than its {run.timeout_s:g} s: another run of this notebook has used {name!r} for all "
                    "of it. Nothing of it was executed."
                )
            raise errors.TimeoutExceeded(words, scenario="session_busy")
        run.has_turn, run.held_before = True, session.holds
        process = session.process
        if process is None or not session.usable:
            self._let_go(run)
            raise SessionGone(f"The session on {session.connection.name!r} has just ended.")
        try:
            with run.changed:  # what is said of it is heard once it is under way
                process.words.follow(run.id, functools.partial(self._hear, run))
                session.holds = session.holds or Effect.STATE in run.effect
                self._hand_over(run, process, request)
                with self._lock:
                    self._under_way[run.id] = run
                if self._closing:
                    self.cancel(run, CORE_STOPPED)
        except BaseException as exc:
            process.words.forget(run.id)
            if not isinstance(exc, _ENDED):
                self._take(run, Rung.ASK)  # it may have been taken in, and nobody will fetch it
            session.holds = run.held_before
            self._let_go(run)
            if isinstance(exc, _ENDED):
                raise SessionGone(exc.message, hint=exc.hint, detail=exc.detail) from exc
            raise
        self._changed()

    def _hand_over(self, run: Run, process: DriverProcess, request: driver.Run | driver.Upload) -> None:
        """Have the driver take the run in, and log its start.

        What the driver could refuse is not logged, so the log waits for its answer; a run that has nothing to be refused
        for is logged while its driver takes it in, which saves a warm `SELECT 1` 0.4 of 3.4 ms.
        """
        if process.manifest.capabilities.early_fetch and _is_plain(request):
            run.taken_in = self._workers.submit(self._take_in, run, process, request)
        else:
            self._ask(run, process, request)
        self._log(run)

    def _take_in(self, run: Run, process: DriverProcess, request: driver.Run | driver.Upload) -> None:
        try:
            self._ask(run, process, request)
        except Exception as exc:  # noqa: BLE001  # refused after all, or gone, or a bug: the run must have an end
            if not process.words.forget(run.id):
                return
            told = exc
            if isinstance(exc, errors.SessionLost):  # its client is at the driver: it is told as if it had waited here
                told = lost(run.session.connection.name, run.session.why, [run.session.id], private=False)
            elif not isinstance(exc, errors.TuskError):
                _LOG.error("run %s: its driver could not be asked to take it in", run.id, exc_info=exc)
            refused = isinstance(exc, errors.TuskError) and not isinstance(exc, _ENDED)
            self._hear(run, _failed(run, told, alive=refused))  # else its driver may have it: it ends with its session

    def _ask(self, run: Run, process: DriverProcess, request: driver.Run | driver.Upload) -> None:
        try:
            with self._watched(run):
                process.call(request, timeout_s=None)
        except errors.SessionLost as exc:  # its server has ended it; nothing was run
            run.session.state = State.FAILED
            run.session.why = run.session.why or _clause(exc.message)
            raise

    def _log(self, run: Run) -> None:
        run.started, run.started_at = time.monotonic(), clock.now()  # not the sign-in, nor the wait for the turn
        self._on_start(run)

    def _let_go(self, run: Run) -> None:
        """Let the next run have the session."""
        if run.has_turn:
            run.has_turn = False
            run.session.turn.release()

    @property
    def rested_s(self) -> float:
        """For how many seconds nothing has run."""
        return 0.0 if self._under_way else time.monotonic() - self._last_ended

    def refuse(self, run: Run, exc: errors.TuskError) -> None:
        """Put a run into the log that failed before it had a session."""
        self._on_start(run)
        with self._lock:
            self._under_way[run.id] = run
        self._end(run, driver.RunEvent(run=run.id, event="failed", error=to_wire(exc)))

    def running(self) -> list[Run]:
        """Return the runs under way, oldest first."""
        with self._lock:
            return list(self._under_way.values())

    def last_of(self, session: Session) -> Run | None:
        """Return a session's run under way, else the last one that is remembered."""
        with self._lock:
            known = (*self._under_way.values(), *reversed(self._ended.values()))
        return next((run for run in known if run.session is session), None)

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

    def cancel_all(self) -> None:
        """Begin to end all runs, and those that are just beginning, since the core goes down."""
        self._closing = True
        for run in self.running():
            self.cancel(run, CORE_STOPPED)

    def tick(self) -> None:
        """Take the steps that are due: timeouts, unfetched tickets, harder rungs. Called a few times a second."""
        now = time.monotonic()
        for since, run in list(self._starting.values()):
            if now - since > (READY_TIMEOUT_S if not run.overdue(now) else OVERDUE_S):
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

    def _hear(self, run: Run, word: driver.RunEvent) -> None:
        """Take in what the driver says of a run; on the thread that reads its words."""
        with run.changed, self._lock:  # it is under way now, or will never be
            if run.id not in self._under_way:
                return  # whoever started it has seen that it failed
        if word.event not in driver.LAST_WORDS:
            if not run.fetched or (word.rows, word.statement) != (run.rows, run.statement):
                run.heard = time.monotonic()
            run.fetched, run.lock_wait = True, word.lock_wait
            run.rows, run.bytes, run.statement = word.rows, word.bytes, word.statement
        elif _ends_session(run, word):
            self._workers.submit(self._end, run, word)  # that takes its time, and others wait for their words
        else:
            self._end(run, word)

    def _end(self, run: Run, last: driver.RunEvent) -> None:
        status, run.error = outcome(run, last, has_server=run.session.has_server)
        if last.error is not None and last.error.kind == aftermath.CRASHED:
            own = may_commit_itself(run.sql, run.dialect)
            run.error = aftermath.added_to(
                run.error,
                run.session,
                self._end_backend,
                commits_itself=own,
                of_script=not run.single and run.kind == "query",
            )
        try:
            run.error = self._with_holder(run, run.error)
        except Exception:  # noqa: BLE001  # the run must have an end all the same
            _LOG.exception("run %s: who held its lock could not be told", run.id)
        run.rows, run.bytes = last.rows, last.bytes
        run.elapsed_s = time.monotonic() - run.started
        session = run.session
        session.transaction, session.last_used = last.transaction, time.monotonic()
        if _ends_session(run, last):
            session.why = session.why or _why_ended(run)
            if run.single:
                session.holds = run.held_before
            if last.error is not None and last.error.scenario == FILE_GONE:  # the refusal that tells the loss
                session.holds, session.transaction = False, "idle"
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
                if run.taken_in is not None:
                    run.taken_in.result(ASK_S)  # a driver does not know a run before that
                process.call(driver.Cancel(session=run.session.id, run=run.id), timeout_s=ASK_S)
            elif rung is Rung.KILL_BACKEND:
                self._kill_backend(run.session)
            elif rung is Rung.TERMINATE:
                process.terminate(_of_the_ladder(run))
            else:
                process.kill(_of_the_ladder(run))
        except (errors.TuskError, TimeoutError):
            return  # the next rung does not depend on this one

    def _remember(self, run: Run) -> None:
        """Keep an ended run for a while; apart from those under way, which every new run would else be searched for in."""
        with self._lock:
            self._under_way.pop(run.id, None)
            self._last_ended = time.monotonic()
            self._ended[run.id] = run
            while len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)


def _ends_session(run: Run, last: driver.RunEvent) -> bool:
    """Return whether a run's end is that of its session as well."""
    return not last.alive or run.session.connection.isolation == "statement"


def _of_the_ladder(run: Run) -> str:
    """Return why a run's process is ended, as a clause."""
    if not run.why:
        return "its driver did not take a run in in time, and its process was ended"
    asked = {
        "timeout": "at its time limit",
        "unfetched": "when nobody came for its rows",
        CORE_STOPPED: "when the core service was stopped",
    }.get(run.why, "when it was cancelled")
    return (
        f"run {run.id[:8]} of {run.source or 'another program'} did not stop {asked}, and its driver process was ended"
    )


def _why_ended(run: Run) -> str:
    """Return why a run's session ended with it, as a clause; "" where its process ended, which knows better."""
    process = run.session.process
    if process is None or process.ended or run.session.connection.isolation == "statement":
        return ""
    if run.error is None:
        return f"an earlier run ended it: {run.beginning}"
    return f"an earlier run ended with: {_clause(run.error.message)}"


def _clause(sentence: str) -> str:
    """Return a driver's sentence as a part of one of ours."""
    words = sentence.strip().rstrip(".")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def _failed(run: Run, exc: Exception, *, alive: bool) -> driver.RunEvent:
    """Return the last word on a run of which nothing was executed: its session's transaction, if it is there, is as it was."""
    transaction = run.session.transaction if alive else "idle"
    return driver.RunEvent(run=run.id, event="failed", alive=alive, transaction=transaction, error=to_wire(exc))


def _is_plain(request: driver.Run | driver.Upload) -> bool:
    """Return whether any dialect finds a statement in a request and no placeholder: so its driver takes it in."""
    return (
        isinstance(request, driver.Run)
        and request.sql[:1].isalpha()
        and ":" not in request.sql
        and not request.parameters
        and not request.read_only
    )
