"""The core's secrets: which tier a new one goes to, and where an old one is looked for.

Decision to question: a store falls to a lower tier only past tiers that are *absent*, and says so; one that is merely
locked is an error. Otherwise the same password would lie in the keyring one day and in a file the next, by accident of
timing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tusk_jupyter.errors import CredentialError, UsageError
from tusk_jupyter.protocol.control import TierInfo
from tusk_jupyter.tiers.commands import run_secret_command
from tusk_jupyter.tiers.generation import Generation
from tusk_jupyter.tiers.keyring_tier import KeyringTier
from tusk_jupyter.tiers.memory import MemoryTier
from tusk_jupyter.tiers.tier import CredentialTier, Viability
from tusk_jupyter.tiers.vault import FILE_NAME, VaultTier

REF = re.compile(r"conn:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[a-z][a-z0-9_]{0,62}")
SECRET_BYTES = 65_536
"""Longest secret. Passwords, tokens and key passphrases are short; keys themselves stay in files."""
LEDGER_NAME = "keyring.json"
GENERATION_NAME = "vault-generation.json"
PLACES = {"keyring": "the OS keyring", "vault": "the sealed vault file", "memory": "the core's memory"}


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a secret went, and what its owner must hear about that."""

    tier: str
    notices: tuple[str, ...] = ()


class Credentials:
    """All tiers, in their order.

    The caller records the tier that `store` answers with the connection, and hands it back to `get`.
    A reference is `conn:<uuid>:<kind>`, the kind being the name of the driver's secret field.
    """

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._vault = VaultTier(home / FILE_NAME, environ, noted=Generation(home / GENERATION_NAME))
        ordered: tuple[CredentialTier, ...] = (KeyringTier(home / LEDGER_NAME), self._vault, MemoryTier())
        self._tiers = {tier.name: tier for tier in ordered}

    def tiers(self) -> tuple[TierInfo, ...]:
        """Return every tier with whether it can be used now, best first."""
        return tuple(_info(tier) for tier in self._tiers.values())

    def store(self, ref: str, secret: str, tier: str | None) -> Stored:
        """Keep a secret; copies of older ones in other tiers are removed after that.

        Args:
            ref: what it is for.
            secret: its text.
            tier: `keyring`, `vault` or `memory`; None takes the first that is there.

        Raises:
            CredentialError: the tier asked for, or a better one than those that are left, cannot be used now. Nothing
                was stored, in no tier.
            UsageError: unknown tier, malformed reference or secret.
        """
        _check(ref, secret)
        chosen, notices = self._named(tier) if tier else self._first_usable()
        chosen.store(ref, secret)
        return Stored(chosen.name, (*notices, *self._purge(ref, keep=chosen.name)))

    def get(self, ref: str, tier: str) -> str:
        """Return a secret from the tier it was recorded to be in, and from no other.

        Raises:
            CredentialError: the tier cannot be used now, or does not hold it.
        """
        secret = self._recorded(tier).get(ref)
        if secret is None:
            kind = ref.rpartition(":")[2]
            raise CredentialError(_missing(kind, tier), hint="Set it again: `%tusk credentials set NAME`.")
        return secret

    def delete(self, ref: str) -> tuple[str, ...]:
        """Remove every copy of a secret and return the tiers that had one; doing it again is harmless.

        Raises:
            CredentialError: a tier that may hold a copy could not be asked, or would not let go. Copies elsewhere are
                gone; try again later.
        """
        removed = []
        failures = []
        for each in self._tiers.values():
            try:
                if each.delete(ref):
                    removed.append(each.name)
            except CredentialError as exc:
                failures.append(exc)
        if failures:
            raise failures[0]
        return tuple(removed)

    def unlock(self, passphrase: str) -> TierInfo:
        """Open the vault with its passphrase, or make it; the key stays in memory until the core stops.

        Raises:
            CredentialError: wrong passphrase, or the vault does not open with one.
            UsageError: a new vault's passphrase is too short.
        """
        self._vault.unlock(passphrase)
        return _info(self._vault)

    def run_password_command(self, command: str) -> str:
        """Return the first line that a shell command prints, run in the core's environment.

        Raises:
            CredentialError: it failed, printed nothing or took longer than 30 s.
        """
        return run_secret_command(command, environ=self._environ, purpose="password command")

    def _named(self, name: str) -> tuple[CredentialTier, tuple[str, ...]]:
        tier = self._tiers.get(name)
        if tier is None:
            raise UsageError(f"There is no credential tier {name!r}; there are {', '.join(self._tiers)}.")
        found = tier.viable()
        if not found.usable:
            raise self._cannot_use(tier, found)
        return tier, self._warnings(tier)

    def _first_usable(self) -> tuple[CredentialTier, tuple[str, ...]]:
        passed: list[str] = []
        for tier in self._tiers.values():
            found = tier.viable()
            if found.usable:
                return tier, (*_fallen_to(tier, passed), *self._warnings(tier))
            if found.retryable:
                raise self._cannot_use(tier, found)
            passed.append(f"{tier.name}: {found.reason}")
        raise AssertionError("the memory tier is always usable")

    def _warnings(self, tier: CredentialTier) -> tuple[str, ...]:
        if tier is self._vault and self._vault.warning:
            return (f"Unwise: {self._vault.warning}.",)
        return ()

    def _cannot_use(self, tier: CredentialTier, found: Viability) -> CredentialError:
        choices = "; ".join(
            f"{other.name} ({info.reason})"
            for other in self._tiers.values()
            if other is not tier and (info := other.viable()).usable
        )
        scenario = None
        if tier.name == "keyring":
            scenario = "keyring_denied" if found.retryable else "keyring_absent"
        return CredentialError(
            f"Nothing was stored: {PLACES[tier.name]} cannot be used: {found.reason}.",
            hint=f"Make it usable and try again, or choose another with `--tier`. Usable now: {choices}.",
            scenario=scenario,
        )

    def _purge(self, ref: str, *, keep: str) -> tuple[str, ...]:
        notices = []
        for tier in self._tiers.values():
            if tier.name == keep:
                continue
            try:
                tier.delete(ref)
            except CredentialError as exc:
                notices.append(
                    f"An older copy may still be in {PLACES[tier.name]} ({exc.message}) It is not used any more; "
                    "storing or removing the credential again later deletes it."
                )
        return tuple(notices)

    def _recorded(self, name: str) -> CredentialTier:
        tier = self._tiers.get(name)
        if tier is None:
            raise CredentialError(
                f"The credential is recorded in {name!r}, which this version does not know; "
                f"it knows {', '.join(self._tiers)}.",
                hint="Set it again: `%tusk credentials set NAME`.",
            )
        return tier


def _check(ref: str, secret: str) -> None:
    if not REF.fullmatch(ref):
        raise UsageError(f"{ref!r} is no credential reference; those are `conn:<uuid>:<kind>`.")
    try:
        size = len(secret.encode())
    except UnicodeEncodeError:
        raise UsageError("The secret is not valid text: it has half of a surrogate pair.") from None
    if size > SECRET_BYTES:
        raise UsageError(f"The secret has {size} bytes; {SECRET_BYTES} is the most a tier keeps.")


def _info(tier: CredentialTier) -> TierInfo:
    found = tier.viable()
    return TierInfo(name=tier.name, usable=found.usable, reason=found.reason)


def _fallen_to(tier: CredentialTier, passed: list[str]) -> tuple[str, ...]:
    if not passed:
        return ()
    ends = "; it is gone when the core stops" if tier.name == "memory" else ""
    return (f"The secret is in {PLACES[tier.name]}{ends}. Passed over: {'; '.join(passed)}.",)


def _missing(kind: str, tier: str) -> str:
    if tier == "memory":
        return f"The {kind} was kept in memory only, by a core that has ended since."
    return f"The {kind} is recorded to be in {PLACES[tier]}, which does not hold it (any more)."
