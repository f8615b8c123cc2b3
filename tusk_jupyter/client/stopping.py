"""A run that is to end: asked for until the core has taken that in, or there is nothing left to end.

A request that is sent once is lost when the core is stalled for longer than the request waits (swap, a slow disk), and the
statement, which the user thinks is stopped, commits minutes later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tusk_jupyter import errors
from tusk_jupyter.client import driver_link
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Peer, PeerFailed, PeerLost

if TYPE_CHECKING:
    import pyarrow.flight as flight

FIRST_S = 0.4
"""How long the core may take to take it in before the driver is asked as well; it takes 2 ms."""

AGAIN_S = 2.0
PAUSE_S = 0.1


class Stopping:
    """One run's way to its end, seen from its client. `ask` may be called from any thread, again and again."""

    def __init__(self, run: str, core: Peer, driver: flight.FlightClient, ticket: str) -> None:
        """Name the run, the core that accepted it, its driver and its ticket there."""
        self._run = run
        self._core = core
        self._driver = driver
        self._ticket = ticket
        self.heard = False
        """Whether the core has taken it in: its ladder ends the run now, whatever it takes."""
        self._insisting = threading.Lock()

    def ask(self, *, timeout_s: float = FIRST_S) -> bool:
        """Ask the core; return whether it took that in, or the run is no more."""
        try:
            self._core.call(control.CancelRun(run=self._run), timeout_s=timeout_s)
        except (errors.TimeoutExceeded, PeerFailed):
            return False
        except (PeerLost, errors.UsageError):  # the core has gone, and its drivers with it; or the run has
            pass
        except errors.TuskError:
            return False
        self.heard = True
        return True

    def ask_all(self) -> bool:
        """Ask the core, and when that does not answer the driver itself; return whether one of them took it in."""
        return self.ask() or driver_link.leave(self._driver, self._ticket)

    def insist(self, has_ended: Callable[[], bool]) -> None:
        """Ask until the core has taken it in or the run has ended; on the calling thread."""
        if self.heard or not self._insisting.acquire(blocking=False):
            return
        try:
            self.ask_all()
            while not self.heard and not has_ended():
                time.sleep(PAUSE_S)
                self.ask(timeout_s=AGAIN_S)
        finally:
            self._insisting.release()
