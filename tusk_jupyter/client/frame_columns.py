"""Columns of data frames as Arrow columns, for uploads: each value is looked at, and a column has one type or is refused.

Arrow's own look at Python objects takes the type of the first for that of all: a datetime among dates loses its time of day, a
moment without a zone among ones that have one counts as UTC. Here the types of all values are known before one is converted.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pyarrow as pa

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.column_items import all_types, items_of
from tusk_jupyter.sqltext.secret_names import is_secret_parameter

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_EPOCH, _EPOCH_UTC = datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SHOWN = 80
_PARTS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_SECONDS = {"m": 60, "h": 3600, "D": 86_400, "W": 7 * 86_400}
_AS_TEXT = "Turn the column into text first, as with `df[{0!r}] = df[{0!r}].astype('string')`."
_AS_JSON = "Turn the column into JSON first, as with `df[{0!r}] = df[{0!r}].map(json.dumps, na_action='ignore')`."
_ONE_TYPE = "Give the column one type first, as with `df[{0!r}] = df[{0!r}].astype('string')`."


class Column:
    """A column's name, for errors."""

    way_to_it = ""
    """What must be done before a hint's code finds the column."""

    def __init__(self, frame: str, name: str) -> None:
        self.frame, self.name = frame, name

    def refused(self, why: str, hint: str) -> UsageError:
        """Return the error for a column that cannot be sent."""
        return UsageError(
            f"The column {self.name!r} of {self.frame} {why}", hint=f"{self.way_to_it}{hint.format(self.name)}"
        )

    def shown(self, value: object) -> str:
        """Return a value as an error may repeat it."""
        if is_secret_parameter(self.name):
            return f"a {type(value).__name__}"
        text = repr(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class IndexLevel(Column):
    """A column that a pandas index becomes."""

    way_to_it = "It is the frame's index: begin with `df = df.reset_index()`. "


class PolarsColumn(Column):
    """A column of Python objects in a polars frame, for which pandas' ways out are none."""

    def refused(self, why: str, hint: str) -> UsageError:
        """Return the error for a column that cannot be sent."""
        kept = "json.dumps" if hint is _AS_JSON else "str"
        return super().refused(
            why,
            "Turn the column into text first, as with "
            f"`df = df.with_columns(pl.col({{0!r}}).map_elements({kept}, pl.String))`.",
        )


# --- pandas ---


def of_pandas(values: pd.Series, column: Column) -> pa.Array | pa.ChunkedArray:
    """Return a pandas column.

    Raises:
        UsageError: no Arrow column has exactly its values.
    """
    import pandas as pd

    kind = values.dtype
    if isinstance(kind, pd.SparseDtype):
        return of_pandas(cast("Any", values).sparse.to_dense(), column)
    if isinstance(kind, pd.PeriodDtype):
        raise column.refused(
            f"holds periods ({kind}), which no database has.",
            "Write `df[{0!r}] = df[{0!r}].dt.to_timestamp()` for their first moments, or `.astype('string')` for text.",
        )
    if isinstance(kind, pd.IntervalDtype):
        raise column.refused(
            f"holds intervals ({kind}), which no database has.",
            "Write their ends (`.array.left`, `.array.right`) into two columns, or `df[{0!r}] = df[{0!r}].astype('string')`.",
        )
    if isinstance(kind, pd.CategoricalDtype):
        return _categories(values, column)
    if isinstance(kind, pd.DatetimeTZDtype):
        return pa.array(values.dt.tz_convert("UTC"), from_pandas=True)  # Arrow does not know every zone of Python
    if kind.kind == "O" and not isinstance(kind, pd.api.extensions.ExtensionDtype):
        return of_objects(values.array.tolist(), column)
    if kind.kind == "c":
        raise column.refused("holds complex numbers, which no database has.", "Write their parts into two columns.")
    if kind.kind == "f" and getattr(kind, "itemsize", 8) > 8:
        return _long_doubles(values, column)
    try:
        return pa.array(values, from_pandas=True)
    except UnicodeEncodeError:
        return of_objects(values.astype(object).array.tolist(), column)


def _categories(values: pd.Series, column: Column) -> pa.Array:
    import pandas as pd

    found = of_pandas(pd.Series(values.cat.categories), column)
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    codes = values.cat.codes.to_numpy()
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=codes < 0), found)


def _long_doubles(values: pd.Series, column: Column) -> pa.Array:
    floats = values.astype("float64")
    lost = (floats != values) & values.notna()
    if lost.any():
        raise column.refused(
            f"holds {column.shown(values[lost].iloc[0])}, which has more digits than a float.",
            "Write `df[{0!r}] = df[{0!r}].astype('float64')` to round it, or `.astype('string')` for text.",
        )
    return pa.array(floats, from_pandas=True)


# --- polars ---


def of_polars(frame: pl.DataFrame, name: str) -> pa.Table:
    """Return a polars frame, with its 128-bit integers and Python objects, which its own Arrow export has not.

    Raises:
        UsageError: no Arrow column has exactly the values of one of its columns.
    """
    import polars as pl

    wide = (pl.Int128, pl.UInt128, pl.Object)
    own = {
        series.name: of_objects(_row(series, PolarsColumn(name, series.name)), PolarsColumn(name, series.name))
        for series in frame.iter_columns()
        if any(kind in wide for kind in all_types(series.dtype))
    }
    if not own:
        return pa.table(frame)
    rest = pa.table(frame.drop(own)) if len(own) < frame.width else pa.table({})
    return pa.table({column: own[column] if column in own else rest.column(column) for column in frame.columns})


# --- Python objects ---


def of_objects(items: Sequence[Any], column: Column, *, inside: bool = False) -> pa.Array:
    """Return Python objects as a column of the one type that all have.

    Args:
        items: the objects.
        column: whose they are.
        inside: they are parts of lists or dicts, where pandas takes no NaN for a missing value.

    Raises:
        UsageError: they have several types, or one that databases do not have.
    """
    kinds = {kind: _kind_of(kind) for kind in set(map(type, items))}
    if "enum" in kinds.values():
        plain = [item.value if isinstance(item, enum.Enum) else item for item in items]
        return of_objects(plain, column, inside=inside)
    found = set(kinds.values()) - {"missing"}
    missing = {kind for kind, name in kinds.items() if name == "missing"}
    if "float" in found and (found - {"float"} or not missing) and not (inside and found <= {"float", "int"}):
        items, found = _without_nan(items, found, kinds)
    items = [None if type(item) in missing else item for item in items] if missing else items
    other = next((kind for kind, name in kinds.items() if name == "other"), None)
    if other is not None:
        example = next(item for item in items if type(item) is other)
        raise column.refused(f"holds {column.shown(example)}, a {other.__name__}, which no database has.", _AS_TEXT)
    for accepted, build in _BUILDERS:
        if found and found <= accepted:
            return _built(build, items, column)
    if not found:
        return pa.nulls(len(items))
    raise _several(items, kinds, found, column)


def _without_nan(items: Sequence[Any], found: set[str], kinds: dict[type, str]) -> tuple[list[Any], set[str]]:
    """Take NaN for a missing value, as pandas does, except in a column of floats that has other missing values."""
    cleaned = [None if kinds[type(item)] == "float" and item != item else item for item in items]
    floats = any(item is not None and kinds[type(item)] == "float" for item in cleaned)
    return cleaned, found if floats else found - {"float"}


def _several(items: Sequence[Any], kinds: dict[type, str], found: set[str], column: Column) -> UsageError:
    examples = {kinds[type(item)]: item for item in reversed(items) if kinds.get(type(item)) in found}
    one, other = sorted(examples)[:2]
    return column.refused(
        f"has values of no one type: {column.shown(examples[one])} is a {type(examples[one]).__name__}, "
        f"{column.shown(examples[other])} a {type(examples[other]).__name__}.",
        _ONE_TYPE,
    )


def _built(build: Callable[[Sequence[Any], Column], pa.Array], items: Sequence[Any], column: Column) -> pa.Array:
    try:
        return build(items, column)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError) as exc:
        said = "" if is_secret_parameter(column.name) else f": {exc}"
        raise column.refused(f"holds a value that cannot be sent{said}.", _AS_TEXT) from None


def _kind_of(kind: type) -> str:
    """Return what values of a class are, or "other"."""
    if kind.__name__ in ("NoneType", "NAType", "NaTType", "MaskedConstant"):
        return "missing"
    if kind is pa.MonthDayNano:
        return "interval"
    for name, classes in _CLASSES:
        if issubclass(kind, classes):
            return name
    if kind.__module__.partition(".")[0] == "numpy":
        return _numpy_kind(kind)
    if kind.__module__.partition(".")[0] in ("pandas", "polars") and kind.__name__ == "Series":
        return "list"
    return "other"


_CLASSES: tuple[tuple[str, type | tuple[type, ...]], ...] = (  # a datetime is a date, a bool an int
    ("enum", enum.Enum),
    ("bool", bool),
    ("int", int),
    ("float", float),
    ("decimal", Decimal),
    ("text", str),
    ("bytes", (bytes, bytearray, memoryview)),
    ("datetime", datetime),
    ("date", date),
    ("time", time),
    ("length", timedelta),
    ("uuid", UUID),
    ("list", (list, tuple)),
    ("dict", dict),
)


def _numpy_kind(kind: type) -> str:
    import numpy as np

    if kind is np.ndarray:
        return "list"
    names = ((np.bool_, "bool"), (np.datetime64, "datetime"), (np.timedelta64, "length"), (np.integer, "int"))
    for base, name in names:
        if issubclass(kind, base):
            return name
    return "float" if kind in (np.float16, np.float32) else "other"


def _map(items: Iterable[Any], change: Callable[[Any], Any]) -> list[Any]:
    return [None if item is None else change(item) for item in items]


def _bools(items: Sequence[Any], column: Column) -> pa.Array:
    return pa.array(_map(items, bool), pa.bool_())


def _ints(items: Sequence[Any], column: Column) -> pa.Array:
    whole = _map(items, _whole)
    there = [item for item in whole if item is not None]
    low, high = min(there), max(there)
    if low >= -(2**63) and high < 2**63:
        return pa.array(whole, pa.int64())
    if low >= 0 and high < 2**64:
        return pa.array(whole, pa.uint64())
    if max(high, -low) >= 10**76:
        raise column.refused("holds integers of more than 76 digits.", _AS_TEXT)
    return pa.array(_map(whole, Decimal), pa.decimal256(max(39, len(str(max(high, -low)))), 0))


def _floats(items: Sequence[Any], column: Column) -> pa.Array:
    lost = next((i for i in items if i is not None and not isinstance(i, float) and _differs(i)), None)
    if lost is not None:
        raise column.refused(
            f"holds floats and the integer {column.shown(lost)}, which no float equals.",
            "Give it one type first: `df[{0!r}] = df[{0!r}].astype(float)` rounds it.",
        )
    return pa.array(
        _map(items, lambda item: float.__float__(item) if isinstance(item, float) else float(item)), pa.float64()
    )


def _whole(item: Any) -> int:  # noqa: ANN401 - an int, or an integer of numpy
    """Return an integer without what a class of one's own makes of it."""
    return int.__int__(item) if isinstance(item, int) else int(item)


def _differs(item: Any) -> bool:  # noqa: ANN401 - an int, or a number of numpy
    """Return whether no float equals an integer."""
    import numpy as np

    if isinstance(item, np.floating):
        return False
    try:
        return int(float(_whole(item))) != _whole(item)
    except OverflowError:
        return True


def _decimals(items: Sequence[Any], column: Column) -> pa.Array:
    values = _map(items, Decimal)
    whole = scale = 0
    for value in values:
        if value is None:
            continue
        if not value.is_finite():
            raise column.refused(
                f"holds {column.shown(value)}, which is no number of a database's.", "Write None in its place, or text."
            )
        _, digits, exponent = value.as_tuple()
        scale = max(scale, -int(exponent))
        whole = max(whole, len(digits) + int(exponent) if value else 0)
    precision = max(whole + scale, 1)
    if precision > 76:
        raise column.refused("holds decimals that need more than 76 digits together.", _AS_TEXT)
    return pa.array(values, pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale))


def _texts(items: Sequence[Any], column: Column) -> pa.Array:
    try:
        return pa.array(items, pa.large_string())
    except UnicodeEncodeError:
        broken = next(item for item in items if item is not None and any("\ud800" <= sign <= "\udfff" for sign in item))
        raise column.refused(
            f"holds {column.shown(broken)}, in which a character is no Unicode text.",
            "It is half of a character, as `errors='surrogateescape'` leaves it; send bytes, or text that was read right.",
        ) from None


def _bytes(items: Sequence[Any], column: Column) -> pa.Array:
    return pa.array(_map(items, bytes), pa.large_binary())


def _moments(items: Sequence[Any], column: Column) -> pa.Array:
    zoned = {getattr(item, "tzinfo", None) is not None for item in items if item is not None}
    if len(zoned) > 1:
        raise column.refused(
            "has moments with a time zone and moments without one.",
            "Give all a zone, as with `df[{0!r}] = df[{0!r}].map(lambda t: t if t.tzinfo else t.tz_localize('UTC'))`, or none.",
        )
    zone = "UTC" if zoned == {True} else None
    return _whole_or_fine(
        _map(items, lambda item: _moment(item, column)), column, lambda unit: pa.timestamp(unit, zone)
    )


def _moment(item: Any, column: Column) -> int | None:  # noqa: ANN401 - a datetime of any library
    """Return nanoseconds since 1970."""
    if hasattr(item, "asm8") or not isinstance(item, datetime):
        return _numpy_units(getattr(item, "asm8", item), column)
    return (item - (_EPOCH if item.tzinfo is None else _EPOCH_UTC)) // _MICROSECOND * 1000


def _numpy_units(item: Any, column: Column) -> int | None:  # noqa: ANN401 - a datetime64 or timedelta64
    import numpy as np

    if np.isnat(item):
        return None
    unit, count = np.datetime_data(item.dtype)
    if unit in ("Y", "M") and item.dtype.kind == "M":
        item, unit, count = item.astype("datetime64[D]"), "D", 1
    value = int(item.astype("int64")) * count
    if unit in _PARTS or unit in _SECONDS:
        return value * (_PARTS[unit] if unit in _PARTS else _SECONDS[unit] * 10**9)
    finer = {"ps": 10**3, "fs": 10**6, "as": 10**9}.get(unit)
    if finer is None or value % finer:
        raise column.refused(
            f"holds {column.shown(item)}, which is finer than a nanosecond or of no fixed length.", _AS_TEXT
        )
    return value // finer


def _whole_or_fine(values: list[int | None], column: Column, kind: Callable[[str], pa.DataType]) -> pa.Array:
    """Return nanoseconds as a column of microseconds, or of nanoseconds where there are some."""
    fine = any(value is not None and value % 1000 for value in values)
    there = [value if fine else value // 1000 for value in values if value is not None]
    if there and not (min(there) > -(2**63) and max(there) < 2**63):
        raise column.refused("has nanoseconds, and values too far from each other to have them all.", _AS_TEXT)
    whole = values if fine else [None if value is None else value // 1000 for value in values]
    return pa.array(whole, pa.int64()).cast(kind("ns" if fine else "us"))


def _dates(items: Sequence[Any], column: Column) -> pa.Array:
    return pa.array(items, pa.date32())


def _times(items: Sequence[Any], column: Column) -> pa.Array:
    zoned = next((item for item in items if item is not None and item.tzinfo is not None), None)
    if zoned is not None:
        raise column.refused(
            f"holds {column.shown(zoned)}: a time of day with a zone, which Arrow does not have.",
            "Take the zone off (`t.replace(tzinfo=None)`), send moments, or `df[{0!r}] = df[{0!r}].astype('string')`.",
        )
    return pa.array(items, pa.time64("us"))


def _lengths(items: Sequence[Any], column: Column) -> pa.Array:
    def nanoseconds(item: Any) -> int | None:  # noqa: ANN401 - a timedelta of any library
        if hasattr(item, "asm8") or not isinstance(item, timedelta):
            return _numpy_units(getattr(item, "asm8", item), column)
        return item // _MICROSECOND * 1000

    return _whole_or_fine(_map(items, nanoseconds), column, pa.duration)


def _uuids(items: Sequence[Any], column: Column) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(_map(items, lambda item: item.bytes), pa.binary(16)))


def _intervals(items: Sequence[Any], column: Column) -> pa.Array:
    return pa.array(items, pa.month_day_nano_interval())


def _lists(items: Sequence[Any], column: Column) -> pa.Array:
    if any(getattr(item, "ndim", 1) == 0 for item in items):
        raise column.refused("holds arrays of numpy without dimensions.", "Write `item[()]` in their place.")
    rows = [None if item is None else _row(item, column) for item in items]
    offsets = [0]
    flat: list[Any] = []
    for row in rows:
        flat.extend(row or ())
        offsets.append(len(flat))
    missing = pa.array([row is None for row in rows])
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64()), of_objects(flat, column, inside=True), mask=missing
    )


def _row(item: Any, column: Column) -> list[Any]:  # noqa: ANN401 - a list of any library
    try:
        found = items_of(item)
    except UsageError as exc:
        raise column.refused(f"holds a list that cannot be sent. {exc.message}", exc.hint or _AS_TEXT) from exc
    return list(item) if found is None else found


def _dicts(items: Sequence[Any], column: Column) -> pa.Array:
    rows = [item for item in items if item is not None]
    names = list(rows[0])
    odd = next((row for row in rows if row.keys() != rows[0].keys()), None)
    if odd is not None or not all(isinstance(name, str) for name in names):
        raise column.refused(
            f"holds dicts whose keys differ or are no text ({column.shown(rows[0] if odd is None else odd)}).", _AS_JSON
        )
    if not names:
        raise column.refused("holds dicts without a key, of which no column can be made.", _AS_JSON)
    missing = pa.array([item is None for item in items])
    parts = [
        of_objects([None if item is None else item[name] for item in items], column, inside=True) for name in names
    ]
    return pa.StructArray.from_arrays(parts, names=names, mask=missing)


_BUILDERS: tuple[tuple[set[str], Callable[[Sequence[Any], Column], pa.Array]], ...] = (
    ({"text"}, _texts),
    ({"bool"}, _bools),
    ({"int"}, _ints),
    ({"float", "int"}, _floats),
    ({"decimal", "int"}, _decimals),
    ({"bytes"}, _bytes),
    ({"datetime"}, _moments),
    ({"date"}, _dates),
    ({"time"}, _times),
    ({"length"}, _lengths),
    ({"uuid"}, _uuids),
    ({"interval"}, _intervals),
    ({"list"}, _lists),
    ({"dict"}, _dicts),
)
