"""What is in the database, from SQLite's pragmas."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tusk_jupyter import errors
from tusk_jupyter.protocol.driver import ColumnDescription, Description, IndexDescription, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for

HIDDEN = 1
"""In table_xinfo: a hidden column of a virtual table; 2 and 3 are generated columns."""


def quoted(*parts: str) -> str:
    """Return name parts as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def tree(connection: sqlite3.Connection, path: Sequence[str]) -> list[TreeNode]:
    """List the children of `path`: databases, tables and views, columns."""
    if not path:
        return [TreeNode(name=name, kind="schema") for name in databases(connection)]
    if len(path) == 1:
        if path[0] not in databases(connection):
            return []
        return [TreeNode(name=name, kind=kind) for name, kind in tables(connection, path[0])]
    return [
        TreeNode(name=c.name, kind="column", type=c.type, nullable=c.nullable, primary_key=c.primary_key)
        for c in _columns(connection, path[0], path[1])
    ]


def describe(connection: sqlite3.Connection, path: Sequence[str]) -> Description:
    """Describe the table or view at [table] or [database, table].

    Raises:
        QueryError: there is none; scenario undefined_table.
    """
    wanted = path[-1].lower() if path else ""
    places = [path[-2]] if len(path) > 1 else ["temp", *(name for name in databases(connection) if name != "temp")]
    for database in places:
        found = next(((n, k) for n, k in tables(connection, database) if n.lower() == wanted), None)
        if found:
            return Description(
                kind=found[1],
                columns=tuple(_columns(connection, database, found[0])),
                indexes=tuple(_indexes(connection, database, found[0])),
            )
    raise errors.QueryError(
        f"There is no table or view {'.'.join(path)}.", hint=hint_for("undefined_table"), scenario="undefined_table"
    )


def databases(connection: sqlite3.Connection) -> list[str]:
    """Return main, temp where there is one, and what is attached."""
    return [str(row[1]) for row in connection.execute("PRAGMA database_list").fetchall()]


def tables(connection: sqlite3.Connection, database: str) -> list[tuple[str, str]]:
    """Return a database's tables and views by name, each with its kind."""
    try:
        rows = connection.execute(
            f"SELECT name, type FROM {quoted(database)}.sqlite_master"  # noqa: S608 - quoted
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
        ).fetchall()
    except sqlite3.OperationalError as exc:
        if "no such table" in str(exc):  # no such database
            return []
        raise
    return [(str(name), str(kind)) for name, kind in rows]


def _columns(connection: sqlite3.Connection, database: str, table: str) -> list[ColumnDescription]:
    rows = connection.execute(f"PRAGMA {quoted(database)}.table_xinfo({quoted(table)})").fetchall()
    return [
        ColumnDescription(
            name=name, type=type_, nullable=not required and not key, default=default, primary_key=bool(key)
        )
        for _, name, type_, required, default, key, hidden in rows
        if hidden != HIDDEN
    ]


def _indexes(connection: sqlite3.Connection, database: str, table: str) -> list[IndexDescription]:
    found = []
    for _, name, unique, origin, _ in connection.execute(
        f"PRAGMA {quoted(database)}.index_list({quoted(table)})"
    ).fetchall():
        columns = connection.execute(f"PRAGMA {quoted(database)}.index_info({quoted(name)})").fetchall()
        found.append(
            IndexDescription(
                name=name,
                columns=tuple(row[2] or "(expression)" for row in columns),
                unique=bool(unique),
                primary=origin == "pk",
            )
        )
    return found
