"""Statistics of a column: exact counts, and what is rounded says so."""

import math

import pyarrow as pa
from grids import Asking


def of(values: list, kind: pa.DataType | None = None, **fields) -> dict:
    asking = Asking(pa.table({"a": pa.array(values, kind)}))
    return asking.ask("statistics", column=0, **fields)["statistics"]


def test_numbers_have_ends_averages_and_a_histogram():
    found = of([*range(100), None], pa.int64())
    facts = dict(found["facts"])
    assert (found["rows"], found["nulls"], found["distinct"]) == (101, 1, 100)
    assert (facts["min"], facts["max"], facts["mean ≈"], facts["median ≈"]) == ("0", "99", "49.5", "49.5")
    assert len(found["bars"]) == 24
    assert sum(bar["count"] for bar in found["bars"]) == 100


def test_the_ends_of_large_integers_are_exact():
    facts = dict(of([2**53 + 1, 2**63 - 1], pa.int64())["facts"])
    assert (facts["min"], facts["max"]) == (str(2**53 + 1), str(2**63 - 1))


def test_nan_and_infinity_are_counted_apart_and_do_not_spoil_the_rest():
    found = of([1.0, 3.0, math.nan, math.inf, None], pa.float64())
    facts = dict(found["facts"])
    assert facts["mean ≈"] == "2"
    assert facts["NaN"] == "1"
    assert facts["infinite"] == "1"
    assert sum(bar["count"] for bar in found["bars"]) == 2


def test_times_have_a_histogram_with_readable_ends():
    found = of([0, 86_400, 864_000], pa.timestamp("s", "UTC"))
    assert found["bars"][0]["low"] == "1970-01-01 00:00:00+00"
    assert found["bars"][-1]["high"] == "1970-01-11 00:00:00+00"


def test_texts_have_their_most_frequent_values():
    found = of(["b", "a", "b", "", None])
    assert found["top"][0] == ("b", 2) or list(found["top"][0]) == ["b", 2]
    assert dict(found["facts"])["empty texts"] == "1"
    assert not found["bars"]


def test_nothing_at_all_is_no_error():
    for values in ([], [None, None]):
        found = of(values, pa.float64())
        assert found["distinct"] == 0
        assert not found["bars"]


def test_statistics_are_of_the_rows_that_fulfil_the_conditions():
    found = of([1, 2, 3, None], pa.int64(), filters=[{"column": 0, "op": ">", "values": ["1"]}])
    assert (found["rows"], found["nulls"]) == (2, 0)
