"""Installed drivers."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import field

from tusk_jupyter.protocol.manifest import SignIn
from tusk_jupyter.protocol.message import Message


class DriverInfo(Message, frozen=True, kw_only=True):
    """An installed driver."""

    name: str
    title: str
    version: str
    origin: str
    """The distribution or the manifest file it comes from."""
    schemes: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    sign_in: tuple[SignIn, ...] = ()
    """Ways to sign in, for forms; see `manifest.SignIn`."""
    least_memory_mb: int = 0
    """The least memory cap with which its process lives."""
    problem: str | None = None
    """Why it cannot be used, with what to install; None when it can."""


class DriverList(Message, frozen=True, kw_only=True):
    """All drivers, by name."""

    drivers: tuple[DriverInfo, ...]


class ListDrivers(Message, frozen=True, kw_only=True):
    """List the drivers; `rescan` asks each for its manifest anew."""

    ACTION: ClassVar[str] = "driver.list"
    REPLY: ClassVar[type] = DriverList
    rescan: bool = False
