"""Why a database file cannot be opened, in words that say what to do.

The file's first bytes are read only while no session of this process has it open: closing any handle on a file drops every
POSIX lock that the process holds on it.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import psutil

from tusk_drivers.duckdb.errors import report_of, translate
from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.driverkit.file_kinds import FileKind, encrypted, kind_of
from tusk_jupyter.driverkit.open_file import dangling, missing, try_to_create
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.system import duckdb_path

ANOTHER_PLACE = "Rename what has it, or use a file elsewhere."
"""What to do about a path that `duckdb_path` finds wrong."""

_PID = re.compile(r"\(PID (\d+)\)")
_OWN = "a DuckDB database"
_TAKEN = (_OWN, "a SQLite database")
"""What DuckDB opens as a database; SQLite's with an extension."""
_NEWER = re.compile(r"version number (\d+)|newer version|storage version")


def check_place(path: Path, settings: Settings) -> None:
    """Refuse a place where no database can be opened or made.

    Raises:
        ConnectError: no such folder, a folder instead of a file, or no file where none may be made.
    """
    if path.is_dir():
        raise _error(
            f"{path} is a folder, not a DuckDB file.", hint="Give the file's own path.", scenario="no_such_file"
        )
    if (problem := duckdb_path.problem(path)) is not None:
        raise _error(problem, hint=ANOTHER_PLACE)
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


def check_kind(path: Path) -> None:
    """Refuse a file of another kind, before DuckDB makes a database in memory with a view on it.

    So it does with CSV, JSON and Parquet: a table that is made there is lost with the session, in silence.

    Raises:
        ConnectError: it is no database.
    """
    kind = kind_of(path)
    if kind is not None and kind.what not in _TAKEN:
        raise _other(path, kind)


def _other(path: Path, kind: FileKind, *, detail: str | None = None) -> errors.ConnectError:
    return _error(f"{path} is {kind.what}, and no DuckDB database.", hint=kind.advice, detail=detail)


def is_lock_conflict(exc: BaseException) -> bool:
    """Return whether another process holds the file."""
    return "Could not set lock on file" in str(exc)


def explain(exc: BaseException, path: Path) -> errors.ConnectError:
    """Return what kept DuckDB from opening `path`."""
    if is_lock_conflict(exc):
        return _error(f"{path} is held by {_holder(str(exc))}.", scenario="file_locked")
    if translate(exc).scenario == "memory_limit":
        return _error(
            f"There is not enough memory to open {path}.", scenario="memory_limit", hint=memory.hint(), detail=str(exc)
        )
    report = report_of(exc)
    message = report.message.split("\n\nFor more info")[0]
    if report.kind in ("Invalid Input", "Parser") and (kind := kind_of(path)) and kind.what == _OWN:
        return _error(f"DuckDB refused the connection's settings: {message}", hint="Correct them and connect again.")
    return _of_content(message, path)


def _of_content(message: str, path: Path) -> errors.ConnectError:
    kind = kind_of(path)
    if kind is not None and kind.what != _OWN:
        return _other(path, kind, detail=message)
    if kind is None and path.exists() and os.access(path, os.R_OK):
        return _error(f"{path} is no DuckDB database.", hint="Check the path.", detail=message)
    if "encrypted database" in message:
        what, advice = encrypted(path, "DuckDB")
        return _error(f"{path} is {what}, and this connection has no key for it.", hint=advice, detail=message)
    if _NEWER.search(message):
        return _error(
            f"{path} was written by a newer DuckDB than this driver's.",
            hint="Upgrade the `duckdb` package, then `%tusk core stop`.",
            detail=message,
        )
    if "checksum" in message or "enough bytes" in message or "Corrupt" in message:
        return _error(
            f"{path} is damaged: {message.splitlines()[0]}",
            hint="Restore it from a backup; a copy of the file as it is now helps whoever looks into it.",
        )
    if "WAL does not match" in message:
        return _error(
            f"{path}.wal is the log of another database than {path.name}, which has taken the other's place since.",
            hint=f"Move the log away (it has what was committed in the other and not yet in its file): "
            f"`mv {shlex.quote(f'{path}.wal')} {shlex.quote(f'{path}.wal.of-old-content')}`.",
            detail=message,
        )
    return _error(f"DuckDB could not open {path}: {message}", hint="Check the path and who may read and write it.")


def _holder(message: str) -> str:
    """Name the process whose id DuckDB tells: its program, and its script where the program is an interpreter."""
    found = _PID.search(message)
    if found is None:
        return "another process"
    pid = int(found[1])
    try:
        process = psutil.Process(pid)
        name, arguments = process.name(), process.cmdline()[1:]
    except psutil.Error:  # of another user, or gone meanwhile
        return f"the process with id {pid}"
    scripts = [Path(argument).name for argument in arguments if argument.endswith((".py", ".ipynb"))]
    kernel = ["a Jupyter kernel"] if any("ipykernel" in argument for argument in arguments) else []
    about = ", ".join(scripts[:1] or kernel)
    return f"{name} ({about}; process id {pid})" if about else f"{name} (process id {pid})"


def _error(
    message: str, *, hint: str | None = None, scenario: str | None = None, detail: str | None = None
) -> errors.ConnectError:
    return errors.ConnectError(
        message,
        hint=hint or hint_for(scenario),
        detail=f"stage=file\n{detail}" if detail else "stage=file",
        scenario=scenario,
    )
