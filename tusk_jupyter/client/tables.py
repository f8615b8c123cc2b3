"""Arrow tables and data frames of any kind: results on their way out, and what a database is given on its way in."""

from __future__ import annotations

import importlib.util
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


FORMATS = ("pandas", "polars", "arrow")


def check_format(kind: str) -> None:
    """See that results of a kind can be made, before anything is run.

    Raises:
        UsageError: there is no such kind, or its library is not installed.
    """
    if kind not in FORMATS:
        raise UsageError(f"There is no format {kind!r}.", hint=f"Use one of {', '.join(FORMATS)}.")
    if kind == "polars" and importlib.util.find_spec("polars") is None:
        raise UsageError(
            "The format polars needs polars, which is not installed here.",
            hint="Install it with `pip install 'tusk-jupyter[polars]'`, or use the format arrow.",
        )


def prepare(kind: str) -> None:
    """Import what frames of a kind need on a thread of its own, while the database works: pandas takes 0.3 s."""
    library = {"pandas": "pandas", "polars": "polars"}.get(kind)
    if library is not None and library not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(library,), name=f"import-{library}", daemon=True).start()


def to_frame(
    tables: list[pa.Table | None],
    kind: str,
    *,
    decimal: str = "exact",
    notes: list[str] | None = None,
    types: list[Any] | None = None,
) -> Any:  # noqa: ANN401 - as `kind` says
    """Return the one table of `tables` as a frame, or None for none.

    The list is emptied, so that nothing else holds the table while the frame grows.

    Args:
        tables: one table, or None.
        kind: one of `FORMATS`.
        decimal: "exact", or "float" for float64 in the place of DECIMAL.
        notes: takes what the frame has otherwise than the database.
        types: takes the dtypes of a pandas frame.
    """
    from tusk_jupyter.client import frames

    if tables[0] is None:
        return tables.pop()
    if kind == "pandas":
        return frames.to_pandas(tables.pop(), decimal="float" if decimal == "float" else "exact", types=types)
    if decimal == "float":
        tables[0] = _with_floats(tables[0])
    return tables.pop() if kind == "arrow" else frames.to_polars(tables.pop(), notes=notes)


def _with_floats(table: pa.Table) -> pa.Table:
    """Return `table` with float64 for its DECIMAL columns."""
    import pyarrow as pa

    for place, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):
            table = table.set_column(place, column.with_type(pa.float64()), table.column(place).cast(pa.float64()))
    return table


def to_arrow(frame: object, *, name: str = "the data") -> pa.Table:
    """Return `frame` as an Arrow table.

    A named pandas index becomes columns; an unnamed one holds no data of its own and is left out.

    Args:
        frame: a pandas or polars DataFrame, an Arrow table, or anything that hands out an Arrow stream.
        name: what to call it in errors.

    Raises:
        UsageError: it is no table, or a column has no one type.
    """
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if type(frame).__module__.split(".")[0] == "pandas" and type(frame).__name__ == "DataFrame":
        return _from_pandas(cast("pd.DataFrame", frame), name)
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame)
    raise UsageError(
        f"{name} is a {type(frame).__name__}, not a table.",
        hint="Give a pandas or polars DataFrame or an Arrow table; a Series becomes one with `.to_frame()`.",
    )


def _from_pandas(frame: pd.DataFrame, name: str) -> pa.Table:
    import pyarrow as pa

    named = [level for level in frame.index.names if level is not None]
    columns = [str(column) for column in [*named, *frame.columns]]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UsageError(
            f"{name} has two columns called {twice!r}; a database table cannot.", hint="Rename one of them first."
        )
    data = frame.reset_index() if len(named) == frame.index.nlevels else frame
    try:
        return pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata(None)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as exc:
        raise UsageError(
            f"{name} has a column whose values have no one type: {' '.join(str(part) for part in exc.args)}.",
            hint="Give the column one type first, as `df['x'] = df['x'].astype(str)`.",
        ) from exc
