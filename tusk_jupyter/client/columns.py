"""One Arrow column as what pandas holds best without changing a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client.doubles import nearest
from tusk_jupyter.client.nested_arrays import NestedArray
from tusk_jupyter.client.pickles import allow_intervals

if TYPE_CHECKING:
    from typing import Literal

type_of = pa.types
Column = Any  # a numpy array or a pandas ExtensionArray
"""What a DataFrame takes as a column."""


def to_pandas(column: pa.ChunkedArray, *, decimal: Literal["exact", "float"]) -> Column:
    """Return a column for a DataFrame."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = _storage(column)
    if decimal == "float" and type_of.is_decimal(column.type):
        column = nearest(column)
    for test, convert in _CONVERTERS:
        if test(column.type):
            return convert(column)
    return _as_arrow(column)


def _integers(column: pa.ChunkedArray) -> Column:
    if not column.null_count:
        return _numbers(column)
    mask = _join([pc.is_null(chunk).to_numpy(zero_copy_only=False) for chunk in column.chunks], np.dtype(bool))
    return pd.arrays.IntegerArray(_numbers(pc.fill_null(column, 0)), mask)


def _booleans(column: pa.ChunkedArray) -> Column:
    if not column.null_count:
        return _numbers(column)
    mask = _join([pc.is_null(chunk).to_numpy(zero_copy_only=False) for chunk in column.chunks], np.dtype(bool))
    return pd.arrays.BooleanArray(_numbers(pc.fill_null(column, False)), mask)


def _floats(column: pa.ChunkedArray) -> Column:
    """NULL becomes NaN, unless there are NaNs to tell it from."""
    if not column.null_count:
        return _numbers(column)
    single = pa.float32() if type_of.is_float16(column.type) else column.type  # is_nan knows no halves
    if pc.any(pc.is_nan(pc.cast(column, single))).as_py():
        return _as_arrow(column)
    return _numbers(column)


def _numbers(column: pa.ChunkedArray) -> Column:
    """Return values of a fixed width in one numpy array of their own, which may be written to."""
    return _join([chunk.to_numpy(zero_copy_only=False) for chunk in column.chunks], column.type.to_pandas_dtype())


def _join(parts: list[Any], dtype: Any) -> Any:  # noqa: ANN401 - numpy arrays of any type
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _dates(column: pa.ChunkedArray) -> Column:
    unit = "s" if type_of.is_date32(column.type) else "ms"
    return _times(pc.cast(column, pa.timestamp(unit)))


def _times(column: pa.ChunkedArray) -> Column:
    """Return datetime64 of the same unit: the same 64-bit numbers, so nothing is ever out of range."""
    values = _stamps(column, f"datetime64[{column.type.unit}]")
    if column.type.tz is None:
        return values
    try:
        return pd.DatetimeIndex(values, copy=False).tz_localize("UTC").tz_convert(column.type.tz).array
    except (KeyError, ValueError):  # a zone that this machine does not know
        return _as_arrow(column)


def _durations(column: pa.ChunkedArray) -> Column:
    return _stamps(column, f"timedelta64[{column.type.unit}]")


def _stamps(column: pa.ChunkedArray, dtype: str) -> Any:  # noqa: ANN401 - a numpy array
    """Reinterpret 64-bit numbers; numpy's own number for "not a time" stands for NULL."""
    whole = pc.fill_null(column.cast(pa.int64()), np.iinfo(np.int64).min)
    return _numbers(whole).view(dtype)


def _strings(column: pa.ChunkedArray) -> Column:
    return _text_dtype().__from_arrow__(_own(column.cast(pa.large_string())))


def _text_dtype() -> Any:  # noqa: ANN401 - pandas' stubs know one of the two forms
    """Return the dtype that pandas 3 gives text; pandas 2 has it under another name."""
    if int(pd.__version__.split(".")[0]) >= 3:
        return pd.StringDtype(storage="pyarrow", na_value=np.nan)
    return pd.StringDtype("pyarrow_numpy")


def _categories(column: pa.ChunkedArray) -> Column:
    joined = column.unify_dictionaries().combine_chunks()
    joined = joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined
    words = joined.dictionary
    if words.null_count or len(pc.unique(words)) < len(words):
        return to_pandas(column.cast(column.type.value_type), decimal="exact")
    codes = pc.fill_null(joined.indices.cast(pa.int64()), -1).to_numpy()
    categories = pd.Index(to_pandas(pa.chunked_array([words]), decimal="exact"))
    return pd.Categorical.from_codes(codes, categories=categories, ordered=column.type.ordered)


def _objects(column: pa.ChunkedArray) -> Column:
    """Return Python objects (bytes; months, days and nanoseconds of intervals), and None for NULL."""
    if type_of.is_interval(column.type):
        allow_intervals()
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


def _as_arrow(column: pa.ChunkedArray) -> Column:
    return pd.arrays.ArrowExtensionArray(_own(column))


def _nested(column: pa.ChunkedArray) -> Column:
    return NestedArray(_own(column))


def _own(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column in memory that belongs to nobody else; pieces that have theirs already are not copied."""
    if column.num_chunks and all(map(_stands_alone, column.chunks)):
        return column
    return pa.chunked_array([pa.concat_arrays([*column.chunks, pa.nulls(0, column.type)])], type=column.type)


def _stands_alone(chunk: pa.Array) -> bool:
    """Return whether no buffer is a part of a larger one, as those of a Flight batch are."""
    return all(buffer is None or buffer.parent is None for buffer in chunk.buffers())


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return what an extension type stores; UUIDs as their text."""
    storage = pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)
    if column.type.extension_name != "arrow.uuid":
        return storage
    import uuid

    texts = [None if value is None else str(uuid.UUID(bytes=value)) for value in storage.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _is_text(kind: pa.DataType) -> bool:
    return bool(type_of.is_string(kind) or type_of.is_large_string(kind) or type_of.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        type_of.is_binary(kind)
        or type_of.is_large_binary(kind)
        or type_of.is_fixed_size_binary(kind)
        or type_of.is_binary_view(kind)
    )


_CONVERTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.ChunkedArray], Column]], ...] = (
    (type_of.is_integer, _integers),
    (_is_text, _strings),
    (type_of.is_floating, _floats),
    (type_of.is_timestamp, _times),
    (type_of.is_date, _dates),
    (type_of.is_boolean, _booleans),
    (type_of.is_duration, _durations),
    (type_of.is_dictionary, _categories),
    (_is_bytes, _objects),
    (type_of.is_interval, _objects),  # pandas 3.1 cannot print an ArrowDtype of it
    (type_of.is_null, _objects),
    (type_of.is_nested, _nested),
)
"""First match wins; what is not here stays Arrow: decimals, times of day."""
