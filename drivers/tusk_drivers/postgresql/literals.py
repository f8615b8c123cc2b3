r"""Arrow columns to the text that `COPY ... FROM STDIN (FORMAT csv)` reads.

Most types are written by pyarrow.csv as they are; those which it cannot write, or writes otherwise than PostgreSQL reads,
become text columns here first: bytes, intervals, lists, structs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.postgresql.ddl import is_list
from tusk_jupyter.errors import UsageError


def writable(column: pa.Array, *, name: str) -> pa.Array:
    """Return the column as pyarrow.csv may write it.

    Raises:
        UsageError: a value would lose digits, or is none that PostgreSQL's type can hold.
    """
    type_ = column.type
    if isinstance(type_, pa.BaseExtensionType):
        uuid = type_.extension_name == "arrow.uuid"
        return _texts(column.storage, _uuid_text) if uuid else writable(column.storage, name=name)
    if pa.types.is_dictionary(type_):
        return writable(column.dictionary_decode(), name=name)
    if is_list(type_) or pa.types.is_struct(type_) or pa.types.is_map(type_) or _is_bytes(type_):
        return _texts(_whole_microseconds(column, name), literal)
    if pa.types.is_duration(type_) or type_ == pa.month_day_nano_interval():
        return _texts(_whole_microseconds(column, name), literal)
    if pa.types.is_timestamp(type_) or pa.types.is_time64(type_):
        return pc.cast(_whole_microseconds(column, name), pa.string())
    if pa.types.is_date64(type_):
        return pc.cast(column, pa.date32())
    if pa.types.is_float16(type_):
        return pc.cast(column, pa.float32())
    if pa.types.is_string_view(type_):
        return pc.cast(column, pa.string())
    return column


def literal(value: object) -> str:
    """Return PostgreSQL's text of one value, as its input functions read it."""
    if isinstance(value, list):
        return "{" + ",".join("NULL" if item is None else _element(item) for item in value) + "}"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, pa.MonthDayNano):
        return f"{value.months} mons {value.days} days {_seconds(value.nanoseconds // 1000)}"
    if isinstance(value, timedelta):
        return _seconds(value // timedelta(microseconds=1))
    if isinstance(value, (dict, tuple)):
        return _json(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return str(value)


def _element(item: object) -> str:
    if isinstance(item, list):
        return literal(item)
    return '"' + literal(item).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _seconds(microseconds: int) -> str:
    sign, rest = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    return f"{sign}{rest // 1_000_000}.{rest % 1_000_000:06d} secs"


def _json(value: object) -> str:
    """Return JSON in which decimals keep their digits; a map's pairs become an object."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))}: {_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(literal(value))


def _uuid_text(value: bytes) -> str:
    return value.hex()


def _texts(column: pa.Array, write: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else write(value) for value in column.to_pylist()], pa.string())


def _is_bytes(type_: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(check(type_) for check in checks)


def _whole_microseconds(column: pa.Array, name: str) -> pa.Array:
    """Return nanosecond columns in microseconds, which is all that PostgreSQL keeps."""
    coarser = _in_microseconds(column.type)
    try:
        if pa.types.is_interval(column.type):
            finest = (value.nanoseconds % 1000 for value in column.to_pylist() if value is not None)
            if any(finest):
                raise pa.ArrowInvalid("would lose data")
        return column if coarser == column.type else pc.cast(column, coarser)
    except pa.ArrowInvalid as exc:
        raise UsageError(
            f"The column {name!r} has nanoseconds, and PostgreSQL keeps microseconds.",
            hint=f"Round it first, as `df[{name!r}] = df[{name!r}].dt.round('us')`.",
        ) from exc


def _in_microseconds(type_: pa.DataType) -> pa.DataType:
    if is_list(type_):
        inner = _in_microseconds(type_.value_type)
        return type_ if inner == type_.value_type else pa.large_list(inner)
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", tz=type_.tz)
    if type_ == pa.time64("ns"):
        return pa.time64("us")
    return pa.duration("us") if type_ == pa.duration("ns") else type_
