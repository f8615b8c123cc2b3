"""Telling the views that connections changed: a thread that waits at the core while a view is displayed, and ends with it.

Views say again and again that they are there: a page that was closed, or a machine that fell asleep, says no goodbye. Neither
the thread nor these words start a core: one that was stopped stays stopped until somebody asks for something.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from tusk_jupyter.client import Client
from tusk_jupyter.errors import TimeoutExceeded, TuskError
from tusk_jupyter.protocol.calls import Peer, PeerLost, Request
from tusk_jupyter.protocol.control import AwaitChanges, Changes

LEASE_S = 180.0
"""How long a view counts as displayed after its last word; browsers let hidden pages speak once a minute."""
WAIT_S = 5.0
"""How long one wait at the core lasts, and so at most how long the thread lives on without a view."""
PAUSE_S = 2.0
"""Between two looks for a core."""
ANSWER_S = 10.0
"""How long the core may take to answer what needs no waiting."""
TOPIC = "connections"

Wait = Callable[[AwaitChanges], Changes | None]
"""Asks the core; None when there is none."""


class Watch:
    """The displayed views, and the thread that serves them."""

    def __init__(self, wait: Wait, changed: Callable[[], None], *, now: Callable[[], float] = time.monotonic) -> None:
        """Begin without a view, and so without a thread.

        Args:
            wait: asks the core for changes.
            changed: called on the thread when connections changed.
            now: a clock, in seconds.
        """
        self._wait, self._changed, self._now = wait, changed, now
        self._heard: dict[str, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._left = threading.Event()

    @property
    def running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def heard(self, view: str) -> bool:
        """A view is displayed. Return whether it had not said so before."""
        with self._lock:
            is_new = view not in self._heard
            self._heard[view] = self._now()
            self._left.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tusk-picker", daemon=True)
                self._thread.start()
        return is_new

    def left(self, view: str) -> None:
        """A view is gone."""
        with self._lock:
            self._heard.pop(view, None)
            if not self._heard:
                self._left.set()

    def close(self) -> None:
        """Forget all views, and so end the thread."""
        with self._lock:
            self._heard.clear()
            self._left.set()

    def _run(self) -> None:
        core, known, seen = "", dict[str, int](), None
        while self._displayed():
            try:
                changes = self._wait(AwaitChanges(core=core, known=known, timeout_s=WAIT_S))
            except TuskError:  # a core that does not know the question, or shuts down while it is asked
                changes = None
            if changes is None:
                core, known = "", {}
                self._left.wait(PAUSE_S)
                continue
            core, known = changes.core, changes.counts
            now = (core, known.get(TOPIC))
            if seen is not None and now != seen:
                self._changed()
            seen = now

    def _displayed(self) -> bool:
        """Return whether a view is displayed; when none is, the thread is over, and the next view starts another one."""
        with self._lock:
            horizon = self._now() - LEASE_S
            self._heard = {view: at for view, at in self._heard.items() if at >= horizon}
            if not self._heard:
                self._thread = None
            return bool(self._heard)


class Ear:
    """`Wait` at a client's core; keeps one link, and finds the next core when there is one."""

    def __init__(self, client: Callable[[], Client]) -> None:
        """Name the client; nothing is looked for yet."""
        self._client = client
        self._peer: Peer | None = None

    def __call__(self, request: AwaitChanges) -> Changes | None:
        """Wait at the core, if one runs."""
        changes: Changes | None = self.ask(request, timeout_s=request.timeout_s + ANSWER_S)
        return changes

    def ask(self, request: Request, *, timeout_s: float = ANSWER_S) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Return the core's reply; None where none runs, or it goes meanwhile.

        Raises:
            TuskError: what the core answered.
        """
        peer = self._peer = self._peer or self._client().link.running()
        if peer is None:
            return None
        try:
            return peer.call(request, timeout_s=timeout_s)
        except (PeerLost, TimeoutExceeded):
            self._peer = None  # not closed: another thread may be in a call on it
            return None
