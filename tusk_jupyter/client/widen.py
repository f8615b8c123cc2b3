"""A result that goes on under wider types: the rows so far come to the new schema, as the database would print them.

What cannot be brought there without loss is a bug of the driver that asked for it, and says so.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tusk_jupyter.errors import InternalError
from tusk_jupyter.protocol.stream import TYPES_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

# MySQL prints as many digits as the type was declared with; the others cut trailing zeros and name their types
# otherwise.
_DECLARED_DIGITS = re.compile(r"(?:datetime|timestamp|time)(?:\((\d)\))?")


def widen_table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table under a wider schema.

    Raises:
        InternalError: the schemas do not belong to one result, or a value does not fit.
    """
    import pyarrow as pa

    _check(table.schema, schema)
    columns = [
        pa.chunked_array(
            [_cast(chunk, field, digits) for chunk in column.chunks],
            type=field.type,
        )
        for column, field, digits in zip(table.columns, schema, _digits(table.schema), strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema) if columns else table.replace_schema_metadata(schema.metadata)


def widen_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch under a wider schema.

    Raises:
        InternalError: the schemas do not belong to one result, or a value does not fit.
    """
    import pyarrow as pa

    _check(batch.schema, schema)
    columns = [
        _cast(column, field, digits)
        for column, field, digits in zip(batch.columns, schema, _digits(batch.schema), strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema) if columns else batch


def _check(old: pa.Schema, new: pa.Schema) -> None:
    if old.names != new.names:
        raise InternalError(f"A result of the columns {old.names} cannot go on as {new.names}.")


def _digits(schema: pa.Schema) -> list[int | None]:
    """Return for each column how many digits its database prints after a second's point; None: as many as needed."""
    names = json.loads((schema.metadata or {}).get(TYPES_KEY, b"[]"))
    found = [_DECLARED_DIGITS.fullmatch(str(name)) for name in names]
    if len(names) != len(schema):
        return [None] * len(schema)
    return [int(match[1] or 0) if match else None for match in found]


def _cast(array: pa.Array, field: pa.Field, digits: int | None) -> pa.Array:
    import pyarrow as pa

    if array.type == field.type:
        return array
    if pa.types.is_null(array.type):  # no cast leads back from a number to compare with
        return pa.nulls(len(array), field.type)
    try:
        return _converted(array, field.type, digits)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as exc:
        raise InternalError(
            f"Column {field.name!r} cannot go on as {field.type}: its {array.type} values do not fit ({exc})."
        ) from exc


def _converted(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    import pyarrow as pa

    from tusk_jupyter.client import texts

    if (_is_text(kind) or texts.is_bytes(kind)) and not (_is_text(array.type) or texts.is_bytes(array.type)):
        if pa.types.is_boolean(array.type):  # only SQLite's truth values widen, and those are its integers 1 and 0
            array = array.cast(pa.int8())
        return texts.to_text(array, digits=digits).cast(kind)
    if (convert := _of_one_shape(array.type, kind)) is not None:
        return convert(array, kind, digits)
    cast = array.cast(kind, safe=True)
    loses = pa.types.is_floating(kind) or pa.types.is_date(kind)  # where Arrow's safe casts round all the same
    if loses and not _same(cast.cast(array.type, safe=False), array):
        raise pa.ArrowInvalid("they would be rounded")
    return cast


def _of_one_shape(old: pa.DataType, new: pa.DataType) -> Callable[[pa.Array, pa.DataType, int | None], pa.Array] | None:
    """Return what converts the parts of a nested value one by one, as columns of their own; Arrow's casts misprint times."""
    import pyarrow as pa

    type_of = pa.types
    if _is_list(old) and _is_list(new):
        return _converted_list
    if type_of.is_fixed_size_list(old) and type_of.is_fixed_size_list(new) and old.list_size == new.list_size:
        return _converted_fixed_list
    if type_of.is_map(old) and type_of.is_map(new):
        return _converted_map
    if type_of.is_struct(old) and type_of.is_struct(new) and [one.name for one in old] == [one.name for one in new]:
        return _converted_struct
    return None


def _part(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    return array if array.type == kind else _converted(array, kind, digits)


def _converted_list(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    """Return lists of the same lengths, with each element as it would be in a column of its own."""
    import pyarrow as pa

    offsets, (elements,) = _elements(array, array.values)
    elements = _part(elements, kind.value_type, digits)
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), elements, type=kind, mask=array.is_null())
    return pa.ListArray.from_arrays(offsets.cast(pa.int32()), elements, type=kind, mask=array.is_null())


def _converted_fixed_list(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    import pyarrow as pa

    elements = array.values.slice(array.offset * kind.list_size, len(array) * kind.list_size)
    return pa.FixedSizeListArray.from_arrays(_part(elements, kind.value_type, digits), type=kind, mask=array.is_null())


def _converted_map(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    import pyarrow as pa

    offsets, (keys, items) = _elements(array, array.keys, array.items)
    keys, items = _part(keys, kind.key_type, digits), _part(items, kind.item_type, digits)
    return pa.MapArray.from_arrays(offsets.cast(pa.int32()), keys, items, type=kind, mask=array.is_null())


def _converted_struct(array: pa.Array, kind: pa.DataType, digits: int | None) -> pa.Array:
    import pyarrow as pa

    parts = [_part(part, field.type, digits) for part, field in zip(array.flatten(), kind, strict=True)]
    return pa.StructArray.from_arrays(parts, fields=list(kind), mask=array.is_null())


def _elements(array: pa.Array, *values: pa.Array) -> tuple[pa.Array, list[pa.Array]]:
    """Return the offsets of lists from zero on, and those of `values` that they point into."""
    import pyarrow.compute as pc

    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return pc.subtract(array.offsets, array.offsets[0]), [part.slice(first, last - first) for part in values]


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _same(left: pa.Array, right: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(left.type):
        return bool(left.equals(right))
    both_nan = pc.and_(pc.is_nan(left), pc.is_nan(right))
    return bool(pc.all(pc.fill_null(pc.or_(pc.equal(left, right), both_nan), True), min_count=0).as_py())
