"""Whether a statement may commit something before it has ended.

When its session is ended in the middle, that much stands; of every other statement it can be said that nothing stays. In
doubt it may.
"""

from __future__ import annotations

from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind

LOOKED_AT = 65_536
"""Characters that are read: of one statement its beginning tells."""

_POSTGRESQL = frozenset({"CALL", "DO", "VACUUM", "REINDEX", "CLUSTER", "REPACK", "ANALYZE"})
_POSTGRESQL_OBJECTS = frozenset({"DATABASE", "TABLESPACE", "SUBSCRIPTION"})
_MYSQL = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DO"}
)
"""Statements of MySQL and MariaDB that do not: a CALL commits its statements one by one, DDL also what was open before it."""


def may_commit_itself(sql: str, dialect: str) -> bool:
    """Return whether a text has a statement that may commit something before it has ended."""
    if dialect not in DIALECTS:
        return True
    code = Code(sql[:LOOKED_AT], DIALECTS[dialect])
    ends = [at for at, token in enumerate(code.tokens) if token.kind in (Kind.SEPARATOR, Kind.DIRECTIVE)]
    if ends and len(sql) > LOOKED_AT:
        return True
    if dialect == "postgresql" and any(word == "CONCURRENTLY" for _, word in code.words()):
        return True
    return any(_of_statement(code, at, dialect) for at in (0, *(end + 1 for end in ends)) if at < len(code.tokens))


def _of_statement(code: Code, at: int, dialect: str) -> bool:
    token = code.tokens[at]
    word = code.text[token.start : token.end].upper() if token.kind is Kind.WORD else ""
    if dialect != "postgresql":
        return bool(word) and word not in _MYSQL
    if word in _POSTGRESQL:
        return True
    following = code.tokens[at + 1] if at + 1 < len(code.tokens) else None
    named = code.text[following.start : following.end].upper() if following else ""
    return word in ("CREATE", "DROP", "ALTER") and named in _POSTGRESQL_OBJECTS
