"""What has changed since when: a counter a topic, and long polls that wait for one to move.

Whoever changes something only counts (a run must not wait for its watchers). A poll that was woken waits a moment before it
answers: a burst of changes is one answer, and what has just begun gets the processor first.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from tusk_jupyter.protocol import control

TOPICS = ("connections", "runs", "log", "schema", "queries", "preferences")
LONGEST_POLL_S = 60.0
LOOK_S = 0.25
"""How often a poll looks whether its client is still there."""
GATHER_S = 0.05


class Changes:
    """Counters since the core's start; thread-safe."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._core = uuid.uuid4().hex
        self._counts = dict.fromkeys(TOPICS, 0)
        self._moved = threading.Condition()
        self._over = False

    def bump(self, *topics: str) -> None:
        """Count a change."""
        with self._moved:
            for topic in topics:
                self._counts[topic] += 1
            self._moved.notify_all()

    def wait(self, request: control.AwaitChanges, gone: Callable[[], bool]) -> control.Changes:
        """Return the counters once one differs from what the request knows, at the latest when its time is up.

        Args:
            request: counters of another core differ by nature.
            gone: whether the client no longer waits.
        """
        if request.core == self._core and self._wait(request, gone):
            time.sleep(GATHER_S)
        with self._moved:
            return control.Changes(core=self._core, counts=dict(self._counts))

    def _wait(self, request: control.AwaitChanges, gone: Callable[[], bool]) -> bool:
        """Return whether something moved meanwhile."""
        deadline = time.monotonic() + min(request.timeout_s, LONGEST_POLL_S)
        while not gone():
            with self._moved:
                if self._over or self._differs(request.known):
                    return False
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                if self._moved.wait_for(lambda: self._over or self._differs(request.known), min(left_s, LOOK_S)):
                    return not self._over
        return False

    def _differs(self, known: dict[str, int]) -> bool:
        return any(self._counts[topic] != count for topic, count in known.items() if topic in self._counts)

    def close(self) -> None:
        """Let every poll answer: the core ends."""
        with self._moved:
            self._over = True
            self._moved.notify_all()
