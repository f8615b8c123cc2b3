"""From a request to a run: a session for it, its row in the log, its ticket at the driver; and its end in the log."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tusk_jupyter import errors
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.service import aftermath, bound_values, lock_waits
from tusk_jupyter.service.clients import Client
from tusk_jupyter.service.connections import Connections
from tusk_jupyter.service.lock_waits import LockWaits
from tusk_jupyter.service.lock_words import LockWords
from tusk_jupyter.service.openings import Openings
from tusk_jupyter.service.run import Ending, Run
from tusk_jupyter.service.runs import Runs
from tusk_jupyter.service.sessions import Session, SessionGone, Sessions
from tusk_jupyter.sqltext.effects import Effect, effect_of
from tusk_jupyter.sqltext.hiding import hide_known
from tusk_jupyter.sqltext.redaction import Redacted, examine
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.query_log import RunEnd, RunStart
from tusk_jupyter.state.store import Store

START_TRIES = 3
"""Sessions tried for one run: one may end between being found and being used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A run that waits for its client, and where."""

    reply: control.RunAccepted
    address: str
    ticket: str


class Dispatch:
    """Brings requests to drivers; `runs` are what became of them."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        connections: Connections,
        spares: Spares,
        *,
        changed: Callable[[], None],
        ended: Callable[[Session, str, driver.RunEvent], None],
        source_of: Callable[[str], str],
    ) -> None:
        """Put the parts together.

        `changed` is told when a run began, ended, is being cancelled or waits for a lock; `ended`, what a run did.
        `source_of` says where a client is.
        """
        self._ended = ended
        self._store = store
        self._sessions = sessions
        self._connections = connections
        self._spares = spares
        self.runs = Runs(
            on_start=self._log_start,
            on_end=self._run_ended,
            kill_backend=self._kill_backend,
            end_backend=self._end_backend,
            with_holder=lambda run, error: self.locks.added_to(run, error),
            close_session=lambda session: self._sessions.close(session),
            changed=changed,
        )
        self._openings = Openings(sessions, self._open_for)
        self.locks = LockWaits(
            runs=self.runs.running,
            words=LockWords(sessions.all, self.runs.last_of, source_of),
            ask=self._ask_for_locks,
            first_s=lambda: float(store.preferences.get("lock_question_s")),
            changed=changed,
        )

    def run(self, client: Client, record: ConnectionRecord, request: control.RunRequest) -> Accepted:
        """Take a run in: session open, in the log, its ticket at the driver.

        Raises:
            UsageError: nothing to run, no such connection; nothing is logged.
            TuskError: the session cannot be opened; that is logged.
        """
        return self._start(
            client,
            record,
            request,
            _words(request, self._connections.lexical_dialect_of(record)),
            lambda run: driver.Run(
                session=run.session.id,
                run=run.id,
                ticket=run.ticket,
                sql=request.sql,
                parameters=request.parameters,
                limit=request.limit,
                read_only=request.read_only,
                folder=request.folder,
                hidden=request.hidden,
            ),
        )

    def upload(self, client: Client, record: ConnectionRecord, request: control.UploadRequest) -> Accepted:
        """Take an upload in; raises as `run`."""
        words = f"-- {'append to' if request.append else 'persist as'} {request.table}"
        return self._start(
            client,
            record,
            request,
            Redacted(text=words),
            lambda run: driver.Upload(
                session=run.session.id, run=run.id, ticket=run.ticket, table=request.table, append=request.append
            ),
        )

    def session_for(self, client: str, record: ConnectionRecord, *, limit_s: float | None = None) -> Session:
        """Return a client's session on a connection, opened with what is set for it if there is none that stands.

        Args:
            client: whose.
            record: the connection.
            limit_s: how long the sign-in may take, if less than any.

        Raises:
            ConnectError, CredentialError, DriverError: it cannot be opened.
        """
        preferences = self._store.preferences
        return self._sessions.acquire(
            client,
            record,
            memory_mb=record.memory_limit_mb or int(preferences.get("memory_limit_mb")) or None,
            connect_timeout_s=self._connect_timeout_s() if limit_s is None else limit_s,
        )

    def _connect_timeout_s(self) -> float:
        return float(self._store.preferences.get("connect_timeout_s"))

    def _open_for(self, run: Run, limit_s: float | None) -> Session:
        return self.session_for(run.session.client, run.session.connection, limit_s=limit_s)

    def _start(
        self,
        client: Client,
        record: ConnectionRecord,
        request: control.RunRequest | control.UploadRequest,
        words: Redacted,
        message: Callable[[Run], driver.Run | driver.Upload],
    ) -> Accepted:
        """Hand a run to a session's driver; a session that ends just then is replaced, for nothing was run in it."""
        met: list[Session] = []
        accepted = time.monotonic()
        for attempt in range(START_TRIES):
            run = self._begin(client, record, request, words, met, accepted=accepted)
            met.append(run.session)
            try:
                self.runs.start(run, message(run), wait_s=float(self._store.preferences.get("session_wait_s")))
                return self._accepted(run)
            except SessionGone:  # also behind the start: its client has no ticket yet
                self._sessions.close(run.session)
                if attempt + 1 == START_TRIES:
                    raise
            except BaseException:
                if record.isolation == "statement":
                    self._sessions.close(run.session)
                raise
        raise errors.InternalError("A run was neither started nor refused.")

    def _begin(
        self,
        client: Client,
        record: ConnectionRecord,
        request: control.RunRequest | control.UploadRequest,
        words: Redacted,
        met: Sequence[Session],
        *,
        accepted: float,
    ) -> Run:
        """Return a run with the session that its client counts on, or an open one; that there is none is in the log.

        `met` are sessions that the run was to have before, and that ended just then; `accepted`, when it was asked for.
        """
        preferences = self._store.preferences
        parameters, hidden = _parameters(request, words.parameters)
        run = Run(
            session=Session(client.id, record, id=""),  # until there is one
            source=client.source,
            cell=request.cell,
            sql=words.text,
            dialect=self._connections.dialect_of(record),
            timeout_s=request.timeout_s or record.timeout_s or float(preferences.get("timeout_s")) or None,
            kind=_kind(request),
            secrets=(*hidden, *words.secrets),
            single=isinstance(request, control.RunRequest) and ";" not in request.sql.strip().rstrip(";"),
            parameters=parameters,
            logged=request.log and record.log and bool(preferences.get("log")),
            accepted=accepted,
        )
        try:
            session = self._kept_session(run, request, met)
        except errors.TuskError as exc:
            self.runs.refuse(run, exc)
            raise
        run.session = session
        run.effect = self._effect(run, request)
        with contextlib.suppress(errors.StorageError):  # when it was used last is not worth a refusal
            self._store.connections.touch(record.id)
        return run

    def _kept_session(
        self, run: Run, request: control.RunRequest | control.UploadRequest, met: Sequence[Session]
    ) -> Session:
        """Return the session that a run's client counts on, or a fresh one if it counts on none.

        Raises:
            SessionLost: it has ended; ConnectError, CredentialError, DriverError: a fresh one cannot be opened;
                TimeoutExceeded: not within the run's time.
        """
        record = run.session.connection
        waited_for = (
            control.HeldSession(connection=record.name, connection_id=record.id, session=one.id) for one in met
        )
        held = () if record.isolation == "statement" else (*request.held, *waited_for)
        check = functools.partial(
            self._sessions.endings.check, record.id, record.name, held, private=self._connections.is_private(record)
        )
        try:
            session = self._openings.session_for(run, usual_s=self._connect_timeout_s)
        except errors.TuskError:
            check("")  # what has ended is the first thing to be told
            raise
        check(session.id)
        return session

    def _effect(self, run: Run, request: control.RunRequest | control.UploadRequest) -> Effect:
        """Return what a run leaves in its session; one that has something in it already is not looked at anew."""
        if run.session.holds or isinstance(request, control.UploadRequest):
            return Effect.STATE
        effect = effect_of(request.sql, run.dialect)
        private = Effect.SHARED in effect and self._connections.is_private(run.session.connection)
        return effect | Effect.STATE if private else effect

    def _accepted(self, run: Run) -> Accepted:
        session = run.session
        begun = session.transaction != "idle" or Effect.TRANSACTION in run.effect
        return Accepted(
            reply=control.RunAccepted(
                run=run.id,
                connection=session.connection.name,
                driver=session.connection.driver,
                server=session.server,
                dialect=run.dialect,
                session_id="" if session.connection.isolation == "statement" else session.id,
                connection_id=session.connection.id,
                holds="state" if session.holds else "transaction" if begun else "",
                environment=session.connection.environment,
                notices=run.notices,
            ),
            address=session.live_process().address,
            ticket=run.ticket,
        )

    def _log_start(self, run: Run) -> None:
        if not run.logged:
            return
        record = run.session.connection
        start = RunStart(
            run=run.id,
            session=run.session.client,
            source=run.source,
            connection=record.name,
            connection_id=record.id,
            driver=record.driver,
            sql=run.sql,
            cell=run.cell,
            kind=run.kind,
            parameters=run.parameters,
            started_at=run.started_at,
        )
        try:
            self._store.log.started(start)
        except errors.StorageError as exc:  # a full disk costs the log row, not the user's result
            run.logged = False
            run.notices = (f"This run is not in the query log: {exc.message}",)

    def _run_ended(self, ending: Ending) -> None:
        try:
            with contextlib.suppress(errors.StorageError, OSError):  # it is noted after the next run
                self._connections.note_file(ending.run.session.connection)
            self._log_end(ending)
        finally:
            self._ended(ending.run.session, ending.run.kind, ending.event)

    def _log_end(self, ending: Ending) -> None:
        run, event = ending.run, ending.event
        if not run.logged:
            return
        affected = [one.affected for one in event.statements if one.affected is not None]
        yields = [one.rows for one in event.statements if one.rows is not None]
        self._store.log.ended(
            RunEnd(
                run=run.id,
                status=ending.status,
                elapsed_ms=round((run.elapsed_s or 0.0) * 1000, 3),
                rows=event.rows if yields or event.rows else None,
                affected=sum(affected) if affected else None,
                statements=len(event.statements),
                error=run.error.message if run.error else None,
                code=run.error.code if run.error else None,
                position=run.error.position if run.error else None,
            )
        )

    def _kill_backend(self, session: Session) -> None:
        """End on the server what a session's own driver no longer ends, from a second process with the same sign-in."""
        self._ask_to_kill(session, whole=False, timeout_s=3.0)

    def _end_backend(self, session: Session) -> driver.Killed | None:
        """End a session on the server whose driver process is gone; None where it has no backend that could be ended."""
        return self._ask_to_kill(session, whole=True, timeout_s=aftermath.PATIENCE_S)

    def _ask_to_kill(self, session: Session, *, whole: bool, timeout_s: float) -> driver.Killed | None:
        manifest = session.live_process().manifest
        if session.backend is None or not manifest.capabilities.kill_backend:
            return None
        request = driver.KillBackend(
            config=session.connection.config,
            secrets=self._connections.secrets.of(session.connection),
            backend=session.backend,
            session=whole,
        )
        killed: driver.Killed = self._spares.ask(session.connection.driver, request, timeout_s=timeout_s)
        return killed

    def _ask_for_locks(self, session: Session, backends: tuple[str, ...]) -> tuple[driver.LockWait, ...]:
        """Ask a session's server whose locks backends wait for, from a second process with the same sign-in."""
        request = driver.FindLocks(
            config=session.connection.config,
            secrets=self._connections.secrets.of(session.connection),
            backends=backends,
        )
        found: driver.LockWaits = self._spares.ask(session.connection.driver, request, timeout_s=lock_waits.TIMEOUT_S)
        return found.waits


def _kind(request: control.RunRequest | control.UploadRequest) -> str:
    if isinstance(request, control.UploadRequest):
        return "upload"
    return "tool" if request.kind == "tool" else "query"


def _words(request: control.RunRequest, dialect: str) -> Redacted:
    """Return a run's SQL as the log keeps it, and the secrets in it: those that can be recognised, and those that are known."""
    words = examine(request.sql, dialect, request.parameters)
    if request.hidden:
        words.text = hide_known(words.text, request.hidden)
        words.secrets |= dict.fromkeys(request.hidden)
    return words


def _parameters(
    request: control.RunRequest | control.UploadRequest, placed: set[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return a run's parameters as the log shows them, and the values that no message may show."""
    if isinstance(request, control.UploadRequest) or not request.parameters:
        return {}, ()
    secret = bound_values.secret_names(request.parameters, placed)
    return bound_values.shown(request.parameters, secret), bound_values.texts(request.parameters, secret)
