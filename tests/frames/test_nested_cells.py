"""Lists, structs and maps in pandas: a cell is the same value by whatever way one gets to it."""

from __future__ import annotations

import copy
import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tusk_jupyter.client import frames

BIG = 2**53 + 1
ZONE = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
CASES: list[tuple[pa.DataType, Any]] = [
    (pa.list_(pa.int64()), [BIG, None]),
    (pa.large_list(pa.int64()), [BIG, 2]),
    (pa.list_(pa.int64(), 2), [BIG, None]),
    (pa.list_(pa.list_(pa.int64())), [[BIG, None], None, []]),
    (pa.list_(pa.uint64()), [2**64 - 1, None]),
    (pa.list_(pa.int8()), [1, None]),
    (pa.struct([("a", pa.int64()), ("l", pa.list_(pa.int64()))]), {"a": BIG, "l": [BIG, None]}),
    (pa.list_(pa.struct([("a", pa.int64())])), [{"a": BIG}, None, {"a": None}]),
    (pa.map_(pa.string(), pa.int64()), [("k", BIG), ("l", None)]),
    (pa.map_(pa.string(), pa.list_(pa.int64())), [("k", [BIG, None])]),
    (pa.list_(pa.timestamp("us", "UTC")), [ZONE, None]),
    (pa.struct([("d", pa.duration("us"))]), {"d": dt.timedelta(days=1, microseconds=1)}),
    (pa.struct([("n", pa.timestamp("ns"))]), {"n": pd.Timestamp("2024-01-01 00:00:00.000000001")}),
]
WAYS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "loc": lambda frame: frame.loc[0, "x"],
    "to_numpy": lambda frame: frame["x"].to_numpy()[0],
    "apply": lambda frame: seen_by(frame["x"].apply),
    "map": lambda frame: seen_by(frame.map),
    "tuples": lambda frame: next(frame.itertuples()).x,
    "astype": lambda frame: frame["x"].astype(object).iloc[0],
    "all": lambda frame: frame.to_numpy()[0, 0],
    "dict": lambda frame: frame.to_dict("records")[0]["x"],
    "concat": lambda frame: pd.concat([frame, frame])["x"].to_numpy()[0],
    "reindex": lambda frame: frame.reindex([0, 7])["x"].to_numpy()[0],
    "copy": lambda frame: frame.copy().sort_index()["x"].to_numpy()[0],
}


def seen_by(apply: Callable[[Callable[[Any], str]], object]) -> Any:
    """Return what a function gets that is applied; pandas makes a column of its results by rules of its own."""
    cells: list[Any] = []
    apply(lambda cell: cells.append(cell) or "")
    return cells[0]


def plain(value: Any) -> Any:
    return [plain(one) for one in value] if isinstance(value, (list, tuple, np.ndarray)) else value


@pytest.mark.parametrize(("kind", "value"), CASES, ids=[str(case[0])[:40] for case in CASES])
def test_a_cell_is_itself_by_every_way(kind, value):
    frame = frames.to_pandas(pa.table({"x": pa.array([value, None], kind)}))
    assert str(frame["x"].dtype) == f"{kind}[pyarrow]"
    assert {name: plain(way(frame)) for name, way in WAYS.items()} == dict.fromkeys(WAYS, plain(value))
    assert frame["x"].isna().tolist() == [False, True]


@pytest.mark.parametrize("kind", [case[0] for case in CASES[:10] if "64" in str(case[0])], ids=str)
def test_what_is_shown_or_written_has_all_digits(kind):
    value = next(case[1] for case in CASES if case[0] == kind)
    frame = frames.to_pandas(pa.table({"x": pa.array([value, None], kind)}))
    digits = str(2**64 - 1 if kind == pa.list_(pa.uint64()) else BIG)
    with pd.option_context("display.max_colwidth", None):
        assert digits in repr(frame)
        assert digits in frame.to_html()
    assert digits in frame.to_csv()


def test_a_column_that_was_pickled_or_made_anew_is_pandas_own(tmp_path):
    frame = frames.to_pandas(pa.table({"x": pa.array([[BIG, None]], pa.list_(pa.int64()))}))
    made, parts = frame["x"].array.__reduce__()
    assert type(made(*parts)) is pd.arrays.ArrowExtensionArray
    assert frame["x"].list.len().tolist() == [2]
    frame.to_parquet(tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet", dtype_backend="pyarrow")["x"].iloc[0] == [BIG, None]


def test_a_frame_with_intervals_is_pickled_and_read_without_this_package(tmp_path):
    lengths = [pa.MonthDayNano((14, -3, 4_500_000_000)), None]
    frame = frames.to_pandas(pa.table({"x": pa.array(lengths, pa.month_day_nano_interval())}))
    frame.to_pickle(tmp_path / "x.pickle")
    assert b"tusk" not in (tmp_path / "x.pickle").read_bytes()
    assert pd.read_pickle(tmp_path / "x.pickle")["x"].tolist() == lengths
    assert copy.deepcopy(frame["x"].tolist()) == lengths
    reads = "import pandas, sys; print(pandas.read_pickle(sys.argv[1])['x'].iloc[0])"
    said = subprocess.run(
        [sys.executable, "-c", reads, tmp_path / "x.pickle"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == str(lengths[0])
