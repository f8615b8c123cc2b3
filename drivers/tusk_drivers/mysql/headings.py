"""Headings as the user wrote them.

The server names a column after the text of its select item, and the text that it gets has literals where the user wrote
`:password` (`bind`). So `length(:password)` would come back as `length('hunter2')`, and stay in the notebook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tusk_drivers.mysql.types import Column
from tusk_jupyter.sqltext.hiding import redact_text, secrets_of
from tusk_jupyter.sqltext.replaced import Replaced
from tusk_jupyter.sqltext.statements import Statement

_BEYOND_BMP = re.compile(r"[\U00010000-\U0010ffff]")
"""The server's names are utf8mb3: each such character of a statement is a question mark in them."""
_CUT_BYTES = 250
"""A name that is longer may be the beginning of one: they end at 255 bytes, or with the last whole character before."""
_ITEM_BEFORE = re.compile(r"(?:,|\(|\b(?:SELECT|DISTINCT|ALL|RETURNING))\s*\Z", re.IGNORECASE)
"""What stands before a placeholder that is a whole select item."""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    original_start: int
    original_end: int


class Headings:
    """One statement, as it was written and as it was sent."""

    def __init__(self, statement: Statement, sent: Replaced, parameters: Mapping[str, object]) -> None:
        """Note where the literals stand in what was sent."""
        self._statement = statement
        self._parameters = parameters
        self._places = [_Place(*place) for place in sent.places if place[0] < place[1]]
        self._sent = _BEYOND_BMP.sub("?", sent.text)
        self._at = 0

    def restored(self, columns: list[Column]) -> list[Column]:
        """Return columns whose names have the placeholders again; a table's own column keeps its name."""
        if not self._places:
            return columns
        return [column if column.is_stored else replace(column, name=self._heading(column.name)) for column in columns]

    def _heading(self, name: str) -> str:
        """Return the text that is written where the server's name stands in what was sent, or else hide what is secret."""
        for start in (self._at, 0):  # items come in the order of the text, but for those behind a `*`
            for at in self._occurrences(name, start):
                end = at + len(name)
                if any(place.start < end and at < place.end for place in self._places):
                    self._at = end
                    item = self._statement.text[self._original(at) : self._original(end)]
                    is_cut = any(place.start < end < place.end for place in self._places)
                    return _closed(item, self._statement.text[self._original(end) :]) if is_cut else item
                if _is_whole(self._sent, at, end):
                    self._at = end
                    return name
        for found in self._statement.placeholders:  # a literal alone is named by its value
            value = _BEYOND_BMP.sub("?", _text(self._parameters[found.name])).strip()
            if _names(name.strip(), value) and _ITEM_BEFORE.search(self._statement.text[: found.start]):
                return f":{found.name}"
        return redact_text(name, secrets_of(self._statement.text, "mysql", self._parameters))

    def _occurrences(self, name: str, start: int) -> Iterator[int]:
        """Yield where the name stands, but for places inside of a literal."""
        at = self._sent.find(name, start) if name else -1
        while at >= 0:
            around = next((place for place in self._places if place.start < at < place.end), None)
            at_literal = next((place for place in self._places if place.start == at), None)
            if around is None and (at_literal is None or at + len(name) >= at_literal.end):
                yield at
            at = self._sent.find(name, around.end if around else at + 1)

    def _original(self, at: int) -> int:
        """Return the place in the user's text; within a literal (a name that was cut), the end of its placeholder."""
        shift = 0
        for place in self._places:
            if at <= place.start:
                break
            if at < place.end:
                return place.original_end
            shift = place.original_end - place.end
        return at + shift


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def _names(name: str, value: str) -> bool:
    return name == value or (len(name.encode()) > _CUT_BYTES and value.startswith(name))


def _closed(item: str, rest: str) -> str:
    """Return an item that the server cut off, with what closes its parentheses."""
    at, depth = 0, item.count("(") - item.count(")")
    while depth > 0 and at < len(rest):
        depth += {"(": 1, ")": -1}.get(rest[at], 0)
        at += 1
    return item + rest[:at]


def _is_whole(text: str, start: int, end: int) -> bool:
    """Return whether no word goes on at either end."""
    return not (
        (start and re.match(r"\w\w", text[start - 1 : start + 1])) or re.match(r"\w\w", text[end - 1 : end + 1])
    )
