"""Values that a server quotes from a column, as of a unique key that is taken: hidden where the column is a secret's.

The value may come from anywhere (another table, a trigger, a file), so it is known by the name that stands beside it. SQLite
names the column only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from tusk_jupyter.sqltext.secret_names import is_secret_parameter

_HIDDEN = "***"
_NAME = r"[`\"']?([\w.$` -]{1,200})[`\"']?"


def _keys(match: re.Match[str]) -> str:
    """PostgreSQL: `Key (name, password)=(ann, x) already exists.`; of several columns no comma tells them apart."""
    before, names, between, after = match[1], match[2], match[3], match[5]
    return f"{before}{names}{between}{_HIDDEN}{after}" if _has_secret(names) else match[0]


def _duplicate(match: re.Match[str]) -> str:
    """MySQL, MariaDB: `Duplicate entry 'ann-x' for key 'users.password'`, `Incorrect integer value: 'x' for column ...`."""
    return f"{match[1]}{_HIDDEN}{match[3]}" if _is_secret(match[4]) else match[0]


def _pairs(match: re.Match[str]) -> str:
    """DuckDB: `Duplicate key "name: ann, password: x" violates unique constraint`."""
    pairs = re.split(r"(, (?=[\w$ ]{1,128}: ))", match[2])
    return match[1] + "".join(_pair(pair) for pair in pairs) + match[3]


def _pair(pair: str) -> str:
    name, colon, _ = pair.partition(": ")
    return f"{name}{colon}{_HIDDEN}" if colon and _is_secret(name) else pair


def _line(match: re.Match[str]) -> str:
    """PostgreSQL's context: `COPY users, line 1, column password: "x"`."""
    return f"{match[1]}{_HIDDEN}" if _is_secret(match[2]) else match[0]


def _cast(match: re.Match[str]) -> str:
    """DuckDB: `Could not convert string 'x' to INT32 when casting from source column password`."""
    return f"{hide_every_value(match[1])}{match[2]}" if _is_secret(match[3]) else match[0]


_IN_KEY = re.compile(
    r"(\()([^()\n]{1,2000}(?:\([^()\n]{0,400}\)[^()\n]{0,400}){0,9})(\)=\()(.{0,8000}?)"
    r"(\)(?= (?:already|is |conflicts|with ))|\)\.?\Z|\Z)",
    re.DOTALL,
)
_FOR_KEY = re.compile(rf"(')([^\n]{{0,8000}}?)(' for (?:key|column) {_NAME})")
_OF_KEY = re.compile(r"([Kk]ey \")(.{0,8000}?)(\"(?= (?:violates|already|does not|is ))|\Z)", re.DOTALL)
_IN_COLUMN = re.compile(r"(, column ([^:\n]{1,128}): ).{1,8000}", re.DOTALL)
_CAST = re.compile(r"\A(.{1,20000}?)( when casting from source column (\S{1,200}))", re.DOTALL)
_KIND_BEFORE = re.compile(
    r"\b(?:column|table|constraint|relation|index|type|schema|database|function|view|sequence|expression|for key) \Z"
)
_LONGEST_KIND = 16
_OPENING = re.compile(r"(?<!\w)['\"]")
_NAME_BEHIND = re.compile(r"(['\"])([^'\"\n]{0,200})\1")
_NUMBER = re.compile(r"(\bvalue )([-+]?[\d.][\w.+-]*)")
_ROW = re.compile(r"(row contains \().*(\))", re.DOTALL)
_FORMS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (")=(", _IN_KEY, _keys),
    ("' for ", _FOR_KEY, _duplicate),
    ('ey "', _OF_KEY, _pairs),
    (", column ", _IN_COLUMN, _line),
    (" casting from source column ", _CAST, _cast),
)
"""A text without which a form is not there, its pattern, and what is put in its place."""


def hide_quoted_values(text: str) -> str:
    """Return a message without the values of secret columns."""
    for sign, pattern, put in _FORMS:
        if sign in text:
            text = pattern.sub(put, text)
    return text


def hide_every_value(text: str, known: Collection[str] = ()) -> str:
    """Return a message about a row that holds a secret, without any value that it quotes, nor a number.

    Args:
        text: the message.
        known: names of columns and tables, which may be quoted too.
    """
    text = _ROW.sub(rf"\1{_HIDDEN}\2", _NUMBER.sub(rf"\1{_HIDDEN}", text))
    parts, done = [], 0
    for match in _OPENING.finditer(text):
        if match.start() < done:
            continue
        name = _NAME_BEHIND.match(text, match.start())
        before = text[max(0, match.start() - _LONGEST_KIND) : match.start()]
        if name and (name[2] in known or _KIND_BEFORE.search(before)):
            parts.append(text[done : name.end()])
            done = name.end()
            continue
        end = text.rfind(match[0])
        end = len(text) if end <= match.start() else end
        parts.append(f"{text[done : match.end()]}{_HIDDEN}")
        done = end
    return "".join([*parts, text[done:]])


def _has_secret(names: str) -> bool:
    return any(_is_secret(name) for name in re.findall(r"[\w$]+|\"[^\"]+\"", names))


def _is_secret(name: str) -> bool:
    """Return whether a column, or a key that is named after one, is a secret's; before the last dot stands a table."""
    return is_secret_parameter(name.replace("`", "").rpartition(".")[2].strip("\"' "))
