"""Databases, tables and columns from information_schema, asked by full names so that the server opens nothing else."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.driver import ColumnDescription, Description, IndexDescription, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
"""The server's own databases, listed last."""
VIEWS = ("VIEW", "SYSTEM VIEW")

_DATABASES = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME"
_TABLES = (
    "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE <> 'SEQUENCE' "
    "ORDER BY TABLE_NAME"
)
_COLUMNS = (
    "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLUMN_KEY, COLUMN_COMMENT, EXTRA "
    "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION"
)
_INDEXES = (
    "SELECT INDEX_NAME, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS "
    "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX"
)
_TABLE = "SELECT TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"


def tree(link: Link, path: tuple[str, ...]) -> list[TreeNode]:
    """Return the children of [], [database] or [database, table].

    Raises:
        QueryError: there is no such database or table.
        UsageError: the path is longer than that.
    """
    match path:
        case ():
            names = sorted((row[0] for row in link.ask(_DATABASES)), key=lambda name: (name in SYSTEM, name))
            return [TreeNode(name=name, kind="schema") for name in names]
        case (database,):
            return _tables(link, database)
        case (database, table):
            rows = link.ask(_COLUMNS, database, table)
            if not rows:
                raise _no_table(database, table)
            return [
                TreeNode(name=row[0], kind="column", type=row[1], nullable=row[2] == "YES", primary_key=row[4] == "PRI")
                for row in rows
            ]
    raise UsageError(f"There is nothing below the column {path[2]!r}.", hint="A path is database, table.")


def _tables(link: Link, database: str) -> list[TreeNode]:
    rows = link.ask(_TABLES, database)
    if not rows and database not in (row[0] for row in link.ask(_DATABASES)):
        scenario = "no_such_database"
        raise QueryError(f"There is no database {database!r}.", hint=hint_for(scenario), code="1049", scenario=scenario)
    return [TreeNode(name=name, kind="view" if kind in VIEWS else "table") for name, kind in rows]


def describe(link: Link, path: tuple[str, ...]) -> Description:
    """Return columns, indexes and comment of [database, table], or of [table] in the current database.

    Raises:
        QueryError: there is no such table.
        UsageError: the path has another length.
    """
    if len(path) not in (1, 2):
        raise UsageError(f"{'.'.join(path) or 'An empty path'} names no table.", hint="Give database.table, or table.")
    database = path[0] if len(path) == 2 else _current(link)
    table = path[-1]
    found = link.ask(_TABLE, database, table)
    if not found:
        raise _no_table(database, table)
    kind, comment = found[0]
    is_view = kind in VIEWS
    return Description(
        kind="view" if is_view else "table",
        columns=tuple(_column(row) for row in link.ask(_COLUMNS, database, table)),
        indexes=() if is_view else _indexes(link, database, table),
        comment=None if is_view else comment or None,
    )


def _column(row: tuple[Any, ...]) -> ColumnDescription:
    name, kind, nullable, default, key, comment, extra = row
    given = None if default in (None, "NULL") else str(default)  # MariaDB writes the default NULL as a word
    return ColumnDescription(
        name=name,
        type=kind,
        nullable=nullable == "YES",
        default=" ".join(part for part in (given, extra) if part) or None,
        primary_key=key == "PRI",
        comment=comment or None,
    )


def _indexes(link: Link, database: str, table: str) -> tuple[IndexDescription, ...]:
    rows = link.ask(_INDEXES, database, table)
    return tuple(
        IndexDescription(
            name=name,
            columns=tuple(column or "(expression)" for _, column, _ in group),
            unique=not non_unique,
            primary=name == "PRIMARY",
        )
        for (name, non_unique), group in groupby(rows, key=lambda row: (row[0], row[2]))
    )


def _current(link: Link) -> str:
    return str(link.ask("SELECT DATABASE()")[0][0] or "")


def _no_table(database: str, table: str) -> QueryError:
    scenario = "undefined_table"
    where = f" in the database {database!r}" if database else "; no database is chosen"
    return QueryError(f"There is no table {table!r}{where}.", hint=hint_for(scenario), code="1146", scenario=scenario)
