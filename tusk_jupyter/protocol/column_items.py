"""The items of columns of polars and pyarrow as Python values, with nanoseconds: their own `to_list` cuts them in silence.

Neither library is imported for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tusk_jupyter.errors import UsageError

_WRITE = "Round or change such values first, or write them as text and cast that in the SQL."


def items_of(column: Any) -> list[Any] | None:  # noqa: ANN401 - anything
    """Return the items of a column of polars or pyarrow; None for anything else.

    Raises:
        UsageError: there is a moment that no Python value is, or a time of day with nanoseconds.
    """
    library = type(column).__module__.partition(".")[0]
    if not hasattr(column, "null_count"):  # no table has it
        return None
    try:
        if library == "polars" and hasattr(column, "to_list"):
            return _of_polars(column)
        if library == "pyarrow" and hasattr(column, "to_pylist"):
            return _of_arrow(column)
    except (ValueError, OverflowError) as exc:
        raise UsageError(
            "The list holds dates outside of the years 1 to 9999, or times of day with nanoseconds.", hint=_WRITE
        ) from exc
    return None


def _of_polars(series: Any) -> list[Any]:  # noqa: ANN401 - a Series
    kinds = list(all_types(series.dtype))
    fine = any(type(kind).__name__ == "Time" or getattr(kind, "time_unit", "") == "ns" for kind in kinds)
    if not fine:
        return list(series.to_list())
    if any(type(kind).__name__ in ("Int128", "UInt128", "Object") for kind in kinds):
        raise UsageError(f"A column of type {series.dtype} has too fine times beside what Arrow has not.", hint=_WRITE)
    return _of_arrow(series.to_arrow())


def all_types(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - a type of polars
    """Yield a type and those of its parts."""
    yield kind
    inner = getattr(kind, "inner", None)
    for part in [*([] if inner is None else [inner]), *(field.dtype for field in getattr(kind, "fields", ()))]:
        yield from all_types(part)


def _of_arrow(column: Any) -> list[Any]:  # noqa: ANN401 - an array
    wanted = _whole(column.type)
    if wanted != column.type:
        if hasattr(column, "dictionary_decode") and hasattr(column.type, "index_type"):
            column = column.dictionary_decode()
        column = column.cast(wanted)  # refuses nanoseconds
    return list(column.to_pylist())


def _whole(kind: Any) -> Any:  # noqa: ANN401 - a type of Arrow
    """Return a type with microseconds in the place of a time of day's nanoseconds."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        inner = _whole(kind.value_type)
        return kind if inner == kind.value_type else inner
    if kind == pa.time64("ns"):
        return pa.time64("us")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_whole(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_whole(kind.key_type), _whole(kind.item_type))
    for check, make in (
        (pa.types.is_list, pa.list_),
        (pa.types.is_large_list, pa.large_list),
        (pa.types.is_list_view, pa.list_),
        (pa.types.is_large_list_view, pa.large_list),
    ):
        if check(kind):
            return make(kind.value_field.with_type(_whole(kind.value_type)))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_whole(kind.value_type)), kind.list_size)
    return kind
