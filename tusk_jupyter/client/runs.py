"""One run as its client sees it: asked for at the core, fetched from the driver, stoppable at any moment."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.client import widen
from tusk_jupyter.client.gather import Gathered
from tusk_jupyter.client.interrupts import Task
from tusk_jupyter.client.link import Link, lost
from tusk_jupyter.protocol import codec, control, stream
from tusk_jupyter.protocol.calls import Peer, PeerLost, translated

if TYPE_CHECKING:
    from tusk_jupyter.client.files import Sink

Progress = Callable[[control.RunState], None]

QUIET_S = 0.5
"""Runs shorter than this show no progress."""

PROGRESS_EVERY_S = 0.25
CANCEL_PATIENCE_S = 0.8
"""How long an interrupted cell waits for the run to end; the cell must return within a second whatever the server does."""

VERDICT_S = 8.0
"""How long to wait for the core's word on a run whose stream broke: its ladder takes 6 s to the last rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run brought.

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


@dataclass(slots=True)
class _Result:
    """The result that is being fetched: its batches, or the file they go to."""

    sink: Sink | None
    schema: pa.Schema | None = None
    batches: Gathered | None = None
    earlier: pa.Table | None = None
    rows: int = 0

    def begin(self, schema: pa.Schema) -> None:
        """Begin a new result; an earlier one of the same run is let go."""
        self.schema, self.batches, self.earlier, self.rows = schema, Gathered(schema), None, 0
        if self.sink is not None:
            self.sink.open(schema)

    def widen(self, schema: pa.Schema) -> None:
        """Go on under wider types."""
        if self.sink is not None:
            self.sink.widen(schema)
        else:
            self.earlier = widen.widen_table(self._table(), schema)
            self.batches = Gathered(schema)
        self.schema = schema

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        self.rows += batch.num_rows
        if self.sink is not None:
            self.sink.write(batch)
        elif self.batches is not None:
            self.batches.add(batch)

    def table(self) -> pa.Table | None:
        """Return the rows as a table, or None when a sink has them."""
        return None if self.sink is not None else self._table()

    def _table(self) -> pa.Table:
        batches = self.batches or Gathered(self.schema)
        table = batches.table()
        return table if self.earlier is None else pa.concat_tables([self.earlier, table])


_FROM_THE_STREAM = (flight.FlightError, errors.TuskError)
"""What the driver's side may have raised; anything else went wrong in this process."""


class Drivers:
    """Links to driver processes, kept from run to run: making one costs 1-2 ms, more than a whole `SELECT 1`."""

    KEPT = 16

    def __init__(self) -> None:
        """Begin with none."""
        self._links: dict[str, flight.FlightClient] = {}
        self._lock = threading.Lock()

    def at(self, location: flight.Location) -> flight.FlightClient:
        """Return the link to the driver at a location; each process has a location of its own."""
        key = location.uri.decode() if isinstance(location.uri, bytes) else str(location.uri)
        with self._lock:
            link = self._links.pop(key, None) or flight.FlightClient(location)
            self._links[key] = link  # most recently used last
            while len(self._links) > self.KEPT:
                self._links.pop(next(iter(self._links)))
        return link


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
        self.accepted: control.RunAccepted | None = None
        self.on_accepted: Callable[[control.RunAccepted], object] = lambda accepted: None
        """Told when the core has taken the run in, before anything of it is fetched; on the worker thread."""
        self._data: pa.Table | None = None

    def with_upload(self, data: pa.Table) -> Fetch:
        """Send `data` instead of fetching a result."""
        self._data = data
        return self

    def run(self, on_progress: Progress | None = None) -> RunResult:
        """Do the whole run; Ctrl-C cancels it on the server.

        Raises:
            Cancelled: by Ctrl-C here, or from elsewhere.
            TuskError: whatever else stopped it.
        """
        task = Task(self._work)
        try:
            if not task.wait(QUIET_S):
                self._report(task, on_progress)
        except KeyboardInterrupt:
            self._cancel(task)
        return task.result()

    # --- on the caller's thread ---

    def _report(self, task: Task[RunResult], on_progress: Progress | None) -> None:
        """Wait for the end and show how far the run is; the core's status stream is read on a thread of its own."""
        latest: list[control.RunState] = []
        watching = False
        while not task.wait(PROGRESS_EVERY_S):
            if on_progress is None:
                continue
            if self.accepted is not None and not watching:
                watching = True
                threading.Thread(target=self._watch, args=(latest,), name="tusk-watch", daemon=True).start()
            if latest:
                on_progress(latest[-1])

    def _watch(self, latest: list[control.RunState]) -> None:
        assert self.accepted is not None  # noqa: S101  # asked before the thread is started
        try:
            for state in self._link.stream(control.WatchRun(run=self.accepted.run, every_s=PROGRESS_EVERY_S)):
                latest[:] = [state]
        except errors.TuskError:
            return  # the run itself tells what happened

    def _cancel(self, task: Task[RunResult]) -> None:
        """Stop the run on the server and return soon, whether or not it has ended by then."""
        self._interrupted.set()
        elapsed = time.perf_counter() - self._began
        asking = Task(self._ask_to_cancel)
        deadline = time.monotonic() + CANCEL_PATIENCE_S
        if task.wait(CANCEL_PATIENCE_S):
            try:
                task.result()
            except errors.Cancelled:
                raise errors.Cancelled(
                    f"Cancelled after {elapsed:.1f} s; the statement was stopped on the server.",
                    scenario="cancelled_by_user",
                    hint="The session is still there, with its temp tables.",
                ) from None
            except errors.TuskError as exc:
                raise errors.Cancelled(
                    f"Cancelled after {elapsed:.1f} s: {exc.message}", scenario="cancelled_by_user", hint=exc.hint
                ) from None
            return
        asking.wait(max(0.0, deadline - time.monotonic()))
        raise errors.Cancelled(
            f"Cancelled after {elapsed:.1f} s; the server has not yet said that it stopped.",
            scenario="cancelled_by_user",
            hint="The core goes on until it has; `%tusk running` shows it.",
        )

    def _ask_to_cancel(self) -> None:
        """Cancel the run; one that is not accepted yet is cancelled when it is, before anything of it is fetched."""
        if self.accepted is not None:
            self._link.call(control.CancelRun(run=self.accepted.run), timeout_s=5.0)

    # --- on the worker thread ---

    def _work(self) -> RunResult:
        try:
            result = self._upload() if self._data is not None else self._fetch()
            written = self._sink.commit() if self._sink is not None else None
            return result if written is None else replace(result, notes=(*result.notes, *written.notes))
        except BaseException as exc:
            if self._sink is not None:
                self._sink.abort()
            if self.accepted is not None and not isinstance(exc, _FROM_THE_STREAM):
                with contextlib.suppress(errors.TuskError):  # a full disk, say: nobody will read on
                    self._ask_to_cancel()
                raise
            raise self._verdict(exc) from exc

    def _ask(self) -> tuple[flight.FlightClient, str]:
        """Have the core take the run in; a core that has gone is started again, for nothing was executed yet."""
        descriptor = flight.FlightDescriptor.for_command(codec.encode(self._command))
        peer = self._link.peer()
        try:
            info = _flight_info(peer, descriptor)
        except PeerLost:
            self._link.forget(peer)
            info = _flight_info(self._link.peer(), descriptor)
        self.accepted = codec.decode(control.RunAccepted, info.app_metadata)
        self.on_accepted(self.accepted)
        if self._interrupted.is_set():  # the cancel may have reached the core before the run did
            self._ask_to_cancel()
            raise errors.Cancelled("The run was cancelled before it began.", scenario="cancelled_by_user")
        endpoint = info.endpoints[0]
        return self._drivers.at(endpoint.locations[0]), endpoint.ticket.ticket.decode()

    def _fetch(self) -> RunResult:
        try:
            return self._fetch_from(*self._ask())
        except errors.SessionLost as exc:
            if exc.sessions or self.accepted is None:
                raise
        # Only the driver knew that its server had ended the session: nothing was run, and now the core knows, too.
        return self._fetch_from(*self._ask())

    def _fetch_from(self, driver: flight.FlightClient, ticket: str) -> RunResult:
        result = _Result(self._sink)
        yields = False
        following: str | None = ticket
        widens = False
        while following:
            try:
                reader = driver.do_get(flight.Ticket(following.encode()))
            except (flight.FlightError, pa.ArrowException, OSError) as exc:
                raise translated(exc) from exc
            trailer, yields = self._read(reader, result, widens=widens, yields=yields)
            following, widens = trailer.ticket, trailer.widen
        return self._result(trailer, result if yields else None)

    def _read(
        self, reader: flight.FlightStreamReader, result: _Result, *, widens: bool, yields: bool
    ) -> tuple[stream.Trailer, bool]:
        """Read one stream into `result`; return its trailer and whether any statement so far yields rows by nature."""
        if widens:
            result.widen(reader.schema)
        else:
            begun = False
        while True:
            try:
                chunk = reader.read_chunk()
            except StopIteration:
                raise PeerLost("The result was cut off before its end.") from None
            except (flight.FlightError, pa.ArrowException, OSError) as exc:
                raise translated(exc) from exc
            if not widens and not begun and (chunk.data.num_rows or chunk.data.num_columns):
                result.begin(reader.schema)
                begun = yields = True
            trailer = chunk.app_metadata
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
        try:
            writer, replies = driver.do_put(descriptor, data.schema)
            with writer:
                writer.write_table(data, max_chunksize=65_536)
                writer.done_writing()
                said = replies.read()
        except (flight.FlightError, pa.ArrowException, OSError) as exc:
            raise translated(exc) from exc
        if said is None:
            raise PeerLost("The upload was cut off before its end.")
        return self._result(codec.decode(stream.Trailer, said.to_pybytes()), None)

    def _result(self, trailer: stream.Trailer, result: _Result | None) -> RunResult:
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

    def _verdict(self, exc: BaseException) -> BaseException:
        """Return what really stopped the run: a broken stream is explained by the core, which saw the driver end."""
        if isinstance(exc, flight.FlightError):
            exc = translated(exc)
        if self.accepted is None:
            return lost(exc) if isinstance(exc, PeerLost) else exc
        if not isinstance(exc, (PeerLost, errors.Cancelled, errors.ProtocolError)):
            return exc
        try:
            state: Any = self._link.peer().call(
                control.WaitRun(run=self.accepted.run, timeout_s=VERDICT_S), timeout_s=VERDICT_S + 2.0
            )
        except errors.TuskError:  # the core has gone too, and its drivers with it
            return exc if self._interrupted.is_set() else lost(exc)
        return state.error.to_exception() if state.error is not None else exc


def _flight_info(peer: Peer, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
    try:
        return peer.flight.get_flight_info(descriptor, peer.options())
    except (flight.FlightError, pa.ArrowException, OSError) as exc:
        raise translated(exc) from exc
