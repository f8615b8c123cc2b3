"""What a verb says, apart from where it is said: a terminal, a notebook, a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tusk_jupyter.visible import visible_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table for people, with the records behind it for machines."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]
    records: Any
    """What `--json` prints: plain values or dataclasses of the protocol."""
    empty: str
    """Said instead of an empty table: what to do next."""
    right: frozenset[str] = field(default_factory=frozenset)
    """Columns of numbers."""
    notes: tuple[str, ...] = ()


class Output(Protocol):
    """Where a verb's words go, and whether somebody is there to be asked."""

    prefix: str
    """How the user writes a verb: `tusk` or `%tusk`."""

    @property
    def can_ask(self) -> bool:
        """Whether a question would be answered."""

    def listing(self, listing: Listing) -> None:
        """Show a table."""

    def say(self, text: str) -> None:
        """Show a sentence."""

    def ask_secret(self, prompt: str) -> str:
        """Ask for a secret without an echo."""

    def confirm(self, question: str) -> bool:
        """Ask for a yes."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 session`, `2 sessions`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def one_line(text: str | None, *, width: int | None = None) -> str:
    """Return `text` on one line as a terminal may show it; with a `width`, blanks shrink and the rest is cut."""
    plain = visible_line(text or "").strip()
    if width is not None:
        plain = " ".join(plain.split())
    return plain if width is None or len(plain) <= width else plain[: width - 1] + "…"
