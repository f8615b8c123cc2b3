"""A statement as a list of strings, for passes over megabytes: each is a token with the blanks behind it.

The lexer's own pattern finds them without a step of Python for each, which is four times as fast as tokens with their
places. What is wanted of a text with nested comments, dollar quotes or DELIMITER lines goes through the lexer, since no pattern
finds their ends.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind, pattern_without_groups, tokens
from tusk_jupyter.sqltext.statements import cut
from tusk_jupyter.sqltext.stretches import Stretches

_DOLLAR = re.compile(r"\$[^\s$\d]*\$")
_DELIMITER = re.compile(r"(?im)^\s*delimiter\b")
_DELIMITER_LINE = re.compile(r"(?im)^[^\S\n]*delimiter[^\S\n]+(\S+)[^\n]*$")


def statements(text: str, dialect: Dialect, wanted: Callable[[str], bool | str]) -> Iterator[str | list[str]]:
    """Yield the text in pieces: as it is where a statement has nothing of what is wanted, else its lexemes.

    Together the pieces are the text, but for statements in whose place `wanted` returned another text. A statement ends with
    its separator; inside of routines there are more of them.
    """
    if dialect.delimiter_lines and _DELIMITER.search(text):
        yield from _by_delimiters(text, dialect, wanted)
        return
    if _needs_lexer(text, dialect):
        yield from _by_stretches(text, dialect, wanted)
        return
    coarse, fine = _patterns(dialect)
    at = 0
    for match in coarse.finditer(text):
        if found := wanted(match[0]):
            start, end = match.span()
            yield text[at:start]
            yield found if isinstance(found, str) else fine.findall(text, start, end)
            at = end
    yield text[at:]


def _needs_lexer(text: str, dialect: Dialect) -> bool:
    return bool(
        (dialect.nested_comments and "/*" in text)
        or (dialect.dollar_quotes and "$" in text and _DOLLAR.search(text))
        or (
            dialect.mode_bracket_names and "[" in text
        )  # the pattern would look for the end of each to the end of the text
    )


def _by_delimiters(text: str, dialect: Dialect, wanted: Callable[[str], bool | str]) -> Iterator[str | list[str]]:
    """As `statements`; all that stands under another delimiter than the semicolon is read, its DELIMITER lines too."""
    kept = done = 0
    delimiter = ";"
    ends = ((one.start, one.start + len(one.text)) for one in cut(text, dialect.name))
    for start, end in (*ends, (len(text), len(text))):
        for line in _DELIMITER_LINE.finditer(text, done, start):
            if delimiter == ";" != line[1]:
                yield text[kept:done]
                kept = done
            elif delimiter != ";" == line[1]:
                yield from _by_lexer(text[kept : line.end()], dialect)
                kept = done = line.end()
            delimiter = line[1]
        if delimiter == ";" and (found := wanted(text[done:end])):
            yield text[kept:done]
            yield from [found] if isinstance(found, str) else _by_lexer(text[done:end], dialect)
            kept = end
        done = end
    yield from [text[kept:]] if delimiter == ";" else _by_lexer(text[kept:], dialect)


def _by_stretches(text: str, dialect: Dialect, wanted: Callable[[str], bool | str]) -> Iterator[str | list[str]]:
    stretches, begin, done = Stretches(text, dialect), 0, 0
    while begin < len(text):
        end = stretches.behind_blanks(stretches.end(begin)) + 1
        if found := wanted(text[begin:end]):
            yield text[done:begin]
            yield from [found] if isinstance(found, str) else _by_lexer(text[begin:end], dialect)
            done = end
        begin = end
    yield text[done:]


def _by_lexer(text: str, dialect: Dialect) -> Iterator[list[str]]:
    found = tokens(text, dialect)
    part: list[str] = [text[: found[0].start]] if found else [text]
    for token, end in zip(found, [*(one.start for one in found[1:]), len(text)], strict=True):
        part.append(text[token.start : end])
        if token.kind in (Kind.SEPARATOR, Kind.DIRECTIVE):
            yield part
            part = []
    yield part


@functools.lru_cache(maxsize=16)
def _patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str]]:
    token = pattern_without_groups(dialect)
    coarse = re.compile(rf"(?:(?!;)(?:{token}|\s))++;?|;", re.VERBOSE | re.DOTALL)
    return coarse, re.compile(rf"(?:{token})\s*+|\s++", re.VERBOSE | re.DOTALL)
