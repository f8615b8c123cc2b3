"""Where every value of a block stands, column by column over all rows, and the way from there into Arrow.

A column's values are not gathered byte by byte. The block as it came is taken as one Arrow binary array whose
elements are value, gap, value, gap, ...: Arrow's cast reads the values in place with the gaps as NULL, `take` copies
text in C++.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tusk_drivers.mysql.packets import Block
from tusk_jupyter.errors import ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NULL = 0xFB
_SIZES = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""First byte of a length that does not fit a byte: how many bytes hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One column of a block: where each value begins and ends; `nulls` is None where there is no NULL."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    nulls: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def spread(self, kind: pa.DataType) -> pa.Array:
        """Return the column as `kind` (string, binary) with NULL between any two values; shares the block's memory."""
        count = len(self)
        offsets = np.empty(2 * count, np.int32)
        offsets[0::2] = self.starts
        offsets[1::2] = self.ends
        return pa.Array.from_buffers(
            kind, 2 * count - 1, [self._validity(), pa.py_buffer(offsets), pa.py_buffer(self.data)]
        )

    def _validity(self) -> pa.Buffer:
        count = len(self)
        if self.nulls is None:
            return pa.py_buffer(np.full((2 * count + 7) // 8, 0b01010101, np.uint8))
        bits = np.zeros(2 * count, np.bool_)
        bits[0::2] = ~self.nulls
        return pa.py_buffer(np.packbits(bits, bitorder="little"))

    def binary(self) -> pa.Array:
        """Return the values as binary."""
        return self.spread(pa.binary()).take(_evens(len(self)))

    def text(self) -> pa.Array:
        """Return the values as string.

        Raises:
            pyarrow.ArrowInvalid: a value is not UTF-8.
        """
        return self.binary().cast(pa.string())

    def cast(self, kind: pa.DataType) -> pa.Array:
        """Return the values read as `kind` by Arrow's own cast from text.

        Raises:
            pyarrow.ArrowInvalid: a value is no such thing, as the date 2024-00-10.
        """
        return self.spread(pa.string()).cast(kind).take(_evens(len(self)))

    def mask(self) -> NDArray[np.bool_]:
        """Return which rows are NULL."""
        return np.zeros(len(self), np.bool_) if self.nulls is None else self.nulls


@lru_cache(maxsize=4)
def _evens(count: int) -> pa.Array:
    return array_of(np.arange(0, 2 * count, 2, dtype=np.int32), pa.int32())


def array_of(values: NDArray[Any], kind: pa.DataType, nulls: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers as an Arrow array that shares their memory; `pa.array` would import pandas (0.3 s) to look."""
    validity = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(np.ascontiguousarray(values))])


def array_of_text(values: Sequence[str | None]) -> pa.Array:
    """Return texts as an Arrow array; for the few columns that go through Python."""
    encoded = [(value or "").encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    nulls = np.array([value is None for value in values], np.bool_)
    validity = pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def columns(block: Block, count: int) -> Iterator[Cells]:
    """Yield the `count` columns of a block of text rows.

    Raises:
        ProtocolError: the values do not fill the rows exactly.
    """
    at = block.starts
    for _ in range(count):
        cells, at = length_encoded(block.data, at)
        yield cells
    check_filled(at, block.ends)


def check_filled(at: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Raise a ProtocolError unless every row ends where its last value ends."""
    if not np.array_equal(at, ends):
        row = int(np.flatnonzero(at != ends)[0])
        raise ProtocolError(
            f"Row {row} of a block from the server has {ends[row] - at[row]} bytes too many for its columns."
        )


def length_encoded(data: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[Cells, NDArray[np.int64]]:
    """Return the values whose lengths stand at `at`, and the places behind them."""
    first = data[at]
    starts = at + 1
    if first.max() < _NULL:
        ends = starts + first
        return Cells(data=data, starts=starts, ends=ends), ends
    sizes = first.astype(np.int64)
    nulls = first == _NULL
    sizes[nulls] = 0
    for mark, width in _SIZES.items():
        rows = np.flatnonzero(first == mark)
        if rows.size:
            sizes[rows] = little_endian(data, starts[rows], width)
            starts[rows] += width
    ends = starts + sizes
    return Cells(data=data, starts=starts, ends=ends, nulls=nulls if nulls.any() else None), ends


def little_endian(data: NDArray[np.uint8], at: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the unsigned numbers of `width` bytes at `at`; 8 bytes wrap at 2**63, which no packet reaches."""
    total = np.zeros(len(at), np.int64)
    for place in range(width):
        total |= data[at + place].astype(np.int64) << (8 * place)
    return total
