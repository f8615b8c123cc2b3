"""Statements and their placeholders, as places in the text that was submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.bodies import header_words, object_of, tracker_for
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.placeholders import placeholder_places

_UNSEEN_BLANKS = ("\u200b", "\ufeff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """A `:name` in a statement."""

    name: str
    start: int
    """Offset of the colon, in characters from the statement's start."""
    end: int


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

    def bind(self, render: Callable[[str, int], str]) -> str:
        """Return the text with each placeholder replaced by the client library's own.

        Args:
            render: gets the name and the 1-based number of the name's first appearance, returns as "$1", "%s", "$name".
        """
        numbers: dict[str, int] = {}
        parts, at = [], 0
        for place in self.placeholders:
            number = numbers.setdefault(place.name, len(numbers) + 1)
            parts += [self.text[at : place.start], render(place.name, number)]
            at = place.end
        return "".join([*parts, self.text[at:]])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names its placeholders use, in order of first appearance."""
        return tuple(dict.fromkeys(place.name for place in self.placeholders))

    def original_position(self, position: int, rendered: Callable[[str, int], str]) -> int:
        """Return the offset in `text` for an offset in what `bind(rendered)` gave."""
        numbers: dict[str, int] = {}
        shift = 0
        for place in self.placeholders:
            number = numbers.setdefault(place.name, len(numbers) + 1)
            length = len(rendered(place.name, number))
            if position < place.start + shift:
                break
            if position < place.start + shift + length:
                return place.start
            shift += length - (place.end - place.start)
        return position - shift


def split(sql: str, dialect_name: str) -> tuple[Statement, ...]:
    """Return the statements of `sql`; empty and comment-only ones are left out.

    Comments before and behind a statement, up to its separator, belong to it: hints and audit tags reach the server.

    Raises:
        UsageError: the dialect is unknown. No SQL text makes it fail.
    """
    dialect = dialect_named(dialect_name)
    found = tokens(sql, dialect)
    return tuple(
        _statement(sql, part)
        for part in _parts(sql, found, dialect)
        if any(token.kind is not Kind.COMMENT and not _is_blank(sql, token, dialect) for token in part)
    )


def _is_blank(sql: str, token: Token, dialect: Dialect) -> bool:
    """Return whether the engine sees a blank where Python sees a sign: a byte order mark between two files."""
    return dialect.unicode_blanks and token.kind is Kind.OPERATOR and sql[token.start : token.end] in _UNSEEN_BLANKS


def _parts(sql: str, found: Sequence[Token], dialect: Dialect) -> Iterator[Sequence[Token]]:
    """Yield the tokens between one separator and the next."""
    start = 0
    while start < len(found):
        end = _end_of_statement(sql, found, start, dialect)
        yield found[start:end]
        start = end + 1


def _end_of_statement(sql: str, found: Sequence[Token], start: int, dialect: Dialect) -> int:
    """Return the index of the token that ends the statement which begins at `start`."""
    blocks = tracker_for(sql, found, start, dialect)
    for index in range(start, len(found)):
        token = found[index]
        if token.kind is Kind.DIRECTIVE:
            return index
        if token.kind is Kind.SEPARATOR and (blocks is None or not blocks.inside or sql[token.start] != ";"):
            return index
        if blocks is not None:
            blocks.feed(token, found[index + 1] if index + 1 < len(found) else None)
    return len(found)


def _statement(sql: str, part: Sequence[Token]) -> Statement:
    start, end = part[0].start, part[-1].end
    words = header_words(sql, part)
    about = object_of(words)
    return Statement(
        text=sql[start:end],
        start=start,
        command=" ".join([*words[:1], *([about] if about else [])]),
        placeholders=tuple(
            Placeholder(name=name, start=place - start, end=stop - start)
            for name, place, stop in placeholder_places(sql, part)
        ),
    )
