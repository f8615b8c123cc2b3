"""Client sessions: which notebook, script or terminal was attached, and when."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tusk_jupyter.state import clock

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One client session; times are ISO 8601, UTC, milliseconds."""

    id: str
    source: str
    """The notebook's path, `cli`, a script's path, `ipython`."""
    pid: int
    started_at: str
    ended_at: str | None = None


class Sessions:
    """All client sessions; threads may call at once."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Load the open ones from the state file."""
        self._database = database
        self._journal = journal
        self._lock = threading.Lock()
        rows = database.read("SELECT id FROM client_session WHERE ended_at IS NULL")
        self._open = {row[0] for row in rows}

    def started(self, session: str, *, source: str, pid: int) -> None:
        """Note that a client attached; attaching again (after a core's restart) opens its session again."""
        with self._lock:
            self._journal.append(
                "session.start", {"id": session, "source": source, "pid": pid, "started_at": clock.now()}
            )
            self._open.add(session)

    def ended(self, session: str) -> bool:
        """Note that a client went away; return whether it was there."""
        with self._lock:
            if session not in self._open:
                return False
            self._journal.append("session.end", {"id": session, "ended_at": clock.now()})
            self._open.discard(session)
            return True

    def close_open(self) -> int:
        """At the core's start: end the sessions that a crash left open; return how many."""
        return sum(self.ended(session) for session in tuple(self._open))

    def read(self, limit: int = 100) -> tuple[SessionRecord, ...]:
        """Return sessions, newest first."""
        rows = self._database.read(
            "SELECT id, source, pid, started_at, ended_at FROM client_session ORDER BY started_at DESC LIMIT ?", [limit]
        )
        return tuple(
            SessionRecord(
                id=row[0],
                source=row[1],
                pid=row[2],
                started_at=clock.text(row[3]),
                ended_at=clock.text(row[4]) if row[4] else None,
            )
            for row in rows
        )
