"""The ordinary road: the extended protocol with `$n` parameters, rows streamed in chunks as text.

It takes what COPY cannot: parameters, SHOW, EXPLAIN, CALL, FETCH, and statements that change data and return rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format

from tusk_drivers.postgresql.columns import Column, batch_of
from tusk_drivers.postgresql.link import Link
from tusk_drivers.postgresql.parameters import Bound
from tusk_drivers.postgresql.source import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    FIRST_ROWS,
    HAND_OUT_S,
    SKIP_ROWS,
    Source,
    changed_by,
)
from tusk_jupyter.errors import QueryError

PIECE_ROWS = 256
"""Rows that libpq holds at a time."""

_TEXT_OID = 25
_ROWS = (ExecStatus.TUPLES_CHUNK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_OK)

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

Row = tuple[str | None, ...]


class RowSource(Source):
    """Rows of any statement."""

    def __init__(
        self, link: Link, sql: str, bound: Bound, columns: Sequence[Column], error: Callable[[PGresult], Exception]
    ) -> None:
        """Prepare to run `sql` with the values of `bound`."""
        super().__init__(link, error)
        self._sql, self._bound, self._columns = sql, bound, columns
        self._transformer = Transformer(link.connection)
        self._ready = False

    def start(self) -> None:
        """Send the statement."""
        bound, pg = self._bound, self._link.pg
        self._link.send(lambda: pg.send_query_params(self._sql.encode(), bound.values, bound.types, bound.formats))
        if pq.version() >= 170000:
            pg.set_chunked_rows_mode(PIECE_ROWS)
        else:
            pg.set_single_row_mode()

    def jobs(self) -> Iterator[Callable[[], pa.RecordBatch] | None]:
        """Yield work that makes a batch each, None where the server lets us wait."""
        rows: list[Row] = []
        size, limit = 0, FIRST_ROWS
        while True:
            if self._link.pg.is_busy():
                if not self._link.wait(HAND_OUT_S):
                    yield self._job(rows) if rows else None
                    rows, size = [], 0
                    self._link.wait()
                continue
            if not (piece := self._take()):
                break
            rows += piece
            size += len(piece) * sum(len(value) for value in piece[0] if value)
            if len(rows) >= limit or size >= CHUNK_BYTES:
                yield self._job(rows)
                rows, size, limit = [], 0, CHUNK_ROWS
        self._end()
        if rows:
            yield self._job(rows)

    def skip(self, timeout_s: float) -> None:
        """Throw away some rows."""
        for _ in range(SKIP_ROWS // PIECE_ROWS):
            if self._link.pg.is_busy():
                self._link.wait(timeout_s)
                return
            if (found := self._link.pg.get_result()) is None:
                self.ended = True
                return
            self._count(found)

    def _take(self) -> list[Row]:
        """Return the next rows; none at the end of them.

        Raises:
            TuskError: the statement failed.
        """
        found = self._link.pg.get_result()
        if found is None:
            return []
        if found.status not in _ROWS:
            raise self._fail([found])
        if found.nfields != len(self._columns):
            raise QueryError("A table was changed while the statement began: its columns differ. Run it again.")
        self._count(found)
        if not found.ntuples:
            return []
        self._transformer.set_pgresult(found, set_loaders=False)
        self._transformer.set_loader_types([_TEXT_OID] * found.nfields, Format.TEXT)
        return self._transformer.load_rows(0, found.ntuples, tuple)

    def _count(self, found: PGresult) -> None:
        if (affected := changed_by(found)) is not None:
            self.affected = affected

    def _job(self, rows: list[Row]) -> Callable[[], pa.RecordBatch]:
        return lambda: batch_of(self._columns, [pa.array(values, pa.string()) for values in zip(*rows, strict=True)])
