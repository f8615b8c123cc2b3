"""A whole result as a file: beside the notebook, or in a temporary folder until the browser has fetched it.

Every format is a `Writer` as `--to` has them, fed with batches of rows, so an export needs no second copy of a result.
A file is written under a hidden name and put in its place at the end; one that is there is never harmed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import msgspec
import pyarrow as pa

from tusk_jupyter.client.file_formats import CsvWriter, ParquetWriter, Writer
from tusk_jupyter.client.files import FileSink
from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.working_folder import absolute

PIECE_BYTES = 2 * 1024 * 1024

FormatName = Literal["csv", "parquet", "excel", "json", "markdown", "insert"]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written.

    Attributes:
        format: one of `FORMATS`.
        name: of the file, without a folder.
        overwrite: whether a file of that name may be replaced.
        dialect: of INSERT statements; None: the connection's.
        table: that INSERT statements fill.
    """

    format: FormatName
    name: str
    overwrite: bool = False
    dialect: str | None = None
    table: str = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a result is beyond its rows.

    Attributes:
        connection: that it came from.
        environment: production, staging or development, or None.
        run: the run's id.
        dialect: of the connection.
        more: whether the limit cut it off.
        limit: of the run, or None.
    """

    connection: str
    environment: str | None = None
    run: str = ""
    dialect: str = ""
    more: bool = False
    limit: int | None = None


class Rows(Protocol):
    """Where an export gets its rows from; `GridData` is one."""

    schema: pa.Schema

    def batches(self, rows: pa.Array | None) -> Iterator[pa.RecordBatch]:
        """Yield all rows, or those of the numbers given, in pieces."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ExportDone:
    """A file that was written; a temporary one goes with this object."""

    path: Path
    rows: int
    size_bytes: int
    notes: tuple[str, ...] = ()

    def piece(self, offset: int) -> bytes:
        """Return a part of the file."""
        with self.path.open("rb") as file:
            file.seek(max(0, offset))
            return file.read(PIECE_BYTES)


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        label: as people call it.
        ending: of its files.
        mime: its type for a browser.
        writer: makes a `Writer`.
    """

    label: str
    ending: str
    mime: str
    writer: Callable[[BinaryIO, pa.Schema, Export, Facts], Writer]


def save(data: Rows, rows: pa.Array | None, export: Export, facts: Facts, *, folder: Path | None = None) -> ExportDone:
    """Write a file into the notebook's folder, which is the kernel's.

    Raises:
        UsageError: the name is none, is taken, or the format cannot hold the result.
        StorageError: it cannot be written.
    """
    name = Path(_checked(export.name))
    return _write(data, rows, export, facts, folder / name if folder else absolute(name))


def download(data: Rows, rows: pa.Array | None, export: Export, facts: Facts) -> ExportDone:
    """Write a temporary file for the browser.

    Raises:
        UsageError: the name is none, or the format cannot hold the result.
        StorageError: it cannot be written.
    """
    name = _checked(export.name)
    folder = Path(tempfile.mkdtemp(prefix="tusk-export-"))
    try:
        done = _write(data, rows, export, facts, folder / name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(done, shutil.rmtree, folder, ignore_errors=True)
    return done


def _write(data: Rows, rows: pa.Array | None, export: Export, facts: Facts, path: Path) -> ExportDone:
    form = FORMATS[export.format]

    def writer(file: BinaryIO, schema: pa.Schema) -> Writer:
        return form.writer(file, schema, export, facts)

    with FileSink(path, overwrite=export.overwrite, writer=writer) as sink:
        sink.open(data.schema)
        for batch in data.batches(rows):
            sink.write(batch)
        written = sink.commit()
    assert written is not None  # noqa: S101 - it was opened
    return ExportDone(path=written.path, rows=written.rows, size_bytes=written.size_bytes, notes=written.notes)


def _checked(name: str) -> str:
    if not name.strip() or name in (".", "..") or any(mark in name for mark in ("/", os.sep, os.altsep or "/", "\0")):
        raise UsageError(
            f"{name!r} is no name for a file.", hint="Write a name without a folder; it goes beside the notebook."
        )
    return name


def _csv(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    return CsvWriter(file, schema)


def _parquet(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    return ParquetWriter(file, schema)


def _json(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    from tusk_widgets.export_text import JsonWriter

    return JsonWriter(file, schema)


def _markdown(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    from tusk_widgets.export_text import MarkdownWriter

    return MarkdownWriter(file, schema)


def _excel(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    from tusk_widgets.export_excel import ExcelWriter

    return ExcelWriter(file, schema)


def _insert(file: BinaryIO, schema: pa.Schema, export: Export, facts: Facts) -> Writer:
    from tusk_widgets.export_insert import InsertWriter

    return InsertWriter(file, schema, dialect=export.dialect or facts.dialect, table=export.table)


FORMATS: dict[str, Format] = {
    "csv": Format("CSV", ".csv", "text/csv", _csv),
    "parquet": Format("Parquet", ".parquet", "application/vnd.apache.parquet", _parquet),
    "excel": Format("Excel", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _excel),
    "json": Format("JSON", ".json", "application/json", _json),
    "markdown": Format("Markdown", ".md", "text/markdown", _markdown),
    "insert": Format("INSERT statements", ".sql", "application/sql", _insert),
}
