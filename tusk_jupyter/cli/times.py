"""Times for people: how long ago, how long it took, what `--since 2d` means."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tusk_jupyter.errors import UsageError

_SPAN = re.compile(r"(\d+)\s*(m|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_utc(text: str) -> datetime:
    """Return an ISO 8601 time of the core, which is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def local(text: str) -> str:
    """Return an ISO 8601 time of the core as local time, to the second."""
    return parse_utc(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(text: str | None) -> str:
    """Return how long ago a time of the core was."""
    if not text:
        return "never"
    seconds = (datetime.now(UTC) - parse_utc(text)).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def since(text: str | None, *, option: str) -> str | None:
    """Return the UTC time that `2d`, `3h`, `today` or an ISO date means.

    Raises:
        UsageError: it is none of these.
    """
    if text is None:
        return None
    if match := _SPAN.fullmatch(text.strip()):
        span = timedelta(**{_UNITS[match.group(2).lower()]: int(match.group(1))})
        return _iso(datetime.now(UTC) - span)
    if text.strip().lower() == "today":
        return _iso(datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0))
    try:
        return _iso(datetime.fromisoformat(text.strip()).astimezone(UTC))
    except ValueError:
        raise UsageError(
            f"{option} takes a time; it was given {text!r}.",
            hint="As 30m, 2h, 3d, 1w, today, 2013-10-11 or 2013-10-11T09:00.",
        ) from None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(milliseconds: float | None) -> str:
    """Return a duration, as cells, `%tusk log`, `%tusk running` and the log panel (`log/format.ts`) all write it."""
    if milliseconds is None:
        return ""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(max(60, int(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
