"""A DataFrame's rows into a table, streamed: DuckDB pulls the batches while it writes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa


def quoted(parts: Sequence[str]) -> str:
    """Return name parts as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def write(
    connection: duckdb.DuckDBPyConnection, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool
) -> int:
    """Create `table` from the reader, or append to it by column name; return the number of rows.

    Raises:
        Exception: whatever the reader's source raised; nothing is written then.
    """
    source = f"tusk_upload_{secrets.token_hex(8)}"
    watched = _Watched(reader)
    connection.register(source, watched.reader)
    try:
        head = f"INSERT INTO {quoted(table)} BY NAME" if append else f"CREATE TABLE {quoted(table)} AS"
        connection.execute(f"{head} SELECT * FROM {source}")  # noqa: S608 - quoted above, and a name of our own
        count = connection.rowcount
        connection.complete()
    except Exception as exc:
        with contextlib.suppress(duckdb.Error):  # an aborted transaction takes no statement; the source goes with it
            connection.unregister(source)
        raise (watched.failure or exc) from exc
    connection.unregister(source)
    return count


class _Watched:
    """A reader that keeps its source's exception: through DuckDB only its text would come."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.failure: Exception | None = None
        self.reader = pa.RecordBatchReader.from_batches(reader.schema, self._batches(reader))

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except Exception as exc:
            self.failure = exc
            raise
