"""A session with MariaDB or MySQL.

PyMySQL signs in, escapes and sends; the answers to the user's statements are read by `packets`. PyMySQL's own methods
serve the driver's few statements of its own.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import pymysql

from tusk_drivers.mysql import catalog, locks, readonly, rights, signin, snapshot, upload
from tusk_drivers.mysql.bind import beside_the_text, written
from tusk_drivers.mysql.errors import from_server, numbered, position
from tusk_drivers.mysql.execution import MANY_RESULTS, Execution
from tusk_drivers.mysql.headings import Headings
from tusk_drivers.mysql.link import Link
from tusk_drivers.mysql.signin import sign_in
from tusk_jupyter.driverkit.gone import GoneBefore
from tusk_jupyter.driverkit.session import Changed, Outcome, Rows, Session, Settings, Transaction
from tusk_jupyter.errors import QueryError, TuskError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from tusk_jupyter.protocol.driver import Description, LockWait, Snapshot, TreeNode
    from tusk_jupyter.sqltext.statements import Statement

KILL_TIMEOUT_S = 5.0
_PAUSE_S = 0.05
_NO_SUCH_THREAD = 1094
LARGE = 250_000
"""Characters of a statement that some server might not take: 4 bytes each at most, and the lowest default is 1 MB."""
_RELEASING = frozenset({"COMMIT", "ROLLBACK", "BEGIN", "CALL", "EXECUTE", ""})
"""Kinds that may end the session with the transaction: COMMIT RELEASE, or COMMIT where `completion_type` is RELEASE."""
_SETTINGS = "SELECT @@completion_type, @@character_set_client, @@character_set_connection, @@character_set_results"
_CHARSET_WORDS = re.compile(r"NAMES|CHARACTER|CHARSET", re.IGNORECASE)
"""Words of a text that may set a character set inside of what it runs: a block, an EXECUTE, `/*!40101 SET NAMES utf8 */`."""
_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+(?:\.\d+)*)")


class MysqlSession(Session):
    """A signed-in session."""

    dialect: ClassVar[str] = "mysql"

    def __init__(self, link: Link, settings: Settings) -> None:
        """Take a signed-in connection; `connect` is the way in."""
        self._link = link
        self._settings = settings
        self._read_only = settings.read_only
        self._releases = False
        self._execution = Execution(link, kill=self._kill)

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Sign in; see `Session.connect`."""
        return cls(sign_in(settings), settings)

    # --- statements ---

    def execute(self, statement: Statement, parameters: Mapping[str, object]) -> Rows | Changed:
        """Run one statement; an aware datetime binds as the session's local time."""
        self._check_link()
        beside = beside_the_text(statement, parameters)
        sent = written(self._link, statement, parameters, beside)

        def explain(exc: TuskError) -> TuskError:
            found = position(int(exc.code or 0), exc.message, sql)
            exc.position = None if found is None else sent.original(found)
            return exc

        sql = _sendable(sent.text)
        if len(sql) > LARGE:
            self._check_size(sql)
        if self._read_only:
            readonly.check(statement, self._link.status)
            self._say_read_only()
        kind = statement.command.split(" ")[0]
        outcome = self._execution.run(
            sql,
            kind=kind,
            explain=explain,
            headings=Headings(statement, sent, parameters),
            values=[beside[place.name] for place in statement.placeholders if place.name in beside],
        )
        is_read = isinstance(outcome, Changed) or kind in MANY_RESULTS  # SET STATEMENT ... FOR SELECT has rows to come
        if is_read and (kind == "SET" or (kind in MANY_RESULTS and _CHARSET_WORDS.search(sql))):
            outcome = self._kept_character_sets(outcome)
        if self._may_release(kind, sql):
            self._link.answers()
        return outcome

    def _may_release(self, kind: str, sql: str) -> bool:
        """Return whether a statement without an error may have ended the session with the transaction, by RELEASE.

        The server closes the socket only after its answer, so whoever looks too early finds it open: one is to ask.
        """
        return kind in _RELEASING and (self._releases or "RELEASE" in sql.upper())

    def _check_size(self, sql: str) -> None:
        """Refuse what the server would break the link for; asked only for large statements, as it is a round trip."""
        size = len(sql.encode())
        with self._own_statement():
            most = self._link.max_packet
        if size >= most:
            raise QueryError(
                f"The statement takes {size} bytes, and the server takes at most {most} at once (max_allowed_packet).",
                hint="Write data with `--append DF`, or let the server's administrator raise max_allowed_packet.",
                code="1153",
            )

    def _kept_character_sets(self, outcome: Rows | Changed) -> Rows | Changed:
        """Note what COMMIT means after a SET, and undo a SET NAMES, as a note tells.

        Literals are escaped for utf8mb4: under gbk or sjis one could break out of its quotes. Results are read as utf8mb4.
        """
        try:
            with self._own_statement():
                ((completion, *found),) = self._link.ask(_SETTINGS)
                self._releases = completion == "RELEASE"
                others = [name for name in found if name != signin.CHARSET]
                if not others:
                    return outcome
                self._link.query(f"SET NAMES {signin.CHARSET}")
        except TuskError:
            if self.is_alive():
                raise
            return outcome  # SET STATEMENT ... FOR COMMIT RELEASE did its work; the next statement reports the end
        note = (
            f"The session keeps to {signin.CHARSET}, so {others[0] or 'no character set'} was undone: text arrives as Unicode "
            "whatever character set the tables have, and CONVERT(x USING latin1) gives other bytes."
        )
        if isinstance(outcome, Changed):
            return replace(outcome, notes=[*outcome.notes, note])
        told = outcome.notes
        return replace(outcome, notes=lambda: [*told(), note])

    def interrupt(self) -> None:
        """Send KILL QUERY through a second connection; it can hit no other statement than the one that runs now."""
        self._execution.turn.stop()

    def _kill(self) -> None:
        _kill(self._settings, f"KILL QUERY {self.backend}")

    @classmethod
    def kill_backend(cls, settings: Settings, backend: str) -> None:
        """End the session `backend` and with it what it runs."""
        _kill(settings, f"KILL {_checked(backend)}")

    @classmethod
    def end_backend(cls, settings: Settings, backend: str) -> Outcome:
        """End `backend` and wait until it is gone; no server says what became of its statement."""
        _kill(settings, f"KILL {_checked(backend)}", wait_for=int(backend))
        return Outcome.UNKNOWN

    @classmethod
    def lock_waits(cls, settings: Settings, backends: Sequence[str]) -> list[LockWait]:
        """Ask the server whose locks `backends` wait for."""
        return locks.lock_waits(settings, backends)

    # --- the session ---

    def close(self) -> None:
        """Say goodbye and close the socket; the server rolls back."""
        self._link.close()
        with suppress(ValueError):  # another thread is in the middle of its rows; it will find the link closed
            self._execution.close_unread()

    def is_alive(self) -> bool:
        """Look whether the socket still stands; an idle server says nothing unless it is closing."""
        sock = self._link.socket
        if sock is None:
            return False
        if self._execution.turn.running or not select.select([sock], [], [], 0)[0]:
            return True
        return self._link.listen()

    def parting_words(self) -> str:
        """Return why the session has ended."""
        if self._link.farewell:
            return f"The server had ended the session while it was idle: {self._link.farewell.rstrip('.')}."
        return (
            "The server had ended the session while it was idle, and gave no reason (as after its wait_timeout, or when it "
            "was restarted), or the link broke."
        )

    def _check_link(self) -> None:
        self._execution.close_unread()
        if not self.is_alive():
            self._link.break_off()
            raise GoneBefore(self.parting_words())

    @property
    def transaction(self) -> Transaction:
        """As the status flags of the last answer say."""
        return Transaction.OPEN if self._link.in_transaction else Transaction.IDLE

    @property
    def server(self) -> str:
        """As "MariaDB 10.11.19"."""
        text = self._link.version
        version = _VERSION.match(text)
        return f"{'MariaDB' if 'mariadb' in text.lower() else 'MySQL'} {version[1] if version else text}"

    @property
    def backend(self) -> str:
        """The server's connection id."""
        return str(self._link.number)

    @property
    def link(self) -> str:
        """How far the server is known."""
        return self._link.trust

    def rights(self) -> str:
        """What the user may change."""
        with self._own_statement():
            return rights.described(self._link)

    def reset(self) -> None:
        """Let the server reset the session, and set again what signing in had set."""
        with self._own_statement():
            self._link.reset(database=self._settings.text("database"))
        self._releases = False

    # --- read-only ---

    def set_read_only(self, on: bool) -> None:
        """Let the server refuse writes, or allow them again."""
        if on == self._read_only:
            return
        if self.transaction is not Transaction.IDLE:
            raise UsageError(
                "A transaction is open, and its mode cannot be changed.", hint="End it with COMMIT or ROLLBACK first."
            )
        with self._own_statement():
            self._link.query(f"SET SESSION TRANSACTION READ {'ONLY' if on else 'WRITE'}")
        self._read_only = on

    def _say_read_only(self) -> None:
        """Said before each statement, for the one before may have unsaid it."""
        with self._own_statement():
            self._link.query("SET SESSION TRANSACTION READ ONLY")
            if readonly.is_writing_transaction(self._link.status):
                self._link.query("ROLLBACK")
                raise readonly.writing_transaction()

    # --- what is there ---

    def tree(self, path: Sequence[str]) -> list[TreeNode]:
        """List databases, a database's tables and views, or a table's columns."""
        with self._own_statement():
            return catalog.tree(self._link, tuple(path))

    def describe(self, path: Sequence[str]) -> Description:
        """Describe the table or view at [database, table], or [table] in the current database."""
        with self._own_statement():
            return catalog.describe(self._link, tuple(path))

    def snapshot(self) -> Snapshot:
        """Read the whole schema."""
        with self._own_statement():
            return snapshot.snapshot(self._link)

    def upload(self, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
        """Write a table; see `upload`."""
        self._check_link()
        if self._read_only:
            raise readonly.no_upload()
        zones = upload.zone_notes(reader.schema)
        rows, notes = upload.write(self._link, self._execution.turn, table, reader, append=append)
        self.upload_notes = (*zones, *notes)
        return rows

    @contextmanager
    def _own_statement(self) -> Iterator[None]:
        self._check_link()
        try:
            yield
        except pymysql.MySQLError as exc:
            raise from_server(exc, ended=not self._link.answers()) from exc


def _sendable(sql: str) -> str:
    try:
        sql.encode()
    except UnicodeEncodeError as exc:
        raise UsageError(
            f"The statement holds a character that is no Unicode text (at {exc.start}).", position=exc.start
        ) from exc
    return sql


def _checked(backend: str) -> str:
    if not backend.isdecimal():
        raise UsageError(f"{backend!r} is no connection id of MySQL.")
    return backend


def _kill(settings: Settings, command: str, *, wait_for: int | None = None) -> None:
    """Run a KILL through a short-lived connection of its own; return when session `wait_for` is gone.

    Raises:
        QueryError: the server refused, or the session is still there: a rollback takes as long as what it undoes.
    """
    config = {name: value for name, value in settings.config.items() if name != "database"}
    timeout_s = min(settings.connect_timeout_s, KILL_TIMEOUT_S)
    link = sign_in(replace(settings, config=config, connect_timeout_s=timeout_s))
    link.wait_at_most(timeout_s)
    try:
        link.query(command)
        deadline = time.monotonic() + timeout_s
        while wait_for and link.ask("SELECT 1 FROM information_schema.processlist WHERE id = %s", str(wait_for)):
            if time.monotonic() > deadline:
                raise QueryError(f"Session {wait_for} was told to end and is still rolling back.")
            link.query(f"DO SLEEP({_PAUSE_S})")
    except pymysql.MySQLError as exc:
        if numbered(exc)[0] != _NO_SUCH_THREAD:
            raise from_server(exc) from exc
    finally:
        link.close()


SESSION = MysqlSession
