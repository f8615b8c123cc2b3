"""Stretches of SQL up to a separator, found without a step of Python for each token: for texts of megabytes.

One match runs over all tokens that the lexer's pattern knows. It stops at a separator, and at what needs more than a pattern
(nested comments, dollar quotes, names in brackets that may be none); that is stepped over by hand.
"""

from __future__ import annotations

import functools
import re

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import (
    DOLLAR_QUOTE,
    end_of_dollar_quote,
    end_of_nested,
    pattern_without_groups,
    plain_comments,
    without_bracket_names,
)

_DOLLARS = re.compile(DOLLAR_QUOTE)
_BRACKETS = re.compile(r"\[[^\]]*+(?:\]\][^\]]*+)*+\]")


class Stretches:
    """The stretches of one text, asked for from its begin to its end."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        """Begin."""
        self._text, self._dialect = text, dialect
        self._blanks, self._lead = re.compile(rf"{_blank(dialect)}*+"), _lead(dialect)

    def behind_blanks(self, at: int) -> int:
        """Return where the blanks at a place end."""
        return _matched(self._blanks, self._text, at)

    def behind_lead(self, at: int) -> int:
        """Return where blanks and comments at a place end, but for comments that are nested."""
        return _matched(self._lead, self._text, at)

    def end(self, at: int) -> int:
        """Return where the last token before the next separator, or before the end, ends; one in a body counts."""
        text = self._text
        end = _matched(_run(self._dialect), text, at)
        while True:
            stop = self.behind_blanks(end)
            if stop == len(text) or text[stop] == ";":
                return end
            end = _matched(_run(self._dialect), text, self._behind_special(stop))

    def _behind_special(self, at: int) -> int:
        """Return where a token that the pattern leaves out ends."""
        text = self._text
        if text.startswith("/*", at):
            return end_of_nested(text, at + 2)
        if text[at] == "$" and (tag := _DOLLARS.match(text, at)):
            return end_of_dollar_quote(text, at, tag.end())
        if name := _BRACKETS.match(text, at):
            return name.end()
        self._dialect = without_bracket_names(self._dialect)
        return at + 1


def _matched(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


@functools.lru_cache(maxsize=16)
def _run(dialect: Dialect) -> re.Pattern[str]:
    stops = [
        ";",
        *([r"/\*"] if dialect.nested_comments else []),
        *([DOLLAR_QUOTE] if dialect.dollar_quotes else []),
        *([r"\["] if dialect.mode_bracket_names else []),
    ]
    return re.compile(
        rf"(?:{_blank(dialect)}*+(?!{'|'.join(stops)})(?:{pattern_without_groups(dialect)}))*+", re.VERBOSE | re.DOTALL
    )


def _blank(dialect: Dialect) -> str:
    """Return the pattern of what the lexer leaves out: a no-break space is a letter to PostgreSQL, MySQL and SQLite."""
    if not dialect.names_take_all_unicode:
        return r"\s"
    beyond = "\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000" if dialect.unicode_blanks else ""
    return rf"[\x09-\x0d\x1c-\x20{beyond}]"


@functools.lru_cache(maxsize=16)
def _lead(dialect: Dialect) -> re.Pattern[str]:
    return re.compile(rf"(?:{_blank(dialect)}|{plain_comments(dialect)})*+", re.VERBOSE | re.DOTALL)
