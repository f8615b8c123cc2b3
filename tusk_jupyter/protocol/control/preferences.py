"""Settings that all clients share."""

from __future__ import annotations

from typing import Any, ClassVar

from tusk_jupyter.protocol.message import Message


class Preference(Message, frozen=True, kw_only=True):
    """A setting of the user, as `tusk set` shows it."""

    name: str
    value: Any
    default: Any
    description: str
    unit: str = ""


class PreferenceList(Message, frozen=True, kw_only=True):
    """All preferences, by name."""

    preferences: tuple[Preference, ...]


class ListPreferences(Message, frozen=True, kw_only=True):
    """List the preferences."""

    ACTION: ClassVar[str] = "preference.list"
    REPLY: ClassVar[type] = PreferenceList


class SetPreference(Message, frozen=True, kw_only=True):
    """Set a preference from text; None sets it back to its default."""

    ACTION: ClassVar[str] = "preference.set"
    REPLY: ClassVar[type] = Preference
    name: str
    value: str | None
