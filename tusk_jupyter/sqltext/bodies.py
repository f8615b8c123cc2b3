"""Where a statement that holds other statements ends: routines, triggers, events.

A stack of open blocks, fed token by token. BEGIN, LOOP and REPEAT open at once; IF opens at its THEN, WHILE and FOR at
their DO, because until then `IF(a, b, c)` or `DROP TABLE IF EXISTS` could follow. A body that never ends keeps the rest
of the text: to cut it at its semicolons would run its statements as if they stood alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from tusk_jupyter.sqltext.dialects import Body, Dialect
from tusk_jupyter.sqltext.lexer import Kind, Token
from tusk_jupyter.sqltext.placeholders import EXPECTS_OPERAND

OBJECTS = frozenset(
    """
    AGGREGATE CAST COLLATION CONVERSION DATABASE DOMAIN EVENT EXTENSION FUNCTION GROUP INDEX LANGUAGE MACRO OPERATOR
    PACKAGE POLICY PROCEDURE PUBLICATION ROLE RULE SCHEMA SECRET SEQUENCE SERVER STATISTICS SUBSCRIPTION SYSTEM TABLE
    TABLESPACE TRANSFORM TRIGGER TYPE USER VIEW
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""What CREATE, ALTER and DROP are about; the first of these words in a statement says it."""
LOOKED_AT = 42
"""Tokens, comments included, among which a statement has the words that say what it is."""
_HEADER_WORDS = 14  # CREATE OR REPLACE ALGORITHM = x DEFINER = a@b SQL SECURITY INVOKER VIEW is the longest way there
_FIRST_WORDS = 3  # BEGIN NOT ATOMIC; a script of 20,000 statements spends a third of its time here otherwise
_DEFINES = frozenset(["CREATE", "ALTER", "DROP"])
_ROUTINES = frozenset(["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"])
_LONE_BLOCKS = frozenset(["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"])
"""MariaDB takes these, and BEGIN NOT ATOMIC, outside routines too."""
_LOOPS = frozenset(["LOOP", "REPEAT"])
_STARTS = frozenset([";", ":", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "AS", "IS", "LOOP", "REPEAT", ">>"])
"""Behind these a statement of a body begins."""
_BEFORE_A_NAME = EXPECTS_OPERAND - _STARTS | OBJECTS - {"LANGUAGE"} | {",", "(", "=", "BODY", "FOLLOWS", "PRECEDES"}
"""Behind these none begins in what stands before a body: `CREATE TRIGGER begin`, `ON repeat`."""
_OPENS_AT = {"IF": "THEN", "WHILE": "DO", "FOR": "DO"}
_NO_LOOP_BEHIND_FOR = frozenset(["EACH", "UPDATE", "SHARE", "SELECT", "UPGRADE"])


def header_words(text: str, part: Sequence[Token], start: int = 0) -> list[str]:
    """Return the first words of a statement in upper case, behind comments and parentheses, without its names."""
    words: list[str] = []
    before = ""
    for token in part[start : start + LOOKED_AT]:
        if token.kind is Kind.WORD:
            if not words or before not in ("=", "@"):  # DEFINER = user@localhost
                words.append(text[token.start : token.end].upper())
        elif token.kind is Kind.SEPARATOR or (not words and token.kind in (Kind.STRING, Kind.NAME, Kind.NUMBER)):
            break
        if len(words) == _HEADER_WORDS or (len(words) == _FIRST_WORDS and words[0] not in _DEFINES):
            break
        if token.kind is not Kind.COMMENT:
            before = text[token.start : token.end]
    return words


def object_of(words: Sequence[str]) -> str | None:
    """Return what a CREATE, ALTER or DROP is about, as TABLE; None for another statement or an unknown object."""
    if not words or words[0] not in _DEFINES:
        return None
    found = (word for word in words[1:] if word in OBJECTS)
    first = next(found, None)
    return "FUNCTION" if first == "AGGREGATE" and next(found, None) == "FUNCTION" else first


def tracker_for(text: str, part: Sequence[Token], start: int, dialect: Dialect) -> Blocks | Trigger | None:
    """Return what follows the blocks of the statement that begins at `start`; None when it can hold no statements."""
    if dialect.body is Body.NONE:
        return None
    if dialect.body is Body.TRIGGER:
        return Trigger(text) if _makes_trigger(text, part, start) else None
    words = header_words(text, part, start)
    kind = object_of(words)
    if dialect.body is Body.ATOMIC:
        if kind == "RULE" and dialect.rules_in_parentheses:
            return Blocks(text, parentheses=True)
        return Blocks(text, atomic=True) if kind in ("FUNCTION", "PROCEDURE") else None
    if kind in _ROUTINES and words[0] != "DROP":
        return Blocks(text)
    lone = words[:3] == ["BEGIN", "NOT", "ATOMIC"] or (bool(words) and words[0] in _LONE_BLOCKS)
    return Blocks(text) if lone else None


def _makes_trigger(text: str, part: Sequence[Token], start: int) -> bool:
    """Return whether SQLite's CREATE TRIGGER begins there, or an EXPLAIN of one."""
    code = (token for token in part[start : start + LOOKED_AT] if token.kind is not Kind.COMMENT)
    first = [text[token.start : token.end].upper() for token in itertools.islice(code, 6)]
    for words in (["EXPLAIN"], ["QUERY", "PLAN"]):
        first = first[len(words) :] if first[: len(words)] == words else first
    temp = first[1:2] in (["TEMP"], ["TEMPORARY"])
    return first[:1] == ["CREATE"] and first[1 + temp : 2 + temp] == ["TRIGGER"]


@dataclass(slots=True)
class Trigger:
    """SQLite's trigger, which ends at an END behind a separator: elsewhere `begin`, `end` and `case` may be names."""

    text: str
    inside: bool = True
    """Whether a separator here belongs to the body."""
    _after_separator: bool = False

    def feed(self, token: Token, following: Token | None) -> None:
        """Take one token in."""
        if token.kind is Kind.COMMENT:
            return
        is_end = self._after_separator and self.text[token.start : token.end].upper() == "END"
        self.inside = not is_end
        self._after_separator = token.kind is Kind.SEPARATOR


@dataclass(slots=True)
class Blocks:
    """The open blocks of one statement."""

    text: str
    atomic: bool = False
    """Only `BEGIN ATOMIC` opens a block."""
    parentheses: bool = False
    """Parentheses are the only blocks."""
    open: list[str] = field(default_factory=list)
    pending: list[str | None] = field(default_factory=lambda: [None])
    """Per level: the IF, WHILE, FOR or WHEN whose THEN or DO has not come yet."""
    previous: str = ""
    """The last word in upper case, or a sign."""
    handler: bool = False
    """Whether a handler's statement is to come: `DECLARE EXIT HANDLER FOR 1051`."""

    @property
    def inside(self) -> bool:
        """Whether a separator here belongs to the body."""
        return bool(self.open)

    def feed(self, token: Token, following: Token | None) -> None:
        """Take one token in."""
        if token.kind is Kind.COMMENT:
            return
        sign = self.text[token.start : token.end]
        if token.kind is Kind.WORD:
            after = self.text[following.start : following.end].upper() if following else ""
            depth = len(self.open)
            self._word(sign.upper(), after)
            is_name = sign.upper() == "BEGIN" and len(self.open) == depth
            self.previous = "value" if is_name else sign.upper()
            return
        if self.parentheses and token.kind in (Kind.OPEN, Kind.CLOSE):
            self._parenthesis(token.kind)
        if token.kind is Kind.SEPARATOR:
            self.pending[-1], self.handler = None, False
        # A literal or name is no place where a statement cannot begin: COMMENT 'x' BEGIN.
        self.previous = "value" if token.kind in (Kind.STRING, Kind.NAME, Kind.NUMBER, Kind.CLOSE) else sign

    def _parenthesis(self, kind: Kind) -> None:
        if kind is Kind.OPEN:
            self.open.append("(")
        elif self.open:
            self.open.pop()

    def _word(self, word: str, after: str) -> None:
        if self.parentheses or self.previous in (".", "@", "@@"):
            return
        if word == "END":
            self._end(after)
        elif self.previous == "END" and word in _LONE_BLOCKS:
            return  # END IF, END LOOP
        elif word == "CASE":
            if self.open or not self.atomic:
                self._push("CASE")
        elif word == "BEGIN":
            self._begin(after)
        elif not self.atomic:
            self._control(word, after)

    def _begin(self, after: str) -> None:
        if self._starts_statement() and (not self.atomic or after == "ATOMIC"):
            self._push("BEGIN")

    def _starts_statement(self) -> bool:
        """Whether a statement may begin here; in what stands before the body, behind any type or characteristic."""
        if self.open and not self.handler and not self.atomic:
            return self.previous in _STARTS
        return self.previous not in _BEFORE_A_NAME

    def _control(self, word: str, after: str) -> None:
        waiting = self.pending[-1]
        if word in _LOOPS and after != "(" and self._starts_statement():
            self.pending[-1] = None
            self._push(word)
        elif waiting and word == _OPENS_AT.get(waiting, "THEN"):
            self.pending[-1] = None
            if waiting in _OPENS_AT:
                self._push(waiting)
        elif word in ("WHEN", "ELSEIF", "ELSIF"):
            self.pending[-1] = word
        elif word == "FOR" and (self.previous in ("HANDLER", "CURSOR") or after in _NO_LOOP_BEHIND_FOR):
            self.handler = self.handler or self.previous == "HANDLER"
        elif word == "IF" and self.previous in OBJECTS | {"BODY"}:
            return  # CREATE PROCEDURE IF NOT EXISTS
        elif word in _OPENS_AT and waiting is None:
            self.pending[-1] = word

    def _push(self, kind: str) -> None:
        self.open.append(kind)
        self.pending.append(None)
        self.handler = False

    def _end(self, after: str) -> None:
        """Close the innermost block; END is a name elsewhere: `WHERE start > 1 AND end < 2`."""
        if not self.open:
            return
        if self.open[-1] == "CASE" or self.previous in (";", "BEGIN", "ATOMIC") or after in _LONE_BLOCKS:
            self.open.pop()
            self.pending.pop()
