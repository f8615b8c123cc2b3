"""Statements and their placeholders, as places in the text that was submitted."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext import copied_rows
from tusk_jupyter.sqltext.bodies import LOOKED_AT, Blocks, Trigger, header_words, object_of, tracker_for
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.lexer import Kind, Lexer, Token, delimiter_of
from tusk_jupyter.sqltext.placeholders import placeholder_places
from tusk_jupyter.sqltext.replaced import Replaced, Replacement
from tusk_jupyter.sqltext.stretches import Stretches
from tusk_jupyter.sqltext.surroundings import ELSEWHERE, Around, surroundings

_UNSEEN_BLANKS = ("\u200b", "\ufeff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A `:name` in a statement."""

    name: str
    start: int
    """Offset of the colon, in characters from the statement's start."""
    end: int
    around: Around = ELSEWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a text."""

    text: str
    """Exactly as written, comments included, without the separator behind it."""
    start: int
    """Offset of its first character in the submitted text."""
    command: str
    """Its first keyword in upper case, behind comments and parentheses: SELECT, WITH, EXPLAIN; "" where there is none.

    CREATE, ALTER and DROP carry what they are about as a second word: CREATE TABLE, DROP VIEW (modifiers like TEMP and
    OR REPLACE left out). It is for the log and for messages; whether a statement writes is the server's to say, since
    `WITH x AS (DELETE ...)`, `SELECT f()` and `EXPLAIN ANALYZE` write too.
    """
    placeholders: tuple[Placeholder, ...] = ()
    rows: str | None = None
    """What stands behind `COPY t FROM stdin;` up to a line `\\.`, as dumps have it."""

    def bind(self, render: Callable[[str, int], str]) -> str:
        """Return the text with each placeholder replaced by the client library's own.

        Args:
            render: gets the name and the 1-based number of the name's first appearance, returns as "$1", "%s", "$name".
        """
        return self._bound(render).text

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names its placeholders use, in order of first appearance."""
        return tuple(dict.fromkeys(place.name for place in self.placeholders))

    def original_position(self, position: int, rendered: Callable[[str, int], str]) -> int:
        """Return the offset in `text` for an offset in what `bind(rendered)` gave."""
        return self._bound(rendered).original(position)

    def _bound(self, render: Callable[[str, int], str]) -> Replaced:
        numbers: dict[str, int] = {}
        return self.replaced(
            Replacement(place.start, place.end, render(place.name, numbers.setdefault(place.name, len(numbers) + 1)))
            for place in self.placeholders
        )

    def replaced(self, replacements: Iterable[Replacement]) -> Replaced:
        """Return the text with some of its parts replaced; they are in order and do not overlap."""
        return Replaced(self.text, replacements)


def split(sql: str, dialect_name: str) -> tuple[Statement, ...]:
    """Return the statements of `sql`; empty and comment-only ones are left out.

    Comments before and behind a statement, up to its separator, belong to it: hints and audit tags reach the server.

    Raises:
        UsageError: the dialect is unknown. No SQL text makes it fail.
    """
    return tuple(cut(sql, dialect_name))


def cut(sql: str, dialect_name: str) -> Iterator[Statement]:
    """Yield what `split` returns, each as soon as its end is found.

    Raises:
        UsageError: as `split`, at once.
    """
    return _Reader(sql, dialect_named(dialect_name)).statements()


def may_have_placeholders(sql: str) -> bool:
    """Return whether a text holds what every placeholder begins with, be it in a literal."""
    return _NAMED.search(sql) is not None


class _Reader:
    """A text on its way to statements: those that hold neither bodies nor placeholders are cut without their tokens."""

    def __init__(self, sql: str, dialect: Dialect) -> None:
        self._sql, self._dialect = sql, dialect
        self._stretches = Stretches(sql, dialect)
        self._at = 0
        self._tokens: _Tokens | None = None

    def statements(self) -> Iterator[Statement]:
        while self._at < len(self._sql):
            one = self._of_psql() if self._dialect.psql_lines else None
            one = one or self._plain() or self._read()
            if one is not None:
                yield self._with_rows(one) if one.command == "COPY" and self._dialect.psql_lines else one

    def _of_psql(self) -> Statement | None:
        r"""Return a line that is a command of psql's own, as `\connect`; what only guards psql is passed over."""
        while line := _PSQL_LINE.match(self._sql, self._stretches.behind_lead(self._at)):
            self._at, self._tokens = line.end(), None
            if line["command"] not in _GUARDS:
                return Statement(text=line["text"], start=line.start(), command=f"\\{line['command'].upper()}")
        return None

    def _with_rows(self, statement: Statement) -> Statement:
        """Return a COPY with the rows that stand behind it."""
        rows = copied_rows.ROWS.match(self._sql, self._at) if copied_rows.takes_rows(statement.text) else None
        if rows is None:
            return statement
        self._at, self._tokens = rows.end(), None
        return dataclasses.replace(statement, rows=rows["rows"])

    def _plain(self) -> Statement | None:
        """Return the next statement if its first word says that there is nothing in it to read."""
        sql = self._sql
        if self._tokens is not None and self._tokens.delimiter != ";":
            return None
        word = _FIRST_WORD.match(sql, self._stretches.behind_lead(self._at))
        command = word[1].upper() if word else ""
        if word is None or command in _READ:
            return None
        end = self._stretches.end(word.end())
        if _NAMED.search(sql, word.end(), end):
            return None
        start = self._stretches.behind_blanks(self._at)
        self._at, self._tokens = self._stretches.behind_blanks(end) + 1, None
        return Statement(text=sql[start:end], start=start, command=command)

    def _read(self) -> Statement | None:
        """Return the next statement by its tokens, or None where there is none up to the separator."""
        self._tokens = self._tokens or _Tokens(self._sql, self._dialect, self._at)
        part = self._tokens.part()
        self._at = self._tokens.at
        if all(token.kind is Kind.COMMENT or _is_blank(self._sql, token, self._dialect) for token in part):
            return None
        return _statement(self._sql, part)


class _Tokens:
    """A lexer's tokens from some statement on, with those ahead that tell what it is."""

    def __init__(self, sql: str, dialect: Dialect, at: int) -> None:
        self._sql, self._dialect = sql, dialect
        self._lexer = Lexer(sql, dialect, at)
        self._found = iter(self._lexer)
        self._ahead: list[Token] = []
        self.at = at
        """Behind the separator that came last."""
        self.delimiter = ";"

    def part(self) -> list[Token]:
        """Return the tokens up to the one that ends the statement."""
        part = [*self._ahead, *itertools.islice(self._found, LOOKED_AT - len(self._ahead))]
        blocks = tracker_for(self._sql, part, 0, self._dialect)
        index = 0
        while index < len(part):
            token = part[index]
            if index + 1 == len(part):
                part += itertools.islice(self._found, 1)
            if token.kind is Kind.DIRECTIVE or self._is_end(token, blocks):
                self._ahead, self.at = part[index + 1 :], token.end
                if token.kind is Kind.DIRECTIVE:
                    self.delimiter = delimiter_of(self._sql[token.start : token.end])
                return part[:index]
            if blocks is not None:
                blocks.feed(token, part[index + 1] if index + 1 < len(part) else None)
            index += 1
        self._ahead, self.at = [], len(self._sql)
        return part

    def _is_end(self, token: Token, blocks: Blocks | Trigger | None) -> bool:
        return token.kind is Kind.SEPARATOR and (blocks is None or not blocks.inside or self._sql[token.start] != ";")


_READ = frozenset(
    "CREATE ALTER DROP BEGIN IF CASE LOOP WHILE REPEAT FOR EXPLAIN DELIMITER".split()  # noqa: SIM905 - one line
)
"""First words of statements that may hold others, or whose command has a second word."""
_FIRST_WORD = re.compile(r"(?a:[\s(]*+)([A-Za-z]++)(?![\w$'\"&\x80-\U0010ffff])")
_PSQL_LINE = re.compile(r"(?P<text>\\(?P<command>[A-Za-z_]\w*+|[!?])[^\n]*+)(?:\n|\Z)")
_GUARDS = frozenset({"restrict", "unrestrict"})
"""By these pg_dump keeps a psql that runs its script from running commands that somebody put into the data."""
_NAMED = re.compile(r"(?<!:):(?:::)*+[^\W\d]")
"""What every placeholder begins with."""


def _is_blank(sql: str, token: Token, dialect: Dialect) -> bool:
    """Return whether the engine sees a blank where Python sees a sign: a byte order mark between two files."""
    return dialect.unicode_blanks and token.kind is Kind.OPERATOR and sql[token.start : token.end] in _UNSEEN_BLANKS


def _statement(sql: str, part: Sequence[Token]) -> Statement:
    start, end = part[0].start, part[-1].end
    words = header_words(sql, part)
    about = object_of(words)
    places = placeholder_places(sql, part)
    return Statement(
        text=sql[start:end],
        start=start,
        command=" ".join([*words[:1], *([about] if about else [])]),
        placeholders=_placeholders(sql, part, places) if places else (),
    )


def _placeholders(sql: str, part: Sequence[Token], places: Sequence[tuple[str, int, int]]) -> tuple[Placeholder, ...]:
    start = part[0].start
    around = surroundings(sql, part, [place for _, place, _ in places])
    return tuple(
        Placeholder(name=name, start=place - start, end=stop - start, around=found)
        for (name, place, stop), found in zip(places, around, strict=True)
    )
