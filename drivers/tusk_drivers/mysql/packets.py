"""Result packets straight from the socket: read in large blocks, cut by their headers, never copied one by one.

A packet is a 3-byte length, a 1-byte sequence number and the payload; a payload of exactly 2**24-1 bytes goes on in
the next packet. The one Python loop over rows is the header chain in `_cut` (0.1 µs a row); all else works on whole
columns.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tusk_drivers.mysql.errors import link_lost

if TYPE_CHECKING:
    import socket

    from numpy.typing import NDArray

WHOLE = 0xFFFFFF
"""Length of a packet that the next one continues."""

PADDING = 16
"""Bytes behind the data, so that looking a few bytes past a value needs no check."""

FIRST_BLOCK_BYTES = 256 << 10
BLOCK_BYTES = 4 << 20
"""A block is a batch: large enough that NumPy's cost per call vanishes, small enough to stay in the cache."""

LINGER_S = 0.2
"""A slow query's rows wait at most so long for a full block."""

_HEADER = struct.Struct("<I").unpack_from
_INDEX = np.int64
_END = 0xFE
"""First byte of the packet behind the last row, which has less than 9 bytes; of a row, the sign for a value of 16 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that lie in one buffer, valid until the next block is asked for."""

    data: NDArray[np.uint8]
    """The bytes, with `PADDING` more behind the last row."""
    starts: NDArray[np.int64]
    """Where each row's payload begins."""
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The packet behind the last row."""

    payload: bytes


class PacketReader:
    """Reads what the server answers to one command."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray(FIRST_BLOCK_BYTES + PADDING)
        self._at = 0
        """First byte not yet handed out."""
        self._filled = 0
        self._blocks = 0

    # --- one packet ---

    def packet(self) -> bytes:
        """Return the next payload, however many packets it takes.

        Raises:
            ConnectError: the link broke.
        """
        parts = []
        while True:
            self._need(4)
            size = self._size_of_next()
            self._need(size)
            parts.append(bytes(memoryview(self._buffer)[self._at + 4 : self._at + size]))
            self._at += size
            if size < 4 + WHOLE:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _need(self, size: int) -> None:
        """Have at least `size` bytes from `_at` on in the buffer."""
        self._make_room(size)
        while self._filled - self._at < size:
            self._receive()

    # --- rows ---

    def block(self, *, max_rows: int, wait_s: float | None = None) -> Block | End | None:
        """Return the next rows, the packet behind the last one, or None when neither came within `wait_s`.

        Raises:
            ConnectError: the link broke.
        """
        wanted = FIRST_BLOCK_BYTES if self._blocks == 0 else BLOCK_BYTES
        self._make_room(wanted)
        chain = [self._at]
        deadline = time.monotonic() + LINGER_S
        while not (stop := _cut(self._buffer, chain, self._filled, max_rows)):
            if chain[-1] - chain[0] >= wanted * 7 // 8 or (len(chain) > 1 and self._filled == self._room()):
                break
            if len(chain) == 1:
                self._make_room(self._size_of_next())
                chain[0] = self._at
            if not self._receive(wait_s if len(chain) == 1 else deadline - time.monotonic()):
                break
        if len(chain) > 1:
            return self._hand_out(chain)
        return self._single() if stop else None

    @property
    def sees_end(self) -> bool:
        """Whether the packet behind the last row is here already, so that nothing will be waited for."""
        size = self._size_of_next()
        return 4 < size <= min(12, self._filled - self._at) and self._buffer[self._at + 4] == _END

    def _size_of_next(self) -> int:
        """Bytes of the packet at `_at`, header included; 4 while its header is not there."""
        known = self._filled - self._at
        return 4 + (int(_HEADER(self._buffer, self._at)[0]) & WHOLE if known >= 4 else 0)

    def _single(self) -> Block | End:
        """The packet at `_at` is no ordinary row: the end, an error, or a row of 16 MB and more."""
        size = self._size_of_next() - 4
        payload = self.packet()
        if size < WHOLE and (payload[0] == 0xFF or (payload[0] == _END and size < 9)):
            return End(payload=payload)
        self._blocks += 1
        data = np.frombuffer(payload + bytes(PADDING), np.uint8)
        return Block(data=data, starts=np.zeros(1, _INDEX), ends=np.full(1, len(payload), _INDEX))

    def _hand_out(self, chain: list[int]) -> Block:
        self._blocks += 1
        self._at = chain[-1]
        edges = np.array(chain, _INDEX)
        data = np.frombuffer(self._buffer, np.uint8)
        return Block(data=data, starts=edges[:-1] + 4, ends=edges[1:])

    # --- the socket ---

    def _room(self) -> int:
        return len(self._buffer) - PADDING

    def _make_room(self, size: int) -> None:
        """Have room for `size` bytes from `_at` on: in place, at the front of the buffer, or in a larger one."""
        if self._room() - self._at >= size:
            return
        unread = self._buffer[self._at : self._filled]
        if self._room() < size:
            self._buffer = bytearray(size + PADDING)
        self._buffer[: len(unread)] = unread
        self._at, self._filled = 0, len(unread)

    def _receive(self, wait_s: float | None = None) -> bool:
        """Take in what the socket has; return False when nothing came within `wait_s`.

        A timeout of the socket rather than `select`: inside TLS there may be bytes to read and yet no whole record.
        """
        if wait_s is not None and wait_s <= 0:
            return False
        try:
            self._sock.settimeout(wait_s)
            with memoryview(self._buffer) as view:
                size = self._sock.recv_into(view[self._filled : self._room()])
        except TimeoutError:
            return False
        except OSError as exc:
            raise link_lost(exc) from exc
        finally:
            if wait_s is not None and self._sock.fileno() >= 0:
                self._sock.settimeout(None)
        if not size:
            raise link_lost(None)
        self._filled += size
        return True


def _cut(buffer: bytearray, chain: list[int], filled: int, max_rows: int) -> bool:
    """Extend `chain` (starts of rows, and the end of the last one) over the whole rows below `filled`.

    Returns:
        Whether to stop here: `max_rows` are there, or what follows is no ordinary row.
    """
    at = chain[-1]
    append, header, whole = chain.append, _HEADER, WHOLE
    last = filled - 4
    stop = True
    for _ in range(max_rows + 1 - len(chain)):
        if at > last:
            stop = False
            break
        size = header(buffer, at)[0] & whole
        if not 8 < size < whole and (size == whole or (size and at < last and buffer[at + 4] == 0xFE)):
            return True
        following = at + 4 + size
        if following > filled:
            stop = False
            break
        append(following)
        at = following
    if at == filled and len(chain) > 1 and _is_error(buffer, chain[-2]):
        chain.pop()  # nothing ever follows an error, so looking at the last packet is enough
        stop = True
    return stop


def _is_error(buffer: bytearray, at: int) -> bool:
    return bool(_HEADER(buffer, at)[0] & WHOLE) and buffer[at + 4] == 0xFF
