"""Converters of nested columns, each made of its parts' converters."""

from __future__ import annotations

import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT
from tusk_drivers.duckdb.converters import Converter
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")


class ListOf(Converter):
    """LIST and ARRAY whose items need converting."""

    def __init__(self, type_: pa.DataType, item: Converter) -> None:
        self._source, self._item = type_, item
        self.type = self._make(item.type)

    def _make(self, item: pa.DataType) -> pa.DataType:
        name = self._source.value_field.name
        if pa.types.is_fixed_size_list(self._source):
            return pa.list_(pa.field(name, item), self._source.list_size)
        return (
            pa.large_list(pa.field(name, item))
            if pa.types.is_large_list(self._source)
            else pa.list_(pa.field(name, item))
        )

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the list with converted items."""
        array = _from_zero(array)
        items = self._item.convert(array.values)
        self.type, self.note = self._make(self._item.type), self._item.note
        if pa.types.is_fixed_size_list(self._source):
            items = items.slice(0, len(array) * self._source.list_size)
            return pa.FixedSizeListArray.from_arrays(items, type=self.type, mask=_mask(array))
        return type(array).from_arrays(array.offsets, items, type=self.type, mask=_mask(array))


class MapOf(Converter):
    """MAP whose keys or values need converting."""

    def __init__(self, type_: pa.DataType, key: Converter, item: Converter) -> None:
        self._key, self._item = key, item
        self.type = pa.map_(key.type, item.type)

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the map with converted keys and values."""
        array = _from_zero(array)
        keys, items = self._key.convert(array.keys), self._item.convert(array.items)
        self.type, self.note = pa.map_(self._key.type, self._item.type), self._key.note or self._item.note
        mask = _mask(array)
        return pa.MapArray.from_arrays(array.offsets, keys, items, type=self.type, mask=mask)


class StructOf(Converter):
    """STRUCT and TUPLE with a member that needs converting."""

    def __init__(self, type_: pa.DataType, members: list[Converter]) -> None:
        self._names = [field.name for field in type_]
        self._members = members
        self.type = self._make()

    def _make(self) -> pa.DataType:
        return pa.struct([pa.field(n, m.type) for n, m in zip(self._names, self._members, strict=True)])

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the struct with converted members."""
        array = _from_zero(array)
        made = [member.convert(array.field(index)) for index, member in enumerate(self._members)]
        self.type = self._make()
        self.note = next((member.note for member in self._members if member.note), None)
        return pa.StructArray.from_arrays(made, fields=list(self.type), mask=_mask(array))


class UnionOf(Converter):
    """UNION: a struct of `tag` (which member it is) and all members, of which only that one is not NULL."""

    def __init__(self, type_: pa.DataType, members: list[Converter]) -> None:
        self._names = [type_.field(index).name for index in range(type_.num_fields)]
        self._members = members
        self.type = self._make()

    def _make(self) -> pa.DataType:
        members = [pa.field(n, m.type) for n, m in zip(self._names, self._members, strict=True)]
        return pa.struct([pa.field("tag", TEXT), *members])

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the union as a struct."""
        made = [member.convert(_chosen(array, index)) for index, member in enumerate(self._members)]
        self.type = self._make()
        self.note = next((member.note for member in self._members if member.note), None)
        tags = pa.array(self._names, TEXT).take(array.type_codes)
        empty = made[0].is_null()
        for part in made[1:]:
            empty = pc.and_(empty, part.is_null())
        return pa.StructArray.from_arrays([tags, *made], fields=list(self.type), mask=empty)


def _chosen(array: pa.Array, index: int) -> pa.Array:
    """Return a union's member, NULL wherever it is not the one; by `take`, which works for every type."""
    rows = pa.array(range(len(array)), pa.int64())
    places = pc.if_else(pc.equal(array.type_codes, index), rows, pa.scalar(None, pa.int64()))
    return array.field(index).take(places)


def _mask(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def _from_zero(array: pa.Array) -> pa.Array:
    """Return `array` with its first value at its buffers' start, as `from_arrays` wants the parts."""
    return array if array.offset == 0 else pa.concat_arrays([array.slice(0, 0), array])
