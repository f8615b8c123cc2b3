"""Who holds a lock that a run waits for, and how it ends, in words: by notebook and run where the holder is one of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tusk_jupyter.protocol import driver
from tusk_jupyter.service import schemas
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.sessions import Session
from tusk_jupyter.visible import visible_line

SHOWN = 3
"""Holders named of one wait; the others are counted."""

CHAIN = 4
"""How far it is told for whom a holder waits itself."""

_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a wait."""

    waits_for: str
    """As "a lock of report.ipynb (idle in an open transaction since 14:02:11; ...)"."""
    way_out: str
    """How it ends: sentences."""
    ours: tuple[Session, ...] = ()
    """The holders that are sessions of ours."""


@dataclass(slots=True)
class _Words:
    """What is gathered for one wait."""

    ways: dict[str, None] = field(default_factory=dict)
    ours: list[Session] = field(default_factory=list)


class LockWords:
    """Puts waits into words.

    Args:
        sessions: all sessions of the core.
        last_run: a session's run under way, or its last one.
        source_of: where a client is, for people; "" where that is not known.
    """

    def __init__(
        self,
        sessions: Callable[[], Sequence[Session]],
        last_run: Callable[[Session], Run | None],
        source_of: Callable[[str], str],
    ) -> None:
        self._sessions = sessions
        self._last_run = last_run
        self._source_of = source_of

    def told(self, run: Run, wait: driver.LockWait, waits: Mapping[str, driver.LockWait]) -> Told:
        """Return the words for a run's wait; `waits` are those of its holders, by backend."""
        words = _Words()
        if wait.holders:
            what = self._holders(run.session, wait, waits, words, seen=(wait.backend,))
        else:
            what = self._hidden(run.session, wait, words)
        return Told(
            waits_for=visible_line(what),
            way_out=visible_line(" ".join(words.ways)),
            ours=tuple(dict.fromkeys(words.ours)),
        )

    def open_transactions(self, waiting: Session) -> list[Session]:
        """Return the other sessions of ours on the same server or file in which a transaction is open."""
        return [
            one
            for one in self._sessions()
            if one is not waiting and one.usable and one.transaction != "idle" and _place(one) == _place(waiting)
        ]

    def _holders(
        self,
        waiting: Session,
        wait: driver.LockWait,
        waits: Mapping[str, driver.LockWait],
        words: _Words,
        *,
        seen: tuple[str, ...],
    ) -> str:
        named = []
        for holder in wait.holders[:SHOWN]:
            behind = waits.get(holder.backend) if holder.backend not in seen and len(seen) < CHAIN else None
            one = self._holder(waiting, holder, words, waits_itself=behind is not None)
            if behind is not None:
                then = self._holders(waiting, behind, waits, words, seen=(*seen, holder.backend))
                one = f"{one}, which waits for {then}" if behind.holders else f"{one}, which also waits for a lock"
            named.append(one)
        more = len(wait.holders) - SHOWN
        return f"a lock of {' and of '.join(named)}{f' and of {more} more' if more > 0 else ''}"

    def _holder(self, waiting: Session, holder: driver.LockHolder, words: _Words, *, waits_itself: bool) -> str:
        session = next((one for one in self._sessions() if _is_of(one, holder.backend, waiting)), None)
        if session is None:
            return _foreign(waiting, holder, words, waits_itself=waits_itself)
        words.ours.append(session)
        return self._own(waiting, session, words, waits_itself=waits_itself)

    def _own(self, waiting: Session, session: Session, words: _Words, *, waits_itself: bool) -> str:
        """Return one of our sessions as the run's user knows it."""
        if session.client == schemas.CLIENT:
            words.ways["It reads the schema and ends soon."] = None
            return "tusk-jupyter's own reading of the schema"
        run = self._last_run(session)
        source = run.source if run is not None and run.source else self._source_of(session.client)
        name = Path(source).name or "another notebook or program"
        if session.client == waiting.client:
            name = f"this notebook's own session on {session.connection.name!r}"
        where = "there" if session.client == waiting.client else f"in {name}"
        if run is not None and run.running:
            state = f"its run {run.id[:8]} is under way since {_moment(run.started_at)}: {run.beginning}"
            if not waits_itself:  # who waits is not in the way
                words.ways[f"`%tusk cancel {run.id[:8]}` stops that run{_and_end(session, where)}."] = None
            return f"{name} ({state})"
        begun = datetime.now(UTC) - timedelta(seconds=time.monotonic() - session.last_used)
        state = "idle in an open transaction" if session.transaction != "idle" else "idle, with no transaction open"
        last = f"; its last run {run.id[:8]}: {run.beginning}" if run is not None else ""
        disconnect = f"`%tusk disconnect {session.connection.name}`"
        if session.transaction == "idle":
            words.ways[f"{disconnect} {where} ends it."] = None
        else:
            words.ways[f"COMMIT or ROLLBACK on {session.connection.name} {where} ends it."] = None
        return f"{name} ({state} since {_moment(begun.isoformat())}{last})"

    def _hidden(self, waiting: Session, wait: driver.LockWait, words: _Words) -> str:
        candidates = self.open_transactions(waiting)
        for session in candidates[:SHOWN]:
            words.ways[f"{self._own(waiting, session, words, waits_itself=False)} may be it."] = None
        if not candidates:
            words.ways["Ask whoever works on this database, or its administrator."] = None
        if not wait.certain:
            return f"perhaps a lock: some session on this server waits for one ({wait.hidden})"
        return f"a lock ({wait.hidden})"


def _foreign(waiting: Session, holder: driver.LockHolder, words: _Words, *, waits_itself: bool) -> str:
    server = waiting.has_server
    name = f"session {holder.backend}" if server and holder.backend else holder.application or "another session"
    of = f" of user {holder.user}" if holder.user else ""
    since = f"{holder.state} since {_moment(holder.since)}" if holder.state and holder.since else holder.state
    about = [holder.application if server else "", holder.address and f"from {holder.address}", since]
    if waits_itself:
        pass
    elif holder.ended_by:
        words.ways[
            f"COMMIT or ROLLBACK in that session ends it, or the server's administrator with `{holder.ended_by}`."
        ] = None
    else:
        words.ways["It ends with that program's transaction, or with the program."] = None
    known = ", ".join(part for part in about if part)
    return f"{name}{of}{f' ({known})' if known else ''}"


def _and_end(session: Session, where: str) -> str:
    return f"; then COMMIT or ROLLBACK {where}" if session.transaction != "idle" else ""


def _is_of(session: Session, backend: str, waiting: Session) -> bool:
    """Return whether a session of ours is the one that a driver calls `backend`."""
    process = session.process  # once: it goes on another thread
    if not backend or session is waiting or process is None:
        return False
    if not waiting.has_server:
        return not session.has_server and str(process.pid) == backend
    return session.backend == backend and _place(session) == _place(waiting)


def _place(session: Session) -> tuple[str, ...]:
    """Return where a session is: a server, under whatever user and database, or a file."""
    config = session.connection.config
    if not session.has_server:
        return session.connection.driver, str(Path(str(config.get("path", ""))).resolve())
    host = str(config.get("host") or "").lower()
    process = session.process
    fields = process.manifest.properties if process is not None else {}
    port = config.get("port") or fields.get("port", {}).get("default") or ""
    sockets = sorted(f"{name}={value}" for name, value in config.items() if "socket" in name and value)
    return session.connection.driver, "" if host in _HERE else host, str(port), *sockets


def _moment(iso: str | None) -> str:
    """Return a time of the core or a server as local time; the date is said of another day only."""
    try:
        moment = datetime.fromisoformat(iso or "")
    except ValueError:
        return iso or "a time that is not known"
    moment = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone()
    today = moment.date() == datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")
