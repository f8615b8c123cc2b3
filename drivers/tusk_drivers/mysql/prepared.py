"""The binary protocol, for results with FLOAT columns.

The text protocol writes a FLOAT with six digits: 16777216 arrives as 16777200. The binary protocol sends its four
bytes. So a statement that only reads is prepared first, which costs one short round trip (0.15 ms) and tells its
columns without running it; only where there is a FLOAT among them is it run that way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pymysql.constants import FIELD_TYPE

from tusk_drivers.mysql.decode import Cells, check_filled, length_encoded
from tusk_drivers.mysql.types import FIXED_WIDTHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tusk_drivers.mysql.packets import Block
    from tusk_drivers.mysql.types import Column

COM_STMT_PREPARE = 0x16
COM_STMT_EXECUTE = 0x17
COM_STMT_CLOSE = 0x19
_TYPES = {str: FIELD_TYPE.VAR_STRING, bytes: FIELD_TYPE.BLOB, int: FIELD_TYPE.LONGLONG}


def parse_prepared(payload: bytes) -> tuple[int, int, int]:
    """Return statement id, number of columns and number of parameters from the answer to a prepare."""
    number, columns, parameters = struct.unpack_from("<IHH", payload, 1)
    return number, columns, parameters


def execution(number: int, values: Sequence[str | bytes | int] = ()) -> bytes:
    """Return the body of the command that runs a prepared statement: no cursor, once."""
    head = struct.pack("<IBI", number, 0, 1)
    if not values:
        return head
    types = b"".join(struct.pack("<H", _TYPES[type(value)]) for value in values)
    no_nulls = bytes((len(values) + 7) // 8)
    return head + no_nulls + b"\x01" + types + b"".join(map(_value, values))


def _value(value: str | bytes | int) -> bytes:
    if isinstance(value, int):
        return struct.pack("<q", value)
    content = value.encode() if isinstance(value, str) else value
    return b"\xfe" + struct.pack("<Q", len(content)) + content


def closing(number: int) -> bytes:
    """Return the body of the command that forgets a prepared statement; the server does not answer it."""
    return struct.pack("<I", number)


def binary_columns(block: Block, columns: Sequence[Column]) -> Iterator[Cells]:
    """Yield the columns of a block of binary rows: a zero byte, a bitmap of NULLs, then the values that are none.

    Raises:
        ProtocolError: the values do not fill the rows exactly.
    """
    at = block.starts + 1 + (len(columns) + 9) // 8
    for index, column in enumerate(columns, start=2):  # the bitmap's first two bits are reserved
        nulls = (block.data[block.starts + 1 + index // 8] >> (index % 8) & 1).astype(np.bool_)
        cells, at = _values(block.data, at, nulls, column)
        yield cells
    check_filled(at, block.ends)


def _values(
    data: NDArray[np.uint8], at: NDArray[np.int64], nulls: NDArray[np.bool_], column: Column
) -> tuple[Cells, NDArray[np.int64]]:
    width = FIXED_WIDTHS.get(column.code)
    if width is None:
        found, ends = length_encoded(data, at)
        starts = found.starts
    else:
        starts, ends = at, at + width
    if not nulls.any():
        return Cells(data=data, starts=starts, ends=ends), ends
    ends = np.where(nulls, at, ends)
    return Cells(data=data, starts=np.where(nulls, at, starts), ends=ends, nulls=nulls), ends
