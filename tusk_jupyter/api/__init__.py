"""The Python functions: what `%sql` and `tusk` do, for scripts and modules.

    import tusk_jupyter as tusk

    flights = tusk.query("SELECT * FROM flights WHERE month = :month", connection="warehouse", params={"month": 1})

They raise `tusk_jupyter.errors` and print nothing.
"""

from __future__ import annotations

from tusk_jupyter.api._connections import connect, connections, credentials, drivers, remove, test, use
from tusk_jupyter.api._core import cancel, doctor, info, log, preferences, running, set_preference, version
from tusk_jupyter.api._queries import append, execute, pack_parameters, persist, query

__all__ = [
    "append",
    "cancel",
    "connect",
    "connections",
    "credentials",
    "doctor",
    "drivers",
    "execute",
    "info",
    "log",
    "pack_parameters",
    "persist",
    "preferences",
    "query",
    "remove",
    "running",
    "set_preference",
    "test",
    "use",
    "version",
]
