"""Ending another session, or its statement, and asking about it, from a session of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from tusk_drivers.postgresql.connect import sign_in
from tusk_jupyter.driverkit.session import Outcome, Settings
from tusk_jupyter.errors import QueryError, TuskError, UsageError
from tusk_jupyter.protocol.scenarios import hint_for

GRACE_S = 0.5
"""How long a cancelled statement may take to end before its session is ended: its driver has asked it to for two seconds, and
the server's last word has to reach that before its process is ended, two seconds later (`launch.ladder`)."""
PATIENCE_S = 2.0
"""How long a session may take to end."""

_BUSY = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = %s AND state IN ('active', 'fastpath function call')"
_PAUSE_S = 0.05
_ASKING_S = 5.0
"""How long a sign-in for a mere question may take; a reader waits for it."""
_NOT_ALLOWED = "42501"
"""SQLSTATE insufficient_privilege."""

_TERMINATE = (
    "SELECT backend_xid::text, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = %s"
)
_NUMBER = "SELECT backend_xid::text FROM pg_catalog.pg_stat_activity WHERE pid = %s"
_STATUS = """
    WITH newest(number) AS (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint),
         whole(number) AS (SELECT (newest.number >> 32 << 32) + %(number)s - CASE
             WHEN (newest.number & 4294967295) < %(number)s THEN 4294967296 ELSE 0 END FROM newest)
    SELECT pg_catalog.pg_xact_status(number::text::xid8) FROM whole
"""
"""`pg_stat_activity` has the lower half of a transaction's number; the upper one is that of the newest, or one less."""


def kill(settings: Settings, backend: str) -> None:
    """Cancel what the session with process id `backend` runs; end the session if it goes on for half a second.

    Raises:
        ConnectError: the sign-in failed.
        QueryError: the server does not let this user do it.
        UsageError: `backend` is no process id.
    """
    pid = _pid(backend)
    with closing(sign_in(settings)) as connection, _explained(backend):
        connection.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
        for _ in range(round(GRACE_S / _PAUSE_S)):
            if connection.execute(_BUSY, [pid]).fetchone() is None:
                return
            connection.execute("SELECT pg_catalog.pg_sleep(%s)", [_PAUSE_S])
        connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [pid])


def end(settings: Settings, backend: str) -> Outcome:
    """End the session with process id `backend`, wait for its end, and say what became of its transaction.

    Raises:
        ConnectError, QueryError, UsageError: as `kill`; QueryError too when it has not ended after two seconds.
    """
    pid = _pid(backend)
    with closing(sign_in(settings)) as connection, _explained(backend):
        found = connection.execute(_TERMINATE, [pid]).fetchone()
        if found is None:
            return Outcome.UNKNOWN  # it has ended before: by the end of its statement, or because its link was gone
        number = found[0]
        for _ in range(round(PATIENCE_S / _PAUSE_S)):
            there = connection.execute(_NUMBER, [pid]).fetchone()
            if there is None:
                return _outcome(connection, number)
            number = there[0] or number
            connection.execute("SELECT pg_catalog.pg_sleep(%s)", [_PAUSE_S])
    raise QueryError(f"Session {backend} has not ended {PATIENCE_S:g} s after it was told to.")


def has_written(settings: Settings, backend: str) -> bool | None:
    """Return whether the transaction of the session with process id `backend` has a number, which it gets as it first writes.

    None where nobody says: the sign-in fails or takes long, or the session is not there.
    """
    brief = replace(settings, connect_timeout_s=min(settings.connect_timeout_s, _ASKING_S))
    try:
        with closing(sign_in(brief)) as connection:
            found = connection.execute(_NUMBER, [_pid(backend)]).fetchone()
    except (psycopg.Error, TuskError):
        return None
    return None if found is None else found[0] is not None


def _outcome(connection: psycopg.Connection[Any], number: str | None) -> Outcome:
    """Return what became of a transaction by its 32-bit number; None: it had written nothing when it was last looked at."""
    if number is None:
        return Outcome.UNKNOWN
    try:
        found = connection.execute(_STATUS, {"number": int(number)}).fetchone()
    except psycopg.Error:  # before version 13 there is no pg_xact_status of such a number
        return Outcome.UNKNOWN
    said = str(found[0]) if found else ""
    return {"aborted": Outcome.ROLLED_BACK, "committed": Outcome.COMMITTED}.get(said, Outcome.UNKNOWN)


def _pid(backend: str) -> int:
    if not backend.isdecimal():
        raise UsageError(f"{backend!r} is no process id of PostgreSQL.")
    return int(backend)


@contextmanager
def _explained(backend: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as exc:
        scenario = "permission" if exc.sqlstate == _NOT_ALLOWED else None
        raise QueryError(
            f"Session {backend} could not be ended: {exc.diag.message_primary or exc}",
            hint=hint_for(scenario),
            code=exc.sqlstate,
            scenario=scenario,
        ) from exc
