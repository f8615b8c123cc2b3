"""Databases that sessions attached: DuckDB keeps them for the whole process, so each is its session's to detach.

Without this, `ATTACH OR REPLACE 'mine.duckdb' AS o` or `DETACH o` in one notebook would change what `o` is in another. Files
are looked at before each statement as the session's own is: DuckDB writes on into one that is deleted, in silence.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb

from tusk_drivers.duckdb.contained import Contained
from tusk_drivers.duckdb.files import ANOTHER_PLACE
from tusk_drivers.duckdb.held_file import HeldFile
from tusk_drivers.duckdb.targets import Target, schema_made, target_of
from tusk_drivers.duckdb.words import code, texts
from tusk_jupyter import errors
from tusk_jupyter.driverkit.open_file import OpenFile
from tusk_jupyter.system import duckdb_path

_URL = re.compile(r"\w{2,}:")
"""At the beginning of what is attached: a place on the net, or another engine's."""
_DATABASES = "SELECT database_name, path, type FROM system.main.duckdb_databases() WHERE NOT internal"
_SCHEMAS = """
    SELECT system.main.lower(schema_name) FROM system.main.duckdb_schemas()
    WHERE system.main.lower(database_name) = $1 AND NOT internal"""


class Attached:
    """Who attached what, of one instance; thread-safe."""

    def __init__(self, main: str = "") -> None:
        """Begin with the instance's own database, `main`, which is nobody's to detach."""
        self._main = main.lower()
        self._owners: dict[str, object] = {self._main: self}
        """By name in lower case: DuckDB's names do not differ by it."""
        self._files: dict[str, OpenFile] = {}
        """Held ones of DuckDB's; others may write into another engine's."""
        self._lock = threading.Lock()

    def check(self, connection: duckdb.DuckDBPyConnection, session: object, kind: str, sql: str) -> None:
        """Refuse a statement that takes away, renames or swaps what another session attached, or the file itself.

        So is one that gives a database the name of a schema in the file, or the other way round: DuckDB then takes
        `name.table` for ambiguous in all sessions.

        Raises:
            UsageError: nothing was run.
        """
        if (schema := schema_made(kind, sql)) is not None:
            self._check_schema(connection, session, schema)
        target = target_of(connection, kind, sql)
        if target is None:
            return
        with self._lock:
            foreign = [name for name in target.names if self._owners.get(name, session) is not session]
        if target.replaces and not target.names:
            raise _refused("The name of the database that this replaces cannot be read from the statement.")
        if foreign:
            self._refuse(connection, kind, target, foreign[0], is_main=self._owners[foreign[0]] is self)
        for name in target.names if kind == "ATTACH" else target.becomes:
            if name in self._schemas(connection):
                raise _refused(f"The file has a schema {name}; a database of that name makes `{name}.table` ambiguous.")

    def _check_schema(self, connection: duckdb.DuckDBPyConnection, session: object, schema: tuple[str, str]) -> None:
        database, name = schema
        owner = self._owners.get(name, session)
        if owner not in (session, self) and (database or _database_in_use(connection)).lower() == self._main:
            raise errors.UsageError(
                f"Another notebook attached a database {name}; a schema of that name makes its `{name}.table` ambiguous.",
                hint="Give the schema another name, or create it when that database is detached.",
            )

    def _schemas(self, connection: duckdb.DuckDBPyConnection) -> set[str]:
        """Return the names of the file's own schemas."""
        with contextlib.suppress(duckdb.Error):  # the open transaction is aborted: DuckDB attaches nothing in it
            return {name for (name,) in connection.execute(_SCHEMAS, [self._main]).fetchall()}
        return set()

    def _refuse(
        self, connection: duckdb.DuckDBPyConnection, kind: str, target: Target, name: str, *, is_main: bool
    ) -> None:
        whose = "is the file that all notebooks here have open" if is_main else "was attached by another notebook"
        if kind == "DETACH":
            raise _refused(
                f"The database {name} {whose}, which still uses this file." if not is_main else f"{name} {whose}."
            )
        if kind == "ALTER":
            raise _refused(f"The database {name} {whose}; renaming it would change it there too.")
        if target.replaces:
            raise _refused(f"The database {name} {whose}; replacing it would change it there too.")
        if target.unless_there:
            known = {one.lower(): file for one, file, _ in connection.execute(_DATABASES).fetchall()}.get(name)
            if target.path is None or known != _absolute(target.path):
                raise _refused(f"{name} is another file already; it {whose}: {known or 'in memory'}.")

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
            if named or self._owners.get(name.lower()) is session or _database_in_use(connection) == name:
                raise file.gone_from(name)

    def note_after(
        self,
        connection: duckdb.DuckDBPyConnection,
        session: object,
        inside: Sequence[Contained],
        main: Path | None,
        *,
        done: bool,
    ) -> None:
        """Record what is attached after what a session ran.

        Args:
            connection: the session's.
            session: who ran it.
            inside: what it consisted of.
            main: the file of the instance itself.
            done: it ran to its end without an error.
        """
        targets = [target for one in inside if (target := target_of(connection, one.kind, one.sql)) is not None]
        if targets:
            with contextlib.suppress(
                duckdb.Error
            ):  # the open transaction is aborted: the next statement's look will do
                self._note(connection, session, main, targets if done else ())

    def _note(
        self, connection: duckdb.DuckDBPyConnection, session: object, main: Path | None, targets: Collection[Target]
    ) -> None:
        found = connection.execute(_DATABASES).fetchall()
        replaced = {name for target in targets if target.replaces for name in target.names}
        with self._lock:
            there = {name.lower() for name, _, _ in found}
            made = {name for target in targets if target.attaches for name in target.names & there}
            self._owners = {name: session if name in made else self._owners.get(name, session) for name in there}
            files = {
                name: self._file(Path(path), is_duckdb=kind == "duckdb", is_replaced=name.lower() in replaced)
                for name, path, kind in found
                if path and Path(path) != main
            }
            let_go, self._files = self._files, {name: file for name, file in files.items() if file is not None}
            for file in let_go.values():
                if isinstance(file, HeldFile) and file not in self._files.values():
                    file.close()

    def _file(self, path: Path, *, is_duckdb: bool, is_replaced: bool) -> OpenFile | None:
        """Return the file of a database: as it was when it was attached, though another may be there by now."""
        known = next((file for file in self._files.values() if file.path == path), None)
        if known is not None:
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
        target = target_of(connection, "DETACH", sql)
        names = target.names if target else ()
        with self._lock:
            file = next((file for known, file in self._files.items() if known.lower() in names), None)
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


def check_path(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> None:
    """Refuse to attach what DuckDB would open and not write.

    Raises:
        UsageError: nothing was run.
    """
    target = target_of(connection, kind, sql) if kind == "ATTACH" else None
    path = target.path if target else None
    if target is None or path is None or path in ("", ":memory:") or _URL.match(path) or target.is_of_type:
        return
    if (problem := duckdb_path.problem(path)) is not None:
        raise errors.UsageError(problem, hint=ANOTHER_PLACE)


def _lets_go(kinds: Collection[str], sql: str) -> bool:
    """Return whether a statement writes to no file: DETACH, and the end of a transaction without its changes."""
    if set(kinds) <= {"DETACH"}:
        return True
    return set(kinds) == {"TRANSACTION"} and texts(sql, code(sql))[0] in ("rollback", "abort")


def _database_in_use(connection: duckdb.DuckDBPyConnection) -> str:
    try:
        found = connection.execute("SELECT system.main.current_database()").fetchall()
    except duckdb.Error:  # the open transaction is aborted: nothing is written in it
        return ""
    return str(found[0][0])


def _absolute(path: str) -> str | None:
    if path in ("", ":memory:"):
        return None
    try:
        return str(Path(path).absolute())
    except OSError:  # the working directory is nowhere, and so is a relative path
        return os.fspath(path)


def _refused(message: str) -> errors.UsageError:
    return errors.UsageError(message, hint="Attach under a name of your own: `ATTACH 'FILE' AS other_name`.")
