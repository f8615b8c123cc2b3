"""What changed: panels wait for it instead of asking again and again."""

from __future__ import annotations

from typing import ClassVar

from tusk_jupyter.protocol.message import Message


class Changes(Message, frozen=True, kw_only=True):
    """Counters that only grow, one a topic, since the core's start."""

    core: str
    """The core's start: counters of another core say nothing."""
    counts: dict[str, int]
    """Topics: connections, runs (one began, ended or is being cancelled), log, schema, queries, preferences."""


class AwaitChanges(Message, frozen=True, kw_only=True):
    """Answer when a counter differs from `known`, or when the time is up."""

    ACTION: ClassVar[str] = "changes.await"
    REPLY: ClassVar[type] = Changes
    core: str = ""
    known: dict[str, int]
    timeout_s: float = 20.0
