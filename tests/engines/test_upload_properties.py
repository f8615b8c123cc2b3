"""Generated values on their way into every engine, and back: none is changed without a word."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_upload_cells import upload, values_of

from tusk_jupyter import errors

AT_ONCE = 100
FEW = 13
"""Values that are not sent one by one to find the refused one among them."""


def seldom(common: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for values of which a hundredth is rare: they are refused somewhere, and the rest with them."""
    return st.integers(0, 99).flatmap(lambda drawn: rare if drawn == 99 else common)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
I64 = st.integers(-(2**63), 2**63 - 1)
DAYS = seldom(st.integers(-719162, 2932896), st.integers(-(10**6), 5 * 10**6))
US = seldom(st.integers(-62135596800 * 10**6, 253402300799 * 10**6), st.integers(-(2**58), 2**58))
LENGTHS = seldom(st.integers(-3_020_399 * 10**6, 3_020_399 * 10**6), st.integers(-(2**61), 2**61))


def decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = st.integers(-(10**digits) + 1, 10**digits - 1)
    few = st.integers(-(10 ** min(digits, 15)) + 1, 10 ** min(digits, 15) - 1)
    return st.one_of(most, few).map(lambda whole: Decimal(f"{whole}E{-scale}"))


KINDS: dict[str, tuple[pa.DataType, str, st.SearchStrategy[Any]]] = {
    "int8": (pa.int8(), "number", st.integers(-128, 127)),
    "int64": (pa.int64(), "number", I64),
    "uint64": (pa.uint64(), "number", st.integers(0, 2**64 - 1)),
    "float32": (
        pa.float32(),
        "number",
        seldom(st.floats(width=32, allow_nan=False, allow_infinity=False), st.floats(width=32)),
    ),
    "float64": (pa.float64(), "number", seldom(st.floats(allow_nan=False, allow_infinity=False), st.floats())),
    "decimal128(10, 2)": (pa.decimal128(10, 2), "number", decimals(10, 2)),
    "decimal128(38, 27)": (pa.decimal128(38, 27), "number", decimals(38, 27)),
    "decimal256(60, 20)": (pa.decimal256(60, 20), "number", decimals(60, 20)),
    "string": (pa.string(), "text", TEXTS),
    "binary": (pa.binary(), "bytes", st.binary(max_size=20)),
    "date32": (pa.date32(), "date", DAYS),
    "time64[ns]": (pa.time64("ns"), "time", st.integers(0, 86_399_999_999).map(lambda us: us * 1000)),
    "timestamp[us]": (pa.timestamp("us"), "moment", US),
    "timestamp[ns]": (pa.timestamp("ns"), "moment", I64.filter(lambda ns: abs(ns) < 2**63 - 1)),
    "timestamp[us, zone]": (pa.timestamp("us", "Europe/Berlin"), "moment", US),
    "duration[us]": (pa.duration("us"), "length", LENGTHS),
    "uuid": (pa.uuid(), "uuid", st.binary(min_size=16, max_size=16)),
    "list<int64>": (pa.list_(pa.int64()), "nested", st.lists(st.one_of(st.none(), I64), max_size=4)),
    "list<string>": (pa.list_(pa.string()), "nested", st.lists(TEXTS, max_size=4)),
    "struct": (
        pa.struct([("a", pa.int64()), ("b", pa.string()), ("d", pa.decimal128(38, 10))]),
        "nested",
        st.fixed_dictionaries({"a": I64, "b": TEXTS, "d": decimals(38, 10)}),
    ),
}


def array_of(kind: pa.DataType, values: list[Any]) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
    return pa.array(values, kind)


class Trial:
    """Counts what became of the values of one kind."""

    def __init__(self, engine: Any, name: str) -> None:
        self.engine, self.name = engine, name
        self.seen: Counter[str] = Counter()

    def send(self, values: list[Any]) -> None:
        """Send values; of a refused column, its halves."""
        kind, family, _ = KINDS[self.name]
        table = pa.table({"n": range(len(values)), "v": array_of(kind, values)})
        try:
            upload(self.engine, table, name="drawn")
        except errors.TuskError as exc:
            assert not isinstance(exc, errors.InternalError), exc
            if len(values) < FEW:
                self.seen["refused"] += len(values)
                return
            self.send(values[: len(values) // 2])
            self.send(values[len(values) // 2 :])
            return
        back = self.engine.run("SELECT v FROM drawn ORDER BY n").table.column(0)
        self.engine.run("DROP TABLE drawn")
        assert values_of(table.column("v"), family) == values_of(back, family)
        self.seen["exact"] += len(values)


def tried(engine: Any, name: str, examples: int) -> Counter[str]:
    trial = Trial(engine, name)

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(KINDS[name][2], min_size=AT_ONCE, max_size=AT_ONCE))
    def send(values: list[Any]) -> None:
        trial.send(values)

    send()
    return trial.seen


def test_no_value_is_changed_in_silence(engine):
    for name in KINDS:
        seen = tried(engine, name, 2)
        assert sum(seen.values()) >= 2 * AT_ONCE, (name, seen)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", KINDS)
def test_of_many_values_none_is_changed_in_silence(engine, name):
    seen = tried(engine, name, 200)
    assert sum(seen.values()) >= 200 * AT_ONCE, seen
