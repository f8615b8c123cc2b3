"""What stands around a placeholder: whether a list in its place is the members of an `IN (...)`, or one value among others.

Each fact is read from the tokens beside the placeholder; nothing here knows which values there will be.
"""

from __future__ import annotations

import bisect
import enum
from collections.abc import Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.lexer import Kind, Token
from tusk_jupyter.sqltext.placeholders import EXPECTS_OPERAND


class Use(enum.Enum):
    """What a placeholder is to the SQL around it."""

    MEMBER = enum.auto()
    """A whole item of `x IN (...)`, or all that stands behind IN."""
    ANY = enum.auto()
    """All that stands in `= ANY (...)`, ALL or SOME."""
    OPERAND = enum.auto()
    """Compared or computed with."""
    ARGUMENT = enum.auto()
    """An argument of a function."""
    NULL_TEST = enum.auto()
    """Looked at by IS NULL, IS NOT NULL and the like, which give it no type."""
    COUNT = enum.auto()
    """All of a LIMIT or OFFSET, or one of the two numbers of `LIMIT 5, 10`."""
    OTHER = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """An `IN` and the list behind it, as offsets in the statement's text."""

    start: int
    """Of IN, or of the NOT before it."""
    open: int
    """Of the list's parenthesis, or of the placeholder that stands behind IN without any."""
    end: int
    """Behind the closing parenthesis, or the placeholder."""
    negated: bool
    count: int
    """Items in the list."""
    index: int
    """Of this item."""
    width: int
    """Columns of the row on the left, 1 for a single value."""
    left: tuple[int, int] | None
    """The left row within its parentheses."""
    item: tuple[int, int]
    """The placeholder with the parentheses that are only its own."""
    commas: tuple[int | None, int | None]
    """Offsets of the commas before and behind the item."""

    @property
    def alone(self) -> bool:
        """Whether the placeholder is all of the list."""
        return self.count == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A type before a value, as in `DATE :day` and `INTERVAL :n DAY`: the grammars have it for literals only."""

    start: int
    """Offset of the type."""
    end: int
    """Behind the value, or behind the unit of time that follows it."""
    type: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around one placeholder."""

    use: Use = Use.OTHER
    members: Members | None = None
    word: str = ""
    """The function of an argument, or ANY, ALL, SOME, in upper case; a cast's with its type, as CAST AS TEXT."""
    literal: Literal | None = None


ELSEWHERE = Around()
_COMPARES = frozenset(
    {"LIKE", "ILIKE", "BETWEEN", "GLOB", "MATCH", "REGEXP", "RLIKE", "SIMILAR", "IN", "IS", "DISTINCT"}
)
_NULL_TESTS = frozenset({"ISNULL", "NOTNULL"})
_LONGEST = 64
"""Characters of a word that is looked at; longer ones are nobody's keywords."""
_ANY = frozenset({"ANY", "ALL", "SOME"})
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "FROM"})
_CLAUSES = frozenset(
    "SELECT FROM WHERE SET VALUES ON HAVING RETURNING WHEN THEN ELSE AND OR NOT JOIN QUALIFY LIMIT UPDATE".split()  # noqa: SIM905
)
_LITERALS = frozenset({"DATE", "DATETIME", "INTERVAL", "TIME", "TIMESTAMP", "TIMESTAMPTZ"})
_UNITS = frozenset("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND MICROSECOND".split())  # noqa: SIM905
_READS = ("->", "->>", "#>", "#>>", "@>", "<@", "::")
"""Operators beside which a list is JSON or an array, or whose other side says what it becomes."""


def surroundings(text: str, part: Sequence[Token], starts: Sequence[int]) -> list[Around]:
    """Return what stands around the placeholders of one statement; offsets in it are from its beginning.

    Args:
        text: holds the statement.
        part: its tokens, one or more.
        starts: where the placeholders' colons are in `text`.
    """
    code = _Tokens(text, [token for token in part if token.kind is not Kind.COMMENT], part[0].start)
    at = {start: bisect.bisect_left(code.tokens, start, key=lambda token: token.start) for start in starts}
    return [code.around(at[start]) for start in starts]


class _Tokens:
    def __init__(self, text: str, tokens: Sequence[Token], shift: int) -> None:
        self.text, self.tokens, self.shift = text, tokens, shift
        self.partner: dict[int, int] = {}
        self.outer: list[int | None] = []
        """For each token the parenthesis around it."""
        self.clause: list[str] = []
        """For each token the clause that it is in, between its parentheses."""
        self.commas: dict[int, list[int]] = {}
        """Between the items of a list, by its parenthesis, as far as asked for."""
        opened: list[int] = []
        clauses = [""]
        for index, token in enumerate(tokens):
            if token.kind is Kind.CLOSE and opened:
                self.partner[index] = opened.pop()
                self.partner[self.partner[index]] = index
                clauses.pop()
            elif token.kind is Kind.WORD and (word := text[token.start : token.end].upper()) in _CLAUSES:
                clauses[-1] = word
            self.outer.append(opened[-1] if opened else None)
            self.clause.append(clauses[-1])
            if token.kind is Kind.OPEN:
                opened.append(index)
                clauses.append("")

    def word(self, index: int) -> str:
        """Return a token's text in upper case, "" for none and for literals and quoted names."""
        if not 0 <= index < len(self.tokens) or self.tokens[index].kind in (Kind.STRING, Kind.NAME):
            return ""
        token = self.tokens[index]
        return self.text[token.start : token.end].upper() if token.end - token.start <= _LONGEST else ""

    def start(self, index: int) -> int:
        return self.tokens[index].start - self.shift

    def end(self, index: int) -> int:
        return self.tokens[index].end - self.shift

    def around(self, colon: int) -> Around:
        first, last = colon, colon + 1
        if self.word(first - 1) in _LITERALS and self.word(first - 2) not in ("AS", "::", "."):
            return Around(literal=self._literal(first - 1, last))
        if self.word(first - 1) == "IN":
            return Around(use=Use.MEMBER, members=self._members(first - 1, first, last))
        while self._wrapped(first, last):
            first, last = first - 1, last + 1
        opened = self.outer[first]
        if opened is not None:
            keyword = self.word(opened - 1)
            if keyword == "IN" and self._is_item(first, last) and self.word(opened + 1) not in _QUERIES:
                return Around(use=Use.MEMBER, members=self._members(opened - 1, first, last))
            if keyword in _ANY and self.partner.get(opened) == last + 1 and first == opened + 1:
                return Around(use=Use.ANY, word=keyword)
        if self.word(first - 1) in ("LIMIT", "OFFSET") or (
            self.clause[first] == "LIMIT" and self.word(first - 1) == ","
        ):
            return Around(use=Use.COUNT, word=self.word(first - 1))
        if self._is_null_test(last):
            return Around(use=Use.NULL_TEST)
        if self._is_operand(first, last):
            return Around(use=Use.OPERAND)
        call = self._call(opened)
        if call == "CAST" and self.word(last + 1) == "AS":
            call = f"CAST AS {self.word(last + 2)}"
        return Around(use=Use.ARGUMENT, word=call) if call else ELSEWHERE

    def _literal(self, kind: int, last: int) -> Literal:
        unit = self.word(last + 1).removesuffix("S")
        last += unit in _UNITS
        return Literal(
            start=self.start(kind),
            end=self.end(last),
            type=self.word(kind),
            unit=unit if unit in _UNITS else "",
        )

    def _wrapped(self, first: int, last: int) -> bool:
        """Return whether parentheses stand around it that are neither a list nor a call."""
        opened = first - 1
        if opened < 0 or self.word(opened) != "(" or self.partner.get(opened) != last + 1:
            return False
        before = self.word(opened - 1)
        return not (before in _ANY or before in ("IN", "VALUES", "ROW") or self._is_called(opened))

    def _is_item(self, first: int, last: int) -> bool:
        return self.word(first - 1) in ("(", ",") and self.word(last + 1) in (")", ",")

    def _is_null_test(self, last: int) -> bool:
        following = self.word(last + 1)
        if following in _NULL_TESTS:
            return True
        return following == "IS" and "NULL" in (
            self.word(last + 2),
            self.word(last + 3) if self.word(last + 2) == "NOT" else "",
        )

    def _is_operand(self, first: int, last: int) -> bool:
        before, following = self.word(first - 1), self.word(last + 1)
        if following == "NOT":
            following = self.word(last + 2)
        if before in _COMPARES or following in _COMPARES - {"IS"} or following == "IS":
            return True
        if self._is_operator(first - 1) and not self._is_assigned(first - 1):
            return True
        return self._is_operator(last + 1)

    def _is_operator(self, index: int) -> bool:
        if not 0 <= index < len(self.tokens) or self.tokens[index].kind is not Kind.OPERATOR:
            return False
        token = self.tokens[index]
        reads = self.text.startswith(_READS, token.start) or self.text.endswith(_READS, 0, token.end)
        return not reads and self.word(index) not in (",", ".", ":=")

    def _is_assigned(self, index: int) -> bool:
        """Return whether `=` is that of SET and not a comparison."""
        return self.word(index) == "=" and self.clause[index] in ("SET", "UPDATE")

    def _call(self, opened: int | None) -> str:
        """Return the function within whose parentheses something stands."""
        while opened is not None:
            if self._is_called(opened):
                return self.word(opened - 1) or "A QUOTED NAME"
            if self.word(opened) != "(" or self.word(opened - 1) in EXPECTS_OPERAND - {"SELECT"}:
                return ""
            opened = self.outer[opened]
        return ""

    def _is_called(self, opened: int) -> bool:
        if opened < 1 or self.word(opened) != "(":
            return False
        before = self.tokens[opened - 1]
        return before.kind is Kind.NAME or (
            before.kind is Kind.WORD and self.word(opened - 1) not in EXPECTS_OPERAND and self.word(opened - 1) != "ROW"
        )

    def _members(self, keyword: int, first: int, last: int) -> Members:
        opened = keyword + 1
        bare = opened == first
        closed = last if bare else self.partner.get(opened, len(self.tokens) - 1)
        negated = self.word(keyword - 1) == "NOT"
        begins = keyword - negated
        width, left = self._left(begins - 1)
        return Members(
            start=self.start(begins),
            open=self.start(opened),
            end=self.end(closed),
            negated=negated,
            count=1 if bare else self._count(opened, closed),
            index=0 if bare else self._count(opened, closed, before=first),
            width=width,
            left=left,
            item=(self.start(first), self.end(last)),
            commas=(None, None) if bare else (self._comma(first - 1), self._comma(last + 1)),
        )

    def _left(self, last: int) -> tuple[int, tuple[int, int] | None]:
        """Return how many columns the value that ends with a token has, and where they stand."""
        opened = self.partner.get(last, last)
        if opened >= last or self.word(last) != ")" or self._is_called(opened) or self.word(opened + 1) in _QUERIES:
            return 1, None
        return self._count(opened, last), (self.end(opened), self.start(last))

    def _count(self, opened: int, closed: int, before: int | None = None) -> int:
        """Return how many items stand between two parentheses, or before a token there."""
        if opened not in self.commas:
            inside = range(opened + 1, closed)
            self.commas[opened] = [at for at in inside if self.outer[at] == opened and self.word(at) == ","]
        commas = self.commas[opened]
        return 1 + len(commas) if before is None else bisect.bisect_left(commas, before)

    def _comma(self, at: int) -> int | None:
        return self.start(at) if self.word(at) == "," else None
