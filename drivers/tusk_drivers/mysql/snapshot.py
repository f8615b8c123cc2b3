"""The whole schema in a handful of queries, for completion; the server's own databases only where one of them is current."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import pymysql

from tusk_drivers.mysql.catalog import SYSTEM, VIEWS
from tusk_jupyter.protocol.driver import ForeignKey, Snapshot, SnapshotColumn, SnapshotTable

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link

_TABLES = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES "
    "WHERE TABLE_SCHEMA NOT IN ({hidden}) AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_SCHEMA, TABLE_NAME"
)
_COLUMNS = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA NOT IN ({hidden}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
)
_KEYS = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, COLUMN_NAME, "
    "REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
    "WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA NOT IN ({hidden}) "
    "ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"
)
_ROUTINES = (
    "SELECT DISTINCT ROUTINE_NAME FROM information_schema.ROUTINES "
    "WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA NOT IN ({hidden})"
)
_BUILT_IN = "SELECT FUNCTION FROM information_schema.SQL_FUNCTIONS"
"""MariaDB lists its functions since 10.6; MySQL has no such table."""

_Table = tuple[str, str]


def snapshot(link: Link) -> Snapshot:
    """Read databases, tables, columns, keys and function names."""
    current = str(link.ask("SELECT DATABASE()")[0][0] or "")
    hidden = [name for name in SYSTEM if name != current]
    marks = ", ".join(["%s"] * len(hidden))
    columns: dict[_Table, tuple[SnapshotColumn, ...]] = {
        table: tuple(_column(row) for row in rows)
        for table, rows in groupby(link.ask(_COLUMNS.format(hidden=marks), *hidden), key=itemgetter(0, 1))
    }
    keys: dict[_Table, list[ForeignKey]] = {}
    for (*table, _, schema, name), rows in groupby(
        link.ask(_KEYS.format(hidden=marks), *hidden), key=itemgetter(0, 1, 2, 3, 4)
    ):
        pairs = [(row[5], row[6]) for row in rows]
        keys.setdefault((table[0], table[1]), []).append(
            ForeignKey(
                columns=tuple(mine for mine, _ in pairs),
                table=(schema, name),
                references=tuple(theirs for _, theirs in pairs),
            )
        )
    return Snapshot(
        tables=tuple(
            SnapshotTable(
                path=(schema, name),
                kind="view" if kind in VIEWS else "table",
                columns=columns.get((schema, name), ()),
                foreign_keys=tuple(keys.get((schema, name), ())),
                comment=None if kind in VIEWS else comment or None,
            )
            for schema, name, kind, comment in link.ask(_TABLES.format(hidden=marks), *hidden)
        ),
        search_path=((current,),) if current else (),
        functions=tuple(
            sorted({*_built_in(link), *(name for (name,) in link.ask(_ROUTINES.format(hidden=marks), *hidden))})
        ),
    )


def _column(row: tuple[str, ...]) -> SnapshotColumn:
    _, _, name, kind, nullable, key = row
    return SnapshotColumn(name=name, type=kind, nullable=nullable == "YES", primary_key=key == "PRI")


def _built_in(link: Link) -> list[str]:
    try:
        return [str(name).lower() for (name,) in link.ask(_BUILT_IN)]
    except pymysql.MySQLError:
        return []
