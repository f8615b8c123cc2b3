"""A PostgreSQL session: signs in, runs statements, and knows how its transaction stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from psycopg.pq import TransactionStatus

from tusk_drivers.postgresql import catalog, kill, locks, rights, snapshot, upload
from tusk_drivers.postgresql.catalog_types import TypeNames
from tusk_drivers.postgresql.connect import prepare, sign_in, trust_of
from tusk_drivers.postgresql.execution import Execution
from tusk_drivers.postgresql.link import Link
from tusk_jupyter.driverkit.gone import GoneBefore
from tusk_jupyter.driverkit.session import Changed, Outcome, Rows, Session, Settings, Transaction
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.driver import Description, LockWait, Snapshot, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.statements import Statement

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

_TRANSACTIONS = {
    TransactionStatus.IDLE: Transaction.IDLE,
    TransactionStatus.INTRANS: Transaction.OPEN,
    TransactionStatus.INERROR: Transaction.FAILED,
    TransactionStatus.UNKNOWN: Transaction.IDLE,  # the link is gone, and every transaction with it
}


class PostgresqlSession(Session):
    """One signed-in session."""

    dialect: ClassVar[str] = "postgresql"

    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        """Take over a signed-in connection."""
        self._link, self._settings = Link(connection), settings
        self._trust = trust_of(connection, settings)
        self._names = TypeNames(connection)
        self._read_only = False
        self._last = Transaction.IDLE
        self._running: Execution | None = None
        if settings.read_only:
            self.set_read_only(True)

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Sign in."""
        return cls(sign_in(settings), settings)

    def execute(self, statement: Statement, parameters: Mapping[str, object]) -> Rows | Changed:
        """Run one statement."""
        self._make_ready()
        self._last = self.transaction
        self._running = Execution(
            self._link, self._names, statement, parameters, read_only=self._read_only, has_written=self._has_written
        )
        return self._running.start()

    def _has_written(self) -> bool | None:
        return None if self.backend is None else kill.has_written(self._settings, self.backend)

    def _make_ready(self) -> None:
        """See that nothing is left of the statement before, and that the link stands."""
        if self._running is not None:
            self._running.close()
            self._running = None
        if not self._link.is_alive():
            raise GoneBefore(self._link.parting_words())

    def interrupt(self) -> None:
        """Cancel what runs."""
        self._link.cancel()

    def close(self) -> None:
        """End the session."""
        self._link.close()

    def is_alive(self) -> bool:
        """Return whether the link stands."""
        return self._link.is_alive()

    def parting_words(self) -> str:
        """Return why the session has ended."""
        return self._link.parting_words()

    def set_read_only(self, on: bool) -> None:
        """Assert read-only before every statement from now on, or no longer."""
        if on == self._read_only:
            return
        self._make_ready()
        if self.transaction is not Transaction.IDLE:
            raise UsageError(
                "A transaction is open, and it cannot become read-only or stop being so.",
                hint="End it with COMMIT or ROLLBACK first.",
            )
        with self._link.working():
            self._link.run("SET default_transaction_read_only = on" if on else "RESET default_transaction_read_only")
        self._read_only = on

    @property
    def transaction(self) -> Transaction:
        """The transaction as the server last said; while rows stream, as it was before them."""
        if self._running is not None and self._running.guard.wrapped:
            return Transaction.IDLE
        return _TRANSACTIONS.get(self._link.status, self._last)

    @property
    def server(self) -> str:
        """Product and version."""
        return f"PostgreSQL {self._link.setting('server_version').split(' ')[0]}"

    @property
    def backend(self) -> str | None:
        """The process that serves this session."""
        return str(self._link.pg.backend_pid)

    @property
    def link(self) -> str:
        """How far the server is known."""
        return self._trust

    def rights(self) -> str:
        """What the user may change: tables first, since that is what read-only is about."""
        with self._link.working():
            return rights.described(self._link)

    def reset(self) -> None:
        """Roll back, then forget what the session had set up."""
        self._make_ready()
        with self._link.working():
            if self._link.status != TransactionStatus.IDLE:
                self._link.run("ROLLBACK")
            self._link.run("DISCARD ALL")
            prepare(self._link.connection)
            if self._read_only:
                self._link.run("SET default_transaction_read_only = on")

    def tree(self, path: Sequence[str]) -> list[TreeNode]:
        """List schemas, tables or columns."""
        self._refuse_failed()
        with self._link.working():
            return catalog.tree(self._link, path)

    def describe(self, path: Sequence[str]) -> Description:
        """Describe a table or view."""
        self._refuse_failed()
        with self._link.working():
            return catalog.describe(self._link, path)

    def snapshot(self) -> Snapshot:
        """Read the whole schema."""
        self._refuse_failed()
        with self._link.working():
            return snapshot.snapshot(self._link)

    def upload(self, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
        """Write a table."""
        self.upload_notes = ()
        self._refuse_failed()
        if self._read_only:
            raise QueryError(
                f"Writing {'.'.join(table)} was refused: the connection or the run is read-only.",
                hint=hint_for("read_only"),
                code="25006",
                scenario="read_only",
            )
        with self._link.working():
            count, self.upload_notes = upload.upload(self._link, table, reader, append=append)
            return count

    def _refuse_failed(self) -> None:
        self._make_ready()
        if self.transaction is Transaction.FAILED:
            raise QueryError(
                "The transaction has failed: the server takes only ROLLBACK.",
                hint=hint_for("transaction_failed"),
                code="25P02",
                scenario="transaction_failed",
            )

    @classmethod
    def kill_backend(cls, settings: Settings, backend: str) -> None:
        """Cancel what `backend` runs, and end it if that does not help."""
        kill.kill(settings, backend)

    @classmethod
    def end_backend(cls, settings: Settings, backend: str) -> Outcome:
        """End `backend` at once, and ask the server what became of its transaction."""
        return kill.end(settings, backend)

    @classmethod
    def lock_waits(cls, settings: Settings, backends: Sequence[str]) -> list[LockWait]:
        """Ask the server whose locks `backends` wait for."""
        return locks.lock_waits(settings, backends)


SESSION = PostgresqlSession
