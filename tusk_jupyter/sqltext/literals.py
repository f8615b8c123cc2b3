r"""Literals of every notation as the texts that they stand for: `'it''s'`, `E'a\n'`, `$$a$$`, `U&'\0061'`, `q'[a]'`."""

from __future__ import annotations

import re
from typing import NamedTuple

from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS

DOLLARS = re.compile(r"\$(?:[^\W\d]\w*)?\$")
QUOTE = re.compile(r"(?:[uU]&|[eEbBxXnN])?(['\"`])")
INTRODUCERS = re.compile(r"_[A-Z][A-Z0-9]*|N?Q|TEXT|VARCHAR|CHAR|BPCHAR|BYTEA")
"""Words that belong to the literal behind them, in capitals: MySQL's `_utf8'a'`, PostgreSQL's `text 'a'`, Oracle's `q'[a]'`."""
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))|'(')|'[ \t\r\f\v]*\n\s*'",
    re.DOTALL,
)
"""Of a literal with backslashes; the last form is its next piece, on a line of its own."""
_UNICODE = re.compile(r"\\(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|(\\))|'(')")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_BEGINS_CODE = re.compile(r"(?:\s|\(|--[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+(<<|[^\W\d]\w{0,30}+)")
_PROCEDURAL = frozenset(["begin", "declare", "<<"])
_CODE_BEHIND = frozenset(["AS", "DO", "EXECUTE"])
_TEXT_BEHIND = frozenset(["PROGRAM", "CONNECTION"])


class Parts(NamedTuple):
    """A literal's opening with its prefix, what it holds, and its closing with the blanks behind it."""

    opening: str
    inner: str
    closing: str


def parts_of(written: str) -> Parts:
    """Take a literal apart; one without an end has no closing, and what is none has neither."""
    plain = written.rstrip()
    if plain[:1] == "'" and len(plain) > 1 and plain[-1] == "'":  # most are; a script may have a million
        return Parts("'", plain[1:-1], written[len(plain) - 1 :])
    tag = DOLLARS.match(plain)
    opening = tag or QUOTE.match(plain)
    if not opening:
        return Parts("", written, "")
    sign = tag[0] if tag else plain[opening.end() - 1]
    closed = len(plain) >= opening.end() + len(sign) and plain.endswith(sign)
    end = len(plain) - len(sign) if closed else len(plain)
    return Parts(plain[: opening.end()], plain[opening.end() : end], written[end:])


def unquoted(literal: str) -> str:
    """Return a literal's text, as far as a message could show it."""
    opening, inner, _ = parts_of(literal)
    if not opening or opening.startswith("$"):
        return inner
    inner = inner.replace(opening[-1] * 2, opening[-1])
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def meant(written: str) -> str:
    """Return the text that a literal stands for, its escapes read."""
    opening, inner, _ = parts_of(written)
    if opening.startswith("$"):
        return inner
    if opening[:2] in ("U&", "u&"):
        return _UNICODE.sub(_character, inner)
    if "\\" in inner or "\n" in inner:
        return _ESCAPE.sub(_escaped, inner)
    return inner.replace(opening[-1:] * 2, opening[-1:]) if opening else inner


def _escaped(match: re.Match[str]) -> str:
    byte, short, long, octal, sign, quote = match.groups()
    if octal:
        return chr(int(octal, 8))
    if code := byte or short or long:
        return _chr(code)
    return quote or (_CONTROLS.get(sign, sign) if sign else "")


def _character(match: re.Match[str]) -> str:
    long, short, backslash, quote = match.groups()
    return _chr(long or short) if long or short else backslash or quote


def _chr(code: str) -> str:
    number = int(code, 16)
    return chr(number) if number < 0x110000 else "\ufffd"


def is_code(body: str, before: str) -> bool:
    """Return whether what stands between dollars is code, whose signs of equality give no value to a name.

    Args:
        body: it.
        before: the sign in front of it, in upper case.
    """
    if before in _CODE_BEHIND:
        return not body.lstrip().startswith("#!")
    begins = _BEGINS_CODE.match(body)
    return before not in _TEXT_BEHIND and begins is not None and begins[1].lower() in (STATEMENT_KEYWORDS | _PROCEDURAL)
