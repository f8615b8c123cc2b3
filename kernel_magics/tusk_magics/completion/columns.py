"""The columns of relations, with the database's names: through aliases, subqueries, stars and CTEs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tusk_jupyter.protocol.driver import SnapshotColumn, SnapshotTable
from tusk_magics.completion.names import SchemaIndex, folded
from tusk_magics.completion.relations import Output, Relation
from tusk_magics.completion.scope import Scope
from tusk_magics.completion.tree import Item

MOST = 2_000
"""Columns looked at per relation; `SELECT * FROM a, a` on itself doubles them at each step."""


def name_of(item: Item, dialect: str) -> str:
    """Return what a written name means."""
    return str(item.name) if item.quoted else folded(str(item.name), dialect)


class Columns:
    """Looks columns up in one snapshot; each relation once."""

    def __init__(self, index: SchemaIndex | None, dialect: str) -> None:
        """Look up in `index`; without one, only what the text itself names is known."""
        self._index, self._dialect = index, dialect
        self._known: dict[int, list[SnapshotColumn]] = {}

    def table(self, relation: Relation) -> SnapshotTable | None:
        """Return the table that a relation is; None for subqueries, CTEs and unknown names."""
        if relation.outputs is not None or self._index is None:
            return None
        return self._index.find([(str(item.name), item.quoted) for item in relation.path])

    def of(self, relation: Relation) -> list[SnapshotColumn]:
        """Return the columns of a relation."""
        known = self._known.get(id(relation))
        if known is None:
            known = self._known[id(relation)] = list(islice(self._found(relation), MOST))
        return known

    def meant(self, scope: Scope, qualifier: Item) -> Relation | None:
        """Return the relation that a qualifier means, looked for from the innermost query outwards."""
        called = [relation for relation in scope.relations if relation.is_called(qualifier)]
        exact = name_of(qualifier, self._dialect)
        for relation in called:
            if relation.exposed is not None and name_of(relation.exposed, self._dialect) == exact:
                return relation
        return called[0] if called else None

    def _found(self, relation: Relation) -> Iterator[SnapshotColumn]:
        if relation.outputs is None:
            table = self.table(relation)
            columns: Iterable[SnapshotColumn] = table.columns if table else ()
        else:
            columns = self._expanded(relation.outputs)
        names = relation.names
        count = 0
        for count, column in enumerate(columns, 1):
            yield SnapshotColumn(name=name_of(names[count - 1], self._dialect)) if count <= len(names) else column
        for name in names[count:]:
            yield SnapshotColumn(name=name_of(name, self._dialect))

    def _expanded(self, outputs: Sequence[Output]) -> Iterator[SnapshotColumn]:
        for output in outputs:
            if output.name is not None:
                yield SnapshotColumn(name=name_of(output.name, self._dialect))
            for relation in output.star:
                yield from (column for column in self.of(relation) if column.name.casefold() not in output.without)
