"""Excel workbooks by openpyxl.

Text stays text, also when it looks like a formula. A number of Excel's is a double that it shows with 15 digits: other numbers
of more digits, and times that its calendar does not reach or whose zone it would drop, are written as text, so no digit is
lost, and a note tells how many. Doubles are written with all their digits; openpyxl by itself writes 16.
"""

from __future__ import annotations

import datetime
import importlib.util
import math
import re
from collections import Counter
from collections.abc import Callable
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

SMALLEST = 2.2250738585072014e-308
"""Doubles below it are 0 to Excel."""

type_of = pa.types

_NO_TYPE: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (type_of.is_timestamp, "as Excel has no time zones"),
    (type_of.is_duration, "as Excel has times of day, but no durations"),
    (type_of.is_interval, "as Excel has no intervals"),
)
"""Types other than text that a cell has not, and why."""


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
        self._as_text: Counter[tuple[str, str]] = Counter()
        """How many values of a column became text, and why."""
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
        """Write the workbook, and tell what became text."""
        self._book.save(self._file)
        self.notes.extend(
            f"Column {column!r}: {count:,} {'value is' if count == 1 else 'values are'} text in the sheet, {why}."
            for (column, why), count in self._as_text.items()
        )

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
        why = next((why for test, why in _NO_TYPE if test(kind)), None)
        return lambda column: [self._in_words(text, field.name, why) for text in texts.to_text(column).to_pylist()]

    def _double(self, value: float | None, column: str) -> Any:  # noqa: ANN401 - a number or a cell
        if value is None:
            return None
        if not math.isfinite(value):
            word = "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
            return self._in_words(word, column, "as Excel has no such number")
        if 0 < abs(value) < SMALLEST:
            return self._in_words(repr(value), column, "as Excel would make 0 of so small a number")
        return value if float(f"{value:.16g}") == value else self._cell(repr(value), "n")

    def _number(self, text: str | None, column: str) -> Any:  # noqa: ANN401 - a number or a cell
        if text is None:
            return None
        if len(text.lstrip("-").replace(".", "").strip("0")) > DIGITS:
            return self._in_words(text, column, f"as Excel keeps {DIGITS} digits of a number")
        return float(text) if "." in text else int(text)

    def _times(self, column: pa.Array, name: str) -> list[Any]:
        return [None if text is None else self._time(text, name) for text in texts.to_text(column).to_pylist()]

    def _time(self, text: str, column: str) -> Any:  # noqa: ANN401 - a time or a cell
        moment = _moment(text)
        if moment is None:
            return self._in_words(text, column, "as Excel has times from March 1900 to 9999, to the millisecond")
        if "." not in text:
            return moment
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet, value=moment)
        cell.number_format = "hh:mm:ss.000" if isinstance(moment, datetime.time) else "yyyy-mm-dd hh:mm:ss.000"
        return cell

    def _in_words(self, text: str | None, column: str, why: str | None) -> Any:  # noqa: ANN401 - a cell
        """Return a value as text, and remember to tell it where it is another type's."""
        if text is not None and why is not None:
            self._as_text[column, why] += 1
        return self._text(text, column)

    def _cell(self, value: str, kind: str) -> Any:  # noqa: ANN401 - a cell
        """Return a cell with a value as it is to stand in the file."""
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet, value=None)
        cell._value, cell.data_type = value, kind  # `value=` would make a formula of =1+1
        return cell

    def _text(self, text: str | None, column: str) -> Any:  # noqa: ANN401 - a cell
        if text is None:
            return None
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2  # Excel counts as UTF-16 does
        if length > MOST_CHARACTERS:
            raise UsageError(
                f"A text of {length:,} characters in {column!r} does not fit into an Excel cell ({MOST_CHARACTERS:,}).",
                hint="Cut it with substr(), or export CSV or Parquet.",
            )
        return self._cell(_escaped(text), "s")


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
