"""A lock for each of many things, which is there only while somebody holds it or waits for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class KeyedLocks:
    """Locks by key; thread-safe. One that nobody uses any more is dropped, and never one that somebody does."""

    def __init__(self) -> None:
        """Begin with none."""
        self._guard = threading.Lock()
        self._used: dict[Hashable, tuple[threading.Lock, int]] = {}
        """Each with how many hold it or wait for it."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._used)

    @contextmanager
    def held(self, key: Hashable) -> Iterator[None]:
        """Hold the lock of a key; not reentrant."""
        with self._guard:
            lock, users = self._used.get(key) or (threading.Lock(), 0)
            self._used[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                _, users = self._used.pop(key)
                if users > 1:
                    self._used[key] = lock, users - 1
