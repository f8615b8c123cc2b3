"""How two relations are joined: by their foreign keys, else by columns whose names say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tusk_jupyter.protocol.driver import ForeignKey, SnapshotTable
from tusk_magics.completion.columns import Columns
from tusk_magics.completion.relations import Relation

_KEY_ENDINGS = ("_id", "_key", "_code", "_no")
Pairs = tuple[tuple[str, str], ...]
"""Column of the earlier relation, column of the joined one."""


def conditions(sides: Sequence[Relation], columns: Columns) -> Iterator[tuple[Relation, Pairs]]:
    """Yield each earlier relation with the pairs of columns that join it to the last one, keys first."""
    if not sides:
        return
    joined, earlier = sides[-1], sides[:-1]
    seen: set[tuple[int, Pairs]] = set()
    for way in (_by_keys, _by_names):
        for relation in reversed(earlier):
            for pairs in way(relation, joined, columns):
                if (id(relation), pairs) not in seen:
                    seen.add((id(relation), pairs))
                    yield relation, pairs


def related(table: SnapshotTable, others: Sequence[SnapshotTable]) -> bool:
    """Return whether a foreign key leads from the table to one of the others, or back."""
    return any(
        any(_leads(key, table, other) for key in table.foreign_keys)
        or any(_leads(key, other, table) for key in other.foreign_keys)
        for other in others
    )


def _leads(key: ForeignKey, owner: SnapshotTable, to: SnapshotTable) -> bool:
    """Return whether a key points at a table; a driver may leave out the catalog or schema that both share."""
    return key.table == to.path or (
        bool(key.table) and to.path[-len(key.table) :] == key.table and owner.path[:1] == to.path[:1]
    )


def _by_keys(earlier: Relation, joined: Relation, columns: Columns) -> Iterator[Pairs]:
    left, right = columns.table(earlier), columns.table(joined)
    if left is None or right is None:
        return
    for key in left.foreign_keys:
        if _leads(key, left, right):
            yield tuple(zip(key.columns, key.references, strict=False))
    for key in right.foreign_keys:
        if _leads(key, right, left):
            yield tuple(zip(key.references, key.columns, strict=False))


def _by_names(earlier: Relation, joined: Relation, columns: Columns) -> Iterator[Pairs]:
    """Yield `customer_id = customer_id`, and `id = customer_id` where customer is the table's name."""
    left = {column.name.casefold(): column for column in columns.of(earlier)}
    right = {column.name.casefold(): column for column in columns.of(joined)}
    for name in left:
        if name in right and (name.endswith(_KEY_ENDINGS) or left[name].primary_key != right[name].primary_key):
            yield ((left[name].name, right[name].name),)
    for name in _references_to(earlier) if "id" in left else ():
        if name in right:
            yield ((left["id"].name, right[name].name),)
    for name in _references_to(joined) if "id" in right else ():
        if name in left:
            yield ((left[name].name, right["id"].name),)


def _references_to(relation: Relation) -> list[str]:
    """Return how a column that points at the relation's `id` would be called."""
    name = str(relation.path[-1].name).casefold() if relation.path else ""
    singular = {name, name.removesuffix("s"), name.removesuffix("es"), name.removesuffix("ies") + "y"}
    return sorted(f"{word}_id" for word in singular if word)
