"""A DataFrame's rows into a table, streamed: DuckDB pulls the batches while it writes."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from tusk_drivers.duckdb.places import places
from tusk_jupyter.driverkit.fits import fitted, no_type
from tusk_jupyter.driverkit.upload_columns import check_whole, is_nested, leaves, plain_reader, refused
from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
_HUGE = 2**127
_HELD_BYTES = 64 * 1024 * 1024
_AS_TEXT = "Turn the column into text first, as with `df[column].astype('string')`."


def quoted(parts: Sequence[str]) -> str:
    """Return name parts as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def write(
    connection: duckdb.DuckDBPyConnection,
    table: Sequence[str],
    reader: pa.RecordBatchReader,
    *,
    append: bool,
    in_transaction: bool,
) -> int:
    """Create `table` from the reader, or append to it by column name; return the number of rows.

    In the user's transaction, which DuckDB would abort with a refused value in it, all rows are looked at before the first one
    is written.

    Raises:
        UsageError: DuckDB has no such columns, or a value that it would change; nothing is written then.
        Exception: whatever the reader's source raised; nothing is written then.
    """
    reader = plain_reader(reader)
    _check_names(reader.schema.names)
    if append:
        reader = _fitted(connection, table, reader)
    columns = ", ".join(_selected(field) for field in reader.schema)
    head = f"INSERT INTO {quoted(table)} BY NAME" if append else f"CREATE TABLE {quoted(table)} AS"
    watched = _Watched(reader)
    with tempfile.SpooledTemporaryFile(_HELD_BYTES) as held:
        rows = _looked_at(watched, held) if in_transaction else watched.reader
        return _written(connection, f"{head} SELECT {columns}", rows, watched)


def _looked_at(watched: _Watched, file: tempfile.SpooledTemporaryFile[bytes]) -> pa.RecordBatchReader:
    """Return the same rows once all of them have been read; those of more than 64 MB are in a file meanwhile."""
    try:
        with pa.ipc.new_stream(file, watched.reader.schema) as writer:
            for batch in watched.reader:
                writer.write_batch(batch)
    except Exception as exc:
        raise (watched.failure or exc) from exc
    file.seek(0)
    return pa.ipc.open_stream(file)


def _written(connection: duckdb.DuckDBPyConnection, sql: str, rows: pa.RecordBatchReader, watched: _Watched) -> int:
    source = f"tusk_upload_{secrets.token_hex(8)}"
    connection.register(source, rows)
    try:
        connection.execute(f"{sql} FROM {source}")
        count = connection.rowcount
        connection.complete()
    except Exception as exc:
        with contextlib.suppress(duckdb.Error):  # an aborted transaction takes no statement; the source goes with it
            connection.unregister(source)
        raise (watched.failure or exc) from exc
    connection.unregister(source)
    return count


def _check_names(names: Sequence[str]) -> None:
    """Refuse what DuckDB would rename without a word.

    Raises:
        UsageError: there is such a name.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not name or "\0" in name:
            raise UsageError(
                f"DuckDB takes no column named {name!r}: a name has a character at least, and no NUL.",
                hint="Rename the column first, as with `df.rename(columns=...)`.",
            )
        twin = seen.setdefault(name.lower(), name)
        if twin is not name:
            raise UsageError(
                f"DuckDB takes no two columns named {twin!r} and {name!r}: to it, both are one name.",
                hint="Rename one of them first, as with `df.rename(columns=...)`.",
            )


def _fitted(
    connection: duckdb.DuckDBPyConnection, table: Sequence[str], reader: pa.RecordBatchReader
) -> pa.RecordBatchReader:
    """Return the rows as the table's columns keep them.

    Raises:
        UsageError: a column does not go with the table's; when it is read: a value would be changed.
    """
    there = places(connection, quoted(table))
    chosen = {name: there[name.lower()] for name in reader.schema.names if name.lower() in there}
    fits = fitted(reader, chosen, "DuckDB")
    nested = [
        field
        for field in reader.schema
        if field.name in chosen and chosen[field.name].is_nested and not pa.types.is_null(field.type)
    ]
    if nested:
        source = f"tusk_upload_{secrets.token_hex(8)}"
        connection.register(source, pa.schema(nested).empty_table())
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608 - a name of our own
        connection.unregister(source)
        for field, (_, kind, *_) in zip(nested, described, strict=True):
            if kind != chosen[field.name].type:
                raise no_type(field.name, field.type, chosen[field.name], "DuckDB")
    return fits


def _is_huge(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal256(kind) and kind.scale == 0)


def _selected(field: pa.Field) -> str:
    name = quoted([field.name])
    return f"CAST({name} AS HUGEINT) AS {name}" if _is_huge(field.type) else name


class _Watched:
    """A reader of what DuckDB keeps as it is, which keeps its source's exception: through DuckDB only its text would come."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.failure: Exception | None = None
        schema = pa.schema([pa.field(field.name, _kept_type(field)) for field in reader.schema])
        self.reader = pa.RecordBatchReader.from_batches(schema, self._batches(reader, schema))

    def _batches(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            for batch in reader:
                columns = [_kept(column, name) for name, column in zip(schema.names, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except Exception as exc:
            self.failure = exc
            raise


def _kept_type(field: pa.Field) -> pa.DataType:
    """Return the type in which a column is given to DuckDB.

    Raises:
        UsageError: it has none.
    """
    kind = field.type
    if _is_huge(kind):
        return pa.large_string()
    if pa.types.is_decimal256(kind) and kind.scale <= 38:
        return pa.decimal128(38, kind.scale)
    if pa.types.is_null(kind):
        return kind
    inside = [leaf.type for leaf in leaves(pa.nulls(0, kind))] if is_nested(kind) else [kind]
    if any(map(pa.types.is_decimal256, inside)) or (pa.types.is_struct(kind) and not len(kind)):
        raise UsageError(f"The column {field.name!r} has the Arrow type {kind}, which DuckDB has not.", hint=_AS_TEXT)
    return kind


def _kept(column: pa.Array, name: str) -> pa.Array:
    """Return a column as it is given to DuckDB.

    Raises:
        UsageError: DuckDB would change a value.
    """
    kind = column.type
    if pa.types.is_decimal256(kind):
        return _numbers(column, name)
    for leaf in leaves(column) if is_nested(kind) else [column]:
        if pa.types.is_duration(leaf.type) or pa.types.is_interval(leaf.type):
            check_whole(leaf, name, "DuckDB")
        elif pa.types.is_timestamp(leaf.type) or pa.types.is_date32(leaf.type):
            _check_finite(leaf, name)
    return column


def _numbers(column: pa.Array, name: str) -> pa.Array:
    values = column.to_pylist()
    scale = column.type.scale
    if not scale:
        far = next((one for one in values if one is not None and not -_HUGE < one < _HUGE), None)
        if far is not None:
            raise refused(name, f"{far:f}", "DuckDB's HUGEINT", way=_AS_TEXT)
        return pa.array([None if one is None else f"{one:f}" for one in values], pa.large_string())
    far = next((one for one in values if one is not None and abs(one) >= 10 ** (38 - scale)), None)
    if far is not None:
        raise refused(name, f"{far:f}", f"DuckDB's DECIMAL(38,{scale})", way=_AS_TEXT)
    return pa.array(values, pa.decimal128(38, scale))


def _check_finite(column: pa.Array, name: str) -> None:
    """Refuse the two moments that DuckDB takes for infinities."""
    wide = 32 if pa.types.is_date32(column.type) else 64
    ends = pc.min_max(column.cast(pa.int32() if wide == 32 else pa.int64())).as_py()
    if ends["max"] == 2 ** (wide - 1) - 1 or (ends["min"] is not None and ends["min"] <= -(2 ** (wide - 1)) + 1):
        raise refused(name, "the last moment of its type, which means infinity", "DuckDB as a date", way=_AS_TEXT)
