"""Parameter values on the wire: JSON has no decimal, date, UUID or bytes, so every value carries its type.

What of Python's values becomes which is `python_values`' to say. A value is `{"t": type, "v": text-or-plain}`; a driver
in another language needs only this table.

| t | v | Python |
|---|---|---|
| null | null | None |
| bool | true | bool |
| int | "123" (text: JSON numbers lose digits beyond 2**53) | int, numpy integers |
| float | "0.1", "nan", "-inf" (repr, round-trips) | float, numpy floats |
| str | "text" | str |
| bytes | base64 | bytes, bytearray, memoryview |
| decimal | "1.20" | decimal.Decimal |
| date, time, datetime | ISO 8601, a datetime with up to nine digits of a second | datetime.*, Timestamp, datetime64 |
| interval | [days, seconds, microseconds] | datetime.timedelta, Timedelta, timedelta64 |
| uuid | text | uuid.UUID |
| list | [values] | list, tuple, set, range, arrays and columns of numpy, pandas, polars, pyarrow |
| json | JSON text | dict |
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tusk_jupyter.errors import ProtocolError, UsageError
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.python_values import NanoDatetime, json_text, plain, read_datetime


class Value(Message, frozen=True):
    """One typed value; see the table above."""

    t: str
    v: Any = None


def pack(value: object) -> Value:
    """Return `value` for the wire.

    Raises:
        UsageError: no SQL parameter can carry a value of that type, or exactly that value.
    """
    try:
        return _packed(plain(value))
    except RecursionError:
        raise UsageError(
            f"A parameter cannot be a {type(value).__name__} that is nested so deeply.",
            hint="Send it as text: `json.dumps(value)`.",
        ) from None


def _packed(value: object) -> Value:
    if value is None:
        return Value("null")
    if isinstance(value, dict):
        return Value("json", json_text(value))
    tag, to_wire = _PACK[type(value)]
    return Value(tag, to_wire(value))


def unpack(value: Value) -> object:
    """Return the Python object for a wire value.

    Raises:
        ProtocolError: the type is unknown or the text does not fit it.
    """
    try:
        return _UNPACK[value.t](value.v)
    except KeyError:
        raise ProtocolError(f"Unknown parameter type {value.t!r}; known: {', '.join(_UNPACK)}.") from None
    except (TypeError, ValueError, ArithmeticError, RecursionError) as exc:
        raise ProtocolError(f"A parameter of type {value.t!r} could not be read: {exc}") from exc


def _items(values: list[Any]) -> list[dict[str, Any]]:
    return [{"t": item.t, "v": item.v} for item in map(_packed, values)]


def _iso(value: date | time) -> str:
    return value.isoformat()


_PACK: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bool: ("bool", bool),
    int: ("int", str),
    float: ("float", repr),
    str: ("str", str),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode("ascii")),
    Decimal: ("decimal", str),
    datetime: ("datetime", _iso),
    NanoDatetime: ("datetime", _iso),
    date: ("date", _iso),
    time: ("time", _iso),
    timedelta: ("interval", lambda value: [value.days, value.seconds, value.microseconds]),
    UUID: ("uuid", str),
    list: ("list", _items),
}
"""By the types that `plain` returns."""
_UNPACK: dict[str, Any] = {
    "null": lambda _: None,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": lambda v: base64.b64decode(v, validate=True),
    "decimal": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": read_datetime,
    "interval": lambda v: timedelta(days=v[0], seconds=v[1], microseconds=v[2]),
    "uuid": UUID,
    "list": lambda v: [unpack(Value(item["t"], item.get("v"))) for item in v],
    "json": json.loads,
}
