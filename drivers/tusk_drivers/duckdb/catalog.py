"""What is in the database: the tree, and one table's description, from DuckDB's own catalog functions."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tusk_jupyter import errors
from tusk_jupyter.protocol.driver import ColumnDescription, Description, IndexDescription, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for

_CATALOGS = """
    SELECT database_name FROM system.main.duckdb_databases() WHERE NOT internal
    UNION ALL SELECT 'temp' WHERE EXISTS (FROM system.main.duckdb_tables() WHERE temporary)
        OR EXISTS (FROM system.main.duckdb_views() WHERE temporary AND NOT internal)
    ORDER BY 1"""
_SCHEMAS = """
    SELECT schema_name FROM system.main.duckdb_schemas()
    WHERE database_name = $1 AND schema_name NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"""
_TABLES = """
    SELECT table_name, 'table' FROM system.main.duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND NOT internal
    UNION ALL
    SELECT view_name, 'view' FROM system.main.duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND NOT internal
    ORDER BY 1"""
_COLUMNS = """
    SELECT column_name, data_type, is_nullable, column_default, comment FROM system.main.duckdb_columns()
    WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 ORDER BY column_index"""
_KEYS = """
    SELECT constraint_type, constraint_column_names, constraint_name FROM system.main.duckdb_constraints()
    WHERE database_name = $1 AND schema_name = $2 AND table_name = $3
        AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
    ORDER BY constraint_index"""
_INDEXES = """
    SELECT index_name, expressions, is_unique FROM system.main.duckdb_indexes()
    WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 ORDER BY 1"""
_COMMENT = """
    SELECT comment FROM system.main.duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND table_name = $3
    UNION ALL
    SELECT comment FROM system.main.duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND view_name = $3"""
_FIND = """
    SELECT database_name, schema_name, name, kind FROM (
        SELECT database_name, schema_name, table_name AS name, 'table' AS kind, temporary FROM system.main.duckdb_tables()
        UNION ALL
        SELECT database_name, schema_name, view_name, 'view', temporary FROM system.main.duckdb_views())
    WHERE system.main.lower(name) = system.main.lower($1)
        AND CASE WHEN $2 IS NOT NULL THEN system.main.lower(schema_name) = system.main.lower($2)
            ELSE temporary OR schema_name IN (system.main.current_schema(), 'main') END
        AND CASE WHEN $3 IS NOT NULL THEN system.main.lower(database_name) = system.main.lower($3)
            ELSE temporary OR database_name = system.main.current_database() END
    ORDER BY temporary DESC, schema_name = system.main.current_schema() DESC LIMIT 1"""


def tree(connection: duckdb.DuckDBPyConnection, path: Sequence[str]) -> list[TreeNode]:
    """List the children of `path`: databases, schemas, tables and views, columns."""
    parts = list(path)
    if not parts:
        return [TreeNode(name=row[0], kind="catalog") for row in connection.execute(_CATALOGS).fetchall()]
    if len(parts) == 1:
        return [TreeNode(name=row[0], kind="schema") for row in connection.execute(_SCHEMAS, parts).fetchall()]
    if len(parts) == 2:
        return [TreeNode(name=row[0], kind=row[1]) for row in connection.execute(_TABLES, parts).fetchall()]
    columns = _columns(connection, parts[:3])
    return [
        TreeNode(name=c.name, kind="column", type=c.type, nullable=c.nullable, primary_key=c.primary_key)
        for c in columns
    ]


def describe(connection: duckdb.DuckDBPyConnection, path: Sequence[str]) -> Description:
    """Describe the table or view at [table], [schema, table] or [database, schema, table].

    Raises:
        QueryError: there is none; scenario undefined_table.
    """
    name, schema, database = [*reversed(path), None, None][:3] if path else (None, None, None)
    found = connection.execute(_FIND, [name, schema, database]).fetchone()
    if found is None:
        raise errors.QueryError(
            f"There is no table or view {'.'.join(path)}.", hint=hint_for("undefined_table"), scenario="undefined_table"
        )
    place = list(found[:3])
    comment = connection.execute(_COMMENT, place).fetchone()
    return Description(
        kind=found[3],
        columns=tuple(_columns(connection, place)),
        indexes=tuple(_indexes(connection, place)),
        comment=comment[0] if comment else None,
    )


def _columns(connection: duckdb.DuckDBPyConnection, place: list[str]) -> list[ColumnDescription]:
    keys = connection.execute(_KEYS, place).fetchall()
    primary = {column for kind, columns, _ in keys if kind == "PRIMARY KEY" for column in columns}
    return [
        ColumnDescription(
            name=name,
            type=type_,
            nullable=bool(nullable),
            default=default,
            primary_key=name in primary,
            comment=comment,
        )
        for name, type_, nullable, default, comment in connection.execute(_COLUMNS, place).fetchall()
    ]


def _indexes(connection: duckdb.DuckDBPyConnection, place: list[str]) -> list[IndexDescription]:
    keys = [
        IndexDescription(name=name or kind.lower(), columns=tuple(columns), unique=True, primary=kind == "PRIMARY KEY")
        for kind, columns, name in connection.execute(_KEYS, place).fetchall()
    ]
    made = [
        IndexDescription(name=name, columns=_expressions(expressions), unique=bool(unique))
        for name, expressions, unique in connection.execute(_INDEXES, place).fetchall()
    ]
    return [*keys, *made]


def _expressions(text: str) -> tuple[str, ...]:
    """DuckDB lists an index's expressions as the text of a list."""
    return tuple(part.strip().strip("'\"") for part in text.strip("[]").split(",")) if text else ()
