"""A log that SQLite is to leave as it is when it closes the file: others have written, and would lose what is theirs.

Who closes a file last writes the log into it and removes that at its path. SQLite takes itself for the last where it can lock
all others out.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which lets nobody remove a file that is open
    fcntl = None  # type: ignore[assignment]

_SHARED_FIRST, _SHARED_SIZE = 0x40000000 + 2, 510
"""What readers of a file lock: https://www.sqlite.org/lockingv3.html"""
_kept: list[int] = []
"""Handles that hold a lock. One that were closed would take all other locks of this process on the file with it."""


def leave_log(connection: sqlite3.Connection, path: Path) -> None:
    """Have SQLite neither write the log into the file at `path` nor remove it when `connection` is closed."""
    if hasattr(connection, "setconfig"):  # Python 3.12
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)  # type: ignore[attr-defined,unused-ignore]
        return
    command = getattr(fcntl, "F_OFD_SETLK", None)  # of the handle: it counts against this process's own locks too
    if command is not None:
        with contextlib.suppress(OSError):
            _kept.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            fcntl.fcntl(
                _kept[-1],
                command,
                struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0),
            )
