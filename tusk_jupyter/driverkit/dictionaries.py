"""Dictionaries of a result on the wire: the words of categorical columns, wherever in nested columns these are.

Flight sends them with a stream of batches, but not with a generator's, whose reader then ends with an error. So before the
first batch, and before each one whose dictionaries are others, an empty batch goes out as a stream of its own within the
generator's: with its dictionaries, and without a second schema.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

type_of = pa.types


class Dictionaries:
    """What one stream's reader knows of them."""

    def __init__(self, schema: pa.Schema) -> None:
        """Begin with none."""
        self._places = [place for place, field in enumerate(schema) if _has_some(field.type)]
        self._sent: list[pa.Array] | None = None

    def are_new(self, batch: pa.RecordBatch) -> bool:
        """Return whether a batch has other dictionaries than were sent."""
        if not self._places:
            return False
        now = [one for place in self._places for one in _dictionaries(batch.column(place))]
        before, self._sent = self._sent, now  # kept: what is freed may leave its address to another one
        return before is None or list(map(_identity, before)) != list(map(_identity, now))

    @staticmethod
    def alone(batch: pa.RecordBatch) -> pa.RecordBatchReader:
        """Return a batch's dictionaries without its rows."""
        return pa.RecordBatchReader.from_batches(batch.schema, [batch.slice(0, 0)])


def _has_some(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_some(kind.storage_type)
    if type_of.is_dictionary(kind):
        return True
    return any(_has_some(kind.field(place).type) for place in range(kind.num_fields))


def _dictionaries(array: pa.Array) -> Iterator[pa.Array]:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        yield from _dictionaries(array.storage)
    elif type_of.is_dictionary(kind):
        yield array.dictionary
        yield from _dictionaries(array.dictionary)
    elif type_of.is_map(kind):
        yield from _dictionaries(array.keys)
        yield from _dictionaries(array.items)
    elif type_of.is_struct(kind) or type_of.is_union(kind):
        for place in range(kind.num_fields):
            yield from _dictionaries(array.field(place))
    elif kind.num_fields:  # lists of all kinds, runs
        yield from _dictionaries(array.values)


def _identity(dictionary: pa.Array) -> tuple[object, ...]:
    addresses = [0 if buffer is None else buffer.address for buffer in dictionary.buffers()]
    return dictionary.offset, len(dictionary), *addresses
