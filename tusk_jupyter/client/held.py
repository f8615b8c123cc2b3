"""What this client has left in its database sessions, so that no run of it meets another session unawares.

The core may be another one by the next run, so the client remembers and says it with each run; the core judges.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from tusk_jupyter.protocol import control


@dataclass(slots=True)
class _Session:
    """The session that was met last on a connection."""

    id: str
    connection: str
    holds: bool


class Held:
    """The sessions of one client by their connection's id; thread-safe."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def claims(self) -> tuple[control.HeldSession, ...]:
        """Return the sessions that something is in."""
        with self._lock:
            return tuple(
                control.HeldSession(connection=one.connection, connection_id=connection_id, session=one.id)
                for connection_id, one in self._sessions.items()
                if one.holds
            )

    def begun(self, accepted: control.RunAccepted) -> bool:
        """Note where a run is about to begin; return whether it is another session than that of the run before."""
        if not accepted.session_id:
            return False
        with self._lock:
            before = self._sessions.get(accepted.connection_id)
            now = _Session(accepted.session_id, accepted.connection, bool(accepted.holds))
            self._sessions[accepted.connection_id] = now
        return before is not None and before.id != now.id

    def ended(self, accepted: control.RunAccepted, transaction: str) -> None:
        """Note how a run left its session; `transaction`: idle | open | failed."""
        with self._lock:
            now = self._sessions.get(accepted.connection_id)
            if now is not None and now.id == accepted.session_id:
                now.holds = accepted.holds == "state" or transaction != "idle"

    def lost(self, sessions: Iterable[str]) -> None:
        """Forget sessions whose end this client has been told."""
        gone = set(sessions)
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if one.id not in gone}

    def let_go(self, connection_id: str) -> None:
        """Forget the session on a connection, which this client has had closed."""
        with self._lock:
            self._sessions.pop(connection_id, None)
