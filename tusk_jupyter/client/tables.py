"""Arrow tables and data frames of any kind: results on their way out, and what a database is given on its way in."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any, cast

from tusk_jupyter.client import memory
from tusk_jupyter.client.interrupts import Task
from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


ARRIVAL_LOOK_S = 0.02
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
    if kind != "arrow" and kind not in sys.modules and kind not in _on_the_way:
        _on_the_way[kind] = Task(lambda: importlib.import_module(kind))


_on_the_way: dict[str, Task[Any]] = {}


def _arrived(kind: str) -> None:
    """Wait until the library of a kind is imported, where Ctrl-C can break the wait off: an import cannot be."""
    task = _on_the_way.get(kind)
    while task is not None and not task.ended:  # what went wrong is raised again by the import that asks for it
        task.wait(ARRIVAL_LOOK_S)  # several threads may wait for it


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
    if tables[0] is None:
        return tables.pop()
    _arrived(kind)
    with memory.guarded("The frame of the result could not be made"):
        return _frame(tables, kind, decimal=decimal, notes=notes, types=types)


def _frame(
    tables: list[pa.Table | None], kind: str, *, decimal: str, notes: list[str] | None, types: list[Any] | None
) -> Any:  # noqa: ANN401 - as `kind` says
    from tusk_jupyter.client import frames

    assert tables[0] is not None  # noqa: S101 - asked before
    if kind == "pandas":
        return frames.to_pandas(tables.pop(), decimal="float" if decimal == "float" else "exact", types=types)
    if decimal == "float":
        tables[0] = _with_floats(tables[0])
    return tables.pop() if kind == "arrow" else frames.to_polars(tables.pop(), notes=notes)


def _with_floats(table: pa.Table) -> pa.Table:
    """Return `table` with float64 for its DECIMAL columns."""
    import pyarrow as pa

    from tusk_jupyter.client.doubles import are_decimals, nearest

    for place, (column, is_decimal) in enumerate(zip(table.schema, are_decimals(table.schema), strict=True)):
        if is_decimal:
            table = table.set_column(place, column.with_type(pa.float64()), nearest(table.column(place)))
    return table


def to_arrow(frame: object, *, name: str = "the data") -> pa.Table:
    """Return `frame` as an Arrow table, which takes as much memory as itself while it is sent.

    A pandas index becomes columns, except for numbers of rows. `index_notes` says what became of it.

    Args:
        frame: a pandas or polars DataFrame, an Arrow table, or anything that hands out an Arrow stream.
        name: what to call it in errors.

    Raises:
        UsageError: it is no table, or a column has no one type.
        ResultTooLarge: there is no memory for it.
    """
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    memory.see_that(_size_of(frame), f"{name} cannot be sent")
    with memory.guarded(f"{name} cannot be sent", hint=memory.SEND_LESS):
        return _converted(frame, name)


def index_notes(frame: object, *, only_lost: bool = False) -> list[str]:
    """Return what becomes of a pandas index in `to_arrow`, where it holds more than the rows' numbers.

    Args:
        frame: what is sent.
        only_lost: nothing of an index that becomes columns.
    """
    if not _is_pandas(frame):
        return []
    index = cast("pd.DataFrame", frame).index
    names = _index_columns(index)
    if names and only_lost:
        return []
    if names:
        columns = ", ".join(map(repr, names))
        return [
            f"The frame's index became the column {columns}; `df.reset_index(drop=True)` leaves it out."
            if len(names) == 1
            else f"The frame's index became the columns {columns}; `df.reset_index(drop=True)` leaves them out."
        ]
    if _counts_rows(index):
        return []
    return ["The frame's index has no name and was left out; `df.rename_axis('NAME')` makes a column of it."]


def _counts_rows(index: pd.Index) -> bool:
    """Return whether an index is what a frame has on its own: 0, 1, 2 and so on."""
    return type(index).__name__ == "RangeIndex" and index.name is None and (index.start, index.step) == (0, 1)  # type: ignore[attr-defined]


def _index_columns(index: pd.Index) -> list[str]:
    """Return the columns that an index becomes, named as `reset_index` names them; none for an unnamed one of row numbers."""
    if index.nlevels == 1:
        unnamed = index.name is None and index.dtype.kind in "iu"
        return [] if unnamed else ["index" if index.name is None else str(index.name)]
    return [f"level_{place}" if level is None else str(level) for place, level in enumerate(index.names)]


def _level(index: pd.Index, place: int) -> pd.Series:
    """Return one level's values; its integers stay integers beside a missing key, where pandas makes floats of them."""
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        keys = index.levels[place]
        if keys.dtype.kind in "iu":
            return pd.Series(pd.array(keys.to_numpy()).take(index.codes[place], allow_fill=True))
    return index.get_level_values(place).to_series()


def _size_of(frame: object) -> int:
    """Return about how many bytes a pandas or polars frame has, or 0 where that is not known."""
    if _is_pandas(frame):
        return int(cast("pd.DataFrame", frame).memory_usage(index=True).sum())
    estimate = getattr(frame, "estimated_size", None)
    return int(estimate()) if estimate is not None else 0


def _converted(frame: object, name: str) -> pa.Table:
    import pyarrow as pa

    from tusk_jupyter.client import frame_columns

    if _is_pandas(frame):
        return _from_pandas(cast("pd.DataFrame", frame), name)
    problem = None
    if _is_frame_of("polars", frame):
        return frame_columns.of_polars(cast("Any", frame), name)
    if hasattr(frame, "__arrow_c_stream__"):
        try:
            return pa.table(frame)
        except pa.ArrowInvalid as exc:  # a stream of single values, as a Series gives it
            problem = exc
    raise UsageError(
        f"{name} is a {type(frame).__name__}, not a table.",
        hint="Give a pandas or polars DataFrame or an Arrow table; a Series becomes one with `.to_frame()`.",
    ) from problem


def _is_pandas(frame: object) -> bool:
    return _is_frame_of("pandas", frame)


def _is_frame_of(library: str, frame: object) -> bool:
    """Return whether it is a library's DataFrame, or of a class made from it, as geopandas' are; imports nothing."""
    kind = getattr(sys.modules.get(library), "DataFrame", None)
    return kind is not None and isinstance(frame, kind)


def _from_pandas(frame: pd.DataFrame, name: str) -> pa.Table:
    import pyarrow as pa

    from tusk_jupyter.client.frame_columns import Column, IndexLevel, of_pandas

    levels = _index_columns(frame.index)
    columns = [*levels, *map(str, frame.columns)]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UsageError(
            f"{name} has two columns called {twice!r}; a database table cannot.", hint="Rename one of them first."
        )
    try:
        found = [of_pandas(_level(frame.index, at), IndexLevel(name, level)) for at, level in enumerate(levels)]
        found += [of_pandas(values, Column(name, str(label))) for label, values in frame.items()]
        return pa.table(found, names=columns)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as exc:
        from tusk_jupyter.sqltext.quoted_values import hide_every_value
        from tusk_jupyter.sqltext.secret_names import is_secret_parameter

        said = " ".join(str(part) for part in exc.args)
        hides = any(map(is_secret_parameter, columns))
        said = hide_every_value(said, columns) if hides else said
        raise UsageError(
            f"{name} has a column whose values have no one type: {said}.",
            hint="Give the column one type first, as `df['x'] = df['x'].astype('string')`.",
        ) from (None if hides else exc)
