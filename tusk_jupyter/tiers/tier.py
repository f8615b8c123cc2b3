"""One place where secrets can be kept.

A tier never guesses: it is usable, or says why not, and whether waiting helps. That last bit is what keeps a locked
keyring from passing for an absent one, after which a secret would land in a lower tier without anybody having asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

VIABILITY_CACHE_S = 2.0
"""How long an answer of `viable` may be repeated: one command asks several times, and a probe of D-Bus costs 10 ms."""


@dataclass(frozen=True, slots=True)
class Viability:
    """Whether a tier can be used now."""

    usable: bool
    reason: str
    """What it is, or why it cannot be used and what to do about it."""
    retryable: bool = False
    """It is there and only not usable at this moment (locked, hanging, key missing): no reason to take a lower tier."""


class CredentialTier(ABC):
    """A store of secrets by reference (`conn:<uuid>:<kind>`).

    All methods raise `CredentialError` when the tier cannot be used at this moment, and may be called from any thread.
    """

    name: ClassVar[str]

    @abstractmethod
    def viable(self) -> Viability:
        """Return whether the tier can be used; never raises, and asks the user for nothing."""

    @abstractmethod
    def store(self, ref: str, secret: str) -> None:
        """Keep `secret` durably under `ref`, replacing what was there.

        Raises:
            CredentialError: it could not be kept; what was there before still is.
        """

    @abstractmethod
    def get(self, ref: str) -> str | None:
        """Return the secret, or None if the tier holds none under `ref`.

        Raises:
            CredentialError: the tier cannot say.
        """

    @abstractmethod
    def delete(self, ref: str) -> bool:
        """Remove the secret; return whether there was one.

        Raises:
            CredentialError: the tier cannot say, or it is still there.
        """
