"""UTC times as this package writes them: ISO 8601 with milliseconds and a Z; in DuckDB they are plain TIMESTAMPs."""

from __future__ import annotations

from datetime import UTC, datetime

from tusk_jupyter.errors import UsageError


def now() -> str:
    """Return the present time, as 2026-11-20T16:40:00.123Z."""
    return text(datetime.now(UTC).replace(tzinfo=None))


def text(moment: datetime) -> str:
    """Return a moment (without a zone: UTC) in this package's form."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def parse(iso: str) -> datetime:
    """Return an ISO 8601 text (without an offset: UTC) as a UTC datetime without a zone, as DuckDB's TIMESTAMP is.

    Raises:
        UsageError: the text is no ISO 8601 time.
    """
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        raise UsageError(
            f"{iso!r} is not a time.", hint="Write it in ISO 8601 and UTC, as 2026-11-20 or 2026-11-20T16:40:00."
        ) from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
