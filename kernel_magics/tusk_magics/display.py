"""What a run says in words: rows shown, fetched and known kept apart, changes, transaction, notes on the data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tusk_jupyter.cli.times import duration

if TYPE_CHECKING:
    from tusk_jupyter.client import RunResult
    from tusk_jupyter.protocol.stream import StatementReport


def summary(result: RunResult, *, into: str | None, shown: int | None, limit: int | None) -> str:
    """Return the lines under a run.

    Args:
        result: the run.
        into: the variable that got the result, or None.
        shown: rows that the frontend shows of it, or None where nobody knows.
        limit: of the run.
    """
    lines = list(_before(result))
    if len(result.statements) > 1:
        lines += _list(result.statements)
    parts = [_outcome(result, into=into, shown=shown, limit=limit), *_circumstances(result)]
    return "\n".join([*lines, " · ".join(parts), *(f"Note: {note}" for note in result.notes)])


def _before(result: RunResult) -> list[str]:
    accepted = result.accepted
    lost = "This is a new session: the one before has ended. It had no temp tables, settings or open transaction."
    return [*([lost] if accepted.session_lost else []), *accepted.notices]


_LISTED, _AT_BOTH_ENDS = 24, (8, 2)
"""So many statements have a line each; of more, so many at the begin and at the end."""


def _list(reports: Sequence[StatementReport]) -> list[str]:
    """Return a line for each statement, or for each kind of those between the first and the last ones."""
    lines = [f"{report.index + 1:,}. {_did(report)}" for report in reports]
    if len(reports) <= _LISTED:
        return lines
    first, last = _AT_BOTH_ENDS
    between = reports[first:-last]
    kinds: dict[str, list[int]] = {}
    for report in between:
        kind = kinds.setdefault(report.command, [0, 0])
        kind[0] += 1
        kind[1] += report.affected or 0
    did = (f"{count:,} {name}{f' ({_count(rows)} changed)' if rows else ''}" for name, (count, rows) in kinds.items())
    return [*lines[:first], f"… {len(between):,} statements more: {', '.join(did)}", *lines[-last:]]


def _outcome(result: RunResult, *, into: str | None, shown: int | None, limit: int | None) -> str:
    """Return what the last result came to."""
    if result.path is not None:
        return (
            f"{_count(result.rows)} written to {result.path} ({_size(result.path.stat().st_size)}){_cut(result, limit)}"
        )
    if result.schema is None:
        one = len(result.statements) == 1
        return _did(result.statements[0]) if one else f"{len(result.statements):,} statements"
    columns = f"{len(result.schema):,} column{'' if len(result.schema) == 1 else 's'}"
    rows = result.rows
    if into:
        return f"{into} ← {_count(rows)}{_cut(result, limit)} · {columns}"
    if not rows and not result.more:
        return f"0 rows: the statement ran and matched none · {columns}"
    if shown is not None and shown < rows and not result.more:
        return f"Showing {shown:,} of {_count(rows)} · {columns}"
    showing = f" · showing {shown:,}" if shown is not None and shown < rows else ""
    return f"{_count(rows)}{_cut(result, limit)}{showing} · {columns}"


def _cut(result: RunResult, limit: int | None) -> str:
    """Return the words for a result that the limit cut off."""
    return f" fetched, more exist (limit {limit:,})" if result.more and limit is not None else ""


def _circumstances(result: RunResult) -> list[str]:
    accepted = result.accepted
    # In a narrow window a line is broken between words: a number stays with its unit.
    parts = [duration(result.elapsed_s * 1000).replace(" ", "\u00a0"), f"{accepted.connection} ({accepted.driver})"]
    if accepted.environment:
        parts.append(accepted.environment.upper() if accepted.environment == "production" else accepted.environment)
    if result.transaction == "open":
        parts.append("transaction open: COMMIT or ROLLBACK ends it")
    elif result.transaction == "failed":
        parts.append("transaction FAILED: ROLLBACK ends it")
    return parts


def _did(report: StatementReport) -> str:
    """Return what one statement did."""
    if report.rows is not None and report.affected is not None:
        return f"{report.command}: {_count(report.affected)} changed, {_count(report.rows)} returned"
    if report.rows is not None:
        return f"{report.command}: {_count(report.rows)}"
    if report.affected is not None:
        return f"{report.command}: {_count(report.affected)} changed"
    return f"{report.command}: done"


def _count(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def rows_shown(rows: int, kind: str) -> int | None:
    """Return how many of `rows` rows the frontend shows of a result of that kind."""
    if kind == "pandas":
        import pandas as pd

        most, few = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
        if most is None or rows <= most:
            return rows
        return min(few or most, most) if most else None
    if kind == "polars":
        most = int(os.environ.get("POLARS_FMT_MAX_ROWS", "10"))
        return rows if most < 0 else min(rows, most)
    return None


def uploaded(result: RunResult, *, rows: int, table: str, append: bool) -> str:
    """Return the lines under an upload of `rows` rows."""
    done = f"{_count(rows)} {'appended to' if append else 'written into the new table'} {table}"
    notes = (f"Note: {note}" for note in result.notes)
    return "\n".join([*_before(result), " · ".join([done, *_circumstances(result)]), *notes])
