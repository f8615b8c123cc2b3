"""The long poll: `/tusk/changes`."""

from __future__ import annotations

from msgspec import field

from tusk_jupyter.protocol.message import Message
from tusk_widgets.server.handler import Call

LONGEST_S = 60.0
"""Proxies cut off what stays silent for longer."""


class Poll(Message, frozen=True, kw_only=True):
    """What the asker knows; see `control.AwaitChanges`."""

    core: str = ""
    known: dict[str, int] = field(default_factory=dict)
    timeout_s: float = 20.0


async def changes(call: Call) -> object:
    """Answer when something differs from what is known, or when the time is up.

    Without a core the answer is `{"core": "", "counts": {}}`: there is no news, and nothing to ask for anew.
    """
    poll = call.read(Poll)
    return await call.access.news.wait(poll.core, poll.known, max(0.0, min(poll.timeout_s, LONGEST_S)))
