"""Types that are not in the table: those of users and extensions, asked for once per session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tusk_drivers.postgresql.types import BY_OID, PgType

if TYPE_CHECKING:
    import psycopg

_QUERY = """
SELECT t.oid::int8, pg_catalog.format_type(t.oid, NULL), coalesce(e.oid, 0)::int8, e.typdelim::text,
       pg_catalog.format_type(e.oid, NULL),
       (WITH RECURSIVE below AS (
            SELECT e.oid, e.typtype, e.typbasetype, e.typtypmod
            UNION ALL SELECT b.oid, b.typtype, b.typbasetype, b.typtypmod
            FROM pg_catalog.pg_type b JOIN below ON b.oid = below.typbasetype WHERE below.typtype = 'd')
        SELECT oid::int8 FROM below WHERE typtype <> 'd' LIMIT 1)
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
WHERE t.oid = ANY(%s)
"""


class TypeNames:
    """Names and element types by oid, kept for the session."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Begin knowing nothing."""
        self._connection = connection
        self._known: dict[int, PgType] = {}

    def look_up(self, oids: Iterable[int]) -> dict[int, PgType]:
        """Return what is known of `oids`; an array's entry has its own oid as `array_oid`."""
        missing = [oid for oid in set(oids) if oid not in self._known]
        if missing:
            rows = self._connection.execute(_QUERY, [missing]).fetchall()
            self._known.update({row[0]: _entry(*row) for row in rows})
        return self._known


def _entry(oid: int, name: str, element: int, delimiter: str | None, element_name: str | None, base: int) -> PgType:
    if not element:
        return PgType(name, oid, 0)
    below = BY_OID.get(base)
    if below is None:
        return PgType(element_name or "", element, oid, delimiter=delimiter or ",")
    return PgType(element_name or "", element, oid, below.arrow, below.form, below.setting, delimiter or ",")
