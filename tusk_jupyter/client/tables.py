"""A data frame of any kind as an Arrow table, for writing into a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
