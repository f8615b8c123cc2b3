"""From a query string or a body to a message, checked: a field that the message does not have is refused by name."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.system import typed_json

M = TypeVar("M", bound=Message)

_JUPYTERS_OWN = frozenset({"token", "_xsrf", "no_track_activity"})


def from_body(kind: type[M], body: bytes, fixed: Mapping[str, Any]) -> M:
    """Return the message that a JSON body holds; an empty one holds no fields.

    Args:
        kind: the message's class.
        body: a JSON object.
        fixed: fields that the route gives; a body cannot.

    Raises:
        UsageError: the body is none of that kind; no value of it is in the message.
    """
    try:
        given = typed_json.decode(object, body) if body.strip() else {}
    except msgspec.DecodeError as exc:
        raise UsageError(f"The body is no JSON: {exc}.") from None
    if not isinstance(given, dict):
        raise UsageError("The body is no JSON object.")
    return _checked(kind, given, fixed, strict=True)


def from_query(kind: type[M], arguments: Mapping[str, Sequence[bytes]], fixed: Mapping[str, Any]) -> M:
    """Return the message that a query string holds. Lists and objects are JSON; an empty value is as good as none.

    Raises:
        UsageError: it does not fit; names the field.
    """
    hints = typing.get_type_hints(kind)
    given: dict[str, Any] = {}
    for name, values in arguments.items():
        if name in _JUPYTERS_OWN or (
            name.isdigit() and values[-1] == b""
        ):  # JupyterLab's guard against caches: ?1712345678
            continue
        try:
            text = values[-1].decode()
            given[name] = typed_json.decode(object, text.encode()) if text and _is_json(hints.get(name)) else text
        except ValueError:
            raise UsageError(f"The value of {name!r} is no JSON.") from None
    return _checked(kind, {name: value for name, value in given.items() if value != ""}, fixed, strict=False)


def _is_json(hint: object) -> bool:
    return typing.get_origin(hint) in (tuple, list, dict)


def _checked(kind: type[M], given: Mapping[str, Any], fixed: Mapping[str, Any], *, strict: bool) -> M:
    allowed = [name for name in kind.__struct_fields__ if name not in fixed]
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise UsageError(
            f"Unknown field {', '.join(repr(name[:80]) for name in unknown[:5])}; "
            f"there are: {', '.join(allowed) or 'none'}."
        )
    try:
        message: M = typed_json.convert(kind, {**given, **fixed}, strict=strict)
    except msgspec.ValidationError as exc:
        raise UsageError(f"The request does not fit: {exc}.") from None
    return message
