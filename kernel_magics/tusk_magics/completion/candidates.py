"""What is offered at a cursor: the wanted kinds of names out of scope and snapshot, ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tusk_magics.completion.columns import Columns, name_of
from tusk_magics.completion.context import Context, Want
from tusk_magics.completion.joins import conditions, related
from tusk_magics.completion.keywords import types
from tusk_magics.completion.names import SchemaIndex, quoted
from tusk_magics.completion.ranking import FUZZY, Candidate, Offer, ranked
from tusk_magics.completion.relations import Relation
from tusk_magics.completion.tree import Item

_IDENTIFIERS = frozenset([Want.TABLE, Want.COLUMN, Want.TARGET, Want.COMMON, Want.RELATION, Want.OUTPUT, Want.SCHEMA])
"""What can stand in quotes."""
_ELSEWHERE = 50
"""Columns of tables that the statement does not name yet."""


def candidates(
    context: Context, index: SchemaIndex | None, dialect: str, *, parameters: Iterable[str] = ()
) -> list[Candidate]:
    """Return what may be inserted from `context.typed.start` up to the cursor, best first.

    Args:
        context: the place.
        index: the connection's names; None when they are not known yet: keywords and the text's own names remain.
        dialect: for quotes and types.
        parameters: names that a `:name` can have.
    """
    typed = context.typed
    if Want.PARAMETER in context.wants:
        return ranked((Offer(name, "parameter", name, 0) for name in parameters), typed.prefix)
    source = _Source(context, index, dialect)
    if typed.qualifier:
        return ranked(source.qualified(), typed.prefix)
    return ranked(source.bare(), typed.prefix)


class _Source:
    """Yields offers for one context."""

    def __init__(self, context: Context, index: SchemaIndex | None, dialect: str) -> None:
        self.context, self.index, self.dialect = context, index, dialect
        self.columns = Columns(index, dialect)

    def bare(self) -> Iterator[Offer]:
        """Yield what can stand without a qualifier."""
        makers = {
            Want.TABLE: self._tables, Want.COLUMN: self._in_scope, Want.TARGET: self._of_target, Want.COMMON: self._common,
            Want.RELATION: self._relations, Want.OUTPUT: self._outputs, Want.CONDITION: self._conditions,
            Want.FUNCTION: self._functions, Want.TYPE: self._types, Want.SCHEMA: self._schemas,
        }  # fmt: skip
        for place, want in enumerate(self.context.wants):
            if not self.context.typed.quote or want in _IDENTIFIERS:
                yield from makers[want](10 * place)
        if not self.context.typed.quote:
            yield from self._keywords(-1 if self.context.keywords_first else 10 * len(self.context.wants))

    def qualified(self) -> Iterator[Offer]:
        """Yield what can stand behind `a.` or `a.b.`."""
        qualifier, wants = self.context.typed.qualifier, self.context.wants
        if not wants:
            return
        names = [str(item.name) for item in qualifier]
        if Want.TABLE in wants or Want.SCHEMA in wants:
            yield from self._below(names)
            return
        relation = self.columns.meant(self.context.scope, qualifier[-1]) if len(qualifier) == 1 else None
        if relation is not None:
            yield from (self._column(column.name, 0) for column in self.columns.of(relation))
            return
        table = self.index.find([(str(item.name), item.quoted) for item in qualifier]) if self.index else None
        if table is not None:
            yield from (self._column(column.name, 0) for column in table.columns)
        yield from self._below(names)

    def _write(self, name: str) -> str:
        """Return a name as it is inserted, in the quotes that were opened."""
        typed = self.context.typed
        text = quoted(name, self.dialect, typed.quote)
        return text[:-1] if typed.closed else text

    def _spell(self, item: Item) -> str:
        """Return a name that the text itself gives as its author wrote it."""
        if self.context.typed.quote or item.quoted:
            return self._write(str(item.name))
        return str(item.name)

    def _column(self, name: str, tier: int) -> Offer:
        return Offer(self._write(name), "column", name, tier)

    def _tables(self, tier: int) -> Iterator[Offer]:
        for cte in self.context.scope.ctes.values():
            yield Offer(self._spell(cte.path[0]), "table", str(cte.path[0].name), tier)
        if self.index is None:
            return
        sides = [table for table in map(self.columns.table, self.context.sides) if table is not None]
        for table, text in self.index.near:
            name = table.path[-1]
            text = self._write(name) if self.context.typed.quote else text
            yield Offer(text, table.kind, name, tier + (1 if sides and related(table, sides) else 2))
        yield from self._schemas(tier + 3)
        if not self.context.typed.quote:
            for table, text in self.index.far:
                yield Offer(text, table.kind, table.path[-1], tier + 4)
        yield from self._functions(tier + 5, least=FUZZY)

    def _schemas(self, tier: int) -> Iterator[Offer]:
        names = self.index.schema_names() if self.index else ()
        yield from (Offer(self._write(name), "schema", name, tier) for name in names)

    def _below(self, names: Sequence[str]) -> Iterator[Offer]:
        if self.index is None:
            return
        tables, schemas = self.index.below(names)
        yield from (Offer(self._write(table.path[-1]), table.kind, table.path[-1], 1) for table in tables)
        yield from (Offer(self._write(name), "schema", name, 2) for name in schemas)

    def _in_scope(self, tier: int) -> Iterator[Offer]:
        levels = self.context.scope.levels
        for depth, level in enumerate(levels):
            named = [(relation, self.columns.of(relation)) for relation in level.found.relations]
            counted = Counter(column.name.casefold() for _, columns in named for column in columns)
            for relation, columns in named:
                for column in columns:
                    if column.name.casefold() in self.context.listed:
                        continue
                    ambiguous = counted[column.name.casefold()] > 1 and not self.context.typed.quote
                    if ambiguous:
                        yield self._qualified(relation, column.name, tier + 2 * min(depth, 3))
                    yield self._column(column.name, tier + 2 * min(depth, 3) + ambiguous)
        if (
            self.index
            and not any(level.found.relations for level in levels)
            and len(self.context.typed.prefix) >= FUZZY
        ):
            for name in self.index.columns_starting(self.context.typed.prefix, _ELSEWHERE):
                yield self._column(name, tier + 8)

    def _qualified(self, relation: Relation, name: str, tier: int) -> Offer:
        exposed = relation.exposed
        owner = f"{self._spell(exposed)}." if exposed is not None else ""
        return Offer(f"{owner}{self._write(name)}", "column", name, tier)

    def _of_target(self, tier: int) -> Iterator[Offer]:
        if self.context.target is not None:
            for column in self.columns.of(self.context.target):
                if column.name.casefold() not in self.context.listed:
                    yield self._column(column.name, tier)

    def _common(self, tier: int) -> Iterator[Offer]:
        if not self.context.sides:
            return
        earlier = {
            column.name.casefold() for relation in self.context.sides[:-1] for column in self.columns.of(relation)
        } - self.context.listed
        for column in self.columns.of(self.context.sides[-1]):
            if column.name.casefold() in earlier:
                yield self._column(column.name, tier)

    def _relations(self, tier: int) -> Iterator[Offer]:
        for relation in self.context.scope.relations:
            if relation.exposed is not None:
                yield Offer(self._spell(relation.exposed), "table", str(relation.exposed.name), tier)

    def _outputs(self, tier: int) -> Iterator[Offer]:
        for item in self.context.outputs:
            yield Offer(self._spell(item), "column", name_of(item, self.dialect), tier)

    def _conditions(self, tier: int) -> Iterator[Offer]:
        joined = self.context.sides[-1] if self.context.sides else None
        for earlier, pairs in conditions(self.context.sides, self.columns):
            if joined is None or joined.exposed is None or earlier.exposed is None:
                continue
            left, right = self._spell(earlier.exposed), self._spell(joined.exposed)
            text = " AND ".join(f"{left}.{self._write(one)} = {right}.{self._write(other)}" for one, other in pairs)
            yield Offer(text, "condition", text, tier)

    def _functions(self, tier: int, least: int = 1) -> Iterator[Offer]:
        prefix = self.context.typed.prefix
        if self.index is None or len(prefix) < least or self.context.typed.quote:
            return
        upper = prefix.isupper()
        for name in self.index.functions:
            text = name.upper() if upper else name
            yield Offer(text, "function", text, tier, fuzzy=False)

    def _types(self, tier: int) -> Iterator[Offer]:
        yield from self._words(types(self.dialect), "type", tier)

    def _keywords(self, tier: int) -> Iterator[Offer]:
        yield from self._words(self.context.keywords, "keyword", tier)

    def _words(self, words: Iterable[str], kind: str, tier: int) -> Iterator[Offer]:
        lower = _writes_lower(self.context)
        for word in words:
            text = word.lower() if lower else word
            yield Offer(text, kind, text, tier, fuzzy=False)


def _writes_lower(context: Context) -> bool:
    """Whether keywords are written in lower case here: as what is typed, else as the statement's first word."""
    prefix = context.typed.prefix
    if any(letter.isalpha() for letter in prefix):
        return prefix[0].islower()
    first = next((item for item in context.typed.statement.items if item.word), None)
    return first is not None and str(first.name).islower()
