"""The code of a SQL text: its tokens without comments, with each name and word as the engine reads it.

For guards of read-only sessions, which ask two things: which words stand in it, and which functions it calls. Words
inside literals and comments are not code and are not answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens

_ESCAPED = re.compile(r"\\(?:\\|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))")
_PREFIX = re.compile(r"[uU]&")
_CLOSING = {"[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function where it is called."""

    name: str
    """In lower case, without its schema and quotes, Unicode escapes resolved."""
    index: int
    """Of its name among the code's tokens."""


class Code:
    """One text's tokens, comments left out."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        """Read `text` by the rules of `dialect`."""
        self.text = text
        self.tokens: Sequence[Token] = [one for one in tokens(text, dialect) if one.kind is not Kind.COMMENT]

    def written(self, index: int) -> str:
        """Return a token as it stands in the text; "" beyond the last one."""
        if not 0 <= index < len(self.tokens):
            return ""
        token = self.tokens[index]
        return self.text[token.start : token.end]

    def word(self, index: int) -> str:
        """Return a bare word in upper case; "" for everything else."""
        return self.written(index).upper() if self.kind(index) is Kind.WORD else ""

    def kind(self, index: int) -> Kind | None:
        """Return a token's kind, None beyond the last one."""
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else None

    def words(self) -> Iterator[tuple[int, str]]:
        """Yield index and upper-case form of each bare word."""
        for index, token in enumerate(self.tokens):
            if token.kind is Kind.WORD:
                yield index, self.text[token.start : token.end].upper()

    def calls(self) -> Iterator[Call]:
        """Yield what stands before a parenthesis: functions, and keywords that look like them."""
        for index, token in enumerate(self.tokens):
            if token.kind is Kind.OPEN and self.text[token.start] == "(" and index:
                before = self.tokens[index - 1]
                if before.kind in (Kind.WORD, Kind.NAME):
                    yield Call(name=self.name(index - 1), index=index - 1)

    def name(self, index: int) -> str:
        """Return a word or quoted name in lower case, as a server compares it at most."""
        return name_of(self.written(index), self.kind(index))

    def changes_its_escape(self) -> bool:
        """Return whether a `U&"..."` has an escape character of its own, so that its name cannot be read."""
        return any(word == "UESCAPE" and self.kind(index - 1) is Kind.NAME for index, word in self.words())

    def arguments(self, call: Call) -> Iterator[int]:
        """Yield the indices of the tokens between a call's parentheses."""
        depth = 0
        for index in range(call.index + 1, len(self.tokens)):
            kind = self.tokens[index].kind
            depth += (kind is Kind.OPEN) - (kind is Kind.CLOSE)
            if not depth:
                return
            if index > call.index + 1:
                yield index


def name_of(written: str, kind: Kind | None) -> str:
    """Return a token in lower case; a quoted name without its quotes, Unicode escapes resolved."""
    if kind is not Kind.NAME:
        return written.lower()
    escaped = _PREFIX.match(written)
    inner = written[2:] if escaped else written
    sign = _CLOSING.get(inner[0], inner[0])
    inner = inner[1:].removesuffix(sign).replace(sign * 2, sign)
    return (_ESCAPED.sub(_character, inner) if escaped else inner).lower()


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    if not digits:
        return "\\"
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF else ""
