"""What the columns of a DuckDB table keep as it is, from their types."""

from __future__ import annotations

import re

import duckdb

from tusk_jupyter.driverkit.fits import Place, integers

_INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_LIST = re.compile(r"(.*)\[\d*\]", re.DOTALL)
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_PLAIN = {
    "FLOAT": {"kind": "float", "bits": 32},
    "DOUBLE": {"kind": "float"},
    "BOOLEAN": {"kind": "bool"},
    "VARCHAR": {"kind": "text"},
    "BLOB": {"kind": "bytes"},
    "DATE": {"kind": "date"},
    "TIME": {"kind": "time"},
    "TIME_NS": {"kind": "time", "digits": 9},
    "TIMESTAMP": {"kind": "moment"},
    "TIMESTAMP_S": {"kind": "moment", "digits": 0},
    "TIMESTAMP_MS": {"kind": "moment", "digits": 3},
    "TIMESTAMP_NS": {"kind": "moment", "digits": 9},
    "TIMESTAMP WITH TIME ZONE": {"kind": "moment", "zone": True},
    "TIMESTAMPTZ_NS": {"kind": "moment", "zone": True, "digits": 9},
    "INTERVAL": {"kind": "interval"},
    "TIME WITH TIME ZONE": {"kind": "other", "fraction": 6},
    "BIGNUM": {"kind": "other", "fraction": 0},
    "BIT": {"kind": "other", "needs_digit": True},
    "UUID": {"kind": "uuid"},
    "JSON": {"kind": "json"},
}


def places(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Place]:
    """Return what each column of a table keeps, by its name in lower case.

    Args:
        connection: open.
        name: the table's, quoted; found as an INSERT finds it.

    Raises:
        duckdb.Error: there is no such table.
    """
    found = connection.sql(f"DESCRIBE {name}").fetchall()  # its error leaves an open transaction as it is
    return {str(column).lower(): place(str(type_)) for column, type_, *_ in found}


def place(type_: str) -> Place:
    """Return what a column of a type keeps."""
    if items := _LIST.fullmatch(type_):
        return Place(type=type_, kind="list", item=place(items[1]))
    name = type_.removeprefix("U")
    if name in _INTEGERS:
        return integers(type_, _INTEGERS[name], unsigned=name != type_)
    if decimal := _DECIMAL.fullmatch(type_):
        return Place(type=type_, kind="decimal", precision=int(decimal[1]), scale=int(decimal[2]))
    if type_.startswith("ENUM("):
        return Place(
            type=type_, kind="members", members=tuple(one.replace("''", "'") for one in _MEMBER.findall(type_))
        )
    if type_.startswith(("STRUCT(", "MAP(")):
        return Place(type=type_, kind="nested")
    if type_ == "VARIANT":
        return Place(type=type_, kind="any")
    return Place(type=type_, **_PLAIN[type_]) if type_ in _PLAIN else Place(type=type_, kind="other")  # type: ignore[arg-type]
