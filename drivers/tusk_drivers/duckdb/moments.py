"""Dates and times as text, for columns that hold a value which Arrow has no date or time for.

The form is the one in which a client brings earlier batches of the same column to text: no trailing zeros of a
fraction, the zone's clock with its offset behind where there is a time zone (UTC and +00 for far years), BC behind years
before 1.
"""

from __future__ import annotations

import functools
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT
from tusk_jupyter.protocol.offsets import offset_text
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")

_PER_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, between which Arrow prints as wanted."""


def trimmed(texts: pa.Array) -> pa.Array:
    """Cut the zeros off the seconds' fraction."""
    has_point = pc.any(pc.match_substring(texts, ".")).as_py()
    return pc.replace_substring_regex(texts, r"\.?0*$", "") if has_point else texts


@functools.cache
def is_known(zone: str) -> bool:
    """Return whether others than DuckDB know a time zone by that name."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        return False
    return True


def usual(kind: pa.DataType) -> tuple[int, int]:
    """Return the first number of a date or timestamp type in the year 1, and the first one behind the year 9999.

    With a time zone a day less at both ends: there the zone's clock may show another year.
    """
    is_date = pa.types.is_date(kind)
    day = _PER_DAY.get("D" if is_date else kind.unit)
    if day is None:  # nanoseconds: 1677 to 2262, and what is no value stands for infinities
        return -(2**63) + 2, 2**63 - 1
    margin = 0 if is_date or kind.tz in (None, "UTC", "Etc/UTC") else 1
    return (_FIRST_DAY + margin) * day, (_LAST_DAY + 1 - margin) * day


def moments(array: pa.Array) -> pa.Array:
    """Return dates or timestamps, none of them infinite, as text; with a zone by its clock, with the offset behind."""
    kind = array.type
    if pa.types.is_date(kind):
        raw, unit, zone, texts = array.view(pa.int32()), "D", None, array.cast(TEXT)
    else:
        raw, unit, zone = array.view(pa.int64()), kind.unit, kind.tz
        texts = trimmed(raw.view(pa.timestamp(unit)).cast(TEXT)) if zone is None else _zoned(raw, kind)
    if unit == "ns":  # 1677 to 2262, all there is
        return texts
    first, end = usual(kind)
    odd = pc.fill_null(pc.or_(pc.less(raw, first), pc.greater_equal(raw, end)), False)
    if not pc.any(odd).as_py():
        return texts
    far = [_far(number, unit, "+00" if zone else "") for number in raw.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(far, TEXT))


def _zoned(raw: pa.Array, kind: pa.TimestampType) -> pa.Array:
    """Return instants by the clock of their zone; those at the ends of time and behind are not meant to be read."""
    per_second = _PER_SECOND[kind.unit]
    first, end = usual(kind)
    near = pc.if_else(pc.or_(pc.less(raw, first), pc.greater_equal(raw, end)), 0, raw)
    local = pc.local_timestamp(near.view(kind)).cast(pa.int64())
    offsets = pc.divide(pc.subtract(local, near), per_second).dictionary_encode()
    marks = pa.array([offset_text(seconds) for seconds in offsets.dictionary.to_pylist()], TEXT).take(offsets.indices)
    texts = trimmed(local.view(pa.timestamp(kind.unit)).cast(TEXT))
    return pc.binary_join_element_wise(texts, marks, pa.scalar("", TEXT))


def _far(number: int, unit: str, zone: str) -> str:
    """Return a moment of any year; numpy counts them as astronomers do, with a year 0 before year 1."""
    text = str(np.array(number, dtype=f"datetime64[{unit}]"))
    before_christ = text.startswith(("-", "0000-"))
    year, rest = text.lstrip("-").split("-", 1)
    year = str(int(year) * (-1 if text.startswith("-") else 1))
    shown = f"{1 - int(year):04}" if before_christ else f"{int(year):04}"
    day, _, clock = rest.partition("T")
    clock = clock.rstrip("0").rstrip(".") if "." in clock else clock
    return f"{shown}-{day}{' ' + clock if clock else ''}{zone}{' BC' if before_christ else ''}"
