"""The file formats: how each begins, takes batches, ends, and is read back when its types widen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tusk_jupyter.client import nested_texts, texts
from tusk_jupyter.client.widen import widen_batch

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

    def read_back(self, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield what was written under a wider schema; after `close`."""


def _in_words(kind: pa.DataType) -> str:
    return "intervals" if type_of.is_interval(kind) else str(kind).replace("month_day_nano_interval", "interval")


class _Fitted:
    """Columns that the format has no type for go as text."""

    def __init__(self, schema: pa.Schema, *, form: str, has_type: Callable[[pa.DataType], bool]) -> None:
        self.notes: list[str] = []
        self._given = schema
        self._as_text = [not has_type(field.type) for field in schema]
        fields = [
            field.with_type(pa.string()) if text else field for field, text in zip(schema, self._as_text, strict=True)
        ]
        self.notes.extend(
            f"Column {field.name!r} is text: {form} has no type for {_in_words(field.type)}."
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

    def read_back(self, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield row groups in pieces; what went as text comes as that, unless its new type has a form here."""
        changed = list(zip(schema, self._given, self._as_text, strict=True))
        wider = [new.with_type(pa.string()) if text and not _parquet_has(new.type) else new for new, _, text in changed]
        with pa.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                columns = [
                    nested_texts.again(column, old.type, new.type)
                    if text and nested_texts.changes(old.type, new.type)
                    else column
                    for column, (new, old, text) in zip(batch.columns, changed, strict=True)
                ]
                yield widen_batch(pa.RecordBatch.from_arrays(columns, names=schema.names), pa.schema(wider))


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

    def read_back(self, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            for position in range(reader.num_record_batches):
                yield widen_batch(reader.get_batch(position), schema)


class CsvWriter:
    """CSV in UTF-8 with a header; NULL is nothing, an empty text is "", and every text stands in quotes."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self.notes: list[str] = []
        self._file = file
        self._schema = schema
        header = pa.Table.from_arrays([pa.nulls(0, pa.string()) for _ in schema], names=schema.names)
        pa.csv.write_csv(header, file)
        self._begin = file.tell()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        table = pa.Table.from_arrays([_csv_column(column) for column in batch.columns], names=self._schema.names)
        pa.csv.write_csv(table, self._file, pa.csv.WriteOptions(include_header=False, quoting_style="needed"))

    def close(self) -> None:
        """Nothing is left to write."""
        self._file.flush()

    def discard(self) -> None:
        """Nothing is held."""

    def goes_on(self, schema: pa.Schema) -> bool:
        """Whether what was written is the text that widening would make."""
        if any(_changes_in_csv(old.type, new.type) for old, new in zip(self._schema, schema, strict=True)):
            return False
        self._schema = schema
        return True

    def read_back(self, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield rows with the changed columns under their new types; others may come as the texts that they are in the file."""
        if path.stat().st_size == self._begin:
            return
        read_as = [field.type if _reads_csv(field.type) else pa.string() for field in self._schema]
        wider = [
            pa.field(field.name, field.type if field.type != old.type and not type_of.is_nested(field.type) else kind)
            for field, old, kind in zip(schema, self._schema, read_as, strict=True)
        ]
        for batch in _read_csv(path, self._begin, read_as):
            columns = [
                nested_texts.again(column, old.type, field.type)
                if nested_texts.changes(old.type, field.type)
                else column
                for column, old, field in zip(batch.columns, self._schema, schema, strict=True)
            ]
            narrow = pa.RecordBatch.from_arrays(columns, names=schema.names)
            yield widen_batch(narrow, pa.schema(wider))


def _changes_in_csv(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether a column's values stand otherwise in a file under its new type: true as 1, 2 as 2.0, text as hexadecimal."""
    differs = type_of.is_boolean(old) or type_of.is_floating(old) or texts.is_bytes(new)
    return nested_texts.changes(old, new) or bool(old != new and differs)


def _reads_csv(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (*_CSV_AS_IS, type_of.is_decimal128))


def _read_csv(path: Path, begin: int, types: list[pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file of ours, whose header ends at `begin`, by the columns' places."""
    names = [str(position) for position in range(len(types))]
    with path.open("rb") as file:
        file.seek(begin)
        reader = pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(column_names=names),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict(zip(names, types, strict=True)),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        yield from reader


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
