"""Arrow types to PostgreSQL's, for tables made from data."""

from __future__ import annotations

import pyarrow as pa

from tusk_jupyter.driverkit.upload_columns import JSON, UUID, extension, is_bytes, is_list, is_text
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
    pa.types.is_float32: "real",
    pa.types.is_float64: "double precision",
    pa.types.is_date: "date",
    pa.types.is_time: "time",
    pa.types.is_duration: "interval",
    is_text: "text",
    is_bytes: "bytea",
    pa.types.is_struct: "jsonb",
    pa.types.is_map: "jsonb",
}


def column_type(type_: pa.DataType, *, column: str) -> str:
    """Return the type for a column of one of the plain Arrow types.

    Raises:
        UsageError: PostgreSQL has none that keeps its values.
    """
    if extension(type_) in (JSON, UUID):
        return "json" if extension(type_) == JSON else "uuid"
    if pa.types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})"
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
