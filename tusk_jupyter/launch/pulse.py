"""Whether a driver process that somebody waits for still lives: frozen is told apart from busy.

A driver answers a ping on a thread of its own, whatever its sessions do. One that does not, and uses no processor either (a
long step of Python's own keeps every thread from answering), is frozen: stopped, or stuck in its file system.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tusk_jupyter import errors
from tusk_jupyter.protocol.calls import PeerFailed
from tusk_jupyter.system import processes

if TYPE_CHECKING:
    from tusk_jupyter.launch.process import DriverProcess

FIRST_AFTER_S = 0.5
"""Most waits are over by then and cost no ping."""

EVERY_S = 2.0
STOOD_STILL_S = 2.0
"""Between two looks: then it was the core that was stopped, or had no processor, which says nothing of the driver."""

FROZEN_S = 4.5
"""How long a process may give no sign of life; with the time before the first ping it is gone before the ladder's last rung."""


class DriverPulse:
    """One process's signs of life; `look` is called a few times a second, by one thread."""

    def __init__(self, process: DriverProcess) -> None:
        """Nobody waits for it yet."""
        self._process = process
        self._waiting_since: float | None = None
        self._seen = self._looked = 0.0
        self._cpu_s: float | None = None
        """The processor time that it had used when it was first asked in this wait; to know it costs 0.2 ms."""
        self._asking = False

    def look(self, *, awaited: bool) -> None:
        """Ping it if it is awaited and has been silent; kill it if it is frozen."""
        now = time.monotonic()
        stood_still, self._looked = now - self._looked > STOOD_STILL_S, now
        if not awaited or self._process.ended:
            self._waiting_since = None
            return
        if self._waiting_since is None:
            self._waiting_since = self._seen = now
            self._cpu_s = None
        if stood_still:
            self._seen = now
        silent_s = now - self._seen
        if not self._asking and silent_s >= (FIRST_AFTER_S if now - self._waiting_since < EVERY_S else EVERY_S):
            self._asking = True
            if self._cpu_s is None:
                self._cpu_s = processes.cpu_s(self._process.pid)
            try:
                threading.Thread(target=self._ask, name=f"ping-{self._process.pid}", daemon=True).start()
            except RuntimeError:  # no thread now: nobody was asked, so nobody is silent
                self._asking, self._seen = False, now
                return
        if silent_s < FROZEN_S:
            return
        used_s = processes.cpu_s(self._process.pid)
        if self._cpu_s is None or used_s > self._cpu_s:
            self._cpu_s, self._seen = used_s, now
        else:
            self._process.kill(f"its driver process gave no sign of life for {silent_s:.0f} s and was ended")

    def _ask(self) -> None:
        try:
            self._process.ping(FROZEN_S)
            self._seen = time.monotonic()
        except PeerFailed:  # the call went wrong here or there; only silence is a sign
            self._seen = time.monotonic()
        except errors.TuskError:
            return  # no answer: what that means is for `look` to say
        finally:
            self._asking = False
