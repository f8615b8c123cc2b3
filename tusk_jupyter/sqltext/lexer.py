"""SQL text to tokens, in one pass and without ever failing.

One regular expression per dialect does the work; Python sees whole tokens only, so a megabyte of literal costs one
step. Its quantifiers are possessive (`*+`): no text makes it backtrack. A literal or comment without an end runs to the
end of the text, as the engines themselves see it.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from tusk_jupyter.sqltext.dialects import Dialect


class Kind(enum.IntEnum):
    """What a token is."""

    COMMENT = 1
    STRING = 2
    """A literal, its prefix (E, U&, X, ...) or dollar tags included."""
    NAME = 3
    """A quoted identifier."""
    WORD = 4
    NUMBER = 5
    SEPARATOR = 6
    DIRECTIVE = 7
    """A client's own line, as `DELIMITER //`."""
    OPEN = 8
    """( [ {"""
    CLOSE = 9
    COLON = 10
    """A single colon; `::` and `:=` are operators."""
    OPERATOR = 11


class Token(NamedTuple):
    """A token's kind and its place: `text[start:end]`."""

    kind: Kind
    start: int
    end: int


_NO_ASCII = r"\x80-\U0010ffff"
_UNICODE_BLANKS = "\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
DOLLAR_QUOTE = rf"\$(?:[A-Za-z_{_NO_ASCII}][\w{_NO_ASCII}]*+)?+\$"
_DIRECTIVE = re.compile(r"DELIMITER[ \t]+(\S+)[^\n]*+", re.IGNORECASE)
_NEST = re.compile(r"/\*|\*/")


def _quoted(quote: str, *, backslash: bool = False) -> str:
    """A literal whose quote is doubled inside, optionally with backslash escapes, optionally without an end."""
    if backslash:
        return rf"{quote}[^{quote}\\]*+(?:(?:\\.?|{quote}{quote})[^{quote}\\]*+)*+{quote}?"
    return rf"{quote}[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+{quote}?"


def _comments(dialect: Dialect) -> str:
    line = r"[^\n\r]*+" if dialect.cr_ends_comments else r"[^\n]*+"
    # ASCII's own blanks and controls: a no-break space is part of a name to MySQL, and what follows it is code.
    dashes = rf"--(?=[ \x00-\x1f\x7f]|\Z){line}" if dialect.dashes_need_blank else rf"--{line}"
    parts = [dashes]
    if dialect.hash_comments:
        parts.append(rf"\#{line}")
    code = "(?!M?!)" if dialect.code_comments else ""
    if not dialect.nested_comments:
        parts.append(rf"/\*{code}[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?")
    return "|".join(parts)


def _strings(dialect: Dialect) -> str:
    parts = [_quoted("'", backslash=dialect.backslash_escapes)]
    if dialect.escape_strings:
        # Continued on a later line, a literal keeps the rules of its beginning: E'a'\n'\'' is one literal.
        piece = _quoted("'", backslash=True)
        blank, end_of_line = r"(?:[ \t\f\v]|--[^\n\r]*+)*+", r"[\n\r]"
        parts.append(rf"[eE]{piece}(?:{blank}{end_of_line}(?:[ \t\f\v\n\r]|--[^\n\r]*+{end_of_line})*+{piece})*+")
    parts.append(r"(?:[uU]&|[bBxXnN])" + _quoted("'", backslash=dialect.backslash_escapes))
    if dialect.double_quoted_strings:
        parts.append(_quoted('"', backslash=dialect.backslash_escapes))
    return "|".join(parts)


def _names(dialect: Dialect) -> str:
    parts = [] if dialect.double_quoted_strings else [_quoted('"'), "[uU]&" + _quoted('"')]
    if dialect.backtick_names:
        parts.append(_quoted("`"))
    if dialect.bracket_names:
        parts.append(r"\[[^\]]*+\]?")
    if dialect.mode_bracket_names:  # one without an end is an error in each mode, and what follows it stays what it is
        parts.append(r"\[[^\]]*+(?:\]\][^\]]*+)*+\]")
    return "|".join(parts)


@functools.lru_cache(maxsize=64)
def _pattern(dialect: Dialect, delimiter: str) -> re.Pattern[str]:
    return re.compile(_source(dialect, delimiter), re.VERBOSE | re.DOTALL)


def plain_comments(dialect: Dialect) -> str:
    """Return the source of the pattern of comments, without those that are nested."""
    return _comments(dialect)


def pattern_without_groups(dialect: Dialect) -> str:
    """Return the source of the pattern that finds one token, for `re.VERBOSE`; it does not say of which kind it is."""
    return f"(?:{re.sub(r'[(][?]P<[A-Za-z]+>', '(?:', _source(dialect, ';'))})"


def _source(dialect: Dialect, delimiter: str) -> str:
    custom, first, letter = "", r"[^\W\d]", r"[\w$]"
    if dialect.names_take_all_unicode:
        blanks = f"(?![{_UNICODE_BLANKS}])" if dialect.unicode_blanks else ""
        first, letter = rf"{blanks}[A-Za-z_{_NO_ASCII}]", rf"(?:{blanks}[\w${_NO_ASCII}])"
    if delimiter != ";":
        custom = rf"(?P<custom>{re.escape(delimiter)})|"
        letter = letter if delimiter.isidentifier() else rf"(?:(?!{re.escape(delimiter)}){letter})"  # END$$
    dollars = rf"|(?P<dollar>{DOLLAR_QUOTE})" if dialect.dollar_quotes else ""
    nested = r"|(?P<nested>/\*)" if dialect.nested_comments else ""
    code = r"/\*M?![0-9]*+|" if dialect.code_comments else ""
    return rf"""{custom}(?P<COMMENT>{_comments(dialect)}){nested}
        |(?P<STRING>{_strings(dialect)}){dollars}
        |(?P<NAME>{_names(dialect)})
        |(?P<WORD>{first}{letter}*+)
        |(?P<NUMBER>(?:\d\w*+(?:\.\w*+)?|\.\d\w*+)(?:(?<=[eE])[+-]\d++)?)
        |(?P<SEPARATOR>;)
        |(?P<OPEN>[(\[{{])|(?P<CLOSE>[)\]}}])
        |(?P<COLON>:(?![:=]))
        |(?P<OPERATOR>::|:=|{code}[<>=~!@%^&|?+*]++|\S)"""


def tokens(text: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of `text`, in order; what lies between them is blank."""
    return list(Lexer(text, dialect))


class Lexer:
    """The tokens of a text, found as they are asked for."""

    def __init__(self, text: str, dialect: Dialect, at: int = 0, delimiter: str = ";") -> None:
        """Begin at a place where a statement begins."""
        self._text, self._at = text, at
        self.dialect, self.delimiter = dialect, delimiter
        self._is_fresh = True
        """Whether no statement has begun since the last separator."""

    def __iter__(self) -> Iterator[Token]:
        """Yield them."""
        while self._at < len(self._text):
            yield from self._scan()

    def _scan(self) -> Iterator[Token]:
        """Yield tokens until one needs more than the pattern, and note where to go on."""
        text, dialect, at = self._text, self.dialect, self._at
        self._at = len(text)
        kinds, directives, fresh = _KINDS, dialect.delimiter_lines, self._is_fresh
        new = tuple.__new__  # a third quicker than Token(...), and this line runs 300,000 times per megabyte
        for match in _pattern(dialect, self.delimiter).finditer(text, at):
            kind = kinds.get(match.lastgroup or "")
            start, end = match.span()
            if kind is None:
                token = _special(text, match.lastgroup, start, end)
                self._at, self._is_fresh = (
                    token.end,
                    token.kind is Kind.SEPARATOR or (fresh and token.kind is Kind.COMMENT),
                )
                yield token
                return
            if directives:
                if kind is Kind.WORD and text[start] in "dD" and fresh:
                    line = _DIRECTIVE.match(text, start)
                    if line and _begins_line(text, start):
                        self._at, self._is_fresh, self.delimiter = line.end(), True, line[1]
                        yield Token(Kind.DIRECTIVE, start, line.end())
                        return
                if kind is Kind.SEPARATOR and self.delimiter != ";":
                    kind = Kind.OPERATOR
            fresh = kind is Kind.SEPARATOR or (fresh and kind is Kind.COMMENT)
            yield new(Token, (kind, start, end))
            if kind is Kind.OPEN and dialect.mode_bracket_names and text[start] == "[":
                # Where one bracket has no end, none behind it has: each would be looked for up to the end of the text.
                self._at, self._is_fresh, self.dialect = end, fresh, without_bracket_names(dialect)
                return


@functools.lru_cache(maxsize=16)
def without_bracket_names(dialect: Dialect) -> Dialect:
    """Return the rules of a dialect for a text in which `[` begins no name."""
    return dataclasses.replace(dialect, mode_bracket_names=False)


def _special(text: str, group: str | None, start: int, end: int) -> Token:
    """Return a token whose end no regular expression finds: nested comment, dollar quote, changed separator."""
    if group == "nested":
        return Token(Kind.COMMENT, start, end_of_nested(text, end))
    if group == "dollar":
        return Token(Kind.STRING, start, end_of_dollar_quote(text, start, end))
    return Token(Kind.SEPARATOR, start, end)


def end_of_dollar_quote(text: str, start: int, end: int) -> int:
    """Return where a literal ends whose opening tag stands between two places."""
    close = text.find(text[start:end], end)
    return len(text) if close < 0 else close + end - start


def delimiter_of(line: str) -> str:
    """Return the separator that a DELIMITER line sets."""
    match = _DIRECTIVE.match(line)
    return match[1] if match else ";"


def _begins_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip()


def end_of_nested(text: str, at: int) -> int:
    """Return where a comment ends whose opening ends at a place."""
    depth = 1
    for match in _NEST.finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


_KINDS = {kind.name: kind for kind in Kind}


def token_span(text: str, position: int, dialect: Dialect) -> tuple[int, int]:
    """Return start and end of the token at `position`, for underlining.

    Between tokens it is the next one, as servers point at the first character they could not use. Behind the last token
    it is the empty span at the text's last sign, which is where `unexpected end of input` is.
    """
    for token in tokens(text, dialect):
        if token.end > position and token.kind is not Kind.COMMENT:
            return token.start, token.end
    end = len(text.rstrip())
    return end, end
