"""The schemas of connections: levels of their trees, and whole snapshots that are kept in memory and renewed when due.

Decision to question: everything is asked in sessions of a client of the core's own, so that a tree can be opened while a run
is under way, inside a failed transaction, and for a connection that no notebook uses. What is private to a session (a database
in memory) can only be asked there, and only while nothing runs in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec, control, driver
from tusk_jupyter.protocol.calls import Request
from tusk_jupyter.protocol.errors import WireError, to_wire
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.scenarios import FILE_GONE
from tusk_jupyter.service.sessions import Session, SessionGone
from tusk_jupyter.state.connections import ConnectionRecord

_LOG = logging.getLogger(__name__)

CLIENT = "tusk-schema"
"""The client id under which the core's own sessions are found."""
IDLE_S = 30.0
"""The core's own sessions are closed soon: one on a DuckDB file keeps other programs from it."""
ASK_TIMEOUT_S = 60.0
SNAPSHOT_TIMEOUT_S = 120.0
TURN_WAIT_S = 10.0
USER_WAIT_S = 0.05
"""How long a database in memory may be busy with a run that is just ending."""
RETRY_S = 30.0
"""How long a failure stands before a new try, unless somebody asks for one."""
BUSY_RETRY_S = 1.0
LOST = ("link_lost", "cancelled_by_admin", "shutdown", FILE_GONE)
"""Scenarios in which another session may well have the answer."""
_BROKEN = (errors.ConnectError, errors.DriverCrashed, errors.TimeoutExceeded)
LONGEST_WAIT_S = 60.0
DDL = frozenset(
    {"CREATE", "ALTER", "DROP", "RENAME", "COMMENT", "ATTACH", "DETACH", "IMPORT", "UNDROP", "LOAD", "INSTALL"}
)
"""First words of the statements after which a schema is another one."""


class _Reply(Message, frozen=True, kw_only=True):
    """A `control.SchemaSnapshot` whose snapshot is encoded already: 3 MB that every kernel gets."""

    connection: str
    driver: str
    dialect: str
    state: str
    age_s: float | None = None
    stamp: str = ""
    snapshot: msgspec.Raw | None = None
    error: WireError | None = None


@dataclass(slots=True)
class _Kept:
    """What is known of one schema."""

    target: str
    """Fingerprint of what the connection points at."""
    encoded: bytes = b""
    stamp: str = ""
    taken: float | None = None
    session: str = ""
    """Where it was taken; a private database is another one in another session."""
    due: bool = False
    """DDL was seen since it was begun."""
    taking: bool = False
    error: WireError | None = None
    not_before: float = 0.0
    """No new try before that, unless somebody asks for one."""
    changed: threading.Condition = field(default_factory=threading.Condition)


class Schemas:
    """All schemas; thread-safe.

    Args:
        open_session: returns a client's session on a connection, opened if need be.
        close_session: ends one.
        find_session: returns a client's session on a connection if one is open.
        is_private: whether a connection's database lives in the session that opened it, and nobody else sees it.
        cache_s: how long a snapshot is good, in seconds.
        changed: told when there is a new snapshot, or one is no longer right.
    """

    def __init__(
        self,
        *,
        open_session: Callable[[str, ConnectionRecord], Session],
        close_session: Callable[[Session], None],
        find_session: Callable[[str, str], Session | None],
        is_private: Callable[[ConnectionRecord], bool],
        cache_s: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._open_session = open_session
        self._close_session = close_session
        self._find_session = find_session
        self._is_private = is_private
        self._cache_s = cache_s
        self._changed = changed
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="schema")

    # --- asking ---

    def branch(self, client: str, record: ConnectionRecord, path: tuple[str, ...]) -> control.Branch:
        """Return the children of a path.

        Raises:
            TuskError: the database cannot be reached, or knows no such path.
        """
        _, found = self._ask(client, record, lambda session: driver.Tree(session=session, path=path))
        return control.Branch(connection=record.name, path=path, nodes=found.nodes if found else ())

    def describe(self, client: str, record: ConnectionRecord, path: tuple[str, ...]) -> control.TableDescription:
        """Return a table in full.

        Raises:
            TuskError: the database cannot be reached, or has no such table.
        """
        _, found = self._ask(client, record, lambda session: driver.Describe(session=session, path=path))
        if found is None:
            raise errors.QueryError(
                f"There is no table or view {'.'.join(path)}: the in-memory database of {record.name!r} is not open.",
                hint="It lives in a notebook's session: run a cell on it first.",
                scenario="undefined_table",
            )
        return control.TableDescription(connection=record.name, path=path, description=found)

    def snapshot(self, client: str, record: ConnectionRecord, dialect: str, request: control.GetSchema) -> Message:
        """Return a `SchemaSnapshot` with what there is, and have a new one taken if it is due."""
        client = client if self._is_private(record) else CLIENT
        with self._lock:
            kept = self._kept.setdefault((client, record.id), _Kept(record.fingerprint))
        with kept.changed:
            if not kept.taking and (request.refresh or self._is_due(kept, client, record)):
                kept.taking = True
                self._pool.submit(self._take, client, record, kept)
            if request.wait_s > 0:
                kept.changed.wait_for(lambda: not kept.taking, min(request.wait_s, LONGEST_WAIT_S))
            return _Reply(
                connection=record.name,
                driver=record.driver,
                dialect=dialect,
                state=self._state(kept, client, record),
                age_s=None if kept.taken is None else round(time.monotonic() - kept.taken, 3),
                stamp=kept.stamp,
                snapshot=msgspec.Raw(kept.encoded) if kept.encoded and request.known != kept.stamp else None,
                error=kept.error,
            )

    def _state(self, kept: _Kept, client: str, record: ConnectionRecord) -> str:
        if kept.error is not None and not kept.taking:
            return "failed"
        if kept.taken is None:
            return "taking"
        return "stale" if kept.taking or self._is_old(kept, client, record) else "fresh"

    def _is_due(self, kept: _Kept, client: str, record: ConnectionRecord) -> bool:
        return time.monotonic() >= kept.not_before and self._is_old(kept, client, record)

    def _is_old(self, kept: _Kept, client: str, record: ConnectionRecord) -> bool:
        if kept.taken is None or kept.due:
            return True
        if client != CLIENT:
            session = self._find_session(client, record.id)
            if kept.session != (session.id if session else ""):
                return True
        return time.monotonic() - kept.taken > self._cache_s()

    # --- taking ---

    def _take(self, client: str, record: ConnectionRecord, kept: _Kept) -> None:
        kept.due = False  # DDL that is seen from now on may be missed by this one
        session, encoded, error = "", b"", None
        try:
            session, found = self._ask(
                client, record, lambda id_: driver.TakeSnapshot(session=id_), timeout_s=SNAPSHOT_TIMEOUT_S
            )
            encoded = codec.encode(found or driver.Snapshot(tables=()))
        except Exception as exc:  # noqa: BLE001  # kept and told, whatever it is
            error = to_wire(exc)
            if not isinstance(exc, errors.TuskError):
                _LOG.exception("snapshot of connection %s", record.id)
        with kept.changed:
            if error is None:
                kept.encoded, kept.stamp = encoded, hashlib.blake2b(encoded, digest_size=8).hexdigest()
                kept.taken, kept.session, kept.not_before = time.monotonic(), session, 0.0
            else:
                kept.due = True
                kept.not_before = time.monotonic() + (BUSY_RETRY_S if error.scenario == "session_busy" else RETRY_S)
            kept.error, kept.taking = error, False
            kept.changed.notify_all()
        self._changed()

    def _ask(
        self,
        client: str,
        record: ConnectionRecord,
        question: Callable[[str], Request],
        *,
        timeout_s: float = ASK_TIMEOUT_S,
    ) -> tuple[str, Any]:
        """Return the session that was asked and its answer, or None for a private database that is not open.

        A session of the core's own that turns out to be broken is replaced once.
        """
        if self._is_private(record):
            with self._users_session(client, record) as session:
                if session is None:
                    return "", None
                return session.id, session.live_process().call(question(session.id), timeout_s=timeout_s)
        try:
            return self._ask_own(record, question, timeout_s)
        except errors.TuskError as exc:
            if exc.scenario not in LOST and not isinstance(exc, errors.DriverCrashed):
                raise
        return self._ask_own(record, question, timeout_s)

    def _ask_own(
        self, record: ConnectionRecord, question: Callable[[str], Request], timeout_s: float
    ) -> tuple[str, Any]:
        with self._own_session(record) as session:
            return session.id, session.live_process().call(question(session.id), timeout_s=timeout_s)

    @contextlib.contextmanager
    def _own_session(self, record: ConnectionRecord) -> Iterator[Session]:
        session = self._open_session(CLIENT, record)
        if not session.turn.acquire(timeout=TURN_WAIT_S):
            raise errors.TimeoutExceeded(
                f"The schema of {record.name!r} has been read by somebody else for {TURN_WAIT_S:g} s.",
                scenario="session_busy",
            )
        broken = record.isolation == "statement"
        try:
            if not session.usable:
                raise SessionGone(f"The session on {record.name!r} has just ended.")
            yield session
        except errors.TuskError as exc:
            broken = broken or exc.scenario in LOST or isinstance(exc, _BROKEN)
            raise
        finally:
            session.last_used = time.monotonic()
            session.turn.release()
            if broken:
                self._close_session(session)

    @contextlib.contextmanager
    def _users_session(self, client: str, record: ConnectionRecord) -> Iterator[Session | None]:
        session = self._find_session(client, record.id)
        if session is None or not session.usable:
            yield None
            return
        if not session.turn.acquire(timeout=USER_WAIT_S):
            raise errors.TimeoutExceeded(
                f"{record.name!r} is a database in memory, and a run is using it.",
                hint="Its tables can be listed when the run has ended.",
                scenario="session_busy",
            )
        try:
            yield session
        finally:
            session.turn.release()

    # --- what makes a snapshot old ---

    def run_ended(self, session: Session, kind: str, event: driver.RunEvent) -> None:
        """Look at what a run did; DDL in a transaction counts when that has ended."""
        ddl = kind == "upload" or any(_is_ddl(one.command, one.rows) for one in event.statements)
        if not ddl and not session.has_new_ddl:
            return
        private = self._is_private(session.connection)
        session.has_new_ddl = event.transaction != "idle" and not private
        if session.has_new_ddl:
            return
        meant = session.connection
        with self._lock:
            outdated = [
                kept
                for (client, id_), kept in self._kept.items()
                if client == (session.client if private else CLIENT)
                and (id_ == meant.id or (not private and kept.target == meant.fingerprint))
            ]
        for kept in outdated:
            kept.due, kept.not_before = True, 0.0
        if outdated:
            self._changed()

    def forget(self, connection_id: str) -> None:
        """Drop what is kept of a connection that is gone or was changed."""
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if key[1] != connection_id}
        self._changed()

    def forget_client(self, client: str) -> None:
        """Drop the snapshots of a client's private databases."""
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if key[0] != client}


def _is_ddl(command: str, rows: int | None) -> bool:
    first = command.partition(" ")[0]
    return first in DDL or (first == "SELECT" and rows is None)  # SELECT ... INTO a new table yields none
