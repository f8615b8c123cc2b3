"""Databases that sessions attached: DuckDB keeps them for the whole process, so each is its session's to detach.

Without this, `ATTACH OR REPLACE 'mine.duckdb' AS o` or `DETACH o` in one notebook would change what `o` is in another. Files
are looked at before each statement as the session's own is: DuckDB writes on into one that is deleted, in silence.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb

from tusk_drivers.duckdb.files import ANOTHER_PLACE
from tusk_drivers.duckdb.held_file import HeldFile
from tusk_drivers.duckdb.words import code, texts
from tusk_jupyter import errors
from tusk_jupyter.driverkit.open_file import OpenFile
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.system import duckdb_path

_URL = re.compile(r"\w{2,}:")
"""At the beginning of what is attached: a place on the net, or another engine's."""
_DATABASES = "SELECT database_name, path, type FROM duckdb_databases() WHERE NOT internal"


class Attached:
    """Who attached what, of one instance; thread-safe."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._owners: dict[str, object] = {}
        self._files: dict[str, OpenFile] = {}
        """Held ones of DuckDB's; others may write into another engine's."""
        self._lock = threading.Lock()

    def check(self, connection: duckdb.DuckDBPyConnection, session: object, kind: str, sql: str) -> None:
        """Refuse a statement that takes away or swaps what another session attached.

        Raises:
            UsageError: nothing was run.
        """
        if kind not in ("ATTACH", "DETACH"):
            return
        spoken, strings = _spoken(sql)
        name, path = _target(spoken, strings)
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
            known = {one: file for one, file, _ in connection.execute(_DATABASES).fetchall()}.get(name)
            if known != _absolute(path):
                raise _refused(f"{name} is another file already, attached by another notebook: {known or 'in memory'}.")

    def look(
        self,
        connection: duckdb.DuckDBPyConnection,
        session: object,
        kinds: Collection[str],
        sql: str,
    ) -> None:
        """Refuse a statement while a file that it may write to is not at its path any more.

        So are all of the session that attached the file, and of others those that name it or are in it by USE.

        Args:
            connection: the session's.
            session: who runs it.
            kinds: of what it consists of.
            sql: its text.

        Raises:
            ConnectError: it was deleted, moved, replaced or written over.
        """
        if not self._files:
            return
        with self._lock:
            gone = {name: file for name, file in self._files.items() if not file.is_there}
        if not gone or _lets_go(kinds, sql):
            return
        for name, file in gone.items():
            named = "EXECUTE" in kinds or name.lower() in texts(sql, code(sql))
            if named or self._owners.get(name) is session or _database_in_use(connection) == name:
                raise file.gone_from(name)

    def note(self, connection: duckdb.DuckDBPyConnection, session: object, sql: str, main: Path | None) -> None:
        """Record what is attached after a session's ATTACH or DETACH; `main` is the file of the instance itself."""
        found = connection.execute(_DATABASES).fetchall()
        spoken = _spoken(sql)
        replaced = _target(*spoken)[0] if "replace" in spoken[0][1:4] else None
        with self._lock:
            self._owners = {name: self._owners.get(name, session) for name, _, _ in found}
            files = {
                name: self._file(name, Path(path), is_duckdb=kind == "duckdb", is_replaced=name.lower() == replaced)
                for name, path, kind in found
                if path and Path(path) != main
            }
            let_go, self._files = self._files, {name: file for name, file in files.items() if file is not None}
            for file in let_go.values():
                if isinstance(file, HeldFile) and file not in self._files.values():
                    file.close()

    def _file(self, name: str, path: Path, *, is_duckdb: bool, is_replaced: bool) -> OpenFile | None:
        """Return the file behind a name: as it was when it was attached, though another may be there by now."""
        known = self._files.get(name)
        if known is not None and known.path == path:
            if not is_replaced:
                return known
            if isinstance(known, HeldFile) and known.is_at_path:
                known.renew()  # not closed: that would drop DuckDB's new lock on it
                return known
        if not path.is_file():
            return None
        return HeldFile(path) if is_duckdb else OpenFile(path)

    def files(self) -> list[HeldFile]:
        """Return the DuckDB files that are attached."""
        if not self._files:
            return []
        with self._lock:
            return [file for file in self._files.values() if isinstance(file, HeldFile)]

    @contextlib.contextmanager
    def letting_go(self, connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[None]:
        """Keep DuckDB from writing into a file that another program wrote over while the block detaches it."""
        name, _ = _target(*_spoken(sql))
        with self._lock:
            file = next((file for known, file in self._files.items() if known.lower() == name), None)
        with file.let_go(connection) if isinstance(file, HeldFile) else contextlib.nullcontext():
            yield

    def close(self) -> None:
        """Give the handles back; the instance is closed."""
        for file in self.files():
            file.close()

    def forget(self, session: object) -> None:
        """Let anybody detach what the session attached: it is gone."""
        with self._lock:
            self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}


def check_path(kinds: Collection[str], sql: str) -> None:
    """Refuse to attach what DuckDB would open and not write.

    Raises:
        UsageError: nothing was run.
    """
    if "ATTACH" not in kinds:
        return
    spoken, strings = _spoken(sql)
    _, path = _target(spoken, strings)
    if path in ("", ":memory:") or _URL.match(path) or "type" in spoken:
        return
    if (problem := duckdb_path.problem(path)) is not None:
        raise errors.UsageError(problem, hint=ANOTHER_PLACE)


def _spoken(sql: str) -> tuple[list[str], list[str]]:
    """Return a statement's words and its text literals."""
    found = code(sql)
    return texts(sql, found), [sql[t.start : t.end] for t in found if t.kind is Kind.STRING]


def _lets_go(kinds: Collection[str], sql: str) -> bool:
    """Return whether a statement writes to no file: DETACH, and the end of a transaction without its changes."""
    if set(kinds) <= {"DETACH"}:
        return True
    return set(kinds) == {"TRANSACTION"} and texts(sql, code(sql))[0] in ("rollback", "abort")


def _database_in_use(connection: duckdb.DuckDBPyConnection) -> str:
    try:
        found = connection.execute("SELECT current_database()").fetchall()
    except duckdb.Error:  # the open transaction is aborted: nothing is written in it
        return ""
    return str(found[0][0])


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
