"""The catalog: schemas, tables, columns, keys, indexes, comments; one query per level, none per table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from tusk_drivers.postgresql.link import Link
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.driver import ColumnDescription, Description, IndexDescription, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for

_SCHEMAS = """
SELECT n.nspname
FROM pg_catalog.pg_namespace n
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(catalog$|toast|temp_|toast_temp_)'
   OR n.oid = pg_catalog.pg_my_temp_schema()
ORDER BY coalesce(array_position(pg_catalog.current_schemas(false), n.nspname), 10000), n.nspname
"""

_TABLES = """
SELECT c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
ORDER BY c.relname
"""

_FIND = """
SELECT c.oid::int8, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass(%s)::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

_COLUMNS = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR t.typnotnull),
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), coalesce(a.attnum = ANY(k.conkey), false),
       pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
WHERE a.attrelid = %s::int8::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

_INDEXES = """
SELECT c.relname, i.indisunique, i.indisprimary,
       ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, position::int, true)
             FROM generate_series(1, i.indnkeyatts) position)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::int8::oid
ORDER BY i.indisprimary DESC, c.relname
"""

_KINDS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view"}


def tree(link: Link, path: Sequence[str]) -> list[TreeNode]:
    """List the schemas (those on the search path first), a schema's tables and views, or a table's columns."""
    if not path:
        return [TreeNode(name=name, kind="schema") for (name,) in ask(link, _SCHEMAS)]
    if len(path) == 1:
        return [TreeNode(name=name, kind=kind) for name, kind in ask(link, _TABLES, path[0])]
    return [
        TreeNode(
            name=column.name, kind="column", type=column.type, nullable=column.nullable, primary_key=column.primary_key
        )
        for column in describe(link, path).columns
    ]


def describe(link: Link, path: Sequence[str]) -> Description:
    """Describe the table or view at [table], [schema, table] or [database, schema, table].

    A single name is looked for along the search path.
    """
    if not 1 <= len(path) <= 3:
        raise UsageError(f"A table's path has one to three names, not {len(path)}.")
    if len(path) == 3 and path[0] != link.connection.info.dbname:
        raise UsageError(f"This session is in the database {link.connection.info.dbname!r}, not in {path[0]!r}.")
    found = ask(link, _FIND, quoted(path[-2:]))
    if not found:
        raise QueryError(
            f"There is no table or view {'.'.join(path)!r}.",
            hint=hint_for("undefined_table"),
            code="42P01",
            scenario="undefined_table",
        )
    oid, kind, comment = found[0]
    return Description(
        kind=_KINDS[kind],
        columns=tuple(
            ColumnDescription(
                name=name, type=type_, nullable=nullable, default=default, primary_key=primary, comment=about
            )
            for name, type_, nullable, default, primary, about in ask(link, _COLUMNS, oid)
        ),
        indexes=tuple(
            IndexDescription(name=name, columns=tuple(columns), unique=unique, primary=primary)
            for name, unique, primary, columns in ask(link, _INDEXES, oid)
        ),
        comment=comment,
    )


def quoted(path: Sequence[str]) -> str:
    """Return a name as SQL identifiers, exactly as given."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in path)


def ask(link: Link, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query about the catalog.

    Raises:
        QueryError: the server rejected it.
    """
    try:
        return link.connection.execute(query, values or None).fetchall()
    except psycopg.Error as exc:
        if exc.pgresult is None:
            raise QueryError(f"The catalog could not be read: {exc}") from exc
        raise link.error(exc.pgresult) from exc
