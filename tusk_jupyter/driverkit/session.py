"""The one class a driver implements: a database session.

Decision to question: everything is blocking and pull-driven. `execute` is called when the client asks for the data and its
batches are made as the client takes them, so a client that vanished costs nothing and back-pressure needs no code.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tusk_jupyter.errors import ProtocolError
from tusk_jupyter.protocol.driver import Description, LockWait, Snapshot, SnapshotColumn, SnapshotTable, TreeNode

if TYPE_CHECKING:
    import pyarrow as pa

    from tusk_jupyter.sqltext.statements import Statement

BATCH_ROWS = 65_536
"""Rows per record batch: large enough that Flight's cost per message (0.1 ms) vanishes, small enough for a first batch
within 0.5 s and a few MB in flight."""


class Transaction(enum.StrEnum):
    """A session's transaction, as the server sees it."""

    IDLE = "idle"
    OPEN = "open"
    FAILED = "failed"
    """Open, and the server takes only ROLLBACK."""


class Outcome(enum.StrEnum):
    """What became of a statement whose session was ended from elsewhere."""

    ROLLED_BACK = "rolled_back"
    COMMITTED = "committed"
    UNKNOWN = "unknown"
    """The server does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where and how to sign in."""

    config: Mapping[str, Any]
    """The connection's fields, as the manifest declares them."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    read_only: bool = False
    connect_timeout_s: float = 10.0
    application: str = "tusk-jupyter"
    may_create: bool = True
    """Whether a database file that is not there may be made; not where it has been there before."""
    trial: bool = False
    """Whether the session is a test's: what is not there is not made, though it might be."""

    def text(self, name: str) -> str | None:
        """Return a field as text, or None when it is missing or empty."""
        value = self.config.get(name)
        return None if value in (None, "") else str(value)


@dataclass(slots=True, kw_only=True)
class Rows:
    """A statement's result.

    `batches` yields record batches of at most `BATCH_ROWS` rows. Its first ones have `schema`; a batch with another schema
    (same number and names of columns) *widens* the result: this and all following batches have the new one. Closing the
    generator before its end must leave the session usable, also inside an open transaction.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    types: Sequence[str] = ()
    """The database's own name of each column's type."""
    notes: Callable[[], Sequence[str]] = tuple
    """Asked after the last batch: what the reader of the data must know."""
    affected: Callable[[], int | None] = lambda: None
    """Asked after the last batch: rows changed, for a statement that both changes and yields rows (RETURNING)."""
    ended: Callable[[], bool] = lambda: False
    """Asked after each batch: whether it is known already that it was the last one, and no waiting follows it. Then it
    goes out in one message with the trailer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A statement that yields no rows by nature."""

    affected: int | None = None
    """Rows it changed, or None where the database says nothing."""
    notes: Sequence[str] = ()


class Session(ABC):
    """A session with a database. All methods but `interrupt` are called by one thread at a time.

    Methods raise `tusk_jupyter.errors`: ConnectError, QueryError, ... with `scenario`, `code` and `position` (0-based
    character offset into the statement's text) filled in from the database's own fields. Hints come from
    `protocol.scenarios` unless the server gave one.
    """

    dialect: ClassVar[str]
    keeps_nanoseconds: ClassVar[bool] = False
    """Whether parameters may be `NanoDatetime`s; else they are refused."""

    @classmethod
    @abstractmethod
    def connect(cls, settings: Settings) -> Self:
        """Sign in.

        Raises:
            ConnectError: with scenario, and `detail` beginning with the stage that failed as "stage=tcp" (name, tcp, tls,
                sign-in, database, file).
        """

    @abstractmethod
    def execute(self, statement: Statement, parameters: Mapping[str, object]) -> Rows | Changed:
        """Run one statement, with its `:name` placeholders bound by the database client's own mechanism."""

    @abstractmethod
    def interrupt(self) -> None:
        """Stop the statement now running, on the server. Called from another thread; harmless when nothing runs.

        The interrupted `execute` or its batches then raise Cancelled with the engine's own code; the session stays usable. One
        that ends well all the same returns as ever: that somebody asked is no reason to call it stopped.

        Raises:
            TuskError: the database could not be asked.
        """

    @abstractmethod
    def close(self) -> None:
        """End the session; idempotent."""

    @abstractmethod
    def is_alive(self) -> bool:
        """Return whether the link still stands, without a round trip where possible."""

    def parting_words(self) -> str:
        """Return why the session ended, once `is_alive` has said that it did: the server's own reason where it gave one."""
        return "The server ended the session, or the link to it broke."

    @abstractmethod
    def set_read_only(self, on: bool) -> None:
        """Let the server refuse writes, or allow them again; asked before each run whose need differs.

        Raises:
            UsageError: inside an open transaction, whose mode cannot be changed.
        """

    def work_in(self, folder: str | None) -> None:  # noqa: B027  # most engines open files elsewhere
        """Begin relative paths in SQL at `folder` from the next statement on; asked before each run.

        Only an engine that opens files in this process has a use for it; see `folders`.

        Args:
            folder: the notebook's folder, absolute; "" when it is gone, None when the client named none.
        """

    @property
    @abstractmethod
    def transaction(self) -> Transaction:
        """The transaction now, from what the client library already knows (no round trip)."""

    @property
    @abstractmethod
    def server(self) -> str:
        """What answered, as "PostgreSQL 15.18"."""

    @property
    def backend(self) -> str | None:
        """The server's own id of this session."""
        return None

    @property
    def link(self) -> str:
        """How the link to the server is secured and whether the server is verified, as `trust.Trust`; "" without a server."""
        return ""

    def rights(self) -> str:
        """What the signed-in user may change, for a read-only connection's test; "" for nothing, or where it means nothing."""
        return ""

    @abstractmethod
    def reset(self) -> None:
        """Roll back, and forget temp tables and settings."""

    @abstractmethod
    def tree(self, path: Sequence[str]) -> list[TreeNode]:
        """List the children of `path`; [] is the connection itself."""

    @abstractmethod
    def describe(self, path: Sequence[str]) -> Description:
        """Describe a table or view.

        Raises:
            QueryError: there is none at `path`; scenario undefined_table.
        """

    def snapshot(self) -> Snapshot:
        """Read the whole schema for completion.

        Overwrite it where the database can say all of it in a few queries; this walks the tree, with a query for each table.
        """
        return Snapshot(tables=tuple(self._tables_below(())))

    def _tables_below(self, path: tuple[str, ...]) -> Iterator[SnapshotTable]:
        for node in self.tree(path):
            place = (*path, node.name)
            if node.kind in ("table", "view"):
                yield SnapshotTable(path=place, kind=node.kind, columns=tuple(map(_column, self.tree(place))))
            else:
                yield from self._tables_below(place)

    upload_notes: Sequence[str] = ()
    """What whoever reads the uploaded table must know, as "column x is stored as text"; of the last upload."""

    @abstractmethod
    def upload(self, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
        """Create `table` from the reader's schema (or append to it) and write all its rows, in one transaction.

        Args:
            table: name parts, to be quoted: [table], [schema, table] or [catalog, schema, table].
            reader: the rows.
            append: the table exists; otherwise it must not.

        Returns:
            The number of rows written.
        """

    @classmethod
    def kill_backend(cls, settings: Settings, backend: str) -> None:
        """End what another session's `backend` runs; only where the manifest declares `kill_backend`.

        Raises:
            ProtocolError: this driver declares none, so nobody may ask.
        """
        raise ProtocolError(f"{cls.__name__} declares no kill_backend.")

    @classmethod
    def end_backend(cls, settings: Settings, backend: str) -> Outcome:
        """End another session, whose process is gone, wait for its end, and say what became of its statement.

        Raises:
            TuskError: it could not be ended.
        """
        cls.kill_backend(settings, backend)
        return Outcome.UNKNOWN

    @classmethod
    def lock_waits(cls, settings: Settings, backends: Sequence[str]) -> list[LockWait]:
        """Ask the server, on a connection of its own, whose locks the sessions `backends` wait for.

        Only where the manifest declares `lock_waits`.

        Returns:
            One wait for each of them that waits, and for each holder that waits itself. A holder that this account may not
            see is `hidden`, with the reason.

        Raises:
            ProtocolError: this driver declares none. TuskError: the server cannot be asked.
        """
        raise ProtocolError(f"{cls.__name__} declares no lock_waits.")

    def give_back(self) -> None:  # noqa: B027  # most engines keep nothing
        """Return to the system what the engine's library keeps for later; called when a run has hit the memory cap."""

    @property
    def lock_wait(self) -> LockWait | None:
        """The lock that the statement under way waits for, where this process does the waiting (engines without a server).

        Asked on another thread, four times a second; no round trip.
        """
        return None


def _column(node: TreeNode) -> SnapshotColumn:
    return SnapshotColumn(
        name=node.name, type=node.type or "", nullable=node.nullable is not False, primary_key=node.primary_key
    )
