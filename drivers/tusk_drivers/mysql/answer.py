"""What the server answers to a statement: an OK, an error, or column definitions with rows behind them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pymysql.constants import SERVER_STATUS
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

from tusk_drivers.mysql.errors import from_packet, no_file
from tusk_drivers.mysql.packets import PacketReader
from tusk_drivers.mysql.types import Column, column_of

_ENCODING = "utf-8"
"""Of names and messages: the session's results are utf8mb4 or utf8mb3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a statement, or one of a procedure's statements, ended."""

    status: int
    """The server's status flags: transaction, autocommit, more results, escapes."""
    warnings: int
    affected: int | None = None
    """None at the end of a result set."""

    @property
    def has_more(self) -> bool:
        """Whether another answer follows on the wire."""
        return bool(self.status & SERVER_STATUS.SERVER_MORE_RESULTS_EXISTS)


def read_answer(reader: PacketReader) -> Outcome | list[Column]:
    """Return the next answer's beginning: its outcome, or its columns when rows follow.

    Raises:
        pymysql.MySQLError: the server answered with an error.
        ConnectError: the link broke.
        ProtocolError: the server asks for a file of this machine, which is never given.
    """
    payload = reader.packet()
    match payload[0]:
        case 0x00:
            return parse_ok(payload)
        case 0xFF:
            raise from_packet(payload)
        case 0xFB:
            raise no_file()
    return read_columns(reader, count=MysqlPacket(payload, _ENCODING).read_length_encoded_integer() or 0)


def read_columns(reader: PacketReader, *, count: int) -> list[Column]:
    """Return `count` columns from their definitions and the EOF packet behind them; none has none."""
    columns = [column_of(FieldDescriptorPacket(reader.packet(), _ENCODING)) for _ in range(count)]
    if count:
        reader.packet()
    return columns


def parse_ok(payload: bytes) -> Outcome:
    """Read an OK packet."""
    packet = MysqlPacket(payload, _ENCODING)
    packet.advance(1)
    affected = packet.read_length_encoded_integer()
    packet.read_length_encoded_integer()  # the last insert id
    status, warnings = packet.read_struct("<HH")
    return Outcome(status=status, warnings=warnings, affected=affected)


def parse_end(payload: bytes) -> Outcome:
    """Read the packet behind the last row.

    Raises:
        pymysql.MySQLError: it is an error: the statement failed after its first rows.
    """
    if payload[0] == 0xFF:
        raise from_packet(payload)
    warnings, status = struct.unpack_from("<HH", payload, 1)
    return Outcome(status=status, warnings=warnings)
