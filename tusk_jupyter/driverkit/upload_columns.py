"""Columns on their way into a table: fewer Arrow types for the drivers, and values that a type cannot hold, by name.

Arrow has several forms of one thing: dictionaries, views, run-ends, small decimals, zones. `plain_reader` reduces them without
a change of value, so that a driver knows about twenty types instead of sixty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
_LARGE_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Units of Arrow's times, as parts of a second."""
JSON, UUID = "arrow.json", "arrow.uuid"
_DAY_S, _DAYS_OF_400_YEARS = 86_400, 146_097


# --- types ---


def is_text(kind: pa.DataType) -> bool:
    """Return whether it is any of Arrow's types of text."""
    return any(check(kind) for check in _TEXTS)


def is_bytes(kind: pa.DataType) -> bool:
    """Return whether it is any of Arrow's types of bytes."""
    return any(check(kind) for check in _BYTES)


def is_list(kind: pa.DataType) -> bool:
    """Return whether it is any of Arrow's types of lists."""
    return pa.types.is_fixed_size_list(kind) or any(check(kind) for check in _LARGE_LISTS)


def is_nested(kind: pa.DataType) -> bool:
    """Return whether values have parts: lists, structs, maps."""
    return is_list(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)


def extension(kind: pa.DataType) -> str:
    """Return the name of an extension type, or nothing."""
    return str(kind.extension_name) if isinstance(kind, pa.BaseExtensionType) else ""


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that stands for a type of which there are several forms."""
    if isinstance(kind, pa.BaseExtensionType):
        if extension(kind) in (JSON, UUID):
            return pa.json_(pa.large_string()) if extension(kind) == JSON else kind
        return pa.bool_() if extension(kind) == "arrow.bool8" else plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if is_text(kind):
        return pa.large_string()
    if is_bytes(kind):
        return pa.large_binary()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_decimal(kind):
        return _plain_decimal(kind)
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if is_list(kind):
        return pa.large_list(plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, plain_type(field.type)) for field in kind])
    return pa.float32() if pa.types.is_float16(kind) else pa.date32() if pa.types.is_date64(kind) else kind


def _plain_decimal(kind: pa.DataType) -> pa.DataType:
    precision, scale = kind.precision, kind.scale
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(min(precision, 76), scale)


# --- columns ---


def plain_reader(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return the same rows in plain types.

    Raises:
        UsageError: there is no column, or one twice, or (when it is read) a value is broken.
    """
    if not len(reader.schema):
        raise UsageError(
            "A table needs a column, and the data has none.", hint="Give the frame a column before it is written."
        )
    names = reader.schema.names
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise UsageError(
            f"The data has two columns called {twice!r}; a database table cannot.", hint="Rename one of them first."
        )
    schema = pa.schema([pa.field(field.name, plain_type(field.type)) for field in reader.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [plain(column, field.name) for field, column in zip(batch.schema, batch.columns, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def plain(column: pa.Array, name: str) -> pa.Array:
    """Return a column in its plain type.

    Raises:
        UsageError: a value has no form in it.
    """
    kind, to = column.type, plain_type(column.type)
    if kind == to:
        return column
    try:
        return _plain(column, kind, to, name)
    except pa.ArrowInvalid as exc:
        raise UsageError(
            f"The column {name!r} of type {kind} holds a value that cannot be sent: {exc}.",
            hint="Turn the column into another type first.",
        ) from exc
    except pa.ArrowNotImplementedError as exc:
        raise UsageError(
            f"The column {name!r} has the Arrow type {kind}, which Arrow cannot bring into a form for databases.",
            hint="Turn the column into another type first.",
        ) from exc


def _plain(column: pa.Array, kind: pa.DataType, to: pa.DataType, name: str) -> pa.Array:
    if extension(kind) == JSON:
        return pa.ExtensionArray.from_storage(to, plain(column.storage, name))
    if isinstance(kind, pa.BaseExtensionType):
        storage = column.storage
        return storage.cast(pa.bool_()) if to == pa.bool_() else plain(storage, name)
    if pa.types.is_dictionary(kind):  # views cannot be taken from
        return plain(column.dictionary, name).take(column.indices)
    if pa.types.is_run_end_encoded(kind):
        return _runs(column, name)
    if pa.types.is_map(kind):
        return _map(column, to, name)
    if is_list(kind):
        return _list(column, to, name)
    if pa.types.is_struct(kind):
        children = [plain(child, name) for child in column.flatten()]
        return pa.StructArray.from_arrays(children, fields=list(to), mask=column.is_null())
    if pa.types.is_decimal(kind) and kind.scale < 0:  # Arrow's own cast does not look for an overflow
        return pa.array(column.to_pylist(), to)
    return column.cast(to)


def _runs(column: pa.RunEndEncodedArray, name: str) -> pa.Array:
    """Decode places and take the values at them: Arrow decodes neither nested values nor views, words and extensions."""
    places = pa.array(range(len(column.values)), pa.int64())
    runs = pa.RunEndEncodedArray.from_arrays(column.run_ends, places).slice(column.offset, len(column))
    return plain(column.values, name).take(pc.run_end_decode(runs))


def _list(column: pa.Array, to: pa.DataType, name: str) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    items = plain(_items(column), name)
    return pa.LargeListArray.from_arrays(offsets, items, type=to, mask=column.is_null() if column.null_count else None)


def _map(column: pa.Array, to: pa.DataType, name: str) -> pa.Array:
    rows = column.to_pylist() if column.offset else None
    if rows is not None:  # a slice's keys are those of the whole
        column = pa.concat_arrays([column])
    keys, items = plain(column.keys, name), plain(column.items, name)
    return pa.MapArray.from_arrays(
        column.offsets, keys, items, type=to, mask=column.is_null() if column.null_count else None
    )


def leaves(column: pa.Array) -> Iterator[pa.Array]:
    """Yield the arrays of a nested column that have no parts themselves; values within a NULL are left out."""
    kind = column.type
    if pa.types.is_map(kind):
        valid = _valid(column)
        yield from leaves(
            valid.keys[valid.offsets[0].as_py() : valid.offsets[-1].as_py()] if len(valid) else valid.keys[:0]
        )
        yield from leaves(
            valid.items[valid.offsets[0].as_py() : valid.offsets[-1].as_py()] if len(valid) else valid.items[:0]
        )
    elif is_list(kind):
        yield from leaves(_items(column))
    elif pa.types.is_struct(kind):
        for child in _valid(column).flatten():
            yield from leaves(child)
    else:
        yield column


def _valid(column: pa.Array) -> pa.Array:
    """Drop NULLs; of nothing but NULLs Arrow itself can do so only where it has a builder for the type."""
    return column.slice(0, 0) if column.null_count == len(column) else column.drop_null()


def _items(column: pa.Array) -> pa.Array:
    """Return the items of lists one after the other, without those behind a NULL; with `_valid`'s exception."""
    return column.values.slice(0, 0) if column.null_count == len(column) else column.flatten()


def refused(name: str, what: str, engine: str, *, way: str) -> UsageError:
    """Return the error for a value of a column that an engine has no form for."""
    return UsageError(f"The column {name!r} holds {what}, which {engine} cannot hold. Nothing was written.", hint=way)


def check_years(column: pa.Array, name: str, engine: str, *, low: int, high: int) -> None:
    """Refuse dates and moments outside of the years that an engine has.

    Raises:
        UsageError: there is one.
    """
    year = year_outside(column, low, high)
    if year is not None:
        raise refused(
            name,
            f"a date in the year {year}",
            engine,
            way=f"It has the years {low} to {high}: change such values, leave them out, or send them as text.",
        )


def year_outside(column: pa.Array, low: int, high: int) -> int | None:
    """Return the year of a date or moment outside of some years, or None.

    Arrow's own `year` has 16 bits: the year 67,560 is 2,024 to it.
    """
    kind = column.type
    per_day = 1 if pa.types.is_date32(kind) else _DAY_S * UNITS["ms" if pa.types.is_date64(kind) else kind.unit]
    ends = pc.min_max(column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())).as_py()
    years = [civil(ends[end] // per_day)[0] for end in ("max", "min") if ends[end] is not None]
    return next((year for year in years if not low <= year <= high), None)


def civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a number of days since 1970-01-01, in the Gregorian calendar without end."""
    era, of_era = divmod(days + 719_468, _DAYS_OF_400_YEARS)  # years begin in March here, so that leap days come last
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return year_of_era + era * 400 + (month >= 10), month + (3 if month < 10 else -9), day


def check_whole(column: pa.Array, name: str, engine: str) -> None:
    """Refuse nanoseconds in any part of a column, for an engine that keeps microseconds.

    Raises:
        UsageError: there are some.
    """
    for leaf in leaves(column):
        kind = leaf.type
        if pa.types.is_interval(kind):
            found = next((v for v in leaf.to_pylist() if v is not None and v.nanoseconds % 1000), None)
        elif getattr(kind, "unit", "") == "ns":
            whole = leaf.cast(pa.int64())
            odd = whole.filter(pc.not_equal(whole, pc.multiply(pc.divide(whole, 1000), 1000)))
            found = odd[0].cast(kind) if len(odd) else None
        else:
            continue
        if found is not None:
            text = str(found) if pa.types.is_interval(kind) else _nano_text(found)
            raise UsageError(
                f"The column {name!r} has nanoseconds ({text}), and {engine} keeps microseconds. Nothing was written.",
                hint=f"Round it first, as `df[{name!r}] = df[{name!r}].dt.round('us')`.",
            )


def _nano_text(value: pa.Scalar) -> str:
    return f"{value.value} ns" if pa.types.is_duration(value.type) else str(value.cast(pa.string()))


# --- JSON, for engines without nested types ---


def json_texts(column: pa.Array, name: str, engine: str) -> list[str | None]:
    """Return a nested column as JSON: numbers with all digits; dates, times and UUIDs, which JSON has none of, as their text.

    Raises:
        UsageError: it holds what JSON has not: bytes, NaN, lengths of time, or a key twice.
    """
    try:
        return _json(column)
    except _NoJsonError as exc:
        raise UsageError(
            f"The column {name!r} goes to {engine} as JSON, which has no {exc}. Nothing was written.",
            hint="Turn it into text or numbers first, or into a column of its own.",
        ) from None


class _NoJsonError(Exception):
    """Its text names what JSON has not."""


def _json(column: pa.Array) -> list[str | None]:
    kind = column.type
    if pa.types.is_map(kind):
        return [_map_text(row) for row in _pairs(column)]
    if is_list(kind):
        return _list_texts(column)
    if pa.types.is_struct(kind):
        if len({field.name for field in kind}) < len(kind):
            raise _NoJsonError("key twice")
        names = [json.dumps(field.name, ensure_ascii=False) for field in kind]
        parts = [_json(child) for child in column.flatten()]
        rows: Sequence[Sequence[str | None]] = list(zip(*parts, strict=True)) if parts else [()] * len(column)
        return [
            "{" + ", ".join(f"{key}: {part or 'null'}" for key, part in zip(names, row, strict=True)) + "}"
            if valid
            else None
            for row, valid in zip(rows, column.is_valid().to_pylist(), strict=True)
        ]
    return _leaf_texts(column)


def _list_texts(column: pa.Array) -> list[str | None]:
    items = iter(_json(_items(column)))
    return [
        None if length is None else "[" + ", ".join(next(items) or "null" for _ in range(length)) + "]"
        for length in pc.list_value_length(column).to_pylist()
    ]


def _pairs(column: pa.Array) -> Iterator[list[tuple[str, str | None]] | None]:
    keys, items = _json(column.keys), _json(column.items)
    bounds = column.offsets.to_pylist()
    for place, valid in enumerate(column.is_valid().to_pylist()):
        start, end = bounds[place], bounds[place + 1]
        yield [(keys[at] or "null", items[at]) for at in range(start, end)] if valid else None


def _map_text(pairs: list[tuple[str, str | None]] | None) -> str | None:
    if pairs is None:
        return None
    named = [(key if key.startswith('"') else json.dumps(key), item or "null") for key, item in pairs]
    if len({key for key, _ in named}) < len(named):
        raise _NoJsonError("key twice")
    return "{" + ", ".join(f"{key}: {item}" for key, item in named) + "}"


def _leaf_texts(column: pa.Array) -> list[str | None]:
    kind = column.type
    if extension(kind) == UUID:
        return [None if one is None else f'"{one}"' for one in column.to_pylist()]
    if extension(kind) == JSON:
        return list(column.storage.to_pylist())
    if is_bytes(kind):
        raise _NoJsonError("bytes")
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        raise _NoJsonError("lengths of time")
    if pa.types.is_floating(kind):
        if not pc.all(pc.is_finite(column.drop_null().cast(pa.float64()))).as_py() and column.null_count < len(column):
            raise _NoJsonError("NaN and no infinity")
        write: Callable[[Any], str] = repr
        if pa.types.is_float32(kind):
            column, write = column.cast(pa.string()), str
    elif pa.types.is_decimal(kind):
        write = "{:f}".format
    elif pa.types.is_temporal(kind):
        if not pa.types.is_time(kind) and year_outside(column, 0, 9999) is not None:
            raise _NoJsonError("date outside of the years 0 to 9999")
        column, write = moment_texts(column), _quote
    else:
        write = _quote
    return [None if value is None else write(value) for value in column.to_pylist()]


def _quote(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def moment_texts(column: pa.Array) -> pa.Array:
    """Return dates, times and moments as ISO text, with +00:00 where there is a zone; the years have to be 0 to 32767."""
    kind = column.type
    if not (pa.types.is_timestamp(kind) and kind.tz is not None):
        return column.cast(pa.large_string())
    text = column.cast(pa.timestamp(kind.unit)).cast(pa.large_string())
    return pc.binary_join_element_wise(text, pa.scalar("+00:00", pa.large_string()), pa.scalar("", pa.large_string()))


def check_finite(column: pa.Array, name: str, engine: str, *, infinities: bool = False) -> None:
    """Refuse NaN, and infinities unless the engine has them.

    Raises:
        UsageError: there are some; the message says how many of each.
    """
    if pc.all(pc.is_finite(column)).as_py() is not False:
        return
    column = column.cast(pa.float64())
    found = {"NaN": pc.sum(pc.is_nan(column)).as_py()}
    if not infinities:
        found["infinity"] = pc.sum(pc.is_inf(column)).as_py()
    words = " and ".join(f"{count:,} x {what}" for what, count in found.items() if count)
    if words:
        at = f"['{name}']"
        raise UsageError(
            f"The column {name!r} holds {words} (in {len(column):,} rows looked at), which {engine} cannot hold.",
            hint=f"Send NULL in their place: in pandas `df{at} = df{at}.where(np.isfinite(df{at}))`, in polars "
            f"`df.with_columns(pl.when(pl.col('{name}').is_finite()).then(pl.col('{name}')))`. "
            "Or keep them as text, with `.astype('string')` or `.cast(pl.String)`.",
        )
