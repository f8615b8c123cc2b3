"""The whole schema in four queries, for completion."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from tusk_drivers.postgresql.catalog import ask
from tusk_drivers.postgresql.link import Link
from tusk_jupyter.protocol.driver import ForeignKey, Snapshot, SnapshotColumn, SnapshotTable

_SHOWN = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(catalog$|toast|temp_|toast_temp_)'"
_COLUMNS = f"""
SELECT c.oid::int8, n.nspname, c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END,
       pg_catalog.obj_description(c.oid, 'pg_class'), a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       NOT (a.attnotnull OR t.typnotnull), coalesce(a.attnum = ANY(k.conkey), false)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND {_SHOWN}
ORDER BY n.nspname, c.relname, a.attnum
"""  # noqa: S608 - a constant

_NAMES = """
       ARRAY(SELECT a.attname::text FROM unnest(k.{numbers}) WITH ORDINALITY AS u(number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.{table} AND a.attnum = u.number ORDER BY u.place)"""
_KEYS = f"""
SELECT k.conrelid::int8, n.nspname, f.relname, {_NAMES.format(numbers="conkey", table="conrelid")},
       {_NAMES.format(numbers="confkey", table="confrelid")}
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY k.conrelid, k.conname
"""  # noqa: S608 - a constant

# What only serves operators, types and indexes is left out; PostgreSQL 15 has 2,700 names, 900 of them for people.
_FUNCTIONS = f"""
SELECT DISTINCT p.proname
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_description d
    ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::regclass AND d.objsubid = 0
WHERE p.prokind IN ('f', 'a', 'w') AND (n.nspname = 'pg_catalog' OR {_SHOWN})
    AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype, 'cstring'::regtype,
                             'language_handler'::regtype, 'fdw_handler'::regtype, 'index_am_handler'::regtype)
    AND NOT p.proargtypes::oid[] && ARRAY['internal'::regtype::oid, 'cstring'::regtype::oid]
    AND (n.nspname <> 'pg_catalog' OR p.proname = 'starts_with'
         OR (coalesce(d.description, '') !~ '^(implementation of .* operator|internal |I/O)'
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_amproc m WHERE m.amproc = p.oid)
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_aggregate g
                             WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggminvtransfn))))
ORDER BY 1
"""  # noqa: S608 - a constant


def snapshot(link: Link) -> Snapshot:
    """Read schemas, tables, columns, keys and function names."""
    keys: dict[int, list[ForeignKey]] = {}
    for oid, schema, table, columns, references in ask(link, _KEYS):
        keys.setdefault(oid, []).append(
            ForeignKey(columns=tuple(columns), table=(schema, table), references=tuple(references))
        )
    return Snapshot(
        tables=tuple(
            SnapshotTable(
                path=(schema, table),
                kind=kind,
                columns=tuple(
                    SnapshotColumn(name=name, type=type_, nullable=nullable, primary_key=primary)
                    for *_, name, type_, nullable, primary in rows
                    if name is not None  # a table without a column
                ),
                foreign_keys=tuple(keys.get(oid, ())),
                comment=comment,
            )
            for (oid, schema, table, kind, comment), rows in groupby(ask(link, _COLUMNS), key=itemgetter(0, 1, 2, 3, 4))
        ),
        search_path=tuple((name,) for name in ask(link, "SELECT pg_catalog.current_schemas(false)::text[]")[0][0]),
        functions=tuple(name for (name,) in ask(link, _FUNCTIONS)),
    )
