"""What a parenthesis holds that is no query: arguments, a column list, new names, a window, a join."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from tusk_magics.completion.clause import clause_at
from tusk_magics.completion.relations import Found
from tusk_magics.completion.tree import Item


class Role(enum.Enum):
    """Kinds of parentheses."""

    ARGUMENTS = enum.auto()
    """Of a function, or just an expression's."""
    NEW_NAMES = enum.auto()
    TARGET = enum.auto()
    """Columns of the table that is written to or indexed."""
    REFERENCED = enum.auto()
    """Columns of the table whose name stands before it."""
    COMMON = enum.auto()
    """USING (...) of a join."""
    RELATIONS = enum.auto()
    """A join in parentheses, or a subquery that has not begun."""
    WINDOW = enum.auto()
    FILTER = enum.auto()
    DEFINITIONS = enum.auto()
    """Columns of CREATE TABLE."""
    QUERY = enum.auto()
    """Only a query can stand there."""
    VALUES = enum.auto()


def role_of(before: Sequence[Item], group: Item, verb: str, found: Found | None) -> Role:
    """Return what the group behind `before` holds."""
    words = [item.word for item in before[-2:]]
    last, previous = (words[-1] if words else ""), (words[-2] if len(words) > 1 else "")
    if found is not None and any(group is item for item in found.column_lists):
        return Role.NEW_NAMES
    if last == "OVER" or (last == "AS" and any(item.word == "WINDOW" for item in before)):
        return Role.WINDOW
    if last in ("AS", "MATERIALIZED"):
        return Role.QUERY
    if last == "FILTER":
        return Role.FILTER
    if last == "CONFLICT":
        return Role.TARGET
    if previous == "REFERENCES":
        return Role.REFERENCED
    if _begins_with(before, "WITH") and not any(item.word in ("SELECT", "FROM") for item in before):
        return Role.NEW_NAMES
    return _by_clause(before, verb, last)


def _by_clause(before: Sequence[Item], verb: str, last: str) -> Role:
    clause = clause_at(before)
    if last == "USING" and clause.name in ("FROM", "ON"):
        return Role.COMMON
    if clause.name == "FROM" and not clause.tail:
        return Role.RELATIONS
    if clause.name == "INTO" and clause.tail and verb in ("INSERT", "REPLACE", "MERGE"):
        return Role.TARGET
    if last == "INSERT":  # MERGE ... THEN INSERT (
        return Role.TARGET
    if clause.name == "VALUES" and (not clause.tail or clause.tail[-1].text == ","):
        return Role.VALUES
    if clause.name == "OBJECT" and clause.tail and clause.word != "REFERENCES":
        return Role.TARGET if verb in ("CREATE", "COPY", "VACUUM", "ANALYZE", "ALTER") else Role.NEW_NAMES
    if verb == "CREATE" and clause.name == "OTHER":
        table = any(item.word == "TABLE" for item in before)
        return Role.DEFINITIONS if table else Role.NEW_NAMES
    return Role.ARGUMENTS


def _begins_with(items: Sequence[Item], word: str) -> bool:
    return bool(items) and items[0].word == word
