"""One journal record as bytes, and a segment file read back record by record.

Header and body carry a checksum each. With only one, a flipped bit in the length of the last record could not be told
from a record that a crash cut short; with two, a short record is always a cut and a wrong checksum is always damage.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

HEADER = struct.Struct("<4sIQqI")  # mark, body bytes, seq, time in microseconds since 1970 UTC, CRC32 of the body
HEADER_CRC = struct.Struct("<I")  # CRC32 of the header before it
HEADER_BYTES = HEADER.size + HEADER_CRC.size
MARK = b"TSKR"
BLANK = "blank"
"""Kind of a record whose content was deleted; its number stays, so that a missing one is still seen."""
SEGMENT_MARK = b"TUSKJRN1"
PREFACE = struct.Struct("<8sQI")  # segment mark with the format's version, first seq, CRC32 of both


@dataclass(frozen=True, slots=True)
class Record:
    """One change of state."""

    seq: int
    time_us: int
    """Microseconds since 1970, UTC."""
    raw: bytes
    """Body as JSON: an object with `kind`, and the kind's own fields in `body`."""

    def load(self) -> tuple[str, dict[str, Any]]:
        """Return kind and body."""
        content: dict[str, Any] = msgspec.json.decode(
            self.raw
        )  # five times as fast as json: a state file is drawn anew from millions
        return content["kind"], content["body"]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no record although they should be one, or records that are not there."""

    file: str
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.file} at byte {self.offset}: {self.what}"


def pack_body(kind: str, body: dict[str, Any]) -> bytes:
    """Return the body's bytes.

    Raises:
        TypeError: something in it is no plain value.
    """
    content = {"kind": kind, "body": body}
    try:
        return msgspec.json.encode(content)
    except UnicodeEncodeError:  # half a surrogate pair: no UTF-8 has it, and DuckDB takes nothing but UTF-8
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


def pack(record: Record) -> bytes:
    """Return a record's bytes."""
    header = HEADER.pack(MARK, len(record.raw), record.seq, record.time_us, zlib.crc32(record.raw))
    return header + HEADER_CRC.pack(zlib.crc32(header)) + record.raw


def preface(first_seq: int) -> bytes:
    """Return the first bytes of a segment."""
    head = PREFACE.pack(SEGMENT_MARK, first_seq, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


@dataclass(frozen=True, slots=True)
class Torn:
    """From `offset` on: a record that was being written when the process ended, and never acknowledged."""

    offset: int


def scan(path: Path) -> Iterator[Record | Damage | Torn]:
    """Yield what a segment holds, in order; a Torn is always the last."""
    data = path.read_bytes()
    if len(data) < PREFACE.size:
        yield Torn(0)
        return
    if data[: PREFACE.size] != preface(int.from_bytes(data[8:16], "little")):
        yield Damage(path.name, 0, "the segment's first bytes are not what was written")
    for offset, _, found in _pieces(data):
        yield Damage(path.name, offset, found) if isinstance(found, str) else found


def begins(path: Path) -> bool:
    """Return whether a file begins as a segment, as far as it reaches; zeros are one whose contents did not reach the disk."""
    with path.open("rb") as file:
        head = file.read(len(SEGMENT_MARK))
    return SEGMENT_MARK.startswith(head) or not any(head)


def without(path: Path, rest_of: Callable[[Record], bytes]) -> tuple[bytes, int]:
    """Return a segment's bytes with less content in some records, and in how many; all else is as it was.

    Args:
        path: the segment.
        rest_of: what a record keeps of its content.
    """
    data = path.read_bytes()
    parts, blanked = [data[: PREFACE.size]], 0
    for offset, end, found in _pieces(data):
        if not isinstance(found, Record) or (rest := rest_of(found)) == found.raw:
            parts.append(data[offset:end])
        else:
            parts.append(pack(Record(found.seq, found.time_us, rest)))
            blanked += 1
    return b"".join(parts), blanked


def _pieces(data: bytes) -> Iterator[tuple[int, int, Record | Torn | str]]:
    """Yield start, end and meaning of each piece of a segment behind its first bytes; a text says what is damaged."""
    offset = PREFACE.size
    while offset < len(data):
        found = _read(data, offset)
        if isinstance(found, Record):
            end = offset + HEADER_BYTES + len(found.raw)
        else:
            end = len(data) if isinstance(found, Torn) else _resync(data, offset + 1)
        yield offset, end, found
        offset = end


def _read(data: bytes, offset: int) -> Record | Torn | str:
    """Return the record at an offset, or that it is cut short, or what is wrong with it."""
    start = offset + HEADER_BYTES
    if start > len(data) or (data[offset : offset + 4] == bytes(4) and not any(data[offset:])):
        return Torn(offset)  # zeros: the file's length reached the disk before its contents did
    if HEADER_CRC.unpack_from(data, offset + HEADER.size)[0] != zlib.crc32(data[offset : offset + HEADER.size]):
        return "a record's header is damaged"
    mark, size, seq, time_us, checksum = HEADER.unpack_from(data, offset)
    if mark != MARK:
        return "no record begins here"
    if start + size > len(data):
        return Torn(offset)
    raw = data[start : start + size]
    return Record(seq, time_us, raw) if zlib.crc32(raw) == checksum else f"record {seq} is damaged"


def _resync(data: bytes, offset: int) -> int:
    """Return where the next whole header begins, or the end."""
    while (offset := data.find(MARK, offset)) >= 0:
        if not isinstance(_read(data, offset), str):
            return offset
        offset += 1
    return len(data)
