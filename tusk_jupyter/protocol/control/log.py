"""The query log."""

from __future__ import annotations

from typing import ClassVar

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
    """query | upload."""


class LogPage(Message, frozen=True, kw_only=True):
    """Newest first."""

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
