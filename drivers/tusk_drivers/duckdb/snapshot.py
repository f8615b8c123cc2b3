"""The whole schema in a handful of queries over DuckDB's catalog functions, for completion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from tusk_jupyter.protocol.driver import ForeignKey, Snapshot, SnapshotColumn, SnapshotTable

_TABLES = """
    SELECT database_name, schema_name, table_name, 'table', comment FROM system.main.duckdb_tables() WHERE NOT internal
    UNION ALL
    SELECT database_name, schema_name, view_name, 'view', comment FROM system.main.duckdb_views() WHERE NOT internal
    ORDER BY ALL"""
_COLUMNS = """
    SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable FROM system.main.duckdb_columns()
    WHERE NOT internal ORDER BY database_name, schema_name, table_name, column_index"""
_KEYS = """
    SELECT database_name, schema_name, table_name, constraint_type, constraint_column_names, referenced_table,
        referenced_column_names
    FROM system.main.duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')
    ORDER BY database_name, schema_name, table_name, constraint_index"""
_FUNCTIONS = """
    SELECT DISTINCT function_name FROM system.main.duckdb_functions()
    WHERE function_type IN ('scalar', 'aggregate', 'table', 'macro', 'table_macro')
        AND system.main.regexp_full_match(function_name, '[A-Za-z][A-Za-z0-9_]*')
    ORDER BY 1"""

_Place = tuple[str, str, str]


def snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """Read databases, schemas, tables, columns, keys and function names."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    primary: dict[_Place, set[str]] = {}
    foreign: dict[_Place, list[ForeignKey]] = {}
    for *place, kind, columns, other, references in ask(_KEYS):
        table = (place[0], place[1], place[2])
        if kind == "PRIMARY KEY":
            primary[table] = set(columns)
        else:
            key = ForeignKey(columns=tuple(columns), table=(*table[:2], other), references=tuple(references))
            foreign.setdefault(table, []).append(key)
    columns_of = {
        table: tuple(_column(row, primary.get(table, set())) for row in rows)
        for table, rows in groupby(ask(_COLUMNS), key=itemgetter(0, 1, 2))
    }
    return Snapshot(
        tables=tuple(
            SnapshotTable(
                path=(database, schema, name),
                kind=kind,
                columns=columns_of.get((database, schema, name), ()),
                foreign_keys=tuple(foreign.get((database, schema, name), ())),
                comment=comment,
            )
            for database, schema, name, kind, comment in ask(_TABLES)
        ),
        search_path=_search_path(ask("SELECT system.main.current_database(), system.main.current_schema()")[0]),
        functions=tuple(name for (name,) in ask(_FUNCTIONS)),
    )


def _column(row: Sequence[Any], primary: set[str]) -> SnapshotColumn:
    _, _, _, name, type_, nullable = row
    return SnapshotColumn(name=name, type=type_, nullable=bool(nullable), primary_key=name in primary)


def _search_path(current: tuple[Any, ...]) -> tuple[tuple[str, ...], ...]:
    database, schema = current
    return tuple(dict.fromkeys(((database, schema), (database, "main"), ("temp", "main"))))
