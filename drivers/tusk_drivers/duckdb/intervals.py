"""Intervals whose hours are more than Arrow's 292 years of nanoseconds: DuckDB's export wraps them around without an error.

So a SELECT's result is projected: an INTERVAL column brings its time of day in microseconds beside it where that is so long,
and a nested column that holds such an interval is refused. What has run at once (RETURNING, EXECUTE) cannot be projected; there
the microseconds are found again from the nanoseconds, up to 36,000 years.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT, words_of
from tusk_drivers.duckdb.converters import Converter
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
_LIMIT_US = (2**63 - 1) // 1000
_KIND = pa.month_day_nano_interval()
_PARTS = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
"""Arrow's layout of one."""
_NOTE = "holds intervals of more than 292 years of hours, so all of it is text"
_TIME_US = (
    "(date_part('hour', {0}) * 3600000000 + date_part('minute', {0}) * 60000000 + date_part('microseconds', {0}))"
)
_TOO_LONG = (
    r"(25620(4[89]|[5-9]\d)|2562[1-9]\d\d|256[3-9]\d{3}|25[7-9]\d{4}|2[6-9]\d{5}|[3-9]\d{6}|\d{8,}):\d\d:\d\d"
    r"|2562047:(4[89]|5\d|47:(1[6-9]|[2-5]\d))"
)
"""How DuckDB writes the time of such an interval: 2562048:00:00."""


def projection(names: Sequence[str], types: Sequence[str]) -> str:
    """Return the select list that makes of a relation's columns what `LongInterval` and others read."""
    return ", ".join(
        _column(place, name, type_) for place, (name, type_) in enumerate(zip(names, types, strict=True), 1)
    )


def _column(place: int, name: str, type_: str) -> str:
    if type_ == "INTERVAL":
        time = _TIME_US.format(f"#{place}")
        long = f"CASE WHEN {time} NOT BETWEEN -{_LIMIT_US} AND {_LIMIT_US} THEN {time} END"
        return f"struct_pack(value := #{place}, long := {long})"
    if "INTERVAL" not in type_:
        return f"#{place}"
    words = (
        f"Column {name!r} holds an interval of more than 292 years of hours within a nested value, which no type here can "
        "hold. Cast it to text, as in ::VARCHAR, or give such intervals as numbers."
    ).replace("'", "''")
    return f"CASE WHEN regexp_matches(#{place}::VARCHAR, '{_TOO_LONG}') THEN error('{words}') ELSE #{place} END"


class Interval(Converter):
    """INTERVAL as DuckDB exports it: text in ISO 8601's form from the first one on that Arrow cannot hold."""

    def __init__(self) -> None:
        self.type = _KIND

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the intervals, or their texts."""
        if self.type == _KIND:
            parts = words_of(array, _PARTS, 1)[:, 0]
            if not ((parts["nanoseconds"] % 1000 != 0) & array.is_valid().to_numpy(zero_copy_only=False)).any():
                return array
            self.type, self.note = TEXT, _NOTE
        found = array.to_pylist()
        return pa.array([None if one is None else _text(one[0], one[1], 0, _micros(one[2])) for one in found], TEXT)


def _micros(nanoseconds: int) -> int:
    """Return the microseconds whose thousandfold, of which 64 bits are left, are these nanoseconds.

    m * 1000 = n + k * 2**64, and 2**64 leaves 616 when it is divided by 1000: so n tells k but for a multiple of 125.
    """
    wraps = -(nanoseconds % 1000) // 8 * pow(77, -1, 125) % 125
    wraps -= 125 if wraps > 62 else 0
    return (nanoseconds + wraps * 2**64) // 1000


class LongInterval(Converter):
    """INTERVAL as `projection` brings it: text in ISO 8601's form from the first one on that Arrow cannot hold."""

    def __init__(self) -> None:
        self.type = _KIND

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the intervals, or their texts."""
        values, long = (pc.struct_field(array, place) for place in range(2))
        if self.type == _KIND:
            if long.null_count == len(long):
                return values
            self.type, self.note = TEXT, _NOTE
        found = zip(values.to_pylist(), long.to_pylist(), strict=True)
        return pa.array([None if v is None else _text(v[0], v[1], v[2], micros) for v, micros in found], TEXT)


def _text(months: int, days: int, nanoseconds: int, micros: int | None) -> str:
    """Return P14M3DT4.5S, as a client has it that brings earlier rows to text."""
    number = nanoseconds if micros is None else micros * 1000
    seconds, rest = divmod(abs(number), 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"P{months}M{days}DT{'-' if number < 0 else ''}{seconds}{fraction}S"
