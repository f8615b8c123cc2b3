"""Credential tiers and what they hold; no reply carries a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class TierInfo:
    """A credential tier and whether it can be used."""

    name: str
    usable: bool
    reason: str
    """The backend's name, or why not and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialInfo:
    """One stored secret, by what it is for; never its value."""

    connection: str
    kind: str
    tier: str
    present: bool
    stored_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialList:
    """Tiers in their order, and all recorded credentials."""

    tiers: tuple[TierInfo, ...]
    credentials: tuple[CredentialInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCredentials:
    """List tiers and credentials."""

    ACTION: ClassVar[str] = "credential.list"
    REPLY: ClassVar[type] = CredentialList


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStored:
    """Where a secret went."""

    tier: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCredential:
    """Give a connection a new secret."""

    ACTION: ClassVar[str] = "credential.set"
    REPLY: ClassVar[type] = CredentialStored
    connection: str
    kind: str = "password"
    secret: str = field(repr=False)
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialDeleted:
    """Where copies were."""

    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCredential:
    """Delete every copy of a connection's secrets."""

    ACTION: ClassVar[str] = "credential.delete"
    REPLY: ClassVar[type] = CredentialDeleted
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockVault:
    """Give the vault its passphrase; kept in the core's memory until it stops. Creates the vault if there is none."""

    ACTION: ClassVar[str] = "credential.unlock"
    REPLY: ClassVar[type] = TierInfo
    passphrase: str = field(repr=False)
