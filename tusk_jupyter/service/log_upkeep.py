"""What the query log needs from time to time: old rows deleted as the preferences say, broken-off deletions finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tusk_jupyter.protocol import control
from tusk_jupyter.state import clock
from tusk_jupyter.state.store import Store

EVERY_S = 3600.0
START_S = 5.0
"""After the core's start, when its first client has what it came for."""


class LogUpkeep:
    """Keeps the query log as the preferences want it; called from the core's sweep."""

    def __init__(self, store: Store, *, changed: Callable[[], None]) -> None:
        """Be due soon; `changed` is told when rows went."""
        self._store = store
        self._changed = changed
        self._due = time.monotonic() + START_S

    def run_soon(self) -> None:
        """Be due with the next sweep, since a preference was changed."""
        self._due = 0.0

    def run_if_due(self) -> None:
        """Delete what is too old or too much.

        Raises:
            StorageError: it could not be written; it is tried again when it is due again.
        """
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY_S
        self._store.log.finish_deletions()
        gone = 0
        if days := float(self._store.preferences.get("log_keep_days")):
            until = clock.text(datetime.now(UTC) - timedelta(days=days))
            gone += self._store.log.delete(control.DeleteLog(until=until))
        if rows := int(self._store.preferences.get("log_keep_rows")):
            gone += self._store.log.keep_newest(rows)
        if gone:
            self._changed()
