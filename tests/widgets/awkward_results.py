"""Results with the values that tools get wrong."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa

TEXTS = [
    None,
    "",
    "NULL",
    'it\'s "quoted", with; commas',
    "two\nlines\r\nthree",
    "tab\there",
    "emoji 🦣 and é",
    "=1+1",
    "@SUM(A1)",
    "_x0041_",
    "\x01 control",
    "back\\slash",
    "|pipe| *star* `tick` <b>bold</b>",
    "  spaces  ",
    "'; DROP TABLE t; --",
]
ROWS = len(TEXTS)


def column(values: list, kind: pa.DataType) -> pa.Array:
    """The values, and NULL up to `ROWS`."""
    return pa.array(values + [None] * (ROWS - len(values)), kind)


DIGITS_38 = Decimal("1234567890123456789012345678.0123456789")
MOMENT = dt.datetime(2024, 3, 31, 1, 59, 59, 123456)

COLUMNS: dict[str, pa.Array] = {
    "text": pa.array(TEXTS, pa.string()),
    "int": column([0, -1, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()),
    "unsigned": column([2**64 - 1, 0], pa.uint64()),
    "small": pa.array(range(ROWS), pa.int16()),
    "decimal": column([DIGITS_38, -DIGITS_38, Decimal("0E-10")], pa.decimal128(38, 10)),
    "large": column([Decimal("1" * 60), Decimal("-0.5")], pa.decimal256(65, 2)),
    "float": column([0.1, math.nan, math.inf, -math.inf, 1e300, -0.0], pa.float64()),
    "real": pa.array([0.1] * ROWS, pa.float32()),
    "nan": pa.array([math.nan] + [1.5] * (ROWS - 1), pa.float64()),
    "flag": column([True, False], pa.bool_()),
    "day": column([dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31)], pa.date32()),
    "moment": column([MOMENT, dt.datetime(1900, 1, 1)], pa.timestamp("us")),
    "nanos": column([1, 1_700_000_000_123_456_789], pa.timestamp("ns")),
    "zoned": column([MOMENT, dt.datetime(1880, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
    "clock": column([dt.time(23, 59, 59, 999999), dt.time(0)], pa.time64("us")),
    "span": column([dt.timedelta(hours=-30, microseconds=5)], pa.duration("us")),
    "bytes": column([b"", b"\x00\xff=1", b"abc"], pa.binary()),
    "list": column([[1, None, 3], []], pa.list_(pa.int64())),
    "struct": column([{"a": 1, "b": 'x"y'}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    "map": column([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    "interval": column([pa.MonthDayNano([1, 2, 3_000_000_000])], pa.month_day_nano_interval()),
    "word": pa.array(TEXTS[:2] * (ROWS // 2) + TEXTS[: ROWS % 2], pa.string()).dictionary_encode(),
    "nothing": pa.nulls(ROWS),
}
TABLE = pa.table(COLUMNS)
