"""What a query reads from: tables, subqueries and CTEs with their aliases, out of the items of one query level.

Keywords decide where a relation begins and which word cannot be its alias; everything unknown is skipped, so a text that is
still being typed yields what it already says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tusk_jupyter.sqltext.lexer import Kind
from tusk_magics.completion.tree import Item

SET_WORDS = frozenset(["UNION", "EXCEPT", "INTERSECT", "MINUS"])
ENDS_FROM = frozenset(
    """
    WHERE GROUP ORDER HAVING LIMIT OFFSET FETCH SET SELECT RETURNING WINDOW QUALIFY VALUES UNION EXCEPT INTERSECT MINUS WHEN
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
NOT_ALIAS = ENDS_FROM | frozenset(
    """
    ON USING JOIN INNER LEFT RIGHT FULL CROSS NATURAL OUTER ASOF SEMI ANTI POSITIONAL STRAIGHT_JOIN APPLY FOR TABLESAMPLE
    USE IGNORE FORCE PIVOT UNPIVOT LATERAL AS AND OR DEFAULT WITH START CONNECT PARTITION DO FROM ADD DROP RENAME ALTER
    BEGIN END COLUMN TO INTO UPDATE DELETE INSERT MERGE CASCADE RESTRICT IS IN LIKE INDEXED NOT BETWEEN
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Words that go on after a relation and so are no alias of it."""
_BEFORE_NAME = frozenset(["LATERAL", "ONLY", "IF", "EXISTS", "NOT", "TABLE"])
_TARGET_VERBS = frozenset(["INSERT", "REPLACE", "MERGE", "UPSERT"])
_NO_UPDATE = frozenset(["FOR", "DO", "KEY", "ON", "THEN"])
_NO_DELETE = frozenset(["ON", "THEN"])
_TABLE_VERBS = frozenset(["TRUNCATE", "COPY", "DESCRIBE", "DESC", "SUMMARIZE", "VACUUM", "ANALYZE", "TABLE"])


@dataclass(frozen=True, slots=True)
class Output:
    """A column that a query yields, or all columns of some relations."""

    name: Item | None
    star: tuple[Relation, ...] = ()
    without: frozenset[str] = frozenset()
    """Names that a star leaves out, case-folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Something with columns: a table by its path, or a query by its outputs."""

    alias: Item | None = None
    path: tuple[Item, ...] = ()
    outputs: tuple[Output, ...] | None = None
    """None: a table, whose columns the database knows."""
    names: tuple[Item, ...] = ()
    """Column aliases, as in `t(a, b)`."""

    @property
    def exposed(self) -> Item | None:
        """The name by which its columns are qualified."""
        return self.alias or (self.path[-1] if self.path else None)

    def is_called(self, name: Item) -> bool:
        """Whether a qualifier means it; without regard to case, as most of what is typed is meant."""
        exposed = self.exposed
        return exposed is not None and str(exposed.name).casefold() == str(name.name).casefold()


Ctes = Mapping[str, Relation]


@dataclass(slots=True)
class Found:
    """The relations of one query level."""

    relations: list[Relation] = field(default_factory=list)
    target: Relation | None = None
    """What INSERT, UPDATE, DELETE, MERGE, ALTER ... work on; one of the relations too, where its columns can be used."""
    derived: list[Item] = field(default_factory=list)
    """Groups that are relations: they do not see their neighbours."""
    lateral: list[Item] = field(default_factory=list)
    column_lists: list[Item] = field(default_factory=list)
    """Groups that name new columns: `AS t(a, b)`."""


def find_relations(items: Sequence[Item], ctes: Ctes, outputs_of: OutputsOf) -> Found:
    """Return the relations of a level; items of its nested queries are not looked into but for their outputs."""
    reader = _Reader(items, ctes, outputs_of)
    reader.read()
    return reader.found


class OutputsOf(Protocol):
    """How the outputs of a nested query are found; `scope` fills it in, as a query's outputs need its relations."""

    def __call__(self, query: Item, ctes: Ctes) -> tuple[Output, ...]:
        """Return the outputs of a query group."""


class _Reader:
    def __init__(self, items: Sequence[Item], ctes: Ctes, outputs_of: OutputsOf) -> None:
        self.items, self.ctes, self.outputs_of = items, ctes, outputs_of
        self.found = Found()
        self.verb = next((item.word for item in items if item.word), "")

    def read(self) -> None:
        at, inside = 0, False
        while at < len(self.items):
            item = self.items[at]
            role = self._role(at, inside)
            if role:
                at = self._take(at + 1, role)
                inside = role == "from" or inside
                continue
            if item.word in ENDS_FROM:
                inside = False
            at += 1

    def _role(self, at: int, inside: bool) -> str:
        """Return what a relation behind the item at `at` would be: from | target | object; "" for none."""
        item = self.items[at]
        word, before = item.word, self.items[at - 1].word if at else ""
        if item.text == "," and item.kind is Kind.OPERATOR:
            return "from" if inside else ""
        if word == "FROM":
            if before == "DISTINCT" and at > 1 and self.items[at - 2].word in ("IS", "NOT"):
                return ""
            return "target" if before == "DELETE" else "from"
        if word in ("JOIN", "STRAIGHT_JOIN", "APPLY"):
            return "from"
        if word == "USING":
            return "from" if self.verb in ("DELETE", "MERGE") and not inside else ""
        if word == "UPDATE":
            return "update" if before not in _NO_UPDATE else ""
        if word == "INTO":
            return "target" if self.verb in _TARGET_VERBS or before in _TARGET_VERBS else ""
        return self._object_role(at, word, before)

    def _object_role(self, at: int, word: str, before: str) -> str:
        """Return the role behind words of statements that are about one table."""
        if word in _TABLE_VERBS:
            follows = self.items[at + 1].word if at + 1 < len(self.items) else ""
            first = at == 0 or (
                word == "TABLE" and self.verb in ("TRUNCATE", "ALTER", "DROP", "LOCK", "COMMENT", "CREATE")
            )
            return "object" if first and follows not in ("TABLE", "ANALYZE") else ""
        if word == "ON" and self.verb in ("CREATE", "GRANT", "REVOKE", "DROP"):
            return "object"
        return "object" if word == "REFERENCES" or (word == "VIEW" and self.verb in ("ALTER", "DROP")) else ""

    def _take(self, at: int, role: str) -> int:
        relation, at = self._relation(at)
        if relation is None:
            return at
        if role == "from":
            self.found.relations.append(relation)
        elif role == "update" or (role == "target" and self.verb != "INSERT"):
            self.found.relations.append(relation)
            self.found.target = self.found.target or relation
        else:
            self.found.target = self.found.target or relation
        if role == "update":
            at = self._more(at)
        return at

    def _more(self, at: int) -> int:
        """Read the further tables of MySQL's `UPDATE a, b SET`."""
        while at < len(self.items) and self.items[at].text == "," and self.items[at].kind is Kind.OPERATOR:
            relation, at = self._relation(at + 1)
            if relation is not None:
                self.found.relations.append(relation)
        return at

    def _relation(self, at: int) -> tuple[Relation | None, int]:
        lateral = False
        while at < len(self.items) and self.items[at].word in _BEFORE_NAME:
            lateral = lateral or self.items[at].word == "LATERAL"
            at += 1
        if at >= len(self.items):
            return None, at
        item = self.items[at]
        if item.kind is Kind.OPEN:
            return self._group(item, at, lateral)
        if item.name is None or item.word in NOT_ALIAS:
            return None, at
        path, at = _chain(self.items, at)
        if (
            at < len(self.items)
            and self.items[at].kind is Kind.OPEN
            and self.verb not in ("INSERT", "REPLACE", "COPY", "CREATE")
        ):
            return self._named(at + 1, outputs=(), path=path)  # a function that yields a table
        cte = self.ctes.get(str(path[0].name).casefold()) if len(path) == 1 else None
        return self._named(at, outputs=cte.outputs if cte else None, path=path, names=cte.names if cte else ())

    def _group(self, group: Item, at: int, lateral: bool) -> tuple[Relation | None, int]:
        if group.is_query:
            self.found.derived.append(group)
            if lateral:
                self.found.lateral.append(group)
            return self._named(at + 1, outputs=self.outputs_of(group, self.ctes))
        nested = _Reader([Item(Kind.WORD, "FROM", "FROM"), *group.items], self.ctes, self.outputs_of)
        nested.read()
        self.found.relations += nested.found.relations
        self.found.derived += nested.found.derived
        self.found.lateral += nested.found.lateral
        self.found.column_lists += nested.found.column_lists
        return None, at + 1

    def _named(
        self, at: int, *, outputs: tuple[Output, ...] | None, path: tuple[Item, ...] = (), names: tuple[Item, ...] = ()
    ) -> tuple[Relation, int]:
        """Return a relation with the alias that stands at `at`, and the place behind it."""
        at = _skip_sample(self.items, at)
        if at < len(self.items) and self.items[at].word == "AS":
            at += 1
        alias = None
        if at < len(self.items) and self.items[at].name is not None and self.items[at].word not in NOT_ALIAS:
            alias = self.items[at]
            at += 1
            if at < len(self.items) and self.items[at].kind is Kind.OPEN and self.verb not in ("INSERT", "REPLACE"):
                names = tuple(names_in(self.items[at]))
                self.found.column_lists.append(self.items[at])
                at += 1
        return Relation(alias=alias, path=path, outputs=outputs, names=names), at


def _chain(items: Sequence[Item], at: int) -> tuple[tuple[Item, ...], int]:
    """Return the names of `a.b.c` at `at`."""
    path = [items[at]]
    at += 1
    while at + 1 < len(items) and items[at].text == "." and items[at + 1].name is not None:
        path.append(items[at + 1])
        at += 2
    return tuple(path), at


def _skip_sample(items: Sequence[Item], at: int) -> int:
    if at < len(items) and items[at].word == "TABLESAMPLE":
        at += 1
        while at < len(items) and (
            items[at].kind is Kind.OPEN or items[at].word in ("BERNOULLI", "SYSTEM", "RESERVOIR")
        ):
            at += 1
    return at


def names_in(group: Item) -> Iterator[Item]:
    """Yield the names that a list in parentheses begins its members with: columns, not their types."""
    fresh = True
    for item in group.items:
        if fresh and item.name is not None:
            yield item
        fresh = item.text == ","
