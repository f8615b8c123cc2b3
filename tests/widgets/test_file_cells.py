"""What stands in each kind of file for each Arrow type is what TYPES.md says."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from file_cells import FORMS, KINDS, array_of, page_table

from tusk_jupyter.client import texts
from tusk_jupyter.client.file_formats import ArrowWriter, CsvWriter, ParquetWriter
from tusk_widgets.export_excel import ExcelWriter
from tusk_widgets.export_text import JsonWriter

WRITERS = {"csv": CsvWriter, "parquet": ParquetWriter, "arrow": ArrowWriter, "json": JsonWriter, "excel": ExcelWriter}
IN_JSON = {bool: "truth", int: "number", float: "number", str: "text", list: "list", dict: "object", type(None): "null"}


def of_csv(data: bytes, array: pa.Array) -> str:
    value = data.decode().partition("\n")[2].rpartition("\n")[0].rpartition("\n")[0]
    return "quoted" if value.startswith('"') else "bare"


def of_table(table: pa.Table, array: pa.Array) -> str:
    column = table.column(0).combine_chunks()
    assert texts.to_text(column).to_pylist() == texts.to_text(array).to_pylist()
    return "same" if column.type == array.type else "text"


def of_json(data: bytes, array: pa.Array) -> str:
    return IN_JSON[type(json.loads(data)[0]["v"])]


def of_excel(data: bytes, array: pa.Array) -> str:
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2))
    value: Any = rows[0][0].value if rows else None
    if isinstance(value, dt.date | dt.time):
        return "time"
    return "nothing" if value is None else IN_JSON[type(value)]


READERS = {
    "csv": of_csv,
    "parquet": lambda data, array: of_table(pa.parquet.read_table(io.BytesIO(data)), array),
    "arrow": lambda data, array: of_table(pa.ipc.open_file(io.BytesIO(data)).read_all(), array),
    "json": of_json,
    "excel": of_excel,
}


@pytest.mark.parametrize(("name", "kind", "value", "cells"), KINDS, ids=[kind[0] for kind in KINDS])
def test_each_type_stands_in_each_file_as_the_page_says(name, kind, value, cells):
    array, found = array_of(kind, value), []
    for form in FORMS:
        file = io.BytesIO()
        batch = pa.record_batch([array], names=["v"])
        writer = WRITERS[form](file, batch.schema)
        writer.write(batch)
        writer.close()
        assert all("'v'" in note for note in writer.notes)
        found.append(READERS[form](file.getvalue(), array) + " noted" * bool(writer.notes))
    assert ", ".join(found) == cells


def test_the_page_has_the_table_that_is_tested():
    page = (Path(__file__).parents[2] / "TYPES.md").read_text(encoding="utf-8")
    assert page_table() in page, "TYPES.md should have:\n" + page_table()
