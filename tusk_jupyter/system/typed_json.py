"""JSON and plain values as instances of classes, from any thread.

msgspec reads a class's annotations when it first meets the class. Two threads that do so at once crash the process: one in
a hundred cores died so at its first `connection.save`, whose five drivers' manifests are read side by side (msgspec 0.22).
So a class is met under a lock here, and all reading of typed values goes through this module.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

TOO_DEEP = "it is nested too deeply"

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_meeting = threading.Lock()


def decode(kind: type[T], body: bytes) -> T:
    """Return JSON as an instance of `kind`.

    Raises:
        msgspec.DecodeError: it is no JSON, or (ValidationError) not of that kind.
    """
    try:
        value: T = _decoder(kind).decode(body)
    except RecursionError as exc:
        raise msgspec.DecodeError(TOO_DEEP) from exc
    return value


def convert(kind: Any, value: object, *, strict: bool = True) -> Any:  # noqa: ANN401  # unions are no types to a type checker
    """Return plain values (dicts, lists, texts, numbers) as an instance of `kind`, which may be a union.

    Args:
        kind: a class or a union of classes.
        value: what to convert.
        strict: whether texts stay texts where a number is wanted.

    Raises:
        msgspec.ValidationError: they are not of that kind.
    """
    _decoder(kind)
    try:
        return msgspec.convert(value, kind, strict=strict)
    except RecursionError as exc:
        raise msgspec.ValidationError(TOO_DEEP) from exc


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401  # as above
    known = _decoders.get(kind)
    if known is None:
        with _meeting:
            known = _decoders[kind] = _decoders.get(kind) or msgspec.json.Decoder(kind)
    return known
