"""A statement's words as `sqltext.code` reads them, for what must be known of it before it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import duckdb

from tusk_jupyter.sqltext.code import Code, name_of
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, Token

_DIALECT = dialect_named("duckdb")
_KEPT_LETTERS = 10_000
"""What is found in longer texts is found anew each time: the tokens of a script of 50 MB, kept, would take what its driver
may use."""

_QUERIES = frozenset({"describe", "from", "pivot", "select", "show", "summarize", "table", "unpivot", "values", "with"})
"""First words of what may stand in parentheses behind EXPLAIN, as its options may."""

T = TypeVar("T")


def kept(question: Callable[[str], T]) -> Callable[[str], T]:
    """Remember the answers for the last texts: each statement is asked several things about itself, by several who look."""
    known = functools.lru_cache(maxsize=8)(question)

    @functools.wraps(question)
    def answer(sql: str) -> T:
        return known(sql) if len(sql) <= _KEPT_LETTERS else question(sql)

    return answer


def kind_of(statement: duckdb.Statement) -> str:
    """Return a statement's type name; "" for one that DuckDB's Python module has no name for, as UPDATE EXTENSIONS."""
    try:
        return str(statement.type.name)
    except ValueError:
        return ""


@kept
def _code(sql: str) -> Code:
    return Code(sql, _DIALECT)


def code(sql: str) -> Sequence[Token]:
    """Return the tokens without the comments."""
    return _code(sql).tokens


def texts(sql: str, found: Sequence[Token]) -> list[str]:
    """Return tokens as text: lower case, names without their quotes."""
    return [name_of(sql[token.start : token.end], token.kind) for token in found]


def words(sql: str) -> list[str]:
    """Return a statement's words, without its comments."""
    return texts(sql, code(sql))


def called(sql: str, names: Collection[str]) -> str | None:
    """Return which of `names` the statement calls as a function, or None."""
    return next((call.name for call in _code(sql).calls() if call.name in names), None)


def explained(sql: str, found: Sequence[Token]) -> str:
    """Return the statement behind EXPLAIN and its options."""
    at = 1
    while at < len(found) and sql[found[at].start : found[at].end].lower() in ("analyze", "analyse", "verbose"):
        at += 1
    if at < len(found) and found[at].kind is Kind.OPEN and not _is_query(sql, found, at + 1):
        behind = _behind_group(found, at)
        at = behind if behind < len(found) else at
    return sql[found[at].start :] if at < len(found) else ""


def _is_query(sql: str, found: Sequence[Token], at: int) -> bool:
    """Return whether a query begins here, as in `EXPLAIN (SELECT 1) UNION (SELECT 2)`, and no options of EXPLAIN."""
    if at >= len(found):
        return False
    return found[at].kind is Kind.OPEN or sql[found[at].start : found[at].end].lower() in _QUERIES


def _behind_group(found: Sequence[Token], at: int) -> int:
    depth = 0
    for index in range(at, len(found)):
        depth += {Kind.OPEN: 1, Kind.CLOSE: -1}.get(found[index].kind, 0)
        if depth == 0:
            return index + 1
    return len(found)
