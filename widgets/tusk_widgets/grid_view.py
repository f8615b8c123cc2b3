"""Which rows a grid shows, in which order: conditions and sort keys become row numbers, four bytes each.

Every request brings its own conditions and keys, so two browser windows on one notebook do not disturb each other, and
a kernel that was restarted knows nothing that it must. The last orders are kept, because scrolling asks for the same
one again and again.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.errors import UsageError
from tusk_widgets.grid_data import GridData
from tusk_widgets.grid_filter import Filter, mask
from tusk_widgets.grid_types import ordered

KEPT = 3
"""Orders that are remembered: the present one, the one before, and one of another window."""


class SortKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column to sort by; NULLs are always last."""

    column: int
    descending: bool = False


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a result is shown: rows that fulfil all conditions, in the order of the keys."""

    sort: tuple[SortKey, ...] = ()
    filters: tuple[Filter, ...] = ()


class Views:
    """Row numbers of the views of one result."""

    def __init__(self, data: GridData) -> None:
        self._data = data
        self._orders: OrderedDict[View, pa.Array | None] = OrderedDict()

    def rows(self, view: View) -> pa.Array | None:
        """Return the numbers of a view's rows; None stands for all rows as they came.

        Raises:
            UsageError: a column does not exist, or a condition makes no sense.
        """
        if view in self._orders:
            self._orders.move_to_end(view)
            return self._orders[view]
        order = self._order(view)
        self._orders[view] = order
        while len(self._orders) > KEPT:
            self._orders.popitem(last=False)
        return order

    def count(self, view: View) -> int:
        """Return how many rows a view has."""
        rows = self.rows(view)
        return self._data.rows if rows is None else len(rows)

    def forget(self) -> None:
        """Give the row numbers back."""
        self._orders.clear()

    def _order(self, view: View) -> pa.Array | None:
        for column in (*(key.column for key in view.sort), *(condition.column for condition in view.filters)):
            if not 0 <= column < len(self._data.schema):
                raise UsageError(f"The result has no column number {column + 1}.")
        rows = self._filtered(view.filters) if view.filters else None
        return self._sorted(view.sort, rows) if view.sort else rows

    def _filtered(self, filters: tuple[Filter, ...]) -> pa.Array:
        kept = mask(self._data.column(filters[0].column), filters[0])
        for condition in filters[1:]:
            kept = pc.and_(kept, mask(self._data.column(condition.column), condition))
        return _numbers(pc.indices_nonzero(kept), self._data.rows)

    def _sorted(self, keys: tuple[SortKey, ...], rows: pa.Array | None) -> pa.Array:
        names = [str(place) for place in range(len(keys))]
        columns = [ordered(self._data.column(key.column, rows)) for key in keys]
        table = pa.Table.from_arrays(columns, names=names)
        by = [(name, "descending" if key.descending else "ascending") for name, key in zip(names, keys, strict=True)]
        order = _numbers(pc.sort_indices(table, sort_keys=by), self._data.rows)
        return order if rows is None else rows.take(order)


def _numbers(rows: pa.Array, count: int) -> pa.Array:
    return rows.cast(pa.uint32()) if count < 2**32 else rows
