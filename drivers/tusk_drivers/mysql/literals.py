"""Arrow values as SQL literals, and Arrow types as column types, each exact or refused.

Times with a zone are written as UTC into DATETIME: a TIMESTAMP ends in 2038, and what is read back does not depend on
who reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from tusk_jupyter.driverkit.upload_columns import (
    JSON,
    UNITS,
    UUID,
    check_finite,
    check_whole,
    check_years,
    extension,
    is_bytes,
    is_text,
    plain_type,
    refused,
)
from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link

ENGINE = "MySQL"
_PLAIN: dict[pa.DataType, str] = {
    pa.int8(): "TINYINT", pa.uint8(): "TINYINT UNSIGNED", pa.int16(): "SMALLINT", pa.uint16(): "SMALLINT UNSIGNED",
    pa.int32(): "INT", pa.uint32(): "INT UNSIGNED", pa.int64(): "BIGINT", pa.uint64(): "BIGINT UNSIGNED",
    pa.bool_(): "TINYINT(1)", pa.float32(): "FLOAT", pa.float64(): "DOUBLE", pa.date32(): "DATE", pa.null(): "TEXT",
}  # fmt: skip
_LONGEST_TIME_US = (838 * 3600 + 59 * 60 + 59) * 1_000_000 + 999_999
_US = 1_000_000


def column_type(field: pa.Field) -> str:
    """Return the type of the column that holds a field of a plain type exactly.

    Raises:
        UsageError: MySQL has none.
    """
    kind = field.type
    if extension(kind) in (JSON, UUID):
        return "JSON" if extension(kind) == JSON else "CHAR(36)"
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_text(kind):
        return "LONGTEXT"
    if is_bytes(kind):
        return "LONGBLOB"
    if pa.types.is_timestamp(kind):
        return f"DATETIME({_digits(kind)})"
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return f"TIME({_digits(kind)})"
    if pa.types.is_decimal(kind) and kind.precision <= 65 and 0 <= kind.scale <= 30:
        return f"DECIMAL({kind.precision},{kind.scale})"
    raise UsageError(
        f"MySQL has no type for the column {field.name!r} of type {field.type}.",
        hint="Convert it first, as to text: `df[column].astype('string')`; lists and dicts to JSON: "
        "`df[column].map(json.dumps, na_action='ignore')`.",
    )


def zone_notes(schema: pa.Schema) -> tuple[str, ...]:
    """Return what is told of columns with a zone, which DATETIME has not."""
    kinds = [(field.name, plain_type(field.type)) for field in schema]
    zoned = [name for name, kind in kinds if pa.types.is_timestamp(kind) and kind.tz is not None]
    return tuple(f"Column {name!r} has a time zone, and a DATETIME has none: it holds UTC." for name in zoned)


def _digits(kind: pa.DataType) -> int:
    return {"s": 0, "ms": 3, "us": 6, "ns": 6}[kind.unit]


def literal_column(link: Link, column: pa.Array, field: pa.Field) -> list[str]:
    """Return a column's values as SQL literals.

    Raises:
        UsageError: a value that the column's MySQL type cannot hold exactly.
    """
    name, kind = field.name, column.type
    if pa.types.is_boolean(kind):
        return _plain(column.cast(pa.int8()), str)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _plain(_moments(column, name), "'{}'".format)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        check_whole(column, name, ENGINE)
        parts = UNITS[kind.unit]
        whole = column.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        return _plain(whole, lambda value: _time_of(value * _US // parts, name))
    if pa.types.is_floating(kind):
        check_finite(column, name, ENGINE)
        return _plain(column, lambda value: f"{value!r}e0" if "e" not in repr(value) else repr(value))
    if pa.types.is_decimal(kind):
        return _plain(column, "{:f}".format)  # an exponent would make a DOUBLE of it
    if pa.types.is_integer(kind):
        return _plain(column, str)
    if extension(kind):
        column = (
            column.storage
            if extension(kind) == JSON
            else pa.array([str(one) if one else None for one in column.to_pylist()])
        )
    return _plain(column, link.escape)


def _plain(column: pa.Array, write: Callable[..., str]) -> list[str]:
    return ["NULL" if value is None else write(value) for value in column.to_pylist()]


def _moments(column: pa.Array, name: str) -> pa.Array:
    """As UTC where there is a zone, which is how Arrow keeps it; nanoseconds only where none is lost."""
    check_years(column, name, ENGINE, low=1, high=9999)
    kind = column.type
    if pa.types.is_timestamp(kind):
        check_whole(column, name, ENGINE)
        column = column.cast(pa.timestamp(kind.unit)).cast(pa.timestamp("us" if kind.unit == "ns" else kind.unit))
    return column.cast(pa.large_string())


def _time_of(value: int, name: str) -> str:
    if abs(value) > _LONGEST_TIME_US:
        raise refused(
            name, "a duration beyond 838:59:59", ENGINE, way="Change or leave out such values, or send seconds."
        )
    seconds, fraction = divmod(abs(value), _US)
    sign = "-" if value < 0 else ""
    return f"'{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}'"
