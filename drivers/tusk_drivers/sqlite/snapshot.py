"""The whole schema from SQLite's pragmas as tables: three queries for each attached database, for completion."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from tusk_drivers.sqlite.catalog import HIDDEN, databases, quoted, tables
from tusk_jupyter.protocol.driver import ForeignKey, Snapshot, SnapshotColumn, SnapshotTable

_COLUMNS = (
    'SELECT m.name, c.name, c.type, c."notnull", c.pk, c.hidden FROM {database}.sqlite_master AS m '
    "JOIN pragma_table_xinfo(m.name, ?) AS c WHERE m.type = ? ORDER BY m.name, c.cid"
)
_COLUMNS_OF_ONE = 'SELECT ?, name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?, ?) ORDER BY cid'
_KEYS = (
    'SELECT m.name, k.id, k."table", k."from", k."to" FROM {database}.sqlite_master AS m '
    "JOIN pragma_foreign_key_list(m.name, ?) AS k WHERE m.type = 'table' ORDER BY m.name, k.id, k.seq"
)


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Read databases, tables, columns, keys and function names."""
    found = databases(connection)
    return Snapshot(
        tables=tuple(table for name in found for table in _tables_of(connection, name)),
        search_path=tuple((name,) for name in sorted(found, key=lambda name: name != "temp")),
        functions=_functions(connection),
    )


def _tables_of(connection: sqlite3.Connection, database: str) -> Iterator[SnapshotTable]:
    kinds = tables(connection, database)
    columns: dict[str, tuple[SnapshotColumn, ...]] = {}
    for kind in ("table", "view"):
        rows = _columns(connection, database, kind, [name for name, its in kinds if its == kind])
        columns |= {table: tuple(_column(row) for row in group) for table, group in groupby(rows, key=itemgetter(0))}
    keys = _keys(connection, database, columns)
    for name, kind in kinds:
        yield SnapshotTable(
            path=(database, name), kind=kind, columns=columns.get(name, ()), foreign_keys=tuple(keys.get(name, ()))
        )


def _columns(connection: sqlite3.Connection, database: str, kind: str, names: Iterable[str]) -> list[tuple[Any, ...]]:
    """Return the columns of all tables or views; one that is broken would spoil the query for all, and is passed over."""
    try:
        rows = connection.execute(_COLUMNS.format(database=quoted(database)), (database, kind)).fetchall()
    except sqlite3.OperationalError:
        rows = [row for name in names for row in _columns_of_one(connection, database, name)]
    return [row for row in rows if row[5] != HIDDEN]


def _columns_of_one(connection: sqlite3.Connection, database: str, name: str) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(_COLUMNS_OF_ONE, (name, name, database)).fetchall()
    except sqlite3.OperationalError:  # a view of a table that is gone, a virtual table whose module is not here
        return []


def _column(row: tuple[Any, ...]) -> SnapshotColumn:
    _, name, type_, required, key, _ = row
    return SnapshotColumn(name=name, type=type_, nullable=not required and not key, primary_key=bool(key))


def _keys(
    connection: sqlite3.Connection, database: str, columns: dict[str, tuple[SnapshotColumn, ...]]
) -> dict[str, list[ForeignKey]]:
    rows = connection.execute(_KEYS.format(database=quoted(database)), (database,)).fetchall()
    found: dict[str, list[ForeignKey]] = {}
    for (table, _, other), group in groupby(rows, key=itemgetter(0, 1, 2)):
        pairs = [(row[3], row[4]) for row in group]
        primary = [column.name for column in columns.get(other, ()) if column.primary_key]
        found.setdefault(table, []).append(
            ForeignKey(
                columns=tuple(mine for mine, _ in pairs),
                table=(database, other),
                references=tuple(theirs for _, theirs in pairs) if pairs[0][1] is not None else tuple(primary),
            )
        )
    return found


def _functions(connection: sqlite3.Connection) -> tuple[str, ...]:
    names = {str(row[0]) for row in connection.execute("SELECT DISTINCT name FROM pragma_function_list").fetchall()}
    return tuple(sorted(name for name in names if name.isidentifier()))
