"""Whether a value came back as it was sent, across the ways in which engines and Arrow spell the same value."""

from __future__ import annotations

import contextlib
import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pyarrow as pa

SAMPLES: dict[str, tuple[object, ...]] = {
    "null": (None,),
    "bool": (True, False),
    "int": (0, 7, -1, 2**31, 2**63 - 1, -(2**63)),
    "float": (0.0, 0.1, -1.5e-300, 1.7976931348623157e308, 5e-324),
    "str": ("text", "", "é 語 \U0001f600"),
    "bytes": (b"", b"\x00\xff\x27\x5c", bytes(range(256))),
    "decimal": tuple(map(Decimal, ("1.20", "-12345678901234567890.123456789", "0.000000001", "1E+3"))),
    "date": (date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)),
    "time": (time(0, 0), time(23, 59, 59, 999999)),
    "datetime": (datetime(2024, 2, 29, 13, 14, 15, 123456), datetime(1969, 7, 20, 20, 17, 40)),
    "interval": (timedelta(0), timedelta(days=3, seconds=4, microseconds=5), timedelta(hours=-30)),
    "uuid": (UUID("00000000-0000-4000-8000-00000000beef"),),
    "list": ([1, 2, 3], ["a", "it's", None]),
    "json": ({"a": [1, None, {"b": 'it\'s \\ "q"'}], "ü": True},),
}
"""Values of every type that a parameter can have on the wire, by its tag there."""

PLAIN = ("null", "bool", "int", "float", "str")
"""Tags that every driver must take; the others it may refuse with UsageError or QueryError, but never alter."""

BEYOND: tuple[object, ...] = (
    2**63, 2**64, -(2**70), 10**40, math.inf, -math.inf, math.nan, -0.0,
    Decimal("123456789012345678901234567890.12345678"), Decimal("1E-30"), Decimal("NaN"),
    "nul\x00byte", "half\ud800pair",
)  # fmt: skip
"""Values that an engine may not have: it says so, or gives back the same."""


def same(expected: object, got: object) -> bool:
    """Return whether `got` is `expected`."""
    if isinstance(expected, UUID):
        return str(got) == str(expected)
    if isinstance(expected, dict | list) and isinstance(got, str):
        with contextlib.suppress(ValueError):
            return bool(json.loads(got) == expected)
        return False
    if isinstance(expected, float) and isinstance(got, float):
        return (math.isnan(expected) and math.isnan(got)) or (
            expected == got and math.copysign(1, expected) == math.copysign(1, got)
        )
    if isinstance(expected, Decimal) and expected.is_nan():
        return (isinstance(got, Decimal) and got.is_nan()) or got in ("NaN", "nan")
    if isinstance(expected, timedelta) and isinstance(got, pa.MonthDayNano):
        return got.months == 0 and timedelta(days=got.days, microseconds=got.nanoseconds / 1000) == expected
    if isinstance(expected, Decimal) and isinstance(got, str | float):  # a float whose digits are the decimal's
        return Decimal(str(got)) == expected
    if isinstance(expected, int) and isinstance(got, str):
        return False
    return bool(expected == got)
