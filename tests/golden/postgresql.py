"""PostgreSQL: type, literals, Arrow type, values. Each case has a NULL before them."""

# ruff: noqa: E501 - a golden case is one line

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa

OWN_TYPES = """CREATE TYPE pg_temp.mood AS ENUM ('sad', 'it''s ok'); CREATE TYPE pg_temp.place AS (name text, size numeric);
CREATE DOMAIN pg_temp.positive AS integer CHECK (VALUE > 0);
CREATE TYPE pg_temp.floatrange AS RANGE (subtype = float8); SET search_path = pg_temp, public"""
"""What some of the cases are made of."""

D = Decimal
S = pa.string()
US = pa.timestamp("us")
TZ = pa.timestamp("us", tz="UTC")
MDN = pa.month_day_nano_interval()
T = pa.list_
NINES_60 = "9" * 60

# (type, literals, Arrow type, values); NULL is added to each.
GOLDEN: list[tuple[str, list[str], pa.DataType, list[Any]]] = [
    ("boolean", ["t", "f"], pa.bool_(), [True, False]),
    ("smallint", ["-32768", "32767"], pa.int16(), [-32768, 32767]),
    ("integer", ["-2147483648", "2147483647"], pa.int32(), [-(2**31), 2**31 - 1]),
    ("bigint", ["-9223372036854775808", "9223372036854775807"], pa.int64(), [-(2**63), 2**63 - 1]),
    ("oid", ["0", "4294967295"], pa.uint32(), [0, 2**32 - 1]),
    ("xid", ["3", "4294967295"], pa.uint32(), [3, 2**32 - 1]),
    ("cid", ["0", "4294967295"], pa.uint32(), [0, 2**32 - 1]),
    ("xid8", ["0", "18446744073709551615"], pa.uint64(), [0, 2**64 - 1]),
    ("real", ["-3.4028235e38", "1e-45", "0.1", "Infinity"], pa.float32(), [-3.4028234663852886e38, 1.401298464324817e-45, 0.10000000149011612, float("inf")]),
    ("double precision", ["-1.7976931348623157e308", "5e-324", "0.1", "-Infinity", "-0"], pa.float64(), [-1.7976931348623157e308, 5e-324, 0.1, float("-inf"), -0.0]),
    ("numeric(12,2)", ["-9999999999.99", "9999999999.99", "0"], pa.decimal128(12, 2), [D("-9999999999.99"), D("9999999999.99"), D("0.00")]),
    ("numeric(12,2)", ["1.5", "NaN"], S, ["1.50", "NaN"]),
    ("numeric(38,0)", ["-" + "9" * 38, "9" * 38], pa.decimal128(38, 0), [D("-" + "9" * 38), D("9" * 38)]),
    ("numeric(60,30)", [NINES_60[:30] + "." + NINES_60[:30]], pa.decimal256(60, 30), [D(NINES_60[:30] + "." + NINES_60[:30])]),
    ("numeric(5,-2)", ["12345", "-9999900"], pa.decimal128(7, 0), [D(12300), D(-9999900)]),
    ("numeric(2,5)", ["0.00099", "-0.00001"], pa.decimal128(5, 5), [D("0.00099"), D("-0.00001")]),
    ("numeric(100,50)", ["1.5"], S, ["1." + "5".ljust(50, "0")]),
    ("numeric", ["1", "2.50", "-0.125"], pa.decimal128(38, 3), [D("1.000"), D("2.500"), D("-0.125")]),
    ("numeric", [NINES_60, "1.5"], pa.decimal256(76, 1), [D(NINES_60 + ".0"), D("1.5")]),
    ("numeric", ["1e90", "1.5"], S, ["1" + "0" * 90, "1.5"]),
    ("numeric", ["Infinity", "-Infinity", "NaN", "1.10"], S, ["Infinity", "-Infinity", "NaN", "1.10"]),
    ("money", ["-92233720368547758.08", "92233720368547758.07", "1.5"], S, ["-$92,233,720,368,547,758.08", "$92,233,720,368,547,758.07", "$1.50"]),
    ("date", ["0001-01-01", "9999-12-31", "2024-02-29"], pa.date32(), [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)]),
    ("date", ["2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "5874897-12-31"], S, ["2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "5874897-12-31"]),
    ("time", ["00:00:00", "23:59:59.999999"], pa.time64("us"), [time(0), time(23, 59, 59, 999999)]),
    ("time", ["24:00:00", "12:30:00"], S, ["24:00:00", "12:30:00"]),
    ("time(0)", ["12:30:01"], pa.time64("us"), [time(12, 30, 1)]),
    ("timetz", ["00:00:00+15:59", "24:00:00-15:59", "12:30:00.5+05:30"], S, ["00:00:00+15:59", "24:00:00-15:59", "12:30:00.5+05:30"]),
    ("timestamp", ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"], US, [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]),
    ("timestamp", ["2024-01-02 03:04:05", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999"], S, ["2024-01-02 03:04:05", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999"]),
    ("timestamptz", ["2024-07-02 03:04:05.5+02", "0001-01-01 00:00:00+00"], TZ, [datetime(2024, 7, 2, 1, 4, 5, 500000, UTC), datetime(1, 1, 1, tzinfo=UTC)]),
    ("timestamptz", ["2024-07-02 03:04:05+02", "-infinity"], S, ["2024-07-02 01:04:05+00", "-infinity"]),
    ("interval", ["1 year 2 mons -3 days -04:05:06.789", "00:00:00", "-1 mons +2 days", "178000000 years"], MDN, [pa.MonthDayNano([14, -3, -14706789000000]), pa.MonthDayNano([0, 0, 0]), pa.MonthDayNano([-1, 2, 0]), pa.MonthDayNano([2136000000, 0, 0])]),
    ("interval", ["2562048:00:00", "1 day"], S, ["2562048:00:00", "1 day"]),
    ("bytea", ["\\x", "\\x00ff5c0a09", "\\x27"], pa.binary(), [b"", b"\x00\xff\\\n\t", b"'"]),
    ("text", ["", "a\tb\nc\r\nd\\N", "\\", "\\N", "NULL", '"q"', "héllo 🐘", " sp ", "\ufeffbom", "\b\f\v\x01"], S, ["", "a\tb\nc\r\nd\\N", "\\", "\\N", "NULL", '"q"', "héllo 🐘", " sp ", "\ufeffbom", "\b\f\v\x01"]),
    ("varchar(5)", ["", "abc"], S, ["", "abc"]),
    ("char(5)", ["", "abc"], S, ["     ", "abc  "]),
    ('"char"', ["a", ""], S, ["a", ""]),
    ("name", ["", "abc"], S, ["", "abc"]),
    ("uuid", ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"], S, ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("json", ['{"b": 1,  "a": [1.10, null], "b": "\\u00e9\\n"}'], S, ['{"b": 1,  "a": [1.10, null], "b": "\\u00e9\\n"}']),
    ("jsonb", ['{"b": 1.10, "a": [true, null]}', "null"], S, ['{"a": [true, null], "b": 1.10}', "null"]),
    ("jsonpath", ["$.a[*]"], S, ['$."a"[*]']),
    ("xml", ["<a>1 &amp; 2</a>"], S, ["<a>1 &amp; 2</a>"]),
    ("bit(3)", ["101"], S, ["101"]),
    ("bit varying", ["", "1", "0" * 70], S, ["", "1", "0" * 70]),
    ("inet", ["192.168.0.1/24", "::1"], S, ["192.168.0.1/24", "::1"]),
    ("cidr", ["10.0.0.0/8", "2001:db8::/32"], S, ["10.0.0.0/8", "2001:db8::/32"]),
    ("macaddr", ["08:00:2b:01:02:03"], S, ["08:00:2b:01:02:03"]),
    ("macaddr8", ["08:00:2b:01:02:03:04:05"], S, ["08:00:2b:01:02:03:04:05"]),
    ("int4range", ["[1,5)", "empty", "(,)"], S, ["[1,5)", "empty", "(,)"]),
    ("int8range", ["[1,9223372036854775807)"], S, ["[1,9223372036854775807)"]),
    ("numrange", ["[1.10,2)"], S, ["[1.10,2)"]),
    ("daterange", ["[2024-01-01,infinity)"], S, ["[2024-01-01,infinity)"]),
    ("tsrange", ["[2024-01-01 00:00,)"], S, ['["2024-01-01 00:00:00",)']),
    ("tstzrange", ["[2024-01-01 00:00+00,)"], S, ['["2024-01-01 00:00:00+00",)']),
    ("int4multirange", ["{[1,3),[5,7)}", "{}"], S, ["{[1,3),[5,7)}", "{}"]),
    ("nummultirange", ["{[1.5,2)}"], S, ["{[1.5,2)}"]),
    ("datemultirange", ["{[2024-01-01,2024-01-03)}"], S, ["{[2024-01-01,2024-01-03)}"]),
    ("tsvector", ["a:1 'b c':2"], S, ["'a':1 'b c':2"]),
    ("tsquery", ["a & !b"], S, ["'a' & !'b'"]),
    ("point", ["(0.1,-1e300)"], S, ["(0.1,-1e+300)"]),
    ("line", ["{1,2,3}"], S, ["{1,2,3}"]),
    ("lseg", ["[(0,0),(1,1)]"], S, ["[(0,0),(1,1)]"]),
    ("box", ["(1,1),(0,0)"], S, ["(1,1),(0,0)"]),
    ("path", ["((0,0),(1,1))"], S, ["((0,0),(1,1))"]),
    ("polygon", ["((0,0),(1,1))"], S, ["((0,0),(1,1))"]),
    ("circle", ["<(0,0),1>"], S, ["<(0,0),1>"]),
    ("pg_lsn", ["16/B374D848"], S, ["16/B374D848"]),
    ("tid", ["(0,1)"], S, ["(0,1)"]),
    ("pg_snapshot", ["10:20:10,14"], S, ["10:20:10,14"]),
    ("int2vector", ["1 2"], S, ["1 2"]),
    ("oidvector", ["1 2"], S, ["1 2"]),
    ("regclass", ["pg_class"], S, ["pg_class"]),
    ("regtype", ["integer"], S, ["integer"]),
    ("mood", ["sad", "it's ok"], S, ["sad", "it's ok"]),
    ("place", ['("a b",1.10)', "(,)"], S, ['("a b",1.10)', "(,)"]),
    ("positive", ["1"], pa.int32(), [1]),
    ("floatrange", ["[0.1,2)"], S, ["[0.1,2)"]),
    ("integer[]", ["{}", "{1,NULL,-3}"], T(pa.int32()), [[], [1, None, -3]]),
    ("integer[]", ["{{1,2},{3,NULL}}", "{}"], T(T(pa.int32())), [[[1, 2], [3, None]], []]),
    ("integer[]", ["{{{1},{2}}}"], T(T(T(pa.int32()))), [[[[1], [2]]]]),
    ("integer[]", ["[0:1]={5,6}"], T(pa.int32()), [[5, 6]]),
    ("integer[]", ["{1}", "{{1}}"], S, ["{1}", "{{1}}"]),
    ("bigint[]", ["{9223372036854775807}"], T(pa.int64()), [[2**63 - 1]]),
    ("boolean[]", ["{t,f,NULL}"], T(pa.bool_()), [[True, False, None]]),
    ("text[]", ['{"","NULL",NULL,"a,b","q\\"\\\\","{}","new\nline","ünï"}', "{}", "{plain}"], T(S), [["", "NULL", None, "a,b", 'q"\\', "{}", "new\nline", "ünï"], [], ["plain"]]),
    ("varchar(3)[]", ["{abc}"], T(S), [["abc"]]),
    ("numeric[]", ["{1.5,2.25}", "{3}"], T(pa.decimal128(38, 2)), [[D("1.50"), D("2.25")], [D("3.00")]]),
    ("numeric(5,2)[]", ["{1.5}"], T(pa.decimal128(5, 2)), [[D("1.50")]]),
    ("double precision[]", ["{0.1,Infinity,NULL}"], T(pa.float64()), [[0.1, float("inf"), None]]),
    ("date[]", ["{2024-01-01}"], T(pa.date32()), [[date(2024, 1, 1)]]),
    ("date[]", ["{2024-01-01,infinity}"], T(S), [["2024-01-01", "infinity"]]),
    ("timestamp[]", ['{"2024-01-01 00:00:00"}'], T(US), [[datetime(2024, 1, 1)]]),
    ("timestamptz[]", ['{"2024-01-01 00:00:00+00"}'], T(TZ), [[datetime(2024, 1, 1, tzinfo=UTC)]]),
    ("interval[]", ['{"1 mon","-00:00:01"}'], T(MDN), [[pa.MonthDayNano([1, 0, 0]), pa.MonthDayNano([0, 0, -1000000000])]]),
    ("bytea[]", ['{"\\\\x00ff",NULL,"\\\\x"}'], T(pa.binary()), [[b"\x00\xff", None, b""]]),
    ("uuid[]", ["{00000000-0000-0000-0000-000000000000}"], T(S), [["00000000-0000-0000-0000-000000000000"]]),
    ("jsonb[]", ['{"{\\"a\\": 1}"}'], T(S), [['{"a": 1}']]),
    ("box[]", ["{(1,1),(0,0);(2,2),(1,1)}"], T(S), [["(1,1),(0,0)", "(2,2),(1,1)"]]),
    ("mood[]", ["{sad,\"it's ok\"}"], T(S), [["sad", "it's ok"]]),
    ("place[]", ['{"(a,1)"}'], T(S), [["(a,1)"]]),
    ("positive[]", ["{1,2}"], T(pa.int32()), [[1, 2]]),
    ("daterange[]", ['{"[2024-01-01,2024-01-02)"}'], T(S), [["[2024-01-01,2024-01-02)"]]),
]  # fmt: skip


def selected(type_: str, literals: list[str]) -> str:
    """Return the SELECT of a case, whose column is x."""
    values = ["NULL", *("E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in literals)]
    return (
        f"SELECT v::{type_} AS x FROM (VALUES {', '.join(f'({n}, {v}::text)' for n, v in enumerate(values))}) s(n, v)"
    )
