"""Columns whose Arrow type has several forms: the same values in a plain type, whichever stretch of them is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pyarrow as pa
import pytest

from tusk_jupyter.driverkit.upload_columns import json_texts, leaves, plain, plain_type
from tusk_jupyter.errors import UsageError

IDS = [uuid.UUID(int=7), uuid.UUID(int=2**127)]


def ids() -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes for one in IDS], pa.binary(16)))


def documents() -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(["1", '{"a": 2}']))


ITEMS = {
    "uuid": ids,
    "json": documents,
    "views": lambda: pa.array(["é", "a text of more than twelve bytes"], pa.string_view()),
    "words": lambda: pa.array(["a", "b"]).dictionary_encode(),
    "lists": lambda: pa.array([[1, None], []]),
    "decimals": lambda: pa.array([1, -2], pa.decimal32(5, 2)),
}
BOUNDS, NULL_BEHIND = pa.array([0, 1, 2], pa.int32()), pa.array([False, True])


def forms(items: pa.Array) -> Iterator[pa.Array]:
    """Yield the items within every type with parts; the last row is NULL, with an item behind it."""
    yield pa.ListArray.from_arrays(BOUNDS, items, mask=NULL_BEHIND)
    yield pa.LargeListArray.from_arrays(BOUNDS.cast(pa.int64()), items, mask=NULL_BEHIND)
    yield pa.FixedSizeListArray.from_arrays(items, 1, mask=NULL_BEHIND)
    yield pa.ListViewArray.from_arrays(BOUNDS[:2], pa.array([1, 1], pa.int32()), items, mask=NULL_BEHIND)
    yield pa.MapArray.from_arrays(BOUNDS, pa.array(["k", "l"]), items, mask=NULL_BEHIND)
    yield pa.StructArray.from_arrays([items], names=["a"], mask=NULL_BEHIND)
    yield pa.DictionaryArray.from_arrays(pa.array([1, None], pa.int8()), items)
    yield pa.RunEndEncodedArray.from_arrays(pa.array([1, 4], pa.int32()), items)


def stretches(column: pa.Array) -> Iterator[pa.Array]:
    yield from (column, column[1:], column[: len(column) - 1], column[:0])


@pytest.mark.parametrize("items", ITEMS.values(), ids=ITEMS)
def test_every_form_of_every_item_is_plain_with_the_same_values(items):
    for whole in forms(items()):
        for column in stretches(whole):
            became = plain(column, "c")
            became.validate(full=True)
            assert became.type == plain_type(whole.type)
            assert became.to_pylist() == column.to_pylist(), whole.type


@pytest.mark.parametrize("items", ITEMS.values(), ids=ITEMS)
def test_what_stands_behind_a_null_is_neither_looked_at_nor_written(items):
    for whole in forms(items()):
        for column in stretches(whole):
            became = plain(column, "c")
            looked_at = [value for leaf in leaves(became) for value in leaf.to_pylist()]
            texts = json_texts(became, "c", "SQLite")
            assert [text is None for text in texts] == [value is None for value in column.to_pylist()]
            assert bool([value for value in looked_at if value is not None]) <= any(texts), whole.type


def test_a_form_that_arrow_cannot_reduce_is_refused_by_name():
    words = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([[1]]))
    column = pa.ListViewArray.from_arrays(pa.array([0, 0], pa.int32()), pa.array([0, 0], pa.int32()), words)
    with pytest.raises(UsageError, match=r"The column 'c' has the Arrow type .*dictionary"):
        plain(column, "c")
