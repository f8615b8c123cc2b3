"""A result of `%sql` is shown as a grid, while the value of the cell stays a DataFrame.

Which frames are results is known by the object, through a weak reference: a marker in `df.attrs` would travel into every
frame that is derived from it. A result that got other columns, rows or types in place is shown as what it is now, by
its own library. Nothing is made or imported before somebody displays the frame, so a program that runs `%sql` for the
value pays a dictionary entry.
"""

from __future__ import annotations

import functools
import logging
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tusk_jupyter.system.whole_imports import whole_imports
from tusk_jupyter.visible import visible
from tusk_magics.config import TuskMagics
from tusk_magics.notebook import Notebook
from tusk_widgets import page

if TYPE_CHECKING:
    import pyarrow as pa
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_jupyter.client import RunResult
    from tusk_widgets.export import Facts
    from tusk_widgets.grid_data import GridData

Mode = Literal["grid", "table", "plain"]
Bundle = tuple[dict[str, Any], dict[str, Any]]
STATIC_ROWS = 20
"""Of the table; `tusk_widgets.grid_static.ROWS`, which a cell that shows nothing does not import."""

_TEXTS = ("EXPLAIN", "ANALYZE", "SHOW")
"""Begin the commands that may answer with a text; `tusk_widgets.plans` is imported for those alone."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a result beyond its rows."""

    value: weakref.ref[Any]
    run: RunResult
    limit: int | None
    nan_is_null: frozenset[int]
    shape: tuple[Any, ...]


_results: dict[int, Shown] = {}
_earlier: dict[type, Callable[[object], object] | None] = {}


def nan_is_null(table: pa.Table | None) -> frozenset[int]:
    """Return the places of columns whose NULLs a float column of pandas cannot tell from NaN."""
    if table is None:
        return frozenset()
    return frozenset(
        place
        for place, column in enumerate(table.columns)
        if column.null_count and str(column.type).startswith(("double", "float", "halffloat", "decimal"))
    )


def remember(
    shell: InteractiveShell,
    value: object,
    result: RunResult,
    *,
    limit: int | None,
    nulls: frozenset[int],
    types: Sequence[object],
) -> None:
    """Note that a frame is a run's result.

    Args:
        shell: where it may be displayed.
        value: the frame, or None.
        result: the run.
        limit: of the run.
        nulls: see `nan_is_null`.
        types: of the columns of a pandas frame.
    """
    if value is None or result.schema is None:
        return
    key = id(value)
    reference = weakref.ref(value, lambda _: _results.pop(key, None))
    _results[key] = Shown(reference, result, limit, nulls, _shape(value, types))
    formatter = _formatter(shell)
    if formatter is not None and type(value) not in _earlier:
        _earlier[type(value)] = formatter.for_type(type(value), functools.partial(_bundle, shell))


def forget(shell: InteractiveShell) -> None:
    """Leave the display of frames as it was."""
    formatter = _formatter(shell)
    for kind, earlier in _earlier.items():
        if formatter is not None and earlier is not None:
            formatter.for_type(kind, earlier)
        elif formatter is not None:
            formatter.pop(kind, None)
    _earlier.clear()
    _results.clear()


def mode(shell: InteractiveShell) -> Mode:
    """Return how results are shown here: what the settings say, as far as the frontend can."""
    notebook, wanted = Notebook(shell), TuskMagics.instance().display
    if wanted == "plain" or not notebook.is_kernel:
        return "plain"
    return "grid" if wanted == "grid" and notebook.is_watched and page.way() != "none" else "table"


def rows_shown(shell: InteractiveShell, rows: int) -> int | None:
    """Return how many of a result's rows are shown; None where the frame's own library decides, `rows` for a grid."""
    way = mode(shell)
    if way == "plain":
        return None
    return rows if way == "grid" else min(rows, STATIC_ROWS)


def _formatter(shell: InteractiveShell) -> Any:  # noqa: ANN401 - IPython's MimeBundleFormatter
    return getattr(shell.display_formatter, "mimebundle_formatter", None)


def _shape(value: object, types: Sequence[object] = ()) -> tuple[Any, ...]:
    """Return rows, names and types: a frame that differs in them is not the result any more."""
    frame: Any = value
    if hasattr(type(frame), "dtypes"):  # asked of the frame itself, it is made
        return (len(frame), frame.columns, types or frame.dtypes)
    return (frame.num_rows, frame.schema)


def _is_as_it_was(value: object, shape: tuple[Any, ...]) -> bool:
    """Return whether rows, names and types are those of a shape."""
    return all(
        list(a) == list(b) if hasattr(a, "__len__") else a == b for a, b in zip(_shape(value), shape, strict=True)
    )


def _bundle(shell: InteractiveShell, value: object) -> Bundle | None:
    """Return what to display in place of the frame's own HTML; None: nothing."""
    shown = _results.get(id(value))
    if shown is None or shown.value() is not value or not _is_as_it_was(value, shown.shape):
        return _by_others(value)
    metadata = {"tusk": _metadata(shown)}
    way = mode(shell)
    if is_plan(shown.run):
        return _plan(value, shown), metadata
    text = _own_text(shell, value)
    if way == "plain":
        return text, metadata
    try:
        return text | _drawn(value, shown, way), metadata
    except Exception:  # noqa: BLE001 - a display that fails must not hide the value, which its own library still shows
        _LOG.warning("The grid of a result could not be made.", exc_info=True)
        return text, metadata


def _own_text(shell: InteractiveShell, value: object) -> dict[str, Any]:
    """Return the text that IPython makes of a frame, in which no name or value steers the terminal that shows it.

    A formatter that the user has registered for frames is left alone: it may colour on purpose.
    """
    plain: Any = shell.display_formatter.formatters["text/plain"] if shell.display_formatter is not None else None
    if plain is None or type(value) in plain:
        return {}
    text = plain(value)
    return {"text/plain": visible(text)} if isinstance(text, str) else {}


def is_plan(run: RunResult) -> bool:
    """Return whether a run's result is a plan, which is shown as a text, whole."""
    if not run.statements or run.schema is None or not run.statements[-1].command.startswith(_TEXTS):
        return False
    from tusk_widgets.plans import is_plan

    return is_plan(run.statements[-1].command, run.schema.names, run.rows)


def _plan(value: object, shown: Shown) -> dict[str, Any]:
    from tusk_widgets.grid_data import GridData, frame_of
    from tusk_widgets.plans import joined, plan_html

    data = GridData(value, frame_of(value, _schema(value, shown), shown.nan_is_null))
    names = [field.name for field in data.schema]
    columns = [one.to_pylist() for one in data.texts(range(len(names)), slice(0, data.rows))]
    text = joined(names, list(zip(*columns, strict=True)), shown.run.accepted.dialect)
    return {"text/plain": text, "text/html": plan_html(text)}


def _by_others(value: object) -> Bundle | None:
    """Let whoever was registered before, or the frame itself, say how it is displayed."""
    earlier = _earlier.get(type(value))
    if earlier is not None:
        return earlier(value)  # type: ignore[return-value] # whatever it is, IPython checks it
    own = getattr(value, "_repr_mimebundle_", None)
    return own() if own is not None else None


@whole_imports()
def _drawn(value: object, shown: Shown, way: Mode) -> dict[str, Any]:
    from tusk_widgets.grid_data import GridData, frame_of
    from tusk_widgets.grid_static import static_html

    data = GridData(value, frame_of(value, _schema(value, shown), shown.nan_is_null))
    facts = _facts(shown)
    bundle: dict[str, Any] = {"text/html": static_html(data, facts)}
    if way == "grid":
        bundle |= _widget_view(data, facts)
    return bundle


def _widget_view(data: GridData, facts: Facts) -> dict[str, Any]:
    """Return the part of the bundle that opens the grid."""
    from tusk_widgets.grid import ResultGrid

    return page.bundle_of(ResultGrid(data, facts))


def _schema(value: object, shown: Shown) -> pa.Schema:
    """Return the result's schema, with float64 for decimals that `--decimal float` made floats of."""
    import pyarrow as pa

    schema = shown.run.schema
    assert schema is not None  # noqa: S101 - `remember` made sure
    types: list[object] = list(getattr(value, "dtypes", ()))
    for place, kind in enumerate(map(str, types)):
        field = schema.field(place)
        if kind == "float64" and pa.types.is_decimal(field.type):
            schema = schema.set(place, field.with_type(pa.float64()))
    return schema


def _facts(shown: Shown) -> Facts:
    from tusk_widgets.export import Facts

    accepted = shown.run.accepted
    return Facts(
        connection=accepted.connection,
        environment=accepted.environment,
        run=accepted.run,
        dialect=accepted.dialect,
        more=shown.run.more,
        limit=shown.limit,
    )


def _metadata(shown: Shown) -> dict[str, Any]:
    """Return what JupyterLab's extension reads to colour the cell."""
    accepted = shown.run.accepted
    return {
        "connection": accepted.connection,
        "environment": accepted.environment,
        "run": accepted.run,
        "rows": shown.run.rows,
        "more": shown.run.more,
    }
