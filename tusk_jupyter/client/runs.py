"""One run as its client sees it: asked for at the core, fetched from the driver, stoppable at any moment."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.client import driver_link, memory
from tusk_jupyter.client.driver_link import Drivers, FromOverThere, seam
from tusk_jupyter.client.interrupts import Task
from tusk_jupyter.client.link import Link, lost, lost_run
from tusk_jupyter.client.pulse import CorePulse, unanswered
from tusk_jupyter.client.results import Result
from tusk_jupyter.client.stopping import Stopping
from tusk_jupyter.protocol import codec, control, stream
from tusk_jupyter.protocol.calls import Peer, PeerExhausted, PeerFailed, PeerLost
from tusk_jupyter.protocol.scenarios import BY_LOCK, hint_for

if TYPE_CHECKING:
    from tusk_jupyter.client.files import Sink

Progress = Callable[[control.RunState], None]

QUIET_S = 0.5
"""Runs shorter than this show no progress."""

PROGRESS_EVERY_S = 0.25
CANCEL_PATIENCE_S = 0.8
"""How long an interrupted cell waits for the run to end; the cell must return within a second whatever the server does."""

SEEN_S = 0.5
"""How long an interrupted cell waits for the core's word on its end; below `CANCEL_PATIENCE_S`."""

VERDICT_S = 8.0
"""How long to wait for the core's word on a run whose stream broke: its ladder takes 6 s to the last rung."""

GLANCE_S = 1.5
"""As long, where its driver may well be alive: then nobody has an end to tell, and the run is to be ended."""

OVERDUE_S = 2.0
"""How long behind its timeout a run is stopped from here: the core does that within 0.2 s, if it does anything."""


@dataclass(slots=True, kw_only=True)
class RunResult:
    """What a run brought; whoever receives it owns it, and may hand the table on.

    Attributes:
        accepted: the run's id, connection and server.
        table: the last result, or None when no statement yields rows by nature or a sink took them.
        schema: of the last result, or None when no statement yields rows by nature.
        statements: what each statement did.
        rows: rows fetched of the last result.
        more: whether the limit cut it off, and the database has at least one row more.
        notes: what the reader of the data must know.
        transaction: idle | open | failed, of the session after the run.
        elapsed_s: from asking to the last byte, in seconds.
        first_batch_s: from asking to the first rows, or None without rows.
        path: the file a sink wrote.
    """

    accepted: control.RunAccepted
    table: pa.Table | None = None
    schema: pa.Schema | None = None
    statements: tuple[stream.StatementReport, ...] = ()
    rows: int = 0
    more: bool = False
    notes: tuple[str, ...] = ()
    transaction: str = "idle"
    elapsed_s: float = 0.0
    first_batch_s: float | None = None
    path: Path | None = None


class Fetch:
    """A run under way in this client."""

    def __init__(self, link: Link, drivers: Drivers, command: control.RunCommand, *, sink: Sink | None = None) -> None:
        """Prepare; `run` does it."""
        self._link = link
        self._drivers = drivers
        self._command = command
        self._sink = sink
        self._began = time.perf_counter()
        self._first_batch_s: float | None = None
        self._interrupted = threading.Event()
        self._overdue = False
        self._stopping: Stopping | None = None
        self.accepted: control.RunAccepted | None = None
        self.on_accepted: Callable[[control.RunAccepted], object] = lambda accepted: None
        """Told when the core has taken the run in, before anything of it is fetched; on the worker thread."""
        self._data: pa.Table | None = None
        self._task: Task[RunResult] = Task(self._work, begun=False)

    def with_upload(self, data: pa.Table) -> Fetch:
        """Send `data` instead of fetching a result."""
        self._data = data
        return self

    def run(self, on_progress: Progress | None = None) -> RunResult:
        """Do the whole run; Ctrl-C cancels it on the server.

        Raises:
            Cancelled: by Ctrl-C here, or from elsewhere.
            CoreError: the core does not answer any more.
            TuskError: whatever else stopped it.
        """
        task = self._task
        try:
            task.begin()
            if not task.wait(QUIET_S):
                self._attend(task, on_progress)
        except KeyboardInterrupt:
            self._cancel(task)
        except BaseException:  # of whoever shows the progress; the core's silence has asked for the end itself
            if not self._interrupted.is_set():
                self._interrupted.set()
                self._insist()
            raise
        return task.result()

    # --- on the caller's thread ---

    def _attend(self, task: Task[RunResult], on_progress: Progress | None) -> None:
        """Wait for the end and show how far the run is; the core's status stream is read on a thread of its own."""
        latest: list[control.RunState] = []
        watching = False
        pulse = CorePulse(self._link)
        while not task.wait(PROGRESS_EVERY_S):
            if self.accepted is None or self._is_overdue():  # it is the core that is waited for
                self._check(pulse, task)
            if on_progress is None:
                continue
            if self.accepted is not None and not watching:
                watching = True
                with contextlib.suppress(errors.CoreError):  # no thread for it: the run goes on without its progress
                    Task(functools.partial(self._watch, latest))
            if latest:
                on_progress(latest[-1])

    def _watch(self, latest: list[control.RunState]) -> None:
        assert self.accepted is not None  # noqa: S101  # asked before the thread is started
        try:
            for state in self._link.stream(control.WatchRun(run=self.accepted.run, every_s=PROGRESS_EVERY_S)):
                latest[:] = [state]
        except errors.TuskError:
            return  # the run itself tells what happened

    def _is_overdue(self) -> bool:
        """Return whether the run goes on behind its timeout, which the core sees to; begin to stop it from here then."""
        request = self._command.run or self._command.upload
        timeout_s = request.timeout_s if request is not None else None
        if timeout_s is None or time.perf_counter() - self._began < timeout_s + OVERDUE_S:
            return False
        if not self._overdue:
            self._overdue = True
            self._insist()
        return True

    def _check(self, pulse: CorePulse, task: Task[RunResult]) -> None:
        """See that the core lives; give the run up when it does not.

        Raises:
            CoreError: it does not answer.
        """
        try:
            pulse.check()
        except errors.CoreError as exc:
            self._interrupted.set()  # what is accepted late is cancelled before anything of it is fetched
            self._insist()
            if task.wait(0):
                return
            known = (
                "Nothing was run." if self.accepted is None else "The run was asked to stop; that is not yet confirmed."
            )
            raise unanswered(self._link.address, words=known) from exc

    def _cancel(self, task: Task[RunResult]) -> None:
        """Stop the run on the server and return soon, whether or not it has ended by then.

        Raises:
            Cancelled: always, but when the run had come to its end.
        """
        self._interrupted.set()
        elapsed = time.perf_counter() - self._began
        with contextlib.suppress(KeyboardInterrupt):  # pressed once more: it is on its way
            task.begin()  # the interrupt may have come just before
            self._insist()
            if task.wait(CANCEL_PATIENCE_S):
                return self._cancelled(task, elapsed)
        stopping = self._stopping
        who = "it was asked to stop, and the database has not yet confirmed that it did: its outcome is not known"
        if stopping is not None and not stopping.heard:
            who = f"it was asked to stop, and {self._silent_core()} has not yet confirmed that"
        raise errors.Cancelled(
            f"Cancelled after {elapsed:.1f} s; {who}.",
            scenario="cancelled_by_user",
            hint="The request is repeated until then; `%tusk running` shows the run, and `%tusk log` how it ended. "
            "See there whether a transaction that was open still is, before you go on in it.",
        )

    def _silent_core(self) -> str:
        address = self._link.address
        return f"the core service (process {address.pid})" if address is not None else "the core service"

    @staticmethod
    def _cancelled(task: Task[RunResult], elapsed: float) -> None:
        try:
            task.result()
        except (errors.QueryError, errors.ConnectError):
            raise  # it ended by itself, before it could be stopped
        except errors.TuskError as exc:  # what was seen of its end, in the core's words or the driver's
            scenario = exc.scenario if isinstance(exc, errors.Cancelled) else "cancelled_by_user"
            raise errors.Cancelled(
                f"Cancelled after {elapsed:.1f} s: {exc.message}", scenario=scenario, hint=exc.hint
            ) from None

    def _insist(self) -> None:
        """Ask on a thread of its own for the run's end, until that is certain; one that is not accepted yet asks itself."""
        if self._stopping is None:
            return
        try:
            Task(self._insist_until_heard)
        except errors.CoreError:  # no thread for it: asked once, from here
            self._stopping.ask_all()

    def _insist_until_heard(self) -> None:
        if self._stopping is not None:
            self._stopping.insist(lambda: self._task.ended)

    # --- on the worker thread ---

    def _work(self) -> RunResult:
        try:
            if self._interrupted.is_set():
                raise errors.Cancelled("The run was cancelled before it began.", scenario="cancelled_by_user")
            result = self._upload() if self._data is not None else self._fetch()
            written = self._sink.commit() if self._sink is not None else None
            if written is not None:
                result.notes = (*result.notes, *written.notes)
            return result
        except BaseException as exc:
            if self._sink is not None:
                with contextlib.suppress(
                    Exception
                ):  # a disk that fails here as well; the first error is the one to tell
                    self._sink.abort()
            if isinstance(exc, FromOverThere):
                raise self._verdict(exc) from None  # Flight's own error says the same, with its wire's words around it
            self._give_up()
            if isinstance(exc, errors.TuskError) or not isinstance(exc, Exception):
                raise
            raise memory.translated(exc, "The result could not be received") from exc

    def _give_up(self) -> None:
        """End a run that this process cannot go on with: its driver would wait for somebody to read on."""
        if self._stopping is not None and not self._stopping.ask_all():
            self._insist()

    def _ask(self) -> tuple[flight.FlightClient, str]:
        """Have the core take the run in; a core that has gone is started again, for nothing was executed yet."""
        descriptor = flight.FlightDescriptor.for_command(codec.encode(self._command))
        peer = self._link.peer()
        try:
            info = _flight_info(peer, descriptor)
        except FromOverThere as exc:
            if not isinstance(exc.error, PeerLost):
                raise
            self._link.forget(peer)
            peer = self._link.peer()
            info = _flight_info(peer, descriptor)
        endpoint = info.endpoints[0]
        accepted: control.RunAccepted = codec.decode(control.RunAccepted, info.app_metadata)
        try:
            driver, ticket = self._drivers.at(endpoint.locations[0]), endpoint.ticket.ticket.decode()
        except errors.TuskError:  # the core has taken it in, and its session would wait for us
            with contextlib.suppress(errors.TuskError):
                peer.call(control.CancelRun(run=accepted.run), timeout_s=VERDICT_S)
            raise
        self._stopping = Stopping(accepted.run, peer, driver, ticket)
        self.accepted = accepted
        self.on_accepted(accepted)
        if self._interrupted.is_set():  # the cancel may have come before there was anything to cancel
            raise errors.Cancelled("The run was cancelled before it began.", scenario="cancelled_by_user")
        return driver, ticket

    def _fetch(self) -> RunResult:
        try:
            return self._fetch_from(*self._ask())
        except FromOverThere as exc:
            lost_one = isinstance(exc.error, errors.SessionLost) and not exc.error.sessions
            if not lost_one or self.accepted is None:
                raise
        # Only the driver knew that its server had ended the session: nothing was run. The core closes it with this run's end.
        self._link.peer().call(
            control.WaitRun(run=self.accepted.run, timeout_s=VERDICT_S), timeout_s=VERDICT_S + GLANCE_S
        )
        try:
            return self._fetch_from(*self._ask())
        except FromOverThere as exc:
            if isinstance(exc.error, errors.SessionLost) and not exc.error.sessions:  # this one, too, has just ended
                exc.error.sessions = (self.accepted.session_id,)
                exc.error.message = f"None of this was run. {exc.error.message}"
            raise

    def _fetch_from(self, driver: flight.FlightClient, ticket: str) -> RunResult:
        result = Result(self._sink)
        yields = False
        following: str | None = ticket
        widens = False
        while following:
            with seam():
                reader = driver.do_get(flight.Ticket(following.encode()))
            try:
                trailer, yields = self._read(reader, result, widens=widens, yields=yields)
            except BaseException:
                reader.cancel()  # the driver sees that nobody reads on, whatever the core does
                result.let_go()  # an error that is kept, as IPython does, keeps what its frames hold
                raise
            following, widens = trailer.ticket, trailer.widen
        return self._result(trailer, result if yields else None)

    def _read(
        self, reader: flight.FlightStreamReader, result: Result, *, widens: bool, yields: bool
    ) -> tuple[stream.Trailer, bool]:
        """Read one stream into `result`; return its trailer and whether any statement so far yields rows by nature."""
        if widens:
            result.widen(reader.schema)
        else:
            begun = False
        while True:
            try:
                with seam():
                    chunk = reader.read_chunk()
            except StopIteration:
                raise FromOverThere(PeerLost("The result was cut off before its end."), was_said=False) from None
            if not widens and not begun and (chunk.data.num_rows or chunk.data.num_columns):
                result.begin(reader.schema)
                begun = yields = True
            trailer = chunk.app_metadata
            if trailer is not None and (coming := stream.announced(trailer.to_pybytes())) is not None:
                result.expect(coming)
                continue
            if chunk.data.num_rows or trailer is None:
                if self._first_batch_s is None:
                    self._first_batch_s = time.perf_counter() - self._began
                result.add(chunk.data)
            if trailer is not None:
                return codec.decode(stream.Trailer, trailer.to_pybytes()), yields

    def _upload(self) -> RunResult:
        driver, ticket = self._ask()
        descriptor = flight.FlightDescriptor.for_command(ticket.encode())
        data = self._data
        assert data is not None  # noqa: S101  # an upload has some
        with seam():
            writer, replies = driver.do_put(descriptor, data.schema)
        try:
            with seam():
                writer.write_table(data, max_chunksize=65_536)
                writer.done_writing()
                said = replies.read()
                writer.close()  # here a driver's error is raised, if there was one
        except BaseException as exc:
            # Closing says "these were all rows", and the driver would commit those that it has: so the driver itself must
            # have taken in that they are not. The core's answer says only that it will ask the driver.
            if isinstance(exc, FromOverThere) or driver_link.leave(driver, ticket):
                with contextlib.suppress(flight.FlightError, pa.ArrowException, OSError):
                    writer.close()
            else:
                _unfinished.append(writer)
            raise
        if said is None:
            raise FromOverThere(PeerLost("The upload was cut off before its end."), was_said=False)
        return self._result(codec.decode(stream.Trailer, said.to_pybytes()), None)

    def _result(self, trailer: stream.Trailer, result: Result | None) -> RunResult:
        assert self.accepted is not None  # noqa: S101  # a trailer comes after it
        return RunResult(
            accepted=self.accepted,
            table=result.table() if result else None,
            schema=result.schema if result else None,
            statements=trailer.statements,
            rows=result.rows if result else 0,
            more=trailer.more,
            notes=trailer.notes,
            transaction=trailer.transaction,
            elapsed_s=time.perf_counter() - self._began,
            first_batch_s=self._first_batch_s,
            path=self._sink.path if self._sink is not None and result else None,
        )

    # --- what stopped it ---

    def _verdict(self, seen: FromOverThere) -> errors.TuskError:
        """Return what really stopped the run: a broken stream is explained by the core, which saw the driver end."""
        exc = seen.error
        if self.accepted is None:
            return lost(exc) if isinstance(exc, PeerLost) else exc
        if self._overdue and isinstance(exc, errors.Cancelled):
            request = self._command.run or self._command.upload
            return errors.TimeoutExceeded(
                f"The run took longer than its {request.timeout_s:g} s. {exc.message}"  # type: ignore[union-attr]
                f" {self._silent_core().capitalize()}, which should have stopped it, did not.",
                scenario="statement_timeout",
            )
        if self._interrupted.is_set() and isinstance(exc, errors.Cancelled):
            return self._seen(exc)
        if exc.scenario in BY_LOCK:  # the core knows whose lock was in the way
            return self._seen(exc)
        if type(exc) is errors.ConnectError:  # and whether the session was ended to end this run, which took too long
            return self._seen(exc)
        if seen.was_said and not isinstance(exc, (errors.Cancelled, errors.ProtocolError)):
            return exc
        return self._explained(exc)

    def _seen(self, exc: errors.TuskError) -> errors.TuskError:
        """Return what the core saw of a run's end, or the driver's word where the core does not answer at once."""
        assert self.accepted is not None  # noqa: S101  # only asked for such
        try:
            state: control.RunState = self._link.peer().call(
                control.WaitRun(run=self.accepted.run, timeout_s=SEEN_S), timeout_s=SEEN_S
            )
        except errors.TuskError:
            return exc
        return state.error.to_exception() if state.error is not None else exc

    def _explained(self, exc: errors.TuskError) -> errors.TuskError:
        """Return the core's word on a run whose stream broke with `exc`; one that it takes to be under way is ended."""
        assert self.accepted is not None  # noqa: S101  # only asked for such
        patience_s = GLANCE_S if isinstance(exc, PeerFailed) else VERDICT_S
        try:
            state: control.RunState = self._link.peer().call(
                control.WaitRun(run=self.accepted.run, timeout_s=patience_s), timeout_s=patience_s + 2.0
            )
        except errors.TimeoutExceeded:
            return unanswered(self._link.address, words="Whether the run took effect is not known.")
        except errors.TuskError:  # the core has gone too, and its drivers with it
            return exc if self._interrupted.is_set() and isinstance(exc, errors.Cancelled) else lost_run(exc)
        if state.error is not None:
            return state.error.to_exception()
        if state.status == "running":
            self._give_up()
        elif not isinstance(exc, PeerLost):
            return exc
        return _cut_off(exc, completed=state.status == "completed")


_unfinished: list[object] = []
"""Uploads that nobody could be asked to end: a writer that is collected closes, which says that its rows were all."""


def _flight_info(peer: Peer, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
    with seam():
        return peer.flight.get_flight_info(descriptor, peer.options())


def _cut_off(exc: errors.TuskError, *, completed: bool) -> errors.DriverError:
    """Return the error for a stream that broke although nothing is known to have stopped the run."""
    what = exc.detail or exc.message
    if completed:
        return errors.DriverCrashed(
            "The driver process ended before all of its result had arrived. The run itself had completed: its "
            "changes stand.",
            hint="Run the cell again if it only reads.",
            detail=what,
            scenario="result_lost",
        )
    if isinstance(exc, PeerExhausted):
        return errors.DriverError(
            "The driver ran out of memory or threads.",
            hint=hint_for("memory_limit"),
            detail=what,
            scenario="memory_limit",
        )
    return errors.DriverError(
        "The link to the driver broke; the run was stopped.",
        hint="If it changes anything, check what was done, then run the cell again.",
        detail=what,
        scenario="link_lost",
    )
