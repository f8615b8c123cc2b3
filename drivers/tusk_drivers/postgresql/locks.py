"""Whose locks sessions wait for, asked on a session of its own; PostgreSQL answers everybody, and shows the superuser more."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from contextlib import closing

import psycopg

from tusk_drivers.postgresql.connect import sign_in
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.driver import LockHolder, LockWait

PREPARED = 0
"""What `pg_blocking_pids` calls a prepared transaction, which no session holds."""

_EDGES = """
    WITH RECURSIVE edge(waiter, holder) AS (
        SELECT asked, found FROM pg_catalog.unnest(%s::int[]) asked, pg_catalog.unnest(pg_catalog.pg_blocking_pids(asked)) found
        UNION
        SELECT holder, found FROM edge, pg_catalog.unnest(pg_catalog.pg_blocking_pids(holder)) found
    )
    SELECT waiter, holder, usename, application_name, pg_catalog.host(client_addr), state, pg_catalog.to_char(
        CASE WHEN state = 'active' THEN query_start ELSE state_change END AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM edge LEFT JOIN pg_catalog.pg_stat_activity ON pid = holder ORDER BY waiter, holder
"""
_STATES = {
    "active": "running a statement",
    "idle": "idle",
    "idle in transaction": "idle in an open transaction",
    "idle in transaction (aborted)": "idle in a failed transaction",
}


def lock_waits(settings: Settings, backends: Sequence[str]) -> list[LockWait]:
    """Return who of `backends` waits for whom, and for whom those wait in turn.

    Raises:
        ConnectError: the sign-in failed.
        QueryError: the server does not answer (one that only looks like PostgreSQL).
        UsageError: a backend is no process id.
    """
    for backend in backends:
        if not backend.isdecimal():
            raise UsageError(f"{backend!r} is no process id of PostgreSQL.")
    with closing(sign_in(settings)) as connection:
        try:
            rows = connection.execute(_EDGES, [[int(backend) for backend in backends]]).fetchall()
        except psycopg.Error as exc:
            raise QueryError(f"The server does not say who holds a lock: {exc}", code=exc.sqlstate) from exc
    found: dict[int, list[LockHolder]] = collections.defaultdict(list)
    for waiter, *holder in rows:
        found[waiter].append(_holder(*holder))
    return [LockWait(backend=str(waiter), holders=tuple(holders)) for waiter, holders in found.items()]


def _holder(
    pid: int, user: str | None, application: str | None, address: str | None, state: str | None, since: str | None
) -> LockHolder:
    if pid == PREPARED:
        return LockHolder(
            state="prepared and not ended (pg_prepared_xacts lists it)",
            ended_by="ROLLBACK PREPARED, or COMMIT PREPARED",
        )
    return LockHolder(
        backend=str(pid),
        user=user or "",
        application=application or "",
        address=address or "",
        state=_STATES.get(state or "", state or ""),
        since=since,
        ended_by=f"SELECT pg_terminate_backend({pid})",
    )
