"""Conditions on columns: what the user wrote is read as a value of the column's own type, so 10 is above 9.

An integer column compared with 3.5 is compared exactly, a decimal column as decimals, a timestamp without a zone is
meant in the zone of its column. Rows that are NULL fulfil no condition but "is null", as in SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.errors import UsageError
from tusk_widgets.grid_types import as_texts, has_order, name_of, ordered

type_of = pa.types

Operator = Literal["contains", "not contains", "=", "!=", "<", "<=", ">", ">=", "is null", "is not null", "in"]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition.

    Attributes:
        column: its place.
        op: the comparison.
        values: what to compare with, as text; None among those of "in" stands for NULL.
    """

    column: int
    op: Operator
    values: tuple[str | None, ...] = ()


def mask(column: pa.ChunkedArray, condition: Filter) -> pa.ChunkedArray:
    """Return for each row whether it fulfils a condition; never NULL.

    Raises:
        UsageError: what was written is no value of the column's type.
    """
    if condition.op == "is null":
        return pc.is_null(column)
    if condition.op == "is not null":
        return pc.is_valid(column)
    if condition.op == "in":
        return _among(column, condition.values)
    text = condition.values[0] if condition.values else None
    if text is None:
        raise UsageError(f"The condition {condition.op!r} has no value.", hint="Write one, or remove the condition.")
    if condition.op in ("contains", "not contains"):
        found = pc.match_substring(_texts(column), text, ignore_case=True)
        return pc.fill_null(found if condition.op == "contains" else pc.invert(found), False)
    return pc.fill_null(_compared(column, condition.op, text), False)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_text = type_of.is_string(column.type) or type_of.is_large_string(column.type)
    return column if is_text else as_texts(column)


def _compared(column: pa.ChunkedArray, op: str, text: str) -> pa.ChunkedArray:
    kind = column.type
    if type_of.is_integer(kind) or type_of.is_decimal(kind):
        return _exactly(column, op, _number(text, kind))
    try:
        value = parse(text, kind)
        return _COMPARE[op](ordered(column), value)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise UsageError(f"{text!r} cannot be compared with a {name_of(kind)}: {exc}.") from exc


def _exactly(column: pa.ChunkedArray, op: str, value: Decimal | float) -> pa.ChunkedArray:
    """Compare integers or decimals with any number.

    What lies between two values of the type moves to the next one; what is out of its reach is above or below all.
    """
    valid = pc.is_valid(column)
    nothing = pc.and_(valid, False)
    if isinstance(value, float) and math.isnan(value):
        return valid if op == "!=" else nothing
    scale = column.type.scale if type_of.is_decimal(column.type) else 0
    steps = value if isinstance(value, float) else Fraction(value) * Fraction(10) ** scale
    least, most = _reach(column.type)
    if not least <= steps <= most:
        is_fulfilled = op in (("<", "<=", "!=") if steps > most else (">", ">=", "!="))
        return valid if is_fulfilled else nothing
    step = math.ceil(steps) if op in ("<", ">=") else math.floor(steps)
    if op in ("=", "!=") and step != steps:
        return valid if op == "!=" else nothing
    return _COMPARE[op](column, _scalar(step, column.type))


def _reach(kind: pa.DataType) -> tuple[int, int]:
    """Return the least and the greatest value, in steps of a decimal's last digit."""
    if type_of.is_decimal(kind):
        return 1 - 10**kind.precision, 10**kind.precision - 1
    bits = kind.bit_width
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if type_of.is_signed_integer(kind) else (0, 2**bits - 1)


def _scalar(step: int, kind: pa.DataType) -> pa.Scalar:
    if not type_of.is_decimal(kind):
        return pa.scalar(step, kind)
    digits = tuple(int(digit) for digit in str(abs(step)))
    return pa.scalar(Decimal((int(step < 0), digits, -kind.scale)), kind)


def _among(column: pa.ChunkedArray, values: tuple[str | None, ...]) -> pa.ChunkedArray:
    kind = column.type
    given = [text for text in values if text is not None]
    whole = column if has_order(kind) and not type_of.is_float16(kind) else ordered(column)
    chosen = [parse(text, whole.type) for text in given]
    wanted = (
        pa.array([value.as_py() for value in chosen], whole.type) if _is_safe(whole.type) else _joined(chosen, whole)
    )
    found = pc.is_in(whole, value_set=wanted, skip_nulls=True)
    return pc.or_(found, pc.is_null(column)) if None in values else found


def _is_safe(kind: pa.DataType) -> bool:
    """Whether Python holds every value of a type."""
    return bool(type_of.is_integer(kind) or type_of.is_string(kind) or type_of.is_large_string(kind))


def _joined(values: list[pa.Scalar], like: pa.ChunkedArray) -> pa.Array:
    parts = [pa.nulls(0, like.type), *(pa.repeat(value.cast(like.type), 1) for value in values)]
    return pa.concat_arrays(parts)


def parse(text: str, kind: pa.DataType) -> pa.Scalar:
    """Return what was written as a value that a column of that type can be compared with.

    Raises:
        UsageError: it is none.
    """
    for test, read in _READERS:
        if test(kind):
            try:
                return read(text.strip(), kind)
            except (ValueError, InvalidOperation, OverflowError, pa.ArrowInvalid) as exc:
                raise _no(text, kind) from exc
    return pa.scalar(text, kind if type_of.is_large_string(kind) else pa.string())


def _no(text: str, kind: pa.DataType) -> UsageError:
    example = next(example for test, example in _EXAMPLES if test(kind))
    return UsageError(f"{text!r} is no value of the type {name_of(kind)}.", hint=f"Write it as {example}.")


_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([,_ '\u00a0\u2009\u202f])\d{3})(?:\1\d{3})*(?:\.\d+)?")
"""A number as the grid shows it, or as one copies it: with a sign between its thousands."""


def _ungrouped(text: str) -> str:
    """Return a number without the signs between its thousands."""
    written = text.strip()
    return re.sub(r"[^\d.+-]", "", written) if _GROUPED.fullmatch(written) else written


def _number(text: str, kind: pa.DataType) -> Decimal | float:
    """Read a number; infinite ones and NaN are floats.

    Raises:
        UsageError: it is none.
    """
    try:
        value = Decimal(_ungrouped(text))
    except InvalidOperation as exc:
        raise _no(text, kind) from exc
    return value if value.is_finite() else float(value)


def _whole(text: str, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(int(_ungrouped(text)), kind)


def _decimal(text: str, kind: pa.DataType) -> pa.Scalar:
    value = Decimal(_ungrouped(text))
    if not value.is_finite():
        raise ValueError(text)
    return pa.scalar(value, kind)


_OFFSET = re.compile(r"(?<=:\d\d)(?:\.\d+)?(Z|([+-])(\d\d)(?::?(\d\d))?(?::(\d\d))?)$")


def _timestamp(text: str, kind: pa.DataType) -> pa.Scalar:
    """Read ISO 8601 or what the grid shows; without an offset in the column's zone."""
    written = text.replace("T", " ").replace("t", " ").replace("z", "Z")
    offset = _OFFSET.search(written)
    plain = pa.scalar(written[: offset.start(1)] if offset else written).cast(pa.timestamp(kind.unit))
    if kind.tz is None:
        if offset:
            raise ValueError(text)
        return plain
    if offset is None:
        return pc.assume_timezone(plain, kind.tz, ambiguous="earliest", nonexistent="earliest")
    per_second = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[kind.unit]
    instant = plain.cast(pa.int64()).as_py() - _seconds(offset) * per_second
    return pa.scalar(instant, pa.int64()).cast(kind)


def _seconds(offset: re.Match[str]) -> int:
    """Return an offset's seconds; old local times have some, as +00:53:28."""
    sign, hours, minutes, seconds = offset.groups()[1:]
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -total if sign == "-" else total


def _date(text: str, _: pa.DataType) -> pa.Scalar:
    return pa.scalar(text).cast(pa.date32())


_CLOCK = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")


def _clock(text: str, kind: pa.DataType) -> pa.Scalar:
    """Read hours, minutes and seconds as a number of the type's units."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, hours, minutes, seconds, part = match.groups()
    nanoseconds = (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * 10**9 + int((part or "0").ljust(9, "0"))
    per_unit = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[kind.unit]
    count = (-nanoseconds if sign else nanoseconds) // per_unit
    return pa.scalar(count, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)


def _boolean(text: str, _: pa.DataType) -> pa.Scalar:
    words = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return pa.scalar(words[text.lower()])


def _bytes(text: str, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(bytes.fromhex(re.sub(r"^(\\x|0x)", "", text, flags=re.IGNORECASE)), kind)


def _is_clock(kind: pa.DataType) -> bool:
    return bool(type_of.is_time(kind) or type_of.is_duration(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    from tusk_jupyter.client import texts

    return texts.is_bytes(kind)


_READERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[str, pa.DataType], pa.Scalar]], ...] = (
    (type_of.is_integer, _whole),
    (type_of.is_floating, lambda text, kind: pa.scalar(float(text), kind)),
    (type_of.is_decimal, _decimal),
    (type_of.is_timestamp, _timestamp),
    (type_of.is_date, _date),
    (_is_clock, _clock),
    (type_of.is_boolean, _boolean),
    (_is_bytes, _bytes),
)
_EXAMPLES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (type_of.is_timestamp, "2013-01-31 15:04:05"),
    (type_of.is_date, "2013-01-31"),
    (_is_clock, "15:04:05"),
    (type_of.is_boolean, "true or false"),
    (_is_bytes, "hexadecimal digits: deadbeef"),
    (lambda kind: True, "12.5"),
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
