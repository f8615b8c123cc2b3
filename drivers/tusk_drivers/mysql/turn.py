"""Whose turn it is: the statement that runs and the interrupt that would stop it, kept from hitting the next one.

KILL QUERY names a session, not a statement. So the kill is sent and acknowledged under the lock that also ends a
turn: it falls into the turn that it was meant for. What is left is a kill that the server acknowledged but acts upon
only at the session's next command; `Turn.end` says when to expect one, and a `DO 0` is spent on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Turn:
    """One session's turn."""

    def __init__(self, kill: Callable[[], None]) -> None:
        """Take what stops the statement that the session runs."""
        self._kill = kill
        self._lock = threading.Lock()
        self._running = False
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether an answer is under way."""
        return self._running

    @property
    def stopped(self) -> bool:
        """Whether the running statement was told to stop."""
        return self._stopped

    def begin(self) -> None:
        """A statement is about to be sent."""
        with self._lock:
            self._running, self._stopped = True, False

    def end(self) -> bool:
        """All of the statement's answer is read; return whether it had been told to stop."""
        with self._lock:
            self._running = False
            return self._stopped

    def stop(self) -> bool:
        """Stop the running statement; return False when none runs."""
        with self._lock:
            if not self._running:
                return False
            self._stopped = True
            self._kill()
            return True
