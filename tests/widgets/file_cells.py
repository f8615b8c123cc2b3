"""What stands in each kind of file for each Arrow type: data, from which a test and TYPES.md's table are made.

The cells are in the order of `FORMS`. Parquet and Arrow: `same`, the type itself, or `text`. CSV: `bare` or `quoted`. JSON:
`number`, `truth`, `text`, `list` or `object`. Excel: `number`, `truth`, `time` or `text`. `noted`: a note names the column.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa

FORMS = {"csv": "CSV", "parquet": "Parquet", "arrow": "Arrow", "json": "JSON", "excel": "Excel"}

NUMBER = "bare, same, same, number, number"
LONG = "bare, same, same, number, text noted"
WORD = "quoted, same, same, text, text"
LIST = "quoted, same, same, list, text"

KINDS: list[tuple[str, pa.DataType, Any, str]] = [
    ("bool", pa.bool_(), True, "bare, same, same, truth, truth"),
    ("int8 … int64", pa.int64(), -5, NUMBER),
    ("int64, more than 15 digits", pa.int64(), 2**53 + 1, LONG),
    ("uint8 … uint64", pa.uint64(), 5, NUMBER),
    ("uint64, more than 15 digits", pa.uint64(), 2**64 - 1, LONG),
    ("float32", pa.float32(), 0.1, NUMBER),
    ("float64", pa.float64(), 0.1 + 0.2, NUMBER),
    ("float64, NaN and infinities", pa.float64(), float("-inf"), "bare, same, same, text, text noted"),
    ("decimal128", pa.decimal128(10, 2), Decimal("1.50"), NUMBER),
    ("decimal128, more than 15 digits", pa.decimal128(38, 30), Decimal("1." + "0" * 29 + "1"), LONG),
    ("decimal256", pa.decimal256(60, 2), Decimal("9" * 50), LONG),
    ("string", pa.string(), "=1+1", WORD),
    ("dictionary", pa.dictionary(pa.int8(), pa.string()), "a", "quoted, same, text, text, text"),
    ("binary", pa.binary(), b"\x00\xff", WORD),
    ("date32", pa.date32(), 0, "quoted, same, same, text, time"),
    ("date32, before 1900 and after 9999", pa.date32(), 4_000_000, "quoted, same, same, text, text noted"),
    ("timestamp", pa.timestamp("ms"), 1, "quoted, same, same, text, time"),
    ("timestamp, finer than milliseconds", pa.timestamp("ns"), 1, "quoted, same, same, text, text noted"),
    ("timestamp with a zone", pa.timestamp("us", "Europe/Berlin"), 1, "quoted, same, same, text, text noted"),
    ("time64", pa.time64("us"), 1000, "quoted, same, same, text, time"),
    ("duration", pa.duration("us"), -1, "quoted, same, same, text, text noted"),
    (
        "month_day_nano_interval",
        pa.month_day_nano_interval(),
        (1, 2, 3000),
        "quoted, text noted, same, text, text noted",
    ),
    ("list", pa.list_(pa.timestamp("ns")), [1, None], LIST),
    ("fixed_size_list", pa.list_(pa.int8(), 2), [1, None], LIST),
    ("map", pa.map_(pa.date32(), pa.int8()), [(4_000_000, None)], LIST),
    ("struct", pa.struct([("a", pa.binary())]), {"a": b"\x00"}, "quoted, same, same, object, text"),
    ("list of intervals", pa.list_(pa.month_day_nano_interval()), [(1, 2, 3)], "quoted, text noted, same, list, text"),
    ("null", pa.null(), None, "bare, same, same, null, nothing"),
]


def array_of(kind: pa.DataType, value: Any) -> pa.Array:
    """Return the value and a NULL."""
    if pa.types.is_date32(kind):
        return pa.array([value, None], pa.int32()).cast(kind)
    if pa.types.is_map(kind):
        return pa.array([value, None], pa.map_(pa.int32(), pa.int8())).cast(kind)
    return pa.array([value, None], kind)


def page_table() -> str:
    """Return the table as TYPES.md has it."""
    lines = [f"| Arrow | {' | '.join(FORMS.values())} |", "|" + "---|" * (len(FORMS) + 1)]
    for name, _, _, cells in KINDS:
        shown = cells.split(", ")
        assert len(shown) == len(FORMS)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)
