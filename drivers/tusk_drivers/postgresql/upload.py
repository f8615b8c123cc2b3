"""Writing a table: CREATE TABLE from the Arrow schema, then `COPY ... FROM STDIN`, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pcsv
from psycopg.pq import TransactionStatus

from tusk_drivers.postgresql.catalog import describe, quoted
from tusk_drivers.postgresql.ddl import column_type
from tusk_drivers.postgresql.link import Link
from tusk_drivers.postgresql.literals import writable
from tusk_drivers.postgresql.places import notes, places
from tusk_jupyter.driverkit.fits import fitted
from tusk_jupyter.driverkit.gone import NOT_KNOWN
from tusk_jupyter.driverkit.upload_columns import plain_reader
from tusk_jupyter.errors import ConnectError, TuskError, UsageError

WRITE_BYTES = 1024 * 1024
"""Piece in which data goes to libpq; it keeps a copy of each."""

SAVEPOINT = "tusk_upload"
MAX_NAME_BYTES = 63

_CSV = pcsv.WriteOptions(include_header=False, quoting_style="needed")


def upload(
    link: Link, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool
) -> tuple[int, tuple[str, ...]]:
    """Write all rows in one transaction, or in a savepoint of the one that is open; returns their number, and notes.

    Raises:
        UsageError: names or types that PostgreSQL cannot take.
        QueryError: the table exists, is missing, or refuses a row; nothing was written.
    """
    _check_names(table, reader.schema)
    reader = plain_reader(reader)
    told: tuple[str, ...] = ()
    with _all_or_nothing(link):
        if append:
            _check_columns(link, table, reader.schema)
            there = places(link, table)
            told = notes(there, reader.schema.names)
            reader = fitted(reader, there, "PostgreSQL")
        else:
            _execute(link, _create(table, reader.schema))
        return _copy(link, _target(table, reader.schema), reader), told


def _check_names(table: Sequence[str], schema: pa.Schema) -> None:
    if not 1 <= len(table) <= 3:
        raise UsageError(f"A table's name has one to three parts, not {len(table)}.")
    for name in [*table, *schema.names]:
        if not name or "\x00" in name or len(name.encode()) > MAX_NAME_BYTES:
            raise UsageError(
                f"PostgreSQL cannot take the name {name!r}: names are 1 to {MAX_NAME_BYTES} bytes long, without NUL.",
                hint="Rename the column or the table.",
            )


def _check_columns(link: Link, table: Sequence[str], schema: pa.Schema) -> None:
    there = [column.name for column in describe(link, table).columns]
    if missing := [name for name in schema.names if name not in there]:
        raise UsageError(
            f"The table {'.'.join(table)!r} has no column {missing[0]!r}; it has {', '.join(there)}.",
            hint="Rename the data's columns to those of the table.",
        )


def _create(table: Sequence[str], schema: pa.Schema) -> str:
    columns = [f"{quoted([field.name])} {column_type(field.type, column=field.name)}" for field in schema]
    return f"CREATE TABLE {quoted(table)} ({', '.join(columns)})"


def _target(table: Sequence[str], schema: pa.Schema) -> str:
    names = ", ".join(quoted([name]) for name in schema.names)
    return f"COPY {quoted(table)} ({names}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"


@contextmanager
def _all_or_nothing(link: Link) -> Iterator[None]:
    if link.status == TransactionStatus.IDLE:
        begin, done, undo = "BEGIN", "COMMIT", "ROLLBACK"
    else:
        begin, done = f"SAVEPOINT {SAVEPOINT}", f"RELEASE SAVEPOINT {SAVEPOINT}"
        undo = f"ROLLBACK TO SAVEPOINT {SAVEPOINT}; {done}"
    link.run(begin)
    try:
        yield
    except BaseException as exc:
        if link.is_open:
            link.run(undo)
        elif isinstance(exc, ConnectError):
            exc.message = exc.message.replace(NOT_KNOWN, "Nothing of the upload stays: it had not been committed.")
        raise
    link.run(done)


def _copy(link: Link, command: str, reader: pa.RecordBatchReader) -> int:
    rows = 0

    def feed() -> None:
        nonlocal rows
        with link.connection.cursor() as cursor, cursor.copy(command) as copy:
            for batch in reader:
                rows += batch.num_rows
                with link.losing_copy():
                    _write(copy, batch)

    _translated(link, feed)
    return rows


def _write(copy: psycopg.Copy, batch: pa.RecordBatch) -> None:
    if not batch.num_columns:
        return
    columns = [writable(column, name=name) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    names = [str(index) for index in range(len(columns))]
    sink = pa.BufferOutputStream()
    pcsv.write_csv(pa.RecordBatch.from_arrays(columns, names=names), sink, _CSV)
    data = memoryview(sink.getvalue())
    for start in range(0, len(data), WRITE_BYTES):
        copy.write(bytes(data[start : start + WRITE_BYTES]))


def _execute(link: Link, command: str) -> None:
    _translated(link, lambda: link.connection.execute(command))


def _translated(link: Link, action: Callable[[], Any]) -> None:
    try:
        action()
    except TuskError:
        raise
    except psycopg.Error as exc:
        if exc.pgresult is not None:
            raise link.error(exc.pgresult) from exc
        with link.losing():
            raise
