"""What the columns of a MySQL table keep as it is, from their types."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tusk_jupyter.driverkit.fits import Place, integers

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link

_TYPE = re.compile(r"(\w+)(?:\((.*)\))?(.*)", re.DOTALL)
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_YEARS = (1901, 2155)


def places(link: Link, name: str) -> dict[str, Place]:
    """Return what each column of a table keeps, by its name in lower case.

    Args:
        link: open.
        name: the table's, quoted; it may be a temporary one, which no catalog lists.

    Raises:
        pymysql.MySQLError: there is no such table.
    """
    found = link.ask(f"SHOW COLUMNS FROM {name}")
    return {
        str(column).lower(): _filling(place(_text(type_)), null=_text(null), extra=_text(extra).lower())
        for column, type_, null, _, _, extra, *_ in found
    }


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _filling(found: Place, *, null: str, extra: str) -> Place:
    """Return a place with what the server puts into it by itself."""
    if "auto_increment" in extra:
        words = "numbers its rows itself, and puts a number in the place of NULL"
        return replace(found, nonzero=True, fills=words)
    if found.type.startswith("timestamp") and null == "NO":
        return replace(found, fills="puts the present moment in the place of NULL")
    return found


def _unescaped(found: re.Match[str]) -> str:
    """Return what the server wrote in two signs, as `SHOW COLUMNS` has members."""
    return {None: "'", "0": "\0", "n": "\n", "r": "\r"}.get(found[1], found[1])


def place(type_: str) -> Place:
    """Return what a column of a type keeps."""
    found = _TYPE.fullmatch(type_)
    name, inside, more = found.groups() if found else (type_, None, "")
    size = int(inside) if inside and inside.isdecimal() else None
    if name in _INTEGERS:
        return integers(type_, _INTEGERS[name], unsigned="unsigned" in more)
    if name == "bit":
        return integers(type_, size or 1, unsigned=True)
    if name == "year":
        return Place(type=type_, kind="int", low=_YEARS[0], high=_YEARS[1])
    if name == "decimal" or (name in ("float", "double") and inside and "," in inside):
        precision, scale = (*map(int, (inside or "10,0").split(",")), 0)[:2]
        return Place(type=type_, kind="decimal", precision=precision, scale=scale)
    if name in ("float", "double"):
        return Place(type=type_, kind="float", bits=32 if name == "float" else 64)
    if name in ("enum", "set"):
        members = tuple(_ESCAPED.sub(_unescaped, one) for one in _MEMBER.findall(inside or ""))
        return Place(type=type_, kind="members", members=members, several=name == "set")
    if name in ("char", "varchar") or name.endswith("text"):
        return Place(type=type_, kind="text", length=size, whole=name == "char")
    if name in ("binary", "varbinary") or name.endswith("blob"):
        return Place(type=type_, kind="bytes", length=size, whole=name == "binary")
    if name == "date":
        return Place(type=type_, kind="date")
    if name == "time":
        return Place(type=type_, kind="time", digits=size or 0, lengths=True)
    if name in ("datetime", "timestamp"):  # a TIMESTAMP is given in the session's time zone, and shown so
        return Place(type=type_, kind="moment", digits=size or 0, zone=None if name == "datetime" else False)
    return Place(type=type_, kind="json" if name == "json" else "uuid" if name == "uuid" else "other")
