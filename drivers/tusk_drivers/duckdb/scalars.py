"""DuckDB's own scalar encodings as text: UUID, TIMETZ, BIT and BIGNUM."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT, fixed_text, validity_of, words_of

_HEX = np.frombuffer(bytes.fromhex("".join(f"{ord(c):02x}" for n in range(256) for c in f"{n:02x}")), np.uint8).reshape(
    256, 2
)
_DASHES = (8, 13, 18, 23)
_UTC_OFFSET_BITS = 24
_LARGEST_OFFSET_S = 16 * 3600 - 1
"""TIMETZ stores this minus the offset, so that equal instants sort by zone."""
_BIGNUM_HEADER_BYTES = 3


def uuid_text(array: pa.Array) -> pa.Array:
    """Return UUIDs in their usual form of 36 characters."""
    digits = _HEX[words_of(array.storage, np.uint8, 16)].reshape(len(array), 32)
    text = np.full((len(array), 36), ord("-"), dtype=np.uint8)
    text[:, [at for at in range(36) if at not in _DASHES]] = digits
    return fixed_text(text, validity_of(array.storage))


def time_tz_text(array: pa.Array) -> pa.Array:
    """Return times with their UTC offset, as 12:34:56.123456+05:30."""
    packed = words_of(array.storage, np.int64, 1)[:, 0]
    micros = (packed >> _UTC_OFFSET_BITS).tolist()
    offsets = (_LARGEST_OFFSET_S - (packed & (2**_UTC_OFFSET_BITS - 1))).tolist()
    valid = array.storage.is_valid().to_pylist()
    return pa.array([_time_tz(m, o) if ok else None for m, o, ok in zip(micros, offsets, valid, strict=True)], TEXT)


def _time_tz(micros: int, offset_s: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    away = abs(offset_s)
    zone = f"{'-' if offset_s < 0 else '+'}{away // 3600:02}:{away // 60 % 60:02}"
    return f"{clock}{f'.{fraction:06}'.rstrip('0') if fraction else ''}{zone}{f':{away % 60:02}' if away % 60 else ''}"


def bit_text(array: pa.Array) -> pa.Array:
    """Return bit strings as zeros and ones; their first byte counts the padding bits of the second."""
    return pa.array([None if raw is None else _bits(raw) for raw in array.storage.to_pylist()], TEXT)


def _bits(raw: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in raw[1:])[raw[0] :]


def bignum_text(array: pa.Array) -> pa.Array:
    """Return integers of any length as decimal digits."""
    return pa.array([None if raw is None else _digits(raw) for raw in array.storage.to_pylist()], TEXT)


def _digits(raw: bytes) -> str:
    """A negative number has all its bits inverted, its header's included."""
    negative = not raw[0] & 0x80
    body = raw[_BIGNUM_HEADER_BYTES:]
    number = int.from_bytes(bytes(255 - byte for byte in body) if negative else body, "big")
    return f"{'-' if negative and number else ''}{Decimal(number):f}"  # str(int) ends at 4300 digits
