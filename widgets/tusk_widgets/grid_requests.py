"""What the browser may ask of a grid, and the answers; no widget is needed to ask.

A window of rows travels as an Arrow IPC stream of texts: the kernel, which has the exact values, writes them as people
read them, so a decimal of 38 digits and an integer beyond 2^53 arrive as they are, and the browser only draws. NULL is
Arrow's NULL and no text. Long texts are cut in a window and whole where a single cell is asked for or copied.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.errors import TuskError, UsageError
from tusk_jupyter.system import typed_json
from tusk_jupyter.system.working_folder import absolute
from tusk_widgets.export import FORMATS, Export, ExportDone, Facts, download, save
from tusk_widgets.grid_data import GridData, texts_of
from tusk_widgets.grid_filter import Filter
from tusk_widgets.grid_statistics import statistics
from tusk_widgets.grid_types import kind_of, name_of
from tusk_widgets.grid_view import View, Views

WINDOW_ROWS = 1000
WINDOW_COLUMNS = 200
CELL_CHARACTERS = 300
"""Of a cell in a window; with more it is cut, and whole on demand."""
WHOLE_CHARACTERS = 1_000_000
COPY_CELLS = 200_000

Answer = tuple[dict[str, Any], list[bytes]]


class Window(msgspec.Struct, frozen=True, tag="window", tag_field="ask"):
    """Rows `start` to before `stop` of a view, of the columns `first` to before `last`."""

    start: int
    stop: int
    first: int
    last: int
    view: View = View()
    chosen: bool = False
    """Whether somebody has just sorted or filtered so."""


class Cell(msgspec.Struct, frozen=True, tag="cell", tag_field="ask"):
    """One value, whole."""

    row: int
    column: int
    view: View = View()


class Copy(msgspec.Struct, frozen=True, tag="copy", tag_field="ask"):
    """A rectangle as tab-separated text."""

    start: int
    stop: int
    first: int
    last: int
    header: bool = False
    view: View = View()


class Describe(msgspec.Struct, frozen=True, tag="statistics", tag_field="ask"):
    """Statistics of a column, over the rows that fulfil the conditions."""

    column: int
    filters: tuple[Filter, ...] = ()


class SaveAs(msgspec.Struct, frozen=True, tag="export", tag_field="ask"):
    """The whole view as a file beside the notebook or for the browser."""

    export: Export
    download: bool = False
    view: View = View()


class Piece(msgspec.Struct, frozen=True, tag="piece", tag_field="ask"):
    """A part of a download."""

    offset: int


Request = Window | Cell | Copy | Describe | SaveAs | Piece


class GridRequests:
    """Answers for one grid."""

    def __init__(self, data: GridData, facts: Facts) -> None:
        """Answer from a result.

        Args:
            data: the result.
            facts: what an export must know beyond the rows.
        """
        self._data = data
        self._facts = facts
        self._views = Views(data)
        self._ready: ExportDone | None = None
        self.chosen = View()
        """How somebody has last sorted and filtered it."""
        self._lock = threading.Lock()  # messages may come on a thread of their own while a cell runs
        self._answers: dict[type, Callable[[Any], Answer]] = {
            Window: self._window,
            Cell: self._cell,
            Copy: self._copy,
            Describe: self._describe,
            SaveAs: self._save,
            Piece: self._piece,
        }

    def answer(self, content: object) -> Answer:
        """Answer a request; an error is an answer too."""
        with self._lock:
            try:
                request: Request = typed_json.convert(Request, content)
                return self._answers[type(request)](request)
            except TuskError as exc:
                if self._data.is_gone:
                    self._views.forget()
                return {"error": exc.message, "hint": exc.hint, "gone": self._data.is_gone}, []
            except msgspec.ValidationError as exc:
                return {"error": f"The grid asked for what the kernel does not know: {exc}", "hint": None}, []
            except (pa.ArrowException, OSError, ValueError) as exc:
                return {"error": f"{type(exc).__name__}: {exc}", "hint": None}, []

    def preview(self, rows: int, columns: int) -> bytes:
        """Return the first rows of the first columns, as a window has them."""
        return self._stream(slice(0, min(rows, self._data.rows)), 0, min(columns, len(self._data.schema)))

    def _window(self, asked: Window) -> Answer:
        rows, count = self._rows(asked.view, asked.start, min(asked.stop, asked.start + WINDOW_ROWS))
        first, last = self._span(asked.first, min(asked.last, asked.first + WINDOW_COLUMNS))
        if asked.chosen:
            self.chosen = asked.view
        return {"rows": count}, [self._stream(rows, first, last)]

    def _stream(self, rows: slice | pa.Array, first: int, last: int) -> bytes:
        positions = range(first, last)
        columns = [_cut(column) for column in self._short(positions, rows)]
        batch = pa.RecordBatch.from_arrays(columns, names=[str(position) for position in positions])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return bytes(sink.getvalue())

    def _short(self, positions: range, rows: slice | pa.Array) -> list[pa.Array]:
        """Return texts; of large bytes only the beginning is made text."""
        made = []
        for position in positions:
            if kind_of(self._data.schema.field(position).type) == "binary":
                column = self._data.column(position, rows)
                head = [pc.binary_slice(chunk, 0, CELL_CHARACTERS) for chunk in column.chunks]
                texts = texts_of(pa.chunked_array(head, column.type))
            else:
                texts = self._data.shown([position], rows)[0]
            made.append(texts)
        return made

    def _cell(self, asked: Cell) -> Answer:
        rows, _ = self._rows(asked.view, asked.row, asked.row + 1)
        first, last = self._span(asked.column, asked.column + 1)
        found = self._data.shown(range(first, last), rows)[0].to_pylist()
        if not found:
            raise UsageError(f"There is no row {asked.row + 1:,}.")
        text = found[0]
        field = self._data.schema.field(asked.column)
        cut = text is not None and len(text) > WHOLE_CHARACTERS
        return {
            "text": text[:WHOLE_CHARACTERS] if cut else text,
            "characters": 0 if text is None else len(text),
            "type": name_of(field.type),
        }, []

    def _copy(self, asked: Copy) -> Answer:
        first, last = self._span(asked.first, asked.last)
        cells = (asked.stop - asked.start) * (last - first)
        if cells > COPY_CELLS:
            raise UsageError(f"{cells:,} cells are too many to copy.", hint="Use Export, which takes all rows.")
        rows, _ = self._rows(asked.view, asked.start, asked.stop)
        columns = [[_tsv(text) for text in column.to_pylist()] for column in self._data.texts(range(first, last), rows)]
        lines = ["\t".join(line) for line in zip(*columns, strict=True)]
        if asked.header:
            lines.insert(0, "\t".join(_tsv(name) for name in self._data.schema.names[first:last]))
        return {"text": "\n".join(lines), "cells": cells}, []

    def _describe(self, asked: Describe) -> Answer:
        first, _ = self._span(asked.column, asked.column + 1)
        rows = self._views.rows(View(filters=asked.filters))
        return {"statistics": msgspec.to_builtins(statistics(self._data.column(first, rows)))}, []

    def _save(self, asked: SaveAs) -> Answer:
        rows = self._views.rows(asked.view)
        if not asked.download and not asked.export.overwrite and absolute(Path(asked.export.name)).is_file():
            return {"exists": asked.export.name}, []
        if not asked.download:
            done = save(self._data, rows, asked.export, self._facts)
            return {"path": str(done.path), "rows": done.rows, "bytes": done.size_bytes, "notes": list(done.notes)}, []
        self._ready = done = download(self._data, rows, asked.export, self._facts)
        mime = FORMATS[asked.export.format].mime
        return {
            "name": asked.export.name,
            "mime": mime,
            "rows": done.rows,
            "bytes": done.size_bytes,
            "notes": list(done.notes),
        }, []

    def _piece(self, asked: Piece) -> Answer:
        ready = self._ready
        if ready is None:
            raise UsageError("There is nothing to download any more.", hint="Export again.")
        piece = ready.piece(asked.offset)
        if asked.offset + len(piece) >= ready.size_bytes:
            self._ready = None  # which removes the file
        return {"offset": asked.offset}, [piece]

    def _rows(self, view: View, start: int, stop: int) -> tuple[slice | pa.Array, int]:
        """Return where rows of a view stand in the result, and how many the view has."""
        rows = self._views.rows(view)
        count = self._data.rows if rows is None else len(rows)
        start = max(0, min(start, count))
        stop = max(start, min(stop, count))
        return (slice(start, stop) if rows is None else rows.slice(start, stop - start)), count

    def _span(self, first: int, last: int) -> tuple[int, int]:
        count = len(self._data.schema)
        if not 0 <= first <= last or first > count:
            raise UsageError(f"The result has no columns {first + 1} to {last}.")
        return first, min(last, count)


def _cut(column: pa.Array) -> pa.Array:
    """Leave a character more than is drawn, which says that there is more."""
    return pc.utf8_slice_codeunits(column, 0, CELL_CHARACTERS + 1)


def _tsv(text: str | None) -> str:
    """Quote as spreadsheets do where a tab, a line end or a quote would be read as something else."""
    if text is None:
        return ""
    quoted = any(mark in text for mark in '\t\n\r"')
    return '"' + text.replace('"', '""') + '"' if quoted else text
