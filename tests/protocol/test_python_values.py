"""Parameters as Python, numpy and pandas have them: what arrives is what they hold, or a refusal that names it."""

from __future__ import annotations

import datetime as dt
import enum
from collections import deque
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.python_values import NanoDatetime
from tusk_jupyter.protocol.values import pack, unpack

BERLIN = dt.timezone(dt.timedelta(hours=1))


class Loud(str):
    def __str__(self) -> str:
        return "LOUD"


class LoudInt(int):
    def __str__(self) -> str:
        return "0"

    __repr__ = __str__


class LoudFloat(float):
    def __repr__(self) -> str:
        return "0.0"


class LoudDecimal(Decimal):
    def __str__(self) -> str:
        return "0"


class LoudMoment(dt.datetime):
    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "1970-01-01"


class Colour(str, enum.Enum):  # noqa: UP042  # its str() is "Colour.RED"
    RED = "red"


class Plain(enum.Enum):
    BLUE = "blue"
    NONE = None


class Level(int, enum.Enum):
    HIGH = 3


class Bits(enum.IntFlag):
    A = 1
    B = 2


MARCH = dt.datetime(2024, 3, 1)
HELD: list[tuple[object, object]] = [
    (Loud("x"), "x"),
    (LoudInt(7), 7),
    (LoudFloat(0.5), 0.5),
    (LoudDecimal("1.20"), Decimal("1.20")),
    ({7}, [7]),
    (frozenset({Plain.BLUE}), ["blue"]),
    (range(1, 4), [1, 2, 3]),
    ({"a": 1}.keys(), ["a"]),
    ({"a": 1}.values(), [1]),
    (deque([1, 2]), [1, 2]),
    (pd.Index([3, 4]), [3, 4]),
    (pl.Series([1, None]), [1, None]),
    (pa.array(["x", None]), ["x", None]),
    (pa.chunked_array([[1], [2]]), [1, 2]),
    (LoudMoment(2024, 3, 1), MARCH),
    (Colour.RED, "red"),
    (Plain.BLUE, "blue"),
    (Plain.NONE, None),
    (Level.HIGH, 3),
    (Bits.A | Bits.B, 3),
    (enum.StrEnum("S", {"ONE": "one"}).ONE, "one"),
    ([Colour.RED, np.datetime64("2024-03-01", "ns"), pd.NaT], ["red", MARCH, None]),
    ((1, (2, Level.HIGH)), [1, [2, 3]]),
    (np.bool_(True), True),
    (np.int64(2**62), 2**62),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float64(0.1), 0.1),
    (np.longdouble(0.5), 0.5),
    (np.str_("é"), "é"),
    (np.bytes_(b"\xff"), b"\xff"),
    (np.ma.masked, None),
    (np.ma.array([1, 2], mask=[False, True]), [1, None]),
    (np.datetime64("2024-03-01", "ns"), MARCH),
    (np.datetime64("2024-03-01T00:00:00.000001", "ns"), MARCH.replace(microsecond=1)),
    (np.datetime64("1969-12-31T23:59:59.999999", "ns"), dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
    (np.datetime64("2024-03-01T12", "h"), MARCH.replace(hour=12)),
    (np.datetime64("2024-03-01", "25s"), MARCH),
    (np.datetime64("0001-01-01T00:00:00", "s"), dt.datetime(1, 1, 1)),
    (np.datetime64("1970-01-01T00:00:00.000001", "ps"), dt.datetime(1970, 1, 1, 0, 0, 0, 1)),
    (np.datetime64("2024-03-01", "D"), dt.date(2024, 3, 1)),
    (np.datetime64("2024-03", "M"), dt.date(2024, 3, 1)),
    (np.datetime64("2024", "Y"), dt.date(2024, 1, 1)),
    (np.datetime64("NaT"), None),
    (np.datetime64("NaT", "ns"), None),
    (np.timedelta64(90, "m"), dt.timedelta(minutes=90)),
    (np.timedelta64(-1000, "ns"), dt.timedelta(microseconds=-1)),
    (np.timedelta64("NaT", "ns"), None),
    (np.array("2024-03-01", "datetime64[ns]"), MARCH),
    (np.array(["2024-03-01"], "datetime64[ns]"), [MARCH]),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([Decimal("1.2"), "x"], object), [Decimal("1.2"), "x"]),
    (pd.Timestamp("2024-03-01"), MARCH),
    (pd.Timestamp("2024-03-01", tz="Europe/Berlin"), MARCH.replace(tzinfo=BERLIN)),
    (pd.Timedelta("1us"), dt.timedelta(microseconds=1)),
    (pd.NA, None),
    (pd.NaT, None),
    (pd.Series(["2024-03-01"], dtype="datetime64[ns]"), [MARCH]),
    (pd.Series([1, None], dtype="Int64"), [1, None]),
    (pd.Categorical(["a", None]), ["a", None]),
    (pd.Series(["a", None]), ["a", None]),
    (pd.Series([1.5, 2.5]), [1.5, 2.5]),
    (pd.Index([1, 2]), [1, 2]),
    (memoryview(b"\0\1"), b"\0\1"),
    (10**4200, 10**4200),
    (dt.time(10, tzinfo=BERLIN), dt.time(10, tzinfo=BERLIN)),
]


@pytest.mark.parametrize(("value", "held"), HELD, ids=[f"{n}-{type(one).__name__}" for n, (one, _) in enumerate(HELD)])
def test_a_value_is_what_it_holds(value: object, held: object) -> None:
    got = unpack(pack(value))
    assert got == held
    assert type(got) is type(held)


REFUSED: list[tuple[object, str]] = [
    (np.longdouble(1) / 3, "more digits than a float"),
    (np.complex128(1j), "cannot be of type complex128"),
    (np.zeros(1, [("a", "i4")]), "cannot be of type void"),
    (np.datetime64("12000-01-01", "D"), "12000-01-01 lies outside of the years 1 to 9999"),
    (np.datetime64("12000-01-01T00:00", "us"), "outside of the years"),
    (pd.Timestamp(np.datetime64("12000-01-01", "s")), "outside of the years"),
    (np.datetime64(1, "ps"), "finer"),
    (np.timedelta64(1, "ns"), "finer"),
    (np.timedelta64(1, "M"), "1 months has no fixed length"),
    (np.timedelta64(2**62, "s"), "longer than"),
    (pd.Timedelta(1, "ns"), "finer"),
    (pd.Period("2024-03"), "cannot be of type Period"),
    (pd.Interval(1, 2), "cannot be of type Interval"),
    (pd.DataFrame({"a": [1]}), "cannot be of type DataFrame"),
    ("a\ud800", "no Unicode text"),
    ([1, object()], "cannot be of type object"),
    (1j, "cannot be of type complex"),
    (iter([1, 2]), "cannot be of type list_iterator"),
    (pa.table({"a": [1]}), "cannot be of type Table"),
    ({"a": float("nan")}, "sent as JSON"),
    ({"a": Decimal("1.2")}, "has no Decimal"),
    ({(1, 2): 3}, "sent as JSON"),
    ({"a": object()}, "cannot be of type object"),
    ({"a": ["\ud800"]}, "no Unicode text"),
    ({1: "a", "1": "b"}, "two of its keys are the same text"),
    ({"a": [{None: 1, "null": 2}]}, "two of its keys are the same text"),
    (10**5000, "more than 4,200 digits"),
    ([-(10**5000)], "more than 4,200 digits"),
    (dt.time(10, tzinfo=ZoneInfo("Europe/Berlin")), "whose offset depends on the day"),
    (pd.MultiIndex.from_tuples([(1, 2)]), "cannot be of type MultiIndex"),
    (pl.Series([1001]).cast(pl.Time), "with nanoseconds"),
    (pl.Series([1001]).cast(pl.Duration("ns")), "finer"),
    (pl.Series([[1001]]).cast(pl.List(pl.Time)), "with nanoseconds"),
    (pl.Series([2**62]).cast(pl.Datetime("us")), "outside of the years 1 to 9999"),
    (pl.Series([5 * 10**6], dtype=pl.Int32).cast(pl.Date), "outside of the years 1 to 9999"),
    (pa.array([1001], pa.time64("ns")), "with nanoseconds"),
    (pa.array([1001], pa.time64("ns")).dictionary_encode(), "with nanoseconds"),
    (pa.array([{"t": 1001}], pa.struct([("t", pa.time64("ns"))])), "with nanoseconds"),
    (pa.array([[1001]], pa.list_view(pa.time64("ns"))), "with nanoseconds"),
    (pa.array([2**62], pa.timestamp("us")), "outside of the years 1 to 9999"),
    (pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1001], pa.time64("ns")))), "with nanoseconds"),
    (pa.MonthDayNano([1, 2, 3]), "cannot be of type MonthDayNano"),
    (pa.array([pa.MonthDayNano([1, 2, 3])]), "cannot be of type MonthDayNano"),
]


@pytest.mark.parametrize(("value", "words"), REFUSED, ids=[f"{n}-{words}" for n, (_, words) in enumerate(REFUSED)])
def test_what_cannot_be_exact_is_refused_with_a_way_out(value: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        pack(value)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_dict_is_json_with_the_texts_of_its_dates() -> None:
    inside = {
        "on": dt.date(2024, 3, 1),
        "at": pd.Timestamp("2024-03-01 10:00"),
        "id": UUID(int=1),
        "n": np.int64(2),
        "c": Colour.RED,
    }
    assert unpack(pack(inside)) == {
        "on": "2024-03-01", "at": "2024-03-01T10:00:00", "id": "00000000-0000-0000-0000-000000000001", "n": 2, "c": "red",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2024-03-01 00:00:00.123456789", None),
        ("2024-03-01 00:00:00.123456789", dt.UTC),
        ("2024-03-01 00:00:00.000000001", BERLIN),
        ("1677-09-21 00:12:43.145224193", None),
        ("2262-04-11 23:47:16.854775807", None),
    ],
)
def test_nanoseconds_arrive(value: str, zone: dt.tzinfo | None) -> None:
    sent = pd.Timestamp(value, tz=zone)
    got = unpack(pack(sent))
    assert isinstance(got, NanoDatetime)
    assert pd.Timestamp(got.isoformat()) == sent
    if zone is None:
        from_numpy = unpack(pack(sent.to_datetime64()))
        assert from_numpy.isoformat() == got.isoformat()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([1001, None]).cast(pl.Datetime("ns")),
        pl.Series([1001, None]).cast(pl.Datetime("ns", "Europe/Berlin")),
        pl.Series([[1001], None]).cast(pl.List(pl.Datetime("ns"))),
        pa.array([1001, None], pa.timestamp("ns")),
    ],
    ids=str,
)
def test_nanoseconds_of_columns_arrive(column: object) -> None:
    first, missing = unpack(pack(column))
    (moment,) = first if isinstance(first, list) else [first]
    assert (moment.microsecond, moment.nanosecond, missing) == (1, 1, None)


def test_times_of_columns_in_whole_microseconds_arrive() -> None:
    for column in (pl.Series([1000, None]).cast(pl.Time), pa.array([1000, None], pa.time64("ns"))):
        assert unpack(pack(column)) == [dt.time(0, 0, 0, 1), None]


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_every_moment_of_numpy_arrives(ticks: int) -> None:
    sent = np.datetime64(ticks, "ns")
    got = unpack(pack(sent))
    nanosecond = getattr(got, "nanosecond", 0)
    whole = dt.datetime.combine(got.date(), got.time()) - dt.datetime(1970, 1, 1)
    assert (whole // dt.timedelta(microseconds=1)) * 1000 + nanosecond == ticks
