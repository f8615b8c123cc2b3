"""Bound parameters as the query log shows them: short texts, and `***` for what is a secret.

A value is a secret when its name says so, or when it stands where a secret stands in the SQL (`PASSWORD :p`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tusk_jupyter.protocol.values import Value, unpack
from tusk_jupyter.sqltext.hiding import texts_of
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret
from tusk_jupyter.sqltext.secret_shapes import HIDDEN, hide_shapes

LONGEST = 500
"""Characters of a value that the log keeps."""
MOST_ITEMS = 20


def shown(parameters: Mapping[str, Value], secret: set[str]) -> dict[str, str]:
    """Return the values as the log keeps them."""
    return {name: HIDDEN if name in secret else _text(value) for name, value in parameters.items()}


def secret_names(parameters: Mapping[str, Value], placed: set[str]) -> set[str]:
    """Return the names of the parameters whose values are secrets: by name, or `placed` where a secret stands."""
    return placed | {name for name in parameters if is_meant_as_secret(name)}


def texts(parameters: Mapping[str, Value], names: set[str]) -> tuple[str, ...]:
    """Return values that no message may repeat."""
    return tuple(text for name in names for text in texts_of(unpack(parameters[name])))


def _text(value: Value) -> str:
    if value.t == "null":
        return "NULL"
    if value.t == "bool":
        return "true" if value.v else "false"
    if value.t == "list":
        return _list(value.v)
    if value.t == "interval":
        days, seconds, microseconds = value.v
        return f"{days} days {seconds + microseconds / 1e6:g} s"
    return _cut(hide_shapes(_cut(str(value.v))))


def _list(items: list[dict[str, Any]]) -> str:
    texts = [_text(Value(item["t"], item.get("v"))) for item in items[:MOST_ITEMS]]
    more = [f"… {len(items):,} values"] if len(items) > MOST_ITEMS else []
    return _cut(f"[{', '.join([*texts, *more])}]")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
