"""Statements and their placeholders, as places in the text that was submitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
    """Its first keyword in upper case, behind comments and parentheses: SELECT, WITH, CREATE."""
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
