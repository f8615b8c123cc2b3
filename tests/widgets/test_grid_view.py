"""Sort and filter: typed, exact, NULL as SQL has it."""

from decimal import Decimal

import pyarrow as pa
import pytest
from awkward_results import COLUMNS, TABLE
from grids import Asking


def only(values: list, kind: pa.DataType | None = None) -> Asking:
    return Asking(pa.table({"a": pa.array(values, kind)}))


def kept(asking: Asking, *condition) -> list[str | None]:
    return [row[0] for row in asking.rows(filters=((0, *condition),))]


@pytest.mark.parametrize("descending", [False, True])
def test_nulls_are_last_in_both_directions(descending):
    asking = only([2, None, 10, 1])
    got = [row[0] for row in asking.rows(sort=((0, descending),))]
    assert got == (["10", "2", "1", None] if descending else ["1", "2", "10", None])


def test_several_keys_sort_one_within_the_other():
    asking = Asking(pa.table({"g": ["b", "a", "b", None], "n": [1, 2, 3, 4]}))
    assert asking.rows(sort=((0, False), (1, True))) == [["a", "2"], ["b", "3"], ["b", "1"], [None, "4"]]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_can_be_sorted_and_counted(name):
    place = TABLE.column_names.index(name)
    asking = Asking(TABLE)
    assert len(asking.rows(sort=((place, True),))) == TABLE.num_rows
    answer = asking.ask("statistics", column=place)
    assert answer["statistics"]["rows"] == TABLE.num_rows
    assert answer["statistics"]["nulls"] == TABLE.column(place).null_count


def test_integers_are_compared_exactly_with_any_number():
    asking = only([2**53, 2**53 + 1, 2**53 + 2, None], pa.int64())
    assert kept(asking, "=", str(2**53 + 1)) == [str(2**53 + 1)]
    assert kept(asking, "<", f"{2**53 + 1}.5") == [str(2**53), str(2**53 + 1)]
    assert kept(asking, ">", f"{2**53 + 1}.5") == [str(2**53 + 2)]
    assert kept(asking, ">=", f"{2**53 + 1}.5") == [str(2**53 + 2)]
    assert kept(asking, "=", "0.5") == []
    assert len(kept(asking, "<", "1e30")) == 3
    assert kept(asking, ">", "1e30") == []
    assert len(kept(asking, "!=", "1e30")) == 3
    assert len(kept(asking, "<", "Infinity")) == 3


def test_decimals_are_compared_as_decimals():
    asking = only([Decimal("0.10"), Decimal("0.11"), None], pa.decimal128(38, 2))
    assert kept(asking, "=", "0.1") == ["0.10"]
    assert kept(asking, ">", "0.1049999999999999999999") == ["0.11"]
    assert kept(asking, "<", "9" * 30) == ["0.10", "0.11"]


@pytest.mark.parametrize(
    ("name", "op", "value", "count"),
    [
        ("day", "=", "2024-02-29", 1),
        ("moment", ">", "2024-03-31 01:59:59.123455", 1),
        ("moment", ">", "2024-03-31T01:59:59.123456", 0),
        ("zoned", "=", "2024-03-31 03:59:59.123456+02", 1),
        ("zoned", "=", "2024-03-31 03:59:59.123456", 1),
        ("zoned", "<", "2024-03-31T01:59:59Z", 1),
        ("clock", ">=", "23:59:59", 1),
        ("span", "<", "-29:00:00", 1),
        ("flag", "=", "TRUE", 1),
        ("bytes", "=", "\\x00ff3d31", 1),
        ("bytes", "=", "616263", 1),
        ("float", "=", "NaN", 0),
        ("float", ">", "1e299", 2),
        ("text", "contains", "EMOJI", 1),
        ("text", "not contains", "e", 7),
        ("text", "=", "", 1),
        ("struct", "contains", '"a": 1', 1),
        ("list", "contains", "null", 1),
        ("word", "=", "", 7),
        ("nothing", "is null", None, 15),
    ],
)
def test_a_condition_is_read_as_the_column_s_own_type(name, op, value, count):
    place = TABLE.column_names.index(name)
    values = () if value is None else (value,)
    assert len(Asking(TABLE).rows(filters=((place, op, *values),))) == count


def test_null_fulfils_no_condition_but_is_null():
    asking = only(["x", None, ""])
    assert kept(asking, "!=", "x") == [""]
    assert kept(asking, "not contains", "x") == [""]
    assert kept(asking, "is null") == [None]
    assert kept(asking, "is not null") == ["x", ""]
    assert kept(asking, "in", None, "x") == ["x", None]
    assert kept(asking, "in") == []


@pytest.mark.parametrize("name", ["text", "int", "decimal", "float", "flag", "day", "zoned", "clock", "bytes", "word"])
def test_each_value_that_statistics_offer_finds_its_rows(name):
    place = TABLE.column_names.index(name)
    asking = Asking(TABLE)
    for text, count in asking.ask("statistics", column=place)["statistics"]["top"]:
        assert len(asking.rows(filters=((place, "in", text),))) == count, text


def test_conditions_of_several_columns_are_combined_and_then_sorted():
    asking = Asking(pa.table({"g": ["a", "b", "a", "a"], "n": [1, 2, None, 4]}))
    assert asking.rows(sort=((1, True),), filters=((0, "=", "a"), (1, "is not null"))) == [["a", "4"], ["a", "1"]]


@pytest.mark.parametrize("written", ["999,000", "999 000", "999_000", "+999,000.0", "999\u202f000"])
def test_a_number_may_have_signs_between_its_thousands(written):
    table = pa.table({"n": pa.array([5, 999_000, None])})
    view = {"filters": [{"column": 0, "op": "=", "values": [written]}]}
    answer = Asking(table).ask("window", start=0, stop=3, first=0, last=1, view=view)
    assert "error" not in answer
    assert Asking(table).ask(
        "window", start=0, stop=3, first=0, last=1, view={"filters": [{"column": 0, "op": "=", "values": ["99,90"]}]}
    )["error"]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("int", "abc", "12.5"),
        ("day", "yesterday", "2013-01-31"),
        ("bytes", "xyz", "deadbeef"),
        ("flag", "maybe", "true"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused_with_an_example(name, value, hint):
    view = {"filters": [{"column": TABLE.column_names.index(name), "op": "=", "values": [value]}]}
    answer = Asking(TABLE).ask("window", start=0, stop=1, first=0, last=1, view=view)
    assert repr(value) in answer["error"]
    assert hint in answer["hint"]


def test_a_column_that_does_not_exist_is_refused():
    answer = Asking(TABLE).ask("window", start=0, stop=1, first=0, last=1, view={"sort": [{"column": 99}]})
    assert "no column number 100" in answer["error"]


# 1,000,000 rows: the order is four bytes a row, and one block is drawn
def test_a_million_rows_are_sorted_and_read_by_windows():
    asking = Asking(pa.table({"n": pa.array(range(1_000_000))}), "pandas")
    view = {"sort": [{"column": 0, "descending": True}]}
    answer = asking.ask("window", start=999_900, stop=1_000_000, first=0, last=1, view=view)
    column = pa.ipc.open_stream(answer["buffers"][0]).read_all().column(0)
    assert answer["rows"] == 1_000_000
    assert column.to_pylist() == [str(number) for number in range(99, -1, -1)]
    assert sum(map(len, answer["buffers"])) < 10_000
