"""Databases that sessions attached: DuckDB keeps them for the whole process, so each is its session's to detach.

Without this, `ATTACH OR REPLACE 'mine.duckdb' AS o` or `DETACH o` in one notebook would change what `o` is in another.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duckdb

from tusk_drivers.duckdb.words import code, texts
from tusk_jupyter import errors
from tusk_jupyter.sqltext.lexer import Kind

_NAMES = "SELECT database_name, path FROM duckdb_databases() WHERE NOT internal"


class Attached:
    """Who attached what, of one instance; thread-safe."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._owners: dict[str, object] = {}
        self._lock = threading.Lock()

    def check(self, connection: duckdb.DuckDBPyConnection, session: object, kind: str, sql: str) -> None:
        """Refuse a statement that takes away or swaps what another session attached.

        Raises:
            UsageError: nothing was run.
        """
        if kind not in ("ATTACH", "DETACH"):
            return
        found = code(sql)
        spoken = texts(sql, found)
        name, path = _target(spoken, [sql[t.start : t.end] for t in found if t.kind is Kind.STRING])
        with self._lock:
            if self._owners.get(name, session) is session:
                return
        if kind == "DETACH":
            raise _refused(f"The database {name} was attached by another notebook, which still uses this file.")
        if "replace" in spoken[1:4]:
            raise _refused(
                f"The database {name} was attached by another notebook; replacing it would change it there too."
            )
        if "exists" in spoken[1:6]:
            known = dict(connection.execute(_NAMES).fetchall()).get(name)
            if known != _absolute(path):
                raise _refused(f"{name} is another file already, attached by another notebook: {known or 'in memory'}.")

    def note(self, connection: duckdb.DuckDBPyConnection, session: object) -> None:
        """Take in what is attached after a session's ATTACH or DETACH."""
        names = {name for name, _ in connection.execute(_NAMES).fetchall()}
        with self._lock:
            self._owners = {name: self._owners.get(name, session) for name in names}

    def forget(self, session: object) -> None:
        """Let anybody detach what the session attached: it is gone."""
        with self._lock:
            self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}


def _target(spoken: list[str], strings: list[str]) -> tuple[str, str]:
    """Return the name, and the path in an ATTACH, that a statement is about; DuckDB's names do not differ by case."""
    path = strings[0][1:-1].replace("''", "'") if strings else ""
    if spoken[0] == "detach":
        return spoken[-1] if spoken[-1] != ";" else spoken[-2], ""
    if "as" in spoken:
        return spoken[spoken.index("as") + 1 :][0], path
    return Path(path).stem.lower(), path


def _absolute(path: str) -> str | None:
    if path in ("", ":memory:"):
        return None
    try:
        return str(Path(path).absolute())
    except OSError:  # the working directory is nowhere, and so is a relative path
        return os.fspath(path)


def _refused(message: str) -> errors.UsageError:
    return errors.UsageError(message, hint="Attach under a name of your own: `ATTACH 'FILE' AS other_name`.")
