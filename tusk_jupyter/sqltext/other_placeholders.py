"""Placeholders as other libraries write them (`?`, `$1`, `%s`, `%(x)s`, `@x`, `{x}`): what to write here in their place.

They are only looked for where an engine has refused the text already: `a ? 'b'`, `5 % s` and `@x` are SQL elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.placeholders import is_operand

_BEHIND_COLON = re.compile(r":([^\W\d]\w*)")
_LOOKED_AT = 20_000
"""Characters that are read for one."""


def advice(sql: str, dialect: str) -> str | None:
    """Return what to write in place of the first one in a statement that its engine has refused; None where there is none."""
    found = next(_found(sql[:_LOOKED_AT], dialect), None)
    if found is None:
        return None
    written, name = found
    also = f", or `{{{{ {name} }}}}` with --jinja for a piece of SQL" if written.startswith("{") else ""
    return (
        f"`{written}` is another library's placeholder. Write `:{name}`: it is bound to the notebook's variable `{name}`, or "
        f"to `--param {name}=VALUE`{also}."
    )


def advice_on_colon(sql: str, position: int | None) -> str | None:
    """Return how to bind what stands behind a colon of SQL's own, if an unknown column does: `a[:n]` is a slice up to `n`."""
    found = _BEHIND_COLON.match(sql, position - 1) if position else None
    if found is None or sql[max(0, found.start() - 1) : found.start()] == ":":
        return None
    name = found[1]
    return f"The colon before `{name}` is SQL's own here, as in a slice. To bind `:{name}`, put it in parentheses: `(:{name})`."


def _found(sql: str, dialect: str) -> Iterator[tuple[str, str]]:
    """Yield each as it is written, and the name it would have here."""
    part = [token for token in tokens(sql, DIALECTS[dialect]) if token.kind is not Kind.COMMENT]
    for at, token in enumerate(part):
        sign = sql[token.start : token.end]
        behind = list(_adjacent(part, at))
        words = [sql[one.start : one.end] for one in behind]
        is_infix = len(sign) == 1 and at > 0 and is_operand(sql, part[at - 1])
        if token.kind is Kind.OPERATOR and not is_infix:
            if found := _behind_sign(sign[-1], behind, words, dialect):
                yield found
        elif token.kind is Kind.OPEN and sign == "{" and words[1:2] == ["}"] and behind[0].kind is Kind.WORD:
            yield f"{{{words[0]}}}", words[0]


def _adjacent(part: Sequence[Token], at: int) -> Iterator[Token]:
    """Yield up to four tokens that follow without a blank between them."""
    for before, one in zip(part[at : at + 4], part[at + 1 : at + 5], strict=False):
        if one.start != before.end:
            return
        yield one


def _behind_sign(sign: str, behind: Sequence[Token], words: Sequence[str], dialect: str) -> tuple[str, str] | None:
    kind = behind[0].kind if behind else None
    if sign == "?":
        return f"?{words[0] if kind is Kind.NUMBER else ''}", "name"
    if sign == "$" and kind in (Kind.NUMBER, Kind.WORD):
        return f"${words[0]}", words[0] if kind is Kind.WORD else "name"
    if sign == "@" and kind is Kind.WORD and dialect != "mysql":
        return f"@{words[0]}", words[0]
    if sign == "%" and words[:1] == ["s"]:
        return "%s", "name"
    if sign == "%" and words[:1] == ["("] and words[2:4] == [")", "s"] and behind[1].kind is Kind.WORD:
        return f"%({words[1]})s", words[1]
    return None
