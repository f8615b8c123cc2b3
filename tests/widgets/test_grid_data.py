"""A grid's rows: the values as they came, in the frame's own memory."""

import gc
import weakref

import pyarrow as pa
import pytest
from awkward_results import COLUMNS, ROWS, TABLE
from grids import Asking, grid_of

from tusk_jupyter.client import frames, texts
from tusk_jupyter.errors import UsageError
from tusk_widgets.grid_types import name_of, normal

# NaN where NULLs are too stays NaN; what polars has no type for is text there already.
POLARS_DIFFERS = {"large", "interval"}


def as_text(array: pa.Array) -> list[str | None]:
    return texts.to_text(normal(array)).to_pylist()


# numbers with exact text, times with zone, bytes as hex, lists and structs as JSON
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in ("arrow", "pandas", "polars")
        for name in COLUMNS
        if kind != "polars" or name not in POLARS_DIFFERS
    ],
)
def test_a_value_is_drawn_as_the_database_has_it_whatever_the_frame(kind, name):
    _, data = grid_of(pa.table({name: COLUMNS[name]}), kind)
    drawn = data.texts([0], slice(0, ROWS))[0].to_pylist()
    assert drawn == as_text(COLUMNS[name])


def test_rows_by_number_are_the_same_values():
    rows = pa.array([4, 0, 3, 3], pa.uint32())
    for kind in ("arrow", "pandas"):
        _, data = grid_of(TABLE, kind)
        taken = [column.to_pylist() for column in data.texts(range(len(TABLE.schema)), rows)]
        assert taken == [as_text(column.combine_chunks().take(rows)) for column in TABLE.columns]


def test_names_stay_twice_and_empty():
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array([2.5])], names=["a", "a", ""])
    for kind in ("arrow", "pandas"):
        _, data = grid_of(table, kind)
        assert data.schema.names == ["a", "a", ""]
        assert [column.to_pylist() for column in data.texts(range(3), slice(0, 1))] == [["1"], ["x"], ["2.5"]]


# `del df` must free the memory
@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars"])
def test_the_rows_go_with_their_frame_and_the_grid_says_so(kind):
    value, data = grid_of(pa.table({"a": [1, 2]}), kind)
    gone = weakref.ref(value)
    del value
    gc.collect()
    assert gone() is None
    assert data.is_gone
    with pytest.raises(UsageError, match="The result is gone") as caught:
        data.column(0)
    assert "Run the cell again" in str(caught.value)


def test_a_grid_holds_no_second_copy_of_numbers_and_texts():
    table = pa.table({"i": range(1000), "s": [str(number) for number in range(1000)]})
    value, data = grid_of(table, "pandas")
    assert data.column(0).chunk(0).buffers()[1].address == value["i"].to_numpy().ctypes.data
    assert data.column(1).chunk(0).buffers()[2].address == pa.array(value["s"].array).buffers()[2].address


def test_a_frame_that_is_changed_in_place_leaves_the_grid_as_it_was():
    asking = Asking(pa.table({"a": [1, 2], "s": ["x", "y"]}), "pandas")
    asking.value.loc[0, "a"] = 99
    asking.value.loc[1, "s"] = "changed"
    asking.value["new"] = 0
    assert asking.rows() == [["1", "x"], ["2", "y"]]


def test_decimals_that_became_floats_are_floats():
    table = pa.table({"d": pa.array(["1.5", None]).cast(pa.decimal128(5, 2))})
    value = frames.to_pandas(table, decimal="float")
    assert str(value["d"].dtype) == "float64"


def test_types_are_named_for_people():
    named = {name: name_of(column.type) for name, column in COLUMNS.items()}
    assert named["text"] == "text"
    assert named["decimal"] == "decimal(38,10)"
    assert named["zoned"] == "timestamp Europe/Berlin"
    assert named["struct"] == "struct"
    assert named["bytes"] == "binary"
