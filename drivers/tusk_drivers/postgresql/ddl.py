"""Arrow types to PostgreSQL's, for tables made from data."""

from __future__ import annotations

import pyarrow as pa

from tusk_jupyter.errors import UsageError

_BY_ID = {
    pa.types.is_null: "text",
    pa.types.is_boolean: "boolean",
    pa.types.is_int8: "smallint",
    pa.types.is_int16: "smallint",
    pa.types.is_uint8: "smallint",
    pa.types.is_int32: "integer",
    pa.types.is_uint16: "integer",
    pa.types.is_int64: "bigint",
    pa.types.is_uint32: "bigint",
    pa.types.is_uint64: "numeric(20)",
    pa.types.is_float16: "real",
    pa.types.is_float32: "real",
    pa.types.is_float64: "double precision",
    pa.types.is_date: "date",
    pa.types.is_time: "time",
    pa.types.is_duration: "interval",
    pa.types.is_string: "text",
    pa.types.is_large_string: "text",
    pa.types.is_string_view: "text",
    pa.types.is_binary: "bytea",
    pa.types.is_large_binary: "bytea",
    pa.types.is_fixed_size_binary: "bytea",
    pa.types.is_binary_view: "bytea",
    pa.types.is_struct: "jsonb",
    pa.types.is_map: "jsonb",
}

LISTS = (
    pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view, pa.types.is_large_list_view,
)  # fmt: skip


def is_list(type_: pa.DataType) -> bool:
    """Return whether it is any of Arrow's list types."""
    return any(check(type_) for check in LISTS)


def column_type(type_: pa.DataType, *, column: str) -> str:
    """Return the type for a column of Arrow's `type_`.

    Raises:
        UsageError: PostgreSQL has none that keeps its values.
    """
    if isinstance(type_, pa.BaseExtensionType):
        return "uuid" if type_.extension_name == "arrow.uuid" else column_type(type_.storage_type, column=column)
    if pa.types.is_dictionary(type_):
        return column_type(type_.value_type, column=column)
    if pa.types.is_decimal(type_):
        return f"numeric({max(type_.precision, type_.scale)},{max(type_.scale, 0)})"
    if pa.types.is_timestamp(type_):
        return "timestamptz" if type_.tz else "timestamp"
    if is_list(type_):
        inner = column_type(type_.value_type, column=column)
        return inner if inner.endswith("[]") else f"{inner}[]"
    if type_ == pa.month_day_nano_interval():
        return "interval"
    for check, name in _BY_ID.items():
        if check(type_):
            return name
    raise UsageError(f"The column {column!r} has the Arrow type {type_}, for which PostgreSQL has no column type.")
