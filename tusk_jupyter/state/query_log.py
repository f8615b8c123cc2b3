"""The query log: every run from its start on, completed by its end.

The rows are the user's own data. Whoever writes them has redacted secrets from SQL text and error messages before.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import InternalError, UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import clock
from tusk_jupyter.state.erasure import Erasure
from tusk_jupyter.state.log_filter import ENDS
from tusk_jupyter.state.log_page import LogPages

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
    """query | upload | tool."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Bound values as text, secrets left out."""
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
        self._pages = LogPages(database)
        self._erasure = Erasure(database, journal)
        self._deleting = threading.Lock()
        self._lock = threading.Lock()
        self._count: int = database.read("SELECT count(*) FROM query_log")[0][0]
        self._unwritten: dict[str, RunEnd] = {}
        """Ends of runs that could not be written, as on a full disk."""
        self._open: dict[str, int] = dict(database.read("SELECT run, seq FROM query_log WHERE status = 'running'"))

    def started(self, start: RunStart) -> int:
        """Write a run's start; when this returns it is durable. Return its number in the log.

        Raises:
            StorageError: it could not be written.
        """
        body = _plain(start)
        body["started_at"] = start.started_at or clock.now()
        body["parameters"] = json.dumps(dict(start.parameters), ensure_ascii=False) if start.parameters else None
        seq = self._journal.append("run.start", body)
        with self._lock:
            self._count += 1
            self._open[start.run] = seq
        return seq

    def ended(self, end: RunEnd) -> bool:
        """Write a run's end; return whether it counted. The first end wins, a run that is not open has none.

        Raises:
            InternalError: the status is none that a run ends as.
            StorageError: it could not be written; the run is still open, and `write_left_over` ends it.
        """
        if end.status not in ENDS:
            raise InternalError(f"A run cannot end as {end.status!r}; there are {', '.join(ENDS)}.")
        with self._lock:
            seq = self._open.pop(end.run, None)
        if seq is None:
            return False
        body: dict[str, Any] = {"log": seq, **_plain(end)}
        try:
            self._journal.append("run.end", body, linger_s=LINGER_S)
        except BaseException:
            with self._lock:
                self._open[end.run] = seq
                self._unwritten[end.run] = end
            raise
        return True

    def write_left_over(self) -> int:
        """Write the ends that could not be written when their runs ended, as far as that is possible now; return how many.

        Raises:
            StorageError: there is still no room; what is left is kept.
        """
        written = 0
        for run, end in list(self._unwritten.items()):
            written += self.ended(end)
            self._unwritten.pop(run, None)
        return written

    def ended_after_all(self, end: RunEnd) -> bool:
        """Write the end of a run that was taken for interrupted, as its client saw it; return whether there was such a run.

        Raises:
            StorageError: it could not be written.
        """
        found = self._database.read("SELECT seq FROM query_log WHERE run = ? AND status = 'interrupted'", [end.run])
        for (seq,) in found:
            self._journal.append("run.end", {"log": seq, **_plain(end)}, linger_s=LINGER_S)
        return bool(found)

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
        return self._pages.read(request, self.count())

    # --- deleting ---

    def delete(self, request: control.DeleteLog) -> int:
        """Delete rows of runs that have ended, with every trace of their text; return how many.

        Raises:
            UsageError: a time makes no sense, or nothing was named.
            StorageError: it could not be journaled, and nothing is deleted; or the rows are gone and their text is not yet:
                the next deletion, or `finish_deletions`, tries again.
        """
        if request.everything:
            return self._delete("true", [])
        if request.until:
            return self._delete("started_at < ?", [clock.parse(request.until)])
        if not request.runs:
            raise UsageError("Name the runs that are to be deleted, or a time up to which, or everything.")
        return self._delete("run IN (SELECT unnest(?::VARCHAR[]))", [list(request.runs)])

    def keep_newest(self, rows: int) -> int:
        """Delete all but the newest rows; return how many."""
        if self.count() <= rows:
            return 0
        return self._delete("seq <= (SELECT seq FROM query_log ORDER BY seq DESC LIMIT 1 OFFSET ?)", [rows])

    def finish_deletions(self, *, journal_bytes: float = inf) -> None:
        """Carry on what a crash or a full disk broke off, or what was left for later.

        Args:
            journal_bytes: nothing is done with a journal that is larger.

        Raises:
            StorageError: it still cannot be done.
        """
        self._erasure.finish(journal_bytes=journal_bytes)

    def _delete(self, condition: str, parameters: Sequence[Any]) -> int:
        with self._deleting:
            found = self._database.read(_ISLANDS.format(condition=condition), parameters)
            if not found:
                return 0
            rows = sum(int(count) for _, _, count in found)
            self._erasure.begin([[first, last] for first, last, _ in found])
            with self._lock:  # no new look at the table: a run that starts meanwhile may be in it and not counted yet
                self._count -= rows
            self._erasure.finish()
            return rows


_ISLANDS = """
    SELECT min(seq), max(seq), count(*) FROM (
        SELECT seq, gone, sum(CASE WHEN gone THEN 0 ELSE 1 END) OVER (ORDER BY seq) AS kept_before
        FROM (SELECT seq, status <> 'running' AND ({condition}) AS gone FROM query_log))
    WHERE gone GROUP BY kept_before ORDER BY 1"""
"""Ranges of numbers in which every row is to go: a million rows are one range, or few."""


def _plain(record: RunStart | RunEnd) -> dict[str, Any]:
    """Return a record's fields; `asdict` copies each value, which is 0.05 ms of every run."""
    return {name: getattr(record, name) for name in record.__slots__}
