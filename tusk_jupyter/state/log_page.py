"""Pages of the query log: the newest rows that match.

A page is searched from the newest row backwards, in pieces that grow, since what people look for is mostly recent; only the
number of all matches needs a look at every row.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import clock, log_filter

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database

MOST_ROWS = 100_000  # as deep as a search goes into its pages
PIECES = (2_000, 30_000, 300_000)  # numbers looked through before all the rest; a run takes two or three of them
COLUMNS = (
    "run", "seq", "connection", "connection_id", "driver", "status", "started_at", "elapsed_ms", "rows", "affected",
    "statements", "source", "cell", "session", "sql", "error", "code", "kind", "position", "parameters",
)  # fmt: skip
"""What a `control.LogEntry` has."""


ORDERS = {
    "started": "seq",
    "duration": "elapsed_ms",
    "rows": "coalesce(nullif(affected, 0), rows)",
    "status": "status",
    "connection": "lower(connection)",
}
"""What each order of a request goes by."""

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM query_log"  # noqa: S608


class LogPages:
    """Reads pages."""

    def __init__(self, database: Database) -> None:
        """Take the store that holds the rows."""
        self._database = database

    def read(self, request: control.ReadLog, count: int) -> control.LogPage:
        """Return a page.

        Args:
            request: what is asked for.
            count: number of all rows.

        Raises:
            UsageError: a time, a status or the order of the request makes no sense.
            StorageError: the state file cannot be read.
        """
        conditions, values = log_filter.conditions(request)
        if request.order not in ORDERS:
            raise UsageError(f"The log is not ordered by {request.order!r}.", hint=f"There are {', '.join(ORDERS)}.")
        if request.order != "started" or request.ascending:
            return self._ordered(request, conditions, values)
        limit, offset = max(request.limit, 0), max(request.offset, 0)
        if not conditions and offset:
            window, bounds = _window(request.after, request.before)
            rows = self._database.read(
                f"{_SELECT} WHERE {window} ORDER BY seq DESC LIMIT ? OFFSET ?", [*bounds, limit, offset]
            )
            return control.LogPage(entries=tuple(map(_entry, rows)), total=count if request.count else -1)
        wanted = min(limit + offset, MOST_ROWS)
        if conditions and request.count:
            count, seqs = self._counted(request, conditions, values, wanted)
        else:
            seqs = self._searched(request, conditions, values, wanted)
        return control.LogPage(entries=self._entries(seqs[offset:]), total=count if request.count else -1)

    def _ordered(self, request: control.ReadLog, conditions: str, values: list[Any]) -> control.LogPage:
        """Return a page in another order than newest first: all that matches is looked at, by its narrow columns."""
        window, bounds = _window(request.after, request.before)
        matching = " AND ".join(filter(None, (window, conditions)))
        direction = "ASC" if request.ascending else "DESC"
        found = self._database.read(
            f"SELECT seq FROM query_log WHERE {matching}"  # noqa: S608
            f" ORDER BY {ORDERS[request.order]} {direction} NULLS LAST, seq DESC LIMIT ? OFFSET ?",
            [*bounds, *values, max(request.limit, 0), max(request.offset, 0)],
        )
        seqs = [seq for (seq,) in found]
        by_seq = {one.seq: one for one in self._entries(sorted(seqs, reverse=True))}
        total = -1
        if request.count:
            counted = self._database.read(f"SELECT count(*) FROM query_log WHERE {conditions or 'true'}", values)  # noqa: S608
            total = counted[0][0]
        return control.LogPage(entries=tuple(by_seq[seq] for seq in seqs if seq in by_seq), total=total)

    def _counted(
        self, request: control.ReadLog, conditions: str, values: list[Any], wanted: int
    ) -> tuple[int, list[int]]:
        """Count and find in one pass: the text of a million runs takes 0.1 s to look through."""
        window, bounds = _window(request.after, request.before)
        newest = f"max(seq, {max(wanted, 1)}) FILTER ({window})"
        found = self._database.read(
            f"SELECT count(*), {newest} FROM query_log WHERE {conditions}",  # noqa: S608
            [*bounds, *values],
        )
        total, seqs = found[0]
        return total, (seqs or [])[:wanted]

    def _searched(self, request: control.ReadLog, conditions: str, values: list[Any], wanted: int) -> list[int]:
        """Find the newest matches, from the end backwards."""
        seqs: list[int] = []
        high = self._database.journal.last_seq + 1 if request.before is None else request.before
        for size in (*PIECES, None):
            low = None if size is None else high - size
            if request.after is not None and (low is None or low <= request.after):
                low = request.after + 1
            window, bounds = _window(None if low is None else low - 1, high)
            seqs += [
                seq
                for (seq,) in self._database.read(
                    f"SELECT seq FROM query_log WHERE {' AND '.join(filter(None, (window, conditions)))}"  # noqa: S608
                    " ORDER BY seq DESC LIMIT ?",
                    [*bounds, *values, wanted - len(seqs)],
                )
            ]
            if len(seqs) >= wanted or low is None or low - 1 == request.after:
                break
            high = low
        return seqs

    def _entries(self, seqs: list[int]) -> tuple[control.LogEntry, ...]:
        if not seqs:
            return ()
        rows = self._database.read(  # the bounds let the zone maps skip the rest of a million rows
            f"{_SELECT} WHERE seq BETWEEN ? AND ? AND seq IN (SELECT unnest(?::BIGINT[])) ORDER BY seq DESC",
            [seqs[-1], seqs[0], seqs],
        )
        return tuple(map(_entry, rows))


def _window(after: int | None, before: int | None) -> tuple[str, list[int]]:
    """Return the conditions on the number, and their parameters."""
    bounds = [("seq > ?", after), ("seq < ?", before)]
    asked = [(sql, value) for sql, value in bounds if value is not None]
    return " AND ".join(sql for sql, _ in asked) or "true", [value for _, value in asked]


def _entry(row: tuple[Any, ...]) -> control.LogEntry:
    values = dict(zip(COLUMNS, row, strict=True))
    values["started_at"] = clock.text(values["started_at"])
    values["parameters"] = json.loads(values["parameters"]) if values["parameters"] else {}
    return control.LogEntry(**values)
