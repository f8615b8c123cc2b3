"""A DataFrame's rows into a table, with exact values.

SQLite has few types of its own, so decimals are stored as numbers where these are exact and as text where not
(`decimals`), dates and timestamps as ISO text in columns declared DATE and DATETIME, which come back as such.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from tusk_drivers.sqlite import decimals
from tusk_drivers.sqlite.catalog import quoted
from tusk_drivers.sqlite.places import affinity, kept, numbering, places
from tusk_jupyter import errors
from tusk_jupyter.driverkit.upload_columns import (
    JSON,
    UUID,
    check_finite,
    check_years,
    extension,
    is_bytes,
    is_nested,
    is_text,
    json_texts,
    moment_texts,
    plain_reader,
    refused,
)
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
T = TypeVar("T")
type_of = pa.types
_SAVEPOINT = "tusk_upload"
ENGINE = "SQLite"
_END_OF_INTEGERS = 2**63


def write(
    connection: sqlite3.Connection,
    table: Sequence[str],
    reader: pa.RecordBatchReader,
    *,
    append: bool,
    patiently: Callable[[Callable[[], Any]], Any],
) -> tuple[int, tuple[str, ...]]:
    """Create `table` from the reader's schema, or append to it by column name; return the number of rows, and notes.

    Args:
        connection: open, outside or inside a transaction.
        table: name parts.
        reader: the rows.
        append: the table exists.
        patiently: runs a call again while another program holds a lock.

    Raises:
        UsageError: a column's type has no form in SQLite, or digits would be lost in a column that is there.
    """
    reader = plain_reader(reader)
    broken = next((name for name in reader.schema.names if "\0" in name), None)
    if broken is not None:
        raise errors.UsageError(f"SQLite takes no column named {broken!r}: a name has no NUL.", hint="Rename it first.")
    declared = [declared_type(field) for field in reader.schema]
    notes: list[str] = []
    with contextlib.ExitStack() as stack:
        if append:
            there = places(connection, table)
            texts = frozenset(
                name
                for name in reader.schema.names
                if name.lower() in there and affinity(there[name.lower()]) == "TEXT"
            )
            reader = kept(reader, there, numbering(connection, table), notes)
        else:
            reader, texts = _looked_through(reader, stack)
            declared = [
                "TEXT" if field.name in texts else kind for field, kind in zip(reader.schema, declared, strict=True)
            ]
        count = _written(connection, table, reader, declared, texts, append=append, patiently=patiently)
    return count, tuple(notes) if append else tuple(_WORDS.format(name=name) for name in sorted(texts))


def _written(
    connection: sqlite3.Connection,
    table: Sequence[str],
    reader: pa.RecordBatchReader,
    declared: Sequence[str],
    texts: frozenset[str],
    *,
    append: bool,
    patiently: Callable[[Callable[[], Any]], Any],
) -> int:
    """Do it in a transaction, or in a savepoint of the open one; all of it or nothing."""
    inside = connection.in_transaction
    patiently(lambda: connection.execute(f"SAVEPOINT {_SAVEPOINT}" if inside else "BEGIN IMMEDIATE"))
    try:
        if not append:
            columns = ", ".join(f"{quoted(n)} {t}" for n, t in zip(reader.schema.names, declared, strict=True))
            connection.execute(f"CREATE TABLE {quoted(*table)} ({columns})")
        count = _insert(connection, table, reader, texts)
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


def _looked_through(
    reader: pa.RecordBatchReader, stack: contextlib.ExitStack
) -> tuple[pa.RecordBatchReader, frozenset[str]]:
    """Return the same rows, and the names of the columns of decimals that have to be text.

    A column's declaration comes before its first row, so a stream with wide decimals is put on disk and read twice.
    """
    wide = [field.name for field in reader.schema if _is_decimal(field.type) and not decimals.always_fits(field.type)]
    if not wide:
        return reader, frozenset()
    texts = {name for name in wide if decimals.declared_type(reader.schema.field(name).type) == "TEXT"}
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    with pa.ipc.new_stream(file, reader.schema) as spool:
        for batch in reader:
            spool.write_batch(batch)
            for name in set(wide) - texts:
                if not all(map(decimals.fits, batch.column(name).to_pylist())):
                    texts.add(name)
    file.seek(0)
    return pa.ipc.open_stream(file), frozenset(texts)


def _insert(
    connection: sqlite3.Connection, table: Sequence[str], reader: pa.RecordBatchReader, texts: frozenset[str]
) -> int:
    names = ", ".join(quoted(name) for name in reader.schema.names)
    marks = ", ".join("?" * len(reader.schema))
    sql = f"INSERT INTO {quoted(*table)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted
    connection.execute(f"EXPLAIN {sql}", [None] * len(reader.schema)).close()  # the table is there, even for no rows
    count = 0
    for batch in reader:
        connection.executemany(sql, _rows(batch, texts))
        count += batch.num_rows
    return count


def _rows(batch: pa.RecordBatch, texts: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    columns = zip(batch.schema, batch.columns, strict=True)
    return zip(
        *(_numbers(f, a) if _is_decimal(f.type) and f.name not in texts else _plain(a, f.name) for f, a in columns),
        strict=True,
    )


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(type_of.is_decimal(kind))


def _numbers(field: pa.Field, array: pa.Array) -> list[int | float | None]:
    """Return decimals as numbers.

    Raises:
        UsageError: one has more digits than a number of SQLite's.
    """
    values = array.to_pylist()
    lost = next((value for value in values if not decimals.fits(value)), None)
    if lost is not None:
        raise errors.UsageError(
            f"The column {field.name!r} holds {lost:f}; SQLite's numbers keep {decimals.DIGITS} digits. Nothing was written.",
            hint="Append to a TEXT column, or turn the column into text or float first, as you mean it.",
        )
    return [decimals.number(value) for value in values]


def declared_type(field: pa.Field) -> str:
    """Return the type to declare for a column.

    Raises:
        UsageError: SQLite has no form for it.
    """
    kind = field.type
    if _is_decimal(kind):
        return decimals.declared_type(kind)
    for test, name in _DECLARED:
        if test(kind):
            return name
    raise errors.UsageError(
        f"The column {field.name!r} is of type {field.type}, for which SQLite has no form.",
        hint="Turn it into text or a number first.",
    )


_WORDS = (
    f"Column {{name!r}} holds numbers of more than {decimals.DIGITS} digits, which SQLite's numbers do not keep: it is stored "
    "as text, which compares and sorts by letters; CAST(... AS REAL) compares as numbers."
)
_DECLARED: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (type_of.is_boolean, "BOOLEAN"),
    (type_of.is_integer, "INTEGER"),
    (type_of.is_floating, "REAL"),
    (type_of.is_date, "DATE"),
    (lambda kind: type_of.is_timestamp(kind) and kind.tz is None and kind.unit != "ns", "DATETIME"),
    (is_bytes, "BLOB"),
    (type_of.is_null, ""),
    (
        lambda kind: (
            is_text(kind)
            or type_of.is_timestamp(kind)
            or type_of.is_time(kind)
            or is_nested(kind)
            or extension(kind) in (JSON, UUID)
        ),
        "TEXT",
    ),
)


def _plain(array: pa.Array, name: str) -> list[Any]:
    """Return a column's values as SQLite takes them.

    Raises:
        UsageError: it has no form for one of them.
    """
    kind = array.type
    if extension(kind) == UUID:
        return [None if value is None else str(value) for value in array.to_pylist()]
    if extension(kind) == JSON:
        return list(array.storage.to_pylist())
    if type_of.is_decimal(kind):
        return [None if value is None else f"{value:f}" for value in array.to_pylist()]
    if is_nested(kind):
        return list(json_texts(array, name, ENGINE))
    if type_of.is_floating(kind):
        check_finite(array, name, ENGINE, infinities=True)
    if type_of.is_uint64(kind) and (pc.max(array).as_py() or 0) >= _END_OF_INTEGERS:
        raise refused(
            name, str(pc.max(array)), ENGINE, way="Turn the column into text, as with `df[column].astype('string')`."
        )
    if type_of.is_temporal(kind):
        if not type_of.is_time(kind):
            check_years(array, name, ENGINE, low=1, high=9999)
        array = moment_texts(array)
    return list(array.to_pylist())
