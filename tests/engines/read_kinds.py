"""Types of every engine with generated values of theirs: what is written into the SQL, and what must be read.

Of a value that is text in any result, the engine's own client says what must be read.
"""

# ruff: noqa: E501 - a kind is one line

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

Drawn = st.SearchStrategy[Any]
US = 1_000_000
DAY_US = 86_400 * US


@dataclass(frozen=True)
class Kind:
    """A type."""

    type: str
    """As it is declared; also the kind's name."""
    values: Drawn
    write: Callable[[Any], Any] = str
    """The text that the engine reads a value from; for SQLite what is bound."""
    told: bool = False
    """Whether the engine's own client says what is to be read."""
    read: Callable[[Any], Any] = lambda value: value
    """What is to be read for a value that was drawn."""


def seldom(common: Drawn, rare: Drawn) -> Drawn:
    """Return a strategy for values of which one in 1,000 is rare: it widens the column of the others."""
    return st.integers(0, 999).flatmap(lambda drawn: rare if drawn == 999 else common)


def whole(bits: int, *, signed: bool = True) -> Drawn:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, 0]), st.integers(max(low, -128), 127))


def decimals(digits: int, scale: int) -> Drawn:
    most = st.integers(-(10**digits) + 1, 10**digits - 1)
    few = st.integers(-(10 ** min(digits, 6)) + 1, 10 ** min(digits, 6) - 1)
    return st.one_of(most, few).map(lambda drawn: Decimal(f"{drawn}E{-scale}"))


def written(value: Decimal) -> str:
    return format(value, "f")


def moment(microseconds: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=microseconds)


FIRST_US, LAST_US = -62_135_596_800 * US, 253_402_300_800 * US - 1
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=12),
    st.sampled_from(
        ["", "NULL", "null", "\\N", "'", '"', "\\", "{}", "[]", "\r\n", " x ", "nan", "-0", "é\u0301", "﷽", "😀"]
    ),
)
MOMENTS = st.one_of(st.integers(FIRST_US, LAST_US), st.integers(-(10**15), 10**15)).map(moment)
DAYS = st.integers(-719_162, 2_932_896).map(lambda days: dt.date(1970, 1, 1) + dt.timedelta(days))
CLOCKS = st.one_of(st.integers(0, DAY_US - 1), st.integers(0, 86_399).map(lambda s: s * US)).map(
    lambda us: (dt.datetime.min + dt.timedelta(microseconds=us)).time()
)
FLOATS = st.floats()
SINGLES = st.floats(width=32)
NUMBERS_ONLY = st.floats(allow_nan=False, allow_infinity=False)
BYTES = st.binary(max_size=12)
BITS = st.text("01", min_size=1, max_size=70)
UUIDS = st.uuids(allow_nil=True).map(str)
JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(CHARACTERS, max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(CHARACTERS, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
).map(lambda value: json.dumps(value, ensure_ascii=False))


# --- PostgreSQL ---

PG_MADE = """CREATE TYPE mood AS ENUM ('sad', 'it''s ok', '', 'a,b', 'q"\\');
CREATE TYPE place AS (name text, size numeric, made timestamptz, parts int[], data bytea, f float8);
CREATE DOMAIN few AS numeric(8,3); CREATE DOMAIN word AS text; CREATE DOMAIN words AS text[]; CREATE DOMAIN spot AS place;
CREATE DOMAIN fewer AS few; CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE TYPE placerange AS RANGE (subtype = word)"""
PG_DROPPED = (
    "DROP TYPE IF EXISTS mood, place, floatrange, placerange CASCADE; "
    "DROP DOMAIN IF EXISTS fewer, few, word, words, spot CASCADE"
)


def pg_item(text: str | None) -> str:
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def pg_array(write: Callable[[Any], str], mark: str = ",") -> Callable[[Any], str]:
    def text(value: Any) -> str:
        if isinstance(value, list):
            return "{" + mark.join(map(text, value)) + "}"
        return pg_item(None if value is None else write(value))

    return text


def lists(items: Drawn, most: int = 4) -> Drawn:
    return st.lists(st.one_of(items, items, items, st.none()), max_size=most)


def tables(items: Drawn) -> Drawn:
    """Return a strategy for rectangles of items."""
    return st.integers(1, 3).flatmap(
        lambda width: st.lists(
            st.lists(st.one_of(items, st.none()), min_size=width, max_size=width), min_size=1, max_size=3
        )
    )


def pg_hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


def pg_float(value: float) -> str:
    return repr(value).replace("inf", "Infinity")


def zoned(value: dt.datetime) -> str:
    return f"{value}+00"


def pg_interval(value: tuple[int, int, int]) -> str:
    return f"{value[0]} mons {value[1]} days {value[2]} microseconds"


def interval_of(value: tuple[int, int, int]) -> pa.MonthDayNano:
    return pa.MonthDayNano((value[0], value[1], value[2] * 1000))


I32 = st.integers(-(2**31), 2**31 - 1)
INTERVALS = st.tuples(I32, I32, st.integers(-(9 * 10**15), 9 * 10**15))
SMALL_INTERVALS = st.tuples(
    st.integers(-500, 500), st.integers(-9999, 9999), st.integers(-(10**9), 10**9).map(lambda ms: ms * 1000)
)


def ranges(ends: Drawn, write: Callable[[Any], str] = str) -> Drawn:
    def text(drawn: tuple[Any, Any, str, str]) -> str:
        a, b, low, high = drawn
        if a is not None and b is not None:
            a, b = sorted((a, b), key=lambda end: (end != end, end))  # NaN is above all
        sides = ["" if end is None else pg_item(write(end)) for end in (a, b)]
        return f"{low}{sides[0]},{sides[1]}{high}"

    end = st.one_of(ends, ends, ends, st.none())
    return st.one_of(st.tuples(end, end, st.sampled_from("[("), st.sampled_from("])")).map(text), st.just("empty"))


def several(one: Drawn) -> Drawn:
    return st.lists(one, max_size=3).map(lambda found: "{" + ",".join(found) + "}")


FAR_DATES = st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "4713-01-01 BC"])
COORDINATES = st.floats(allow_nan=False, allow_infinity=False).map(repr)


def points(count: int, form: str) -> Drawn:
    return st.tuples(*[COORDINATES] * count).map(lambda found: form.format(*found))


PLACES = st.tuples(
    st.one_of(TEXTS, st.none()), decimals(20, 6), MOMENTS, lists(I32), BYTES, FLOATS
).map(
    lambda v: "({},{},{},{},{},{})".format(
        "" if v[0] is None else pg_item(v[0]), v[1], pg_item(zoned(v[2])), pg_item(pg_array(str)(v[3])),
        pg_item(pg_hex(v[4])), pg_float(v[5]),
    )
)  # fmt: skip
MOODS = st.sampled_from(["sad", "it's ok", "", "a,b", 'q"\\'])
NUMERICS = st.one_of(decimals(10, 2), decimals(30, 3), decimals(5, 0), decimals(12, 12))
HUGE = st.one_of(
    decimals(60, 10), decimals(120, 40), st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
)


def pg_number(value: Decimal) -> str:
    return str(value) if not value.is_finite() else written(value)


POSTGRESQL = (
    Kind("boolean", st.booleans()),
    Kind("smallint", whole(16)),
    Kind("integer", whole(32)),
    Kind("bigint", whole(64)),
    Kind("oid", whole(32, signed=False)),
    Kind("xid", whole(32, signed=False)),
    Kind("cid", whole(32, signed=False)),
    Kind("xid8", whole(64, signed=False)),
    Kind("real", SINGLES, pg_float),
    Kind("double precision", FLOATS, pg_float),
    Kind("numeric(12,2)", seldom(decimals(12, 2), st.just(Decimal("NaN"))), pg_number, told=True),
    Kind("numeric(38,10)", decimals(38, 10), pg_number),
    Kind("numeric(60,30)", decimals(60, 30), pg_number),
    Kind("numeric(5,-3)", st.integers(-99_999, 99_999).map(lambda n: Decimal(n * 1000)), pg_number),
    Kind("numeric(3,8)", decimals(3, 8), pg_number),
    Kind("numeric(200,100)", decimals(200, 100), pg_number, told=True),
    Kind("numeric", seldom(NUMERICS, HUGE), pg_number, told=True),
    Kind("money", st.integers(-(2**63), 2**63 - 1).map(lambda n: written(Decimal(n) / 100 if abs(n) < 10**17 else Decimal(f"{n}E-2"))), told=True),
    Kind("date", seldom(DAYS, FAR_DATES), told=True),
    Kind("time", seldom(CLOCKS, st.just("24:00:00")), told=True),
    Kind("time(2)", CLOCKS, told=True),
    Kind("timetz", st.tuples(CLOCKS, st.integers(-15 * 60, 15 * 60)).map(lambda v: f"{v[0]}{'+' if v[1] >= 0 else '-'}{abs(v[1]) // 60:02}:{abs(v[1]) % 60:02}"), told=True),
    Kind("timestamp", seldom(MOMENTS, FAR_DATES), told=True),
    Kind("timestamp(0)", MOMENTS, told=True),
    Kind("timestamptz", seldom(MOMENTS, FAR_DATES), lambda v: v if isinstance(v, str) else zoned(v), told=True),
    Kind("interval", INTERVALS, pg_interval, read=interval_of),
    Kind("interval day to second(3)", SMALL_INTERVALS, pg_interval, read=interval_of),
    Kind("bytea", BYTES, pg_hex),
    Kind("text", TEXTS),
    Kind("varchar(20)", TEXTS),
    Kind("char(16)", TEXTS, read=lambda v: v.ljust(16)),
    Kind('"char"', st.integers(1, 127).map(chr)),
    Kind("name", TEXTS),
    Kind("uuid", UUIDS),
    Kind("json", JSONS),
    Kind("jsonb", JSONS.filter(lambda v: "\\u0000" not in v), told=True),
    Kind("xml", st.text(st.sampled_from("ab é\n&;<>'\""), max_size=8).map(lambda v: f"<a>{v.replace('&', '&amp;').replace('<', '&lt;')}</a>")),
    Kind("bit(9)", st.text("01", min_size=9, max_size=9)),
    Kind("bit varying", st.text("01", max_size=70)),
    Kind("inet", st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), told=True),
    Kind("macaddr", st.binary(min_size=6, max_size=6).map(lambda v: v.hex(":"))),
    Kind("macaddr8", st.binary(min_size=8, max_size=8).map(lambda v: v.hex(":"))),
    Kind("int4range", ranges(st.integers(-(2**31), 2**31 - 2)), told=True),
    Kind("int8range", ranges(st.integers(-(2**63), 2**63 - 2)), told=True),
    Kind("numrange", ranges(decimals(30, 10), pg_number), told=True),
    Kind("daterange", ranges(DAYS), told=True),
    Kind("tsrange", ranges(MOMENTS), told=True),
    Kind("tstzrange", ranges(MOMENTS, zoned), told=True),
    Kind("floatrange", ranges(FLOATS, pg_float), told=True),
    Kind("placerange", st.tuples(TEXTS).map(lambda v: f"[{pg_item(v[0])},)"), told=True),
    Kind("int4multirange", several(ranges(st.integers(-999, 999))), told=True),
    Kind("nummultirange", several(ranges(decimals(9, 3), pg_number)), told=True),
    Kind("tstzmultirange", several(ranges(MOMENTS, zoned)), told=True),
    Kind("tsvector", st.lists(st.text("ab' \\:é", min_size=1, max_size=5), max_size=4).map(lambda v: " ".join("'" + w.replace("\\", "\\\\").replace("'", "''") + f"':{n + 1}" for n, w in enumerate(v))), told=True),
    Kind("point", points(2, "({},{})"), told=True),
    Kind("line", st.tuples(st.integers(1, 99), COORDINATES, COORDINATES).map(lambda v: "{{{},{},{}}}".format(*v)), told=True),
    Kind("lseg", points(4, "[({},{}),({},{})]"), told=True),
    Kind("box", points(4, "({},{}),({},{})"), told=True),
    Kind("path", points(4, "[({},{}),({},{})]"), told=True),
    Kind("polygon", points(6, "(({},{}),({},{}),({},{}))"), told=True),
    Kind("circle", st.tuples(COORDINATES, COORDINATES, st.integers(0, 99)).map(lambda v: "<({},{}),{}>".format(*v)), told=True),
    Kind("pg_lsn", st.tuples(whole(32, signed=False), whole(32, signed=False)).map(lambda v: f"{v[0]:X}/{v[1]:X}"), told=True),
    Kind("tid", st.tuples(whole(32, signed=False), st.integers(0, 65_535)).map(lambda v: f"({v[0]},{v[1]})")),
    Kind("regtype", st.sampled_from(["integer", "text[]", "timestamp with time zone", "numeric"])),
    Kind("mood", MOODS),
    Kind("place", PLACES, told=True),
    Kind("fewer", decimals(8, 3), pg_number),
    Kind("word", TEXTS),
    Kind("spot", PLACES, told=True),
    Kind("words", lists(TEXTS), pg_array(str)),
    Kind("smallint[]", lists(whole(16)), pg_array(str)),
    Kind("bigint[]", lists(whole(64)), pg_array(str)),
    Kind("bigint[][]", tables(whole(64)), pg_array(str)),
    Kind("boolean[]", lists(st.booleans()), pg_array(str)),
    Kind("oid[]", lists(whole(32, signed=False)), pg_array(str)),
    Kind("real[]", lists(SINGLES), pg_array(pg_float)),
    Kind("double precision[]", lists(FLOATS), pg_array(pg_float)),
    Kind("numeric[]", lists(NUMERICS), pg_array(pg_number)),
    Kind("numeric(20,5)[]", lists(decimals(20, 5)), pg_array(pg_number)),
    Kind("text[]", lists(TEXTS), pg_array(str)),
    Kind("text[][]", tables(TEXTS), pg_array(str)),
    Kind("char(14)[]", lists(TEXTS), pg_array(str), read=lambda v: [None if one is None else one.ljust(14) for one in v]),
    Kind("bytea[]", lists(BYTES), pg_array(pg_hex)),
    Kind("bytea[][]", tables(BYTES), pg_array(pg_hex)),
    Kind("date[]", lists(DAYS), pg_array(str)),
    Kind("time[]", lists(CLOCKS), pg_array(str)),
    Kind("timestamp[]", lists(MOMENTS), pg_array(str)),
    Kind("timestamptz[]", lists(MOMENTS), pg_array(zoned), read=lambda v: [None if one is None else one.replace(tzinfo=dt.UTC) for one in v]),
    Kind("interval[]", lists(INTERVALS), pg_array(pg_interval), read=lambda v: [None if one is None else interval_of(one) for one in v]),
    Kind("uuid[]", lists(UUIDS), pg_array(str)),
    Kind("json[]", lists(JSONS), pg_array(str)),
    Kind("bit(3)[]", lists(st.text("01", min_size=3, max_size=3)), pg_array(str)),
    Kind("mood[]", lists(MOODS), pg_array(str)),
    Kind("mood[][]", tables(MOODS), pg_array(str)),
    Kind("fewer[]", lists(decimals(8, 3)), pg_array(pg_number)),
    Kind("word[]", lists(TEXTS), pg_array(str)),
    Kind("int4range[]", lists(st.tuples(st.integers(-99, 0), st.integers(1, 99)).map(lambda v: f"[{v[0]},{v[1]})")), pg_array(str)),
    Kind("box[]", lists(st.tuples(st.integers(0, 9), st.integers(-9, -1)).map(lambda v: f"({v[0]},{v[0]}),({v[1]},{v[1]})")), pg_array(str, ";")),
)  # fmt: skip


# --- MariaDB ---

LONGEST_US = (838 * 3600 + 59 * 60 + 59) * US


def clock(us: int, digits: int = 6) -> str:
    seconds, part = divmod(abs(us), US)
    return f"{'-' if us < 0 else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (
        f".{part:06}" if digits else ""
    )


def length(us: int) -> dt.timedelta:
    return dt.timedelta(microseconds=us)


def point(drawn: tuple[float, float]) -> bytes:
    return bytes(4) + struct.pack("<BIdd", 1, 1, *drawn)


MY_DAYS = seldom(DAYS, st.sampled_from(["0000-00-00", "2024-00-10", "0000-01-01", "2024-02-00"]))
MARIADB = (
    Kind("TINYINT", whole(8)),
    Kind("TINYINT(1)", whole(8)),
    Kind("TINYINT UNSIGNED", whole(8, signed=False)),
    Kind("SMALLINT", whole(16)),
    Kind("SMALLINT UNSIGNED", whole(16, signed=False)),
    Kind("MEDIUMINT", whole(24)),
    Kind("MEDIUMINT UNSIGNED", whole(24, signed=False)),
    Kind("INT", whole(32)),
    Kind("INT(9) UNSIGNED ZEROFILL", whole(32, signed=False)),
    Kind("BIGINT", whole(64)),
    Kind("BIGINT UNSIGNED", whole(64, signed=False)),
    Kind("BIGINT(20) UNSIGNED ZEROFILL", whole(64, signed=False)),
    Kind("DECIMAL(12,2)", decimals(12, 2), written),
    Kind("DECIMAL(5,0)", decimals(5, 0), written),
    Kind("DECIMAL(38,38)", decimals(38, 38), written),
    Kind("DECIMAL(39,9)", decimals(39, 9), written),
    Kind("DECIMAL(65,38)", decimals(65, 38), written),
    Kind("DECIMAL(65,0)", decimals(65, 0), written),
    Kind("DECIMAL(10,4) ZEROFILL", decimals(10, 4).map(abs), written),
    Kind("FLOAT", st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False).map(lambda v: v + 0.0), repr),
    Kind("DOUBLE", st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).map(lambda v: v + 0.0), repr),
    Kind("BIT(1)", st.booleans(), lambda v: int(v)),
    Kind("BIT(7)", whole(7, signed=False), lambda v: int(v)),
    Kind("BIT(33)", whole(33, signed=False), lambda v: int(v)),
    Kind("BIT(64)", whole(64, signed=False), lambda v: int(v)),
    Kind("YEAR", st.one_of(st.integers(1901, 2155), st.just(0)), lambda v: "0000" if not v else str(v)),
    Kind("DATE", MY_DAYS, told=True),
    Kind("DATETIME", seldom(MOMENTS.map(lambda v: v.replace(microsecond=0)), st.sampled_from(["0000-00-00 00:00:00", "2024-00-10 01:02:03"])), told=True),
    Kind("DATETIME(3)", MOMENTS.map(lambda v: v.replace(microsecond=v.microsecond // 1000 * 1000)), told=True),
    Kind("DATETIME(6)", seldom(MOMENTS, st.just("0000-00-00 00:00:00.000000")), told=True),
    Kind("TIMESTAMP(6)", st.integers(86_400 * US, (2**31 - 90_000) * US).map(moment), told=True),
    Kind("TIME", st.integers(-LONGEST_US // US, LONGEST_US // US).map(lambda s: s * US), lambda v: clock(v, 0), read=length),
    Kind("TIME(6)", st.integers(-LONGEST_US, LONGEST_US), clock, read=length),
    Kind("CHAR(16)", TEXTS, read=lambda v: v.rstrip(" ")),
    Kind("VARCHAR(300)", st.one_of(TEXTS, st.integers(240, 260).map(lambda n: "é" * n))),
    Kind("VARCHAR(20) CHARACTER SET latin1", st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)),
    Kind("VARCHAR(20) CHARACTER SET utf16", TEXTS),
    Kind("VARCHAR(20) COLLATE utf8mb4_bin", TEXTS),
    Kind("TEXT", st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    Kind("LONGTEXT", TEXTS),
    Kind("BINARY(12)", BYTES, bytes, read=lambda v: v.ljust(12, b"\0")),
    Kind("VARBINARY(300)", st.one_of(BYTES, st.integers(245, 256).map(lambda n: b"\xfb" * n)), bytes),
    Kind("BLOB", BYTES, bytes),
    Kind("JSON", JSONS),
    Kind("ENUM('small','','größe','a,b')", st.sampled_from(["small", "", "größe", "a,b"])),
    Kind("SET('a','b','ü')", st.sets(st.sampled_from(["a", "b", "ü"])).map(lambda v: ",".join(sorted(v)))),
    Kind("INET4", st.ip_addresses(v=4).map(str)),
    Kind("INET6", st.ip_addresses(v=6), told=True),
    Kind("UUID", UUIDS, told=True),
    Kind("POINT", st.tuples(NUMBERS_ONLY, NUMBERS_ONLY), point, read=point),
)  # fmt: skip


# --- DuckDB ---


def sql(text: Any) -> str:
    """Return a literal of DuckDB's."""
    parts = ["'" + part.replace("'", "''") + "'" for part in str(text).split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def blob(value: bytes) -> str:
    return f"unhex('{value.hex()}')" if value else "''::BLOB"


def listed(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "[" + ", ".join("NULL" if one is None else write(one) for one in value) + "]"


def cast(type_: str, write: Callable[[Any], str] = sql) -> Callable[[Any], str]:
    return lambda value: f"{write(value)}::{type_}"


def duck_interval(value: tuple[int, int, int]) -> str:
    return f"to_months({value[0]}) + to_days({value[1]}) + to_microseconds({value[2]})"


def nano(value: int) -> str:
    return f"make_timestamp_ns({value})"


def duck_clock_ns(value: int) -> str:
    text = (dt.datetime.min + dt.timedelta(microseconds=value // 1000)).time().isoformat("microseconds")
    return f"{text}{value % 1000:03}"


def optional(one: Drawn) -> Drawn:
    return st.one_of(one, one, one, st.none())


DUCK_FAR = st.sampled_from(["infinity", "-infinity", "0044-03-15 (BC)", "12000-01-01", "0001-12-31 (BC)"])
DUCK_INTERVALS = st.tuples(
    st.integers(-(2**30), 2**30), st.integers(-(2**30), 2**30), st.integers(-(9 * 10**15), 9 * 10**15)
)
HUGEINTS = seldom(whole(64), whole(128))
TEXTS_NUL = st.one_of(TEXTS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
ITEMS: dict[str, tuple[Drawn, Callable[[Any], str], Callable[[Any], Any]]] = {
    "INTEGER": (whole(32), str, lambda v: v),
    "BIGINT": (whole(64), sql, lambda v: v),
    "UBIGINT": (whole(64, signed=False), str, lambda v: v),
    "BOOLEAN": (st.booleans(), str, lambda v: v),
    "DOUBLE": (FLOATS, lambda v: sql(repr(v)), lambda v: v),
    "FLOAT": (SINGLES, lambda v: sql(repr(v)), lambda v: v),
    "DECIMAL(18,3)": (decimals(18, 3), lambda v: sql(written(v)), lambda v: v),
    "DECIMAL(38,10)": (decimals(38, 10), lambda v: sql(written(v)), lambda v: v),
    "VARCHAR": (TEXTS_NUL, sql, lambda v: v),
    "BLOB": (BYTES, blob, lambda v: v),
    "UUID": (UUIDS, sql, lambda v: v),
    "BIT": (BITS, sql, lambda v: v),
    "HUGEINT": (st.one_of(st.integers(2**64, 2**127 - 1), whole(32)), sql, lambda v: Decimal(v)),
    "BIGNUM": (st.integers(-(10**50), 10**50), sql, str),
    "DATE": (DAYS, sql, lambda v: v),
    "TIME": (CLOCKS, sql, lambda v: v),
    "TIMESTAMP": (MOMENTS, sql, lambda v: v),
    "TIMESTAMP_S": (MOMENTS.map(lambda v: v.replace(microsecond=0)), sql, lambda v: v),
    "TIMESTAMP_MS": (MOMENTS.map(lambda v: v.replace(microsecond=v.microsecond // 1000 * 1000)), sql, lambda v: v),
    "TIMESTAMPTZ": (st.integers(FIRST_US + DAY_US, LAST_US - DAY_US).map(moment), lambda v: sql(zoned(v)), lambda v: v.replace(tzinfo=dt.UTC)),
    "INTERVAL": (DUCK_INTERVALS, duck_interval, interval_of),
    "ENUM('b', 'a', 'é')": (st.sampled_from(["b", "a", "é"]), sql, lambda v: v),
}  # fmt: skip


def of_items(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: [None if one is None else read(one) for one in value]


def duck_list(name: str) -> Kind:
    items, write, read = ITEMS[name]
    return Kind(f"{name}[]", lists(items), listed(write), read=of_items(read))


def duck_array(name: str) -> Kind:
    items, write, read = ITEMS[name]
    drawn = st.lists(optional(items), min_size=2, max_size=2)
    return Kind(f"{name}[2]", drawn, listed(write), read=of_items(read))


def duck_struct(*names: str) -> Kind:
    parts = [ITEMS[name] for name in names]

    def write(value: tuple[Any, ...]) -> str:
        given = (
            f"m{n}: {'NULL' if v is None else part[1](v)}" for n, (v, part) in enumerate(zip(value, parts, strict=True))
        )
        return "{" + ", ".join(given) + "}"

    def read(value: tuple[Any, ...]) -> dict[str, Any]:
        return {f"m{n}": None if v is None else p[2](v) for n, (v, p) in enumerate(zip(value, parts, strict=True))}

    type_ = "STRUCT(" + ", ".join(f"m{n} {name}" for n, name in enumerate(names)) + ")"
    return Kind(type_, st.tuples(*[optional(part[0]) for part in parts]), write, read=read)


def duck_map(key: str, item: str) -> Kind:
    keys, items = ITEMS[key], ITEMS[item]

    def write(value: list[tuple[Any, Any]]) -> str:
        return f"MAP {{{', '.join(f'{keys[1](k)}: ' + ('NULL' if v is None else items[1](v)) for k, v in value)}}}"

    def read(value: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        return [(keys[2](k), None if v is None else items[2](v)) for k, v in value]

    drawn = st.lists(st.tuples(keys[0], optional(items[0])), max_size=3, unique_by=lambda pair: str(keys[1](pair[0])))
    return Kind(f"MAP({key}, {item})", drawn, write, read=read)


def duck_deep(name: str) -> Kind:
    """Return the kind of lists of structs of an item, a list of it and a map to it."""
    items, write, read = ITEMS[name]
    many, pairs = duck_list(name), duck_map("INTEGER", name)
    drawn = lists(st.tuples(optional(items), optional(many.values), optional(pairs.values)), 3)

    def made(value: Any, how: Callable[[Any], str]) -> str:
        return "NULL" if value is None else how(value)

    def text(value: list[Any]) -> str:
        return listed(
            lambda v: f"{{i: {made(v[0], write)}, l: {made(v[1], many.write)}, m: {made(v[2], pairs.write)}}}"
        )(value)

    def meant(value: list[Any]) -> list[Any]:
        parts = (("i", read), ("l", many.read), ("m", pairs.read))
        return [
            None
            if one is None
            else {key: None if v is None else how(v) for v, (key, how) in zip(one, parts, strict=True)}
            for one in value
        ]

    return Kind(f"STRUCT(i {name}, l {name}[], m MAP(INTEGER, {name}))[]", drawn, text, read=meant)


def duck_union(one: str, other: str) -> Kind:
    drawn = st.one_of(ITEMS[one][0].map(lambda v: ("o", v)), ITEMS[other][0].map(lambda v: ("t", v)))

    def write(value: tuple[str, Any]) -> str:
        name = one if value[0] == "o" else other
        return f"union_value({value[0]} := ({ITEMS[name][1](value[1])})::{name})"

    def read(value: tuple[str, Any]) -> dict[str, Any]:
        tag, drawn_value = value
        return {
            "tag": tag,
            "o": ITEMS[one][2](drawn_value) if tag == "o" else None,
            "t": ITEMS[other][2](drawn_value) if tag == "t" else None,
        }

    return Kind(f"UNION(o {one}, t {other})", drawn, write, read=read)


DUCKDB = (
    *(Kind(name, items, write, read=read) for name, (items, write, read) in ITEMS.items() if name not in ("HUGEINT", "TIMESTAMPTZ", "DATE", "TIMESTAMP")),
    Kind("TINYINT", whole(8)),
    Kind("SMALLINT", whole(16)),
    Kind("UTINYINT", whole(8, signed=False)),
    Kind("USMALLINT", whole(16, signed=False)),
    Kind("UINTEGER", whole(32, signed=False)),
    Kind("HUGEINT", HUGEINTS, sql),
    Kind("UHUGEINT", seldom(whole(64, signed=False), whole(128, signed=False)), sql),
    Kind("DECIMAL(4,1)", decimals(4, 1), lambda v: sql(written(v))),
    Kind("DECIMAL(9,9)", decimals(9, 9), lambda v: sql(written(v))),
    Kind("JSON", JSONS, sql),
    Kind("DATE", seldom(DAYS, DUCK_FAR), sql, told=True),
    Kind("TIMESTAMP", seldom(MOMENTS, DUCK_FAR), sql, told=True),
    Kind("TIMESTAMPTZ", seldom(MOMENTS.filter(lambda v: dt.datetime(1, 1, 2) < v < dt.datetime(9999, 12, 30)), DUCK_FAR), lambda v: sql(v if isinstance(v, str) else zoned(v)), told=True),
    Kind("TIME_NS", st.one_of(st.integers(0, DAY_US - 1).map(lambda v: v * 1000), st.integers(0, DAY_US * 1000 - 1)), lambda v: sql(duck_clock_ns(v)), told=True),
    Kind("TIMETZ", st.tuples(CLOCKS, st.integers(-57_599, 57_599)).map(lambda v: f"{v[0]}{'+' if v[1] >= 0 else '-'}{abs(v[1]) // 3600:02}:{abs(v[1]) // 60 % 60:02}:{abs(v[1]) % 60:02}"), sql, told=True),
    Kind("TIMESTAMP_NS", st.integers(-(2**63) + 10**11, 2**63 - 10**11), nano, told=True),
    Kind("GEOMETRY", st.tuples(st.integers(-9, 9), st.integers(-9, 9)), lambda v: sql("POINT({} {})".format(*v)), read=lambda v: struct.pack("<BIdd", 1, 1, *v)),
    *map(duck_list, ITEMS),
    *(duck_array(name) for name in ("INTEGER", "DOUBLE", "VARCHAR", "DATE", "UUID", "HUGEINT", "BLOB", "INTERVAL", "ENUM('b', 'a', 'é')")),
    Kind("BIGINT[][]", lists(lists(whole(64))), listed(listed(sql))),
    Kind("INTEGER[2][]", lists(st.lists(optional(whole(32)), min_size=2, max_size=2)), listed(listed(str))),
    Kind("UUID[][]", lists(lists(UUIDS)), listed(listed(sql))),
    duck_struct("INTEGER", "VARCHAR", "DATE", "DECIMAL(18,3)", "UUID"),
    duck_struct("TIMESTAMP", "TIME", "INTERVAL", "BLOB", "HUGEINT", "BIT"),
    duck_struct("ENUM('b', 'a', 'é')", "TIMESTAMPTZ", "BIGNUM", "BOOLEAN", "FLOAT"),
    *(duck_map(key, item) for key, item in (("VARCHAR", "BIGINT"), ("INTEGER", "VARCHAR"), ("DATE", "DECIMAL(18,3)"), ("UUID", "UUID"), ("ENUM('b', 'a', 'é')", "TIMESTAMP"), ("VARCHAR", "BOOLEAN"))),
    *map(duck_deep, ITEMS),
    *(duck_union(one, other) for one, other in (("INTEGER", "VARCHAR"), ("UUID", "HUGEINT"), ("DATE", "BLOB"), ("DECIMAL(18,3)", "ENUM('b', 'a', 'é')"))),
)  # fmt: skip


# --- SQLite ---


class Raw(bytes):
    """Bytes that are written as text."""

    __slots__ = ()


NUMBERS = st.one_of(whole(64), FLOATS)
SQL_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY = st.one_of(whole(64), FLOATS, SQL_TEXTS, BYTES)


def iso(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


SQLITE = (
    Kind("INTEGER", seldom(whole(64), st.one_of(FLOATS, st.just("x"), BYTES)), told=True),
    Kind("TINYINT", seldom(whole(8), FLOATS), told=True),
    Kind("BOOLEAN", seldom(st.booleans().map(int), st.integers(2, 9)), told=True),
    Kind("REAL", seldom(FLOATS, SQL_TEXTS), told=True),
    Kind("DOUBLE", FLOATS, told=True),
    Kind("DECIMAL(10,2)", seldom(decimals(10, 2).map(float), SQL_TEXTS), told=True),
    Kind("DEC(12,3)", decimals(12, 3), float),
    Kind("DEC(30,0)", whole(64).map(Decimal), int),
    Kind("NUMERIC", NUMBERS, told=True),
    Kind("TEXT", seldom(SQL_TEXTS, st.one_of(BYTES, BYTES.map(Raw))), told=True),
    Kind("VARCHAR(3)", SQL_TEXTS, told=True),
    Kind("BLOB", seldom(BYTES, SQL_TEXTS), told=True),
    Kind("DATE", seldom(DAYS, st.sampled_from(["2024-02-30", "29.02.2024", 20240229, "0000-01-01", " 2024-01-01", "2024-1-1", 2460369.5])), iso, told=True),
    Kind("DATETIME", seldom(MOMENTS, st.sampled_from(["2024-02-29T01:02:03Z", "24:00", "0000-01-01 00:00:00", 1709164800, "now"])), iso, told=True),
    Kind("TIME", CLOCKS, str),
    Kind("JSON", JSONS, told=True),  # a NUMERIC to SQLite: long digits become a real
    Kind("UUID", UUIDS, told=True),
    Kind("", ANY, told=True),
    Kind("ANYTHING", st.one_of(whole(64), st.integers(-(2**53), 2**53).map(float)), told=True),
)  # fmt: skip

KINDS: dict[str, tuple[Kind, ...]] = {
    "postgresql": POSTGRESQL,
    "mysql": MARIADB,
    "duckdb": DUCKDB,
    "sqlite": SQLITE,
}
