"""Parameter values on the wire: JSON has no decimal, date, UUID or bytes, so every value carries its type.

A value is `{"t": type, "v": text-or-plain}`; a driver in another language needs only this table.

| t | v | Python |
|---|---|---|
| null | null | None |
| bool | true | bool |
| int | "123" (text: JSON numbers lose digits beyond 2**53) | int, numpy integers |
| float | "0.1", "nan", "-inf" (repr, round-trips) | float, numpy floats |
| str | "text" | str |
| bytes | base64 | bytes, bytearray, memoryview |
| decimal | "1.20" | decimal.Decimal |
| date, time, datetime | ISO 8601 | datetime.*, pandas.Timestamp |
| interval | [days, seconds, microseconds] | datetime.timedelta |
| uuid | text | uuid.UUID |
| list | [values] | list, tuple, numpy arrays |
| json | JSON text | dict |
"""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tusk_jupyter.errors import ProtocolError, UsageError
from tusk_jupyter.protocol.message import Message


class Value(Message, frozen=True):
    """One typed value; see the table above."""

    t: str
    v: Any = None


def pack(value: object) -> Value:
    """Return `value` for the wire.

    Raises:
        UsageError: no SQL parameter can carry a value of that type.
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return Value("null")
    if isinstance(value, bool):
        return Value("bool", value)
    for cls, tag, to_plain in _PACK:
        if isinstance(value, cls):
            try:
                return Value(tag, to_plain(value))
            except RecursionError:
                raise UsageError(
                    f"A parameter cannot be a {type(value).__name__} that is nested so deeply.",
                    hint="Send it as text: `json.dumps(value)`.",
                ) from None
    return _pack_foreign(value)


def _pack_foreign(value: object) -> Value:
    """Numpy scalars and arrays, without importing numpy: both know how to become plain Python."""
    if type(value).__module__.split(".")[0] in ("numpy", "pandas") and hasattr(value, "tolist"):
        return pack(value.tolist())
    raise UsageError(
        f"A parameter cannot be a {type(value).__name__}.",
        hint="Use None, bool, int, float, str, bytes, Decimal, date, time, datetime, timedelta, UUID, list or dict.",
    )


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
    return [{"t": item.t, "v": item.v} for item in map(pack, values)]


# Order matters: datetime is a date.
_PACK: tuple[tuple[Any, str, Any], ...] = (
    (int, "int", str),
    (float, "float", lambda x: repr(float(x))),
    (str, "str", str),
    ((bytes, bytearray, memoryview), "bytes", lambda x: base64.b64encode(bytes(x)).decode("ascii")),
    (Decimal, "decimal", str),
    (datetime, "datetime", lambda x: x.isoformat()),
    (date, "date", lambda x: x.isoformat()),
    (time, "time", lambda x: x.isoformat()),
    (timedelta, "interval", lambda x: [x.days, x.seconds, x.microseconds]),
    (UUID, "uuid", str),
    ((list, tuple), "list", _items),
    (dict, "json", lambda x: json.dumps(x, ensure_ascii=False)),
)
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
    "datetime": datetime.fromisoformat,
    "interval": lambda v: timedelta(days=v[0], seconds=v[1], microseconds=v[2]),
    "uuid": UUID,
    "list": lambda v: [unpack(Value(item["t"], item.get("v"))) for item in v],
    "json": json.loads,
}
