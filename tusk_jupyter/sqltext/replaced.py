"""A statement's text with parts of it replaced, and the way back from a place in it to the user's own text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Replacement(NamedTuple):
    """What the server gets in place of `text[start:end]`."""

    start: int
    end: int
    text: str


class Replaced:
    """See the module."""

    def __init__(self, original: str, replacements: Iterable[Replacement] = ()) -> None:
        """Put the replacements, which are in order and do not overlap, into a text.

        A blank goes between a replacement and a word or literal that touches it: `LIMIT:n` becomes `LIMIT $1`.
        """
        self.original_text = original
        self.places: list[tuple[int, int, int, int]] = []
        """Of the replacements: start and end in the new text, start and end in the original one."""
        parts, at, length = [], 0, 0
        for start, end, new in replacements:
            kept = original[at:start]
            before = original[start - 1] if start else ""
            if new and _clings(before) and not new.startswith((" ", "(", ",")):
                new = f" {new}"
            if new and _clings(original[end : end + 1]) and not new.endswith((" ", ")")):
                new = f"{new} "
            parts += [kept, new]
            length += len(kept)
            self.places.append((length, length + len(new), start, end))
            length += len(new)
            at = end
        self.text = "".join([*parts, original[at:]])

    def original(self, position: int) -> int:
        """Return the offset in the original text for one in the new text; within a replacement, where it begins."""
        shift = 0
        for start, end, original_start, original_end in self.places:
            if position < start:
                break
            if position < end:
                return original_start
            shift = original_end - end
        return position + shift

    def heading(self, name: str) -> str:
        """Return a column's name, which is a piece of the new text, as the original text has it."""
        for start, end, original_start, original_end in self.places:
            new = self.text[start:end].strip()
            if new and new in name:
                name = name.replace(new, self.original_text[original_start:original_end])
        return name


def _clings(character: str) -> bool:
    return character.isalnum() or character in ("_", "$", "'", '"', "`") if character else False
