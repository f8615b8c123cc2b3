"""The Flight endpoint of a driver process: actions for the core, one-time tickets for the clients.

The control token opens the actions; a client only ever holds tickets, so it can fetch the result it was given and nothing
else. The token check is a middleware and stands before every call.
"""

from __future__ import annotations

import contextlib
import hmac
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.driverkit.consumers import Consumers
from tusk_jupyter.driverkit.dictionaries import Dictionaries
from tusk_jupyter.driverkit.parameters import check_nanoseconds
from tusk_jupyter.driverkit.runs import Run
from tusk_jupyter.driverkit.session import Session, Settings
from tusk_jupyter.driverkit.tickets import TicketBook
from tusk_jupyter.driverkit.uploads import Upload
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol import codec, driver
from tusk_jupyter.protocol.errors import to_extra_info, to_wire
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.stream import LARGE_BYTES, announcement
from tusk_jupyter.protocol.values import unpack
from tusk_jupyter.sqltext.script import Script
from tusk_jupyter.sqltext.statements import cut, may_have_placeholders, split
from tusk_jupyter.system.quiet_grpc import quiet
from tusk_jupyter.system.sockets import bound_address

CLOSE_PATIENCE_S = 1.5
"""How long the close of a session waits for the run in it; below the core's patience, which would kill the process."""


@dataclass(slots=True)
class _Slot:
    """A session and what it does now."""

    session: Session
    read_only: bool
    """As the connection was opened; a run may be stricter."""
    read_only_now: bool
    run: Run | Upload | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class DriverServer(flight.FlightServerBase):  # type: ignore[misc]
    """Serves the sessions of one driver process."""

    def __init__(self, start: driver.Start, session: type[Session], manifest: Manifest) -> None:
        """Listen at the start message's address; serving happens on Flight's own threads."""
        with quiet():
            super().__init__(start.address, middleware={"token": _TokenGate(start.token)})
        self.address = bound_address(start.address, self.port)
        self._session = session
        self._manifest = manifest
        self._slots: dict[str, _Slot] = {}
        self._tickets = TicketBook()
        self._words = Words()
        self._consumers = Consumers()
        self._uploads: dict[str, Upload] = {}
        self._actions: dict[str, tuple[type, Callable[[Any], Iterator[object]]]] = {
            message.ACTION: (message, handler)
            for message, handler in (
                (driver.Open, self._open),
                (driver.Test, self._test),
                (driver.Split, self._split),
                (driver.Watch, self._watch),
                (driver.Run, self._run),
                (driver.Upload, self._upload),
                (driver.Cancel, self._cancel),
                (driver.Leave, self._leave),
                (driver.Ping, self._ping),
                (driver.KillBackend, self._kill_backend),
                (driver.FindLocks, self._find_locks),
                (driver.Tree, self._tree),
                (driver.Describe, self._describe),
                (driver.TakeSnapshot, self._snapshot),
                (driver.Reset, self._reset),
                (driver.Close, self._close),
            )
        }

    # --- Flight's entry points ---

    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        """Answer one action of the core with its reply, or a stream of them."""
        if action.type != driver.Leave.ACTION:
            context.get_middleware("token").check()
        try:
            kind, handler = self._actions[action.type]
        except KeyError:
            known = ", ".join(sorted(self._actions))
            raise _on_the_wire(errors.ProtocolError(f"Unknown action {action.type!r}; known: {known}.")) from None
        try:
            for reply in handler(codec.decode(kind, action.body.to_pybytes())):
                yield flight.Result(codec.encode(reply))
        except flight.FlightError:
            raise  # in Flight's own words; raised from itself it would be its own cause
        except Exception as exc:
            raise _on_the_wire(exc) from exc

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.GeneratorStream:
        """Run on to the ticket's result and stream it."""
        try:
            run = self._tickets.redeem(ticket.ticket.decode())
            schema, batches = run.open_stream(self._tickets, context.is_cancelled)
        except flight.FlightError:
            raise  # in Flight's own words; raised from itself it would be its own cause
        except Exception as exc:
            raise _on_the_wire(exc) from exc
        return flight.GeneratorStream(schema, _stream(batches, Dictionaries(schema)))

    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        """Write a table; the descriptor's command is the ticket."""
        try:
            upload = self._uploads.pop(descriptor.command.decode(), None)
            if upload is None:
                raise errors.ProtocolError("This ticket is unknown or used.")
            writer.write(pa.py_buffer(codec.encode(upload.take(reader.to_reader(), context.is_cancelled))))
        except flight.FlightError:
            raise  # in Flight's own words; raised from itself it would be its own cause
        except Exception as exc:
            raise _on_the_wire(exc) from exc

    def finish(self) -> None:
        """Let results under way go out, then end the sessions as their databases expect it."""
        self._words.close()
        self.shutdown()
        for slot in list(self._slots.values()):
            slot.session.close()

    def interrupt_all(self) -> None:
        """Stop whatever runs, on the servers."""
        for slot in list(self._slots.values()):
            if slot.run is not None and not slot.run.ended:
                with contextlib.suppress(errors.TuskError):  # the others' statements are to be stopped all the same
                    slot.session.interrupt()

    # --- sessions ---

    def _open(self, message: driver.Open) -> Iterator[driver.Opened]:
        session = self._session.connect(
            Settings(
                config=message.config,
                secrets=message.secrets,
                read_only=message.read_only,
                connect_timeout_s=message.connect_timeout_s,
                application=message.application,
                may_create=message.may_create,
            )
        )
        self._slots[message.session] = _Slot(session, message.read_only, message.read_only)
        yield driver.Opened(server=session.server, backend=session.backend)

    def _test(self, message: driver.Test) -> Iterator[driver.Tested]:
        began = perf_counter()
        settings = Settings(
            config=message.config,
            secrets=message.secrets,
            read_only=message.read_only,
            connect_timeout_s=message.connect_timeout_s,
            may_create=message.may_create,
            trial=True,
        )
        try:
            session = self._session.connect(settings)
        except errors.TuskError as exc:
            yield driver.Tested(ok=False, elapsed_s=perf_counter() - began, error=to_wire(exc), stage=_stage(exc))
            return
        try:
            server, link = session.server, session.link
            rights = session.rights() if message.read_only else ""
        finally:
            session.close()  # before the answer: whoever receives it may want the file that this session holds
        yield driver.Tested(ok=True, elapsed_s=perf_counter() - began, server=server, link=link, rights=rights)

    def _ping(self, message: driver.Ping) -> Iterator[driver.Done]:
        yield driver.Done()

    def _kill_backend(self, message: driver.KillBackend) -> Iterator[driver.Killed]:
        settings = Settings(config=message.config, secrets=message.secrets)
        if message.session:
            yield driver.Killed(outcome=self._session.end_backend(settings, message.backend))
            return
        self._session.kill_backend(settings, message.backend)
        yield driver.Killed()

    def _find_locks(self, message: driver.FindLocks) -> Iterator[driver.LockWaits]:
        settings = Settings(config=message.config, secrets=message.secrets)
        yield driver.LockWaits(waits=tuple(self._session.lock_waits(settings, message.backends)))

    def _reset(self, message: driver.Reset) -> Iterator[driver.Done]:
        slot = self._slot(message.session)
        with slot.lock:
            slot.session.reset()
        yield driver.Done()

    def _close(self, message: driver.Close) -> Iterator[driver.Done]:
        slot = self._slots.pop(message.session, None)
        if slot is not None:
            if slot.run is not None and not slot.run.ended:
                with contextlib.suppress(
                    errors.TuskError
                ):  # a database that cannot be asked; its session is to be closed
                    slot.run.cancel()
                slot.run.wait(CLOSE_PATIENCE_S)  # a session is not closed under its statement
            slot.session.close()
        yield driver.Done()

    def _tree(self, message: driver.Tree) -> Iterator[driver.Nodes]:
        slot = self._slot(message.session)
        with slot.lock:
            self._be_free(slot)
            yield driver.Nodes(nodes=tuple(slot.session.tree(message.path)))

    def _describe(self, message: driver.Describe) -> Iterator[driver.Description]:
        slot = self._slot(message.session)
        with slot.lock:
            self._be_free(slot)
            yield slot.session.describe(message.path)

    def _snapshot(self, message: driver.TakeSnapshot) -> Iterator[driver.Snapshot]:
        slot = self._slot(message.session)
        with slot.lock:
            self._be_free(slot)
            yield slot.session.snapshot()

    def _slot(self, session: str) -> _Slot:
        slot = self._slots.get(session)
        if slot is None:
            raise errors.ProtocolError(f"There is no session {session!r}; open it first.")
        return slot

    # --- runs ---

    def _split(self, message: driver.Split) -> Iterator[driver.Statements]:
        yield driver.Statements(
            statements=tuple(
                driver.StatementText(start=one.start, end=one.start + len(one.text), parameters=one.parameters)
                for one in split(message.sql, self._manifest.dialect)
            )
        )

    def _watch(self, message: driver.Watch) -> Iterator[driver.RunEvent]:
        yield from self._words.stream()

    def _run(self, message: driver.Run) -> Iterator[driver.Done]:
        try:
            run = self._taken_in(message)
        except errors.TuskError as exc:
            self._tickets.refuse(message.ticket, exc)
            raise
        self._tickets.register(message.ticket, run)
        self._begin(run)
        yield driver.Done()

    def _taken_in(self, message: driver.Run) -> Run:
        script = Script(cut(message.sql, self._manifest.dialect))
        if not script.has(0):
            raise errors.UsageError("There is no SQL to run: the text holds only blanks and comments.")
        parameters = {name: unpack(value) for name, value in message.parameters.items()}
        names = {name for one in script for name in one.parameters} if may_have_placeholders(message.sql) else set()
        if missing := sorted(names - set(parameters)):
            raise errors.UsageError(f"No value for the parameter :{missing[0]}.")
        slot = self._slot(message.session)
        check_nanoseconds(parameters, slot.session, self._manifest.title)
        with slot.lock:
            self._be_ready(slot)
            self._set_mode(slot, message.read_only)
            slot.session.work_in(message.folder)
            run = slot.run = Run(
                message.run,
                slot.session,
                script,
                parameters,
                limit=message.limit,
                words=self._words,
                consumers=self._consumers,
                ticket=message.ticket,
                hidden=message.hidden,
            )
        return run

    def _upload(self, message: driver.Upload) -> Iterator[driver.Done]:
        slot = self._slot(message.session)
        with slot.lock:
            self._be_ready(slot)
            if slot.read_only:
                raise errors.UsageError("The connection is read-only: it takes no upload.", scenario="read_only")
            self._set_mode(slot, False)
            upload = slot.run = Upload(message, slot.session, self._words, self._consumers)
        for ticket in [known for known, one in list(self._uploads.items()) if one.ended]:  # nobody came for it
            self._uploads.pop(ticket, None)
        self._uploads[message.ticket] = upload
        self._begin(upload)
        yield driver.Done()

    def _begin(self, run: Run | Upload) -> None:
        """Tell of a run from now on; end one that its client has left before it was here."""
        self._words.begin(run)
        if self._tickets.is_left(run.ticket):
            run.cancel()

    def _be_free(self, slot: _Slot) -> None:
        if slot.run is not None and not slot.run.ended:
            raise errors.TimeoutExceeded("The session is busy with another run.", scenario="session_busy")

    def _be_ready(self, slot: _Slot) -> None:
        """See that a session can take a run: one that its server has ended is found out before anything is run."""
        self._be_free(slot)
        if not slot.session.is_alive():
            raise errors.SessionLost(slot.session.parting_words(), scenario="session_lost")

    def _set_mode(self, slot: _Slot, read_only: bool) -> None:
        wanted = slot.read_only or read_only
        if wanted != slot.read_only_now:
            slot.session.set_read_only(wanted)
            slot.read_only_now = wanted

    def _cancel(self, message: driver.Cancel) -> Iterator[driver.Done]:
        run = self._slot(message.session).run
        if run is not None and run.id == message.run:
            run.cancel()
        yield driver.Done()

    def _leave(self, message: driver.Leave) -> Iterator[driver.Done]:
        self._tickets.leave(message.ticket)  # first: its run may be on its way, and be in its slot a moment later
        for slot in list(self._slots.values()):
            run = slot.run
            if run is not None and hmac.compare_digest(run.ticket.encode(), message.ticket.encode()):
                run.cancel()
        yield driver.Done()


def _stage(exc: errors.TuskError) -> str:
    """Return the stage a connect failed at; sessions put it first in `detail`."""
    words = (exc.detail or "").split()
    return words[0].removeprefix("stage=") if words and words[0].startswith("stage=") else "unknown"


def _stream(
    batches: Iterator[tuple[pa.RecordBatch, bytes | None]], dictionaries: Dictionaries
) -> Iterator[pa.RecordBatch | pa.RecordBatchReader | tuple[pa.RecordBatch, pa.Buffer]]:
    try:
        for batch, metadata in batches:
            if dictionaries.are_new(batch):
                yield dictionaries.alone(batch)
            # `nbytes` looks at what of each buffer a slice has, 0.05 ms of a `SELECT 1`: only of what may be large.
            if batch.get_total_buffer_size() >= LARGE_BYTES and (size := batch.nbytes) >= LARGE_BYTES:
                yield batch.slice(0, 0), pa.py_buffer(announcement(size))
            yield batch if metadata is None else (batch, pa.py_buffer(metadata))
            del batch  # gone before the next one is made
    except flight.FlightError:
        raise
    except Exception as exc:
        raise _on_the_wire(exc) from exc
    finally:
        batches.close()  # type: ignore[attr-defined]


def _on_the_wire(exc: Exception) -> flight.FlightError:
    exc = memory.told(exc) or exc
    if not isinstance(exc, errors.TuskError):
        traceback.print_exception(exc)
    return flight.FlightServerError(str(exc)[:500], extra_info=to_extra_info(exc))


class _TokenGate(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Notes at each call whether it has the control token. Every action but `leave` needs it; tickets guard the others."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = f"Bearer {token}"

    def start_call(self, info: flight.CallInfo, headers: dict[str, list[str]]) -> _Gate | None:
        if info.method in (flight.FlightMethod.DO_GET, flight.FlightMethod.DO_PUT):
            return None
        given = headers.get("authorization", [""])[0]
        gate = _Gate(is_open=hmac.compare_digest(given, self._expected))
        if info.method != flight.FlightMethod.DO_ACTION:
            gate.check()
        return gate


class _Gate(flight.ServerMiddleware):  # type: ignore[misc]
    """One call's."""

    def __init__(self, *, is_open: bool) -> None:
        super().__init__()
        self._is_open = is_open

    def check(self) -> None:
        """Refuse the call if it came without the token."""
        if not self._is_open:
            raise flight.FlightUnauthenticatedError("This call needs the driver's control token.")
