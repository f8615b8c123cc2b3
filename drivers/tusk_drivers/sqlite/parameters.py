"""A statement's values as SQLite binds them.

What it has no type for becomes the text that its functions read, or is refused.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tusk_jupyter import errors
from tusk_jupyter.driverkit.lists import Engine, count_or_value, json_text, replacements
from tusk_jupyter.sqltext.replaced import Replaced, Replacement
from tusk_jupyter.sqltext.statements import Placeholder, Statement
from tusk_jupyter.sqltext.surroundings import Members

_ENGINE = Engine(name="SQLite", nothing=lambda width: f"SELECT {', '.join(['NULL'] * width)} WHERE 0", rows="VALUES {}")
_LARGE = 5_000
"""Members from which on a list goes as one JSON text, since a statement may have 32,766 values."""


def bound(
    statement: Statement, parameters: Mapping[str, object], connection: sqlite3.Connection
) -> tuple[Replaced, dict[str, object]]:
    """Return the text for SQLite with lists taken apart, and the values of its placeholders.

    Raises:
        UsageError: a value is missing, SQLite cannot hold it as it is, or it holds no such list.
    """
    for name in statement.parameters:
        if name not in parameters:
            raise errors.UsageError(f"There is no value for :{name}.", hint=f"Give it with `--param {name}=VALUE`.")
    values: dict[str, object] = {}
    prefix = _unused_prefix(statement)

    def single(place: Placeholder) -> str:
        value = _plain(place.name, parameters[place.name])
        counted = count_or_value(place, value, all_rows=-1)
        own = place.name if counted is value else f"{prefix}{place.start}"
        values[own] = counted
        return f":{own}"

    def member(name: str, number: int, value: object) -> str:
        own = f"{prefix}{name}_{number}"
        values[own] = _plain(name, value)
        return f":{own}"

    def whole(place: Placeholder, members: Members, items: list[object]) -> Replacement | None:
        if len(items) < _LARGE or members.width > 1:
            return None
        text = _json_of([_plain(place.name, item) for item in items], connection)
        if text is None:
            return None
        values[f"{prefix}{place.name}"] = text
        return Replacement(members.open, members.end, f"(SELECT value FROM json_each(:{prefix}{place.name}))")  # noqa: S608 - a name of ours

    found = replacements(statement, parameters, _ENGINE, single=single, member=member, whole=whole)
    text = statement.text
    sent = statement.replaced([one for one in found if text[one.start : one.end] != one.text])
    most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    if len(values) > most:
        raise errors.UsageError(
            f"The statement would have {len(values):,} values, and SQLite takes at most {most:,}.",
            hint="Write the list into a table with `%sql --persist DF`, and say `IN (SELECT ...)`.",
        )
    return sent, values


def without_values(statement: Statement) -> str:
    """Return the statement with NULL in place of each value, for what depends on its columns only."""

    def replacement(place: Placeholder) -> Replacement:
        members = place.around.members
        if members is not None and members.alone:
            return Replacement(members.open, members.end, f"({_ENGINE.nothing(members.width)})")
        return Replacement(place.start, place.end, "NULL")

    return statement.replaced(map(replacement, statement.placeholders)).text


def _unused_prefix(statement: Statement) -> str:
    """Return a beginning that no name of the statement has."""
    prefix = "item_"
    while any(name.startswith(prefix) for name in statement.parameters):
        prefix = f"{prefix}_"
    return prefix


def _json_of(items: list[object], connection: sqlite3.Connection) -> str | None:
    """Return the items as JSON if SQLite reads exactly these from it, else None."""
    try:
        text = json.dumps(items, ensure_ascii=False, allow_nan=False)
        read = [value for (value,) in connection.execute("SELECT value FROM json_each(?)", (text,))]
    except (TypeError, ValueError, sqlite3.Error):
        return None
    return text if read == items else None


def _plain(name: str, value: object) -> object:
    for kind, convert in _CONVERTERS:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, Decimal):
        return _number(name, value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _no_number(name, value)
    if isinstance(value, list | dict):
        return json_text(
            name, value, _ENGINE, lambda item: NotImplemented if isinstance(item, bytes) else _plain(name, item)
        )
    if isinstance(value, float) and math.isnan(value):
        raise errors.UsageError(
            f"The parameter :{name} is NaN, which SQLite does not have.", hint="Pass None for NULL."
        )
    if not isinstance(value, _PLAIN):
        raise errors.UsageError(
            f"The parameter :{name} is a {type(value).__name__}, which SQLite does not have.",
            hint="Pass a number or text.",
        )
    return value


def _number(name: str, value: Decimal) -> int | float:
    """Return the number that SQLite would read from the decimal's digits, if these can be read back from it.

    Raises:
        UsageError: it has more digits than a 64-bit float or integer.
    """
    if value.is_finite():
        if value == value.to_integral_value() and -(2**63) <= value < 2**63:
            return int(value)
        nearest = float(value)
        if math.isfinite(nearest) and Decimal(repr(nearest)) == value:
            return nearest
    elif value.is_infinite():
        return float(value)
    raise _no_number(name, value)


def _no_number(name: str, value: int | Decimal) -> errors.UsageError:
    return errors.UsageError(
        f"The value of :{name}, {value}, is none of SQLite's numbers: they have 64 bits, some 15 digits.",
        hint=f"Pass `float({name})` for the nearest one, or `str({name})` to compare with text.",
    )


_CONVERTERS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (datetime, lambda value: value.isoformat(" ")),  # before date, which it is too
    (date, lambda value: value.isoformat()),
    (time, lambda value: value.isoformat()),
    (UUID, str),
    (bool, int),
)
_PLAIN = (int, float, str, bytes, type(None))
