"""Templates whose line endings stay as they are: Jinja makes one kind of all of them, also within the literals of the SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2.lexer import TOKEN_STRING, Lexer

_CRLF, _CR = "\x1c", "\x1d"
"""Stand in front of a line feed for what was there. Both count as blanks, which `{%-` takes away along with the line."""


class WholeLinesLexer(Lexer):
    """Jinja's lexer, except that each text comes with the line endings it has; all three kinds count as lines."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """Yield line, token and text."""
        if "\r" not in source:
            yield from super().tokeniter(source, name, filename, state)
            return
        length = max(_longest(mark, source) for mark in (_CRLF, _CR)) + 1
        marks = {"\r\n": _CRLF * length + "\n", "\r": _CR * length + "\n"}
        endings = {mark: ending for ending, mark in marks.items()}
        marked = re.compile("|".join(map(re.escape, endings)))
        text = re.sub(r"\r\n?", lambda found: marks[found[0]], source)
        for line, token, part in super().tokeniter(text, name, filename, state):
            whole = marked.sub(lambda found: endings[found[0]], part)
            yield line, token, _joined(whole) if token == TOKEN_STRING else whole

    def _normalize_newlines(self, value: str) -> str:
        return value


def _longest(mark: str, text: str) -> int:
    return max(map(len, re.findall(f"{mark}+", text)), default=0)


def _joined(literal: str) -> str:
    """Take out the line endings behind a backslash, as Python does, which knows the line feed alone there."""
    return re.sub(r"\\(?:(\r\n?)|.)", lambda found: "" if found[1] else found[0], literal, flags=re.DOTALL)
