"""Settings that all clients share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A setting of the user, as `tusk set` shows it."""

    name: str
    value: Any
    default: Any
    description: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceList:
    """All preferences, by name."""

    preferences: tuple[Preference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPreferences:
    """List the preferences."""

    ACTION: ClassVar[str] = "preference.list"
    REPLY: ClassVar[type] = PreferenceList


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPreference:
    """Set a preference from text; None sets it back to its default."""

    ACTION: ClassVar[str] = "preference.set"
    REPLY: ClassVar[type] = Preference
    name: str
    value: str | None
