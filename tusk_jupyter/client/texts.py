"""Arrow values as the text in which a database prints them.

Arrow's own casts print most of them right, and quickly; what they do not is mended here: decimals in exponent form,
fractions of a second padded with zeros, years before 1 and after 9999 (which Arrow misprints), whole floats that look
like integers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client import moments
from tusk_jupyter.client.nested_texts import nested
from tusk_jupyter.client.plain_arrays import strings, truth

type_of = pa.types


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
    if type_of.is_date(array.type):
        return moments.dates(array)
    for test, print_time in _TIMES:
        if test(array.type):
            return print_time(array, digits)
    for test, convert in _CONVERTERS:
        if test(array.type):
            return convert(array)
    return array.cast(pa.string())


def _replaced(texts: pa.Array, odd: pa.Array, values: list[str]) -> pa.Array:
    """Put `values` where `odd` is true."""
    return pc.replace_with_mask(texts, pc.coalesce(odd, truth(False)), strings(values))


# --- numbers -----------------------------------------------------------------------------------------------------------


def _decimals(array: pa.Array) -> pa.Array:
    texts = array.cast(pa.string())
    odd = pc.match_substring(texts, "E")
    if not pc.any(odd).as_py():
        return texts
    return _replaced(texts, odd, [format(Decimal(text), "f") for text in texts.filter(odd).to_pylist()])


def _floats(array: pa.Array) -> pa.Array:
    """Shortest text that reads back as the same number, as Python and SQLite's driver have it."""
    if type_of.is_float64(array.type):
        return strings([None if value is None else _float(value) for value in array.to_pylist()])
    texts = array.cast(pa.float32()).cast(pa.string()).to_pylist()  # Arrow knows the shortest for 32 bits
    return strings([None if text is None else _float(text) for text in texts])


def _float(value: float | str) -> str:
    text = repr(value) if isinstance(value, float) else value
    text = f"{text}.0" if text.lstrip("-").isdecimal() else text
    return _WORDS.get(text, text)


_WORDS = {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


# --- the rest ----------------------------------------------------------------------------------------------------------


def _seconds(nanoseconds: int) -> str:
    text = f"{Decimal(nanoseconds).scaleb(-9):.9f}"
    return text.rstrip("0").rstrip(".")


def _intervals(array: pa.Array) -> pa.Array:
    """ISO 8601: months, days and seconds apart, as a database keeps them."""
    values = array.to_pylist()
    return strings([None if v is None else f"P{v[0]}M{v[1]}DT{_seconds(v[2])}S" for v in values])


def interval_words(value: tuple[int, int, int] | None) -> str | None:
    """Return months, days and nanoseconds as PostgreSQL's client would: `1 year 3 days 04:05:06`."""
    if value is None:
        return None
    months, days, nanoseconds = value
    years, months = (abs(months) // 12 * (1 if months > 0 else -1), abs(months) % 12 * (1 if months > 0 else -1))
    parts = [(years, "year"), (months, "month"), (days, "day")]
    words = [f"{count} {word}{'' if abs(count) == 1 else 's'}" for count, word in parts if count]
    if nanoseconds or not words:
        seconds, rest = divmod(abs(nanoseconds), 10**9)
        fraction = f".{rest:09d}".rstrip("0") if rest else ""
        sign = "-" if nanoseconds < 0 else ""
        words.append(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}")
    return " ".join(words)


def _bytes(array: pa.Array) -> pa.Array:
    """Hexadecimal, as PostgreSQL prints bytea."""
    return strings([None if v is None else f"\\x{v.hex()}" for v in array.to_pylist()])


def _nested(array: pa.Array) -> pa.Array:
    return nested(array, to_text)


def _extension(array: pa.Array) -> pa.Array:
    if array.type.extension_name == "arrow.uuid":
        values = array.storage.to_pylist()
        return strings([None if v is None else str(uuid.UUID(bytes=v)) for v in values])
    return to_text(array.storage)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a type holds bytes."""
    return bool(
        type_of.is_binary(kind)
        or type_of.is_large_binary(kind)
        or type_of.is_fixed_size_binary(kind)
        or type_of.is_binary_view(kind)
    )


_TIMES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array, int | None], pa.Array]], ...] = (
    (type_of.is_timestamp, moments.timestamps),
    (type_of.is_time, moments.times),
    (type_of.is_duration, moments.durations),
)
_CONVERTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (type_of.is_decimal, _decimals),
    (type_of.is_floating, _floats),
    (type_of.is_interval, _intervals),
    (is_bytes, _bytes),
    (type_of.is_nested, _nested),
)
"""What Arrow's cast to string does not print as it should."""
