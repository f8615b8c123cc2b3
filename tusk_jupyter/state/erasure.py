"""Erasing what was deleted, so that nothing of its text is left in the state folder: runs, saved queries, connections.

The order survives a crash in between: the deletion is journaled (what is deleted is gone from then on), then every trace is
taken out of the journal's segments and of the state file, then that is journaled too. What a crash leaves half done is finished
at the next start. Records keep their numbers and lose their content, so a hole in the journal is still seen as damage.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tusk_jupyter.state.frame import BLANK, Record, pack_body
from tusk_jupyter.state.journal import first_seq_of
from tusk_jupyter.system import belongings

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal
    from tusk_jupyter.state.tables import Ranges

_START, _END, _QUERY, _PUT, _DELETE = (
    f'{{"kind":"{kind}"'.encode()
    for kind in ("run.start", "run.end", "query.put", "connection.put", "connection.delete")
)
_BLANK = pack_body(BLANK, {})


class Erasure:
    """Erasures in one state folder; one at a time."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Take the stores that hold the text."""
        self._database = database
        self._journal = journal

    def begin(self, ranges: Ranges) -> None:
        """Forget the runs with these numbers; they have ended. Their rows are gone from here on, their text with `finish`.

        Raises:
            StorageError: it could not be journaled, and nothing is deleted.
        """
        self._journal.append("log.delete", {"ranges": ranges})

    def finish(self, *, journal_bytes: float = inf) -> None:
        """Take the text of all that was deleted, and is not erased yet, out of the files.

        Args:
            journal_bytes: nothing is done with a journal that is larger, since reading it takes long.

        Raises:
            StorageError: a file could not be rewritten; those that are done stay so.
        """
        if self._journal.size_bytes > journal_bytes:
            return
        with self._database.erasing:
            found = self._database.read("SELECT seq, ranges::VARCHAR FROM log_scrub")
            if not found:
                return
            self._blank_journal(_Gone([(seq, json.loads(text)) for seq, text in found]))
            self._database.rebuild()
            self._remove_damaged_copies()
            self._journal.append("log.scrubbed", {"deletions": [seq for seq, _ in found]})

    def _blank_journal(self, gone: _Gone) -> None:
        self._journal.close_segment()
        # From the newest on: a run's end goes before its start, so that no replay finds a run without its end.
        for path in reversed(self._journal.segments()[:-1]):
            self._journal.blank(path, gone.rest_of)
            if first_seq_of(path) <= gone.first:
                return

    def _remove_damaged_copies(self) -> None:
        """State files that were set aside hold the text too, and nothing that was not drawn anew from the journal."""
        path: Path = self._database.path
        for aside in belongings.files_like(path.parent, f"{path.name}.damaged-*"):
            belongings.discard(aside)


class _Gone:
    """What was deleted, and which records hold something of it."""

    def __init__(self, deletions: list[tuple[int, Any]]) -> None:
        """Take the number of each deletion, with the ranges of runs, or the one thing, that it deleted."""
        ranges: Ranges = sorted(one for _, what in deletions if isinstance(what, list) for one in what)
        self._firsts = [first for first, _ in ranges]
        self._lasts = [last for _, last in ranges]
        self._things: dict[tuple[str, str], int] = {}
        """Each kind and id, and the number of the record from which on it may stand there again."""
        for seq, what in deletions:
            if isinstance(what, dict):
                for thing in what.items():
                    self._things[thing] = max(seq, self._things.get(thing, 0))
        self.first = 0 if self._things else ranges[0][0]
        """Number of the first record that may hold something of it."""

    def rest_of(self, record: Record) -> bytes:
        """Return what a record keeps of its content."""
        raw = record.raw
        if raw.startswith(_START):
            return _BLANK if self._has(record.seq) else raw
        if raw.startswith(_END):
            return _BLANK if self._has(record.load()[1]["log"]) else raw
        if not self._things or not raw.startswith((_QUERY, _PUT, _DELETE)):
            return raw
        body = record.load()[1]
        if raw.startswith(_QUERY):
            return _BLANK if self._is_gone("query", body, record) else raw
        return self._rest_of_connection(record, body)

    def _rest_of_connection(self, record: Record, body: dict[str, Any]) -> bytes:
        """A record may hold two connections: the one that was saved and the one whose place it took."""
        if record.raw.startswith(_DELETE):
            return pack_body("connection.delete", {"id": body["id"]}) if body.get("before") else record.raw
        images = {name: body[name] for name in ("after", "replaced", "before") if body.get(name)}
        kept = {name: image for name, image in images.items() if not self._is_gone("connection", image, record)}
        if len(kept) == len(images):
            return record.raw
        return pack_body("connection.put", {"after": None, **kept}) if {"after", "replaced"} & set(kept) else _BLANK

    def _is_gone(self, kind: str, image: dict[str, Any], record: Record) -> bool:
        return record.seq < self._things.get((kind, image["id"]), 0)

    def _has(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq) - 1
        return at >= 0 and seq <= self._lasts[at]
