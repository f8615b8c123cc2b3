"""Statements and their placeholders, as places in the text that was submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.bodies import header_words, object_of, tracker_for
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.placeholders import placeholder_places
from tusk_jupyter.sqltext.replaced import Replaced, Replacement
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
    places = placeholder_places(sql, part)
    return Statement(
        text=sql[start:end],
        start=start,
        command=" ".join([*words[:1], *([about] if about else [])]),
        placeholders=_placeholders(sql[start:end], part, start, places) if places else (),
    )


def _placeholders(
    text: str, part: Sequence[Token], start: int, places: Sequence[tuple[str, int, int]]
) -> tuple[Placeholder, ...]:
    own = [Token(token.kind, token.start - start, token.end - start) for token in part]
    around = surroundings(text, own, [place - start for _, place, _ in places])
    return tuple(
        Placeholder(name=name, start=place - start, end=stop - start, around=found)
        for (name, place, stop), found in zip(places, around, strict=True)
    )
