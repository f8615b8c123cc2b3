"""A DataFrame's rows into a table, streamed: DuckDB pulls the batches while it writes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import duckdb
import pyarrow as pa


def quoted(parts: Sequence[str]) -> str:
    """Return name parts as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def write(
    connection: duckdb.DuckDBPyConnection, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool
) -> int:
    """Create `table` from the reader, or append to it by column name; return the number of rows."""
    source = f"tusk_upload_{secrets.token_hex(8)}"
    connection.register(source, reader)
    try:
        head = f"INSERT INTO {quoted(table)} BY NAME" if append else f"CREATE TABLE {quoted(table)} AS"
        connection.execute(f"{head} SELECT * FROM {source}")  # noqa: S608 - quoted above, and a name of our own
        count = connection.rowcount
        connection.complete()
        return count
    finally:
        connection.unregister(source)
