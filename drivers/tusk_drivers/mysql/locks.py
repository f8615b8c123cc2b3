"""Whose locks sessions wait for, asked on a session of its own: row locks of InnoDB, and metadata locks where they are shown.

MariaDB keeps row locks in information_schema (which needs PROCESS), MySQL 8 in performance_schema. A session's own state,
which everybody may see of their own sessions, tells of metadata locks only.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pymysql

from tusk_drivers.mysql.errors import from_server, numbered
from tusk_drivers.mysql.link import Link
from tusk_drivers.mysql.signin import sign_in
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.driver import LockHolder, LockWait

TIMEOUT_S = 5.0

_ROW_LOCKS = {
    True: "SELECT DISTINCT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w "
    "JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id "
    "JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id",
    False: "SELECT DISTINCT r.processlist_id, b.processlist_id FROM performance_schema.data_lock_waits w "
    "JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id "
    "JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id",
}
"""By whether the server is a MariaDB; pairs of who waits and for whom."""

_METADATA_LOCKS = {
    True: "SELECT DISTINCT w.id, m.thread_id FROM information_schema.processlist w "
    "JOIN information_schema.metadata_lock_info m ON m.thread_id <> w.id AND m.lock_type = 'Table metadata lock' "
    "AND LOCATE(m.table_name, w.info) > 0 WHERE w.state = 'Waiting for table metadata lock'",
    False: "SELECT DISTINCT waiting_pid, blocking_pid FROM sys.schema_table_lock_waits WHERE waiting_pid <> blocking_pid",
}
"""As above. MariaDB's plugin shows granted locks only: the table's name must stand in the waiting statement."""

_SESSIONS = (
    "SELECT id, user, host, command, state, DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL time SECOND, '%Y-%m-%dT%H:%i:%sZ') "
    "FROM information_schema.processlist"
)
_SOMEBODY_WAITS = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
_WAITING = re.compile(r"Waiting for .*\block|User lock", re.IGNORECASE)
"""States of a session that waits for a lock of the server above InnoDB; they are English in every locale."""
_NO_RIGHT = frozenset({1044, 1142, 1143, 1227, 1356, 1370})
_NOT_THERE = frozenset({1109, 1146, 1049})
"""No such table: the plug-in is not loaded, or it is another server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """What the list of sessions says of one."""

    user: str
    address: str
    command: str
    state: str
    since: str | None

    @property
    def is_idle(self) -> bool:
        return self.command == "Sleep"


def lock_waits(settings: Settings, backends: Sequence[str]) -> list[LockWait]:
    """Return who of `backends` waits for whom, and for whom those wait in turn.

    Raises:
        ConnectError, QueryError: the server cannot be asked. UsageError: a backend is no connection id.
    """
    for backend in backends:
        if not backend.isdecimal():
            raise UsageError(f"{backend!r} is no connection id of MySQL.")
    config = {name: value for name, value in settings.config.items() if name != "database"}
    timeout_s = min(settings.connect_timeout_s, TIMEOUT_S)
    with closing(sign_in(replace(settings, config=config, connect_timeout_s=timeout_s))) as link:
        link.wait_at_most(timeout_s)
        try:
            return _Question(link).waits([int(backend) for backend in backends])
        except pymysql.MySQLError as exc:
            raise from_server(exc) from exc


class _Question:
    """One look at a server."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_mariadb = "mariadb" in link.version.lower()
        self._rows = self._pairs(_ROW_LOCKS[self._is_mariadb])
        self._sessions = {
            int(number): _Session(
                user=str(user),
                address=str(host or "").rpartition(":")[0] or str(host or ""),
                command=str(command),
                state=str(state or ""),
                since=since,
            )
            for number, user, host, command, state, since in link.ask(_SESSIONS)
        }
        self._tables: Collection[tuple[int, int]] | None = ()
        if any(_WAITING.search(one.state) for one in self._sessions.values()):
            self._tables = self._pairs(_METADATA_LOCKS[self._is_mariadb])

    def waits(self, asked: list[int]) -> list[LockWait]:
        """Return the waits of those asked about, and of their holders."""
        holders = collections.defaultdict(list)
        for waiter, holder in dict.fromkeys([*(self._rows or ()), *(self._tables or ())]):
            holders[waiter].append(holder)
        found: dict[int, LockWait] = {}
        reached = list(asked)
        for number in reached:  # grows while it is walked
            wait = self._wait(number, holders.get(number, []))
            if wait is not None and number not in found:
                found[number] = wait
                reached += holders.get(number, [])
        return list(found.values())

    def _wait(self, number: int, holders: list[int]) -> LockWait | None:
        backend, session = str(number), self._sessions.get(number)
        if holders:
            return LockWait(backend=backend, holders=tuple(map(self._holder, holders)))
        if session is None or session.is_idle:
            return None
        if _WAITING.search(session.state):
            return LockWait(
                backend=backend, hidden=f'the server says "{session.state}" and does not show this account whose'
            )
        if self._rows is None and self._somebody_waits():
            right = "the right PROCESS" if self._is_mariadb else "SELECT on performance_schema"
            return LockWait(backend=backend, certain=False, hidden=f"for more than that this account lacks {right}")
        return None

    def _somebody_waits(self) -> bool:
        found = self._link.ask(_SOMEBODY_WAITS)
        return bool(found) and int(found[0][1]) > 0

    def _holder(self, number: int) -> LockHolder:
        session = self._sessions.get(number)
        if session is None:
            return LockHolder(backend=str(number), ended_by=f"KILL {number}")
        return LockHolder(
            backend=str(number),
            user=session.user,
            address=session.address,
            state="idle in an open transaction" if session.is_idle else "running a statement",
            since=session.since,
            ended_by=f"KILL {number}",
        )

    def _pairs(self, sql: str) -> list[tuple[int, int]] | None:
        """Return pairs of who waits and for whom; None: they are not for this account, or not kept by this server."""
        try:
            return [(int(waiter), int(holder)) for waiter, holder in self._link.ask(sql)]
        except pymysql.MySQLError as exc:
            if numbered(exc)[0] not in _NO_RIGHT | _NOT_THERE:
                raise
            return None
