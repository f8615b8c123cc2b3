"""Columns of frames on their way into a database: each value as it is, or the column is refused by name."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.client.tables import index_notes, to_arrow

AWARE = pd.Timestamp("2024-01-01", tz="UTC")
NAN = float("nan")


class Colour(str, enum.Enum):  # noqa: UP042 - its str() is "Colour.RED"
    RED = "red"


def objects(*values: object) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def sent(column: Any) -> pa.ChunkedArray:
    return to_arrow(pd.DataFrame({"x": column}), name="`df`").column("x")


REFUSED = [
    (pd.period_range("2024-01", periods=2, freq="M"), "periods"),
    (pd.interval_range(0, 3), "intervals"),
    (pd.cut(pd.Series([1, 2, 3]), 2), "intervals"),
    (objects(dt.date(2024, 1, 1), dt.datetime(2024, 1, 2, 3)), "no one type"),
    (objects(dt.datetime(2024, 1, 2, 3), dt.date(2024, 1, 1)), "no one type"),
    (objects(pd.Timestamp("2024-01-01"), AWARE), "moments without one"),
    (objects([pd.Timestamp("2024-01-01"), AWARE]), "moments without one"),
    (objects(dt.time(1, 2, tzinfo=dt.UTC)), "time of day with a zone"),
    (objects({"x": 1}, {"y": "z"}), "keys differ"),
    (objects({1: "x"}), "no text"),
    (objects({}), "without a key"),
    (objects("x", b"y"), "no one type"),
    (objects([1, "x"]), "no one type"),
    (objects(True, 5), "no one type"),
    (objects(1.5, Decimal("1.5")), "no one type"),
    (objects(1, 2.5, 2**53 + 1), "9007199254740993"),
    (objects(np.int64(2**53 + 1), 1.5), "9007199254740993"),
    (objects(0.5, np.uint64(2**64 - 1)), "18446744073709551615"),
    (objects(10**400, 0.5), "no float equals"),
    (objects(pl.Series([1001]).cast(pl.Time)), "with nanoseconds"),
    (objects(10**80), "76 digits"),
    (objects(Decimal("1e70"), Decimal("1e-70")), "76 digits"),
    (objects(Decimal("Infinity")), "Infinity"),
    (objects(Decimal("NaN")), "NaN"),
    (objects(pd.Period("2024-01")), "a Period"),
    (objects(pd.Interval(0, 1)), "a Interval"),
    (objects(1j), "a complex"),
    (np.array([1j]), "complex"),
    (objects(object()), "a object"),
    (objects("\ud800"), "no Unicode text"),
    (np.array([1], np.longdouble) / 3, "more digits than a float"),
    (objects(np.timedelta64(1, "M")), "no fixed length"),
    (objects(dt.datetime(9999, 1, 1), pd.Timestamp("2024-01-01 00:00:00.000000001")), "nanoseconds"),
]


@pytest.mark.parametrize(("column", "words"), REFUSED, ids=[f"{words}-{at}" for at, (_, words) in enumerate(REFUSED)])
def test_what_no_column_holds_is_refused_by_name(column, words):
    with pytest.raises(errors.UsageError, match=words) as caught:
        sent(column)
    assert caught.value.message.startswith("The column 'x' of `df` ")
    assert caught.value.hint


def test_a_secret_is_not_repeated():
    with pytest.raises(errors.UsageError) as caught:
        to_arrow(pd.DataFrame({"password": objects("hunter2", b"y")}))
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


class OwnInt(int):
    def __int__(self) -> int:
        return 99


class OwnFloat(float):
    def __float__(self) -> float:
        return 9.0


KEPT = [
    (objects(OwnInt(5)), [5]),
    (objects(OwnInt(5), OwnFloat(0.5)), [5.0, 0.5]),
    (objects(np.int64(3), np.float32(0.5), 2**53), [3.0, 0.5, 2.0**53]),
    (objects(pl.Series([1001]).cast(pl.Datetime("ns"))), [[pd.Timestamp(1001)]]),
    (objects({"x": 1, "y": [1]}, None, {"y": [], "x": 2}), [{"x": 1, "y": [1]}, None, {"x": 2, "y": []}]),
    (objects(1.5, NAN, None), [1.5, "nan", None]),
    (objects(1.5, NAN), [1.5, None]),
    (objects(1, NAN, None), [1, None, None]),
    (objects("a", NAN, pd.NA), ["a", None, None]),
    (pd.arrays.FloatingArray(np.array([1.0, NAN, 0.0]), np.array([False, False, True])), [1.0, "nan", None]),
    (pd.Series(pa.array([1.0, NAN, None]), dtype=pd.ArrowDtype(pa.float64())), [1.0, "nan", None]),
    (objects(1, 2**70), [1, 2**70]),
    (objects(2**64 - 1, 0), [2**64 - 1, 0]),
    (objects(Decimal("1.25"), 3, Decimal("1E+5")), [Decimal("1.25"), 3, 100_000]),
    (objects(uuid.UUID(int=5), None), [uuid.UUID(int=5), None]),
    (objects(Colour.RED, None, "b", np.str_("c")), ["red", None, "b", "c"]),
    (pd.arrays.SparseArray([0, 0, 1]), [0, 0, 1]),
    (pd.arrays.SparseArray([NAN, 1.0]), [None, 1.0]),
    (pd.Categorical(["a", None, "b"]), ["a", None, "b"]),
    (objects(pa.MonthDayNano([1, 2, 3])), [pa.MonthDayNano([1, 2, 3])]),
    (objects(np.array([1, 2]), None, (3,)), [[1, 2], None, [3]]),
    (np.array([0.5, 0.1], np.longdouble), [0.5, 0.1]),
    (objects(bytearray(b"x"), b"y"), [b"x", b"y"]),
    (objects(dt.date(2024, 1, 1), pd.NaT), [dt.date(2024, 1, 1), None]),
]


@pytest.mark.parametrize(("column", "values"), KEPT, ids=[str(at) for at in range(len(KEPT))])
def test_values_are_sent_as_they_are(column, values):
    assert ["nan" if item != item else item for item in sent(column).to_pylist()] == values


MOMENTS = [
    (objects(pd.Timestamp("2024-01-01 00:00:00.000000001"), pd.NaT), ["2024-01-01 00:00:00.000000001", None]),
    (objects(np.datetime64("2024-01-01", "D"), np.datetime64("NaT")), ["2024-01-01 00:00:00.000000", None]),
    (
        objects(AWARE.tz_convert("Europe/Berlin"), dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=3208)))),
        ["2024-01-01 00:00:00.000000Z", "2023-12-31 23:06:32.000000Z"],
    ),
    (
        pd.Series(pd.to_datetime(["2024-01-01"])).dt.tz_localize(dt.timezone(dt.timedelta(seconds=3208))),
        ["2023-12-31 23:06:32.000000Z"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("column", "texts"), MOMENTS, ids=[str(at) for at in range(len(MOMENTS))])
def test_moments_are_sent_as_they_are(column, texts):
    assert sent(column).cast(pa.string()).to_pylist() == texts


def test_nan_in_lists_and_dicts_is_no_missing_value():
    for column, shown in (
        (objects([1.5, NAN], [None, 2]), "[[1.5, nan], [None, 2.0]]"),
        (objects(np.array([1, NAN]), [NAN]), "[[1.0, nan], [nan]]"),
        (objects({"x": NAN}, {"x": 1.0}, None), "[{'x': nan}, {'x': 1.0}, None]"),
        (objects([["a", NAN]]), "[[['a', None]]]"),
    ):
        assert repr(sent(column).to_pylist()) == shown


def test_lengths_of_time_keep_their_nanoseconds():
    found = sent(objects(pd.Timedelta(1, "ns"), dt.timedelta(days=1), np.timedelta64(2, "h")))
    assert found.type == pa.duration("ns")
    assert found.cast(pa.int64()).to_pylist() == [1, 86_400 * 10**9, 7200 * 10**9]


def test_polars_integers_of_128_bits_are_sent_as_they_are():
    frame = pl.DataFrame({"a": ["x", "y"], "i": pl.Series([2**100, None], dtype=pl.Int128)})
    found = to_arrow(frame)
    assert found.to_pydict() == {"a": ["x", "y"], "i": [2**100, None]}
    with pytest.raises(errors.UsageError, match=r"The column 'o' of the data holds .* a object"):
        to_arrow(pl.DataFrame({"o": [object()]}))


class OwnFrame(pd.DataFrame):
    """As geopandas has one."""


class OwnPolars(pl.DataFrame):
    pass


def test_a_frame_of_a_class_of_one_s_own_is_looked_at_as_its_library_s():
    for column in (
        objects(dt.date(2024, 1, 1), dt.datetime(2024, 1, 2, 3)),
        pd.period_range("2024", periods=2, freq="M"),
    ):
        with pytest.raises(errors.UsageError, match="The column 'x' of the data"):
            to_arrow(OwnFrame({"x": column}))
    frame = OwnFrame({"x": [1]}, index=["a"])
    assert to_arrow(frame).to_pydict() == {"index": ["a"], "x": [1]}
    assert index_notes(frame)
    assert to_arrow(OwnPolars({"i": pl.Series([2**100], dtype=pl.Int128)})).to_pydict() == {"i": [2**100]}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pl.List(pl.Int128), [2**100, None]),
        (pl.Array(pl.Int128, 2), [2**100, 1]),
        (pl.Struct({"i": pl.Int128}), {"i": 2**100}),
    ],
)
def test_polars_integers_of_128_bits_are_sent_within_others(kind, value):
    assert to_arrow(pl.DataFrame({"x": pl.Series([value, None], dtype=kind)})).to_pydict() == {"x": [value, None]}


@pytest.mark.parametrize("kind", ["int64", "uint64", "int8", "Int64", "int64[pyarrow]"])
def test_integers_of_an_index_level_stay_integers_beside_a_missing_key(kind):
    key = 100 if kind == "int8" else 9007199254740993
    whole = pd.MultiIndex.from_arrays([["a", "b"], pd.Index([key, 1], dtype=kind)], names=["k", "n"])
    frame = pd.DataFrame({"x": [1, 2]}, index=whole.set_codes([1, -1], level="n"))
    assert frame.index.levels[1][1] == key
    assert to_arrow(frame).to_pydict() == {"k": ["a", "b"], "n": [key, None], "x": [1, 2]}
    assert pa.types.is_integer(to_arrow(frame).schema.field("n").type)


@pytest.mark.parametrize(
    "column",
    [
        [{"a": 1}, {"b": "z"}, None],
        [{}, None],
        ["x", b"y", None],
        [dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, 2), None],
        [dt.time(1, tzinfo=dt.UTC), None],
        pd.Series([pd.Interval(0, 1), None]),
        pd.Series([pd.Period("2024-01", "M"), None]),
        [2**70, "x", None],
    ],
    ids=["keys", "no_keys", "bytes", "moments", "zones", "intervals", "periods", "numbers"],
)
def test_the_way_out_keeps_null_as_null(column):
    df = pd.DataFrame({"x": column if isinstance(column, pd.Series) else pd.Series(column, dtype=object)})
    with pytest.raises(errors.UsageError) as caught:
        to_arrow(df)
    code = next(code for code in re.findall("`(df[^`]* = [^`]*)`", caught.value.hint or ""))
    exec(code, {"df": df, "json": json})
    sent = to_arrow(df).column("x")
    assert sent.null_count == 1 and not sent[-1].is_valid, code


def test_the_way_out_of_an_index_begins_with_its_column():
    df = pd.DataFrame({"v": [1, 2]}, index=pd.PeriodIndex(["2024-03", None], freq="M", name="month"))
    with pytest.raises(errors.UsageError) as caught:
        to_arrow(df)
    found = {"df": df}
    for code in re.findall("`(df[^`]* = [^`]*)`", caught.value.hint or ""):
        exec(code, found)
    assert to_arrow(found["df"]).column("month").to_pylist() == [dt.datetime(2024, 3, 1), None]


@pytest.mark.filterwarnings(
    "ignore:(?s).*map_elements is significantly slower"
)  # a cast of objects, which it advises, fails
@pytest.mark.parametrize(
    ("values", "texts"),
    [([{"a": 1}, {"b": "z"}, None], ['{"a": 1}', '{"b": "z"}', None]), ([1, "x", None], ["1", "x", None])],
)
def test_the_way_out_of_a_polars_frame_is_code_of_polars(values, texts):
    df = pl.DataFrame({"x": pl.Series(values, dtype=pl.Object)})
    with pytest.raises(errors.UsageError) as caught:
        to_arrow(df)
    found = {"df": df, "pl": pl, "json": json}
    exec(next(iter(re.findall("`(df = [^`]*)`", caught.value.hint or ""))), found)
    assert to_arrow(found["df"]).column("x").to_pylist() == texts
