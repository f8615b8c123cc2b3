"""Deleting from the query log, so that nothing of the text is left in the state folder.

The order survives a crash in between: the deletion is journaled (its rows are gone from then on), then every trace is taken
out of the journal's segments and of the state file, then that is journaled too. What a crash leaves half done is finished at
the next start. Records keep their numbers and lose their content, so a hole in the journal is still seen as damage.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from tusk_jupyter.state.frame import Record
from tusk_jupyter.state.journal import first_seq_of

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal
    from tusk_jupyter.state.tables import Ranges

_START, _END = (f'{{"kind":"{kind}"'.encode() for kind in ("run.start", "run.end"))


class LogDeletion:
    """Deletions of one state folder; one at a time."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Take the stores that hold the text."""
        self._database = database
        self._journal = journal
        self._lock = threading.Lock()

    def begin(self, ranges: Ranges) -> None:
        """Forget the runs with these numbers; they have ended. Their rows are gone from here on, their text with `finish`.

        Raises:
            StorageError: it could not be journaled, and nothing is deleted.
        """
        self._journal.append("log.delete", {"ranges": ranges})

    def finish(self) -> None:
        """Take the text of all deletions that are not finished out of the files.

        Raises:
            StorageError: a file could not be rewritten; those that are done stay so.
        """
        with self._lock:
            found = self._database.read("SELECT seq, ranges::VARCHAR FROM log_scrub")
            if not found:
                return
            ranges = sorted(one for _, text in found for one in json.loads(text))
            self._blank_journal(_Gone(ranges))
            self._database.rebuild()
            self._remove_damaged_copies()
            self._journal.append("log.scrubbed", {"deletions": [seq for seq, _ in found]})

    def _blank_journal(self, gone: _Gone) -> None:
        self._journal.close_segment()
        # From the newest on: a run's end goes before its start, so that no replay finds a run without its end.
        for path in reversed(self._journal.segments()[:-1]):
            self._journal.blank(path, gone.is_wanted)
            if first_seq_of(path) <= gone.first:
                return

    def _remove_damaged_copies(self) -> None:
        """State files that were set aside hold the text too, and nothing that was not drawn anew from the journal."""
        path: Path = self._database.path
        for aside in path.parent.glob(f"{path.name}.damaged-*"):
            aside.unlink(missing_ok=True)


class _Gone:
    """Which records hold something of the runs in some ranges."""

    def __init__(self, ranges: Ranges) -> None:
        self.first = ranges[0][0]
        self._firsts = [first for first, _ in ranges]
        self._lasts = [last for _, last in ranges]

    def is_wanted(self, record: Record) -> bool:
        """Return whether a record keeps its content."""
        if record.raw.startswith(_START):
            return not self._has(record.seq)
        if record.raw.startswith(_END):
            return not self._has(record.load()[1]["log"])
        return True

    def _has(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq) - 1
        return at >= 0 and seq <= self._lasts[at]
