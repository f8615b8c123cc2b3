"""Ending another session's statement from a session of its own."""

from __future__ import annotations

from contextlib import closing

import psycopg

from tusk_drivers.postgresql.connect import sign_in
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.scenarios import hint_for

PATIENCE_S = 2.0
"""How long a cancelled statement may take to end before its session is ended."""

_BUSY = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = %s AND state IN ('active', 'fastpath function call')"
_PAUSE_S = 0.05


def kill(settings: Settings, backend: str) -> None:
    """Cancel what the session with process id `backend` runs; end the session if it goes on for two seconds.

    Raises:
        ConnectError: the sign-in failed.
        QueryError: the server does not let this user do it.
        UsageError: `backend` is no process id.
    """
    if not backend.isdecimal():
        raise UsageError(f"{backend!r} is no process id of PostgreSQL.")
    pid = int(backend)
    with closing(sign_in(settings)) as connection:
        try:
            connection.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
            for _ in range(round(PATIENCE_S / _PAUSE_S)):
                if connection.execute(_BUSY, [pid]).fetchone() is None:
                    return
                connection.execute("SELECT pg_catalog.pg_sleep(%s)", [_PAUSE_S])
            connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [pid])
        except psycopg.Error as exc:
            raise QueryError(
                f"The server refused to end session {backend}: {exc.diag.message_primary or exc}",
                hint=hint_for("permission"),
                code=exc.sqlstate,
                scenario="permission",
            ) from exc
