"""The packet reader against bytes that arrive in any pieces, without a server: what PyMySQL reads slowly it reads alike."""

from __future__ import annotations

import random
import socket
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tusk_drivers.mysql.decode import columns
from tusk_drivers.mysql.packets import WHOLE, Block, End, PacketReader
from tusk_jupyter.errors import ConnectError, ProtocolError

EOF = b"\xfe\x00\x00\x02\x00"
ERROR = b"\xff\x25\x05#70100Query execution was interrupted"


def _encoded(value: bytes | None) -> bytes:
    if value is None:
        return b"\xfb"
    size = len(value)
    if size < 0xFB:
        return bytes([size]) + value
    if size < 2**16:
        return b"\xfc" + struct.pack("<H", size) + value
    if size < 2**24:
        return b"\xfd" + struct.pack("<I", size)[:3] + value
    return b"\xfe" + struct.pack("<Q", size) + value


def _packets(payloads: list[bytes]) -> bytes:
    out, sequence = [], 1
    for payload in payloads:
        at = 0
        while True:
            part = payload[at : at + WHOLE]
            out.append(struct.pack("<I", len(part))[:3] + bytes([sequence % 256]) + part)
            at, sequence = at + WHOLE, sequence + 1
            if len(part) < WHOLE:
                break
    return b"".join(out)


def _read(
    data: bytes, *, count: int, pieces: random.Random, max_rows: int = 1000
) -> tuple[list[tuple[bytes | None, ...]], End]:
    """Send `data` in random pieces and return what the reader makes of it."""
    near, far = socket.socketpair()

    def send() -> None:
        at = 0
        while at < len(data):
            size = pieces.choice([1, 3, 4, 5, 100, 5000, 300_000, 5_000_000])
            far.sendall(data[at : at + size])
            at += size
        far.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    rows: list[tuple[bytes | None, ...]] = []
    try:
        reader = PacketReader(near)
        while not isinstance(item := reader.block(max_rows=max_rows), End):
            assert isinstance(item, Block)
            assert len(item.starts) <= max_rows
            rows += zip(*(cells.binary().to_pylist() for cells in columns(item, count)), strict=True)
        return rows, item
    finally:
        thread.join()
        near.close()
        far.close()


value = st.one_of(
    st.none(),
    st.binary(max_size=12),
    st.sampled_from([0, 1, 249, 250, 251, 252, 253, 254, 255, 256, 65_535, 65_536, 70_000]).map(lambda n: b"\xfe" * n),
    st.sampled_from([b"\xfb", b"\xfc", b"\xfd", b"\xfe", b"\xff", b"\x00"]),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 5).flatmap(lambda n: st.lists(st.tuples(*[value] * n), min_size=0, max_size=40)),
    end=st.sampled_from([EOF, ERROR]),
    seed=st.integers(0, 2**16),
    max_rows=st.sampled_from([1, 2, 7, 1000]),
)
def test_any_rows_in_any_pieces(rows, end, seed, max_rows):
    count = len(rows[0]) if rows else 1
    data = _packets([b"".join(map(_encoded, row)) for row in rows] + [end])
    found, ended = _read(data, count=count, pieces=random.Random(seed), max_rows=max_rows)
    assert found == rows
    assert ended.payload == end


@pytest.mark.parametrize("size", [2**24 - 6, 2**24 - 5, 2**24 - 4, 2**24 - 1, 2**24, 2**24 + 5, 2 * 2**24])
@pytest.mark.parametrize("seed", [1, 2])
def test_rows_beyond_one_packet(size, seed):
    rows = [(b"a",), (b"x" * size,), (None,), (b"y" * 300,)]
    data = _packets([*(_encoded(row[0]) for row in rows), EOF])
    assert _read(data, count=1, pieces=random.Random(seed))[0] == rows


def test_many_rows_over_many_blocks():
    rows = [(str(n).encode(), None if n % 3 else b"z" * (n % 400)) for n in range(60_000)]
    data = _packets([b"".join(map(_encoded, row)) for row in rows] + [EOF])
    assert _read(data, count=2, pieces=random.Random(3), max_rows=65_536)[0] == rows


@pytest.mark.parametrize("cut", [1, 3, 4, 6, 20])
def test_link_that_ends_in_mid_row_is_lost(cut):
    data = _packets([_encoded(b"one"), _encoded(b"a longer value of the second row")])
    with pytest.raises(ConnectError) as caught:
        _read(data[: 8 + cut], count=1, pieces=random.Random(0))
    assert caught.value.scenario == "link_lost"


@pytest.mark.parametrize("count", [1, 3])
def test_rows_that_do_not_fit_their_columns_are_no_data(count):
    data = _packets([_encoded(b"one") + _encoded(b"two"), EOF])
    with pytest.raises(ProtocolError):
        _read(data, count=count, pieces=random.Random(0))
