"""In which clause the cursor is, and whether an operand has just ended there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.placeholders import EXPECTS_OPERAND
from tusk_magics.completion.tree import Item

_EXPRESSIONS = {
    "SELECT": "SELECT", "WHERE": "WHERE", "HAVING": "HAVING", "QUALIFY": "HAVING", "LIMIT": "LIMIT", "OFFSET": "LIMIT",
    "FETCH": "LIMIT", "VALUES": "VALUES", "RETURNING": "RETURNING", "SET": "SET", "WINDOW": "WINDOW", "CALL": "CALL",
}  # fmt: skip
_WITH_BY = {"GROUP": "GROUP BY", "ORDER": "ORDER BY"}
_OBJECT_WORDS = frozenset(
    ["TABLE", "VIEW", "TRUNCATE", "DESCRIBE", "DESC", "SUMMARIZE", "COPY", "REFERENCES", "VACUUM", "ANALYZE"]
)
_ABOUT_OBJECTS = frozenset(
    """
    DROP TRUNCATE ALTER DESCRIBE DESC SUMMARIZE COPY LOCK TABLE GRANT REVOKE COMMENT REFRESH CREATE VACUUM ANALYZE
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
_EXPLAINS = frozenset(["EXPLAIN", "ANALYZE", "ANALYSE", "VERBOSE", "QUERY", "PLAN"])
_DIRECTIONS = frozenset(["ASC", "DESC"])
_MORE_OPERANDS = frozenset(["QUALIFY", "RETURNING", "RECURSIVE", "OFFSET", "FIRST", "WITHOUT"])


@dataclass(frozen=True, slots=True)
class Clause:
    """The last clause before a place."""

    name: str
    """As SELECT, FROM, ON, GROUP BY; OBJECT: a table's name in a statement about it; OTHER: none that is known."""
    word: str
    """What opened it: JOIN and the comma open FROM, too."""
    tail: Sequence[Item]
    """What follows its keyword."""


def verb_of(items: Sequence[Item]) -> str:
    """Return the word that a statement begins with, behind EXPLAIN."""
    words = [item.word for item in items if item.kind is not Kind.OPEN]
    at = 0
    if words and words[0] == "EXPLAIN":
        while at < len(words) and words[at] in _EXPLAINS:
            at += 1
    return next((word for word in words[at:] if word), "")


def clause_at(left: Sequence[Item]) -> Clause:
    """Return the clause that the items end in."""
    left = explained(left)
    verb = verb_of(left)
    name, word, start = "OTHER", "", 0
    for index, item in enumerate(left):
        before = left[index - 1].word if index else ""
        found = _opens(item, before, left, index, verb, name)
        if found:
            name, word, start = found[0], found[1], index + 1
    return Clause(name, word, left[start:] if word else left)


def explained(left: Sequence[Item]) -> Sequence[Item]:
    """Return a statement without its EXPLAIN."""
    if not left or left[0].word != "EXPLAIN":
        return left
    at = 0
    while at < len(left) and (left[at].word in _EXPLAINS or left[at].kind is Kind.OPEN):
        at += 1
    return left[at:]


def _opens(item: Item, before: str, left: Sequence[Item], index: int, verb: str, name: str) -> tuple[str, str] | None:
    """Return name and word of the clause that an item opens."""
    word = item.word
    if item.text == "," and item.kind is Kind.OPERATOR:
        return ("FROM", ",") if name in ("FROM", "ON") else None
    if not word or (index and left[index - 1].text == "."):
        return None
    if word == "FROM":
        return None if before == "DISTINCT" and index > 1 and left[index - 2].word in ("IS", "NOT") else ("FROM", word)
    if word in ("JOIN", "STRAIGHT_JOIN", "APPLY"):
        return "FROM", "JOIN"
    if word == "BY" and before in _WITH_BY:
        return _WITH_BY[before], word
    if word == "INTO":
        return "INTO", word
    if word == "USING":
        return ("FROM", word) if verb in ("DELETE", "MERGE") and name != "ON" else None
    if word == "ON":
        return _on(verb, name, left, index)
    if word == "UPDATE" and before == "KEY":
        return "SET", word
    if word == "UPDATE":
        return ("UPDATE", word) if before not in ("FOR", "DO", "ON", "THEN") else None
    if word == "CONFLICT" and before == "ON":
        return "OTHER", word
    if word in _OBJECT_WORDS and verb in _ABOUT_OBJECTS:
        return _object(word, verb, index, before)
    if word in _EXPRESSIONS and (word != "SET" or verb != "ALTER"):
        return _EXPRESSIONS[word], word
    return None


def _on(verb: str, name: str, left: Sequence[Item], index: int) -> tuple[str, str] | None:
    if verb in ("CREATE", "GRANT", "REVOKE", "COMMENT"):
        return ("OBJECT", "ON") if name in ("OTHER", "OBJECT", "SELECT") else None
    distinct = index and left[index - 1].word == "DISTINCT"
    return ("ON", "ON") if name in ("FROM", "ON") and not distinct else None


def _object(word: str, verb: str, index: int, before: str) -> tuple[str, str] | None:
    if verb == "CREATE" and word != "REFERENCES":
        return None  # the name is new
    if (
        word in ("DESC", "ANALYZE", "VACUUM", "COPY", "TRUNCATE", "DESCRIBE", "SUMMARIZE")
        and index
        and before != "VACUUM"
    ):
        return None
    return "OBJECT", word


def ends_operand(tail: Sequence[Item]) -> bool:
    """Return whether a complete operand stands at the end, so that only keywords and operators may follow."""
    if not tail:
        return False
    last, before = tail[-1], tail[-2] if len(tail) > 1 else None
    if last.text == "*" and last.kind is Kind.OPERATOR:
        return before is None or before.text in (",", ".") or before.word in ("DISTINCT", "ALL", "SELECT")
    if last.kind is Kind.WORD:
        if before is not None and before.text == ".":
            return True
        return last.word in _DIRECTIONS or last.word not in EXPECTS_OPERAND | _MORE_OPERANDS
    if last.kind is Kind.OPEN and before is not None and before.word == "ON":
        return False  # DISTINCT ON (a)
    return last.kind in (Kind.NAME, Kind.STRING, Kind.NUMBER, Kind.OPEN)
