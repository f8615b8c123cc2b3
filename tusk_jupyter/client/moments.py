"""Dates, timestamps, times of day and durations as the text in which a database prints them.

Arrow prints those of the years 1 to 9999 right and quickly, but for zeros at the end of a fraction; those before and after it
misprints, so they are computed here. With a time zone they are local times with the offset behind, as PostgreSQL has them.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client.plain_arrays import number, strings, text, truth
from tusk_jupyter.protocol.offsets import offset_text

type_of = pa.types
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_FIRST_DAY, _END_DAY = -719_162, 2_932_897  # 0001-01-01 and 10000-01-01, in days since 1970
_DAYS_TO_1970 = 719_468  # from 0000-03-01, where the years of `_civil` begin


def dates(array: pa.Array) -> pa.Array:
    """Return dates as YYYY-MM-DD."""
    days = array.cast(pa.date32())
    numbers = days.cast(pa.int32())
    return _mended(days.cast(pa.string()), _is_far(numbers, 1), numbers, unit=None, digits=None)


def timestamps(array: pa.Array, digits: int | None) -> pa.Array:
    """Return timestamps as YYYY-MM-DD HH:MM:SS.ffffff, with the zone's offset if they have one."""
    if array.type.tz is not None:
        return _zoned(array, digits)
    unit, numbers = array.type.unit, array.cast(pa.int64())
    far = _is_far(numbers, 86_400 * _PER_SECOND[unit])
    return _mended(_fraction(array.cast(pa.string()), digits), far, numbers, unit=unit, digits=digits)


def times(array: pa.Array, digits: int | None) -> pa.Array:
    """Return times of day as HH:MM:SS.ffffff."""
    return _fraction(array.cast(pa.string()), digits)


def durations(array: pa.Array, digits: int | None) -> pa.Array:
    """Return hours, minutes and seconds, as MySQL prints TIME: -838:59:59."""
    unit, numbers = array.type.unit, array.cast(pa.int64()).to_pylist()
    return strings([None if n is None else "-" * (n < 0) + _clock(abs(n), unit, digits) for n in numbers])


# --- time zones --------------------------------------------------------------------------------------------------------


def _zoned(array: pa.Array, digits: int | None) -> pa.Array:
    """Times whose year Arrow misprints are in UTC: no zone's rules reach that far."""
    unit, zone = array.type.unit, array.type.tz
    numbers = array.cast(pa.int64())
    far = _is_far(numbers, 86_400 * _PER_SECOND[unit], margin_days=1)
    near = pc.if_else(far, number(0), numbers)
    local = _local(near, unit, zone)
    offsets = pc.divide(pc.subtract(local, near), number(_PER_SECOND[unit])).dictionary_encode()
    marks = strings([offset_text(seconds) for seconds in offsets.dictionary.to_pylist()]).take(offsets.indices)
    texts = pc.binary_join_element_wise(timestamps(local.cast(pa.timestamp(unit)), digits), marks, text(""))
    return _mended(texts, far, numbers, unit=unit, digits=digits, mark="+00")


def _local(numbers: pa.Array, unit: str, zone: str) -> pa.Array:
    """Return the zone's wall clock for instants, as numbers; a zone that this machine does not know counts as UTC."""
    try:
        return pc.local_timestamp(numbers.cast(pa.timestamp(unit, zone))).cast(pa.int64())
    except pa.ArrowInvalid:
        return numbers


# --- fractions of a second ---------------------------------------------------------------------------------------------


def _fraction(texts: pa.Array, digits: int | None) -> pa.Array:
    """Cut zeros off a second's fraction, but leave `digits` digits; others than zeros are never cut."""
    if not pc.any(pc.match_substring(texts, ".")).as_py():
        return texts
    if not digits:
        return pc.replace_substring_regex(texts, r"\.?0*$", "")
    return pc.replace_substring_regex(texts, rf"(\.\d{{{digits}}}\d*?)0*$", r"\1")


def _clock(number: int, unit: str, digits: int | None) -> str:
    """Return a number of units, not negative, as 12:34:56.789."""
    seconds, part = divmod(number, _PER_SECOND[unit])
    kept = f"{part:0{_DIGITS[unit]}d}" if _DIGITS[unit] else ""
    least = digits or 0
    kept = kept[:least] + kept[least:].rstrip("0")
    point = "." if kept else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{kept}"


# --- years before 1 and after 9999 -------------------------------------------------------------------------------------


def _is_far(numbers: pa.Array, day: int, *, margin_days: int = 0) -> pa.Array:
    """Whether each of `numbers`, of which `day` make a day, is before the year 1 or after 9999."""
    first, end = (_FIRST_DAY + margin_days) * day, (_END_DAY - margin_days) * day
    if end > 2**63:  # nanoseconds reach from 1677 to 2262
        return pc.and_(pc.is_valid(numbers), truth(False))
    return pc.coalesce(pc.or_(pc.less(numbers, number(first)), pc.greater_equal(numbers, number(end))), truth(False))


def _mended(
    texts: pa.Array, far: pa.Array, numbers: pa.Array, *, unit: str | None, digits: int | None, mark: str = ""
) -> pa.Array:
    """Put in the texts of the times that are far away."""
    if not pc.any(far).as_py():
        return texts
    found = [_far_text(number, unit, digits, mark) for number in numbers.filter(far).to_pylist()]
    return pc.replace_with_mask(texts, far, strings(found))


def _far_text(number: int, unit: str | None, digits: int | None, mark: str) -> str:
    """Return a date (unit None: days since 1970) or a timestamp of any year; years before 1 have BC behind them."""
    per_day = 1 if unit is None else 86_400 * _PER_SECOND[unit]
    days, rest = divmod(number, per_day)
    year, month, day = _civil(days)
    text = f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}"
    if unit is not None:
        text += f" {_clock(rest, unit, digits)}{mark}"
    return text if year > 0 else f"{text} BC"


def _civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a number of days since 1970, in the Gregorian calendar for all time."""
    era, day_of_era = divmod(days + _DAYS_TO_1970, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + 400 * era + (month <= 2), month, day
