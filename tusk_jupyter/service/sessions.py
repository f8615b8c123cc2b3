"""Database sessions: one per (client, connection), each in a driver process, kept from run to run.

Sessions on a file that one process locks (DuckDB) share the process of that file. A session ends with its client, after
idling, at a change of its connection, when its process dies, or after each run under `isolation = "statement"`.
"""

from __future__ import annotations

import enum
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tusk_jupyter import errors
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import driver
from tusk_jupyter.service.targets import MEMORY
from tusk_jupyter.state.connections import ConnectionRecord

CLOSE_TIMEOUT_S = 2.0


class State(enum.StrEnum):
    """A session's life (REQUIREMENTS C-12). Runtime only: a persisted `connected` would be a lie after a crash."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Session:
    """A session with a database, or the attempt at one."""

    client: str
    connection: ConnectionRecord
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = State.CONNECTING
    process: DriverProcess | None = None
    server: str = ""
    backend: str | None = None
    transaction: str = "idle"
    last_used: float = field(default_factory=time.monotonic)
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held by the run that uses the session."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is found by: its client and connection; under `isolation = "statement"` nobody is to find it again."""
        strict = self.connection.isolation == "statement"
        return self.client, self.id if strict else self.connection.id

    @property
    def usable(self) -> bool:
        """Whether it stands and its process lives."""
        return self.state is State.CONNECTED and self.process is not None and not self.process.ended

    def live_process(self) -> DriverProcess:
        """Return its process.

        Raises:
            DriverCrashed: it has none any more.
        """
        if self.process is None:
            raise errors.DriverCrashed("The session was closed.")
        return self.process


class SessionGone(errors.DriverCrashed):
    """The session ended between being found and being used; another one can be opened, for nothing was run."""


@dataclass(slots=True)
class _Shared:
    """A process that serves all sessions on one locked file."""

    process: DriverProcess
    sessions: set[str] = field(default_factory=set)


class Sessions:
    """All sessions; thread-safe. Opening one blocks only those who want the same one, or the same file."""

    def __init__(self, spares: Spares, secrets_of: Callable[[ConnectionRecord], dict[str, str]]) -> None:
        """Take processes from `spares` and secrets from `secrets_of`, asked just before each sign-in."""
        self._spares = spares
        self._secrets_of = secrets_of
        self._sessions: dict[tuple[str, str], Session] = {}
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._locks: dict[object, threading.Lock] = {}
        self._lock = threading.Lock()

    def acquire(
        self, client: str, connection: ConnectionRecord, *, memory_mb: int | None, connect_timeout_s: float
    ) -> Session:
        """Return the client's session on the connection, opened if there is none that stands.

        Raises:
            ConnectError, CredentialError, DriverError: it cannot be opened.
        """
        if connection.isolation == "statement":
            return self._opened(Session(client, connection), memory_mb=memory_mb, connect_timeout_s=connect_timeout_s)
        key = (client, connection.id)
        with self._lock_of(key):
            session = self._sessions.get(key)
            if session is not None and session.usable and session.connection.updated_at == connection.updated_at:
                session.last_used = time.monotonic()
                return session
            if session is not None:
                self.close(session)
            fresh = Session(client, connection)
            return self._opened(fresh, memory_mb=memory_mb, connect_timeout_s=connect_timeout_s)

    def close(self, session: Session, *, kill: bool = False) -> None:
        """End a session, and its process when nobody else uses it; idempotent."""
        with self._lock:
            if self._sessions.get(session.key) is session:
                del self._sessions[session.key]
            process, session.process = session.process, None
        if process is None:
            return
        session.state = State.DISCONNECTING
        shared_by_others = self._leave(session, process)
        if shared_by_others and not kill:
            try:
                process.call(driver.Close(session=session.id), timeout_s=CLOSE_TIMEOUT_S)
            except errors.TuskError:
                process.kill()  # it holds a file that others want and no longer answers
        elif kill:
            process.kill()
        else:
            # A file is free when its process has ended, not before: whoever asks next would find it locked, by us.
            process.stop(wait=self._file_of(session.connection.driver, session.connection.config) is not None)
        session.state = State.DISCONNECTED

    def serving(self, driver_name: str, config: Mapping[str, object]) -> DriverProcess | None:
        """Return the process that holds the locked file of `config` open for some session, or None."""
        file = self._file_of(driver_name, config)
        with self._lock:
            shared = self._shared.get(file) if file else None
        return shared.process if shared is not None and not shared.process.ended else None

    def process_ended(self, process: DriverProcess) -> None:
        """Mark the sessions of a process that ended by itself."""
        with self._lock:
            for session in self._sessions.values():
                if session.process is process:
                    session.state = State.FAILED
            self._shared = {key: one for key, one in self._shared.items() if one.process is not process}

    def of_client(self, client: str) -> list[Session]:
        """Return the sessions of a client."""
        return [one for one in self.all() if one.client == client]

    def of_connection(self, connection_id: str) -> list[Session]:
        """Return all clients' sessions on a connection."""
        return [one for one in self.all() if one.connection.id == connection_id]

    def state_of(self, client: str, connection_id: str) -> State:
        """Return the state of a client's session on a connection."""
        session = self._sessions.get((client, connection_id))
        return session.state if session else State.DISCONNECTED

    def idle(self, idle_s: float) -> list[Session]:
        """Return the sessions unused for `idle_s` seconds and in no transaction, whose temp tables nobody will miss soon."""
        horizon = time.monotonic() - idle_s
        return [
            one
            for one in self.all()
            if one.last_used < horizon and one.transaction == "idle" and one.usable and not one.turn.locked()
        ]

    def all(self) -> list[Session]:
        """Return all sessions."""
        with self._lock:
            return list(self._sessions.values())

    def close_all(self) -> None:
        """End every session."""
        for session in self.all():
            self.close(session)

    def _opened(self, session: Session, *, memory_mb: int | None, connect_timeout_s: float) -> Session:
        with self._lock:
            self._sessions[session.key] = session
        try:
            self._open(session, memory_mb=memory_mb, connect_timeout_s=connect_timeout_s)
        except BaseException:
            session.state = State.FAILED
            raise
        return session

    def _open(self, session: Session, *, memory_mb: int | None, connect_timeout_s: float) -> None:
        secrets = self._secrets_of(session.connection)
        file = self._file_of(session.connection.driver, session.connection.config)
        if file is None:
            process = self._spares.take(session.connection.driver)
            self._sign_in(session, process, secrets, memory_mb, connect_timeout_s)
            return
        with self._lock_of(file):
            shared = self._shared.get(file)
            if shared is None or shared.process.ended:
                shared = _Shared(self._spares.take(session.connection.driver))
                self._shared[file] = shared
            shared.sessions.add(session.id)
            try:
                self._sign_in(session, shared.process, secrets, memory_mb, connect_timeout_s)
            except BaseException:
                if not self._leave(session, shared.process):
                    shared.process.stop()
                raise

    def _sign_in(
        self,
        session: Session,
        process: DriverProcess,
        secrets: dict[str, str],
        memory_mb: int | None,
        connect_timeout_s: float,
    ) -> None:
        process.cap_memory(memory_mb)
        try:
            opened: driver.Opened = process.call(
                driver.Open(
                    session=session.id,
                    config=session.connection.config,
                    secrets=secrets,
                    read_only=session.connection.read_only,
                    connect_timeout_s=connect_timeout_s,
                ),
                timeout_s=connect_timeout_s + 5.0,
            )
        except BaseException:
            if self._file_of(session.connection.driver, session.connection.config) is None:
                process.stop()
            raise
        finally:
            secrets.clear()
        session.process = process
        session.server, session.backend = opened.server, opened.backend
        session.state = State.CONNECTED

    def _leave(self, session: Session, process: DriverProcess) -> bool:
        """Take the session out of its file's process; return whether others are still in it."""
        with self._lock:
            for file, shared in list(self._shared.items()):
                if shared.process is process:
                    shared.sessions.discard(session.id)
                    if shared.sessions:
                        return True
                    del self._shared[file]
        return False

    def _file_of(self, driver_name: str, config: Mapping[str, object]) -> tuple[str, str] | None:
        """Return the key of the locked file that a connection opens, or None."""
        manifest = self._spares.catalog.named(driver_name).manifest
        if manifest is None or manifest.locked_file is None:
            return None
        path = config.get(manifest.locked_file)
        if path in (None, "", MEMORY):
            return None
        from pathlib import Path

        return driver_name, str(Path(str(path)).resolve())

    def _lock_of(self, key: object) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())
