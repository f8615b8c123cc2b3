"""What a column holds, in a few numbers and a small histogram; exact, but for means, which are rounded and say so."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tusk_widgets.grid_types import as_texts, has_order, kind_of, ordered

BINS = 24
TOP = 10
LONGEST_VALUE = 200
"""Longer texts are not offered as values to filter by."""


class Bar(msgspec.Struct, frozen=True):
    """A bar of a histogram: values from `low` to below `high`; the last bar has its `high` too."""

    low: str
    high: str
    count: int


class Statistics(msgspec.Struct, frozen=True):
    """Of one column.

    Attributes:
        rows: with NULLs.
        nulls: how many are NULL.
        distinct: different values, NULL not counted.
        facts: further numbers, each with its name.
        bars: of numbers and times; empty for others.
        top: the most frequent values and how often they are there; NULL not counted.
    """

    rows: int
    nulls: int
    distinct: int
    facts: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    top: tuple[tuple[str, int], ...]


def statistics(column: pa.ChunkedArray) -> Statistics:
    """Return what a column holds."""
    kind = kind_of(column.type)
    comparable = column if has_order(column.type) and not pa.types.is_float16(column.type) else ordered(column)
    counts = pc.value_counts(pc.drop_null(comparable))
    numeric = kind == "number" or kind == "time"
    return Statistics(
        rows=len(column),
        nulls=column.null_count,
        distinct=len(counts),
        facts=tuple(_facts(comparable, kind)),
        bars=tuple(_bars(comparable)) if numeric else (),
        top=tuple(_top(counts)),
    )


def _facts(column: pa.ChunkedArray, kind: str) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    valid = pc.drop_null(column)
    if not len(valid):
        return facts
    if kind in ("number", "time"):
        low, high = _ends(valid)
        facts += [("min", low), ("max", high)]
    if kind == "number":
        facts += _averages(valid)
    if kind == "text":
        lengths = pc.utf8_length(valid)
        empty = int(pc.sum(pc.equal(lengths, 0)).as_py() or 0)
        facts += [("shortest", _characters(pc.min(lengths).as_py())), ("longest", _characters(pc.max(lengths).as_py()))]
        facts += [("empty texts", f"{empty:,}")] if empty else []
    return facts


def _characters(count: int) -> str:
    return f"{count:,} character{'' if count == 1 else 's'}"


def _ends(valid: pa.ChunkedArray) -> tuple[str, str]:
    """Return the least and the greatest value, exactly as they are."""
    kind = valid.type
    if pa.types.is_floating(kind):
        numbers = valid.filter(pc.invert(pc.is_nan(valid)))
        valid = numbers if len(numbers) else valid
    plain = valid.cast(pa.int64()) if pa.types.is_duration(kind) else valid
    ends = pc.min_max(plain)
    pair = pa.chunked_array([pa.concat_arrays([pa.repeat(ends["min"], 1), pa.repeat(ends["max"], 1)])]).cast(kind)
    low, high = as_texts(pair).to_pylist()
    return low, high


def _averages(valid: pa.ChunkedArray) -> list[tuple[str, str]]:
    floats = _finite(valid)
    with np.errstate(over="ignore", invalid="ignore"):
        found = [("mean ≈", floats.mean()), ("median ≈", np.median(floats))] if len(floats) else []
        found += [("std ≈", floats.std(ddof=1))] if len(floats) > 1 else []
    facts = [(name, f"{number:.6g}") for name, number in found if np.isfinite(number)]  # 1e300 squared is no number
    if pa.types.is_floating(valid.type):
        words = pc.is_nan(valid)
        nan = int(pc.sum(words).as_py() or 0)
        infinite = len(valid) - nan - len(floats)
        facts += [("NaN", f"{nan:,}")] if nan else []
        facts += [("infinite", f"{infinite:,}")] if infinite else []
    return facts


def _finite(valid: pa.ChunkedArray) -> Any:  # noqa: ANN401 - a numpy array
    floats = valid.cast(pa.float64(), safe=False).to_numpy()
    return floats[np.isfinite(floats)]


def _bars(column: pa.ChunkedArray) -> list[Bar]:
    valid = pc.drop_null(column)
    is_time = kind_of(column.type) == "time"
    numbers = _instants(valid) if is_time else _finite(valid)
    if not len(numbers):
        return []
    low, high = numbers.min(), numbers.max()
    whole = is_time or pa.types.is_integer(column.type)
    bins = int(min(BINS, max(1, float(high) - float(low) + 1))) if whole else BINS
    if not whole and low == high:
        bins = 1
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(float(high) - float(low)):
            return []
        counts, edges = np.histogram(numbers, bins=bins, range=(float(low), float(high)))
    words = _edge_texts(edges, column.type) if is_time else [f"{edge:.6g}" for edge in edges]
    return [Bar(words[place], words[place + 1], int(count)) for place, count in enumerate(counts)]


def _instants(valid: pa.ChunkedArray) -> Any:  # noqa: ANN401 - a numpy array
    kind = valid.type
    number = pa.int32() if kind.bit_width == 32 else pa.int64()
    return valid.cast(number).to_numpy()


def _edge_texts(edges: Any, kind: pa.DataType) -> list[str]:  # noqa: ANN401 - a numpy array
    number = pa.int32() if kind.bit_width == 32 else pa.int64()
    whole = pa.array([int(edge) for edge in edges], number)
    words: list[str] = as_texts(pa.chunked_array([whole.cast(kind)])).to_pylist()
    return words


def _top(counts: pa.StructArray) -> list[tuple[str, int]]:
    if not len(counts):
        return []
    numbers = counts.field("counts")
    best = pc.sort_indices(numbers, sort_keys=[("", "descending")])[: 4 * TOP]
    values = as_texts(pa.chunked_array([counts.field("values").take(best)])).to_pylist()
    found = zip(values, numbers.take(best).to_pylist(), strict=True)
    return [(text, count) for text, count in found if len(text) <= LONGEST_VALUE][:TOP]
