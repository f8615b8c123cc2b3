"""Lines and indents of one SQL text laid over the tokens of another one that means the same.

Both are walked in step; a token of the text that is found in the pattern gets the line break that stands before it there.
Blanks within a line stay as they were written, but for their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.placeholders import is_operand

KEYWORDS = frozenset(
    """
    ALL AND AS ASC BETWEEN BY CASE CREATE CROSS DELETE DESC DISTINCT DROP ELSE EXCEPT EXISTS FROM FULL GROUP HAVING IN
    INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION
    QUALIFY RECURSIVE RETURNING RIGHT SELECT SET TABLE THEN UNION UPDATE USING VALUES WHEN WHERE WITH
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Words that are written in capitals where sqlglot takes them for keywords."""

REACH = 40
"""Tokens looked ahead for the place where text and pattern meet again."""

_BEGIN_LINES = (Kind.WORD, Kind.NAME, Kind.STRING, Kind.NUMBER, Kind.OPEN)
_NAMES_BY_MEANING = frozenset({"postgresql", "duckdb"})
"""Engines that name a column without alias by what it computes; the others take its text, blanks included."""
_ENDS_SELECT_LIST = frozenset(
    {
        "FROM",
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "INTO",
        "WINDOW",
        "FOR",
        "ON",
    }
)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the pattern says of a token: the break before it, if there is one, and how it is written there."""

    line_break: str
    text: str


def lay_out(sql: str, pattern: str, dialect: Dialect) -> str:
    """Return `sql` with the lines of `pattern`."""
    found = tokens(sql, dialect)
    code = [index for index, token in enumerate(found) if token.kind is not Kind.COMMENT]
    places = dict(zip(code, _places(sql, [found[index] for index in code], pattern, dialect), strict=True))
    fixed = frozenset() if dialect.name in _NAMES_BY_MEANING else frozenset(_named_by_text(sql, found, code))
    return _Writer(sql, found, places, fixed).written()


def _places(sql: str, code: Sequence[Token], pattern: str, dialect: Dialect) -> list[_Place | None]:
    """Return the place of each token in the pattern, None where it has none."""

    def text_of(token: Token) -> str:
        return pattern[token.start : token.end]

    theirs = [token for token in tokens(pattern, dialect) if token.kind is not Kind.COMMENT]
    places: list[_Place | None] = [None] * len(code)
    mine = [sql[one.start : one.end].upper() for one in code]
    other = [text_of(one).upper() for one in theirs]
    breaks = ["", *(pattern[one.end : two.start] for one, two in pairwise(theirs))]
    breaks = [gap if "\n" in gap else "" for gap in breaks]
    next_here = next_there = 0
    for here, there in _pairs(mine, other):
        skipped = next(filter(None, breaks[next_there:there]), "")
        places[here] = _Place(breaks[there] or (skipped if here == next_here else ""), text_of(theirs[there]))
        if (
            here > next_here and skipped and code[next_here].kind in _BEGIN_LINES
        ):  # `a::int` is CAST(a AS INT) there, and its line begins with the CAST
            places[next_here] = _Place(skipped, "")
        next_here, next_there = here + 1, there + 1
    return places


def _pairs(mine: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield which word of the one is which of the other, in order, as far as they can be walked in step."""
    here = there = 0
    while here < len(mine) and there < len(other):
        if mine[here] != other[there]:
            step = _meeting(mine, other, here, there)
            if step is None:
                return
            here, there = step
        yield here, there
        here, there = here + 1, there + 1


def _meeting(mine: Sequence[str], other: Sequence[str], here: int, there: int) -> tuple[int, int] | None:
    for steps in range(1, REACH):
        for ahead in range(steps + 1):
            i, j = here + ahead, there + steps - ahead
            if i < len(mine) and j < len(other) and mine[i] == other[j] and _is_sure(mine, other, i, j):
                return i, j
    return None


def _is_sure(mine: Sequence[str], other: Sequence[str], i: int, j: int) -> bool:
    """A comma or a parenthesis is everywhere: the word behind it must be the same too."""
    return len(mine[i]) > 1 or mine[i + 1 : i + 2] == other[j + 1 : j + 2]


def _named_by_text(sql: str, found: Sequence[Token], code: Sequence[int]) -> Iterator[int]:
    """Yield the tokens of the select lists' expressions without an alias."""
    for at, index in enumerate(code):
        if found[index].kind is Kind.WORD and _upper(sql, found[index]) == "SELECT":
            for item in _items(sql, found, code[at + 1 :]):
                if item and not _has_own_name(sql, [found[one] for one in item]):
                    yield from range(item[0], item[-1] + 1)


def _items(sql: str, found: Sequence[Token], code: Sequence[int]) -> Iterator[list[int]]:
    """Yield the items of the select list that begins with the first of these tokens."""
    depth, item = 0, list[int]()
    for index in code:
        token = found[index]
        word = _upper(sql, token)
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        ends = token.kind is Kind.SEPARATOR or (token.kind is Kind.WORD and word in _ENDS_SELECT_LIST)
        if depth < 0 or (depth == 0 and ends):
            break
        if depth == 0 and word == ",":
            yield item
            item = []
        elif item or word not in ("DISTINCT", "ALL"):
            item.append(index)
    yield item


def _has_own_name(sql: str, item: Sequence[Token]) -> bool:
    """Whether an item is a column, or has an alias."""
    if len(item) == 1:
        return item[0].kind in (Kind.WORD, Kind.NAME) and _upper(sql, item[0]) not in KEYWORDS
    if all(token.kind in (Kind.WORD, Kind.NAME) or sql[token.start] in ".*" for token in item):
        return not any(_upper(sql, token) == "END" for token in item)
    depth = 0
    for token in item:
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0 and _upper(sql, token) == "AS":
            return True
    last, before = item[-1], item[-2]
    if last.kind is Kind.NAME:
        return is_operand(sql, before)
    is_word = last.kind is Kind.WORD and _upper(sql, last) not in ("END", "NULL")
    return is_word and is_operand(sql, before) and _upper(sql, before) != "COLLATE"


def _upper(sql: str, token: Token) -> str:
    return sql[token.start : token.end].upper()


class _Writer:
    """Writes the tokens one after the other."""

    def __init__(
        self, sql: str, found: Sequence[Token], places: dict[int, _Place | None], fixed: frozenset[int]
    ) -> None:
        self._sql = sql
        self._found = found
        self._places = places
        self._fixed = fixed
        self._last_placed = max((index for index, place in places.items() if place is not None), default=-1)
        self._indent = ""
        self._out: list[str] = []

    def written(self) -> str:
        for index in range(len(self._found)):
            gap = self._gap(index) if index else ""
            if "\n" in gap:
                self._indent = gap[gap.rfind("\n") + 1 :]
            self._out += [gap, self._text(index)]
        return "".join(self._out)

    def _gap(self, index: int) -> str:
        before, token = self._found[index - 1], self._found[index]
        as_written = self._sql[before.end : token.start]
        is_inside = index in self._fixed and index - 1 in self._fixed
        if is_inside or index > self._last_placed or before.kind is token.kind is Kind.STRING:
            return as_written  # two literals on two lines are one in standard SQL
        if token.kind is Kind.COMMENT:
            return self._before_comment(index) if "\n" in as_written else " " * bool(as_written)
        place = self._places[index]
        if place is not None and place.line_break and (as_written or self._may_part(before, token)):
            return place.line_break
        if self._ends_line(before):
            return "\n" + self._indent
        if "\n" in as_written and (self._sql[before.start] in "([" or self._sql[token.start] in ")],;"):
            return ""
        return " " * bool(as_written)

    def _before_comment(self, index: int) -> str:
        """A comment on lines of its own stands above what it speaks of."""
        following = next((one for one in range(index, len(self._found)) if one in self._places), None)
        place = self._places[following] if following is not None else None
        return place.line_break if place is not None and place.line_break else "\n" + self._indent

    def _may_part(self, before: Token, token: Token) -> bool:
        """Whether a blank may come where there was none: for MySQL `count (` is another thing than `count(`."""
        return not (before.kind is Kind.WORD and self._sql[token.start] == "(") or _upper(self._sql, before) in KEYWORDS

    def _ends_line(self, token: Token) -> bool:
        return token.kind is Kind.COMMENT and not self._sql.startswith("/*", token.start)

    def _text(self, index: int) -> str:
        token = self._found[index]
        text = self._sql[token.start : token.end]
        if token.kind is Kind.COMMENT:
            return text.rstrip()
        place = self._places[index]
        is_keyword = token.kind is Kind.WORD and place is not None and place.text == text.upper() in KEYWORDS
        return text.upper() if is_keyword and index not in self._fixed else text
