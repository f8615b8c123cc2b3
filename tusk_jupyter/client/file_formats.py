"""The file formats: how each begins, takes batches, ends, and is read back when its types widen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tusk_jupyter.client import texts

type_of = pa.types


class Writer(Protocol):
    """One file of one schema."""

    notes: list[str]
    """What the reader of the file must know."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch."""

    def close(self) -> None:
        """End the file; the handle stays open."""

    def discard(self) -> None:
        """Give the file up."""

    def goes_on(self, schema: pa.Schema) -> bool:
        """Whether the file can go on under a wider schema as it is; then it does."""

    def read_back(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Yield what was written, under the schema it had; after `close`."""


class _Fitted:
    """Columns that the format has no type for go as text."""

    def __init__(self, schema: pa.Schema, *, form: str, has_type: Callable[[pa.DataType], bool]) -> None:
        self.notes: list[str] = []
        self._as_text = [not has_type(field.type) for field in schema]
        fields = [
            field.with_type(pa.string()) if text else field for field, text in zip(schema, self._as_text, strict=True)
        ]
        self.notes.extend(
            f"Column {field.name!r} is text: {form} has no type for {field.type}."
            for field, text in zip(schema, self._as_text, strict=True)
            if text
        )
        self.schema = pa.schema(fields, metadata=schema.metadata)

    def fit(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch as it is written."""
        if not any(self._as_text):
            return batch
        columns = [
            texts.to_text(column) if text else column for column, text in zip(batch.columns, self._as_text, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


class ParquetWriter(_Fitted):
    """Parquet with zstd: half the size of snappy's for the same time to read."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        super().__init__(schema, form="Parquet", has_type=_parquet_has)
        self._writer = pa.parquet.ParquetWriter(file, self.schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch as a row group."""
        if batch.num_rows:
            self._writer.write_batch(self.fit(batch))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()

    def discard(self) -> None:
        """Keep pyarrow from writing a footer when the object goes, into a file that is closed by then."""
        self._writer.is_open = False

    def goes_on(self, schema: pa.Schema) -> bool:
        """Never: the schema stands once for the whole file."""
        return False

    def read_back(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Yield row groups in pieces."""
        with pa.parquet.ParquetFile(path) as file:
            yield from file.iter_batches()


class ArrowWriter:
    """Arrow's file format, which is Feather version 2."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self.notes: list[str] = []
        self.schema = pa.schema([_decoded(field) for field in schema], metadata=schema.metadata)
        self._writer = pa.ipc.new_file(file, self.schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch; dictionaries are decoded, because the format allows one per column for the whole file."""
        if batch.schema != self.schema:
            columns = [column.cast(field.type) for column, field in zip(batch.columns, self.schema, strict=True)]
            batch = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()

    def discard(self) -> None:
        """Nothing is held."""

    def goes_on(self, schema: pa.Schema) -> bool:
        """Never: the schema stands once for the whole file."""
        return False

    def read_back(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            for position in range(reader.num_record_batches):
                yield reader.get_batch(position)


class CsvWriter:
    """CSV in UTF-8 with a header; NULL is nothing, an empty text is "", and every text stands in quotes."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self.notes: list[str] = []
        self._file = file
        self._names = schema.names
        self._header = True

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        columns = [_csv_column(column) for column in batch.columns]
        table = pa.Table.from_arrays(columns, names=self._names)
        options = pa.csv.WriteOptions(include_header=self._header, quoting_style="needed")
        pa.csv.write_csv(table, self._file, options)
        self._header = False

    def close(self) -> None:
        """Write the header if no row has brought it."""
        if self._header:
            empty = pa.Table.from_arrays([pa.array([], pa.string()) for _ in self._names], names=self._names)
            pa.csv.write_csv(empty, self._file)
            self._header = False

    def discard(self) -> None:
        """Nothing is held."""

    def goes_on(self, schema: pa.Schema) -> bool:
        """Always: what was written is text already."""
        return True

    def read_back(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Nothing: a CSV file goes on."""
        return iter(())


def _csv_column(column: pa.Array) -> pa.Array:
    """Numbers, booleans and texts go as they are, the rest as its text; so do decimals that Arrow writes as 1E-8."""
    kind = column.type
    if any(test(kind) for test in _CSV_AS_IS):
        return column
    text = texts.to_text(column)
    return column if type_of.is_decimal(kind) and text.equals(column.cast(pa.string())) else text


_CSV_AS_IS = (type_of.is_integer, type_of.is_floating, type_of.is_boolean, type_of.is_string, type_of.is_large_string)


def _decoded(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if type_of.is_dictionary(field.type) else field


def _parquet_has(kind: pa.DataType) -> bool:
    if type_of.is_interval(kind) or type_of.is_union(kind):
        return False
    if type_of.is_nested(kind):
        return all(_parquet_has(kind.field(position).type) for position in range(kind.num_fields))
    return True


WRITERS: dict[str, Callable[[BinaryIO, pa.Schema], Writer]] = {
    ".parquet": ParquetWriter,
    ".csv": CsvWriter,
    ".arrow": ArrowWriter,
    ".feather": ArrowWriter,
}
"""Writer by the file name's ending."""
