"""The query log."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from tusk_jupyter.protocol.message import Message


class LogEntry(Message, frozen=True, kw_only=True):
    """One row of the query log."""

    run: str
    seq: int
    connection: str
    connection_id: str
    driver: str
    status: str
    started_at: str
    """ISO 8601, UTC, milliseconds."""
    elapsed_ms: float | None
    rows: int | None
    affected: int | None
    statements: int | None
    source: str
    cell: str | None
    session: str
    sql: str
    error: str | None = None
    code: str | None = None
    kind: str = "query"
    """query | upload | tool (the product asked for it itself, as for a plan)."""
    position: int | None = None
    """0-based character offset of the error in `sql`."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Bound values as text, secrets left out."""


class LogPage(Message, frozen=True, kw_only=True):
    """Newest first, unless another order was asked for."""

    entries: tuple[LogEntry, ...]
    total: int
    """Rows that match, of all pages."""


class ReadLog(Message, frozen=True, kw_only=True):
    """Read the query log; every given condition must hold."""

    ACTION: ClassVar[str] = "log.read"
    REPLY: ClassVar[type] = LogPage
    limit: int = 20
    offset: int = 0
    text: str | None = None
    """Part of the SQL, any case."""
    status: str | None = None
    connection: str | None = None
    source: str | None = None
    """Part of the source's path."""
    since: str | None = None
    """ISO 8601, UTC."""
    until: str | None = None
    run: str | None = None
    """A run's id or its beginning."""
    session: str | None = None
    before: int | None = None
    """Only entries with a smaller `seq`: the next page, whatever came meanwhile."""
    after: int | None = None
    """Only entries with a larger `seq`: what is new."""
    driver: str | None = None
    kind: str | None = None
    """query | upload | tool."""
    tools: bool = True
    """Whether what tools ran is wanted."""
    min_ms: float | None = None
    max_ms: float | None = None
    order: str = "started"
    """started | duration | rows | status | connection; entries without a value come last, equal ones newest first."""
    ascending: bool = False
    count: bool = True
    """Whether `LogPage.total` is wanted; -1 else. Counting what a text matches reads the whole log."""


class LogDeleted(Message, frozen=True, kw_only=True):
    """How many entries are gone."""

    entries: int


class DeleteLog(Message, frozen=True, kw_only=True):
    """Delete entries of runs that have ended: those named, or all that are older than `until`; from the journal too."""

    ACTION: ClassVar[str] = "log.delete"
    REPLY: ClassVar[type] = LogDeleted
    runs: tuple[str, ...] = ()
    until: str | None = None
    """ISO 8601, UTC."""
    everything: bool = False
