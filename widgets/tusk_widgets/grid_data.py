"""The rows of a result, as Arrow, column by column and only where somebody looks.

The grid keeps no second copy of a result: it would be as large as the frame itself. It keeps a *view* of the frame:
pandas' shallow copy under copy-on-write, a clone of polars, Arrow's own columns, so the values are the frame's memory.
A frame that is changed in place afterwards gets new memory for the columns that change (pandas 3, polars), and the grid
goes on showing what came; under pandas 2 without copy-on-write, changes in place show. The view goes when the frame
goes, so `del df` gives the memory back, and the grid then says that the result is gone.

Whole columns become Arrow for a sort, a filter or statistics and go again after it; numbers, times and texts are not
even copied for that.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from tusk_jupyter.client import texts
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.stream import TYPES_KEY
from tusk_widgets.grid_types import normal, normal_type

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

BATCH_ROWS = 32_768
"""Rows that an export holds at a time."""


class Frame(Protocol):
    """One kind of frame."""

    schema: pa.Schema

    @property
    def rows(self) -> int:
        """How many there are."""

    def column(self, position: int, rows: slice | pa.Array) -> pa.ChunkedArray | pa.Array:
        """Return rows of a column, by range or by their numbers."""


class GridData:
    """The result that a grid shows."""

    def __init__(self, value: object, frame: Frame) -> None:
        """Look at a frame.

        Args:
            value: the frame itself, which is not kept alive.
            frame: a view of it.
        """
        fields = [pa.field(field.name, normal_type(field.type), metadata=None) for field in frame.schema]
        types = (frame.schema.metadata or {}).get(TYPES_KEY)
        self.schema = pa.schema(fields, metadata={TYPES_KEY: types} if types else None)
        self.rows = frame.rows
        self._frame: Frame | None = frame
        weakref.finalize(value, self.let_go).atexit = False

    @property
    def is_gone(self) -> bool:
        """Whether the frame was freed."""
        return self._frame is None

    def let_go(self) -> None:
        """Forget the rows."""
        self._frame = None

    def column(self, position: int, rows: slice | pa.Array | None = None) -> pa.ChunkedArray:
        """Return a column, or some rows of it, under `schema`'s type.

        Raises:
            UsageError: the result is gone.
        """
        frame = self._frame
        if frame is None:
            raise UsageError(
                "The result is gone: its variable was deleted or overwritten.", hint="Run the cell again to see it."
            )
        column = normal(frame.column(position, slice(0, self.rows) if rows is None else rows))
        column = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
        kind = self.schema.field(position).type
        return column if column.type == kind else column.cast(kind)

    def batches(self, rows: pa.Array | None) -> Iterator[pa.RecordBatch]:
        """Yield all rows, or those of the numbers given, in pieces.

        Raises:
            UsageError: the result is gone.
        """
        count = self.rows if rows is None else len(rows)
        for start in range(0, count, BATCH_ROWS):
            stop = min(start + BATCH_ROWS, count)
            part = slice(start, stop) if rows is None else rows.slice(start, stop - start)
            columns = [self.column(position, part).combine_chunks() for position in range(len(self.schema))]
            yield pa.RecordBatch.from_arrays([_one(column) for column in columns], schema=self.schema)

    def texts(self, positions: Sequence[int], rows: slice | pa.Array) -> list[pa.Array]:
        """Return columns as the texts that people read."""
        return [texts_of(self.column(position, rows)) for position in positions]

    def shown(self, positions: Sequence[int], rows: slice | pa.Array) -> list[pa.Array]:
        """Return the same, with intervals in words instead of ISO 8601."""
        columns = self.texts(positions, rows)
        for place, position in enumerate(positions):
            if pa.types.is_interval(self.schema.field(position).type):
                words = map(texts.interval_words, self.column(position, rows).to_pylist())
                columns[place] = pa.array(words, pa.string())
        return columns


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def texts_of(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as the texts that people read, in one piece."""
    parts = [texts.to_text(chunk).cast(pa.string()) for chunk in column.chunks]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


class ArrowFrame:
    """An Arrow table; `slice` makes an object of its own, so the table itself can go."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.slice(0)
        self.schema = table.schema
        self.rows = table.num_rows

    def column(self, position: int, rows: slice | pa.Array) -> pa.ChunkedArray:
        """Return rows of a column."""
        column = self._table.column(position)
        return column[rows.start : rows.stop] if isinstance(rows, slice) else column.take(rows)


class PolarsFrame:
    """A polars frame, which hands out Arrow without copying; texts are copied."""

    def __init__(self, frame: pl.DataFrame, result: pa.Schema | None = None) -> None:
        self._frame = frame.clone()
        self.schema = frame.head(0).to_arrow().schema.with_metadata(result.metadata if result is not None else None)
        self.rows = frame.height

    def column(self, position: int, rows: slice | pa.Array) -> pa.Array:
        """Return rows of a column."""
        series = self._frame.to_series(position)
        taken = series[rows.start : rows.stop] if isinstance(rows, slice) else series.gather(rows.to_numpy())
        return taken.to_arrow()


class PandasFrame:
    """A pandas frame that `to_pandas` made; the schema of the result says what its columns mean."""

    def __init__(self, frame: pd.DataFrame, schema: pa.Schema, nan_is_null: frozenset[int]) -> None:
        """Look at a frame.

        Args:
            frame: the frame.
            schema: of the Arrow table that it was made of; decimals that became floats are float64 in it.
            nan_is_null: places of float columns whose NaN stand for NULL.
        """
        self._frame = frame.copy(deep=False)
        self.schema = schema
        self.rows = len(frame)
        self._nan_is_null = nan_is_null

    def column(self, position: int, rows: slice | pa.Array) -> pa.ChunkedArray | pa.Array:
        """Return rows of a column."""
        import pandas as pd

        whole = self._frame.iloc[:, position]
        taken = whole.iloc[rows] if isinstance(rows, slice) else whole.take(rows.to_numpy())
        kind = self.schema.field(position).type
        if isinstance(kind, pa.BaseExtensionType):
            kind = normal_type(kind)
        if pa.types.is_timestamp(kind) and kind.tz is not None and isinstance(taken.dtype, pd.DatetimeTZDtype):
            # The numbers themselves: Arrow would ask pandas for a Python object each, 8 s a million.
            instants = taken.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return pa.array(instants).cast(kind)
        values: Any = taken.array
        if hasattr(values, "__arrow_array__"):
            return pa.array(values)
        if taken.dtype == object:
            return pa.array(list(taken), kind)
        return pa.array(taken.to_numpy(), from_pandas=taken.dtype.kind != "f" or position in self._nan_is_null)


def frame_of(value: object, schema: pa.Schema, nan_is_null: frozenset[int]) -> Frame:
    """Return the view of a frame: a table of Arrow, polars or pandas."""
    library = type(value).__module__.split(".")[0]
    given: Any = value
    if library == "pyarrow":
        return ArrowFrame(given)
    return PolarsFrame(given, schema) if library == "polars" else PandasFrame(given, schema, nan_is_null)
