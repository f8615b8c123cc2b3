"""The one table of types: PostgreSQL's name and numbers, the Arrow type, and how the text becomes it.

Text is what the server sends on both roads (`COPY` and the extended protocol), so one conversion serves both and
they cannot differ. `TYPES.md` beside this file is this table for people; a test compares the two.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Form(enum.Enum):
    """How a type's text becomes Arrow."""

    TEXT = "text"
    """Stays as the server writes it."""
    PLAIN = "plain"
    """Arrow parses it by itself; what the Arrow type cannot hold widens the column to text."""
    NUMERIC = "numeric"
    BYTEA = "bytea"
    INTERVAL = "interval"


class Setting(enum.Enum):
    """Server settings that a type's text depends on; each with the value under which we read it."""

    DATE_STYLE = "DateStyle"
    INTERVAL_STYLE = "IntervalStyle"
    BYTEA_OUTPUT = "bytea_output"
    FLOAT_DIGITS = "extra_float_digits"


@dataclass(frozen=True, slots=True)
class PgType:
    """A type of PostgreSQL."""

    name: str
    """As `format_type` says it."""
    oid: int
    array_oid: int
    arrow: str = "string"
    """`pyarrow.type_for_alias` name, or a word of its own for NUMERIC, BYTEA, INTERVAL and zoned timestamps."""
    form: Form = Form.TEXT
    setting: Setting | None = None
    delimiter: str = ","
    """Between the elements of an array of it."""


_DATE, _FLOAT = Setting.DATE_STYLE, Setting.FLOAT_DIGITS

TYPES: tuple[PgType, ...] = (
    PgType("boolean", 16, 1000, "bool", Form.PLAIN),
    PgType("smallint", 21, 1005, "int16", Form.PLAIN),
    PgType("integer", 23, 1007, "int32", Form.PLAIN),
    PgType("bigint", 20, 1016, "int64", Form.PLAIN),
    PgType("oid", 26, 1028, "uint32", Form.PLAIN),
    PgType("xid", 28, 1011, "uint32", Form.PLAIN),
    PgType("cid", 29, 1012, "uint32", Form.PLAIN),
    PgType("xid8", 5069, 271, "uint64", Form.PLAIN),
    PgType("real", 700, 1021, "float", Form.PLAIN, _FLOAT),
    PgType("double precision", 701, 1022, "double", Form.PLAIN, _FLOAT),
    PgType("numeric", 1700, 1231, "decimal", Form.NUMERIC),
    PgType("money", 790, 791),
    PgType("date", 1082, 1182, "date32", Form.PLAIN, _DATE),
    PgType("time without time zone", 1083, 1183, "time64[us]", Form.PLAIN),
    PgType("time with time zone", 1266, 1270),
    PgType("timestamp without time zone", 1114, 1115, "timestamp[us]", Form.PLAIN, _DATE),
    PgType("timestamp with time zone", 1184, 1185, "timestamp[us, tz]", Form.PLAIN, _DATE),
    PgType("interval", 1186, 1187, "month_day_nano_interval", Form.INTERVAL, Setting.INTERVAL_STYLE),
    PgType("bytea", 17, 1001, "binary", Form.BYTEA, Setting.BYTEA_OUTPUT),
    PgType("text", 25, 1009),
    PgType("character varying", 1043, 1015),
    PgType("character", 1042, 1014),
    PgType('"char"', 18, 1002),
    PgType("name", 19, 1003),
    PgType("unknown", 705, 0),
    PgType("uuid", 2950, 2951),
    PgType("json", 114, 199),
    PgType("jsonb", 3802, 3807),
    PgType("jsonpath", 4072, 4073),
    PgType("xml", 142, 143),
    PgType("bit", 1560, 1561),
    PgType("bit varying", 1562, 1563),
    PgType("inet", 869, 1041),
    PgType("cidr", 650, 651),
    PgType("macaddr", 829, 1040),
    PgType("macaddr8", 774, 775),
    PgType("int4range", 3904, 3905),
    PgType("int8range", 3926, 3927),
    PgType("numrange", 3906, 3907),
    PgType("daterange", 3912, 3913, setting=_DATE),
    PgType("tsrange", 3908, 3909, setting=_DATE),
    PgType("tstzrange", 3910, 3911, setting=_DATE),
    PgType("int4multirange", 4451, 6150),
    PgType("int8multirange", 4536, 6157),
    PgType("nummultirange", 4532, 6151),
    PgType("datemultirange", 4535, 6155, setting=_DATE),
    PgType("tsmultirange", 4533, 6152, setting=_DATE),
    PgType("tstzmultirange", 4534, 6153, setting=_DATE),
    PgType("tsvector", 3614, 3643),
    PgType("tsquery", 3615, 3645),
    PgType("point", 600, 1017, setting=_FLOAT),
    PgType("line", 628, 629, setting=_FLOAT),
    PgType("lseg", 601, 1018, setting=_FLOAT),
    PgType("box", 603, 1020, setting=_FLOAT, delimiter=";"),
    PgType("path", 602, 1019, setting=_FLOAT),
    PgType("polygon", 604, 1027, setting=_FLOAT),
    PgType("circle", 718, 719, setting=_FLOAT),
    PgType("pg_lsn", 3220, 3221),
    PgType("tid", 27, 1010),
    PgType("pg_snapshot", 5038, 5039),
    PgType("int2vector", 22, 1006),
    PgType("oidvector", 30, 1013),
    PgType("regclass", 2205, 2210),
    PgType("regtype", 2206, 2211),
    PgType("regproc", 24, 1008),
    PgType("regprocedure", 2202, 2207),
    PgType("regrole", 4096, 4097),
    PgType("regnamespace", 4089, 4090),
    PgType("aclitem", 1033, 1034),
    PgType("refcursor", 1790, 2201),
    PgType("void", 2278, 0),
)
"""Every other type (enum, composite, one's own range, an extension's) reads as text; a domain as the type below it."""

BY_OID = {entry.oid: entry for entry in TYPES}
BY_ARRAY_OID = {entry.array_oid: entry for entry in TYPES if entry.array_oid}

_WITH_LENGTH = {1043: 4, 1042: 4, 1560: 0, 1562: 0}  # what a type modifier holds on top of the length
_WITH_PRECISION = {1083, 1266, 1114, 1184}


def numeric_scale(modifier: int) -> tuple[int, int] | None:
    """Return (precision, scale) of a declared numeric, or None; the scale may be negative or above the precision."""
    if modifier < 4:
        return None
    packed = modifier - 4
    return (packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024


def type_name(name: str, oid: int, modifier: int) -> str:
    """Return a type's name with its modifier, as `format_type` would, without asking the server."""
    if modifier < 0:
        return name
    if oid == 1700 and (declared := numeric_scale(modifier)):
        return f"numeric({declared[0]},{declared[1]})"
    if oid in _WITH_LENGTH:
        return f"{name}({modifier - _WITH_LENGTH[oid]})"
    if oid in _WITH_PRECISION:
        head, _, rest = name.partition(" ")
        return f"{head}({modifier}) {rest}"
    return name
