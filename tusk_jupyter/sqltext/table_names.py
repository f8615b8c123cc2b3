"""A table's name as it is written in SQL, taken apart: `lake."My table"` is `lake` and `My table`."""

from __future__ import annotations

import re

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.dialects import dialect_named

_QUOTED = {
    '"': re.compile(r'"((?:[^"]|"")*)"', re.DOTALL),
    "`": re.compile(r"`((?:[^`]|``)*)`", re.DOTALL),
    "[": re.compile(r"\[([^\]]*)\]()", re.DOTALL),
}
_PLAIN = re.compile(r"[^.\"'`\[\];]+")
_BLANK = re.compile(r"\s*")


def name_parts(text: str, dialect: str) -> tuple[str, ...]:
    """Return the parts of a name, whose quotes are those of the engine and of standard SQL.

    What is not quoted is taken as it is written, in its case and with its blanks inside.

    Raises:
        UsageError: it is no such name.
    """
    rules = dialect_named(dialect)
    quotes = '"' + "`" * rules.backtick_names + "[" * rules.bracket_names
    parts: list[str] = []
    at = 0
    while True:
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr] # matches always
        sign = text[at : at + 1]
        match = (_QUOTED[sign] if sign and sign in quotes else _PLAIN).match(text, at)
        if match is None:
            raise _no_name(text, quotes)
        part = match[1].replace(sign * 2, sign) if sign in quotes else match[0].strip()
        if not part or "\0" in part:
            raise _no_name(text, quotes)
        parts.append(part)
        at = _BLANK.match(text, match.end()).end()  # type: ignore[union-attr] # matches always
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            raise _no_name(text, quotes)
        at += 1


def _no_name(text: str, quotes: str) -> UsageError:
    ways = {'"': '"My table"', "`": "`My table`", "[": "[My table]"}
    return UsageError(
        f"{text!r} is no table's name.",
        hint="Write it as in SQL: a name, or parts with dots between them, each as it is or in quotes: "
        f"{' or '.join(ways[quote] for quote in quotes)}.",
    )
