"""Arrow to pandas: the dtype that the rules say, and every value as the database had it."""

# R-31; DESIGN section 5

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tusk_jupyter.client.frames import to_pandas

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def of_numbers(kind: pa.DataType, numbers: st.SearchStrategy[int]) -> tuple[pa.DataType, st.SearchStrategy, object]:
    """Values given by the 64-bit numbers behind them, which reach further than Python's datetime."""
    return kind, numbers, lambda values: pa.array(values, pa.int64()).cast(pa.int64()).view(kind)


def plain(kind: pa.DataType, values: st.SearchStrategy) -> tuple[pa.DataType, st.SearchStrategy, object]:
    return kind, values, lambda rows: pa.array(rows, kind)


def decimals(kind: pa.DataType) -> st.SearchStrategy[Decimal]:
    digits = 10**kind.precision - 1
    return st.integers(-digits, digits).map(lambda number: Decimal(f"{number}E-{kind.scale}"))


TYPES = [
    *(
        plain(
            pa.from_numpy_dtype(f"{sign}int{bits}"),
            st.integers(*((0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))),
        )
        for bits in (8, 16, 32, 64)
        for sign in ("", "u")
    ),
    plain(pa.bool_(), st.booleans()),
    plain(pa.float64(), st.floats()),
    plain(pa.float32(), st.floats(width=32)),
    plain(pa.float16(), st.floats(width=16).map(np.float16)),
    *(
        plain(kind, decimals(kind))
        for kind in (pa.decimal128(12, 2), pa.decimal128(38, 0), pa.decimal256(60, 20), pa.decimal32(5, 1))
    ),
    (pa.date32(), st.integers(-(2**31) + 1, 2**31 - 1), lambda rows: pa.array(rows, pa.int32()).view(pa.date32())),
    *(
        of_numbers(pa.timestamp(unit, zone), INT64)
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Europe/Berlin", "+05:30")
    ),
    *(of_numbers(pa.duration(unit), INT64) for unit in ("s", "ms", "us", "ns")),
    of_numbers(pa.time64("us"), st.integers(0, 86_399_999_999)),
    of_numbers(pa.time64("ns"), st.integers(0, 86_399_999_999_999)),
    *(
        plain(kind, TEXT)
        for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()))
    ),
    *(plain(kind, st.binary(max_size=9)) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    plain(pa.binary(3), st.binary(min_size=3, max_size=3)),
    plain(pa.list_(pa.int32()), st.lists(st.none() | st.integers(-9, 9), max_size=3)),
    plain(pa.list_(pa.list_(pa.string())), st.lists(st.lists(TEXT, max_size=2), max_size=2)),
    plain(
        pa.struct([("a", pa.int8()), ("b", pa.string())]), st.fixed_dictionaries({"a": st.integers(-9, 9), "b": TEXT})
    ),
    plain(pa.map_(pa.string(), pa.int8()), st.lists(st.tuples(TEXT, st.integers(-9, 9)), max_size=3)),
    plain(
        pa.month_day_nano_interval(),
        st.tuples(st.integers(-99, 99), st.integers(-99, 99), st.integers(-(2**62), 2**62)),
    ),
]


@st.composite
def columns(draw: st.DrawFn) -> pa.ChunkedArray:
    kind, values, build = draw(st.sampled_from(TYPES))
    nulls = draw(st.booleans())
    chunks = draw(st.lists(st.lists(st.none() | values if nulls else values, max_size=6), max_size=3))
    return pa.chunked_array([build(rows) for rows in chunks], type=kind)


def back(series: pd.Series, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a pandas column as Arrow, by the way that its dtype gives."""
    kind = column.type
    if isinstance(series.dtype, pd.ArrowDtype):
        found = series.array.__arrow_array__()
    elif isinstance(series.dtype, pd.CategoricalDtype):
        found = pa.array(series.array.astype(object), kind.value_type, from_pandas=True)
    elif series.dtype == object:
        found = pa.array(list(series), kind)
    else:
        floats = pa.types.is_floating(kind)
        found = pa.array(series, from_pandas=bool(column.null_count) or not floats)
    found = found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
    return found.cast(kind.value_type if pa.types.is_dictionary(kind) else kind)


def equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    """NaN equals NaN; NULL does not."""
    left, right = left.combine_chunks(), right.combine_chunks()
    if pa.types.is_floating(left.type):
        return left.is_null().equals(right.is_null()) and np.array_equal(
            left.fill_null(0).to_numpy(), right.fill_null(0).to_numpy(), equal_nan=True
        )
    return left.equals(right)


@settings(max_examples=600, deadline=None)
@given(column=columns())
def test_every_value_of_every_type_comes_back(column: pa.ChunkedArray):
    frame = to_pandas(pa.table({"x": column}))
    assert len(frame) == len(column)
    expected = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    assert equal(back(frame["x"], column), expected), (column, frame["x"])


DTYPES = [
    (pa.int8(), [1, 2], "int8"),
    (pa.int64(), [1, 2], "int64"),
    (pa.uint64(), [2**64 - 1, 2], "uint64"),
    (pa.int8(), [1, None], "Int8"),
    (pa.int64(), [2**63 - 1, None], "Int64"),
    (pa.uint64(), [2**64 - 1, None], "UInt64"),
    (pa.bool_(), [True, False], "bool"),
    (pa.bool_(), [True, None], "boolean"),
    (pa.float64(), [1.5, None], "float64"),
    (pa.float32(), [1.5, float("nan")], "float32"),
    (pa.float64(), [None, float("nan")], "double[pyarrow]"),
    (pa.decimal128(5, 2), [Decimal("1.20"), None], "decimal128(5, 2)[pyarrow]"),
    (pa.date32(), [dt.date(1, 1, 1), None], "datetime64[s]"),
    (pa.timestamp("us"), [dt.datetime(9999, 12, 31), None], "datetime64[us]"),
    (pa.timestamp("ns"), [0, None], "datetime64[ns]"),
    (pa.timestamp("us", "Europe/Berlin"), [0, None], "datetime64[us, Europe/Berlin]"),
    (pa.timestamp("us", "Nowhere/Atall"), [0, None], "timestamp[us, tz=Nowhere/Atall][pyarrow]"),
    (pa.time64("us"), [dt.time(1), None], "time64[us][pyarrow]"),
    (pa.duration("ms"), [5, None], "timedelta64[ms]"),
    (pa.string(), ["a", None], "str"),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None], "category"),
    (pa.binary(), [b"a", None], "object"),
    (pa.list_(pa.int8()), [[1], None], "list<item: int8>[pyarrow]"),
    (pa.null(), [None, None], "object"),
]


@pytest.mark.parametrize(("kind", "values", "dtype"), DTYPES, ids=lambda value: str(value))
def test_each_type_has_its_dtype(kind: pa.DataType, values: list, dtype: str):
    frame = to_pandas(pa.table({"x": pa.array(values, kind)}))
    assert str(frame["x"].dtype) == dtype


@pytest.mark.parametrize(("kind", "values", "dtype"), DTYPES, ids=lambda value: str(value))
def test_no_rows_have_the_dtype_of_no_null(kind: pa.DataType, values: list, dtype: str):
    frame = to_pandas(pa.table({"x": pa.chunked_array([], kind)}))
    assert frame.shape == (0, 1)
    without = {"Int8": "int8", "Int64": "int64", "UInt64": "uint64", "boolean": "bool", "double[pyarrow]": "float64"}
    assert str(frame["x"].dtype) == without.get(dtype, dtype)


def test_null_and_nan_stay_two_things():
    frame = to_pandas(pa.table({"x": pa.array([1.0, None, float("nan")])}))
    assert frame["x"].array.__arrow_array__().is_null().to_pylist() == [False, True, False]
    assert np.isnan(frame["x"].array.__arrow_array__()[2].as_py())


def test_integers_beyond_2_to_the_53_stay_exact_beside_null():
    frame = to_pandas(pa.table({"x": pa.array([2**53 + 1, None])}))
    assert frame["x"][0] == 2**53 + 1
    assert frame["x"].isna().tolist() == [False, True]


def test_decimals_become_floats_only_when_asked_for():
    table = pa.table({"x": pa.array([Decimal("0.10"), None], pa.decimal128(5, 2)), "y": [1, 2]})
    frame = to_pandas(table, decimal="float")
    assert [str(dtype) for dtype in frame.dtypes] == ["float64", "int64"]
    assert frame["x"][0] == 0.1
    assert np.isnan(frame["x"][1])


def test_names_are_kept_twice_and_empty_ones_too():
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array([None])], names=["a", "a", ""])
    frame = to_pandas(table)
    assert list(frame.columns) == ["a", "a", ""]
    assert frame.iloc[0, :2].tolist() == [1, "x"]
    assert frame.iloc[0, 2] is None


def test_a_name_given_to_the_columns_of_a_frame_is_not_that_of_the_next_one():
    table = pa.table({"a": [1], "b": [2]})
    to_pandas(table).columns.name = "mine"
    assert to_pandas(table).columns.name is None


def test_rows_without_columns_are_counted():
    table = pa.table({"x": [1, 2, 3]}).select([])
    assert to_pandas(table).shape == (3, 0)
    assert to_pandas(pa.table({})).shape == (0, 0)


def test_a_frame_can_be_written_to():
    table = pa.table(
        {"i": [1, 2], "f": [1.5, 2.5], "s": ["a", "b"], "t": pa.array([0, 1], pa.timestamp("us")), "b": [True, False]}
    )
    frame = to_pandas(table)
    frame.loc[0, ["i", "f", "s", "b"]] = [7, 7.5, "z", False]
    frame.loc[0, "t"] = pd.Timestamp("2020-01-01")
    frame["i"].to_numpy()
    assert frame.iloc[0].tolist() == [7, 7.5, "z", pd.Timestamp("2020-01-01"), False]
    assert table["i"].to_pylist() == [1, 2]


def test_categories_keep_order_and_survive_dictionaries_that_differ_or_are_odd():
    first = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), pa.array(["b", "a"]), ordered=True)
    second = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["c", "a"]), ordered=True)
    odd = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["a", None, "a"]))
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", "a"]))
    assert to_pandas(pa.table({"x": twice}))["x"].tolist()[:2] == ["a", "a"]
    series = to_pandas(pa.table({"x": pa.chunked_array([first, second])}))["x"]
    assert series.array.ordered
    assert [None if pd.isna(value) else value for value in series] == ["b", None, "a", "c", "a"]
    assert [None if pd.isna(value) else value for value in to_pandas(pa.table({"x": odd}))["x"]] == ["a", None, "a"]


def test_extension_types_come_as_what_they_store_and_uuids_as_text():
    number = bytes(range(16))
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([number, None], pa.binary(16)))
    documents = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None]))
    frame = to_pandas(pa.table({"u": uuids, "j": documents}))
    assert frame.iloc[0].tolist() == ["00010203-0405-0607-0809-0a0b0c0d0e0f", '{"a": 1}']
    assert frame.isna().iloc[1].all()


def test_a_column_that_stays_arrow_does_not_keep_the_message_it_came_in():
    sent = pa.record_batch({"few": pa.array([Decimal("1.5")]), "many": pa.array(["x" * 100_000])})
    received = pa.ipc.read_record_batch(sent.serialize(), sent.schema)
    assert any(buffer is not None and buffer.parent is not None for buffer in received["few"].buffers())
    kept = to_pandas(pa.table({"few": received["few"]}))["few"].array.__arrow_array__()
    assert all(buffer is None or buffer.parent is None for chunk in kept.chunks for buffer in chunk.buffers())


def test_importing_the_module_imports_nothing_heavy():
    import subprocess
    import sys

    script = (
        "import sys; import tusk_jupyter.client.frames, tusk_jupyter.client.files, tusk_jupyter.client.widen\n"
        "print([name for name in ('pandas', 'numpy', 'pyarrow', 'polars') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_frame_with_intervals_can_be_shown():
    table = pa.table({"i": pa.array([(1, 2, 3000), None], pa.month_day_nano_interval())})
    frame = to_pandas(table)
    assert "(1, 2, 3000)" in repr(frame)
    assert frame["i"][0].months == 1
