"""Arrow arrays and constants of Python values, without pandas.

`pyarrow.array` and `pyarrow.scalar` look whether they were given something of pandas, and import it for that: 0.3 s of a fresh
process, of which a result that goes into a file makes no use.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

import pyarrow as pa


def strings(values: Sequence[str | None]) -> pa.Array:
    """Return texts as an array of them."""
    if "pandas" in sys.modules or "numpy" not in sys.modules:  # pandas is there, or pyarrow does without it
        return pa.array(values, pa.string())
    builder = pa.lib.StringBuilder()  # takes three times as long
    builder.append_values(values)
    return builder.finish()


@functools.lru_cache(maxsize=256)
def text(value: str) -> pa.Scalar:
    """Return a text as a constant for `pyarrow.compute`."""
    builder = pa.lib.StringBuilder()
    builder.append(value)
    return builder.finish()[0]


@functools.lru_cache(maxsize=256)
def number(value: int) -> pa.Scalar:
    """Return an integer of 64 bits as a constant."""
    data = pa.py_buffer(value.to_bytes(8, sys.byteorder, signed=True))
    return pa.Array.from_buffers(pa.int64(), 1, [None, data])[0]


@functools.lru_cache(maxsize=2)
def truth(value: bool) -> pa.Scalar:
    """Return a truth value as a constant."""
    return pa.Array.from_buffers(pa.bool_(), 1, [None, pa.py_buffer(bytes([value]))])[0]
