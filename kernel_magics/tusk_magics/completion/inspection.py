"""What `Shift+Tab` and `table?` show: the table, or the column's table, that a name in the SQL means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tusk_jupyter.protocol.driver import SnapshotColumn, SnapshotTable
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_magics.completion.columns import Columns
from tusk_magics.completion.context import Context, Want, context_at
from tusk_magics.completion.names import SchemaIndex
from tusk_magics.completion.relations import Relation
from tusk_magics.completion.tree import Item


@dataclass(frozen=True, slots=True)
class Subject:
    """What a name means."""

    name: str
    """Of the relation, as the text has it."""
    table: SnapshotTable | None
    """None: a subquery or a CTE."""
    columns: Sequence[SnapshotColumn]
    column: str | None = None
    """The column that was pointed at."""


def subject_at(sql: str, cursor: int, index: SchemaIndex | None, dialect: str) -> Subject | None:
    """Return what the name at `cursor` of an SQL text means; None for keywords, functions, literals and unknown names."""
    rules = DIALECTS.get(dialect, DIALECTS["ansi"])
    found = tokens(sql, rules)
    at = next((i for i, token in enumerate(found) if token.start <= cursor <= token.end and _is_name(token)), None)
    if at is None or (at + 1 < len(found) and found[at + 1].kind is Kind.OPEN and _is_call(sql, found, at)):
        return None
    token = found[at]
    end = token.end - 1 if token.kind is Kind.NAME else token.end
    context = context_at(sql, end, dialect)
    if context is None:
        return None
    name = Item(token.kind, name=context.typed.prefix, quoted=token.kind is Kind.NAME)
    return _meant(context, name, index, dialect)


def table_named(text: str, index: SchemaIndex, dialect: str) -> Subject | None:
    """Return the table that `schema.table` on its own means."""
    rules = DIALECTS.get(dialect, DIALECTS["ansi"])
    parts = tokens(text, rules)
    if (
        not parts
        or any(not _is_name(token) for token in parts[::2])
        or any(text[t.start : t.end] != "." for t in parts[1::2])
    ):
        return None
    table = index.find([(text[t.start : t.end].strip('"`[]'), t.kind is Kind.NAME) for t in parts[::2]])
    return None if table is None else Subject(table.path[-1], table, table.columns)


def _is_name(token: Token) -> bool:
    return token.kind in (Kind.WORD, Kind.NAME)


def _is_call(sql: str, found: Sequence[Token], at: int) -> bool:
    """Whether a name before a parenthesis is a function: in `INSERT INTO t (a)` it is not."""
    before = found[at - 1] if at else None
    return before is None or sql[before.start : before.end].upper() not in (
        "INTO",
        "ON",
        "TABLE",
        "COPY",
        "REFERENCES",
        ".",
    )


def _meant(context: Context, name: Item, index: SchemaIndex | None, dialect: str) -> Subject | None:
    columns = Columns(index, dialect)
    qualifier = context.typed.qualifier
    if Want.TABLE not in context.wants:
        relation = columns.meant(context.scope, qualifier[-1]) if qualifier else None
        candidates = [relation] if relation else [] if qualifier else context.scope.relations
        if context.target is not None and not qualifier:
            candidates = [*candidates, context.target]
        for owner in candidates:
            column = _column(columns.of(owner), str(name.name))
            if column is not None:
                return _subject(owner, columns, column)
        owned = None if qualifier else columns.meant(context.scope, name)
        if owned is not None:
            return _subject(owned, columns)
    elif not qualifier and str(name.name).casefold() in context.scope.ctes:
        return _subject(context.scope.ctes[str(name.name).casefold()], columns)
    path = [(str(item.name), item.quoted) for item in (*qualifier, name)]
    table = index.find(path) if index else None
    return None if table is None else Subject(table.path[-1], table, table.columns)


def _column(columns: Sequence[SnapshotColumn], name: str) -> str | None:
    exact = next((column.name for column in columns if column.name == name), None)
    return exact or next((column.name for column in columns if column.name.casefold() == name.casefold()), None)


def _subject(relation: Relation, columns: Columns, column: str | None = None) -> Subject | None:
    found, table = columns.of(relation), columns.table(relation)
    if not found and table is None:
        return None
    exposed = relation.exposed
    return Subject(str(exposed.name) if exposed else "subquery", table, found, column)
