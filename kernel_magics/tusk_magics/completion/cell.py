"""Where in a cell the cursor is: in SQL, on a magic's line, or in Python, which is none of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CELL = re.compile(r"(?:\s*%%(?:time|timeit|capture|prun)(?![\w-])[^\n]*\n)*\s*%%sql(?=\s|\Z)")
"""Also behind IPython's magics whose cell may hold another one, as in `cells/magic.ts`."""
_LINE = re.compile(r"[ \t]*+(?:[\w.,*\[\] \t'\"]++=[ \t]*+)?(?:%time(?:it)?[ \t][^%\n]*)?%(sql|tusk)(?=\s|\Z)")
"""A line magic, what Python assigns it to, and one that measures it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The text behind a magic's name, and the cursor in it."""

    magic: str
    """sql | tusk."""
    text: str
    """To the end of the cell, or of the line."""
    cursor: int
    start: int
    """Where `text` begins in the cell."""
    is_cell: bool


def place_at(cell: str, cursor: int) -> Place | None:
    """Return where the cursor is; None in Python, and on the magic's name itself."""
    whole = _CELL.match(cell)
    if whole is not None:
        start = whole.end()
        return Place("sql", cell[start:], cursor - start, start, True) if cursor > start else None
    begin = _line_start(cell, cursor)
    match = _LINE.match(cell, begin)
    if match is None or cursor <= match.end():
        return None
    end = cell.find("\n", cursor)
    text = cell[match.end() : end if end >= 0 else len(cell)]
    return Place(match[1], text, cursor - match.end(), match.end(), False)


def _line_start(cell: str, cursor: int) -> int:
    """Return where the line of the cursor begins; a line that ends with a backslash goes on in the next one."""
    begin = cell.rfind("\n", 0, cursor) + 1
    while begin > 1 and cell[begin - 2] == "\\":
        begin = cell.rfind("\n", 0, begin - 1) + 1
    return begin
