"""Parameters as literals, written by PyMySQL's own escaping for the session's character set and sql_mode.

MySQL's text protocol has no parameters, so every client writes literals; the placeholder's place comes from the
splitter, and `%` in the text means nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pymysql

from tusk_jupyter.driverkit.lists import Engine, count_or_value, json_text, replacements
from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link
    from tusk_jupyter.sqltext.replaced import Replaced
    from tusk_jupyter.sqltext.statements import Placeholder, Statement

_TIMESTAMPS = (dt.datetime(1970, 1, 2), dt.datetime(2038, 1, 18))
"""What CONVERT_TZ converts; outside it returns its argument unchanged, so it is not asked."""
_LONGEST_TIME = dt.timedelta(hours=838, minutes=59, seconds=59, microseconds=999_999)
_DIGITS_OF_A_WORD, _WORDS = 9, 9
"""How the server keeps a decimal literal: what is more than nine words of nine digits becomes another number."""
_ENGINE = Engine(name="MySQL", nothing=lambda width: f"SELECT {', '.join(['NULL'] * width)} FROM DUAL WHERE FALSE")  # noqa: S608 - NULLs only
_ALL_ROWS = 2**64 - 1
"""The largest LIMIT, as the manual has it for all rows."""
_LOOK_BACK = 200
_ADDS_TO = re.compile(r"([\w$]+|[)'\"`])\s*[+-](?:\s|/\*(?:(?!\*/).)*\*/)*\Z", re.DOTALL)
"""What is before a value that is added to something, or subtracted."""
_IS_ADDED = re.compile(r"\s*\+")
_NO_OPERANDS = re.compile(
    r"AND|BETWEEN|BY|CASE|DISTINCT|ELSE|HAVING|IN|LIKE|LIMIT|NOT|ON|OR|RETURN|SELECT|SET|THEN|VALUES|WHEN|WHERE|XOR",
    re.IGNORECASE,
)
_SELECTS = re.compile(r"\b(?:SELECT|VALUES|TABLE\s+\w+\s*\Z)", re.IGNORECASE)
"""In CREATE TABLE: it fills the table from a query."""


def written(
    link: Link, statement: Statement, parameters: Mapping[str, object], beside: Mapping[str, object]
) -> Replaced:
    """Return the statement with its values as SQL literals, those that go beside the text as question marks.

    Raises:
        UsageError: a value is missing, or MySQL has no literal for it.
    """
    missing = [name for name in statement.parameters if name not in parameters]
    if missing:
        given = ", ".join(sorted(parameters)) or "none"
        raise UsageError(
            f"The statement names the parameter :{missing[0]}, which has no value; given: {given}.",
            hint=f"Give it with `--param {missing[0]}=VALUE`, or as a variable of the notebook.",
        )
    literals: dict[str, str] = {}

    def single(place: Placeholder) -> str:
        if place.name in beside:
            return "?"
        value = parameters[place.name]
        counted = count_or_value(place, value, all_rows=_ALL_ROWS)
        if counted is not value:
            return str(counted)
        if isinstance(value, dt.timedelta) and (interval := _interval(statement.text, place, value)):
            return interval
        if place.name not in literals:
            literals[place.name] = _literal(link, place.name, value)
        return literals[place.name]

    def member(name: str, _number: int, value: object) -> str:
        return _literal(link, name, value)

    return statement.replaced(replacements(statement, parameters, _ENGINE, single=single, member=member))


def beside_the_text(statement: Statement, parameters: Mapping[str, object]) -> dict[str, str | bytes | int]:
    """Return the secrets that the server gets beside the statement: it names a new table's columns after its text.

    Raises:
        UsageError: the statement keeps its text (a view), or a value has no form of its own on the wire.
    """
    secret = {name: parameters.get(name) for name in statement.parameters if is_meant_as_secret(name)}
    if secret and statement.command == "CREATE VIEW":
        raise UsageError(
            f"A view keeps its text, with the value of :{next(iter(secret))} in it, for everybody who may read it.",
            hint="Write the condition where the view is read, or give the parameter a name that is no secret's.",
        )
    if statement.command != "CREATE TABLE" or not _SELECTS.search(statement.text):
        return {}
    found: dict[str, str | bytes | int] = {}
    for name, value in secret.items():
        match value:
            case bool() | None:
                continue
            case str() | bytes():
                found[name] = value
            case int() if -(2**63) <= value < 2**63:
                found[name] = value
            case _:
                raise UsageError(
                    f"The value of :{name} would be in the names of the new table's columns.",
                    hint=f"Give it as a text: `str({name})`.",
                )
    return found


def _literal(link: Link, name: str, value: object) -> str:
    if isinstance(value, list):
        value = json_text(name, value, _ENGINE, _in_json)
    try:
        text = _escaped(link, value)
        text.encode(link.encoding)
    except (pymysql.err.ProgrammingError, UnicodeEncodeError, TypeError) as exc:
        raise UsageError(f"The parameter :{name} cannot be sent to MySQL: {exc}.") from exc
    except UsageError as exc:
        raise UsageError(f"The parameter :{name} cannot be sent to MySQL: {exc.message}", hint=exc.hint) from exc
    return text


def _escaped(link: Link, value: object) -> str:
    match value:
        case dict():
            return link.escape(json.dumps(value, ensure_ascii=False))
        case UUID():
            return link.escape(str(value))
        case bytes() | bytearray() | memoryview():
            return f"_binary X'{bytes(value).hex()}'"
        case int() | Decimal() if not _is_kept(value):
            raise UsageError(
                f"{value} has more digits than its numbers keep.",
                hint="Pass `float(value)` for the nearest one, or `str(value)` to compare with text.",
            )
        case float() | Decimal() if not math.isfinite(value):
            raise UsageError(f"MySQL has no number that is {value}.", hint="Pass None for NULL.")
        case dt.datetime() if value.tzinfo is not None:
            return _moment(link, value)
        case dt.datetime():
            return f"TIMESTAMP{link.escape(value)}"
        case dt.date():
            return f"DATE{link.escape(value)}"
        case dt.time() if value.tzinfo is not None:
            raise UsageError("MySQL has no time of day with a zone.", hint="Give it without: `t.replace(tzinfo=None)`.")
        case dt.timedelta() if abs(value) > _LONGEST_TIME:
            raise UsageError(
                f"MySQL's TIME ends at 838:59:59, before {value}.",
                hint="Pass seconds and compute with them, as in `x + INTERVAL :seconds SECOND`.",
            )
        case dt.time() | dt.timedelta():
            return f"TIME{link.escape(value)}"
        case _:
            return link.escape(value)


def _is_kept(value: int | Decimal) -> bool:
    """Return whether the server keeps all digits of a number's literal."""
    _, digits, exponent = Decimal(value).as_tuple()
    if not isinstance(exponent, int):  # NaN and the infinities have a letter here
        return True
    parts = max(len(digits) + exponent, 1), max(-exponent, 0)
    return sum(-(-part // _DIGITS_OF_A_WORD) for part in parts) <= _WORDS


def _interval(text: str, place: Placeholder, value: dt.timedelta) -> str | None:
    """Return a length that is added to a moment or taken from one: a TIME there is the number of its digits."""
    before = _ADDS_TO.search(text, max(0, place.start - _LOOK_BACK), place.start)
    if (before and not _NO_OPERANDS.fullmatch(before[1])) or _IS_ADDED.match(text, place.end):
        return f"INTERVAL {value // dt.timedelta(microseconds=1)} MICROSECOND"
    return None


def _in_json(value: object) -> object:
    """Return what JSON has for an item of a list, as for one in a dict."""
    match value:
        case dt.date() | dt.time():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return NotImplemented


def _moment(link: Link, value: dt.datetime) -> str:
    """A point in time, as the session's own local time: what a TIMESTAMP column is compared with and filled from."""
    try:
        utc = value.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:  # in UTC it is outside of the years 1 to 9999
        utc = value.replace(tzinfo=None)
    if not _TIMESTAMPS[0] <= utc <= _TIMESTAMPS[1]:
        raise UsageError(
            f"MySQL converts time zones only from {_TIMESTAMPS[0].date()} to {_TIMESTAMPS[1].date()}.",
            hint="Give the date and time without a zone.",
        )
    return f"CONVERT_TZ(TIMESTAMP{link.escape(utc)}, '+00:00', @@session.time_zone)"
