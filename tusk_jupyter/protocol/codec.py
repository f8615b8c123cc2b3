"""Messages to JSON bytes and back, checked against their annotations.

JSON rather than a binary form because a driver may be written in any language; the bodies are small (the data travels as
Arrow record batches beside them). Fields that a newer peer added are ignored, fields that are missing take their default.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tusk_jupyter.errors import ProtocolError
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import typed_json

T = TypeVar("T")


def encode(message: object) -> bytes:
    """Return `message` (of ours, or plain JSON values) as JSON bytes.

    Raises:
        ProtocolError: something in it is nested too deeply.
    """
    try:
        return msgspec.json.encode(message)
    except RecursionError as exc:
        raise ProtocolError(f"A {type(message).__name__} message could not be written: {typed_json.TOO_DEEP}.") from exc


def decode(kind: type[T], body: bytes) -> T:
    """Return `body` as an instance of `kind`.

    Raises:
        ProtocolError: the body is no JSON, or not of that kind.
    """
    try:
        return typed_json.decode(kind, body)
    except msgspec.DecodeError as exc:  # ValidationError is one
        raise ProtocolError(
            f"A {kind.__name__} message of protocol version {PROTOCOL_VERSION} could not be read: {exc}"
        ) from exc
