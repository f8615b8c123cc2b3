"""The fast road: `COPY (statement) TO STDOUT` in text form, parsed by pyarrow.csv under the described types.

Text form rather than CSV: the server writes it faster (1.0 s against 1.15 s for 1,000,000 rows x 12 columns, binary form
0.75 s), it tells NULL from empty text without quotes, and as it escapes newlines a row is a line, so that parsing needs no
quote rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from psycopg.pq import ExecStatus

from tusk_drivers.postgresql.columns import Column, as_batch, batch_of
from tusk_drivers.postgresql.link import Link
from tusk_drivers.postgresql.source import CHUNK_BYTES, CHUNK_ROWS, FIRST_ROWS, HAND_OUT_S, SKIP_ROWS, Source
from tusk_jupyter.errors import QueryError

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

PREFIX = "COPY ("
SUFFIX = "\n) TO STDOUT"  # on a line of its own: the statement may end in a comment

_BOM = "\ufeff".encode()
_ESCAPES = (("\\b", "\b"), ("\\f", "\f"), ("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\v", "\v"))
_HELD = "\x00"
"""Stands for a backslash while the escapes are undone; PostgreSQL's text holds no NUL."""

_READ = {"delimiter": "\t", "quote_char": False, "escape_char": False, "ignore_empty_lines": False}


class CopySource(Source):
    """Rows of a statement that COPY takes."""

    def __init__(self, link: Link, sql: str, columns: Sequence[Column], error: Callable[[PGresult], Exception]) -> None:
        """Prepare to run `sql`, which the server has parsed already as one statement with these columns."""
        super().__init__(link, error)
        self._sql = f"{PREFIX}{sql}{SUFFIX}"
        self._columns = columns

    def start(self) -> None:
        """Send the statement and wait until rows begin.

        Raises:
            TuskError: the server refused it.
        """
        self._link.send(lambda: self._link.pg.send_query(self._sql.encode()))
        first = self._link.result()
        if first is None or first.status != ExecStatus.COPY_OUT:
            raise self._fail([] if first is None else [first])
        if first.nfields != len(self._columns):
            raise QueryError("A table was changed while the statement began: its columns differ. Run it again.")

    def jobs(self) -> Iterator[Callable[[], pa.RecordBatch] | None]:
        """Yield work that makes a batch each, None where the server lets us wait."""
        lines, rows, limit = bytearray(), 0, FIRST_ROWS
        while True:
            rows, size = self._fill(lines, rows, limit)
            if size < 0:
                break
            if size == 0 and self._link.wait(HAND_OUT_S):
                continue
            yield self._job(lines) if rows else None
            if rows:
                lines, rows, limit = bytearray(), 0, CHUNK_ROWS
            if size == 0:
                self._link.wait()
        self._end()
        if rows:
            yield self._job(lines)

    def _fill(self, lines: bytearray, rows: int, limit: int) -> tuple[int, int]:
        """Append what has arrived to `lines`; return the rows now in it, and libpq's last word (0: no more yet, -1: the end).

        One context manager around all rows: one per row would take more time than everything else.
        """
        get = self._link.pg.get_copy_data
        with self._link.losing():
            while rows < limit and len(lines) < CHUNK_BYTES:
                size, data = get(1)
                if size <= 0:
                    return rows, size
                lines += data
                rows += 1
        return rows, 1

    def skip(self, timeout_s: float) -> None:
        """Throw away some rows."""
        for _ in range(SKIP_ROWS):
            with self._link.losing():
                size = self._link.pg.get_copy_data(1)[0]
            if size < 0:
                return self._end(quietly=True)
            if size == 0:
                self._link.wait(timeout_s)
                return None
        return None

    def _job(self, lines: bytearray) -> Callable[[], pa.RecordBatch]:
        return lambda: read_lines(bytes(lines) if lines.startswith(_BOM) else lines, self._columns)


def read_lines(lines: bytes | bytearray, columns: Sequence[Column]) -> pa.RecordBatch:
    """Return the batch for lines of COPY's text form.

    Raises:
        QueryError: lines that are no table, as one of more than 2 GB.
    """
    if lines.startswith(_BOM):  # pyarrow.csv takes a first one for a mark of the encoding and drops it
        lines = _BOM + lines
    try:
        try:
            table = _typed(lines, columns)
        except pa.ArrowInvalid:  # a value that a type cannot hold: the readers look at the text and widen
            table = _parse(lines, [pa.string()] * len(columns))
    except pa.ArrowInvalid as exc:
        raise QueryError(f"A part of the result cannot be read as text: {exc}") from exc
    arrays = [_one(table.column(index)) for index in range(len(columns))]
    arrays = [unescape(array) if array.type == pa.string() else array for array in arrays]
    if all(array.type == column.reader.type != pa.string() for array, column in zip(arrays, columns, strict=True)):
        return as_batch(columns, arrays)
    return batch_of(columns, arrays)


def _typed(lines: bytes | bytearray, columns: Sequence[Column]) -> pa.Table:
    table = _parse(lines, [column.reader.csv_type or pa.string() for column in columns])
    if not all(column.reader.holds(table.column(index)) for index, column in enumerate(columns)):
        raise pa.ArrowInvalid("values outside their Arrow type")
    return table


def _parse(lines: bytes | bytearray, types: Sequence[pa.DataType]) -> pa.Table:
    names = [str(index) for index in range(len(types))]  # the real ones may be empty or twice the same
    return pcsv.read_csv(
        pa.py_buffer(lines),
        read_options=pcsv.ReadOptions(column_names=names, block_size=len(lines) + 1, use_threads=False),
        parse_options=pcsv.ParseOptions(**_READ),
        convert_options=pcsv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=["\\N"],
            strings_can_be_null=True,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def unescape(text: pa.StringArray) -> pa.StringArray:
    """Undo the escapes of COPY's text form."""
    if not pc.any(pc.match_substring(text, "\\")).as_py():
        return text
    text = pc.replace_substring(text, "\\\\", _HELD)
    for escape, character in _ESCAPES:
        text = pc.replace_substring(text, escape, character)
    return pc.replace_substring(text, _HELD, "\\")
