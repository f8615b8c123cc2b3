"""The Python functions: what `%sql` and `tusk` do, for scripts and modules.

    import tusk_jupyter as tusk

    flights = tusk.query("SELECT * FROM flights WHERE month = :month", connection="warehouse", params={"month": 1})

They raise `tusk_jupyter.errors` and print nothing.
"""

from __future__ import annotations

from tusk_jupyter.api._connections import (
    connect,
    connections,
    credentials,
    disconnect,
    drivers,
    duplicate,
    remove,
    test,
    use,
)
from tusk_jupyter.api._core import (
    cancel,
    delete_log,
    doctor,
    info,
    log,
    logged_run,
    preferences,
    running,
    set_preference,
    version,
)
from tusk_jupyter.api._queries import append, execute, pack_parameters, persist, query
from tusk_jupyter.api._saved import delete_query, save_query, saved_queries
from tusk_jupyter.api._schemas import describe, schema

__all__ = [
    "append",
    "cancel",
    "connect",
    "connections",
    "credentials",
    "delete_log",
    "delete_query",
    "describe",
    "disconnect",
    "doctor",
    "drivers",
    "duplicate",
    "execute",
    "info",
    "log",
    "logged_run",
    "pack_parameters",
    "persist",
    "preferences",
    "query",
    "remove",
    "running",
    "save_query",
    "saved_queries",
    "schema",
    "set_preference",
    "test",
    "use",
    "version",
]
