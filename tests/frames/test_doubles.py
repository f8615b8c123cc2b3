"""DECIMAL as float64: the nearest double of each value, as Python's own parser finds it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusk_jupyter.client import doubles, frames, tables
from tusk_jupyter.protocol.stream import TYPES_KEY

TENTHS = [Decimal(n).scaleb(-2) for n in range(-10_000, 10_001)]
WIDE = [Decimal("123456789012345678901234567890.12345678"), Decimal("-0.00000001"), Decimal("9007199254740993"), None]


def column_of(values: list[Decimal | None], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values[:3], kind), pa.array([Decimal(0), *values[3:]], kind).slice(1)])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (TENTHS, pa.decimal128(10, 2)),
        ([*TENTHS, None], pa.decimal128(38, 10)),
        (WIDE, pa.decimal128(38, 8)),
        (WIDE, pa.decimal256(76, 30)),
        ([Decimal(2**53), Decimal(2**53 + 1), Decimal(-(2**53) - 1)], pa.decimal128(38, 0)),
        ([Decimal(2**64 + 5), Decimal(3 * 2**64), Decimal(-(2**64) + 7)], pa.decimal128(38, 0)),
        ([Decimal("1E+5"), None], pa.decimal128(5, -5)),
        ([None, None], pa.decimal128(5, 2)),
        ([], pa.decimal128(5, 2)),
    ],
    ids=[
        "two digits",
        "with NULL",
        "wide",
        "256 bits",
        "around 2 to 53",
        "small in their lower 64 bits",
        "thousands",
        "only NULL",
        "no rows",
    ],
)
def test_each_value_is_the_nearest_double(values: list[Decimal | None], kind: pa.DataType) -> None:
    expected = [None if value is None else float(value) for value in values]
    assert doubles.nearest(column_of(values, kind)).to_pylist() == expected


@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1), max_size=20), st.integers(0, 38))
def test_whatever_the_digits(unscaled: list[int], scale: int) -> None:
    values = [Decimal(f"{one}e-{scale}") for one in unscaled]
    got = doubles.nearest(pa.chunked_array([pa.array(values, pa.decimal128(38, scale))])).to_pylist()
    assert got == [float(f"{one}e-{scale}") for one in unscaled]


def test_every_format_has_them() -> None:
    table = pa.table({"v": pa.array([Decimal("0.35"), Decimal("0.30"), Decimal("0.41"), None], pa.decimal128(4, 2))})
    assert frames.to_pandas(table, decimal="float")["v"].tolist()[:3] == [0.35, 0.3, 0.41]
    assert tables.to_frame([table], "arrow", decimal="float")["v"].to_pylist() == [0.35, 0.3, 0.41, None]
    polars = tables.to_frame([table], "polars", decimal="float")
    assert isinstance(polars, pl.DataFrame)
    assert polars["v"].to_list() == [0.35, 0.3, 0.41, None]


def test_integers_beyond_64_bits_stay_exact():
    schema = pa.schema([("h", pa.decimal256(39, 0)), ("d", pa.decimal128(5, 2))])
    schema = schema.with_metadata({TYPES_KEY: b'["HUGEINT", "DECIMAL(5,2)"]'})
    table = pa.table([[Decimal(2**127 - 1)], [Decimal("0.35")]], schema=schema)
    frame = frames.to_pandas(table, decimal="float")
    assert (frame["h"].iloc[0], frame["d"].iloc[0]) == (2**127 - 1, 0.35)
    assert tables.to_frame([table], "arrow", decimal="float").to_pylist() == [{"h": 2**127 - 1, "d": 0.35}]
