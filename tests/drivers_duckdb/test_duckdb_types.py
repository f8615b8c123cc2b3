"""Every DuckDB type with NULL, its ends and its awkward values; and TYPES.md says what really comes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import tusk_drivers.duckdb
from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.client.widen import widen_table
from tusk_jupyter.driverkit.session import Rows, Settings
from tusk_jupyter.sqltext.statements import split

HUGE = 2**127
TEXT = "large_string"
UTC = dt.UTC


def moment(*parts: int, zone: dt.tzinfo | None = None) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=zone)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def session() -> Iterator[DuckDBSession]:
    opened = DuckDBSession.connect(Settings(config={}))
    opened.execute(split("SET TimeZone = 'UTC'", "duckdb")[0], {})
    yield opened
    opened.close()


def rows_of(session: DuckDBSession, sql: str) -> Rows:
    outcome = session.execute(split(sql, "duckdb")[0], {})
    assert isinstance(outcome, Rows)
    return outcome


def column_of(session: DuckDBSession, type_: str, literals: list[str]) -> tuple[str, list[Any], list[str]]:
    """Select the literals and NULL as one column of a type; return its Arrow type, its values and the notes."""
    casts = ", ".join(f"({n}, ({literal})::{type_})" for n, literal in enumerate([*literals, "NULL"]))
    result = rows_of(session, f"SELECT x FROM (VALUES {casts}) AS v(n, x) ORDER BY n")
    batches = list(result.batches)
    for batch in batches:
        batch.validate(full=True)
    return (
        str(batches[-1].schema.field(0).type),
        [v for b in batches for v in b.column(0).to_pylist()],
        list(result.notes()),
    )


GOLDEN: list[tuple[str, list[str], str, list[Any]]] = [
    ("BOOLEAN", ["true", "false"], "bool", [True, False]),
    ("TINYINT", ["-128", "127"], "int8", [-128, 127]),
    ("SMALLINT", ["-32768", "32767"], "int16", [-32768, 32767]),
    ("INTEGER", ["-2147483648", "2147483647"], "int32", [-(2**31), 2**31 - 1]),
    ("BIGINT", ["'-9223372036854775808'", "9223372036854775807"], "int64", [-(2**63), 2**63 - 1]),
    ("UTINYINT", ["0", "255"], "uint8", [0, 255]),
    ("USMALLINT", ["0", "65535"], "uint16", [0, 65535]),
    ("UINTEGER", ["0", "4294967295"], "uint32", [0, 2**32 - 1]),
    ("UBIGINT", ["0", "18446744073709551615"], "uint64", [0, 2**64 - 1]),
    ("HUGEINT", ["-1", "'-9223372036854775808'", "9223372036854775807"], "int64", [-1, -(2**63), 2**63 - 1]),
    ("HUGEINT", ["'-9223372036854775809'", "0", "-1"], "decimal256(39, 0)",
     [Decimal(-(2**63) - 1), Decimal(0), Decimal(-1)]),
    ("HUGEINT", ["9223372036854775808"], "decimal256(39, 0)", [Decimal(2**63)]),
    ("HUGEINT", [f"'{-HUGE}'", f"'{HUGE - 1}'"], "decimal256(39, 0)", [Decimal(-HUGE), Decimal(HUGE - 1)]),
    ("UHUGEINT", ["0", "18446744073709551615"], "uint64", [0, 2**64 - 1]),
    ("UHUGEINT", ["18446744073709551616", f"'{2 * HUGE - 1}'"], "decimal256(39, 0)",
     [Decimal(2**64), Decimal(2 * HUGE - 1)]),
    ("BIGNUM", ["0", "-1", f"'{-(10**60)}'", f"'1{'0' * 4999}7'", "255", "-256"], TEXT,
     ["0", "-1", f"-1{'0' * 60}", f"1{'0' * 4999}7", "255", "-256"]),
    ("FLOAT", ["1.5", "'-inf'", "3.4028235e38"], "float", [1.5, float("-inf"), 3.4028234663852886e38]),
    ("DOUBLE", ["0.1", "'inf'", "5e-324", "-0.0"], "double", [0.1, float("inf"), 5e-324, -0.0]),
    ("DECIMAL(4,1)", ["-999.9", "999.9"], "decimal128(4, 1)", [Decimal("-999.9"), Decimal("999.9")]),
    ("DECIMAL(9,4)", ["1.2"], "decimal128(9, 4)", [Decimal("1.2000")]),
    ("DECIMAL(18,6)", ["'-999999999999.999999'"], "decimal128(18, 6)", [Decimal("-999999999999.999999")]),
    ("DECIMAL(38,0)", [f"'{'9' * 38}'"], "decimal128(38, 0)", [Decimal("9" * 38)]),
    ("DECIMAL(38,38)", [f"'-0.{'9' * 38}'"], "decimal128(38, 38)", [Decimal(f"-0.{'9' * 38}")]),
    ("VARCHAR", ["''", "'it''s'", "'a' || chr(0) || 'b'", "'é語\U0001f600'", "chr(10)", "repeat('x', 100000)"], TEXT,
     ["", "it's", "a\0b", "é語\U0001f600", "\n", "x" * 100_000]),
    ("JSON", ["""'{"a": [1, null]}'""", "'null'"], TEXT, ['{"a": [1, null]}', "null"]),
    ("UUID", ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-4fff-bfff-0123456789AB'"], TEXT,
     ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-0123456789ab"]),
    ("BIT", ["'0'", "'1'", "'0101010101'", f"'{'1' * 65}'"], TEXT, ["0", "1", "0101010101", "1" * 65]),
    ("BLOB", [r"'\x00\xFF'", "''"], "large_binary", [b"\x00\xff", b""]),
    ("GEOMETRY", ["'POINT(1 2)'"], "large_binary",
     [bytes.fromhex("0101000000000000000000f03f0000000000000040")]),
    ("DATE", ["'0001-01-01'", "'9999-12-31'", "'1969-12-31'"], "date32[day]",
     [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1969, 12, 31)]),
    ("DATE",
     ["'infinity'", "'2024-02-29'", "'-infinity'", "'0045-03-15 (BC)'", "'0001-12-31 (BC)'", "'99999-01-02'"], TEXT,
     ["infinity", "2024-02-29", "-infinity", "0045-03-15 BC", "0001-12-31 BC", "99999-01-02"]),
    ("TIME", ["'00:00:00'", "'23:59:59.999999'"], "time64[us]", [dt.time(0, 0), dt.time(23, 59, 59, 999999)]),
    ("TIME", ["'24:00:00'", "'12:30:00.5'"], TEXT, ["24:00:00", "12:30:00.5"]),
    ("TIME_NS", ["'12:34:56.123456'"], "time64[ns]", [dt.time(12, 34, 56, 123456)]),
    ("TIMETZ", ["'12:34:56+05:30'", "'00:00:00.000001-15:59:59'", "'23:59:59+00'"], TEXT,
     ["12:34:56+05:30", "00:00:00.000001-15:59:59", "23:59:59+00:00"]),
    ("TIMESTAMP", ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"], "timestamp[us]",
     [moment(1, 1, 1), moment(9999, 12, 31, 23, 59, 59, 999999)]),
    ("TIMESTAMP", ["'infinity'", "'2024-02-29 13:14:15.5'", "'-infinity'", "'0045-03-15 (BC) 01:02:03'"], TEXT,
     ["infinity", "2024-02-29 13:14:15.5", "-infinity", "0045-03-15 01:02:03 BC"]),
    ("TIMESTAMP_S", ["'2024-02-29 13:14:15'"], "timestamp[s]", [moment(2024, 2, 29, 13, 14, 15)]),
    ("TIMESTAMP_S", ["'infinity'", "'2024-02-29 13:14:15'"], TEXT, ["infinity", "2024-02-29 13:14:15"]),
    ("TIMESTAMP_MS", ["'2024-02-29 13:14:15.123'"], "timestamp[ms]", [moment(2024, 2, 29, 13, 14, 15, 123000)]),
    ("TIMESTAMP_MS", ["'-infinity'"], TEXT, ["-infinity"]),
    ("TIMESTAMP_NS", ["'infinity'", "'2024-02-29 13:14:15.123456789'"], TEXT,
     ["infinity", "2024-02-29 13:14:15.123456789"]),
    ("TIMESTAMPTZ", ["'2024-02-29 13:14:15.5+02'"], "timestamp[us, tz=UTC]",
     [moment(2024, 2, 29, 11, 14, 15, 500000, zone=UTC)]),
    ("TIMESTAMPTZ", ["'infinity'", "'2024-02-29 13:14:15.5+02'"], TEXT, ["infinity", "2024-02-29 11:14:15.5+00"]),
    ("TIMESTAMPTZ_NS", ["'-infinity'"], TEXT, ["-infinity"]),
    ("INTERVAL", ["'14 months 3 days 4 seconds'", "'-1 day'"], "month_day_nano_interval",
     [pa.MonthDayNano((14, 3, 4_000_000_000)), pa.MonthDayNano((0, -1, 0))]),
    ("ENUM('b', 'a', 'é')", ["'a'", "'é'"], "dictionary<values=string, indices=uint8, ordered=0>", ["a", "é"]),
    ("INTEGER[]", ["[1, NULL]", "[]"], "large_list<l: int32>", [[1, None], []]),
    ("VARCHAR[][]", ["[['a'], NULL, []]"], "large_list<l: large_list<l: large_string>>", [[["a"], None, []]]),
    ("DATE[]", ["['2024-02-29']", "NULL", "['infinity', NULL]"], "large_list<l: large_string>",
     [["2024-02-29"], None, ["infinity", None]]),
    ("HUGEINT[]", [f"['{HUGE - 1}'::HUGEINT, 1]", "[]"], "large_list<l: decimal256(39, 0)>",
     [[Decimal(HUGE - 1), Decimal(1)], []]),
    ("UUID[2]", ["['00000000-0000-0000-0000-000000000001', NULL]"], "fixed_size_list<: large_string>[2]",
     [["00000000-0000-0000-0000-000000000001", None]]),
    ("INTEGER[2]", ["[1, NULL]"], "fixed_size_list<: int32>[2]", [[1, None]]),
    ("STRUCT(a INTEGER, b DATE)", ["{'a': 1, 'b': '2024-02-29'}", "{'a': NULL, 'b': NULL}"],
     "struct<a: int32, b: date32[day]>", [{"a": 1, "b": dt.date(2024, 2, 29)}, {"a": None, "b": None}]),
    ("STRUCT(u UUID, t TIMETZ)", ["{'u': '00000000-0000-0000-0000-000000000001', 't': '01:00:00+01'}"],
     "struct<u: large_string, t: large_string>",
     [{"u": "00000000-0000-0000-0000-000000000001", "t": "01:00:00+01:00"}]),
    ("MAP(VARCHAR, INTEGER)", ["MAP {'k': 1, 'l': NULL}", "MAP {}"], "map<large_string, int32>",
     [[("k", 1), ("l", None)], []]),
    ("MAP(VARCHAR, BOOLEAN)", ["MAP {'k': true}", "MAP {}"], "map<large_string, bool>", [[("k", True)], []]),
    ("UNION(num INTEGER, str VARCHAR)", ["union_value(num := 2)", "union_value(str := 'x')"],
     "struct<tag: large_string, num: int32, str: large_string>",
     [{"tag": "num", "num": 2, "str": None}, {"tag": "str", "num": None, "str": "x"}]),
    ("VARIANT",
     ["1", "'x'", "{'a': [1.50, NULL], 'c': true, 'b': DATE '2024-02-29'}", "'\\x00\\xff'::BLOB", "1e300::DOUBLE",
      "TIMESTAMP '2024-02-29 13:14:15'", "'00000000-0000-0000-0000-000000000001'::UUID", "repeat('y', 100)"],
     TEXT,
     ["1", '"x"', '{"a":[1.50,null],"c":true,"b":"2024-02-29"}', '"00ff"', "1e+300", '"2024-02-29 13:14:15.000000"',
      '"00000000-0000-0000-0000-000000000001"', f'"{"y" * 100}"']),
]  # fmt: skip


golden = pytest.mark.parametrize(
    ("type_", "literals", "arrow", "values"), GOLDEN, ids=[f"{n}-{case[0][:20]}" for n, case in enumerate(GOLDEN)]
)


@golden
def test_type_is_golden(session: DuckDBSession, type_: str, literals: list[str], arrow: str, values: list[Any]) -> None:
    #
    got_type, got, notes = column_of(session, type_, literals)
    assert got_type == arrow
    assert got == [*values, None]
    widened = arrow in (TEXT, "decimal256(39, 0)") and type_.split("[")[0] in {"HUGEINT", "UHUGEINT", "DATE", "TIME"}
    assert bool(notes) or not widened


@golden
def test_column_of_nothing_but_null_keeps_its_type(
    session: DuckDBSession, type_: str, literals: list[str], arrow: str, values: list[Any]
) -> None:
    #
    _, got, notes = column_of(session, type_, ["NULL", "NULL"])
    assert got == [None, None, None]
    assert notes == []


def test_negative_zero_and_nan_survive(session: DuckDBSession) -> None:
    result = rows_of(session, "SELECT -0.0::DOUBLE AS z, 'nan'::DOUBLE AS n, '-nan'::FLOAT AS f")
    (row,) = next(result.batches).to_pylist()
    assert str(row["z"]) == "-0.0"
    assert row["n"] != row["n"]
    assert row["f"] != row["f"]


def test_names_are_kept_as_the_database_gives_them(session: DuckDBSession) -> None:
    result = rows_of(session, 'SELECT 1 AS a, 2 AS a, 3 AS A, 4 AS " ", 5 AS "ä"""')
    assert result.schema.names == ["a", "a", "A", " ", 'ä"']


def test_value_that_does_not_fit_widens_the_result_in_mid_stream(session: DuckDBSession) -> None:
    """What was sent before and what comes behind read the same, as one text column."""
    sql = (
        "SELECT CASE WHEN i = 150000 THEN 'infinity' ELSE '2024-02-28'::DATE + (i % 2)::INTEGER END::DATE AS d, "
        "CASE WHEN i = 100000 THEN 9223372036854775808 ELSE i END::HUGEINT AS h FROM range(200000) t(i) ORDER BY i"
    )
    result = rows_of(session, sql)
    whole: pa.Table | None = None
    for batch in result.batches:
        if whole is not None and batch.schema != whole.schema:
            whole = widen_table(whole, batch.schema)
        part = pa.Table.from_batches([batch])
        whole = part if whole is None else pa.concat_tables([whole, part])
    assert whole is not None
    assert result.schema.types == [pa.date32(), pa.int64()]
    assert whole.num_rows == 200_000
    dates, numbers = whole.column("d").to_pylist(), whole.column("h").to_pylist()
    assert dates[:2] == ["2024-02-28", "2024-02-29"]
    assert [n for n, d in enumerate(dates) if d == "infinity"] == [150_000]
    assert set(dates) == {"2024-02-28", "2024-02-29", "infinity"}
    assert numbers[99_999:100_002] == [Decimal(99_999), Decimal(2**63), Decimal(100_001)]
    assert len(result.notes()) == 2


def test_huge_texts_come_in_small_batches(session: DuckDBSession) -> None:
    result = rows_of(session, "SELECT repeat('x', 1000000) AS t FROM range(200)")
    sizes = [batch.nbytes for batch in result.batches]
    assert sum(sizes) >= 200_000_000


def test_types_md_says_what_comes(session: DuckDBSession) -> None:
    """Each line of the table: the Arrow type of a NULL of that type, under the name that DuckDB gives it."""
    table = (Path(tusk_drivers.duckdb.__file__).parent / "TYPES.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (.+?) \| ", table, re.MULTILINE)
    assert len(lines) >= 40
    for name, arrow, _ in lines:
        result = rows_of(session, f"SELECT NULL::{name} AS x")
        assert str(result.schema.field(0).type) == arrow, name
        assert result.types[0] == name


def test_every_documented_scalar_has_golden_values() -> None:
    table = (Path(tusk_drivers.duckdb.__file__).parent / "TYPES.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)", table, re.MULTILINE))
    tested = {re.match("[A-Z_]+", golden[0])[0] for golden in GOLDEN}  # type: ignore[index]
    aliases = {"TIMETZ", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"}
    assert documented - tested - aliases == {"TUPLE"}
