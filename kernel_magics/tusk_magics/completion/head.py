"""What stands before the SQL of `%sql` and `%%sql`, read while it is typed.

The same things as `tusk_magics.line` reads, but nothing is an error here: an option without its value is what completion
is asked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_magics.options import OPTIONS, Option

_BLANK = re.compile(r"[ \t]*")
_OPTION = re.compile(r"--?[\w-]*")
_ASSIGN = re.compile(r"[^\s<]+\s*<<(?!<)\s*")
_NAME = re.compile(r"[^\s'\"(),;]+(?=\s|\Z)")
_VALUE = re.compile(r"""(?:"[^"\n]*"?|'[^'\n]*'?|[{\[(][^\n]*[}\])]|[^\s"'])*""")
_BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(slots=True)
class Head:
    """What was read."""

    connection: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    """Values by the option's name; the last one of those that were repeated."""
    given: list[str] = field(default_factory=list)
    """What `--param` gave values for."""
    sql_start: int = 0
    """Where the SQL begins."""
    word: tuple[int, str] | None = None
    """The word under the cursor: where it begins, and what of it stands before the cursor."""
    value_of: Option | None = None
    """The option whose value the cursor is in."""


def read_head(text: str, cursor: int) -> Head:
    """Read the text behind a magic's name up to its SQL."""
    head, at = Head(), 0
    line_end = text.find("\n") if "\n" in text else len(text)
    while True:
        at = _BLANK.match(text, at, line_end).end()  # type: ignore[union-attr] # matches always
        if at >= line_end:
            break
        end = _read_word(head, text, at, cursor, line_end)
        if end is None:
            break
        at = end
    is_behind_all = at >= line_end and cursor <= line_end
    if head.word is None and (is_behind_all or (cursor < at and not text[cursor:at].strip(" \t"))):
        head.word = (cursor, "")  # in the blanks before the SQL, too
    head.sql_start = at
    return head


def _read_word(head: Head, text: str, at: int, cursor: int, line_end: int) -> int | None:
    """Read the option, name or assignment at `at` and return the place behind it; None when the SQL begins there."""
    option = _OPTION.match(text, at, line_end)
    if option and (option[0] not in ("-", "--") or option.end() == cursor):
        return _read_option(head, text, option, cursor, line_end)
    assigned = _ASSIGN.match(text, at, line_end)
    if assigned and assigned[0].split("<")[0].strip().casefold() not in STATEMENT_KEYWORDS:
        return assigned.end()
    name = _NAME.match(text, at, line_end)
    if name is None or head.connection is not None or name[0].startswith(("--", "/*", "#")):
        return None
    if at <= cursor <= name.end():
        head.word = (at, text[at:cursor])
    if name[0].casefold() in STATEMENT_KEYWORDS:
        return None
    if head.options.keys() & {"--persist", "--append"} and name[0].casefold() == "as":
        return None
    head.connection = name[0]
    return name.end()


def _read_option(head: Head, text: str, found: re.Match[str], cursor: int, line_end: int) -> int:
    name, end = found[0], found.end()
    if found.start() <= cursor <= end:
        head.word = (found.start(), text[found.start() : cursor])
    option = _BY_NAME.get(name)
    if option is None or option.value is None:
        return end
    start = end + 1 if text[end : end + 1] == "=" else _BLANK.match(text, end, line_end).end()  # type: ignore[union-attr]
    stop = _VALUE.match(text, start, line_end).end()  # type: ignore[union-attr] # matches always
    if start > end and start <= cursor <= stop:
        head.value_of, head.word = option, (start, text[start:cursor])
    head.options[name] = text[start:stop]
    if name == "--param":
        head.given.append(text[start:stop].partition("=")[0])
    return stop
