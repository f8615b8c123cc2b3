"""Arrow tables as pandas and polars frames, with the values that the database had: the rules are TYPES.md's.

pandas' own `to_pandas` turns integers with NULL into floats, decimals and dates into Python objects (1.2 s a million
rows), and merges NULL with NaN; so each column goes its own way here. Every column gets memory of its own: a Flight
batch is one block, and one column that points into it would keep all the others alive.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from tusk_jupyter.client.columns import Column

GIVE_BACK_BYTES = 1024 * 1024
"""Columns of that size are worth telling the allocators about."""


def to_pandas(
    table: pa.Table, *, decimal: Literal["exact", "float"] = "exact", types: list[Any] | None = None
) -> pd.DataFrame:
    """Return a table as a DataFrame; column names stay as they are, also twice and empty ones.

    Hand the table over: with no other reference to it, its memory is given back when the last column is done.

    Args:
        table: what the database sent.
        decimal: "exact" keeps DECIMAL as it is, "float" makes float64 of it.
        types: takes the dtype of each column; the frame itself would need a Series for that, 0.1 ms.
    """
    import pandas as pd

    from tusk_jupyter.client import columns
    from tusk_jupyter.client.doubles import are_decimals
    from tusk_jupyter.client.gather import give_back

    names, rows = table.column_names, table.num_rows
    rounded = are_decimals(table.schema) if decimal == "float" else [False] * len(names)
    parts: list[Any] = table.columns
    del table
    made: dict[int, Column] = {}  # by number: a name may be there twice
    for position in range(len(parts)):
        column, parts[position] = parts[position], None
        made[position] = columns.to_pandas(column, decimal="float" if rounded[position] else "exact")
        large = column.get_total_buffer_size() >= GIVE_BACK_BYTES  # `nbytes` looks into each buffer: 0.05 ms when cold
        del column
        if large:
            give_back()
    if types is not None:
        types += [column.dtype for column in made.values()]
    frame = pd.DataFrame(made, index=pd.RangeIndex(rows), copy=False)
    frame.columns = _index(tuple(names)).view()  # of its own, as a user may give it a name
    return frame


@functools.lru_cache(maxsize=64)
def _index(names: tuple[str, ...]) -> pd.Index:
    """Return the index of column names; making one takes pandas 0.1 ms, and the same query comes again and again."""
    import pandas as pd

    return pd.Index(names, dtype=None if names else object)


def to_polars(table: pa.Table, *, notes: list[str] | None = None) -> pl.DataFrame:
    """Return a table as a polars DataFrame.

    Args:
        table: what the database sent.
        notes: takes what the reader must know, as that a column was renamed because polars wants each name once.
    """
    import polars as pl

    from tusk_jupyter.client import polars_types

    ready = polars_types.fitted(table, notes if notes is not None else [])
    frame = pl.from_arrow(ready)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"polars made a {type(frame).__name__} of a table.")
    frame.columns = ready.column_names  # polars calls a column without a name column_N by itself
    return frame
