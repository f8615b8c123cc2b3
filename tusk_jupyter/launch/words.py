"""What a driver process says of its runs, read by one thread and given to whoever follows each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tusk_jupyter.protocol.driver import LAST_WORDS, RunEvent, Watch
from tusk_jupyter.protocol.errors import to_wire

if TYPE_CHECKING:
    from tusk_jupyter.launch.process import DriverProcess

Take = Callable[[RunEvent], None]
"""Gets a run's words on the reading thread, which must not be kept long: other runs of the process wait for theirs."""


class Words:
    """The words of one process. Its stream is opened for the first run: a spare has nothing to say."""

    def __init__(self, process: DriverProcess) -> None:
        """Prepare."""
        self._process = process
        self._takers: dict[str, Take] = {}
        self._lock = threading.Lock()
        self._end: RunEvent | None = None
        self._reading = False

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for words."""
        return bool(self._takers)

    def follow(self, run: str, take: Take) -> None:
        """Give `take` all words of a run up to its last one; a process that ends says that for it.

        Raises:
            DriverCrashed: the process has ended.
        """
        with self._lock:
            if self._end is not None:
                raise self._process.crash()
            self._takers[run] = take
            if not self._reading:
                threading.Thread(target=self._read, name=f"words-{self._process.pid}", daemon=True).start()
                self._reading = True  # not before: where no thread could be started, the next run tries again

    def forget(self, run: str) -> bool:
        """Give a run's words to nobody; return False if its last one was given already."""
        with self._lock:
            return self._takers.pop(run, None) is not None

    def _read(self) -> None:
        end: Exception
        try:
            for word in self._process.stream(Watch()):  # waits for the first one
                self._give(word)
            end = self._process.crash()
        except Exception as exc:  # noqa: BLE001  # whatever it is, every run must have an end
            end = exc
        with self._lock:
            self._end = RunEvent(run="", event="failed", alive=False, error=to_wire(end))
            left, self._takers = self._takers, {}
        for take in left.values():
            take(self._end)

    def _give(self, word: RunEvent) -> None:
        last = word.event in LAST_WORDS
        with self._lock:
            take = self._takers.pop(word.run, None) if last else self._takers.get(word.run)
        if take is not None:
            take(word)
