"""Names in SQL, as the lexer finds them."""

from __future__ import annotations

from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS
from tusk_jupyter.sqltext.lexer import Kind


def last_part(sql: str, at: int, dialect: str) -> int:
    """Return where the last part of the name that begins at `at` begins: `c` of `a.b.c`. Elsewhere, `at` itself."""
    code = Code(sql, DIALECTS.get(dialect, ANSI))
    index = next((index for index, token in enumerate(code.tokens) if token.start == at), None)
    if index is None:
        return at
    while code.written(index + 1) == "." and code.kind(index + 2) in (Kind.WORD, Kind.NAME):
        index += 2
    return code.tokens[index].start
