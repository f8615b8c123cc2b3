"""The tickets of runs: what a client redeems for its result, once, be it before its run has come.

Core and client reach a driver at the same time, so a ticket may be redeemed, or its run left, before the run is here.
"""

from __future__ import annotations

import collections
import secrets
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from tusk_jupyter import errors

if TYPE_CHECKING:
    from tusk_jupyter.driverkit.runs import Run

EARLY_S = 5.0
"""How long a fetch that comes before its run waits for it; they are sent at the same time."""

USED = 64
"""Tickets remembered after their use, so that a second one is refused at once; as many that were left, or refused."""

WAITING = 32
"""Tickets whose runs may be on their way at once. Each waits on a thread: 600 that nobody had issued took all the memory that a
driver may have."""


class _Refusal(NamedTuple):
    """Why a run was not taken in, and when that was found."""

    why: errors.TuskError
    at: float


class TicketBook:
    """One-time tickets: a ticket is gone with its first use."""

    def __init__(self) -> None:
        """Begin with no ticket."""
        self._runs: dict[str, Run | _Refusal] = {}
        self._used: collections.deque[str] = collections.deque(maxlen=USED)
        self._left: collections.deque[str] = collections.deque(maxlen=USED)
        self._changed = threading.Condition()
        self._waiting = 0

    def register(self, ticket: str, run: Run) -> None:
        """Let `ticket` stand for `run`."""
        with self._changed:
            horizon = time.monotonic() - EARLY_S  # whoever comes for a refusal is on the way since it was made
            self._runs = {
                known: of
                for known, of in self._runs.items()
                if (of.at > horizon if isinstance(of, _Refusal) else not of.ended)
            }
            self._runs[ticket] = run
            self._changed.notify_all()

    def refuse(self, ticket: str, why: errors.TuskError) -> None:
        """Let whoever comes with `ticket` hear why its run was not taken in."""
        with self._changed:
            refused = [known for known, of in self._runs.items() if isinstance(of, _Refusal)]
            if len(refused) >= USED:  # nobody came for it
                del self._runs[refused[0]]
            self._runs[ticket] = _Refusal(why, time.monotonic())
            self._changed.notify_all()

    def leave(self, ticket: str) -> None:
        """Note that the run of `ticket` is to end, though it may not be here yet."""
        with self._changed:
            self._left.append(ticket)

    def is_left(self, ticket: str) -> bool:
        """Return whether the run of `ticket` is to end."""
        with self._changed:
            return ticket in self._left

    def issue(self, run: Run) -> str:
        """Return a fresh ticket for `run`."""
        ticket = secrets.token_urlsafe(24)
        self.register(ticket, run)
        return ticket

    def redeem(self, ticket: str) -> Run:
        """Return the run of `ticket` and forget the ticket.

        Raises:
            ProtocolError: it was never issued, was used before, or its run has ended. TuskError: its run was refused.
        """
        with self._changed:
            if self._waiting < WAITING:
                self._waiting += 1
                try:
                    self._changed.wait_for(lambda: ticket in self._runs or ticket in self._used, EARLY_S)
                finally:
                    self._waiting -= 1
            run = self._runs.pop(ticket, None)
            self._used.append(ticket)
        if run is None:
            raise errors.ProtocolError("This ticket is unknown, used, or its run has ended.")
        if isinstance(run, _Refusal):
            raise run.why
        return run
