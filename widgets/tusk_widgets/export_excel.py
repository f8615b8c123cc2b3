"""Excel workbooks by openpyxl.

Text stays text, also when it looks like a formula. Excel computes with 15 digits: numbers that need more, and times
that its calendar does not reach or whose zone it would drop, are written as text, so no digit is lost.
"""

from __future__ import annotations

import datetime
import importlib.util
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa

from tusk_jupyter.client import texts
from tusk_jupyter.errors import UsageError
from tusk_widgets.export_text import TextWriter

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767
DIGITS = 15
FIRST_DAY = datetime.datetime(1900, 3, 1)  # Excel believes in a 29 February 1900

type_of = pa.types


class ExcelWriter(TextWriter):
    """One sheet, whose first row has the names."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """Begin a workbook.

        Raises:
            UsageError: openpyxl is not installed, or there are too many columns.
        """
        super().__init__(file, schema)
        if importlib.util.find_spec("openpyxl") is None:
            raise UsageError(
                "Excel files need openpyxl, which is not installed here.",
                hint="Install it with `pip install 'tusk-jupyter[excel]'`, or export CSV.",
            )
        if len(schema) > MOST_COLUMNS:
            raise UsageError(f"An Excel sheet has {MOST_COLUMNS:,} columns, the result {len(schema):,}.")
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("Result")
        self._sheet.freeze_panes = "A2"
        self._rows = 1
        self._cells = [self._cell_maker(field) for field in schema]
        self._sheet.append([self._text(name, "the names") for name in schema.names])

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows.

        Raises:
            UsageError: the sheet is full, or a text is too long for a cell.
        """
        self._rows += batch.num_rows
        if self._rows > MOST_ROWS:
            raise UsageError(
                f"An Excel sheet has {MOST_ROWS:,} rows; the result with its heading has more.",
                hint="Filter the result, or export CSV or Parquet.",
            )
        columns = [make(column) for make, column in zip(self._cells, batch.columns, strict=True)]
        for row in zip(*columns, strict=True):
            self._sheet.append(row)

    def close(self) -> None:
        """Write the workbook."""
        self._book.save(self._file)

    def discard(self) -> None:
        """Let the sheet's temporary file go."""
        self._sheet.close()

    def _cell_maker(self, field: pa.Field) -> Callable[[pa.Array], list[Any]]:
        kind = field.type
        if type_of.is_boolean(kind):
            return lambda column: column.to_pylist()
        if type_of.is_floating(kind):
            return lambda column: [self._double(value, field.name) for value in column.to_pylist()]
        if type_of.is_integer(kind) or type_of.is_decimal(kind):
            return lambda column: [self._number(text, field.name) for text in texts.to_text(column).to_pylist()]
        if (type_of.is_timestamp(kind) and kind.tz is None) or type_of.is_date(kind) or type_of.is_time(kind):
            return lambda column: self._times(column, field.name)
        return lambda column: [self._text(text, field.name) for text in texts.to_text(column).to_pylist()]

    def _double(self, value: float | None, column: str) -> Any:  # noqa: ANN401 - a number or a cell
        if value is None or math.isfinite(value):
            return value
        return self._text("NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity", column)

    def _number(self, text: str | None, column: str) -> Any:  # noqa: ANN401 - a number or a cell
        if text is None:
            return None
        number = Decimal(text)
        if len(number.normalize().as_tuple().digits) > DIGITS:
            return self._text(text, column)
        return int(number) if number == number.to_integral_value() else float(number)

    def _times(self, column: pa.Array, name: str) -> list[Any]:
        words = texts.to_text(column).to_pylist()
        return [None if text is None else _moment(text) or self._text(text, name) for text in words]

    def _text(self, text: str | None, column: str) -> Any:  # noqa: ANN401 - a cell
        if text is None:
            return None
        if len(text) > MOST_CHARACTERS:
            raise UsageError(
                f"A text of {len(text):,} characters in {column!r} does not fit into an Excel cell ({MOST_CHARACTERS:,}).",
                hint="Cut it with substr(), or export CSV or Parquet.",
            )
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet, value=None)
        cell._value, cell.data_type = _escaped(text), "s"  # `value=` would make a formula of =1+1
        return cell


def _escaped(text: str) -> str:
    """Write control characters as Office does, and its own way of writing them so that it stays what it is."""
    text = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]", lambda match: f"_x{ord(match[0]):04X}_", text)


def _moment(text: str) -> Any:  # noqa: ANN401 - a date, a time, a datetime or None
    """Return what Excel can hold of a time exactly (milliseconds, from 1900 on), else None."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = datetime.date.fromisoformat(text)
            return day if day >= FIRST_DAY.date() else None
        if re.fullmatch(r"\d\d:\d\d:\d\d(\.\d{1,3})?", text):
            return datetime.time.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?", text):
            moment = datetime.datetime.fromisoformat(text)
            return moment if moment >= FIRST_DAY else None
    except ValueError:
        return None
    return None
