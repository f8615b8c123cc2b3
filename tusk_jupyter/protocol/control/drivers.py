"""Installed drivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverInfo:
    """An installed driver."""

    name: str
    title: str
    version: str
    origin: str
    """The distribution or the manifest file it comes from."""
    schemes: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    """Why it cannot be used, with what to install; None when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverList:
    """All drivers, by name."""

    drivers: tuple[DriverInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDrivers:
    """List the drivers; `rescan` asks each for its manifest anew."""

    ACTION: ClassVar[str] = "driver.list"
    REPLY: ClassVar[type] = DriverList
    rescan: bool = False
