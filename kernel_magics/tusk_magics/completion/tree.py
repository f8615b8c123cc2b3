"""The statement under the cursor as a tree of parentheses, however unfinished it is.

A parser wants a whole statement; here the middle is missing by definition. So the text is cut at the cursor, both sides go
through the dialect's own lexer, and what is being typed becomes one CURSOR item. A parenthesis that nobody closed ends at
the FROM that cannot belong to it: in `SELECT count(| FROM orders` the table is in scope.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.placeholders import placeholder_places

BEHIND = 12_000
"""Characters looked at before the cursor; with those ahead, the densest text takes 40 ms."""
AHEAD = 6_000
DEEPEST = 60
"""Parentheses open at once; nobody types more, and the walks over the tree are recursive."""
_LETTERS = re.compile(r"[\w$]*")
_PROBE = " x"  # what is open at the cursor swallows it
_QUERY_WORDS = frozenset(["SELECT", "WITH", "FROM", "VALUES", "INSERT", "UPDATE", "DELETE", "TABLE", "MERGE"])
_FROM_INSIDE = frozenset(["EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION"])
"""Functions whose arguments hold a FROM."""
_NOT_CALLED = frozenset(
    [
        "IN",
        "FROM",
        "JOIN",
        "AS",
        "EXISTS",
        "ANY",
        "ALL",
        "SOME",
        "LATERAL",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "NOT",
        "AND",
        "OR",
    ]
)


@dataclass(slots=True, eq=False)
class Item:
    """A word, name, literal, sign or group of a statement; or the CURSOR."""

    kind: Kind | None
    """None: the cursor."""
    text: str = ""
    """A word in upper case, a sign as it is."""
    word: str = ""
    """A word's text, or "" for everything else."""
    name: str | None = None
    """What it means as an identifier, without quotes."""
    quoted: bool = False
    items: list[Item] = field(default_factory=list)
    """Of a group."""
    opener: str = ""
    """Of a group: the word before it."""

    @property
    def is_query(self) -> bool:
        """Whether a group is a query of its own, or a statement."""
        first = self.items[0] if self.items else None
        if first is None or first.kind is not Kind.WORD:
            return first is not None and first.kind is Kind.OPEN and self._is_set()
        return first.text in _QUERY_WORDS

    def _is_set(self) -> bool:
        return len(self.items) > 1 and self.items[1].text in ("UNION", "EXCEPT", "INTERSECT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What is being typed, and the statement around it."""

    prefix: str
    """Of the name, without quotes."""
    quote: str = ""
    """The opening quote, when one is open."""
    closed: bool = False
    """The closing quote already stands behind the cursor."""
    start: int
    """Where the name begins in the text, quote included."""
    touches: bool = False
    """The cursor stands directly behind a complete operand: there is nothing to type."""
    parameter: bool = False
    """A `:name` placeholder is being typed."""
    qualifier: tuple[Item, ...] = ()
    """Names with dots before it."""
    path: tuple[Item, ...] = ()
    """Groups from the statement down to the one that holds the cursor."""
    cursor: Item

    @property
    def statement(self) -> Item:
        """The whole statement."""
        return self.path[0]


def typed_at(text: str, cursor: int, dialect: Dialect) -> Typed | None:
    """Return what is typed at the cursor; None inside comments, literals and numbers."""
    offset = max(0, cursor - BEHIND)
    before, after = text[offset:cursor], text[cursor : cursor + AHEAD]
    left = tokens(before + _PROBE, dialect)
    last = next((token for token in reversed(left) if token.start < len(before)), None)
    left = [token for token in left if token.start < len(before)]
    prefix, quote, start, touches = "", "", len(before), False
    if last is not None and last.end > len(before):
        if last.kind is not Kind.NAME:
            return None
        quote, start = before[last.start], left.pop().start
        if quote not in '"`[':
            return None  # U&"..." is nothing to complete
        prefix = _unquoted(before[start:])
    elif last is not None and last.end == len(before):
        if last.kind is Kind.NUMBER:
            return None
        if last.kind is Kind.WORD:
            start = left.pop().start
            prefix = before[start:]
        touches = not prefix and last.kind in (Kind.STRING, Kind.NAME, Kind.CLOSE)
    left = _behind_begin(before, _behind_separator(left))
    rest, closed = _rest(after, quote)
    qualifier = _qualifier(before, left, start)
    if qualifier is None:
        return None
    del left[len(left) - 2 * len(qualifier) :]
    mark, behind = Item(None), after[rest:]
    right = _to_separator(tokens(behind, dialect))
    if _depth(left) > DEEPEST or _depth(right) > DEEPEST:
        return None
    return Typed(
        prefix=prefix, quote=quote, closed=closed, start=offset + start, touches=touches, qualifier=qualifier, cursor=mark,
        parameter=not quote and _is_parameter(before, left, start, dialect),
        path=_tree(before, left, mark, behind, right),
    )  # fmt: skip


def item_of(text: str, token: Token) -> Item:
    """Return a token as an item."""
    sign = text[token.start : token.end]
    if token.kind is Kind.WORD:
        word = sign.upper()
        return Item(Kind.WORD, word, word, name=sign)
    if token.kind is Kind.NAME:
        return Item(Kind.NAME, sign, name=_unquoted(sign), quoted=True)
    return Item(token.kind, sign)


def _unquoted(sign: str) -> str:
    """Return a quoted name without its quotes; the closing one may be missing."""
    sign = sign[2:] if sign[:1] in "uU" else sign
    quote = {"[": "]"}.get(sign[:1], sign[:1])
    inner = sign[1:-1] if len(sign) > 1 and sign.endswith(quote) else sign[1:]
    return inner.replace(quote * 2, quote)


def _rest(after: str, quote: str) -> tuple[int, bool]:
    """Return how much behind the cursor belongs to the name that is typed, and whether its quote is closed there."""
    if not quote:
        return len(_LETTERS.match(after)[0]), False  # type: ignore[index] # matches always
    end = {"[": "]"}.get(quote, quote)
    letters = _LETTERS.match(after)[0]  # type: ignore[index] # matches always
    closed = after[len(letters) : len(letters) + 1] == end
    return len(letters) + closed, closed and not letters


def _behind_separator(left: list[Token]) -> list[Token]:
    """Return the tokens of the statement that the cursor is in, without comments."""
    for index in range(len(left) - 1, -1, -1):
        if left[index].kind in (Kind.SEPARATOR, Kind.DIRECTIVE):
            left = left[index + 1 :]
            break
    return [token for token in left if token.kind is not Kind.COMMENT]


def _behind_begin(text: str, left: list[Token]) -> list[Token]:
    """Return the first statement of a trigger's or routine's body, which no separator stands before."""
    words = [text[token.start : token.end].upper() if token.kind is Kind.WORD else "" for token in left]
    if "BEGIN" not in words or words[0] != "CREATE":
        return left
    at = len(words) - words[::-1].index("BEGIN")
    return left[at + (words[at : at + 1] == ["ATOMIC"]) :]


def _to_separator(right: list[Token]) -> list[Token]:
    end = next((i for i, token in enumerate(right) if token.kind in (Kind.SEPARATOR, Kind.DIRECTIVE)), len(right))
    return [token for token in right[:end] if token.kind is not Kind.COMMENT]


def _depth(side: list[Token]) -> int:
    """Return how many parentheses are open at most."""
    depth = deepest = 0
    for token in side:
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE and depth > 0)
        deepest = max(deepest, depth)
    return deepest


def _qualifier(text: str, left: list[Token], start: int) -> tuple[Item, ...] | None:
    """Return the names before the one that is typed: `a.b.`; None behind a dot that follows something else."""
    found: list[Item] = []
    at = len(left) - 1
    while at >= 0 and text[left[at].start : left[at].end] == "." and left[at].end == start:
        owner = left[at - 1] if at else None
        if owner is None or owner.kind not in (Kind.WORD, Kind.NAME) or owner.end != left[at].start:
            return None
        found.append(item_of(text, owner))
        start, at = owner.start, at - 2
    return tuple(reversed(found))


def _is_parameter(text: str, left: list[Token], start: int, dialect: Dialect) -> bool:
    if not left or left[-1].kind is not Kind.COLON or left[-1].end != start:
        return False
    begin = left[0].start
    part = text[begin:start] + "x"
    places = placeholder_places(part, tokens(part, dialect))
    return bool(places) and places[-1][2] == len(part)


def _tree(before: str, left: list[Token], mark: Item, after: str, right: list[Token]) -> tuple[Item, ...]:
    """Build the tree and return the groups that lead to the cursor."""
    stack = [Item(Kind.OPEN)]
    for token in left:
        _add(stack, item_of(before, token))
    stack[-1].items.append(mark)
    path = tuple(stack)
    closes = any(token.kind is Kind.CLOSE for token in right)
    for token in right:
        _add(stack, item_of(after, token), closes=closes)
    return path


def _add(stack: list[Item], item: Item, *, closes: bool = True) -> None:
    """Add an item to the innermost group; `closes`: whether any parenthesis is closed behind the cursor."""
    if item.kind is Kind.OPEN:
        before = stack[-1].items[-1] if stack[-1].items else None
        item.opener = before.word if before else ""
        stack[-1].items.append(item)
        stack.append(item)
        return
    if item.kind is Kind.CLOSE:
        if len(stack) > 1:
            stack.pop()
        return
    if item.word == "FROM":
        while len(stack) > 1 and not _may_hold_from(stack[-1], closes):
            stack.pop()
    stack[-1].items.append(item)


def _may_hold_from(group: Item, closes: bool) -> bool:
    if group.is_query or group.opener in _FROM_INSIDE:
        return True
    if not group.items or (len(group.items) == 1 and group.items[0].kind is None):
        return group.opener in _NOT_CALLED or (closes and not group.opener)
    return len(group.items) > 1 and group.items[-1].word == "DISTINCT" and group.items[-2].word in ("IS", "NOT")
