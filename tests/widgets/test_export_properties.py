"""Any values, written as INSERT statements and as CSV: read back they are the same."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tusk_jupyter.client import texts
from tusk_jupyter.client.file_formats import CsvWriter
from tusk_widgets.export_insert import InsertWriter

MARKS = st.sampled_from("'\"\\`;,{}[]()%\r\n\t\0é🦣 -BC01")
ANY_TEXT = st.text(st.one_of(MARKS, st.characters(exclude_categories=["Cs"])), max_size=8)
TEXT = ANY_TEXT.map(lambda text: text.replace("\0", ""))
"""PostgreSQL has no NUL."""
BYTES = st.binary(max_size=4)
WHOLE = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBER = st.integers(-(10**38) + 1, 10**38 - 1)
FAR = st.integers(-(2**61), 2**62)
NANOSECONDS = st.integers(-(2**62), 2**62)
HALF = st.integers(-(2**31), 2**31 - 1)
MONTHS = st.tuples(HALF, HALF, NANOSECONDS.map(lambda n: n // 1000 * 1000))

Kind = tuple[pa.DataType, str, st.SearchStrategy[Any]]
"""Arrow type, the database's name of it, and its values as Arrow takes them."""

DUCKDB: list[Kind] = [
    (pa.int64(), "BIGINT", WHOLE),
    (pa.bool_(), "BOOLEAN", st.booleans()),
    (pa.float64(), "DOUBLE", FLOAT),
    (pa.float32(), "FLOAT", st.floats(width=32)),
    (pa.large_string(), "VARCHAR", ANY_TEXT),
    (pa.binary(), "BLOB", BYTES),
    (pa.date32(), "DATE", st.integers(-2_000_000, 4_000_000)),
    (pa.timestamp("us"), "TIMESTAMP", FAR),
    (pa.timestamp("ns"), "TIMESTAMP_NS", NANOSECONDS),
    (pa.time64("us"), "TIME", st.integers(0, 86_399_999_999)),
    (pa.timestamp("us", "UTC"), "TIMESTAMP WITH TIME ZONE", FAR),
    (pa.month_day_nano_interval(), "INTERVAL", MONTHS),
    (pa.decimal128(38, 10), "DECIMAL(38,10)", NUMBER),
    (pa.decimal128(9, 4), "DECIMAL(9,4)", st.integers(-(10**9) + 1, 10**9 - 1)),
    (pa.decimal128(38, 38), "DECIMAL(38,38)", NUMBER),
]
SQLITE: list[Kind] = [
    (pa.int64(), "INTEGER", WHOLE),
    (pa.float64(), "REAL", st.floats(allow_nan=False)),
    (pa.string(), "TEXT", ANY_TEXT),
    (pa.binary(), "BLOB", BYTES),
    (pa.string(), "", ANY_TEXT),
]
POSTGRESQL: list[Kind] = [
    (pa.int64(), "bigint", WHOLE),
    (pa.float64(), "double precision", FLOAT),
    (pa.string(), "text", TEXT),
    (pa.bool_(), "boolean", st.booleans()),
    (pa.binary(), "bytea", BYTES),
    (pa.decimal128(38, 10), "numeric(38,10)", NUMBER),
    (pa.uint64(), "xid8", st.integers(0, 2**64 - 1)),
]
MYSQL: list[Kind] = [
    (pa.int64(), "BIGINT", WHOLE),
    (pa.float64(), "DOUBLE", FINITE),
    (pa.string(), "TEXT CHARACTER SET utf8mb4", ANY_TEXT),
    (pa.binary(), "BLOB", BYTES),
    (pa.decimal128(38, 10), "DECIMAL(38,10)", NUMBER),
]


def duckdb_kinds(depth: int) -> st.SearchStrategy[Kind]:
    plain = st.sampled_from(DUCKDB)
    return st.one_of(plain, duckdb_nested(depth - 1)) if depth else plain


@st.composite
def duckdb_nested(draw: st.DrawFn, depth: int) -> Kind:
    (one, name, values), (other, other_name, others) = draw(duckdb_kinds(depth)), draw(duckdb_kinds(depth))
    shape = draw(st.sampled_from(["list", "struct", "map"]))
    if shape == "list":
        return pa.list_(one), f"{name}[]", st.lists(st.none() | values, max_size=3)
    if shape == "map":
        keys = st.dictionaries(TEXT, st.none() | values, max_size=2).map(lambda found: list(found.items()))
        return pa.map_(pa.string(), one), f"MAP(VARCHAR, {name})", keys
    first, second = "a \"b', (", "c"
    kind = pa.struct([(first, one), (second, other)])
    members = st.fixed_dictionaries({first: st.none() | values, second: st.none() | others})
    return kind, f'STRUCT("a ""b\', (" {name}, c {other_name})', members


@st.composite
def arrays_of(draw: st.DrawFn) -> Kind:
    """PostgreSQL's arrays of one and two dimensions; those of two have rows of one length."""
    kind, name, values = draw(st.sampled_from(POSTGRESQL))
    shape = draw(st.integers(0, 2))
    items = st.none() | values
    if shape == 0:
        return kind, name, values
    if shape == 1:
        return pa.list_(kind), f"{name}[]", st.lists(items, max_size=3)
    return pa.list_(pa.list_(kind)), f"{name}[]", st.lists(st.lists(items, min_size=2, max_size=2), max_size=2)


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Numbers stand for decimals and times of every size."""
    return pa.array([_value(value, kind) for value in values], _numeric(kind)).cast(kind)


def _value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [_value(one, kind.value_type) for one in value]
    if pa.types.is_map(kind):
        return [(key, _value(one, kind.item_type)) for key, one in value]
    if pa.types.is_struct(kind):
        return {field.name: _value(value[field.name], field.type) for field in kind}
    if pa.types.is_decimal(kind):
        return Decimal(value).scaleb(-kind.scale, Context(prec=80))
    return pa.MonthDayNano(value) if pa.types.is_interval(kind) else value


def _numeric(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_numeric(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _numeric(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _numeric(field.type)) for field in kind])
    if pa.types.is_date(kind):
        return pa.int32()
    return pa.int64() if pa.types.is_timestamp(kind) or pa.types.is_time(kind) else kind


def script_of(array: pa.Array, name: str, dialect: str) -> str:
    file = io.BytesIO()
    schema = pa.schema([("v", array.type)], metadata={"tusk:types": json.dumps([name])})
    writer = InsertWriter(file, schema, dialect=dialect, table="t")
    writer.write(pa.RecordBatch.from_arrays([array], schema=schema))
    writer.close()
    return file.getvalue().decode()


def drawn(data: st.DataObject, kinds: st.SearchStrategy[Kind]) -> tuple[pa.Array, str]:
    kind, name, values = data.draw(kinds)
    return array_of(data.draw(st.lists(st.none() | values, min_size=1, max_size=4)), kind), name


@pytest.fixture(scope="module")
def lake():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def shop():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def server(postgresql):
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        yield connection


@pytest.fixture(scope="module")
def maria(mariadb):
    with mariadb.connect() as connection, connection.cursor() as cursor:
        yield cursor


def check_duckdb(lake: Any, data: st.DataObject) -> None:
    array, name = drawn(data, duckdb_kinds(2))
    lake.execute(f"CREATE OR REPLACE TABLE t (v {name})")
    script = script_of(array, name, "duckdb")
    lake.execute(script)
    back = lake.sql("SELECT v FROM t ORDER BY rowid").to_arrow_table().column(0)
    found = [text for chunk in back.chunks for text in texts.to_text(chunk).to_pylist()]
    assert found == texts.to_text(array).to_pylist(), script


def check_sqlite(shop: Any, data: st.DataObject) -> None:
    array, name = drawn(data, st.sampled_from(SQLITE))
    script = script_of(array, name, "sqlite")
    shop.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t (v {name}); {script}")
    assert [row[0] for row in shop.execute("SELECT v FROM t ORDER BY rowid")] == array.to_pylist(), script


def check_postgresql(server: Any, data: st.DataObject) -> None:
    array, name = drawn(data, arrays_of())
    script = script_of(array, name, "postgresql")
    on = data.draw(st.sampled_from(["on", "off"]))
    server.execute(f"DROP TABLE IF EXISTS t; CREATE TEMP TABLE t (n serial, v {name})")
    server.execute(f"SET standard_conforming_strings = {on}; {script}")
    server.execute("SET standard_conforming_strings = on")
    back = [row[0] for row in server.execute("SELECT v FROM t ORDER BY n").fetchall()]
    assert repr(back) == repr(array.to_pylist() if "xid8" not in name else _as_texts(array.to_pylist())), script


def _as_texts(value: Any) -> Any:
    """psycopg has xid8 as text."""
    return [_as_texts(one) for one in value] if isinstance(value, list) else value if value is None else str(value)


def check_mysql(maria: Any, data: st.DataObject) -> None:
    array, name = drawn(data, st.sampled_from(MYSQL))
    script = script_of(array, name, "mysql")
    more = data.draw(st.sampled_from(["", ",NO_BACKSLASH_ESCAPES", ",ANSI_QUOTES,NO_BACKSLASH_ESCAPES"]))
    maria.execute(f"CREATE OR REPLACE TEMPORARY TABLE t (n INT AUTO_INCREMENT PRIMARY KEY, v {name} NULL)")
    maria.execute(f"SET sql_mode = CONCAT('STRICT_ALL_TABLES', '{more}')")
    maria.execute(script)
    maria.execute("SELECT v FROM t ORDER BY n")
    assert [row[0] for row in maria.fetchall()] == array.to_pylist(), script


def check_csv(_: None, data: st.DataObject) -> None:
    array, _name = drawn(data, duckdb_kinds(2))
    file = io.BytesIO()
    batch = pa.record_batch([array, pa.array(range(len(array)))], names=["v", "n"])
    writer = CsvWriter(file, batch.schema)
    writer.write(batch)
    writer.close()
    rows = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))[1:]
    shown = ["" if text is None else text for text in texts.to_text(array).to_pylist()]
    if pa.types.is_floating(array.type):  # Arrow writes inf for Infinity
        assert [repr(float(row[0])) if row[0] else "" for row in rows] == [
            repr(float(one)) if one else "" for one in shown
        ]
    else:
        assert [row[0] for row in rows] == shown


CHECKS: dict[str, tuple[str, Callable[[Any, st.DataObject], None]]] = {
    "duckdb": ("lake", check_duckdb),
    "sqlite": ("shop", check_sqlite),
    "postgresql": ("server", check_postgresql),
    "mysql": ("maria", check_mysql),
    "csv": ("", check_csv),
}


def check(request: pytest.FixtureRequest, name: str, examples: int) -> None:
    fixture, check_one = CHECKS[name]
    engine = request.getfixturevalue(fixture) if fixture else None

    @settings(max_examples=examples, deadline=None)
    @given(st.data())
    def checked(data: st.DataObject) -> None:
        check_one(engine, data)

    checked()


@pytest.mark.parametrize("name", list(CHECKS))
def test_values_read_back_are_the_same(request, name):
    check(request, name, 25)


@pytest.mark.soak
@pytest.mark.parametrize("name", list(CHECKS))
def test_values_read_back_are_the_same_for_long(request, name):
    check(request, name, 20_000)
