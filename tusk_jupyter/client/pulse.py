"""Whether a core that takes long still lives: a wait on it has no end of its own, for a query may run for hours.

The core answers a `Ping` whatever else it does. One that is frozen (swap, a stopped process, a disk that hangs) does not, and a
wait on it ends with an error that names the process and what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tusk_jupyter import errors
from tusk_jupyter.client.interrupts import Task

if TYPE_CHECKING:
    from tusk_jupyter.client.link import Link
    from tusk_jupyter.system.address import Address

QUIET_S = 2.0
"""A call that takes no longer than this asks for no sign of life."""

PATIENCE_S = 8.0
"""How long a core may take to give one; a laptop under load answers within a second."""

LOOK_S = 0.25
STOOD_STILL_S = 2.0
"""Between two looks: then it was this process that was stopped (a laptop's lid), and the core had no time to answer it."""


class CorePulse:
    """The signs of life of one core while somebody waits for it."""

    def __init__(self, link: Link) -> None:
        """Begin now: the wait has just begun."""
        self._link = link
        self._next = time.monotonic() + QUIET_S
        self._asked: Task[None] | None = None
        self._asked_at = 0.0
        self._looked = time.monotonic()

    def check(self) -> None:
        """Ask for a sign of life if one is due; called again and again while one waits.

        Raises:
            CoreError: the core has not answered for PATIENCE_S.
        """
        now = time.monotonic()
        if now - self._looked > STOOD_STILL_S:
            self._asked_at = now
        self._looked = now
        if self._asked is None:
            if now >= self._next and (ping := self._link.ping()) is not None:
                self._ask(ping, now)
        elif self._asked.wait(0):
            self._asked, self._next = None, now + QUIET_S
        elif now - self._asked_at > PATIENCE_S:
            raise unanswered(self._link.address)

    def _ask(self, ping: Callable[[], None], now: float) -> None:
        try:
            self._asked, self._asked_at = Task(ping), now
        except errors.CoreError:  # no thread for it: that says nothing of the core, which is asked later
            self._next = now + QUIET_S


def attended(link: Link, task: Task[Any], *, every_s: float = LOOK_S) -> None:
    """Wait for the end of a call to the core, as long as the core lives. Ctrl-C breaks the wait off.

    Raises:
        CoreError: it does not answer any more.
    """
    if task.wait(QUIET_S):
        return
    pulse = CorePulse(link)
    while not task.wait(every_s):
        pulse.check()


def unanswered(address: Address | None, *, words: str = "") -> errors.CoreError:
    """Return the error for a core that is there and does not answer.

    Args:
        address: of the core.
        words: what else is known, as a sentence.
    """
    who = f" (process {address.pid})" if address is not None else ""
    return errors.CoreError(
        f"The core service{who} does not answer: it is stopped, or waits for memory or a disk.{words and ' '}{words}",
        hint="If it does not come back by itself, `tusk core stop` in a terminal ends it, by force if need be; the next cell "
        "starts a new one. Sessions with their temp tables and open transactions are gone then.",
        scenario="core_unanswered",
    )
