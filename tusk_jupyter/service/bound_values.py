"""Bound parameters as the query log shows them: short texts, and `***` for what is a secret.

A value is a secret when its name says so, or when it stands where a secret stands in the SQL (`PASSWORD :p`): the same
nets as for literals, asked with a mark in the placeholder's place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tusk_jupyter.protocol.values import Value
from tusk_jupyter.sqltext.redaction import secrets_in
from tusk_jupyter.sqltext.secret_shapes import HIDDEN, KEY_WORDS, hide_shapes
from tusk_jupyter.sqltext.statements import split

LONGEST = 500
"""Characters of a value that the log keeps."""
MOST_ITEMS = 20
_SECRET_NAME = re.compile(rf"{KEY_WORDS}|(?:^|_)(?:secret|token|credentials?|pin)s?(?:$|_)", re.IGNORECASE)
_MARK = "tuskmark{}end"


def shown(parameters: Mapping[str, Value], secret: set[str]) -> dict[str, str]:
    """Return the values as the log keeps them."""
    return {name: HIDDEN if name in secret else _text(value) for name, value in parameters.items()}


def secret_names(sql: str, parameters: Mapping[str, Value], dialect: str) -> set[str]:
    """Return the names of the parameters whose values are secrets."""
    if not parameters:
        return set()
    found = {name for name in parameters if _SECRET_NAME.search(name)}
    places = {name: _MARK.format(number) for number, name in enumerate(parameters)}
    for statement in split(sql, dialect):
        if statement.parameters:
            marked = statement.bind(lambda name, _: f"'{places.get(name, '')}'")
            secrets = " ".join(secrets_in(marked, dialect))
            found |= {name for name, mark in places.items() if mark in secrets}
    return found


def texts_of(parameters: Mapping[str, Value], names: set[str]) -> tuple[str, ...]:
    """Return values that an error message must not repeat."""
    return tuple(str(parameters[name].v) for name in names if parameters[name].v not in (None, ""))


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
