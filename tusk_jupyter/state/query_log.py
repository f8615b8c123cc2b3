"""The query log: every run from its start on, completed by its end.

The rows are the user's own data. Whoever writes them has redacted secrets from SQL text and error messages before.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import InternalError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import clock, log_filter
from tusk_jupyter.state.log_filter import ENDS

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal


LINGER_S = 0.005
"""A run's end shares the disk sync of the next run's start when that comes at once; it would else have to wait for two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What is known when a run begins."""

    run: str
    session: str
    source: str
    connection: str
    connection_id: str
    driver: str
    sql: str
    """With secrets redacted."""
    cell: str | None = None
    kind: str = "query"
    """query | upload."""
    started_at: str = ""
    """ISO 8601, UTC; empty: now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What is known when a run has ended."""

    run: str
    status: str
    """One of `ENDS`."""
    elapsed_ms: float | None = None
    rows: int | None = None
    affected: int | None = None
    statements: int | None = None
    error: str | None = None
    code: str | None = None
    position: int | None = None
    """0-based character offset into the SQL text."""


class QueryLog:
    """The query log; threads may call at once."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Load from the state file how many rows there are and which runs are open."""
        self._database = database
        self._journal = journal
        self._lock = threading.Lock()
        self._count: int = database.read("SELECT count(*) FROM query_log")[0][0]
        self._open: dict[str, int] = dict(database.read("SELECT run, seq FROM query_log WHERE status = 'running'"))

    def started(self, start: RunStart) -> int:
        """Write a run's start; when this returns it is durable. Return its number in the log.

        Raises:
            StorageError: it could not be written.
        """
        body = asdict(start)
        body["started_at"] = start.started_at or clock.now()
        seq = self._journal.append("run.start", body)
        with self._lock:
            self._count += 1
            self._open[start.run] = seq
        return seq

    def ended(self, end: RunEnd) -> bool:
        """Write a run's end; return whether it counted. The first end wins, a run that is not open has none.

        Raises:
            InternalError: the status is none that a run ends as.
            StorageError: it could not be written; the run is still open.
        """
        if end.status not in ENDS:
            raise InternalError(f"A run cannot end as {end.status!r}; there are {', '.join(ENDS)}.")
        with self._lock:
            seq = self._open.pop(end.run, None)
        if seq is None:
            return False
        body: dict[str, Any] = {"log": seq, **asdict(end)}
        try:
            self._journal.append("run.end", body, linger_s=LINGER_S)
        except BaseException:
            with self._lock:
                self._open[end.run] = seq
            raise
        return True

    def interrupt_open(self, reason: str) -> int:
        """At the core's start: end the runs that a crash left open as `interrupted`; return how many."""
        return sum(self.ended(RunEnd(run=run, status="interrupted", error=reason)) for run in tuple(self._open))

    def count(self) -> int:
        """Return the number of rows."""
        with self._lock:
            return self._count

    def read(self, request: control.ReadLog) -> control.LogPage:
        """Return the newest matching rows.

        Raises:
            UsageError: a time or a status of the request makes no sense.
            StorageError: the state file cannot be read.
        """
        where, parameters = log_filter.conditions(request)
        limit, offset = max(request.limit, 0), max(request.offset, 0)
        if not where:
            rows = self._database.read(f"{_SELECT} ORDER BY seq DESC LIMIT ? OFFSET ?", [limit, offset])
            return control.LogPage(entries=tuple(map(_entry, rows)), total=self.count())
        # One pass for the count and the newest rows' numbers: the text of a million runs takes 0.1 s to look through.
        newest = f"max(seq, {min(limit + offset, MOST_ROWS) or 1})"
        (total, seqs), *_ = self._database.read(f"SELECT count(*), {newest} FROM query_log {where}", parameters)  # noqa: S608
        page = (seqs or [])[offset : offset + limit]
        rows = self._database.read(f"{_SELECT} WHERE seq IN (SELECT unnest(?::BIGINT[])) ORDER BY seq DESC", [page])
        return control.LogPage(entries=tuple(map(_entry, rows)), total=total)


MOST_ROWS = 100_000  # as deep as a search goes into its pages
COLUMNS = (
    "run", "seq", "connection", "connection_id", "driver", "status", "started_at", "elapsed_ms", "rows", "affected",
    "statements", "source", "cell", "session", "sql", "error", "code", "kind",
)  # fmt: skip
"""What a `control.LogEntry` has."""
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM query_log"  # noqa: S608


def _entry(row: tuple[Any, ...]) -> control.LogEntry:
    values = dict(zip(COLUMNS, row, strict=True))
    values["started_at"] = clock.text(values["started_at"])
    return control.LogEntry(**values)
