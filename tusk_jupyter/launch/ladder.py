"""How a run that is to end is ended, as a plan without I/O: which step is due after how long.

Each rung is tried only when the one before did not help in its time: ask the driver (which interrupts on the server), end the
statement on the server from another process, SIGTERM, SIGKILL. Times are R-20's: taking effect within a second is the
driver's job, the harder rungs are for drivers that no longer answer.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Rung(enum.IntEnum):
    """The steps, in order."""

    ASK = 0
    KILL_BACKEND = 1
    TERMINATE = 2
    KILL = 3


AFTER_S: dict[Rung, float] = {Rung.ASK: 0.0, Rung.KILL_BACKEND: 2.0, Rung.TERMINATE: 4.0, Rung.KILL: 6.0}


@dataclass(slots=True)
class Ladder:
    """One run's way down: `due` returns each rung once, when its time has come."""

    began: float
    """Monotonic time in seconds at which the cancel was asked for."""
    _next: int = 0

    def due(self, now: float) -> list[Rung]:
        """Return the rungs to take now, in order."""
        steps = []
        while self._next < len(Rung) and now - self.began >= AFTER_S[Rung(self._next)]:
            steps.append(Rung(self._next))
            self._next += 1
        return steps
