"""Which names fit what was typed, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LIMIT = 300
"""Candidates returned; IPython cuts at 500, and nobody scrolls that far."""
FUZZY = 2
"""Letters from which names that only contain what was typed are offered."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to insert."""

    text: str
    """As it is written into the cell."""
    kind: str
    """table | view | column | function | keyword | ...: frontends choose an icon by it."""


@dataclass(slots=True)  # not frozen: that makes 2,000 of them a millisecond dearer
class Offer:
    """A candidate with what decides its place."""

    text: str
    kind: str
    name: str
    """What is compared with the typed prefix."""
    tier: int
    """Lower comes first: columns in scope before functions before keywords."""
    fuzzy: bool = True


def fit(name: str, prefix: str, *, fuzzy: bool = True) -> int | None:
    """Return how well a name fits; None when it does not.

    0 begins so; 1 begins so in another case; 2 a word of it begins so; 3 contains it; 4 has its letters in order.
    """
    if name.startswith(prefix):
        return 0
    folded, wanted = name.casefold(), prefix.casefold()
    if folded.startswith(wanted):
        return 1
    if not fuzzy or len(wanted) < FUZZY:
        return None
    if f"_{wanted}" in folded or f" {wanted}" in folded or f".{wanted}" in folded:
        return 2
    if wanted in folded:
        return 3
    letters = iter(folded)
    return 4 if folded[:1] == wanted[:1] and all(letter in letters for letter in wanted) else None


def ranked(offers: Iterable[Offer], prefix: str) -> list[Candidate]:
    """Return the offers that fit: those that begin so before all others, then by tier, by fit, in the order given."""
    fitting: list[tuple[bool, int, int, int, Offer]] = []
    for number, offer in enumerate(offers):
        found = fit(offer.name, prefix, fuzzy=offer.fuzzy)
        if found is not None:
            fitting.append((found > 1, offer.tier, found, number, offer))
    fitting.sort(key=lambda item: item[:4])
    chosen = dict.fromkeys(Candidate(offer.text, offer.kind) for *_, offer in fitting[: 4 * LIMIT])
    return list(chosen)[:LIMIT]
