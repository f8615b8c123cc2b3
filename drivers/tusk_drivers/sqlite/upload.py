"""A DataFrame's rows into a table, with exact values.

SQLite has few types of its own, so decimals are stored as their digits in a TEXT column (its NUMERIC would make floats
of them), dates and timestamps as ISO text in columns declared DATE and DATETIME, which come back as such.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.sqlite.catalog import quoted
from tusk_jupyter import errors

T = TypeVar("T")
type_of = pa.types
_SAVEPOINT = "tusk_upload"


def write(
    connection: sqlite3.Connection,
    table: Sequence[str],
    reader: pa.RecordBatchReader,
    *,
    append: bool,
    patiently: Callable[[Callable[[], Any]], Any],
) -> int:
    """Create `table` from the reader's schema, or append to it by column name; return the number of rows.

    Args:
        connection: open, outside or inside a transaction.
        table: name parts.
        reader: the rows.
        append: the table exists.
        patiently: runs a call again while another program holds a lock.

    Raises:
        UsageError: a column's type has no form in SQLite.
    """
    declared = [declared_type(field) for field in reader.schema]
    inside = connection.in_transaction
    patiently(lambda: connection.execute(f"SAVEPOINT {_SAVEPOINT}" if inside else "BEGIN IMMEDIATE"))
    try:
        if not append:
            columns = ", ".join(f"{quoted(n)} {t}" for n, t in zip(reader.schema.names, declared, strict=True))
            connection.execute(f"CREATE TABLE {quoted(*table)} ({columns})")
        count = _insert(connection, table, reader)
        patiently(lambda: connection.execute(f"RELEASE {_SAVEPOINT}" if inside else "COMMIT"))
    except BaseException:
        _undo(connection, inside=inside)
        raise
    return count


def _undo(connection: sqlite3.Connection, *, inside: bool) -> None:
    if not connection.in_transaction:  # SQLite ended it by itself: disk full, an interrupt
        return
    if inside:
        connection.execute(f"ROLLBACK TO {_SAVEPOINT}")
        connection.execute(f"RELEASE {_SAVEPOINT}")
    else:
        connection.execute("ROLLBACK")


def _insert(connection: sqlite3.Connection, table: Sequence[str], reader: pa.RecordBatchReader) -> int:
    names = ", ".join(quoted(name) for name in reader.schema.names)
    marks = ", ".join("?" * len(reader.schema))
    sql = f"INSERT INTO {quoted(*table)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted
    connection.execute(f"EXPLAIN {sql}", [None] * len(reader.schema)).close()  # the table is there, even for no rows
    count = 0
    for batch in reader:
        connection.executemany(sql, _rows(batch))
        count += batch.num_rows
    return count


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(_plain(array) for array in batch.columns), strict=True)


def declared_type(field: pa.Field) -> str:
    """Return the type to declare for a column.

    Raises:
        UsageError: SQLite has no form for it.
    """
    kind = field.type.value_type if type_of.is_dictionary(field.type) else field.type
    for test, name in _DECLARED:
        if test(kind):
            return name
    raise errors.UsageError(
        f"The column {field.name!r} is of type {field.type}, for which SQLite has no form.",
        hint="Turn it into text or a number first.",
    )


_DECLARED: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (type_of.is_boolean, "BOOLEAN"),
    (type_of.is_integer, "INTEGER"),
    (type_of.is_floating, "REAL"),
    (type_of.is_date, "DATE"),
    (lambda kind: type_of.is_timestamp(kind) and kind.tz is None and kind.unit != "ns", "DATETIME"),
    (
        lambda kind: type_of.is_binary(kind) or type_of.is_large_binary(kind) or type_of.is_fixed_size_binary(kind),
        "BLOB",
    ),
    (type_of.is_null, ""),
    (
        lambda kind: (
            type_of.is_string(kind)
            or type_of.is_large_string(kind)
            or type_of.is_string_view(kind)
            or type_of.is_decimal(kind)
            or type_of.is_timestamp(kind)
            or type_of.is_time(kind)
            or type_of.is_nested(kind)
        ),
        "TEXT",
    ),
)


def _plain(array: pa.Array) -> list[Any]:
    """Return a column's values as SQLite takes them."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if type_of.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if type_of.is_decimal(kind):
        return [None if value is None else f"{value:f}" for value in array.to_pylist()]
    if type_of.is_nested(kind):
        return [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in array.to_pylist()
        ]
    if type_of.is_timestamp(kind) and kind.tz is not None:
        text = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit)).cast(pa.string())
        return list(pc.binary_join_element_wise(text, pa.scalar("+00:00"), pa.scalar("")).to_pylist())
    if type_of.is_temporal(kind):
        return list(array.cast(pa.string()).to_pylist())
    return list(array.to_pylist())
