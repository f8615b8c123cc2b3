"""Arrow to polars: what it knows as it is, what it does not as text, and a note wherever something had to change."""

#

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from tusk_jupyter.client.frames import to_polars

FAR = 2**62


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.int64(), [2**53 + 1, None], pl.Int64),
        (pa.uint64(), [2**64 - 1, None], pl.UInt64),
        (pa.float64(), [1.5, None], pl.Float64),
        (pa.decimal128(38, 2), [Decimal("1.20"), None], pl.Decimal(38, 2)),
        (pa.date32(), [dt.date(1, 1, 1), None], pl.Date),
        (pa.timestamp("us"), [dt.datetime(9999, 1, 1), None], pl.Datetime("us")),
        (pa.timestamp("us", "Europe/Berlin"), [0, None], pl.Datetime("us", "Europe/Berlin")),
        (pa.timestamp("s"), [5, None], pl.Datetime("ms")),
        (pa.duration("s"), [5, None], pl.Duration("ms")),
        (pa.time64("us"), [5, None], pl.Time),
        (pa.string(), ["", None], pl.String),
        (pa.binary(), [b"", None], pl.Binary),
        (pa.null(), [None, None], pl.Null),
        (pa.list_(pa.int8()), [[1], None], pl.List(pl.Int8)),
    ],
    ids=str,
)
def test_what_polars_knows_goes_as_it_is(kind: pa.DataType, values: list, expected: pl.DataType):
    notes: list[str] = []
    frame = to_polars(pa.table({"x": pa.array(values, kind)}), notes=notes)
    assert frame.schema["x"] == expected
    assert frame["x"].is_null().to_list() == [value is None for value in values]
    assert not notes


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([Decimal("1.20"), None], pa.decimal256(60, 2)), ["1.20", None]),
        (pa.array([(14, 3, 1_500_000_000), None], pa.month_day_nano_interval()), ["P14M3DT1.5S", None]),
        (pa.array([[Decimal("1.20")], None], pa.list_(pa.decimal256(60, 2))), ['["1.20"]', None]),
        (pa.array([FAR, 0], pa.timestamp("s")), ["146138514283-06-19 07:45:04", "1970-01-01 00:00:00"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_what_polars_has_no_type_for_goes_as_text_with_a_note(array: pa.Array, texts: list):
    notes: list[str] = []
    frame = to_polars(pa.table({"x": array}), notes=notes)
    assert frame["x"].to_list() == texts
    assert [note.startswith("Column 'x' is text: polars has no type for") for note in notes] == [True]


def test_a_time_zone_that_polars_does_not_know_goes_as_utc_with_a_note():
    notes: list[str] = []
    frame = to_polars(pa.table({"x": pa.array([0], pa.timestamp("us", "Nowhere/Atall"))}), notes=notes)
    assert frame["x"].to_list() == [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)]
    assert notes == ["Column 'x' is in UTC: polars does not know the time zone 'Nowhere/Atall'."]


def test_names_used_twice_are_numbered_with_a_note_and_the_empty_one_is_kept():
    arrays = [pa.array([n]) for n in range(5)]
    notes: list[str] = []
    frame = to_polars(pa.Table.from_arrays(arrays, names=["a", "a", "", "a_2", "a"]), notes=notes)
    assert frame.columns == ["a", "a_3", "", "a_2", "a_4"]
    assert frame.row(0) == (0, 1, 2, 3, 4)
    assert len(notes) == 2


def test_no_rows_and_no_columns_are_fine():
    assert to_polars(pa.table({"x": pa.chunked_array([], pa.int8())})).shape == (0, 1)
    assert to_polars(pa.table({})).shape == (0, 0)
