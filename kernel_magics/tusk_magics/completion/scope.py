"""What can be named at the cursor: relations of the query around it, of the queries around that one, and CTEs.

The walk goes from the statement down to the cursor. A subquery in FROM does not see its neighbours (unless LATERAL), any
other subquery sees them; a CTE sees the ones before it, and itself when it is recursive; a branch of a UNION sees only its
own relations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tusk_jupyter.sqltext.lexer import Kind
from tusk_magics.completion.relations import (
    ENDS_FROM,
    SET_WORDS,
    Ctes,
    Found,
    Output,
    OutputsOf,
    Relation,
    find_relations,
    names_in,
)
from tusk_magics.completion.tree import Item

_DEEPEST = 40  # nested queries; nobody types more, and a text of parentheses must not end in a RecursionError
_ENDS_OUTPUTS = (ENDS_FROM - {"SELECT"}) | {"FROM", "INTO"}
_BEFORE_OUTPUTS = frozenset(["DISTINCT", "ALL", "ON"])
_STAR_WITHOUT = frozenset(["EXCLUDE", "EXCEPT"])


@dataclass(slots=True)
class Level:
    """One query's relations, and where in its items the cursor is."""

    items: Sequence[Item]
    """Of the branch that holds the cursor."""
    found: Found


@dataclass(slots=True)
class Scope:
    """All that can be named."""

    levels: list[Level] = field(default_factory=list)
    """Visible queries, the innermost first."""
    ctes: dict[str, Relation] = field(default_factory=dict)
    here: Level | None = None
    """The query that the cursor is directly in, whether its relations are visible at the cursor or not."""

    @property
    def relations(self) -> list[Relation]:
        """All visible relations, the innermost query's first."""
        return [relation for level in self.levels for relation in level.found.relations]


def scope_of(path: Sequence[Item], cursor: Item) -> Scope:
    """Return what is visible at the end of a path of groups."""
    scope = Scope()
    recursion = Outputs()
    for depth, group in enumerate(path):
        if depth and not group.is_query:
            continue
        child = path[depth + 1] if depth + 1 < len(path) else cursor
        _enter(scope, group, child, recursion)
    return scope


def _enter(scope: Scope, group: Item, child: Item, recursion: OutputsOf) -> None:
    query = Query(group.items, scope.ctes, recursion=recursion)
    scope.ctes = dict(query.ctes)
    scope.here = None
    body = query.body_with(child)
    if body is not None:  # in a CTE: it does not see the query that it is for
        scope.ctes = dict(body)
        return
    items = query.branch_with(child)
    found = find_relations(items, scope.ctes, recursion)
    level = scope.here = Level(items, found)
    if child in found.derived and child not in found.lateral:
        return
    scope.levels.insert(0, level)


class Query:
    """One query level: its WITH list and the branches of its set operations."""

    def __init__(self, items: Sequence[Item], ctes: Ctes, *, recursion: OutputsOf) -> None:
        self.ctes: dict[str, Relation] = dict(ctes)
        self._bodies: list[tuple[Item, dict[str, Relation]]] = []
        """CTE bodies (and column lists) with what is visible in them."""
        self._outputs_of = recursion
        rest = self._read_with(items)
        self.branches = _branches(rest)

    def body_with(self, child: Item) -> dict[str, Relation] | None:
        """Return the CTEs visible in `child` when it is the body of one."""
        return next((ctes for body, ctes in self._bodies if body is child), None)

    def branch_with(self, child: Item) -> Sequence[Item]:
        """Return the branch that holds an item."""
        return next((branch for branch in self.branches if any(item is child for item in branch)), [])

    def _read_with(self, items: Sequence[Item]) -> Sequence[Item]:
        """Read the WITH list and return what follows it."""
        start = next((i for i, item in enumerate(items) if item.word == "WITH"), None)
        if start is None or any(item.word in ("SELECT", "FROM", "UPDATE", "DELETE") for item in items[:start]):
            return items
        at = start + 1
        recursive = at < len(items) and items[at].word == "RECURSIVE"
        at += recursive
        while at < len(items) and (items[at].name is not None or items[at].kind is None):
            if items[at].word in ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "FROM"):
                break
            at = self._read_cte(items, at, recursive)
            if at >= len(items) or items[at].text != ",":
                break
            at += 1
        return [*items[:start], *items[at:]]

    def _read_cte(self, items: Sequence[Item], at: int, recursive: bool) -> int:
        """Read `name (columns) AS MATERIALIZED (query)`."""
        name = items[at]
        names: tuple[Item, ...] = ()
        at += 1
        if at < len(items) and items[at].kind is Kind.OPEN and name.name is not None:
            names = tuple(names_in(items[at]))
            self._bodies.append((items[at], {}))
            at += 1
        while at < len(items) and (items[at].word in ("AS", "NOT", "MATERIALIZED") or items[at].kind is None):
            at += 1
        if at < len(items) and items[at].kind is Kind.OPEN and name.name is not None:
            body, before = items[at], dict(self.ctes)
            outputs = self._outputs_of(body, before)
            relation = Relation(path=(name,), outputs=outputs, names=names)
            self.ctes[name.name.casefold()] = relation
            self._bodies.append((body, dict(self.ctes) if recursive else before))
            at += 1
        return at


def _branches(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Split a query at UNION, EXCEPT and INTERSECT; `* EXCEPT (a)` is none of them."""
    branches: list[list[Item]] = [[]]
    for index, item in enumerate(items):
        before = items[index - 1] if index else None
        if item.word in SET_WORDS and not (before is not None and before.text == "*"):
            branches.append([])
        branches[-1].append(item)
    return list(branches)


class Outputs(OutputsOf):
    """Outputs of nested queries, not deeper than anyone types."""

    def __init__(self) -> None:
        self._depth = 0

    def __call__(self, query: Item, ctes: Ctes) -> tuple[Output, ...]:
        """Return the outputs of a query group."""
        if self._depth >= _DEEPEST or not query.items:
            return ()
        self._depth += 1
        try:
            level = Query(query.items, ctes, recursion=self)
            branch = level.branches[0]
            if len(branch) == 1 and branch[0].kind is Kind.OPEN:
                return self(branch[0], level.ctes)
            return outputs(branch, find_relations(branch, level.ctes, self))
        finally:
            self._depth -= 1


def outputs(branch: Sequence[Item], found: Found) -> tuple[Output, ...]:
    """Return the columns that a branch yields."""
    start = next((i for i, item in enumerate(branch) if item.word in ("SELECT", "RETURNING")), None)
    relations = tuple(found.relations) or ((found.target,) if found.target else ())
    if start is None:
        return (Output(None, star=relations),) if branch and branch[0].word in ("FROM", "TABLE") and relations else ()
    listed: list[Output] = []
    member: list[Item] = []
    for item in branch[start + 1 :]:
        if item.word in _ENDS_OUTPUTS and not (item.word == "EXCEPT" and member and member[-1].text == "*"):
            break
        if item.text == "," and item.kind is Kind.OPERATOR:
            listed += _output(member, relations)
            member = []
        elif item.kind is not None and (member or item.word not in _BEFORE_OUTPUTS):
            member.append(item)
    return (*listed, *_output(member, relations))


def _output(member: Sequence[Item], relations: tuple[Relation, ...]) -> list[Output]:
    """Return the column that a member of a SELECT list yields; none where it has no name that is written."""
    star = next((i for i, item in enumerate(member) if item.text == "*"), None)
    if star == 0 or (star == 2 and member[1].text == "."):
        return [_star(member, star, relations)]
    if not member or member[-1].name is None:
        return []
    last, before = member[-1], member[-2] if len(member) > 1 else None
    if before is None or before.word == "AS" or before.text == ".":
        return [Output(last)]
    if before.kind in (Kind.WORD, Kind.NAME, Kind.STRING, Kind.NUMBER, Kind.OPEN) and last.word != "END":
        return [Output(last)]  # an alias without AS
    return []


def _star(member: Sequence[Item], star: int, relations: tuple[Relation, ...]) -> Output:
    if star == 2:
        relations = tuple(relation for relation in relations if relation.is_called(member[0]))
    without: frozenset[str] = frozenset()
    if len(member) > star + 2 and member[star + 1].word in _STAR_WITHOUT:
        listed = member[star + 2]
        names = names_in(listed) if listed.kind is Kind.OPEN else [listed]
        without = frozenset(str(item.name).casefold() for item in names)
    return Output(None, star=relations, without=without)
