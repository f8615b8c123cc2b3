"""Which colons begin a `:name` placeholder, and which belong to the SQL.

Nothing is guessed from the name. A colon is the SQL's own when it stands directly behind an operand (`payload:city`,
`label:LOOP`, `JSON_OBJECT('a':b)`), separates two operands in a subscript or in braces (`a[1:n]`, `a[:n]`, `{'a': b}`),
or ends a lambda's parameter list. To bind a subscript, put it between parentheses: `a[(:n)]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tusk_jupyter.sqltext.lexer import Kind, Token

EXPECTS_OPERAND = frozenset(
    """
    ALL ALSO AND ANY ARRAY AS ASC BETWEEN BY CALL CASE CROSS DEFAULT DELETE DESC DISTINCT DIV DO ELSE ELSEIF ESCAPE
    EXCEPT EXECUTE EXISTS EXPLAIN FETCH FILTER FROM GLOB GROUP HAVING IF ILIKE IN INNER INSERT INTERSECT INTERVAL
    INTO IS JOIN LEFT LIKE LIMIT MATCH MOD NATURAL NOT OFFSET ON OR ORDER OUTER OVER PARTITION QUALIFY REGEXP RETURN
    RETURNING RIGHT RLIKE SELECT SET SIMILAR SOME THEN TO TOP TRUNCATE UNION UNTIL UPDATE USING VALUES WHEN WHERE
    WHILE WITH XOR
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Keywords behind which an operand begins; any other word is one, or ends one."""
_OPERANDS = (Kind.STRING, Kind.NAME, Kind.NUMBER, Kind.CLOSE)
_LAMBDA = re.compile(r"\blambda\s+\w+(?:\s*,\s*\w+)*\s*\Z", re.IGNORECASE)
_LAMBDA_REACH = 200  # characters looked back; a longer parameter list is not written by hand


def is_operand(text: str, token: Token | None) -> bool:
    """Return whether an operand ends with `token`."""
    if token is None:
        return False
    if token.kind is Kind.WORD:
        return text[token.start : token.end].upper() not in EXPECTS_OPERAND
    return token.kind in _OPERANDS


def placeholder_places(text: str, part: Sequence[Token]) -> list[tuple[str, int, int]]:
    """Return name, start and end of each placeholder among the tokens of one statement."""
    if not any(token.kind is Kind.COLON for token in part):
        return []
    found: list[tuple[str, int, int]] = []
    brackets: list[str] = []
    previous: Token | None = None
    for token, following in zip(part, [*part[1:], None], strict=True):
        if token.kind is Kind.COMMENT:
            continue
        if token.kind is Kind.COLON and following and _names(text, token, following):
            if not _is_sql(text, token, previous, brackets):
                found.append((text[following.start : following.end], token.start, following.end))
        elif token.kind is Kind.OPEN:
            brackets.append(_bracket(text, token, previous))
        elif token.kind is Kind.CLOSE and brackets:
            brackets.pop()
        previous = token
    return found


def _names(text: str, colon: Token, following: Token) -> bool:
    word = text[following.start : following.end]
    return following.kind is Kind.WORD and following.start == colon.end and word.isidentifier()


def _bracket(text: str, token: Token, previous: Token | None) -> str:
    """What an opening bracket opens: "(", "{", "[" for a list, "subscript"."""
    sign = text[token.start]
    return "subscript" if sign == "[" and is_operand(text, previous) else sign


def _is_sql(text: str, colon: Token, previous: Token | None, brackets: Sequence[str]) -> bool:
    """Return whether the colon is the SQL's own."""
    operand = is_operand(text, previous)
    inside = brackets[-1] if brackets else ""
    if inside == "subscript":
        return operand or (previous is not None and previous.kind is Kind.OPEN)
    if inside == "{":
        return operand
    if not operand or previous is None:
        return False
    return previous.end == colon.start or bool(_LAMBDA.search(text, max(0, colon.start - _LAMBDA_REACH), colon.start))
