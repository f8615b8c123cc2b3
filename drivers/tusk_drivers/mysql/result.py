"""A result set while it is read: blocks of packets in, record batches out, columns widened where a value needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from tusk_drivers.mysql.answer import Outcome, parse_end
from tusk_drivers.mysql.decode import Cells, columns
from tusk_drivers.mysql.packets import Block, End, PacketReader
from tusk_drivers.mysql.prepared import binary_columns
from tusk_drivers.mysql.types import Column
from tusk_jupyter.driverkit.session import BATCH_ROWS
from tusk_jupyter.errors import InternalError


@dataclass(slots=True, kw_only=True)
class ResultSet:
    """The rows behind one list of columns."""

    reader: PacketReader
    columns: list[Column]
    binary: bool = False
    """Whether the rows are of the binary protocol."""
    outcome: Outcome | None = None
    """How it ended, once it has."""
    rows: int = 0
    widened: list[str] = field(default_factory=list)

    @property
    def schema(self) -> pa.Schema:
        """The columns as they are now."""
        return pa.schema([column.field for column in self.columns])

    @property
    def types(self) -> list[str]:
        """The database's names of the columns' types."""
        return [column.database_type for column in self.columns]

    @property
    def end(self) -> Outcome:
        """How it ended; only after the last row."""
        if self.outcome is None:
            raise InternalError("A result set was asked for its end before it was read to the end.")
        return self.outcome

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows to the end.

        Raises:
            pymysql.MySQLError: the statement failed in the middle.
            ConnectError: the link broke.
        """
        while self.outcome is None:
            match self.reader.block(max_rows=BATCH_ROWS):
                case Block() as block:
                    self.rows += len(block.starts)
                    yield self._batch(block)
                case End(payload=payload):
                    self.outcome = parse_end(payload)

    def drain(self) -> None:
        """Read to the end without looking at the rows.

        Raises:
            pymysql.MySQLError: the statement failed in the middle.
            ConnectError: the link broke.
        """
        while self.outcome is None:
            self.skip(wait_s=None)

    def skip(self, *, wait_s: float | None) -> bool:
        """Read one block without looking at its rows; return False when none came within `wait_s`."""
        item = self.reader.block(max_rows=BATCH_ROWS, wait_s=wait_s)
        if isinstance(item, End):
            self.outcome = parse_end(item.payload)
        return item is not None

    def _batch(self, block: Block) -> pa.RecordBatch:
        cells = binary_columns(block, self.columns) if self.binary else columns(block, len(self.columns))
        arrays = [self._array(index, found) for index, found in enumerate(cells)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, index: int, cells: Cells) -> pa.Array:
        column = self.columns[index]
        try:
            return self._read(column, cells)
        except pa.ArrowInvalid:
            self.columns[index] = wider = column.widened()
            self.widened.append(_widening(column, wider))
            return self._read(wider, cells)

    def _read(self, column: Column, cells: Cells) -> pa.Array:
        return (column.binary if self.binary else column.text)(cells, column)

    def notes(self) -> Sequence[str]:
        """What the reader of the data must know."""
        lossy = [column.name for column in self.columns if column.database_type == "float" and not self.binary]
        return [
            *self.widened,
            *(f"Column {name!r} is FLOAT; this kind of statement shows it with only six digits." for name in lossy),
        ]


def _widening(column: Column, wider: Column) -> str:
    form = "text" if pa.types.is_string(wider.arrow) else "bytes"
    return f"Column {column.name!r} holds a value that is not a valid {column.database_type}; the column is shown as {form}."
