"""What the grid does with each Arrow type: how it is drawn, and under which type it can be compared."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from tusk_jupyter.client import texts

type_of = pa.types

Kind = Literal["number", "text", "boolean", "time", "binary", "nested"]


def kind_of(kind: pa.DataType) -> Kind:
    """Return how values of a type are drawn and filtered."""
    if type_of.is_integer(kind) or type_of.is_floating(kind) or type_of.is_decimal(kind):
        return "number"
    if type_of.is_boolean(kind):
        return "boolean"
    if is_time(kind):
        return "time"
    if texts.is_bytes(kind):
        return "binary"
    if type_of.is_nested(kind):
        return "nested"
    return "text"


def is_time(kind: pa.DataType) -> bool:
    """Whether a type is a date, a time of day, a timestamp or a duration, which all have an order."""
    return bool(
        type_of.is_date(kind) or type_of.is_timestamp(kind) or type_of.is_time(kind) or type_of.is_duration(kind)
    )


def has_order(kind: pa.DataType) -> bool:
    """Whether values can be compared as they are; others are compared as their text."""
    return not (type_of.is_nested(kind) or type_of.is_interval(kind) or type_of.is_null(kind))


def name_of(kind: pa.DataType) -> str:
    """Return the short name that stands in a column's heading."""
    if type_of.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if type_of.is_timestamp(kind):
        return "timestamp" if kind.tz is None else f"timestamp {kind.tz}"
    for test, name in _NAMES:
        if test(kind):
            return name
    return str(kind)


def normal_type(kind: pa.DataType) -> pa.DataType:
    """Return the plain type in whose place a type is an extension, a dictionary or a view."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string() if kind.extension_name == "arrow.uuid" else normal_type(kind.storage_type)
    if type_of.is_dictionary(kind):
        return normal_type(kind.value_type)
    if type_of.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if type_of.is_binary_view(kind) else kind


def normal(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return a column under `normal_type`."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        plain = normal_type(kind)
        return pa.chunked_array(
            [texts.to_text(chunk) if type_of.is_string(plain) else normal(chunk.storage) for chunk in chunks], plain
        )
    plain = normal_type(kind)
    return column if plain == kind else column.cast(plain)


def ordered(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column so that Arrow can sort and compare it."""
    if type_of.is_float16(column.type):
        return column.cast(pa.float32())
    return column if has_order(column.type) else as_texts(column)


def as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as the texts that people read."""
    return pa.chunked_array([texts.to_text(chunk) for chunk in column.chunks], pa.string())


_NAMES = (
    (lambda kind: type_of.is_string(kind) or type_of.is_large_string(kind), "text"),
    (type_of.is_float64, "double"),
    (texts.is_bytes, "binary"),
    (type_of.is_date, "date"),
    (type_of.is_time, "time"),
    (type_of.is_duration, "duration"),
    (type_of.is_interval, "interval"),
    (lambda kind: type_of.is_list(kind) or type_of.is_large_list(kind), "list"),
    (type_of.is_struct, "struct"),
    (type_of.is_map, "map"),
)
