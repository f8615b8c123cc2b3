"""Time zones: the session's one, and offsets that Arrow does not read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pyarrow as pa

_OFFSET = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$")
_UTC_NAMES = {"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT", "Universal", "Etc/Universal"}
_EPOCH = datetime(1970, 1, 1)  # naive, as are the local times it is subtracted from
_MICROSECOND = timedelta(microseconds=1)


@cache
def arrow_zone(session_zone: str) -> str | None:
    """Return the zone under which instants are shown, or None where only the server knows the session's."""
    if session_zone in _UTC_NAMES:
        return "UTC"
    try:
        ZoneInfo(session_zone)
    except (ValueError, OSError, KeyError):  # POSIX forms as <+03>-03, which the server knows and zoneinfo does not
        return None
    return session_zone


def read_odd_offsets(text: pa.StringArray, type_: pa.DataType) -> pa.Array:
    """Return zoned timestamps whose offsets have seconds, as those of local mean time.

    Raises:
        pa.ArrowInvalid: a value is infinite, before Christ or after the year 9999.
    """
    micros = [None if value is None else _instant(value) for value in text.to_pylist()]
    return pa.array(micros, pa.int64()).cast(type_)


def _instant(value: str) -> int:
    found = _OFFSET.match(value)
    if not found:
        raise pa.ArrowInvalid(f"no timestamp: {value}")
    local, sign, hours, minutes, seconds = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    since = datetime.fromisoformat(local) - _EPOCH
    return (since - offset if sign == "+" else since + offset) // _MICROSECOND
