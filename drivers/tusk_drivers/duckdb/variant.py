"""VARIANT (the Parquet variant encoding) as JSON text.

Numbers keep all their digits; what JSON has no word for (dates, UUIDs, binary, NaN) stands as text. The encoding is
specified at https://github.com/apache/parquet-format/blob/master/VariantEncoding.md.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import numpy as np
import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT

_DAY_US = 86_400_000_000
_PRIMITIVE, _SHORT_STRING, _OBJECT = 0, 1, 2


def json_text(array: pa.Array) -> pa.Array:
    """Return each variant as JSON text, NULL where it is NULL."""
    found = zip(
        array.field("metadata").to_pylist(), array.field("value").to_pylist(), array.is_valid().to_pylist(), strict=True
    )
    return pa.array([_render(_names(m), v, 0) if ok and v is not None else None for m, v, ok in found], TEXT)


def _integer(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(raw[at : at + size], "little")


def _names(metadata: bytes) -> list[str]:
    """Return the dictionary of field names."""
    size = (metadata[0] >> 6) + 1
    count = _integer(metadata, 1, size)
    ends = [_integer(metadata, 1 + size * (1 + index), size) for index in range(count + 1)]
    start = 1 + size * (count + 2)
    return [metadata[start + a : start + b].decode() for a, b in pairwise(ends)]


def _render(names: list[str], raw: bytes, at: int) -> str:
    basic, header = raw[at] & 3, raw[at] >> 2
    if basic == _PRIMITIVE:
        return _primitive(header, raw, at + 1)
    if basic == _SHORT_STRING:
        return _quoted(raw[at + 1 : at + 1 + header].decode())
    return _object(names, raw, at, header) if basic == _OBJECT else _array(names, raw, at, header)


def _object(names: list[str], raw: bytes, at: int, header: int) -> str:
    offset_size, id_size = (header & 3) + 1, (header >> 2 & 3) + 1
    count_size = 4 if header >> 4 & 1 else 1
    count = _integer(raw, at + 1, count_size)
    ids = at + 1 + count_size
    offsets = ids + count * id_size
    values = offsets + (count + 1) * offset_size
    return _joined(
        f"{_quoted(names[_integer(raw, ids + index * id_size, id_size)])}:"
        + _render(names, raw, values + _integer(raw, offsets + index * offset_size, offset_size))
        for index in range(count)
    ).join("{}")


def _array(names: list[str], raw: bytes, at: int, header: int) -> str:
    offset_size, count_size = (header & 3) + 1, 4 if header >> 2 & 1 else 1
    count = _integer(raw, at + 1, count_size)
    offsets = at + 1 + count_size
    values = offsets + (count + 1) * offset_size
    return _joined(
        _render(names, raw, values + _integer(raw, offsets + index * offset_size, offset_size))
        for index in range(count)
    ).join("[]")


def _joined(parts: object) -> str:
    return ",".join(parts)  # type: ignore[arg-type]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _primitive(kind: int, raw: bytes, at: int) -> str:
    return _PRIMITIVES[kind](raw, at)


def _signed(size: int) -> Callable[[bytes, int], str]:
    return lambda raw, at: str(int.from_bytes(raw[at : at + size], "little", signed=True))


def _decimal(size: int) -> Callable[[bytes, int], str]:
    def render(raw: bytes, at: int) -> str:
        number = int.from_bytes(raw[at + 1 : at + 1 + size], "little", signed=True)
        return f"{Decimal((number < 0, tuple(map(int, str(abs(number)))), -raw[at])):f}"

    return render


def _float(code: str, size: int) -> Callable[[bytes, int], str]:
    def render(raw: bytes, at: int) -> str:
        number = struct.unpack(code, raw[at : at + size])[0]
        if not math.isfinite(number):
            return _quoted(str(number))
        return repr(number) if size == 8 else str(np.float32(number))

    return render


def _moment(unit: str, size: int, suffix: str = "") -> Callable[[bytes, int], str]:
    ends = {2 ** (8 * size - 1) - 1: "infinity", 1 - 2 ** (8 * size - 1): "-infinity"}

    def render(raw: bytes, at: int) -> str:
        number = int.from_bytes(raw[at : at + size], "little", signed=True)
        return _quoted(ends.get(number) or _of_any_year(str(np.array(number, dtype=f"datetime64[{unit}]")), suffix))

    return render


def _of_any_year(text: str, suffix: str) -> str:
    """Return numpy's text of a moment, which counts years as astronomers do, as the database has it."""
    day, _, clock = text.rpartition("T") if "T" in text else (text, "", "")
    year, rest = day.lstrip("-").split("-", 1)
    number = -int(year) if text.startswith("-") else int(year)
    shown = f"{number if number > 0 else 1 - number:04}-{rest}{' ' + clock if clock else ''}{suffix}"
    return shown if number > 0 else f"{shown} BC"


def _clock(raw: bytes, at: int) -> str:
    micros = _integer(raw, at, 8)
    return _quoted("24:00:00" if micros >= _DAY_US else str(np.datetime64(micros, "us")).partition("T")[2])


def _bytes(raw: bytes, at: int) -> bytes:
    return raw[at + 4 : at + 4 + _integer(raw, at, 4)]


_PRIMITIVES: tuple[Callable[[bytes, int], str], ...] = (
    lambda raw, at: "null",
    lambda raw, at: "true",
    lambda raw, at: "false",
    _signed(1),
    _signed(2),
    _signed(4),
    _signed(8),
    _float("<d", 8),
    _decimal(4),
    _decimal(8),
    _decimal(16),
    _moment("D", 4),
    _moment("us", 8, "+00:00"),
    _moment("us", 8),
    _float("<f", 4),
    lambda raw, at: _quoted(_bytes(raw, at).hex()),
    lambda raw, at: _quoted(_bytes(raw, at).decode()),
    _clock,
    _moment("ns", 8, "+00:00"),
    _moment("ns", 8),
    lambda raw, at: _quoted(str(UUID(bytes=raw[at : at + 16]))),
)
"""By primitive type id."""
