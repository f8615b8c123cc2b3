"""Configured connections: no secret, but where each secret is and how far its storing or deleting has come.

Storing a connection with a secret: `save` with `credential_state="pending"` (an intent nobody sees), store the secret,
`save` with "stored". Deleting: `save` with "deleting", delete the secret everywhere, `remove`. After a crash anywhere
between, `unfinished()` has what is left to clear away. All of it is served from memory; only changes touch the disk.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import InternalError, StorageError, UsageError
from tusk_jupyter.protocol.scenarios import NAME_TAKEN
from tusk_jupyter.state import clock
from tusk_jupyter.state.erasure import Erasure
from tusk_jupyter.state.tables import ERASES

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal

STATES = ("none", "pending", "stored", "deleting")
TOUCH_S = 60.0  # `last_used_at` is written at most this often: each write costs a disk sync, and a run already has two
NOTE_S = 1.0  # and noted at most this often: a new record is a tenth of the calls that take a run in
_NEVER = (float("-inf"), float("-inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRecord:
    """A connection as it is stored; times are ISO 8601, UTC, milliseconds."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str
    driver: str
    config: dict[str, Any] = field(default_factory=dict)
    """The driver's fields without the secret ones."""
    credential_ref: str | None = None
    credential_tier: str | None = None
    """keyring | vault | memory | command, or None when it needs no secret."""
    credential_state: str = "none"
    """none | pending | stored | deleting."""
    password_command: str | None = None
    read_only: bool = False
    environment: str | None = None
    timeout_s: float | None = None
    memory_limit_mb: int | None = None
    isolation: str = "session"
    log: bool = True
    fingerprint: str = ""
    """See `fingerprint()`; filled in by `Connections.save` when empty."""
    created_at: str = ""
    updated_at: str = ""
    last_used_at: str | None = None
    file_seen: bool | None = None
    """Whether its database file has been seen at its path: from then on no run makes a new one there."""

    @property
    def live(self) -> bool:
        """Whether it is in use, rather than on its way in or out."""
        return self.credential_state in ("none", "stored")


def fingerprint(driver: str, config: Mapping[str, Any], *, default_port: int | None = None) -> str:
    """Return SHA-256 of what a connection points at: equal for two names of one database and user."""
    host = config.get("host")
    port = config.get("port") or default_port
    meant = {
        "driver": driver,
        "host": host.lower() if isinstance(host, str) else host,
        "port": int(port) if port is not None else None,
        "database": config.get("database", config.get("path")),
        "user": config.get("user"),
    }
    return hashlib.sha256(json.dumps(meant, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Connections:
    """All connections; threads may call at once."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Load them from the state file."""
        self._journal = journal
        self._database = database
        self._erasure = Erasure(database, journal)
        self._lock = threading.RLock()
        self._touched: dict[str, tuple[float, float]] = {}
        """When each was noted, and written, as used."""
        rows = database.read(f"SELECT {', '.join(_SELECT)} FROM connection")  # noqa: S608
        self._by_id = {record.id: record for record in map(_from_row, rows)}

    def list(self) -> tuple[ConnectionRecord, ...]:
        """Return the connections in use, by name."""
        with self._lock:
            return tuple(sorted((c for c in self._by_id.values() if c.live), key=lambda c: c.name.casefold()))

    def get(self, name: str) -> ConnectionRecord | None:
        """Return the connection in use of that name, in any case of letters."""
        wanted = name.casefold()
        with self._lock:
            return next((c for c in self._by_id.values() if c.live and c.name.casefold() == wanted), None)

    def get_by_id(self, connection_id: str) -> ConnectionRecord | None:
        """Return a connection, also one on its way in or out."""
        with self._lock:
            return self._by_id.get(connection_id)

    def unfinished(self) -> tuple[ConnectionRecord, ...]:
        """Return the connections whose storing or deleting has begun and not ended."""
        with self._lock:
            return tuple(c for c in self._by_id.values() if not c.live)

    def save(self, record: ConnectionRecord, *, replaces: str | None = None) -> ConnectionRecord:
        """Store a connection, new or changed; return it with times and fingerprint.

        Args:
            record: replaces the stored one of the same id.
            replaces: id of another connection, which in the same step becomes "deleting": its secrets wait to be
                cleared away.

        Raises:
            UsageError: another connection in use has that name.
            StorageError: it could not be written; nothing is changed.
        """
        if record.credential_state not in STATES:
            raise InternalError(f"{record.credential_state!r} is no credential state; there are {', '.join(STATES)}.")
        with self._lock:
            old = self._by_id.get(record.id)
            self._check_name(record, replaces)
            record = _completed(record, old)
            body: dict[str, Any] = {"after": _to_body(record)}
            erases = old is not None and old.password_command not in (None, record.password_command)
            replaced = self._by_id.get(replaces) if replaces and replaces != record.id else None
            if replaced is not None:
                replaced = replace(replaced, credential_state="deleting", updated_at=record.updated_at)
                body["replaced"] = _to_body(replaced)
            self._journal.append("connection.put", body | (ERASES if erases else {}))
            self._by_id[record.id] = record
            if replaced is not None:
                self._by_id[replaced.id] = replaced
        if erases:
            self._erase()
        return record

    def remove(self, connection_id: str) -> bool:
        """Delete a connection's record; return whether there was one. Its rows of the query log stay."""
        with self._lock:
            record = self._by_id.get(connection_id)
            if record is None:
                return False
            self._journal.append("connection.delete", {"id": connection_id} | ERASES)
            del self._by_id[connection_id]
            self._touched.pop(connection_id, None)
        if record.password_command is not None:  # it may hold a secret; the rest is erased within the hour
            self._erase()
        return True

    def _erase(self) -> None:
        """Take what a connection was out of the files; if that fails, all the same it is that no longer."""
        try:
            self._erasure.finish()
        except StorageError as exc:
            self._database.notices.append(
                f"What was deleted of a connection is still in a file of the state folder: {exc.message} "
                "It is tried again within the hour."
            )

    def touch(self, connection_id: str) -> None:
        """Note that a connection is used now, or was a moment ago."""
        now = time.monotonic()
        with self._lock:
            noted, written = self._touched.get(connection_id, _NEVER)
            record = self._by_id.get(connection_id)
            if record is None or now - noted < NOTE_S:
                return
            record = self._by_id[connection_id] = replace(record, last_used_at=clock.now())
            self._touched[connection_id] = now, written
            if now - written >= TOUCH_S:
                self._journal.append("connection.put", {"after": _to_body(record)})
                self._touched[connection_id] = now, now

    def note_file(self, connection_id: str) -> None:
        """Note that a connection's database file is there."""
        with self._lock:
            record = self._by_id.get(connection_id)
            if record is None or record.file_seen:
                return
            record = replace(record, file_seen=True)
            self._journal.append("connection.put", {"after": _to_body(record)})
            self._by_id[connection_id] = record

    def _check_name(self, record: ConnectionRecord, replaces: str | None) -> None:
        if not record.name.strip():
            raise UsageError("A connection needs a name.")
        other = self.get(record.name)
        if record.live and other is not None and other.id not in (record.id, replaces):
            raise UsageError(
                f"There is a connection {other.name!r} already.",
                hint=f"Choose another name, or replace that one: `%tusk connect {shlex.quote(other.name)} URL --replace`.",
                scenario=NAME_TAKEN,
            )


def _completed(record: ConnectionRecord, old: ConnectionRecord | None) -> ConnectionRecord:
    moment = clock.now()
    return replace(
        record,
        fingerprint=record.fingerprint or fingerprint(record.driver, record.config),
        created_at=(old.created_at if old else record.created_at) or moment,
        updated_at=moment,
        last_used_at=record.last_used_at or (old.last_used_at if old else None),
    )


def _to_body(record: ConnectionRecord) -> dict[str, Any]:
    return {**asdict(record), "config": json.dumps(record.config, ensure_ascii=False)}


_FIELDS = tuple(ConnectionRecord.__dataclass_fields__)
_TIMES = ("created_at", "updated_at", "last_used_at")
_SELECT = tuple(f"{name}::VARCHAR" if name in ("id", "config") else name for name in _FIELDS)


def _from_row(row: tuple[Any, ...]) -> ConnectionRecord:
    values = dict(zip(_FIELDS, row, strict=True))
    values["config"] = json.loads(values["config"])
    for name in _TIMES:
        values[name] = clock.text(values[name]) if values[name] is not None else None
    return ConnectionRecord(**values)
