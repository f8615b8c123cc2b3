"""NumPy views of Arrow buffers, and Arrow arrays made from them without a copy per value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

TEXT = pa.large_string()
"""64-bit offsets, as pandas' own text has: no copy there, and no limit of 2 GB per batch here."""


def words_of(array: pa.Array, dtype: npt.DTypeLike, per_row: int) -> npt.NDArray[Any]:
    """Return the values of a fixed-width array as rows of `per_row` numbers; what stands under a NULL is arbitrary."""
    flat = np.frombuffer(array.buffers()[1], dtype=dtype)
    return flat[array.offset * per_row : (array.offset + len(array)) * per_row].reshape(len(array), per_row)


def validity_of(array: pa.Array) -> pa.Buffer | None:
    """Return which values are not NULL, as a bitmap from bit 0 on, or None when all are."""
    if not array.null_count:
        return None
    bits = array.is_valid().to_numpy(zero_copy_only=False)
    return pa.py_buffer(np.packbits(bits, bitorder="little"))


def fixed_width(type_: pa.DataType, values: npt.NDArray[Any], validity: pa.Buffer | None) -> pa.Array:
    """Return an array whose data are `values`' own bytes, one row a value."""
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(type_, len(values), [validity, data])


def fixed_text(characters: npt.NDArray[np.uint8], validity: pa.Buffer | None) -> pa.Array:
    """Return texts of equal length from an array of shape (rows, length) of ASCII codes."""
    rows, length = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * length
    data = pa.py_buffer(np.ascontiguousarray(characters))
    return pa.Array.from_buffers(TEXT, rows, [validity, pa.py_buffer(offsets), data])
