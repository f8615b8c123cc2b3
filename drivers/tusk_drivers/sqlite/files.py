"""Opening a SQLite file, and why that fails, in words that say what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import psutil

from tusk_drivers.sqlite.errors import code_of
from tusk_jupyter import errors
from tusk_jupyter.driverkit.file_kinds import kind_of
from tusk_jupyter.driverkit.open_file import dangling, missing, try_to_create
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.system.working_folder import expanded

_STATEMENTS = 128
"""Prepared statements kept per session."""
_LOCKS = Path("/proc/locks")


def path_of(settings: Settings) -> Path | None:
    """Return the database file, None for one in memory."""
    text = settings.text("path")
    return None if text in (None, ":memory:") else expanded(str(text)).absolute()


def open_database(path: Path | None, settings: Settings, *, read_only: bool) -> sqlite3.Connection:
    """Open the file, or make it where that is allowed.

    Raises:
        ConnectError: it cannot be opened, or is no SQLite database.
    """
    if path is None:
        return _connect("file::memory:")
    new = not path.exists()
    check_place(path, settings)
    mode = "ro" if read_only else "rwc" if new else "rw"
    try:
        connection = _connect(f"file:{quote(str(path))}?mode={mode}")
        if not new:
            _read_header(connection)
    except (sqlite3.Error, OSError) as exc:
        raise _explain(exc, path) from exc
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )


def _read_header(connection: sqlite3.Connection) -> None:
    """SQLite opens lazily: only a look inside tells whether it is a database at all. A writer's lock may stand."""
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as exc:
        if code_of(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            connection.close()
            raise
    except BaseException:
        connection.close()
        raise


def check_place(path: Path, settings: Settings) -> None:
    """Refuse a place where no database can be opened or made.

    Raises:
        ConnectError: no such folder, a folder instead of a file, or no file where none may be made.
    """
    if path.is_dir():
        raise _error(f"{path} is a folder, not a SQLite file.", hint="Give a file's path.", scenario="no_such_file")
    if path.exists():
        return
    if not settings.may_create:
        raise missing(path)
    if path.is_symlink():
        raise dangling(path)
    if not path.parent.is_dir():
        raise _error(
            f"There is no folder {path.parent}, so {path.name} can be neither opened nor created there.",
            scenario="no_such_file",
        )
    if settings.read_only or not settings.config.get("create", True):
        raise _error(
            f"There is no file {path}, and this connection does not create it.",
            hint="Check the path; to create the file, connect without read-only and with `create` on.",
            scenario="no_such_file",
        )
    if (why := try_to_create(path)) is not None:
        raise _error(
            f"{path} cannot be created: {why.strerror}.",
            hint=f"Check who may write in {path.parent}, or choose another folder.",
            scenario="permission",
        )


def why_read_only(path: Path) -> str | None:
    """Return why SQLite does not write to a file that was opened for writing, as far as the system tells."""
    if not os.access(path, os.W_OK):
        return f"{path} is write-protected: allow writing to it, and run the cell again."
    if not os.access(path.parent, os.W_OK):
        return f"SQLite makes a journal beside the file, and the folder {path.parent} is write-protected."
    return None


def _explain(exc: BaseException, path: Path) -> errors.ConnectError:
    code = code_of(exc)
    if code == sqlite3.SQLITE_NOTADB:
        if (kind := kind_of(path)) is not None:
            return _error(f"{path} is {kind.what}, and no SQLite database.", hint=kind.advice)
        return _error(
            f"{path} is no SQLite database, or an encrypted one.",
            hint="Check the path. SQLite itself opens no encrypted file: make a copy in clear with the program that has "
            "encrypted it (SQLCipher's `sqlcipher_export`), and connect to that.",
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return _error(f"{path} is damaged: {exc}", hint="Restore it from a backup, or try SQLite's `.recover`.")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and _head(path)[18:20] == b"\x02\x02":
        return _error(
            f"{path} is in WAL mode: SQLite has to make {path.name}-shm beside it even for reading, and cannot ({exc}).",
            hint="Copy the file to a folder that may be written. Where nobody writes to it, connect to `:memory:` and run "
            f"`ATTACH 'file:{quote(str(path))}?immutable=1' AS name`.",
            scenario="permission",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY):
        return _error(f"{path} cannot be opened: {exc}", hint="Check who may read and write the file and its folder.")
    return _error(f"SQLite could not open {path}: {exc}")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(20)
    except OSError:
        return b""


def holder_of(path: Path | None) -> str | None:
    """Name the other process whose lock on the file is in the way, where the system tells (Linux)."""
    found = holders_of(path)
    return program(found[0]) if found else None


def holders_of(path: Path | None) -> list[int]:
    """Return the ids of the other processes whose locks on the file are in the way, where the system tells (Linux).

    Whoever writes is; readers are only in the way of a commit, and only where nobody else writes.
    """
    if path is None:
        return []
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:  # another system; closed to us; no file descriptor is left
        return []
    files = {str(inode) for name in (path, f"{path}-shm", f"{path}-wal") if (inode := _inode(Path(name)))}
    found: dict[str, list[int]] = {"WRITE": [], "READ": []}
    for line in lines:
        # [number:, (->,) POSIX, ADVISORY, WRITE, pid, device:inode, from, to]; with ->: one that waits
        fields = line.split()
        if len(fields) != 8 or fields[5].rpartition(":")[2] not in files or fields[4] in (str(os.getpid()), "-1", "0"):
            continue
        found.setdefault(fields[3], []).append(int(fields[4]))
    return list(dict.fromkeys(found["WRITE"] or found["READ"]))


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def program(pid: int) -> str:
    """Name a process for people."""
    try:
        process = psutil.Process(pid)
        name, arguments = process.name(), process.cmdline()[1:]
    except psutil.Error:  # of another user, or gone meanwhile
        return f"the process with id {pid}"
    script = next((Path(argument).name for argument in arguments if argument.endswith(".py")), None)
    return f"{name} ({script}; process id {pid})" if script else f"{name} (process id {pid})"


def _error(message: str, *, hint: str | None = None, scenario: str | None = None) -> errors.ConnectError:
    return errors.ConnectError(message, hint=hint or hint_for(scenario), detail="stage=file", scenario=scenario)
