"""Arrow values as SQL literals, and Arrow types as column types, each exact or refused.

Times with a zone are written as UTC into DATETIME: a TIMESTAMP ends in 2038, and what is read back does not depend on
who reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link

_INTEGERS = {
    pa.int8(): "TINYINT", pa.uint8(): "TINYINT UNSIGNED", pa.int16(): "SMALLINT", pa.uint16(): "SMALLINT UNSIGNED",
    pa.int32(): "INT", pa.uint32(): "INT UNSIGNED", pa.int64(): "BIGINT", pa.uint64(): "BIGINT UNSIGNED",
}  # fmt: skip
_PLAIN: dict[pa.DataType, str] = {
    **_INTEGERS, pa.bool_(): "TINYINT(1)", pa.float16(): "FLOAT", pa.float32(): "FLOAT", pa.float64(): "DOUBLE",
    pa.date32(): "DATE", pa.date64(): "DATE", pa.null(): "TEXT",
}  # fmt: skip
_LONGEST_TIME_US = (838 * 3600 + 59 * 60 + 59) * 1_000_000 + 999_999
_US = 1_000_000


def column_type(field: pa.Field) -> str:
    """Return the type of the column that holds a field exactly.

    Raises:
        UsageError: MySQL has none.
    """
    kind = _plain(field.type)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "LONGTEXT"
    if (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    ):
        return "LONGBLOB"
    if pa.types.is_timestamp(kind):
        return f"DATETIME({_digits(kind)})"
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return f"TIME({_digits(kind)})"
    if pa.types.is_decimal(kind) and kind.precision <= 65 and 0 <= kind.scale <= 30:
        return f"DECIMAL({kind.precision},{kind.scale})"
    raise UsageError(
        f"MySQL has no type for the column {field.name!r} of type {field.type}.",
        hint="Convert it first, as to text: `df[column].astype(str)`.",
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    while True:
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        else:
            return kind


def _digits(kind: pa.DataType) -> int:
    return {"s": 0, "ms": 3, "us": 6, "ns": 6}[kind.unit]


def literal_column(link: Link, column: pa.Array, field: pa.Field) -> list[str]:
    """Return a column's values as SQL literals.

    Raises:
        UsageError: a value that the column's MySQL type cannot hold exactly.
    """
    kind = _plain(column.type)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    column = column.cast(kind) if column.type != kind else column
    try:
        return _literals(link, column, kind)
    except _NotFinite as exc:
        at = f"['{field.name}']"
        raise UsageError(
            f"The column {field.name!r} holds {exc}, which MySQL cannot hold.",
            hint=f"Send NULL in their place: in pandas `df{at} = df{at}.where(np.isfinite(df{at}))`, in polars "
            f"`df.with_columns(pl.when(pl.col('{field.name}').is_finite()).then(pl.col('{field.name}')))`. "
            "Or keep them as text, with `.astype(str)` or `.cast(pl.String)`.",
        ) from None
    except (pa.ArrowInvalid, ValueError) as exc:
        raise UsageError(
            f"The column {field.name!r} holds a value that MySQL cannot hold: {exc}.",
            hint="Change or leave out such values.",
        ) from exc


def _literals(link: Link, column: pa.Array, kind: pa.DataType) -> list[str]:
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_timestamp(kind):
        return _quoted(_datetimes(column, kind))
    if pa.types.is_date(kind):
        return _quoted(_within_years(column.cast(pa.date32())))
    if pa.types.is_time(kind):
        return [_time_of(value) for value in column.cast(pa.time64("us")).cast(pa.int64()).to_pylist()]
    if pa.types.is_duration(kind):
        return [_time_of(value) for value in column.cast(pa.duration("us")).cast(pa.int64()).to_pylist()]
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return [value or "NULL" for value in column.cast(pa.string()).to_pylist()]
    if pa.types.is_null(kind):
        return ["NULL"] * len(column)
    escape: Callable[[object], str] = link.escape
    return ["NULL" if value is None else escape(value) for value in column.to_pylist()]


def _quoted(text: pa.Array) -> list[str]:
    return ["NULL" if value is None else f"'{value}'" for value in text.to_pylist()]


def _datetimes(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """As UTC where there is a zone, which is how Arrow keeps it; nanoseconds only where none is lost."""
    unit = "us" if kind.unit == "ns" else kind.unit
    return _within_years(column.cast(pa.timestamp(kind.unit)).cast(pa.timestamp(unit)))


def _within_years(column: pa.Array) -> pa.Array:
    years = pc.min_max(pc.year(column))
    if years["min"].is_valid and not (years["min"].as_py() >= 0 and years["max"].as_py() <= 9999):
        raise ValueError("a date outside the years 0 to 9999")
    return column.cast(pa.string())


def _time_of(value: int | None) -> str:
    if value is None:
        return "NULL"
    if abs(value) > _LONGEST_TIME_US:
        raise ValueError("a duration beyond 838:59:59")
    seconds, fraction = divmod(abs(value), _US)
    sign = "-" if value < 0 else ""
    return f"'{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}'"


class _NotFinite(ValueError):
    """Floats that are no numbers; its text says how many of which kind."""


def _floats(column: pa.Array) -> list[str]:
    if not pc.all(pc.is_finite(column)).as_py() and column.null_count < len(column):
        column = column.cast(pa.float64())
        found = {"NaN": pc.sum(pc.is_nan(column)).as_py(), "infinity": pc.sum(pc.is_inf(column)).as_py()}
        words = " and ".join(f"{count:,} x {what}" for what, count in found.items() if count)
        raise _NotFinite(f"{words} (in {len(column):,} rows looked at)")
    return [
        "NULL" if value is None else f"{value!r}e0" if "e" not in repr(value) else repr(value)
        for value in column.to_pylist()
    ]
