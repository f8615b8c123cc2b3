"""Grids of results, as the magic makes them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tusk_jupyter.client import frames
from tusk_magics.grid_display import nan_is_null
from tusk_widgets.export import Facts
from tusk_widgets.grid_data import GridData, frame_of
from tusk_widgets.grid_requests import GridRequests

FACTS = Facts(connection="lake", dialect="duckdb")


def grid_of(table: pa.Table, kind: str = "arrow") -> tuple[Any, GridData]:
    """The frame and its rows; without the frame the rows go."""
    nulls = nan_is_null(table)
    value: Any = table
    if kind == "pandas":
        value = frames.to_pandas(table)
    elif kind == "polars":
        value = frames.to_polars(table)
    return value, GridData(value, frame_of(value, table.schema, nulls))


class Asking:
    """The browser's side."""

    def __init__(self, table: pa.Table, kind: str = "arrow", facts: Facts = FACTS) -> None:
        self.value, self.data = grid_of(table, kind)
        self.requests = GridRequests(self.data, facts)

    def ask(self, ask: str, **fields: Any) -> dict[str, Any]:
        answer, buffers = self.requests.answer({"ask": ask, **fields})
        return {**answer, "buffers": buffers}

    def rows(self, sort: tuple[Any, ...] = (), filters: tuple[Any, ...] = ()) -> list[list[str | None]]:
        """All rows of a view, as the texts that are drawn."""
        view = {
            "sort": [{"column": column, "descending": descending} for column, descending in sort],
            "filters": [{"column": column, "op": op, "values": list(values)} for column, op, *values in filters],
        }
        answer = self.ask("window", start=0, stop=1000, first=0, last=200, view=view)
        assert "error" not in answer, answer
        columns = [column.to_pylist() for column in pa.ipc.open_stream(answer["buffers"][0]).read_all().columns]
        return [list(row) for row in zip(*columns, strict=True)]
