"""DECIMAL as float64: each value becomes the nearest double.

Arrow's own cast rounds twice: 0.35 becomes 0.35000000000000003, and so do 10 to 33 % of the values with two digits.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow as pa

from tusk_jupyter.protocol.stream import TYPES_KEY

EXACT = 2**53
"""Integers up to this one are doubles."""
_TENS = 22
"""10 to this power, too. A quotient of two doubles is rounded once, to the nearest: IEEE 754, section 5.4.1."""

_WHOLE = frozenset({"HUGEINT", "UHUGEINT"})
"""Integers that are decimals to Arrow where they need more than 64 bits."""


def are_decimals(schema: pa.Schema) -> list[bool]:
    """Return of each column whether it is a DECIMAL of the database's."""
    types = json.loads((schema.metadata or {}).get(TYPES_KEY, b"[]"))
    whole = [type_ in _WHOLE for type_ in types] if len(types) == len(schema) else [False] * len(schema)
    return [pa.types.is_decimal(field.type) and not is_whole for field, is_whole in zip(schema, whole, strict=True)]


def nearest(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of decimals as float64; NULL stays NULL."""
    return pa.chunked_array([_nearest(chunk) for chunk in column.chunks], pa.float64())


def _nearest(array: pa.Array) -> pa.Array:
    numbers = _unscaled(array) if array.type.bit_width == 128 and 0 <= array.type.scale <= _TENS else None
    if numbers is None:
        return array.cast(pa.string()).cast(pa.float64())  # whose parser rounds right
    mask = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    return pa.array(numbers / 10.0**array.type.scale, pa.float64(), mask=mask)


def _unscaled(array: pa.Array) -> np.ndarray | None:
    """Return the values without their points, where all of them are doubles."""
    values = array.buffers()[1]
    if values is None or sys.byteorder != "little":
        return None
    words = np.frombuffer(values, np.int64)[2 * array.offset : 2 * (array.offset + len(array))]
    low, high = words[::2], words[1::2]
    if not (np.array_equal(high, low >> 63) and (len(low) == 0 or -EXACT <= low.min() <= low.max() <= EXACT)):
        return None
    return low
