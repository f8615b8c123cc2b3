"""The result that is being fetched: its batches, or the file they go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from tusk_jupyter.client import memory, widen
from tusk_jupyter.client.gather import Gathered, give_back

if TYPE_CHECKING:
    from tusk_jupyter.client.files import Sink


@dataclass(slots=True)
class Result:
    """Rows so far."""

    sink: Sink | None
    schema: pa.Schema | None = None
    batches: Gathered | None = None
    earlier: pa.Table | None = None
    rows: int = 0
    room: memory.Room = field(default_factory=memory.Room)

    def begin(self, schema: pa.Schema) -> None:
        """Begin a new result; an earlier one of the same run is let go."""
        self.schema, self.batches, self.earlier, self.rows = schema, Gathered(schema), None, 0
        self.room = memory.Room()
        if self.sink is not None:
            self.sink.open(schema)

    def widen(self, schema: pa.Schema) -> None:
        """Go on under wider types."""
        if self.sink is not None:
            self.sink.widen(schema)
        else:
            self.earlier = widen.widen_table(self._table(), schema)
            self.batches = Gathered(schema)
        self.schema = schema

    def expect(self, size: int) -> None:
        """See that a batch of `size` bytes can be received.

        Raises:
            ResultTooLarge: it cannot.
        """
        self.room.see(size, rows=self.rows, kept=self.sink is None)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        self.rows += batch.num_rows
        if self.sink is not None:
            self.sink.write(batch)
        elif self.batches is not None:
            self.room.take(self.batches.add(batch), rows=self.rows)

    def let_go(self) -> None:
        """Give the memory back: nobody will ask for the rows."""
        self.batches = self.earlier = None
        give_back()

    def table(self) -> pa.Table | None:
        """Return the rows as a table, or None when a sink has them."""
        return None if self.sink is not None else self._table()

    def _table(self) -> pa.Table:
        batches = self.batches or Gathered(self.schema)
        table = batches.table()
        return table if self.earlier is None else pa.concat_tables([self.earlier, table])
