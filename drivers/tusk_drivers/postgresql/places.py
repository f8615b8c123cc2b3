"""What the columns of a PostgreSQL table keep as it is, from their types."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tusk_drivers.postgresql.catalog import ask, quoted
from tusk_drivers.postgresql.link import Link
from tusk_jupyter.driverkit.fits import Place, integers

_BASES = """
WITH RECURSIVE base AS (
    SELECT attname, atttypid AS type, atttypmod AS size FROM pg_catalog.pg_attribute
    WHERE attrelid = pg_catalog.to_regclass(%s)::oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT b.attname, t.typbasetype, t.typtypmod FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT b.attname, pg_catalog.format_type(b.type, b.size) FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
WHERE t.typtype <> 'd'
"""
"""Of a domain, the type that it limits."""
_SIZED = re.compile(r"([a-z ]+?)(?:\((\d+)(?:,(-?\d+))?\))?( with(?:out)? time zone)?")
_INTEGERS = {"smallint": 16, "integer": 32, "bigint": 64}
_PLAIN = {
    "real": {"kind": "float", "bits": 32},
    "double precision": {"kind": "float"},
    "boolean": {"kind": "bool"},
    "text": {"kind": "text"},
    "citext": {"kind": "text"},
    "bytea": {"kind": "bytes"},
    "date": {"kind": "date"},
    "json": {"kind": "json"},
    "jsonb": {"kind": "json"},
    "uuid": {"kind": "uuid"},
    "name": {"kind": "text", "text_bytes": 63},
    '"char"': {"kind": "text", "text_bytes": 1},
    "money": {"kind": "other", "fraction": 2, "needs_digit": True},
}


def places(link: Link, table: Sequence[str]) -> dict[str, Place]:
    """Return what each column of a table keeps."""
    return {str(name): place(str(type_)) for name, type_ in ask(link, _BASES, quoted(table[-2:]))}


def place(type_: str) -> Place:
    """Return what a column of a type keeps."""
    if type_.endswith("[]"):
        return Place(type=type_, kind="list", item=place(type_.removesuffix("[]")), deep=True)
    if type_ in _INTEGERS:
        return integers(type_, _INTEGERS[type_])
    if type_ in _PLAIN:
        return Place(type=type_, **_PLAIN[type_])  # type: ignore[arg-type]
    if type_.startswith("interval"):
        fields, _, digits = type_.removeprefix("interval").partition("(")
        cuts = fields.strip() and not fields.endswith("second")  # `year to month` has no days
        return Place(type=type_, kind="none" if cuts else "interval", digits=int(digits.rstrip(")")) if digits else 6)
    sized = _SIZED.fullmatch(type_)
    name, first, second, zone = sized.groups() if sized else (type_, None, None, None)
    size = int(first) if first else None
    if name == "numeric":
        return Place(type=type_, kind="decimal", precision=size, scale=int(second or 0))
    if name in ("character varying", "character"):
        return Place(type=type_, kind="text", length=size, whole=name == "character")
    if name == "timestamp":
        return Place(type=type_, kind="moment", digits=6 if size is None else size, zone=zone == " with time zone")
    if name == "time" and zone != " with time zone":
        return Place(type=type_, kind="time", digits=6 if size is None else size)
    if name == "time":
        return Place(type=type_, kind="other", fraction=6 if size is None else size)
    return Place(type=type_, kind="other")


def notes(places: dict[str, Place], names: Sequence[str]) -> tuple[str, ...]:
    """Return what is told of columns that add something to what they are given."""
    filled = [(name, places[name]) for name in names if name in places and _fills_up(places[name])]
    return tuple(f"Column {name!r} is {place.type}, which fills values up with blanks." for name, place in filled)


def _fills_up(place: Place) -> bool:
    return place.whole or (place.item is not None and _fills_up(place.item))
