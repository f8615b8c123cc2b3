"""Names in SQL, as the lexer finds them."""

from __future__ import annotations

from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, Lexer

_NAMES = (Kind.WORD, Kind.NAME)
_PATIENCE = 2_000
"""Tokens that are read behind a name's last part for the whole name; a script's statement may have a million."""


def last_part(sql: str, at: int, dialect: str) -> int:
    """Return where the last part of the name that begins at `at` begins: `c` of `a.b.c`. Elsewhere, `at` itself."""
    code = (one for one in Lexer(sql, DIALECTS.get(dialect, ANSI), at) if one.kind is not Kind.COMMENT)
    name = next(code, None)
    if name is None or name.start != at:
        return at
    while name is not None and name.kind in _NAMES:
        at, dot = name.start, next(code, None)
        name = next(code, None) if dot and sql[dot.start : dot.end] == "." else None
    return at


def place_of_name(sql: str, name: str, dialect: str) -> int | None:
    """Return where a name that an engine mentions is used first; a text or comment that holds it is no use of it.

    Args:
        sql: a statement.
        name: as the engine prints it, without quotes: `t.x`, or `shop.t` where only `t` is written.
        dialect: the engine's.
    """
    wanted, tail = name.lower(), name.rpartition(".")[2].lower()
    chain: list[str] = []
    starts: list[int] = []
    before, part, text, patience = "", None, None, _PATIENCE
    for token in Lexer(sql, DIALECTS.get(dialect, ANSI)):
        if token.kind is Kind.COMMENT:
            continue
        written = sql[token.start : token.end]
        if token.kind in _NAMES:
            if before != ".":
                chain, starts = [], []
            chain.append(_bare(written) if token.kind is Kind.NAME else written.lower())
            starts.append(token.start)
            for at in range(len(chain)):
                if ".".join(chain[at:]) == wanted:
                    return starts[at]
            part = token.start if part is None and chain[-1] == tail else part
        elif token.kind is Kind.STRING and text is None and _bare(written) == tail:
            text = token.start
        before = written
        if part is not None:
            patience -= 1
            if not patience:
                break
    return text if part is None else part


def _bare(quoted: str) -> str:
    """Return a name without its quotes."""
    quote = {"[": "]"}.get(quoted[0], quoted[0])
    return quoted[1:].removesuffix(quote).replace(quote * 2, quote).lower()
