"""Why database sessions ended, kept for the clients that go on counting on them.

A client names the sessions it has left something in (`control.HeldSession`). A run that would meet another one is refused
once, before anything of it is executed: what `orders` means may have changed from a temp table to the permanent one.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

KEPT = 1_000
"""Ended sessions remembered; one that is not is explained as one of an earlier core."""

EARLIER_CORE = "the core service that had it has ended (it was stopped, or it crashed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session that is no more."""

    connection: str
    """Id of its connection, or of what that has become."""
    why: str
    """A clause, as "its driver process ended with signal 9 (SIGKILL)"."""
    held: bool
    """Whether it had something in it that a new session has not."""


class Endings:
    """The last sessions that ended; thread-safe."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ended: collections.OrderedDict[str, Ended] = collections.OrderedDict()
        self._lock = threading.Lock()

    def note(self, session: str, ended: Ended) -> None:
        """Keep how a session ended; what was noted first stays."""
        with self._lock:
            self._ended.setdefault(session, ended)
            while len(self._ended) > KEPT:
                self._ended.popitem(last=False)

    def moved(self, before: str, after: str) -> None:
        """Note that a connection has got another id."""
        with self._lock:
            for session, one in self._ended.items():
                if one.connection == before:
                    self._ended[session] = replace(one, connection=after)

    def check(
        self, connection_id: str, name: str, held: Iterable[control.HeldSession], session: str, *, private: bool
    ) -> None:
        """See that a run meets the session that its client counts on.

        Args:
            connection_id: of the run's connection.
            name: of the same, by which a client knows it whose connection was removed and made anew.
            held: what the client counts on.
            session: the one it would meet; "": none can be opened.
            private: whether the database itself lives in its session.

        Raises:
            SessionLost: it would meet another one, and the one before had something in it.
        """
        meant = [one for one in held if self._is_on(one, connection_id, name)]
        if not meant or any(one.session == session for one in meant):
            return
        with self._lock:
            known = [self._ended.get(one.session) for one in meant]
        if all(one is not None and not one.held for one in known):
            return
        why = next((one.why for one in known if one is not None and one.held), EARLIER_CORE)
        raise lost(name, why, [one.session for one in meant], private=private)

    def _is_on(self, held: control.HeldSession, connection_id: str, name: str) -> bool:
        if connection_id == held.connection_id or name == held.connection:
            return True
        with self._lock:
            ended = self._ended.get(held.session)
        return ended is not None and ended.connection == connection_id


def lost(name: str, why: str, sessions: Sequence[str], *, private: bool) -> errors.SessionLost:
    """Return the refusal of a run that would meet another session than its client counts on."""
    server = "its temp tables, its settings (SET, USE, ...), and what had not been committed"  # nobody knows of a last COMMIT
    gone = "the database in memory with all its tables" if private else server
    return errors.SessionLost(
        f"None of this was run: its session on {name!r} has ended, because {why}. Gone with it are {gone}.",
        scenario="session_lost",
        sessions=tuple(sessions),
    )
