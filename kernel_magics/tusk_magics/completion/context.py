"""What may stand at the cursor of an SQL text: a pure function of text, cursor and dialect.

It reads backwards from the cursor to the clause, and asks there whether a name is expected (behind FROM, a comma, an
operator) or whether one has just ended, so that only keywords can follow.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind
from tusk_magics.completion import keywords
from tusk_magics.completion.clause import Clause, clause_at, ends_operand, explained, verb_of
from tusk_magics.completion.groups import Role, role_of
from tusk_magics.completion.relations import Relation, find_relations, names_in
from tusk_magics.completion.scope import Outputs, Scope, outputs, scope_of
from tusk_magics.completion.tree import Item, Typed, typed_at


class Want(enum.StrEnum):
    """A kind of candidate, in the order in which a context lists them."""

    TABLE = "table"
    COLUMN = "column"
    """Of any relation in scope."""
    TARGET = "target"
    """Columns of the table that is written to, without those that are listed already."""
    COMMON = "common"
    """Columns that both sides of a join have."""
    RELATION = "relation"
    """Aliases and names of the relations in scope."""
    OUTPUT = "output"
    """Aliases of the SELECT list."""
    CONDITION = "condition"
    """Whole join conditions."""
    FUNCTION = "function"
    PARAMETER = "parameter"
    TYPE = "type"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What may stand at the cursor."""

    typed: Typed
    scope: Scope
    wants: tuple[Want, ...] = ()
    keywords: tuple[str, ...] = ()
    target: Relation | None = None
    listed: frozenset[str] = frozenset()
    """Columns that a list names already, case-folded."""
    outputs: tuple[Item, ...] = ()
    keywords_first: bool = False
    sides: tuple[Relation, ...] = ()
    """Relations before the cursor: those that a join can join, the one joined last."""


_OF_DATABASE = frozenset([Want.TABLE, Want.COLUMN, Want.TARGET, Want.COMMON, Want.CONDITION, Want.SCHEMA])
_EXPRESSION = (Want.COLUMN, Want.RELATION, Want.FUNCTION)
_COLUMN_LISTS = {
    "SELECT": _EXPRESSION,
    "ON": _EXPRESSION,
    "WHERE": _EXPRESSION,
    "GROUP BY": (Want.COLUMN, Want.OUTPUT, Want.RELATION, Want.FUNCTION),
    "HAVING": (Want.COLUMN, Want.OUTPUT, Want.RELATION, Want.FUNCTION),
    "ORDER BY": (Want.OUTPUT, Want.COLUMN, Want.RELATION, Want.FUNCTION),
    "LIMIT": (Want.FUNCTION,),
    "VALUES": (Want.FUNCTION,),
    "RETURNING": (Want.TARGET, *_EXPRESSION),
    "WINDOW": _EXPRESSION,
    "CALL": (Want.FUNCTION,),
}


def context_at(text: str, cursor: int, dialect: str) -> Context | None:
    """Return what may stand at `cursor` of an SQL text; None where nothing may be offered.

    Args:
        text: one or more statements; only the one at the cursor counts.
        cursor: offset in characters.
        dialect: name of the lexer's dialect; an unknown one is read as ANSI.
    """
    typed = typed_at(text, cursor, DIALECTS.get(dialect, DIALECTS["ansi"]))
    if typed is None or typed.touches:
        return None
    scope = scope_of(typed.path, typed.cursor)
    if typed.parameter:
        return Context(typed=typed, scope=scope, wants=(Want.PARAMETER,))
    return _Reader(typed, scope, dialect).read()


def needs_schema(context: Context) -> bool:
    """Whether names of the database can stand there."""
    return bool(context.wants) and not _OF_DATABASE.isdisjoint(context.wants)


class _Reader:
    """Reads the place of the cursor."""

    def __init__(self, typed: Typed, scope: Scope, dialect: str) -> None:
        self.typed, self.scope, self.dialect = typed, scope, dialect
        self.found = scope.here.found if scope.here else None
        self.items: Sequence[Item] = scope.here.items if scope.here else ()
        self.verb = verb_of(self.items)

    def read(self) -> Context | None:
        group = self.typed.path[-1]
        if len(self.typed.path) > 1 and not group.is_query:
            return self._in_group(group)
        if not any(item is self.typed.cursor for item in self.items):
            return self._in_with(_left(group.items))
        left = explained(_left(self.items))
        return self._at(clause_at(left), left)

    def _context(self, *wants: Want, words: Sequence[str] = (), **more: object) -> Context:
        return Context(typed=self.typed, scope=self.scope, wants=wants, keywords=tuple(words), **more)  # type: ignore[arg-type]

    def _in_with(self, left: Sequence[Item]) -> Context | None:
        """Between WITH and the query: names are new there."""
        last = left[-1] if left else None
        if last is None or last.word == "WITH":
            return self._context(words=("RECURSIVE",))
        if last.name is not None and last.word not in ("AS", "RECURSIVE"):
            return self._context(words=keywords.AFTER["WITH"])
        return self._context() if last.word != "AS" else self._context(words=("MATERIALIZED", "NOT MATERIALIZED"))

    def _in_group(self, group: Item) -> Context | None:
        parent = self.typed.path[-2]
        before = _until(parent.items, group)
        if parent.is_query or len(self.typed.path) == 2:
            before = _until(self.items, group) or before
        role = role_of(before, group, self.verb, self.found)
        left = _left(group.items)
        last = left[-1] if left else None
        at_name = last is None or last.text == ","
        match role:
            case Role.NEW_NAMES:
                return None
            case Role.TARGET:
                return self._target(group) if at_name else None
            case Role.REFERENCED:
                path = tuple(item for item in before[-1:] if item.name is not None)
                return self._context(Want.TARGET, target=Relation(path=path)) if at_name else None
            case Role.COMMON:
                return self._context(Want.COMMON, listed=_listed(group), sides=self._sides(before)) if at_name else None
            case Role.RELATIONS:
                left = [Item(Kind.WORD, "FROM", "FROM"), *left]
                if len(left) == 1:
                    return self._context(Want.TABLE, words=keywords.QUERY_START, keywords_first=True)
                return self._at(clause_at(left), left)
            case Role.WINDOW:
                return self._window(left)
            case Role.FILTER:
                return self._at(clause_at(left), left) if left else self._context(words=("WHERE",))
            case Role.DEFINITIONS:
                return self._definitions(left)
            case Role.QUERY:
                return self._context(words=keywords.QUERY_START)
            case Role.VALUES:
                return self._expression("VALUES", left)
        return self._arguments(group, left)

    def _at(self, clause: Clause, left: Sequence[Item]) -> Context | None:
        if not left:
            return self._start()
        continued = _continued(left, self.dialect)
        if continued:
            return self._context(words=continued)
        if clause.name == "FROM":
            return self._relation(clause, left)
        if clause.name == "INTO":
            return self._context(Want.TABLE) if not clause.tail else self._context(words=keywords.AFTER["INSERT"])
        if clause.name == "UPDATE":
            return self._relation(clause, left)
        if clause.name == "SET" and self.verb != "SET":
            return self._set(clause)
        if clause.name == "OBJECT":
            return self._object(clause)
        if clause.name == "ON" and not clause.tail:
            return self._context(Want.CONDITION, *_EXPRESSION, sides=self._sides(left))
        if clause.word == "CONFLICT":
            return self._context(words=keywords.AFTER["CONFLICT"])
        if clause.name == "OTHER":
            return self._other(left)
        return self._expression(clause.name, clause.tail)

    def _start(self) -> Context:
        if self.typed.path[-1].items and len(self.typed.path) == 1 and self.items is not self.typed.statement.items:
            in_with = any(item.word == "WITH" for item in self.typed.statement.items)
            if in_with:
                return self._context(words=("SELECT", "INSERT INTO", "UPDATE", "DELETE FROM", "VALUES"))
        if len(self.typed.path) > 1:
            return self._context(words=keywords.QUERY_START)
        return self._context(words=keywords.statements(self.dialect))

    def _relation(self, clause: Clause, left: Sequence[Item]) -> Context | None:
        tail = clause.tail
        last = tail[-1] if tail else None
        if last is None or last.word in ("ONLY", "LATERAL"):
            extra = keywords.before("FROM", self.dialect) if clause.name == "FROM" else ()
            return self._context(Want.TABLE, words=extra, sides=self._sides(left) if clause.word == "JOIN" else ())
        if last.word == "AS" or last.text == ".":
            return None
        if last.word in ("LEFT", "RIGHT", "FULL"):
            return self._context(words=("JOIN", "OUTER JOIN"))
        if last.word in ("INNER", "CROSS", "NATURAL", "OUTER", "ASOF", "SEMI", "ANTI", "POSITIONAL"):
            return self._context(words=("JOIN", "LEFT JOIN") if last.word == "NATURAL" else ("JOIN",))
        if clause.name == "UPDATE":
            return self._context(words=keywords.AFTER["UPDATE"])
        if self.verb == "MERGE":
            return self._context(words=keywords.AFTER["MERGE"])
        return self._context(words=keywords.AFTER["JOINED" if clause.word == "JOIN" else "FROM"])

    def _set(self, clause: Clause) -> Context | None:
        member = _last_member(clause.tail)
        if any(item.text == "=" for item in member):
            return self._expression("SET", member, wants=(Want.TARGET, *_EXPRESSION))
        if member:
            return None
        assigned = frozenset(str(item.name).casefold() for item in _starts(clause.tail))
        if self.dialect == "mysql" and self.found and len(self.found.relations) > 1:
            return self._context(Want.COLUMN, Want.RELATION, listed=assigned)
        return self._context(Want.TARGET, target=self._written(), listed=assigned)

    def _object(self, clause: Clause) -> Context | None:
        """Statements about one table: DROP, TRUNCATE, ALTER, DESCRIBE, CREATE INDEX ... ON."""
        tail = [item for item in clause.tail if item.word not in ("IF", "EXISTS", "ONLY", "NOT")]
        if not tail or (tail[-1].text == "," and self.verb != "ALTER"):
            words = keywords.before("TABLES", self.dialect) if clause.word in ("TABLE", "TRUNCATE", "VIEW") else ()
            return self._context(Want.TABLE, words=words)
        if self.verb == "ALTER":
            if tail[-1].word in ("COLUMN", "DROP", "ALTER", "RENAME"):
                words = () if tail[-1].word == "COLUMN" else ("COLUMN", "CONSTRAINT", "TO")
                return self._context(Want.TARGET, words=words, target=self._written())
            if tail[-1].text == ",":
                return self._context(words=keywords.BEFORE["ALTER"])
            return self._context(words=keywords.AFTER["ALTER"])
        return self._context(words=keywords.AFTER["OTHER"])

    def _other(self, left: Sequence[Item]) -> Context | None:
        last = left[-1]
        if last.word == "AS" and self.verb == "CREATE":
            return self._context(words=keywords.QUERY_START)
        if self.verb == "USE":
            return self._context(Want.SCHEMA) if len(left) == 1 else None
        if self.verb == "CREATE":
            return self._context(words=("AS", "ON")) if last.kind is Kind.OPEN or len(left) > 2 else None
        return self._context(words=keywords.AFTER["OTHER"]) if len(left) > 1 else None

    def _target(self, group: Item) -> Context:
        return self._context(Want.TARGET, target=self._written(), listed=_listed(group))

    def _written(self) -> Relation | None:
        return self.found.target if self.found else None

    def _window(self, left: Sequence[Item]) -> Context | None:
        if not left:
            return self._context(words=keywords.BEFORE["WINDOW"])
        return self._expression("WINDOW", left)

    def _definitions(self, left: Sequence[Item]) -> Context | None:
        member = _last_member(left)
        if not member:
            return self._context(words=keywords.BEFORE["DEFINITION"])
        if member[-1].word == "REFERENCES":
            return self._context(Want.TABLE)
        if len(member) == 1:
            return self._context(Want.TYPE)
        return self._context(words=keywords.AFTER["DEFINITION"])

    def _arguments(self, group: Item, left: Sequence[Item]) -> Context | None:
        """Parentheses of an expression: a function's arguments, a list, a subquery that has not begun."""
        last = left[-1] if left else None
        if group.opener in ("CAST", "TRY_CAST", "SAFE_CAST") and last is not None and last.word == "AS":
            return self._context(Want.TYPE)
        outer = self._outer_clause()
        context = self._expression(outer, left)
        if group.opener in ("EXCLUDE", "EXCEPT", "REPLACE"):
            return self._context(Want.COLUMN)
        if context is None or left:
            return context
        if group.opener == "EXISTS":
            return self._context(words=keywords.QUERY_START)
        words = (*(("DISTINCT",) if group.opener not in ("", "IN") else ()), "SELECT", *context.keywords)
        return self._context(*context.wants, words=words, target=context.target, outputs=context.outputs)

    def _outer_clause(self) -> str:
        """Return the clause that the outermost parenthesis around the cursor stands in."""
        holder = next((group for group in self.typed.path[1:] if any(item is group for item in self.items)), None)
        name = clause_at(_until(self.items, holder) if holder else ()).name
        return name if name in _COLUMN_LISTS else "WHERE"

    def _expression(self, clause: str, tail: Sequence[Item], wants: tuple[Want, ...] = ()) -> Context | None:
        last = tail[-1] if tail else None
        if last is not None and last.text == "::":
            return self._context(Want.TYPE)
        if last is not None and last.text in ("@", "@@", "$", "?", "#", "\\") and last.kind is Kind.OPERATOR:
            return None
        if last is not None and (last.word == "AS" or last.text == "."):
            return None  # a new name, or `a. b`
        wants = wants or _COLUMN_LISTS.get(clause, _EXPRESSION)
        if clause == "CALL" and last is not None:
            wants = ()
        if ends_operand(tail):
            return self._after_operand(clause, tail)
        words = _before(clause, last)
        if last is not None and last.word == "IS":
            return self._context(words=words)
        return self._context(
            *wants, words=words, target=self._written(), outputs=self._aliases(),
        )  # fmt: skip

    def _after_operand(self, clause: str, tail: Sequence[Item]) -> Context | None:
        words = keywords.AFTER.get(clause, keywords.AFTER["WHERE"])
        case = _open_case(tail)
        return self._context(words=(*keywords.IN_CASE, *words) if case else words)

    def _sides(self, left: Sequence[Item]) -> tuple[Relation, ...]:
        return tuple(find_relations(left, self.scope.ctes, Outputs()).relations)

    def _aliases(self) -> tuple[Item, ...]:
        """Return the aliases of the SELECT list, without the columns that it just names."""
        if self.found is None:
            return ()
        return tuple(name for name in (output.name for output in outputs(self.items, self.found)) if name is not None)


def _left(items: Sequence[Item]) -> list[Item]:
    """Return the items before the cursor."""
    return list(items[: next((i for i, item in enumerate(items) if item.kind is None), len(items))])


def _until(items: Sequence[Item], group: Item) -> list[Item]:
    """Return the items before a group; nothing when it is not among them."""
    at = next((i for i, item in enumerate(items) if item is group), None)
    return [] if at is None else list(items[:at])


def _listed(group: Item) -> frozenset[str]:
    return frozenset(str(item.name).casefold() for item in names_in(group))


def _last_member(items: Sequence[Item]) -> Sequence[Item]:
    """Return what follows the last comma."""
    at = next((i for i in range(len(items) - 1, -1, -1) if items[i].text == ","), -1)
    return items[at + 1 :]


def _starts(items: Sequence[Item]) -> list[Item]:
    """Return the first name of each member of a list."""
    return [
        item
        for index, item in enumerate(items)
        if item.name is not None and (index == 0 or items[index - 1].text == ",")
    ]


def _before(clause: str, last: Item | None) -> tuple[str, ...]:
    """Return the keywords that can begin an operand."""
    if last is not None and last.word == "IS":
        return ("NULL", "NOT NULL", "DISTINCT FROM", "TRUE", "FALSE")
    if last is not None and last.word == "CASE":
        return ("WHEN",)
    if last is not None and last.word == "NOT":
        return ("EXISTS", "NULL", "IN", "LIKE", "BETWEEN")
    if last is None and clause in keywords.BEFORE:
        return keywords.BEFORE[clause]
    return (*keywords.operands(), "FROM") if clause == "SELECT" else keywords.operands()


def _open_case(tail: Sequence[Item]) -> bool:
    return sum((item.word == "CASE") - (item.word == "END") for item in tail) > 0


def _continued(left: Sequence[Item], dialect: str) -> tuple[str, ...]:
    """Return how a keyword of several words goes on: BY behind GROUP, TABLE and VIEW behind DROP."""
    last = left[-1].word
    if last in ("GROUP", "ORDER", "PARTITION"):
        return ("BY",)
    words = [item.word for item in left]
    if not all(words) or len(words) > 3:
        return ()
    begun = " ".join(words) + " "
    found = (text[len(begun) :] for text in keywords.statements(dialect) if text.startswith(begun))
    return tuple(dict.fromkeys(found))
