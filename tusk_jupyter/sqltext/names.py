"""Names in SQL, as the lexer finds them."""

from __future__ import annotations

from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, tokens


def last_part(sql: str, at: int, dialect: str) -> int:
    """Return where the last part of the name that begins at `at` begins: `c` of `a.b.c`. Elsewhere, `at` itself."""
    found = [token for token in tokens(sql, DIALECTS.get(dialect, ANSI)) if token.kind is not Kind.COMMENT]
    index = next((index for index, token in enumerate(found) if token.start == at), None)
    while index is not None and index + 2 < len(found) and sql[found[index + 1].start : found[index + 1].end] == ".":
        if found[index + 2].kind not in (Kind.WORD, Kind.NAME):
            break
        index += 2
    return at if index is None else found[index].start
