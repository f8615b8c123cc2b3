"""Arrow values as the text in which a database prints them.

Arrow's own casts print most of them right, and quickly; what they do not is mended here: decimals in exponent form,
fractions of a second padded with zeros, years before 1 and after 9999 (which Arrow misprints), whole floats that look
like integers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

type_of = pa.types
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_DAYS_TO_1970 = 719_468  # from 0000-03-01, where the years of the algorithm below begin


def to_text(array: pa.Array, *, digits: int | None = None) -> pa.Array:
    """Return an array as strings; NULL stays NULL.

    Args:
        array: values of any type.
        digits: digits after a second's point; None: as many as the value needs.
    """
    if isinstance(array.type, pa.BaseExtensionType):
        return _extension(array)
    if type_of.is_dictionary(array.type):
        return to_text(array.cast(array.type.value_type))
    if type_of.is_timestamp(array.type) or type_of.is_date(array.type):
        return _moments(array, digits)
    if type_of.is_time(array.type):
        return _fraction(array.cast(pa.string()), digits)
    if type_of.is_duration(array.type):
        return _durations(array, digits)
    for test, convert in _CONVERTERS:
        if test(array.type):
            return convert(array)
    return array.cast(pa.string())


def _replaced(texts: pa.Array, odd: pa.Array, values: list[str]) -> pa.Array:
    """Put `values` where `odd` is true."""
    return pc.replace_with_mask(texts, pc.fill_null(odd, False), pa.array(values, pa.string()))


# --- numbers
# -------------------------------------------------------------------------------------------------------------


def _decimals(array: pa.Array) -> pa.Array:
    texts = array.cast(pa.string())
    odd = pc.match_substring(texts, "E")
    if not pc.any(odd).as_py():
        return texts
    return _replaced(texts, odd, [format(Decimal(text), "f") for text in texts.filter(odd).to_pylist()])


_WORDS = {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _floats(array: pa.Array) -> pa.Array:
    """Shortest text that reads back as the same number."""
    if type_of.is_float16(array.type):
        array = array.cast(pa.float32())
    texts = array.cast(pa.string())
    whole = pc.match_substring_regex(texts, r"^-?\d+$")
    texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    odd = pc.match_substring_regex(texts, "^-?[ni]")
    if not pc.any(odd).as_py():
        return texts
    return _replaced(texts, odd, [_WORDS[text] for text in texts.filter(odd).to_pylist()])


# --- time
# ----------------------------------------------------------------------------------------------------------------


def _moments(array: pa.Array, digits: int | None) -> pa.Array:
    """Dates and timestamps; those with a time zone are printed in UTC, with +00 behind."""
    kind = array.type
    if type_of.is_date64(kind):
        array, kind = array.cast(pa.date32()), pa.date32()
    zone = type_of.is_timestamp(kind) and kind.tz is not None
    if zone:
        array = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.int64()).cast(pa.timestamp(kind.unit))
    numbers = array.cast(pa.int32() if type_of.is_date(kind) else pa.int64())
    day = 1 if type_of.is_date(kind) else 86_400 * _PER_SECOND[kind.unit]
    odd = _is_far(numbers, day)
    texts = array.cast(pa.string())
    if not type_of.is_date(kind):
        texts = _fraction(texts, digits)
    if pc.any(odd).as_py():
        unit = None if type_of.is_date(kind) else kind.unit
        texts = _replaced(texts, odd, [far_moment(number, unit, digits) for number in numbers.filter(odd).to_pylist()])
    if not zone:
        return texts
    bc = pc.match_substring_regex(texts, " BC$")
    plain = pc.binary_join_element_wise(texts, "+00", "")
    return pc.if_else(bc, pc.replace_substring_regex(texts, " BC$", "+00 BC"), plain)


def _is_far(numbers: pa.Array, day: int) -> pa.Array:
    """Whether each of `numbers`, of which `day` make a day, is before the year 1 or after 9999."""
    first, end = -719_162 * day, 2_932_897 * day
    if end > 2**63:  # nanoseconds reach from 1677 to 2262
        return pa.array([False]).take(pa.nulls(len(numbers), pa.int8()))
    return pc.or_(pc.less(numbers, first), pc.greater_equal(numbers, end))


def _fraction(texts: pa.Array, digits: int | None) -> pa.Array:
    """Cut the zeros off a second's fraction, or bring it to a number of digits."""
    if digits is None:
        return pc.replace_substring_regex(texts, r"\.?0*$", "") if _has_point(texts) else texts
    if not digits:
        return pc.replace_substring_regex(texts, r"\.\d*$", "")
    return pc.replace_substring_regex(texts, rf"(\.\d{{{digits}}})\d*$", r"\1")


def _has_point(texts: pa.Array) -> bool:
    """All texts of one type have a fraction or none has."""
    return bool(pc.any(pc.match_substring(texts, ".")).as_py())


def far_moment(number: int, unit: str | None, digits: int | None) -> str:
    """Return a date (unit None: days since 1970) or a timestamp of any year; years before 1 have BC behind them."""
    per_day = 1 if unit is None else 86_400 * _PER_SECOND[unit]
    days, rest = divmod(number, per_day)
    year, month, day = _civil(days)
    text = f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}"
    if unit is not None:
        text += f" {_clock(rest, unit, digits)}"
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


def _durations(array: pa.Array, digits: int | None) -> pa.Array:
    """Hours, minutes and seconds, as MySQL prints TIME: -838:59:59."""
    unit = array.type.unit
    numbers = array.cast(pa.int64()).to_pylist()
    return pa.array([None if n is None else _clock(abs(n), unit, digits, "-" * (n < 0)) for n in numbers], pa.string())


def _clock(number: int, unit: str, digits: int | None, sign: str = "") -> str:
    """Return a number of units, not negative, as 12:34:56.789."""
    seconds, part = divmod(number, _PER_SECOND[unit])
    point = f".{part:0{_DIGITS[unit]}d}" if _DIGITS[unit] else ""
    point = point.rstrip("0").rstrip(".") if digits is None else point[: digits + 1 if digits else 0]
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}"


def _scaled(number: int, digits: int) -> str:
    text = f"{Decimal(number).scaleb(-digits):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _intervals(array: pa.Array) -> pa.Array:
    """ISO 8601: months, days and seconds apart, as a database keeps them."""
    values = array.to_pylist()
    return pa.array([None if v is None else f"P{v[0]}M{v[1]}DT{_scaled(v[2], 9)}S" for v in values], pa.string())


# --- the rest
# ------------------------------------------------------------------------------------------------------------


def _bytes(array: pa.Array) -> pa.Array:
    """Hexadecimal, as PostgreSQL prints bytea."""
    return pa.array([None if v is None else f"\\x{v.hex()}" for v in array.to_pylist()], pa.string())


def _nested(array: pa.Array) -> pa.Array:
    """JSON; what JSON has no form for stands as the text that it has alone."""
    values = array.to_pylist()
    texts = [None if v is None else json.dumps(_plain(v), ensure_ascii=False, default=_alone) for v in values]
    return pa.array(texts, pa.string())


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """Maps come as lists of pairs and stay so; numbers that JSON has not become words."""
    if isinstance(value, float) and value - value != 0:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _alone(value: Any) -> Any:  # noqa: ANN401 - any Python value that Arrow makes
    if isinstance(value, timedelta):
        return to_text(pa.array([value], pa.duration("us")))[0].as_py()
    return to_text(pa.array([value]))[0].as_py()


def _extension(array: pa.Array) -> pa.Array:
    if array.type.extension_name == "arrow.uuid":
        values = array.storage.to_pylist()
        return pa.array([None if v is None else str(uuid.UUID(bytes=v)) for v in values], pa.string())
    return to_text(array.storage)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a type holds bytes."""
    return bool(
        type_of.is_binary(kind)
        or type_of.is_large_binary(kind)
        or type_of.is_fixed_size_binary(kind)
        or type_of.is_binary_view(kind)
    )


_CONVERTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (type_of.is_decimal, _decimals),
    (type_of.is_floating, _floats),
    (type_of.is_interval, _intervals),
    (is_bytes, _bytes),
    (type_of.is_nested, _nested),
)
"""What Arrow's cast to string does not print as it should."""
