"""The SQL that a function is given to run, as the server will read it.

A literal that goes on in a later line is one text to the server, so its pieces are joined before they are read. Functions that
paste their arguments into one statement get each of them checked for standing alone: a comment, a quote or a parenthesis
that one argument opens and another closes would hide what stands between them.
"""

from __future__ import annotations

import re

from tusk_jupyter.sqltext.code import Call, Code
from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind, tokens

_PIECE = re.compile(r"(?s)([uU]&|[eEnN])?('.*')")
_DOLLARS = re.compile(r"(?s)\$([^$]*)\$(.*)\$\1\$")
_PLAIN = ("", "N")
"""Prefixes under which a backslash is itself, unless the server takes it for an escape in every literal."""

_WHOLE = frozenset(["text", "varchar", "int", "int4", "integer", "tsquery", "tsvector"])
"""Types to which a literal may be cast and stay whole: `::name` cuts it off, which may leave a quote open."""


def arguments(code: Code, call: Call, dialect: Dialect) -> list[str] | None:
    """Return what the literals of a call hold, "" for a number; None where an argument is something else, or escaped."""
    found, prefix = [""], None
    for index in code.arguments(call):
        kind, written = code.kind(index), code.written(index)
        if kind is Kind.STRING:
            prefix = _prefix(written) if prefix is None else prefix
            held = _held(written, dialect, escapes=prefix not in _PLAIN or dialect.backslash_escapes)
            if held is None:
                return None
            found[-1] += held
            continue
        prefix = None
        if written == ",":
            found.append("")
        elif code.written(index - 1) == "::":
            if written.lower() not in _WHOLE:
                return None
        elif kind is not Kind.NUMBER and written != "::":
            return None
    return found


def _prefix(written: str) -> str:
    match = _PIECE.fullmatch(written)
    return (match[1] or "").upper() if match else ""


def _held(written: str, dialect: Dialect, *, escapes: bool) -> str | None:
    if dollars := _DOLLARS.fullmatch(written):
        return dollars[2]
    piece = _PIECE.fullmatch(written)
    if not piece or (escapes and "\\" in written):
        return None
    body = Code(piece[2], dialect)  # the lexer keeps the pieces of an E'...' together
    return "".join(body.written(index)[1:-1].replace("''", "'") for index in range(len(body.tokens)))


def stands_alone(text: str, dialect: Dialect) -> bool:
    """Return whether a text means the same wherever it is pasted: nothing open in it, no comment, no second statement."""
    depth, found = 0, tokens(f"{text} ;", dialect)
    for token in found:
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth < 0 or token.kind is Kind.COMMENT:
            return False
    ends = [token.start for token in found if token.kind is Kind.SEPARATOR]
    return not depth and ends == [len(text) + 1]
