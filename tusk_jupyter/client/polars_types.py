"""What polars cannot take over from Arrow, in the form that comes nearest and loses nothing.

polars ends in a panic on decimals of more than 38 digits and refuses intervals, unknown time zones and a name used
twice.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from tusk_jupyter.client import texts

type_of = pa.types


def fitted(table: pa.Table, notes: list[str]) -> pa.Table:
    """Return the table as polars can read it; `notes` takes what had to change."""
    names = _unique(table.column_names, notes)
    columns = [_column(column, name, notes) for column, name in zip(table.columns, names, strict=True)]
    return pa.Table.from_arrays(columns, names=names)


def _unique(names: list[str], notes: list[str]) -> list[str]:
    """Give the second and later columns of a name a number: x, x_2, x_3."""
    taken, unique = set(names), []
    for name in names:
        new, number = name, 2
        while new in unique or (new != name and new in taken):
            new, number = f"{name}_{number}", number + 1
        if new != name:
            notes.append(f"A second column {name!r} is called {new!r}: polars wants each name once.")
        unique.append(new)
    return unique


def _column(column: pa.ChunkedArray, name: str, notes: list[str]) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _as_text(column)
    if type_of.is_timestamp(kind) and kind.tz is not None and not _knows_zone(kind):
        notes.append(f"Column {name!r} is in UTC: polars does not know the time zone {kind.tz!r}.")
        return column.cast(pa.timestamp(kind.unit, "UTC"))
    if (type_of.is_timestamp(kind) or type_of.is_duration(kind)) and kind.unit == "s":
        return _milliseconds(column, name, notes)
    if not _is_known(kind):
        notes.append(f"Column {name!r} is text: polars has no type for {kind}.")
        return _as_text(column)
    return column


def _milliseconds(column: pa.ChunkedArray, name: str, notes: list[str]) -> pa.ChunkedArray:
    """Polars has no whole seconds; times that milliseconds do not reach are text."""
    kind = column.type
    finer = pa.duration("ms") if type_of.is_duration(kind) else pa.timestamp("ms", kind.tz)
    try:
        return column.cast(finer)
    except pa.ArrowInvalid:
        notes.append(f"Column {name!r} is text: polars has no type for times so far away.")
        return _as_text(column)


def _knows_zone(kind: pa.TimestampType) -> bool:
    try:
        pl.from_arrow(pa.nulls(1, kind))
    except pl.exceptions.PolarsError:
        return False
    return True


def _is_known(kind: pa.DataType) -> bool:
    if type_of.is_interval(kind) or type_of.is_decimal256(kind) or type_of.is_union(kind):
        return False
    if type_of.is_nested(kind):
        return all(_is_known(kind.field(position).type) for position in range(kind.num_fields))
    return True


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([texts.to_text(chunk) for chunk in column.chunks], type=pa.string())
