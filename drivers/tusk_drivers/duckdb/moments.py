"""Dates and times as text, for columns that hold a value which Arrow has no date or time for.

The form is the one in which a client brings earlier batches of the same column to text: no trailing zeros of a
fraction, UTC with +00 behind where there is a time zone, BC behind years before 1.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.duckdb.buffers import TEXT

_PER_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, between which Arrow prints as wanted."""


def trimmed(texts: pa.Array) -> pa.Array:
    """Cut the zeros off the seconds' fraction."""
    has_point = pc.any(pc.match_substring(texts, ".")).as_py()
    return pc.replace_substring_regex(texts, r"\.?0*$", "") if has_point else texts


def moments(array: pa.Array) -> pa.Array:
    """Return dates or timestamps, none of them infinite, as text."""
    kind = array.type
    is_date = pa.types.is_date(kind)
    unit = "D" if is_date else kind.unit
    raw = array.view(pa.int32() if is_date else pa.int64())
    zone = not is_date and kind.tz is not None
    plain = raw.view(pa.timestamp(unit)) if zone else array
    texts = plain.cast(TEXT) if is_date else trimmed(plain.cast(TEXT))
    if zone:
        texts = pc.binary_join_element_wise(texts, pa.scalar("+00", TEXT), pa.scalar("", TEXT))
    if unit == "ns":  # 1677 to 2262, all there is
        return texts
    first, last = _FIRST_DAY * _PER_DAY[unit], (_LAST_DAY + 1) * _PER_DAY[unit] - 1
    odd = pc.fill_null(pc.or_(pc.less(raw, first), pc.greater(raw, last)), False)
    if not pc.any(odd).as_py():
        return texts
    far = [_far(number, unit, "+00" if zone else "") for number in raw.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(far, TEXT))


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
