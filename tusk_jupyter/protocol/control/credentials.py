"""Credential tiers and what they hold; no reply carries a secret."""

from __future__ import annotations

from typing import ClassVar

from tusk_jupyter.protocol.message import Message


class TierInfo(Message, frozen=True, kw_only=True):
    """A credential tier and whether it can be used."""

    name: str
    usable: bool
    reason: str
    """The backend's name, or why not and what to do."""


class CredentialInfo(Message, frozen=True, kw_only=True):
    """One stored secret, by what it is for; never its value."""

    connection: str
    kind: str
    tier: str
    present: bool
    stored_at: str | None = None


class CredentialList(Message, frozen=True, kw_only=True):
    """Tiers in their order, and all recorded credentials."""

    tiers: tuple[TierInfo, ...]
    credentials: tuple[CredentialInfo, ...] = ()


class ListCredentials(Message, frozen=True, kw_only=True):
    """List tiers and credentials."""

    ACTION: ClassVar[str] = "credential.list"
    REPLY: ClassVar[type] = CredentialList


class CredentialStored(Message, frozen=True, kw_only=True):
    """Where a secret went."""

    tier: str
    notices: tuple[str, ...] = ()


class SetCredential(Message, frozen=True, kw_only=True):
    """Give a connection a new secret."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"secret"})
    ACTION: ClassVar[str] = "credential.set"
    REPLY: ClassVar[type] = CredentialStored
    connection: str
    kind: str = "password"
    secret: str
    tier: str | None = None


class CredentialDeleted(Message, frozen=True, kw_only=True):
    """Where copies were."""

    tiers: tuple[str, ...]


class DeleteCredential(Message, frozen=True, kw_only=True):
    """Delete every copy of a connection's secrets."""

    ACTION: ClassVar[str] = "credential.delete"
    REPLY: ClassVar[type] = CredentialDeleted
    connection: str


class UnlockVault(Message, frozen=True, kw_only=True):
    """Give the vault its passphrase; kept in the core's memory until it stops. Creates the vault if there is none."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"passphrase"})
    ACTION: ClassVar[str] = "credential.unlock"
    REPLY: ClassVar[type] = TierInfo
    passphrase: str
