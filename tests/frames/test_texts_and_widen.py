"""Values as a database prints them, and results that go on under wider types."""

# R-31; DESIGN section 5: out-of-range and infinite values never come out as another date

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tusk_jupyter.client.texts import to_text
from tusk_jupyter.client.widen import widen_batch, widen_table
from tusk_jupyter.errors import InternalError

NULL = None
TEXTS = [
    (pa.int64(), [-(2**63), 7], ["-9223372036854775808", "7"]),
    (pa.bool_(), [True, False], ["true", "false"]),
    (
        pa.decimal128(10, 8),
        [Decimal("0.00000001"), Decimal("0E-8"), Decimal("-1.10000000")],
        ["0.00000001", "0.00000000", "-1.10000000"],
    ),
    (pa.decimal128(5, -3), [Decimal("12E3")], ["12000"]),
    (pa.decimal256(60, 2), [Decimal("9" * 58 + ".25")], ["9" * 58 + ".25"]),
    (
        pa.float64(),
        [1.0, 0.1, 1e20, 5e-324, -0.0, float("nan"), float("inf"), float("-inf")],
        ["1.0", "0.1", "1e+20", "5e-324", "-0.0", "NaN", "Infinity", "-Infinity"],
    ),
    (pa.float32(), [0.1, 16777216.0], ["0.1", "16777216.0"]),
    (
        pa.date32(),
        [dt.date(1, 1, 1), dt.date(9999, 12, 31), -800_000, 3_000_000],
        ["0001-01-01", "9999-12-31", "0222-09-04 BC", "10183-09-21"],
    ),
    (
        pa.timestamp("us"),
        [dt.datetime(2020, 1, 2, 3, 4, 5), dt.datetime(2020, 1, 2, 3, 4, 5, 60)],
        ["2020-01-02 03:04:05", "2020-01-02 03:04:05.00006"],
    ),
    (
        pa.timestamp("us"),
        [-62_135_596_800_000_001, 253_402_300_800_000_000, 2**63 - 1],
        ["0001-12-31 23:59:59.999999 BC", "10000-01-01 00:00:00", "294247-01-10 04:00:54.775807"],
    ),
    (pa.timestamp("s"), [0], ["1970-01-01 00:00:00"]),
    (pa.timestamp("ns"), [1], ["1970-01-01 00:00:00.000000001"]),
    (
        pa.timestamp("us", "UTC"),
        [500_000, -62_135_596_800_000_001],
        ["1970-01-01 00:00:00.5+00", "0001-12-31 23:59:59.999999+00 BC"],
    ),
    (pa.timestamp("us", "Asia/Tokyo"), [0, -(2**62)], ["1970-01-01 09:00:00+09", "144170-06-28 09:59:32.612096+00 BC"]),
    (pa.timestamp("us", "Asia/Kolkata"), [0], ["1970-01-01 05:30:00+05:30"]),
    (
        pa.timestamp("s", "Europe/Berlin"),
        [-3_000_000_000, 1_720_000_000],
        ["1874-12-07 19:33:28+00:53:28", "2024-07-03 11:46:40+02"],
    ),
    (pa.timestamp("s", "-03:00"), [0], ["1969-12-31 21:00:00-03"]),
    (pa.timestamp("s", "Nowhere/Atall"), [0], ["1970-01-01 00:00:00+00"]),
    (pa.time64("us"), [0, 86_399_999_999, 36_000_000_000], ["00:00:00", "23:59:59.999999", "10:00:00"]),
    (pa.duration("us"), [-3_020_399_000_000, 1_500_000, 0], ["-838:59:59", "00:00:01.5", "00:00:00"]),
    (pa.month_day_nano_interval(), [(1, -2, 3_000_000_000)], ["P1M-2DT3S"]),
    (pa.string(), ["", "ü"], ["", "ü"]),
    (pa.dictionary(pa.int8(), pa.string()), ["b", "a"], ["b", "a"]),
    (pa.binary(), [b"", b"\x00\xff"], ["\\x", "\\x00ff"]),
    (pa.list_(pa.float64()), [[1.5, None, float("nan")], []], ['[1.5, null, "NaN"]', "[]"]),
    (
        pa.struct([("a", pa.date32()), ("b", pa.decimal128(5, 2)), ("c", pa.binary())]),
        [{"a": dt.date(2020, 1, 1), "b": Decimal("1.50"), "c": b"x"}],
        ['{"a": "2020-01-01", "b": "1.50", "c": "\\\\x78"}'],
    ),
    (pa.list_(pa.timestamp("ns")), [[1, None], []], ['["1970-01-01 00:00:00.000000001", null]', "[]"]),
    (pa.list_(pa.duration("ns")), [[1, -(2**63)]], ['["00:00:00.000000001", "-2562047:47:16.854775808"]']),
    (
        pa.list_(pa.timestamp("us", "Europe/Berlin")),
        [[0, 2**62, None]],
        ['["1970-01-01 01:00:00+01", "148108-07-06 14:00:27.387904+00", null]'],
    ),
    (pa.list_(pa.time64("ns")), [[86_399_999_999_999]], ['["23:59:59.999999999"]']),
    (pa.list_(pa.month_day_nano_interval()), [[(1, -2, 3_000_000_001)]], ['["P1M-2DT3.000000001S"]']),
    (pa.list_(pa.float32()), [[0.1, None], [float("-inf")]], ["[0.1, null]", '["-Infinity"]']),
    (pa.list_(pa.bool_()), [[True, None, False]], ["[true, null, false]"]),
    (pa.list_(pa.null()), [[None]], ["[null]"]),
    (pa.list_(pa.string()), [["null", None, "NULL", ""]], ['["null", null, "NULL", ""]']),
    (
        pa.large_list(pa.large_string()),
        [["it's \"q\" \\ /", "a\r\nb\tc", "\x00\x1f\x7f\x85\u2028", "é🦣"]],
        ['["it\'s \\"q\\" \\\\ /", "a\\r\\nb\\tc", "\\u0000\\u001f\x7f\x85\u2028", "é🦣"]'],
    ),
    (pa.list_(pa.int8(), 2), [[1, 2], [None, 3]], ["[1, 2]", "[null, 3]"]),
    (pa.list_(pa.int8(), 0), [[], []], ["[]", "[]"]),
    (pa.list_view(pa.int8()), [[1, 2], []], ["[1, 2]", "[]"]),
    (pa.list_(pa.list_(pa.int8())), [[[1], None, []]], ["[[1], null, []]"]),
    (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["a", None]], ['["a", null]']),
    (pa.list_(pa.binary()), [[b"\x00\\", None]], ['["\\\\x005c", null]']),
    (pa.map_(pa.string(), pa.int8()), [[('a"', None), ("b", 1)], []], ['[["a\\"", null], ["b", 1]]', "[]"]),
    (pa.map_(pa.timestamp("ns"), pa.list_(pa.int8())), [[(1, [2])]], ['[["1970-01-01 00:00:00.000000001", [2]]]']),
    (pa.map_(pa.struct([("k", pa.int8())]), pa.bool_()), [[({"k": 1}, True)]], ['[[{"k": 1}, true]]']),
    (pa.struct([('n"\n', pa.int8()), ("", pa.string())]), [{'n"\n': None, "": ""}], ['{"n\\"\\n": null, "": ""}']),
    (pa.struct([]), [{}], ["{}"]),
    (pa.struct([("s", pa.struct([("d", pa.uint64())]))]), [{"s": None}, {"s": {"d": 2**64 - 1}}],
     ['{"s": null}', '{"s": {"d": 18446744073709551615}}']),
]  # fmt: skip


def array_of(kind: pa.DataType, values: list) -> pa.Array:
    if all(isinstance(value, int | None) for value in values) and pa.types.is_date32(kind):
        return pa.array(values, pa.int32()).view(kind)
    if pa.types.is_date32(kind):
        days = [value if isinstance(value, int) else (value - dt.date(1970, 1, 1)).days for value in values]
        return pa.array(days, pa.int32()).view(kind)
    return pa.array(values, kind)


@pytest.mark.parametrize(("kind", "values", "texts"), TEXTS, ids=lambda value: str(value)[:40])
def test_each_type_prints_as_a_database_prints_it(kind: pa.DataType, values: list, texts: list[str]):
    array = pa.concat_arrays([array_of(kind, values), pa.nulls(1, kind)])
    assert to_text(array).to_pylist() == [*texts, NULL]
    assert to_text(array.slice(1)).to_pylist() == [*texts[1:], NULL]
    assert to_text(array.slice(0, 0)).to_pylist() == []


FAR = pa.array([None, 4_000_000, -900_000, 0], pa.int32()).view(pa.date32())
FAR_TEXTS = [None, "12921-08-18", "0496-11-20 BC", "1970-01-01"]


def in_all_shapes(values: pa.Array) -> dict[str, pa.Array]:
    """Values one by one in nested ones, with a NULL before them."""
    offsets = pa.array([0, *range(len(values) + 1)], pa.int32())
    mask = pa.array([True, *[False] * len(values)])
    keys = pa.array([str(place) for place in range(len(values))])
    padded = pa.concat_arrays([pa.nulls(1, values.type), values])
    return {
        "list": pa.ListArray.from_arrays(offsets, values, mask=mask),
        "fixed": pa.FixedSizeListArray.from_arrays(padded, 1, mask=mask),
        "struct": pa.StructArray.from_arrays([padded], names=["a"], mask=mask),
        "map": pa.MapArray.from_arrays(offsets, keys, values, mask=mask),
        "lists of structs": pa.ListArray.from_arrays(
            offsets, pa.StructArray.from_arrays([values, keys], names=["a", "b"]), mask=mask
        ),
    }


@pytest.mark.parametrize("shape", list(in_all_shapes(FAR)))
def test_far_dates_in_nested_values_print_as_they_do_alone(shape: str):
    shown = to_text(in_all_shapes(FAR)[shape]).to_pylist()
    assert shown[0] is None
    for found, expected in zip(shown[1:], FAR_TEXTS, strict=True):
        assert ("null" if expected is None else f'"{expected}"') in found
        json.loads(found)


@pytest.mark.parametrize("shape", list(in_all_shapes(FAR)))
def test_far_dates_in_nested_values_widen_as_they_do_alone(shape: str):
    array, wide = in_all_shapes(FAR)[shape], in_all_shapes(pa.array(FAR_TEXTS))[shape]
    schema = pa.schema([("x", wide.type)])
    for part in (array, array.slice(1), array.slice(2, 1), array.slice(0, 0)):
        expected = wide.slice(len(array) - len(part), len(part)) if len(part) != 1 else wide.slice(2, 1)
        widened = widen_table(pa.table({"x": part}), schema)["x"]
        assert widened.to_pylist() == expected.slice(0, len(part)).to_pylist()


LEAVES = st.sampled_from([
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)), (pa.bool_(), st.booleans()), (pa.null(), st.none()),
])  # fmt: skip


@st.composite
def nested_columns(draw: st.DrawFn, depth: int = 3) -> tuple[pa.DataType, st.SearchStrategy]:
    shape = draw(st.sampled_from(["list", "fixed", "struct", "map"]))
    inner = [draw(LEAVES if depth == 1 else st.one_of(LEAVES, nested_columns(depth - 1))) for _ in range(2)]
    kinds, values = [kind for kind, _ in inner], [st.none() | value for _, value in inner]
    if shape == "list":
        return pa.list_(kinds[0]), st.lists(values[0], max_size=3)
    if shape == "fixed":
        return pa.list_(kinds[0], 2), st.lists(values[0], min_size=2, max_size=2)
    if shape == "map":
        return pa.map_(pa.string(), kinds[0]), st.lists(st.tuples(st.text('ab"', max_size=2), values[0]), max_size=2)
    return pa.struct([("a", kinds[0]), ("b", kinds[1])]), st.fixed_dictionaries({"a": values[0], "b": values[1]})


def check_nested(data: st.DataObject) -> None:
    kind, values = data.draw(nested_columns())
    array = pa.array(data.draw(st.lists(st.none() | values, max_size=5)), kind)
    array = array.slice(data.draw(st.integers(0, 2)))
    expected = [None if value is None else json.dumps(value, ensure_ascii=False) for value in array.to_pylist()]
    assert to_text(array).to_pylist() == expected


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nested_values_print_as_python_s_json(data: st.DataObject):
    check_nested(data)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None)
@given(st.data())
def test_nested_values_print_as_python_s_json_for_long(data: st.DataObject):
    check_nested(data)


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(st.none() | st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), min_size=1, max_size=8),
    kind=st.sampled_from([pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("s"), pa.date32(), pa.time64("us")]),
)
def test_times_print_as_duckdb_prints_them(values: list, kind: pa.DataType):
    array = pa.array(values, pa.timestamp("us"))
    array = array.cast(kind, safe=False)
    batch = pa.table({"x": array})  # noqa: F841 - DuckDB finds it by its name
    expected = [row[0] for row in duckdb.sql("SELECT x::VARCHAR FROM batch").fetchall()]
    assert to_text(array).to_pylist() == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(), max_size=8))
def test_floats_print_so_that_they_read_back_the_same(values: list[float]):
    texts = to_text(pa.array(values, pa.float64())).to_pylist()
    assert [repr(float(text)) for text in texts] == [repr(value) for value in values]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1), max_size=8), st.integers(0, 38))
def test_decimals_print_all_their_digits(numbers: list[int], scale: int):
    values = [Decimal(f"{number}E-{scale}") for number in numbers]
    assert to_text(pa.array(values, pa.decimal128(38, scale))).to_pylist() == [format(value, "f") for value in values]


def test_zones_at_the_ends_of_the_calendar_do_not_carry_it_over():
    end, begin = dt.datetime(9999, 12, 31, 23, 30), dt.datetime(1, 1, 1, 0, 30)
    values = pa.array([end, begin, dt.datetime(2020, 1, 1)], pa.timestamp("us"))
    for zone in ("Asia/Tokyo", "America/New_York"):
        texts = to_text(values.cast(pa.int64()).cast(pa.timestamp("us", zone))).to_pylist()
        assert texts[:2] == ["9999-12-31 23:30:00+00", "0001-01-01 00:30:00+00"]


def test_durations_have_the_declared_digits_and_all_that_they_need():
    values = pa.array([1_500_000, -1_234_567, 60_000_000, None], pa.duration("us"))
    assert to_text(values, digits=3).to_pylist() == ["00:00:01.500", "-00:00:01.234567", "00:01:00.000", None]
    assert to_text(values, digits=None).to_pylist() == ["00:00:01.5", "-00:00:01.234567", "00:01:00", None]


def with_types(kind: pa.DataType, name: str) -> pa.Schema:
    return pa.schema([("x", kind)], metadata={b"tusk:types": json.dumps([name]).encode()})


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("datetime", ["2020-01-02 03:04:05.5"]),  # other databases have a type of that name: nothing is cut off
        ("datetime(3)", ["2020-01-02 03:04:05.500"]),
        ("datetime(6)", ["2020-01-02 03:04:05.500000"]),
        ("datetime(1)", ["2020-01-02 03:04:05.5"]),
        ("timestamp without time zone", ["2020-01-02 03:04:05.5"]),
        ("TIMESTAMP", ["2020-01-02 03:04:05.5"]),
    ],
)
def test_mysql_s_declared_digits_are_printed_as_declared(name: str, texts: list[str]):
    table = pa.table(
        [pa.array([dt.datetime(2020, 1, 2, 3, 4, 5, 500_000)])], schema=with_types(pa.timestamp("us"), name)
    )
    assert widen_table(table, with_types(pa.string(), name))["x"].to_pylist() == texts


WIDER = [
    (pa.int64(), pa.string(), [1, None], ["1", None]),
    (pa.int32(), pa.int64(), [1, None], [1, None]),
    (pa.int64(), pa.float64(), [2**53, None], [float(2**53), None]),
    (pa.int64(), pa.decimal128(22, 2), [2**63 - 1], [Decimal(2**63 - 1)]),
    (pa.list_(pa.int64()), pa.list_(pa.string()), [[1, None], None, [], [2]], [["1", None], None, [], ["2"]]),
    (
        pa.list_(pa.list_(pa.date32())),
        pa.list_(pa.list_(pa.string())),
        [[[dt.date(1, 1, 1)], None]],
        [[["0001-01-01"], None]],
    ),
    (
        pa.list_(pa.decimal128(9, 8)),
        pa.large_list(pa.string()),
        [[Decimal("0.00000001")], None],
        [["0.00000001"], None],
    ),
    (pa.list_(pa.timestamp("us")), pa.list_(pa.string()), [[dt.datetime(2020, 1, 1)]], [["2020-01-01 00:00:00"]]),
    (pa.decimal128(10, 2), pa.decimal128(20, 5), [Decimal("1.10")], [Decimal("1.10000")]),
    (pa.decimal128(38, 2), pa.decimal256(60, 20), [Decimal("1.10"), None], [Decimal("1.10"), None]),
    (pa.decimal256(60, 20), pa.string(), [Decimal("1.5")], ["1.50000000000000000000"]),
    (pa.decimal128(10, 2), pa.float64(), [Decimal("0.25")], [0.25]),
    (pa.date32(), pa.string(), [dt.date(2020, 1, 1)], ["2020-01-01"]),
    (pa.date32(), pa.timestamp("us"), [dt.date(2020, 1, 1)], [dt.datetime(2020, 1, 1)]),
    (pa.timestamp("us"), pa.string(), [dt.datetime(2020, 1, 1)], ["2020-01-01 00:00:00"]),
    (pa.timestamp("us", "UTC"), pa.string(), [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], ["2020-01-01 00:00:00+00"]),
    (pa.timestamp("s"), pa.timestamp("us"), [dt.datetime(2020, 1, 1)], [dt.datetime(2020, 1, 1)]),
    (pa.bool_(), pa.string(), [True, False, None], ["1", "0", None]),
    (pa.bool_(), pa.int64(), [True, None], [1, None]),
    (pa.int64(), pa.large_binary(), [17, None], [b"17", None]),
    (pa.float64(), pa.large_binary(), [1e-05, 2.0], [b"1e-05", b"2.0"]),
    (pa.large_string(), pa.large_binary(), ["ü"], ["ü".encode()]),
    (pa.float64(), pa.string(), [0.1, None], ["0.1", None]),
    (pa.float32(), pa.float64(), [0.5, None], [0.5, None]),
    (pa.float64(), pa.float32(), [0.5, None], [0.5, None]),
    (pa.null(), pa.string(), [None], [None]),
    (pa.null(), pa.timestamp("us"), [None], [None]),
    (pa.string(), pa.binary(), ["ü"], ["ü".encode()]),
    (pa.binary(), pa.string(), ["ü".encode()], ["ü"]),
    (pa.string(), pa.large_string(), ["a"], ["a"]),
    (pa.int64(), pa.large_string(), [1], ["1"]),
]


@pytest.mark.parametrize(("old", "new", "values", "expected"), WIDER, ids=lambda value: str(value)[:30])
def test_earlier_rows_come_to_the_later_types(old: pa.DataType, new: pa.DataType, values: list, expected: list):
    schema = pa.schema([("x", new)], metadata={b"k": b"v"})
    table = pa.table({"x": pa.chunked_array([pa.array(values, old), pa.array(values, old)])})
    widened = widen_table(table, schema)
    assert widened.schema.equals(schema, check_metadata=True)
    assert widened["x"].to_pylist() == [*expected, *expected]
    batch = pa.record_batch({"x": pa.array(values, old)})
    assert widen_batch(batch, schema).column(0).to_pylist() == expected
    assert widen_batch(batch.slice(1), schema).column(0).to_pylist() == expected[1:]
    assert widen_batch(batch.slice(0, 0), schema).num_rows == 0


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        (pa.int64(), pa.float64(), 2**53 + 1),
        (pa.int64(), pa.int32(), 2**40),
        (pa.decimal128(10, 5), pa.decimal128(10, 2), Decimal("1.12345")),
        (pa.decimal128(38, 0), pa.float64(), Decimal("12345678901234567890123456789")),
        (pa.timestamp("us"), pa.timestamp("s"), dt.datetime(2020, 1, 1, 0, 0, 0, 1)),
        (pa.timestamp("s"), pa.timestamp("ns"), 2**40),
        (pa.timestamp("us"), pa.date32(), dt.datetime(2020, 1, 1, 1)),
        (pa.binary(), pa.string(), b"\xff"),
        (pa.float64(), pa.float32(), 0.1),
        (pa.float64(), pa.int64(), 0.5),
        (pa.string(), pa.int64(), "x"),
        (pa.list_(pa.int8()), pa.int8(), [1]),
        (pa.list_(pa.int64()), pa.list_(pa.float64()), [2**53 + 1]),
    ],
    ids=str,
)
def test_what_would_lose_something_is_an_error_that_names_the_column(old: pa.DataType, new: pa.DataType, value: object):
    with pytest.raises(InternalError, match="Column 'x' cannot go on as"):
        widen_table(pa.table({"x": pa.array([value], old)}), pa.schema([("x", new)]))


def test_what_was_sliced_off_a_list_column_is_not_looked_at():
    lists = pa.record_batch({"x": pa.array([[2**53 + 1], [1, 2], None, [2**53 + 1]], pa.list_(pa.int64()))})
    widened = widen_batch(lists.slice(1, 2), pa.schema([("x", pa.list_(pa.float64()))]))
    assert widened.column(0).to_pylist() == [[1.0, 2.0], None]


def test_a_schema_of_other_columns_is_no_wider_one():
    with pytest.raises(InternalError, match=r"columns \['x'\] cannot go on as \['y'\]"):
        widen_table(pa.table({"x": [1]}), pa.schema([("y", pa.string())]))


def test_names_used_twice_are_widened_by_their_place():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    widened = widen_table(table, pa.schema([("x", pa.int64()), ("x", pa.string())]))
    assert [column.to_pylist() for column in widened.columns] == [[1], ["2"]]
