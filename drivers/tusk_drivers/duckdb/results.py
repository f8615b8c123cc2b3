"""A result as a stream of plain record batches; never more of it in memory than one batch, and the pieces of the next one.

DuckDB hands out many small batches, which costs it less than few large ones (0.14 s against 0.19 s for a million rows),
and rows of huge texts stay few at a time: they are joined to BATCH_ROWS rows or BATCH_BYTES, whichever comes first. Batches
of 32 MB took no less time (200,000 texts of 960 bytes: 0.16 s each), and a sort under a cap of 512 MB could not send them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence

import pyarrow as pa

from tusk_drivers.duckdb.answers import Answer
from tusk_drivers.duckdb.converters import Converter
from tusk_drivers.duckdb.intervals import LongInterval
from tusk_drivers.duckdb.types import converter_for
from tusk_jupyter.driverkit.session import BATCH_ROWS, Rows

PIECE_ROWS = 8_192
WIDE_PIECE_ROWS = 2_048
"""Where values have no size of their own: one vector of DuckDB's, which it has in memory anyway."""

BATCH_BYTES = 8 * 1024 * 1024
_FIXED = frozenset(
    {
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "UHUGEINT", "FLOAT", "DOUBLE", "DATE", "INTERVAL", "UUID",
    }
)  # fmt: skip
_FIXED_WITH_MORE = re.compile(r"DECIMAL\(.*\)|TIME.*|ENUM\(.*\)", re.DOTALL)


class Result:
    """A running statement's rows."""

    def __init__(
        self,
        answer: Answer,
        *,
        failed: Callable[[BaseException], Exception],
        finished: Callable[[bool], Sequence[str]],
    ) -> None:
        """Start the statement.

        Args:
            answer: DuckDB's, not run yet or holding what ran.
            failed: turns an error of the stream into ours.
            finished: called once when the stream ends, with whether it came to its end without an error; returns notes.
        """
        self.types = answer.types
        self._failed = failed
        self._finished = finished
        self._reader = answer.read(_piece_rows(self.types))
        self._open = True
        fields = list(self._reader.schema)
        self._names = answer.names
        self._columns = [_converter(field, type_) for field, type_ in zip(fields, self.types, strict=True)]
        self._types: list[pa.DataType] = []
        self._made = pa.schema([])
        self._rows = 0
        self._ended = False
        self._pieces: list[pa.RecordBatch] = []
        self._last_notes: Sequence[str] = ()
        self._steps = self._run()
        next(self._steps)  # its cleanup runs from here on, even if nobody reads

    def rows(self, *, changes: bool = False) -> Rows:
        """Return the result for the kit.

        Args:
            changes: each row stands for a changed one (RETURNING).
        """
        affected: Callable[[], int | None] = (lambda: self._rows) if changes else (lambda: None)
        return Rows(
            schema=self._schema(),
            batches=self._batches(),
            types=self.types,
            notes=self._notes,
            affected=affected,
            ended=lambda: self._ended,
        )

    def close(self) -> None:
        """End the statement and free the session; idempotent."""
        self._steps.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        return self._steps  # the None it yields first has been taken

    def _run(self) -> Generator[pa.RecordBatch | None, None, None]:
        done = False
        try:
            yield None
            for batch in self._joined():
                self._rows += batch.num_rows
                yield self._plain(batch)
                del batch  # gone before the next one is read: there may be no memory for both
            done = True
        finally:
            self._reader.close()
            self._pieces.clear()
            self._last_notes = self._finished(done)

    def _joined(self) -> Iterator[pa.RecordBatch]:
        rows = size = 0
        while (piece := self._next()) is not None:
            if rows + piece.num_rows > BATCH_ROWS:
                yield self._whole()
                rows = size = 0
            self._pieces.append(piece)
            rows, size = rows + piece.num_rows, size + piece.get_total_buffer_size()
            del piece
            if size >= BATCH_BYTES:
                yield self._whole()
                rows = size = 0
        self._ended = True
        if self._pieces:
            yield self._whole()

    def _whole(self) -> pa.RecordBatch:
        """Return the pieces as one batch, and let go of them."""
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else pa.concat_batches(pieces)

    def _next(self) -> pa.RecordBatch | None:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None
        except (OSError, RuntimeError, pa.ArrowException) as exc:
            raise self._failed(exc) from exc

    def _plain(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [column.convert(array) for column, array in zip(self._columns, batch.columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema())

    def _schema(self) -> pa.Schema:
        """Return the schema of the batches from here on; a converter may have changed its type."""
        types = [column.type for column in self._columns]
        if types != self._types:
            self._types = types
            self._made = pa.schema([pa.field(name, type_) for name, type_ in zip(self._names, types, strict=True)])
        return self._made

    def _notes(self) -> list[str]:
        named = zip(self._names, self._columns, strict=True)
        return [*(f"Column {name!r} {column.note}." for name, column in named if column.note), *self._last_notes]


def _converter(field: pa.Field, type_: str) -> Converter:
    if type_ == "INTERVAL" and pa.types.is_struct(field.type):
        return LongInterval()
    return converter_for(field.type, field.metadata)


def _piece_rows(types: Sequence[str]) -> int:
    others = [type_ for type_ in types if type_ not in _FIXED]
    return WIDE_PIECE_ROWS if others and not all(map(_FIXED_WITH_MORE.fullmatch, others)) else PIECE_ROWS
