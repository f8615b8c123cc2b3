"""A session: one connection of the standard library's sqlite3 in autocommit mode: transactions are the user's own.

Decision to question: waiting for a lock is done here and not by SQLite's busy handler, which no interrupt ends.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Self, TypeVar

import pyarrow as pa

from tusk_drivers.sqlite import catalog, files, guard, snapshot, upload
from tusk_drivers.sqlite.declared import declared_types
from tusk_drivers.sqlite.errors import ENGINE_ERRORS, code_of, translate
from tusk_drivers.sqlite.opened import OpenedFiles
from tusk_drivers.sqlite.parameters import bound
from tusk_drivers.sqlite.results import Fetch, Result
from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.driverkit.folders import FOLDERS, NOWHERE, Place
from tusk_jupyter.driverkit.session import Changed, Rows, Session, Settings, Transaction
from tusk_jupyter.protocol.driver import Description, LockHolder, LockWait, Snapshot, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.replaced import Replaced
from tusk_jupyter.sqltext.statements import Statement

T = TypeVar("T")
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"})
_CHANGED_ROWS = 1_024
_RETRY_S = 0.02
_DEFAULT_BUSY_S = 5.0


class SQLiteSession(Session):
    """See the module."""

    dialect = "sqlite"
    keeps_nanoseconds = True

    def __init__(self, settings: Settings) -> None:
        """Open the database."""
        self._settings = settings
        self._path = files.path_of(settings)
        self._new = self._path is not None and not self._path.exists()
        self._read_only = self._opened_read_only = settings.read_only
        self._busy_s = float(settings.config.get("busy_timeout_s", _DEFAULT_BUSY_S))
        self._stop = threading.Event()
        self._waits = False
        """Whether the statement under way waits for a lock."""
        self._folder: str | None = None
        self._place: Place | None = None
        """None until a notebook has said where it is: the process stays where it was started."""
        self._result: Result | None = None
        self._closed = self._broken = False
        self._files: OpenedFiles | None = None
        self._guarded = False
        self._opened: sqlite3.Connection | None = None
        if not self._new:
            self._opened = self._open()
        elif self._path is not None:
            files.check_place(self._path, settings)

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Open the file.

        Raises:
            ConnectError: it cannot be opened, or is no SQLite database.
        """
        return cls(settings)

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection; SQLite makes a new file on opening it, so that waits for the first statement."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        connection = files.open_database(self._path, self._settings, read_only=self._opened_read_only)
        if self._path is not None and self._path.exists():
            self._settings = replace(self._settings, may_create=False)  # when this one is opened anew
        self._files = OpenedFiles(self._path)
        if self._settings.config.get("foreign_keys", False):
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    # --- statements ---

    def execute(self, statement: Statement, parameters: Mapping[str, object]) -> Rows | Changed:
        """Run one statement.

        Raises:
            QueryError: SQLite rejected it, or it writes and the session is read-only.
            UsageError: a parameter is missing, or SQLite cannot hold its value.
        """
        self._release_result()
        command = _command(statement)
        self._check_files(command)
        if self._place is not None:
            self._place = FOLDERS.enter(self, self._folder, holds=False, stopped=self._stop)
        sent, values = (
            bound(statement, parameters, self._connection) if statement.placeholders else (Replaced(statement.text), {})
        )
        if self._read_only:
            guard.check_command(statement.text)
        before = self._connection.total_changes
        try:
            declared = self._declared(statement)
            changes = command in _CHANGES and declared is None
            cursor, rows = self._patiently(lambda: self._begin(sent.text, values, whole=changes))
        except (*ENGINE_ERRORS, ValueError) as exc:
            raise self._failure(exc, sent) from exc
        self._look_at_files(command)
        if cursor.description is None:
            return Changed(affected=self._affected(before) if changes else None)
        self._result = Result(
            cursor,
            rows,
            declared,
            names=[sent.heading(str(column[0])) for column in cursor.description],
            failed=lambda exc: self._failure(exc, sent),
        )
        return self._result.rows(changes=changes)

    def _check_files(self, command: str = "") -> None:
        """Refuse to run anything while a file is not at its path any more; without the main file the session is over.

        Raises:
            ConnectError: it was deleted, moved or replaced.
        """
        if self._files is None or self._opened is None:
            return
        try:
            self._files.check(self._opened, command)
        except errors.ConnectError:
            self._broken = self._broken or not self._files.main_is_there
            raise
        self._look_at_files()

    def _look_at_files(self, command: str = "") -> None:
        if self._files is not None and self._opened is not None:
            self._files.look(self._opened, command)

    def _begin(self, sql: str, values: Mapping[str, object], *, whole: bool) -> tuple[sqlite3.Cursor, Fetch]:
        """Start a statement; return its cursor and how to read its rows.

        Args:
            sql: its text.
            values: its parameters.
            whole: it changes rows and may tell them (RETURNING). Its last step commits, and can fail by another program's
                lock: so all rows are taken here, where the whole statement can be tried again.
        """
        cursor = self._connection.execute(sql, values)
        if not whole or cursor.description is None:
            return cursor, lambda count: self._read(cursor, count)
        rows: list[tuple[Any, ...]] = []
        while found := self._read(cursor, _CHANGED_ROWS):
            rows += found
        return cursor, _taken(rows)

    def _read(self, cursor: sqlite3.Cursor, count: int) -> Sequence[tuple[Any, ...]]:
        self._connection.text_factory = bytearray  # tells text from blobs, and stops at no bytes
        try:
            return cursor.fetchmany(count)
        finally:
            self._connection.text_factory = str

    def _declared(self, statement: Statement) -> list[str] | None:
        self._guard(lifted=True)
        try:
            return self._patiently(lambda: declared_types(self._connection, statement))
        finally:
            self._guard()

    def _affected(self, before: int) -> int:
        if self._connection.total_changes == before:
            return 0
        return int(self._connection.execute("SELECT changes()").fetchone()[0])  # without those of triggers

    def _guard(self, *, lifted: bool = False) -> None:
        """Set the session's mode anew before each statement, whatever the one before did to it.

        Args:
            lifted: for a moment's temporary view of our own.
        """
        strict = self._read_only and not lifted
        if strict or self._guarded:
            self._connection.set_authorizer(None)
            self._connection.execute(f"PRAGMA query_only = {int(strict)}")
            if strict:
                self._connection.set_authorizer(guard.authorize)
            self._guarded = strict

    def _patiently(self, call: Callable[[], T]) -> T:
        """Try again while another program holds a lock that makes us wait, until the time is up or we are stopped."""
        self._stop.clear()
        until = time.monotonic() + self._busy_s
        try:
            while True:
                try:
                    return call()
                except sqlite3.OperationalError as exc:
                    busy = code_of(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                    if not busy or exc.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT or time.monotonic() >= until:
                        raise
                self._waits = True
                if self._stop.wait(_RETRY_S):
                    raise errors.Cancelled("The wait for a lock was cancelled.", scenario="cancelled_by_user")
        finally:
            self._waits = False

    @property
    def lock_wait(self) -> LockWait | None:
        """The wait, and the processes whose locks are in the way, where the system tells."""
        if not self._waits:
            return None
        holders = tuple(
            LockHolder(backend=str(pid), application=files.program(pid)) for pid in files.holders_of(self._path)
        )
        return LockWait(holders=holders, hidden="" if holders else "the system does not say whose")

    def _is_empty(self) -> bool:
        """Return whether the file has no table yet."""
        try:
            return self._connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchone() is None
        except sqlite3.Error:
            return False

    def _failure(self, exc: BaseException, sent: Replaced) -> errors.TuskError:
        if isinstance(exc, errors.TuskError):
            return exc
        if not isinstance(exc, ENGINE_ERRORS):
            return errors.UsageError(f"SQLite takes no such statement: {exc}")
        holder = files.holder_of(self._path) if code_of(exc) == sqlite3.SQLITE_BUSY else None
        found = translate(exc, sent.text, compiles=self._compile_error, holder=holder)
        if found.position is not None:
            found.position = sent.original(found.position)
        if found.scenario == "undefined_table" and self._new and self._is_empty():
            found.hint = f"The file {self._path} did not exist when this session was opened: check its path."
        if found.scenario == "read_only" and not self._read_only and self._path is not None:
            found.hint = files.why_read_only(self._path) or found.hint
        if found.scenario == "memory_limit":
            found.hint = memory.hint()
        if found.scenario == "no_such_file" and self._place is not None:
            found.hint = self._place.hint(found.hint)
        return found

    def _compile_error(self, sql: str) -> str:
        try:
            self._connection.execute(f"EXPLAIN {sql}").close()
        except (sqlite3.Error, ValueError) as exc:
            return str(exc)
        return ""

    # --- modes and life ---

    @property
    def transaction(self) -> Transaction:
        """SQLite has no failed transactions: an error undoes its statement, or ends the transaction."""
        inside = not self._closed and self._opened is not None and self._opened.in_transaction
        return Transaction.OPEN if inside else Transaction.IDLE

    def work_in(self, folder: str | None) -> None:
        """Begin relative paths at `folder`; SQLite makes them absolute when it opens a file."""
        self._folder, self._place = folder, self._place or NOWHERE

    def set_read_only(self, on: bool) -> None:
        """Refuse writes, or allow them again; a file that was opened read-only is opened anew for that.

        Raises:
            UsageError: inside an open transaction.
        """
        if on == self._read_only:
            return
        self._release_result()
        if self.transaction is not Transaction.IDLE:
            raise errors.UsageError(
                "The session's open transaction cannot change between read-only and writing.",
                hint="End it with COMMIT or ROLLBACK first.",
            )
        if not on and self._opened_read_only:
            self._opened_read_only = False
            self._drop_connection()
        self._read_only = on

    def interrupt(self) -> None:
        """Stop the statement, or its wait for a lock."""
        self._stop.set()
        if not self._closed and self._opened is not None:
            self._opened.interrupt()

    def is_alive(self) -> bool:
        """Return whether the session is open, and its file was at its path when it was last looked at."""
        return not (self._closed or self._broken)

    def close(self) -> None:
        """End the session; an open transaction is rolled back."""
        if not self._closed:
            self._closed = True
            FOLDERS.forget(self)
            self._release_result()
            self._drop_connection()

    def reset(self) -> None:
        """Start over on a new connection: temp tables, settings and an open transaction go with the old one."""
        self._release_result()
        self._drop_connection()
        self._read_only = self._opened_read_only = self._settings.read_only

    def _drop_connection(self) -> None:
        opened, self._opened, self._guarded = self._opened, None, False
        if opened is not None:
            if self._files is not None:
                self._files.part(opened)
            opened.close()

    def _release_result(self) -> None:
        result, self._result = self._result, None
        if result is not None:
            result.close()

    # --- what answers ---

    @property
    def server(self) -> str:
        """SQLite's version, and that the file is new where it is."""
        return f"SQLite {sqlite3.sqlite_version}{f', new file {self._path}' if self._new else ''}"

    def tree(self, path: Sequence[str]) -> list[TreeNode]:
        """List databases (main, temp, attached ones), tables and views, or columns."""
        return self._asking(lambda connection: catalog.tree(connection, path))

    def describe(self, path: Sequence[str]) -> Description:
        """Describe a table or view.

        Raises:
            QueryError: there is none; scenario undefined_table.
        """
        return self._asking(lambda connection: catalog.describe(connection, path))

    def snapshot(self) -> Snapshot:
        """Read the whole schema."""
        return self._asking(snapshot.snapshot)

    def _asking(self, question: Callable[[sqlite3.Connection], T]) -> T:
        self._release_result()
        self._check_files()
        self._guard()
        if self._opened is None and self._path is not None and not self._path.exists():
            files.check_place(self._path, self._settings)
            with closing(sqlite3.connect(":memory:")) as empty:  # as the file will be: a question makes none
                return question(empty)
        try:
            return self._patiently(lambda: question(self._connection))
        except ENGINE_ERRORS as exc:
            raise self._failure(exc, Replaced("")) from exc

    def upload(self, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
        """Write the reader's rows in a transaction of their own, or in a savepoint of the open one.

        Raises:
            QueryError: the session is read-only, or SQLite refused the table or a row.
        """
        self._release_result()
        self._check_files()
        if self._read_only:
            raise errors.QueryError(
                "A read-only session takes no upload.", hint=hint_for("read_only"), scenario="read_only"
            )
        self._guard()
        try:
            count, self.upload_notes = upload.write(
                self._connection, table, reader, append=append, patiently=self._patiently
            )
            return count
        except ENGINE_ERRORS as exc:
            raise self._failure(exc, Replaced("")) from exc


def _command(statement: Statement) -> str:
    return statement.command.split(" ")[0]


def _taken(rows: list[tuple[Any, ...]]) -> Fetch:
    """Return a fetch function over rows that are here already."""
    place = 0

    def fetch(count: int) -> Sequence[tuple[Any, ...]]:
        nonlocal place
        found = rows[place : place + count]
        place += len(found)
        return found

    return fetch


SESSION = SQLiteSession
