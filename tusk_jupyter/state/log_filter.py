"""The conditions of a log request as SQL with bound parameters."""

from __future__ import annotations

from typing import Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import clock

ENDS = ("completed", "cancelled", "timeout", "failed", "skipped", "interrupted")
"""What a run may end as; before that it is `running`, and after it nothing else (REQUIREMENTS C-13)."""
STATUSES = ("running", *ENDS)


def conditions(request: control.ReadLog) -> tuple[str, list[Any]]:
    """Return the conditions (empty when everything matches) and their parameters; those on the page are not in it.

    Raises:
        UsageError: a time or a status makes no sense.
    """
    if request.status is not None and request.status not in STATUSES:
        raise UsageError(f"No run has the status {request.status!r}.", hint=f"There are {', '.join(STATUSES)}.")
    tests: list[tuple[str, Any]] = [
        ("contains(lower(sql), ?)", request.text.lower() if request.text is not None else None),
        ("status = ?", request.status),
        ("lower(connection) = lower(?)", request.connection),
        ("contains(lower(source), lower(?))", request.source),
        ("started_at >= ?", clock.parse(request.since) if request.since else None),
        ("started_at < ?", clock.parse(request.until) if request.until else None),
        ("starts_with(run, ?)", request.run),
        ("session = ?", request.session),
        ("driver = ?", request.driver),
        ("kind = ?", request.kind),
        ("kind <> ?", None if request.tools else "tool"),
        ("elapsed_ms >= ?", request.min_ms),
        ("elapsed_ms <= ?", request.max_ms),
    ]
    asked = [(sql, value) for sql, value in tests if value is not None]
    return " AND ".join(sql for sql, _ in asked), [value for _, value in asked]
