"""pandas columns of lists, structs and maps whose cells are the same values by every way to them.

pandas takes a cell out as Python's own lists and dicts, but displays, maps, exports and copies a column through numpy, which
makes floats of integers beside a NULL (9007199254740993 becomes ...992.0), numbers of durations and of nanoseconds within a
struct, and drops time zones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import no_default

type_of = pa.types


class NestedArray(pd.arrays.ArrowExtensionArray):
    """An `ArrowDtype` column; numpy gets Python's values where it would change them."""

    def to_numpy(self, dtype: Any = None, copy: bool = False, na_value: Any = no_default) -> np.ndarray:  # noqa: ANN401
        """Return the cells; lists and dicts as they are taken out one by one."""
        column = self.__arrow_array__()
        if (dtype is not None and np.dtype(dtype) != object) or not any(map(_loses, column.chunks)):
            return super().to_numpy(dtype, copy, na_value)
        if na_value is no_default:
            na_value = self.dtype.na_value
        cells = np.empty(len(column), dtype=object)
        for place, cell in enumerate(column.to_pylist()):
            cells[place] = na_value if cell is None else cell
        return cells

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Make pickles that can be read without this package."""
        return pd.arrays.ArrowExtensionArray, (self.__arrow_array__(),)


def _loses(array: pa.Array) -> bool:
    """Return whether numpy's form of nested values is not what they are."""
    return any(_is_lost(leaf) for leaf in _leaves(array))


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    kind = array.type
    if type_of.is_map(kind):
        yield from _leaves(array.keys)
        yield from _leaves(array.items)
    elif type_of.is_struct(kind):
        for part in array.flatten():  # each NULL where its struct is
            yield from _leaves(part)
    elif kind.num_fields and hasattr(array, "flatten"):
        yield from _leaves(array.flatten())
    else:
        yield array


def _is_lost(leaf: pa.Array) -> bool:
    kind = leaf.type
    if type_of.is_integer(kind):
        return bool(leaf.null_count)
    if type_of.is_floating(kind):
        return bool(leaf.null_count and pc.any(pc.is_nan(leaf.cast(pa.float64()))).as_py())
    if type_of.is_timestamp(kind):
        return kind.tz is not None or kind.unit == "ns"
    return bool(type_of.is_duration(kind))
