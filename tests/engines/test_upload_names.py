"""Names of columns in uploads: written as they are, or refused by name."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


def upload(engine, table: pa.Table, name: str = "named") -> None:
    engine.client.upload(control.UploadRequest(session="", connection=engine.name, table=name), table)


@pytest.mark.parametrize("names", [("a", "A"), ("",), ("a\0b",)], ids=["twins", "empty", "NUL"])
def test_names_that_duckdb_would_change_are_refused(duckdb_engine, names):
    with pytest.raises(errors.UsageError, match="DuckDB takes no") as caught:
        upload(duckdb_engine, pa.table([pa.array([1])] * len(names), names=list(names)))
    assert repr(names[-1]) in caught.value.message


def test_a_frame_without_columns_is_refused_in_words(engine):
    with pytest.raises(errors.UsageError, match="A table needs a column, and the data has none"):
        upload(engine, pa.table({}))
