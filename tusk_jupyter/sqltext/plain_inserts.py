"""INSERTs of plain literals, of which a script has thousands: what is a secret in one row is one in each that is written alike.

A row is read by all rules once for each of its forms, as a statement of its own; rows of a known form are only looked up. A row
whose literals could mean something to a rule, by a word or a sign in them, is read by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tusk_jupyter.sqltext.literals import unquoted

_LITERAL = r"'(?:[^'\\]|'')*+'"
_VALUE = rf"(?:{_LITERAL}|-?\d++(?:\.\d++)?|[A-Za-z_]++)"
_ROW = rf"\(\s*+{_VALUE}\s*+(?:,\s*+{_VALUE}\s*+)*+\)"
_HEAD = re.compile(r"\s*+(?:INSERT|REPLACE)\b[\w\s.,()\"`]*?\bVALUES\s*+(?=\()", re.IGNORECASE)
_ROWS = re.compile(rf"{_ROW}\s*+(?:,\s*+{_ROW}\s*+)*+(?=;?\s*+\Z)")
_EACH_ROW = re.compile(_ROW)
_EACH_VALUE = re.compile(_VALUE)
_ALONE = re.compile(r"[^%{\\\"]*+")
"""Literals with other signs may be templates, JSON, or quoted once more."""
_NAMES = ("pin", "otp", "pat", "conn", "cred", "losenord", "adgangskode", "salasana", "haslo")
"""Names of secrets have one of these in them or a hint, where they are written in ASCII."""
_MOST_BY_THEMSELVES = 50
"""Rows of a statement that are read by themselves: each takes the time of ten in the statement."""
_LONG = 100
"""Characters of a literal that is none of the words that rules know; `lexed` looks at 130."""


class Read(NamedTuple):
    """A text without its secrets, and these, unquoted."""

    text: str
    secrets: tuple[str, ...]


class PlainInserts:
    """The forms of rows met so far in one text."""

    def __init__(self, read: Callable[[str], Read], has_hint: Callable[[str], bool]) -> None:
        """Take what reads a statement by all rules, and what says whether it is worth it."""
        self._read, self._has_hint = read, has_hint
        self._secret: dict[tuple[str, str], tuple[int, ...] | None] = {}
        """Which of a row's values are secrets, by the text before the rows and the row's form; None where nobody can say."""

    def read(self, statement: str) -> Read | None:
        """Return an INSERT of plain literals without its secrets, or None for any other statement, and where in doubt."""
        head = _HEAD.match(statement)
        if head is None or "'" in head[0]:
            return None
        rows = _ROWS.match(statement, head.end())
        if rows is None:
            return None
        parts, secrets, done, left = [], list[str](), 0, _MOST_BY_THEMSELVES
        for row in _EACH_ROW.finditer(statement, head.end(), rows.end()):
            telling = self._is_telling(row[0])
            left -= telling
            found = None if left < 0 else self._by_itself(head[0], row[0]) if telling else self._of_row(head[0], row[0])
            if found is None:
                return None
            if found.text != row[0]:
                parts += [statement[done : row.start()], found.text]
                secrets += found.secrets
                done = row.end()
        return Read("".join([*parts, statement[done:]]), tuple(secrets))

    def _of_row(self, head: str, row: str) -> Read | None:
        values = _EACH_VALUE.findall(row)
        form = ",".join(map(_form, values))
        known = (head, form)
        if known not in self._secret:
            self._secret[known] = self._places(head, row, values)
        places = self._secret[known]
        if places is None:
            return None
        return _hidden(row, places) if places else Read(row, ())

    def _is_telling(self, row: str) -> bool:
        lower = row.lower()
        return (
            not row.isascii()
            or _ALONE.fullmatch(row) is None
            or any(name in lower for name in _NAMES)
            or self._has_hint(row)
        )

    def _by_itself(self, head: str, row: str) -> Read | None:
        found = self._read(head + row)
        return Read(found.text[len(head) :], found.secrets) if found.text.startswith(head) else None

    def _places(self, head: str, row: str, values: list[str]) -> tuple[int, ...] | None:
        found = self._by_itself(head, row)
        if found is None:
            return None
        shown = _EACH_VALUE.findall(found.text) if _EACH_ROW.fullmatch(found.text) else []
        if len(shown) != len(values):
            return None
        places = tuple(n for n, (value, now) in enumerate(zip(values, shown, strict=True)) if value != now)
        return places if _hidden(row, places) == found else None


def _form(value: str) -> str:
    if value[0] == "'":
        return "''" if value == "''" else "'long'" if len(value) > _LONG else "'"
    return "0" if value[0] in "-0123456789" else value


def _hidden(row: str, places: tuple[int, ...]) -> Read:
    parts, secrets, done = [], list[str](), 0
    for number, value in enumerate(_EACH_VALUE.finditer(row)):
        if number in places:
            parts += [row[done : value.start()], "'***'"]
            secrets.append(unquoted(value[0]))
            done = value.end()
    return Read("".join([*parts, row[done:]]), tuple(secrets))
