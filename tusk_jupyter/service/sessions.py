"""Database sessions: one per (client, connection), each in a driver process, kept from run to run.

Sessions on a file that one process locks (DuckDB) share the process of that file. A session ends with its client, after
idling when nothing is left in it, at a change of its connection, when its process dies, or after each run under
`isolation = "statement"`. Why each ended is kept (`endings`).
"""

from __future__ import annotations

import contextlib
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
from tusk_jupyter.protocol.scenarios import hint_about
from tusk_jupyter.service.endings import Ended, Endings
from tusk_jupyter.service.targets import MEMORY
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.system.keyed_locks import KeyedLocks

CLOSE_TIMEOUT_S = 3.0


class State(enum.StrEnum):
    """A session's life (REQUIREMENTS C-12). Runtime only: a persisted `connected` would be a lie after a crash."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    FAILED = "failed"


class Step(enum.Enum):
    """What the opening of a session is at."""

    SECRET = enum.auto()
    DRIVER = enum.auto()
    SIGN_IN = enum.auto()


@dataclass(slots=True, eq=False)
class Session:
    """A session with a database, or the attempt at one."""

    client: str
    connection: ConnectionRecord
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = State.CONNECTING
    step: Step = Step.SECRET
    process: DriverProcess | None = None
    server: str = ""
    backend: str | None = None
    transaction: str = "idle"
    has_server: bool = True
    """Whether its statements run somewhere else than in its process."""
    holds: bool = False
    """Whether something may have been left in it that a new session would not have."""
    has_new_ddl: bool = False
    """Whether its open transaction has changed the schema."""
    why: str = ""
    """Why it ended or is about to, as a clause; the first reason stays."""
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
            SessionGone: it has none any more.
        """
        if self.process is None:
            raise SessionGone(f"The session on {self.connection.name!r} has just ended.")
        return self.process


class SessionGone(errors.DriverCrashed):
    """The session ended between being found and being used; another one can be opened, for nothing was run."""


class SpareGone(errors.DriverCrashed):
    """A process that had waited for its first session did not live to see it; a fresh one is tried before anybody is told."""


@dataclass(slots=True)
class _Shared:
    """A process that serves all sessions on one locked file."""

    process: DriverProcess
    sessions: set[str] = field(default_factory=set)


class Sessions:
    """All sessions; thread-safe. Opening one blocks only those who want the same one, or the same file."""

    def __init__(
        self,
        spares: Spares,
        secrets_of: Callable[[ConnectionRecord], dict[str, str]],
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Take processes from `spares` and secrets from `secrets_of`, asked just before each sign-in.

        `changed` is told when a session opened, ended or could not be opened.
        """
        self._changed = changed
        self._spares = spares
        self._secrets_of = secrets_of
        self._sessions: dict[tuple[str, str], Session] = {}
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._locks = KeyedLocks()
        """Of a client's session on a connection, and of a file."""
        self.endings = Endings()
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
        with self._locks.held(key):
            if (session := self.standing(client, connection)) is not None:
                return session
            if (session := self._sessions.get(key)) is not None:
                self.close(session, "its connection was changed")
            fresh = Session(client, connection)
            return self._opened(fresh, memory_mb=memory_mb, connect_timeout_s=connect_timeout_s)

    def standing(self, client: str, connection: ConnectionRecord) -> Session | None:
        """Return the session that `acquire` has to return at once; None where it would open one."""
        session = self._sessions.get((client, connection.id))
        if session is None or not session.usable or session.connection.updated_at != connection.updated_at:
            return None
        session.last_used = time.monotonic()
        return session

    def close(self, session: Session, why: str = "it was closed") -> None:
        """End a session for a reason, and its process when nobody else uses it; idempotent."""
        if (process := session.process) is not None:
            self._note_end(session, process, why)  # first: whoever finds it without a process may ask at once why
        with self._lock:
            if self._sessions.get(session.key) is session:
                del self._sessions[session.key]
            process, session.process = session.process, None
        if process is None:
            return
        session.state = State.DISCONNECTING
        file = self._file_of(session.connection.driver, session.connection.config)
        with self._locks.held(file) if file else contextlib.nullcontext():
            self._part(session, process)
        session.state = State.DISCONNECTED
        self._changed()

    def close_idle(self, idle_s: float, *, client: str | None = None) -> None:
        """Close the sessions (of one client) unused for `idle_s` seconds, with nothing in them, and used by no run just now."""
        for session in self.all() if client is None else self.of_client(client):
            if self._is_idle(session, idle_s) and session.turn.acquire(blocking=False):
                try:
                    if self._is_idle(session, idle_s):
                        self.close(session, f"it was closed after {idle_s:.0f} s without a run")
                finally:
                    session.turn.release()

    def forget_client(self, client: str) -> None:
        """Close a client's sessions."""
        for session in self.of_client(client):
            self.close(session, "the core had lost sight of this notebook or program")

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
        self._changed()

    def find(self, client: str, connection_id: str) -> Session | None:
        """Return a client's session on a connection, in whatever state."""
        return self._sessions.get((client, connection_id))

    def of_client(self, client: str) -> list[Session]:
        """Return the sessions of a client."""
        return [one for one in self.all() if one.client == client]

    def of_connection(self, connection_id: str) -> list[Session]:
        """Return all clients' sessions on a connection."""
        return [one for one in self.all() if one.connection.id == connection_id]

    def on_same(self, connection: ConnectionRecord) -> list[Session]:
        """Return all clients' sessions on a connection, or on the locked file that it opens."""
        file = self._file_of(connection.driver, connection.config)
        return [
            one
            for one in self.all()
            if one.connection.id == connection.id
            or (file is not None and file == self._file_of(one.connection.driver, one.connection.config))
        ]

    def state_of(self, client: str, connection_id: str) -> State:
        """Return the state of a client's session on a connection."""
        session = self.find(client, connection_id)
        return session.state if session else State.DISCONNECTED

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
        except BaseException as exc:
            session.state = State.FAILED
            if session.connection.isolation == "statement":
                self.close(session)
            if isinstance(exc, errors.TuskError):
                exc.hint = hint_about(exc.hint, session.connection.name)
            raise
        finally:
            self._changed()
        return session

    def _open(self, session: Session, *, memory_mb: int | None, connect_timeout_s: float) -> None:
        secrets = self._secrets_of(session.connection)
        session.step = Step.DRIVER
        try:
            self._join(session, secrets, memory_mb, connect_timeout_s)
        except SpareGone:
            self._join(session, secrets, memory_mb, connect_timeout_s, fresh=True)
        finally:
            secrets.clear()

    def _join(
        self,
        session: Session,
        secrets: Mapping[str, str],
        memory_mb: int | None,
        connect_timeout_s: float,
        *,
        fresh: bool = False,
    ) -> None:
        """Sign in with a process of the session's own, or with the one that has its file open."""
        file = self._file_of(session.connection.driver, session.connection.config)
        if file is None:
            process = self._spares.take(session.connection.driver, fresh=fresh)
            self._sign_in(session, process, secrets, memory_mb, connect_timeout_s)
            return
        with self._locks.held(file):
            shared = self._shared.get(file)
            if shared is None or shared.process.ended:
                shared = _Shared(self._spares.take(session.connection.driver, fresh=fresh))
            with self._lock:
                self._shared[file] = shared
                shared.sessions.add(session.id)
            try:
                self._sign_in(session, shared.process, secrets, memory_mb, connect_timeout_s)
            except BaseException:
                self._part(session, shared.process)
                raise

    def _sign_in(
        self,
        session: Session,
        process: DriverProcess,
        secrets: Mapping[str, str],
        memory_mb: int | None,
        connect_timeout_s: float,
    ) -> None:
        session.step = Step.SIGN_IN
        process.cap_memory(memory_mb)
        waited, process.waited = process.waited, False
        try:
            opened: driver.Opened = process.call(
                driver.Open(
                    session=session.id,
                    config=session.connection.config,
                    secrets=dict(secrets),
                    read_only=session.connection.read_only,
                    connect_timeout_s=connect_timeout_s,
                    may_create=not session.connection.file_seen,
                ),
                timeout_s=connect_timeout_s + 5.0,
            )
        except BaseException as exc:
            if self._file_of(session.connection.driver, session.connection.config) is None:
                process.stop()
            if waited and isinstance(exc, errors.DriverCrashed):
                raise SpareGone(exc.message, hint=exc.hint, detail=exc.detail) from exc
            raise
        session.server, session.backend = opened.server, opened.backend
        session.has_server = process.manifest.has_server
        with self._lock:
            wanted = self._sessions.get(session.key) is session
            if wanted:
                session.process, session.state = process, State.CONNECTED
        if not wanted:  # its client or its connection went away meanwhile
            if self._file_of(session.connection.driver, session.connection.config) is None:
                process.stop()
            raise SessionGone(f"The session on {session.connection.name!r} was closed while it was opened.")

    def _part(self, session: Session, process: DriverProcess) -> None:
        """End a session at its process, and the process with its last session; a file's lock is held by the caller."""
        if self._leave(session, process):
            try:
                process.call(driver.Close(session=session.id), timeout_s=CLOSE_TIMEOUT_S)
            except errors.TuskError:
                process.kill("its driver process no longer answered, and was ended")  # it holds a file that others want
        else:
            # A file is free when its process has ended, not before: whoever asks next would find it locked, by us.
            process.stop(wait=self._file_of(session.connection.driver, session.connection.config) is not None)

    @staticmethod
    def _is_idle(session: Session, idle_s: float) -> bool:
        unused_s = time.monotonic() - session.last_used
        return unused_s > idle_s and session.transaction == "idle" and not session.holds and session.usable

    def _note_end(self, session: Session, process: DriverProcess, why: str) -> None:
        if session.connection.isolation == "statement":
            return
        session.why = session.why or (process.ending() if process.ended else why)
        held = session.holds or session.transaction != "idle"
        self.endings.note(session.id, Ended(connection=session.connection.id, why=session.why, held=held))

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
