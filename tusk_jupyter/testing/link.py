"""A driver process as the core sees it, small enough to read: started, spoken to, ended."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import TuskError
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.calls import Peer, translated
from tusk_jupyter.protocol.driver import (
    FAREWELL,
    LAST_WORDS,
    Close,
    Open,
    Opened,
    Ready,
    Run,
    RunEvent,
    Start,
    Upload,
    Watch,
)
from tusk_jupyter.protocol.stream import Trailer, announced
from tusk_jupyter.protocol.values import pack
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system.sockets import new_address

READY_S = 60.0
END_S = 30.0


@dataclass(slots=True)
class Result:
    """One result of a run, put together from its streams."""

    schema: pa.Schema
    rows: list[tuple[Any, ...]]
    trailer: Trailer | None


@dataclass(slots=True)
class Outcome:
    """All that came of a run."""

    results: list[Result] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)
    error: TuskError | None = None
    """What the client's stream ended with."""

    @property
    def words(self) -> list[str]:
        """The names of the events, without those that a short run may leave out."""
        return [event.event for event in self.events if event.event not in ("started", "progress")]


class DriverProcess:
    """A driver process. `start` it, use `peer`, and `end` it; or use it as a context manager."""

    def __init__(self, command: Sequence[str], *, protocol: int = PROTOCOL_VERSION) -> None:
        """Start `command` with `serve` and wait for its word."""
        self.folder = tempfile.TemporaryDirectory(
            prefix="tk", ignore_cleanup_errors=True
        )  # socket paths end at 107 bytes
        self.token = uuid4().hex
        self._errors = (Path(self.folder.name) / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [*command, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        start = Start(protocol=protocol, address=new_address(Path(self.folder.name), "d"), token=self.token)
        self.send(codec.encode(start) + b"\n")
        self.ready = codec.decode(Ready, self._first_line())
        self.peer = Peer(self.ready.address or start.address, self.token)
        self._followed: dict[str, Running] = {}
        self._watching: threading.Thread | None = None

    def __enter__(self) -> DriverProcess:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    def send(self, line: bytes) -> None:
        """Write to the driver's standard input."""
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def _first_line(self) -> bytes:
        found: list[bytes] = []
        assert self.process.stdout
        reader = threading.Thread(target=lambda: found.append(self.process.stdout.readline()), daemon=True)  # type: ignore[union-attr]
        reader.start()
        reader.join(READY_S)
        if not found:
            self.process.kill()
        assert found and found[0], f"no Ready line; standard error: {self.said()[-2000:]}"
        return found[0]

    def said(self) -> str:
        """Return what the driver wrote to its standard error."""
        return Path(self._errors.name).read_text(errors="replace")

    def end(self, *, farewell: bool = True) -> int:
        """End the driver as the core does, by closing its standard input; return its exit code."""
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                if farewell:
                    self.send(FAREWELL)
                self.process.stdin.close()  # type: ignore[union-attr]
        try:
            return self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.peer.close()
            self._errors.close()
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
            self.folder.cleanup()

    # --- sessions and runs ---

    @contextlib.contextmanager
    def session(self, settings: Settings) -> Iterator[str]:
        """Open a session, give its id, close it."""
        name = uuid4().hex
        self.open(settings, name)
        yield name
        with contextlib.suppress(TuskError):
            self.peer.call(Close(session=name))

    def open(self, settings: Settings, name: str) -> Opened:
        """Open a session of that id."""
        opened: Opened = self.peer.call(
            Open(
                session=name,
                config=dict(settings.config),
                secrets=dict(settings.secrets),
                read_only=settings.read_only,
                connect_timeout_s=settings.connect_timeout_s,
            )
        )
        return opened

    def run(self, session: str, sql: str, parameters: Mapping[str, object] | None = None, **options: Any) -> Outcome:  # noqa: ANN401
        """Run SQL to its end."""
        with self.begin(session, sql, parameters, **options) as running:
            running.read()
        return running.outcome

    @contextlib.contextmanager
    def begin(
        self,
        session: str,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Iterator[Running]:
        """Hand a run in; its events are collected until the block is left."""
        request = Run(
            session=session,
            run=uuid4().hex,
            ticket=uuid4().hex,
            sql=sql,
            parameters={name: pack(value) for name, value in (parameters or {}).items()},
            **options,
        )
        yield from self._follow(request)

    @contextlib.contextmanager
    def begin_upload(self, session: str, table: str, *, append: bool = False) -> Iterator[Running]:
        """Hand an upload in."""
        yield from self._follow(
            Upload(session=session, run=uuid4().hex, ticket=uuid4().hex, table=table, append=append)
        )

    def _follow(self, request: Run | Upload) -> Iterator[Running]:
        if self._watching is None:
            self._watching = threading.Thread(target=self._watch, daemon=True)
            self._watching.start()
        running = self._followed[request.run] = Running(self.peer, request)
        try:
            self.peer.call(request, timeout_s=READY_S)
        except TuskError:
            del self._followed[request.run]
            assert not running.outcome.events, "a run that was refused says nothing"
            raise
        try:
            yield running
        finally:
            ended = running.ended.wait(END_S)
            del self._followed[request.run]
        assert ended, f"the run's last word did not come within {END_S:.0f} s of its end"

    def _watch(self) -> None:
        with contextlib.suppress(TuskError):
            for word in self.peer.stream(Watch()):
                if word.run in self._followed:
                    self._followed[word.run].hear(word)
        for running in list(self._followed.values()):
            running.ended.set()


class Running:
    """A run that was handed in: what the driver says of it comes on another thread, its data on the caller's."""

    def __init__(self, peer: Peer, request: Run | Upload) -> None:
        self.peer = peer
        self.request = request
        self.outcome = Outcome()
        self.ended = threading.Event()
        """Its last word was said, or the process ended."""

    def hear(self, word: RunEvent) -> None:
        """Take in what the driver says of the run."""
        self.outcome.events.append(word)
        if word.event in LAST_WORDS:
            self.ended.set()

    def read(self) -> None:
        """Fetch all streams of the run, as a client does: without the token, with the ticket."""
        ticket: str | None = self.request.ticket
        widened = False
        while ticket:
            try:
                trailer = self._read_stream(ticket, widened=widened)
            except (flight.FlightError, pa.ArrowException) as exc:
                self.outcome.error = translated(exc)
                return
            assert trailer is not None, "a stream ended without its trailer"
            ticket, widened = trailer.ticket, trailer.widen

    def reader(self, ticket: str | None = None) -> Any:  # noqa: ANN401
        """Open a stream."""
        return self.peer.flight.do_get(flight.Ticket((ticket or self.request.ticket).encode()))

    def _read_stream(self, ticket: str, *, widened: bool) -> Trailer | None:
        reader = self.reader(ticket)
        result = self.outcome.results[-1] if widened else Result(reader.schema, [], None)
        if not widened and len(reader.schema):
            self.outcome.results.append(result)
        result.schema = reader.schema
        trailer = None
        for chunk in reader:
            assert trailer is None, "a batch follows the trailer"
            result.rows += zip(*(column.to_pylist() for column in chunk.data.columns), strict=True)
            if chunk.app_metadata is not None and announced(chunk.app_metadata.to_pybytes()) is None:
                trailer = result.trailer = codec.decode(Trailer, chunk.app_metadata.to_pybytes())
        return trailer

    def write(self, table: pa.Table) -> Trailer:
        """Send an upload's rows and return the driver's last word on them."""
        descriptor = flight.FlightDescriptor.for_command(self.request.ticket.encode())
        try:
            writer, answers = self.peer.flight.do_put(descriptor, table.schema)
            with writer:
                writer.write_table(table, max_chunksize=1000)
                writer.done_writing()
                answer = answers.read()
        except (flight.FlightError, pa.ArrowException) as exc:
            raise translated(exc) from exc
        assert answer is not None, "the driver did not say what it wrote"
        return codec.decode(Trailer, answer.to_pybytes())
