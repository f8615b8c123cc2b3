"""The core's parts, put together: what each request means is one method here.

Nothing here knows Flight; `server` does. A method takes a request of `protocol.control` and returns its reply.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.environment import ALLOWED
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.protocol.message import Message, fields_of
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.service import doctor, schemas
from tusk_jupyter.service.changes import Changes
from tusk_jupyter.service.clients import Client, Clients
from tusk_jupyter.service.connection_records import public
from tusk_jupyter.service.connection_secrets import ConnectionSecrets
from tusk_jupyter.service.connections import Connections
from tusk_jupyter.service.dispatch import Accepted, Dispatch
from tusk_jupyter.service.log_upkeep import LogUpkeep
from tusk_jupyter.service.schemas import Schemas
from tusk_jupyter.service.sessions import Session, Sessions
from tusk_jupyter.service.trials import Trials
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.statements import split
from tusk_jupyter.state import clock
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.query_log import RunEnd
from tusk_jupyter.state.store import Store
from tusk_jupyter.system.places import Places
from tusk_jupyter.tiers.credentials import Credentials
from tusk_jupyter.version import __version__

_LOG = logging.getLogger(__name__)

CLOSE_S = 5.0
"""How long a core that ends gives its drivers; as long as a frozen one is waited for otherwise."""
SWEEP_EVERY_S = 1.0
"""Idle sessions and silent clients are counted in minutes; each sweep wakes a thread."""
ERASED_AT_END_BYTES = 8 * 1024 * 1024
"""A journal up to which a core that ends still erases what a removed connection left: one second. With a longer one, which
whoever waits for the end would notice, the next core does so."""


class Core:
    """One user's core service."""

    def __init__(self, places: Places, store: Store, *, stop: Callable[[], None]) -> None:
        """Put the parts together; `stop` asks the process to end."""
        self.places = places
        self.store = store
        self.stop = stop
        self.started = time.monotonic()
        self._started_at = clock.now()
        self.clients = Clients()
        self.credentials = Credentials(places.home, os.environ)
        spares_wanted = bool(store.preferences.get("warm_spare"))
        self.spares = Spares(Catalog(places), on_exit=self._process_ended, enabled=spares_wanted)
        trials = Trials(self.spares, lambda: float(store.preferences.get("connect_timeout_s")))
        self.secrets = ConnectionSecrets(store.connections, self.credentials, self.spares.catalog)
        self.connections = Connections(store.connections, self.secrets, self.spares, trials)
        self.changes = Changes()
        self.sessions = Sessions(self.spares, self.secrets.of, changed=lambda: self.changes.bump("connections"))
        trials.serving = self.sessions.serving
        self.schemas = Schemas(
            open_session=lambda client, record: self.dispatch.session_for(client, record),
            close_session=self.sessions.close,
            find_session=self.sessions.find,
            is_private=self.connections.is_private,
            cache_s=lambda: float(store.preferences.get("schema_cache_s")),
            changed=lambda: self.changes.bump("schema"),
        )
        self.dispatch = Dispatch(
            store,
            self.sessions,
            self.connections,
            self.spares,
            changed=lambda: self.changes.bump("runs", "log"),
            ended=self.schemas.run_ended,
            source_of=self.clients.source_of,
        )
        self.runs = self.dispatch.runs
        self._upkeep = LogUpkeep(store, changed=lambda: self.changes.bump("log"))
        self._left_over = self.secrets.finish_unfinished()
        self._last_busy = time.monotonic()
        self._sweeper = ThreadPoolExecutor(1, thread_name_prefix="sweep")
        self._sweeping: Future[None] | None = None
        self._next_sweep = 0.0
        store.log.interrupt_open("The core was stopped while this ran.")
        store.sessions.close_open()

    # --- the core itself ---

    def status(self, request: control.GetCoreStatus) -> control.CoreStatus:
        """Say how the core is; refuse clients of another protocol.

        Raises:
            VersionMismatch: the client speaks another protocol version.
        """
        if request.protocol != PROTOCOL_VERSION:
            raise errors.VersionMismatch(
                f"This is tusk-jupyter {request.client_version} (protocol {request.protocol}); the running core is "
                f"{__version__} (protocol {PROTOCOL_VERSION}, pid {os.getpid()}).",
                hint="End the running core with `tusk core stop` (from either version); the next call starts a fitting one.",
            )
        import duckdb

        return control.CoreStatus(
            version=__version__,
            protocol=PROTOCOL_VERSION,
            pid=os.getpid(),
            home=str(self.places.home),
            started_at=self._started_at,
            clients=self.clients.attached,
            sessions=sum(one.usable for one in self.sessions.all()),
            running=len(self.runs.running()),
            drivers=len(self.spares.processes),
            log_rows=self.store.log.count(),
            idle_exit_s=float(self.store.preferences.get("idle_core_s")),
            python=platform.python_version(),
            duckdb=duckdb.__version__,
            notices=self._notices,
        )

    @property
    def _notices(self) -> tuple[str, ...]:
        """What the user must hear; the store may find damage at any time."""
        return (*self.store.notices, *self._left_over)

    def stop_core(self, _: control.StopCore) -> control.Stopped:
        """End the process; the reply goes out first."""
        stopped = control.Stopped(running=len(self.runs.running()), sessions=len(self.sessions.all()))
        self.stop()
        return stopped

    def forget_variables(self, request: control.ForgetVariables) -> control.Forgotten:
        """Take variables out of the environment; one that programs need to be found and run stays."""
        names = [name for name in request.names if name not in ALLOWED and not name.startswith("TUSK_")]
        return control.Forgotten(names=tuple(name for name in names if os.environ.pop(name, None) is not None))

    def doctor(self, _: control.Doctor) -> control.Checks:
        """Examine everything."""
        return control.Checks(
            checks=tuple(doctor.examine(self.places, self.store, self.credentials, self.spares.catalog))
        )

    def attach(self, request: control.Attach, gone: Callable[[], bool]) -> Iterator[control.AttachEvent]:
        """Hold a client's sessions open until `gone()`, then close them."""
        self.clients.attach(request.session, source=request.source, pid=request.pid, kernel=request.kernel)
        try:
            if request.kernel:
                self.changes.bump("connections")  # what is current in a notebook
            with contextlib.suppress(errors.StorageError):  # the client works without its line in the history
                self.store.sessions.started(request.session, source=request.source, pid=request.pid)
            yield control.AttachEvent(event="attached", notices=self._notices)
            while not gone():
                time.sleep(0.25)
        finally:
            if self.clients.detach(request.session):
                self._end_client(request.session)
                if request.kernel:
                    self.changes.bump("connections")

    def close(self) -> None:
        """End runs, sessions and processes, and close the state."""
        self.changes.close()
        last_call = threading.Timer(CLOSE_S, self.spares.kill_all)  # a frozen driver would hold its session's close up
        last_call.daemon = True
        last_call.start()
        self.runs.cancel_all()
        deadline = time.monotonic() + 1.0
        while self.runs.running() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.sessions.close_all()
        self.spares.close()
        with contextlib.suppress(errors.StorageError):
            self.store.log.write_left_over()
            self.store.log.finish_deletions(journal_bytes=ERASED_AT_END_BYTES)
        self.store.close()

    def tick(self) -> None:
        """What is due by the clock: timeouts, cancel ladders, frozen drivers, idle sessions, silent clients."""
        self.runs.tick()
        self.dispatch.locks.tick()
        for process in self.spares.processes:
            process.look()
        now = time.monotonic()
        if now >= self._next_sweep and (self._sweeping is None or self._sweeping.done()):
            self._next_sweep = now + SWEEP_EVERY_S
            self._sweeping = self._sweeper.submit(self._sweep)  # on a thread of its own: closing may take seconds

    def _sweep(self) -> None:
        """Close what nobody uses any more, and write what could not be written before."""
        with contextlib.suppress(errors.StorageError):  # the disk is still full
            self.store.log.write_left_over()
        try:
            self.sessions.close_idle(float(self.store.preferences.get("idle_session_s")))
            self.sessions.close_idle(schemas.IDLE_S, client=schemas.CLIENT)
            for client in self.clients.expired(busy={run.session.client for run in self.runs.running()}):
                self._end_client(client.id)
            self._upkeep.run_if_due()
        except Exception:  # noqa: BLE001  # the next sweep comes
            _LOG.exception("sweep")

    def idle_for(self) -> float:
        """Return for how many seconds nobody has been attached and nothing has run."""
        if self.clients.attached or self.runs.running():
            self._last_busy = time.monotonic()
        return time.monotonic() - self._last_busy

    def note_call(self) -> None:
        """A client said something."""
        self._last_busy = time.monotonic()

    # --- connections ---

    def save_connection(self, request: control.SaveConnection) -> control.ConnectionSaved:
        """Add or replace a connection; it is the client's current one, unless another was chosen."""
        before = self.store.connections.get(request.rename_from or request.name)
        record, saved = self.connections.save(request)
        client = self.clients.touch(request.session)
        if request.use:
            client.used = record.id
        if before is not None and not saved.unchanged:  # with a new secret it has a new id
            self.clients.connection_moved(before.id, record.id)
            for connection_id in {before.id, record.id}:
                self._close_sessions_of(connection_id, "its connection was changed")
            self.sessions.endings.moved(before.id, record.id)
        self.changes.bump("connections")
        return saved

    def list_connections(self, request: control.ListConnections) -> control.ConnectionList:
        """List the connections as the client sees them."""
        client = self.clients.touch(request.session)
        return control.ConnectionList(
            connections=tuple(self._public(one, client) for one in self.store.connections.list())
        )

    def test_connection(self, request: control.TestConnection) -> control.ConnectionTested:
        """Sign in and out again."""
        return self.connections.test(self.connections.named(request.name))

    def get_connection(self, request: control.GetConnection) -> control.ConnectionDetails:
        """Say what a form needs to edit a connection."""
        record = self.connections.named(request.name)
        return self.connections.details(record, self._public(record, self.clients.touch(request.session)))

    def try_connection(self, request: control.TryConnection) -> control.ConnectionTested:
        """Sign in with what a form holds, and out again."""
        return self.connections.attempt(request)

    def duplicate_connection(self, request: control.DuplicateConnection) -> control.ConnectionSaved:
        """Store a copy of a connection."""
        saved = self.connections.duplicate(request)
        self.changes.bump("connections")
        return saved

    def use_connection(self, request: control.UseConnection) -> control.Connection:
        """Make a connection the client's current one."""
        record = self.connections.named(request.name)
        client = self.clients.touch(request.session)
        client.chosen = client.used = record.id
        self.changes.bump("connections")
        return self._public(record, client)

    def current_connection(self, request: control.GetCurrentConnection) -> control.CurrentConnection:
        """Say what a kernel's SQL would run on now where it names no connection."""
        if request.notebook and self.clients.locate(request.kernel, request.notebook):
            self.changes.bump("connections")  # other notebooks read that they are open in this one
        client = self.clients.of_kernel(request.kernel)
        try:
            record = self.connections.default(client.current if client else None)
        except errors.UsageError:
            return control.CurrentConnection(known=client is not None)
        shown = self._public(record, client or Client(""))
        return control.CurrentConnection(
            connection=shown, known=client is not None, chosen=client is not None and client.chosen == record.id
        )

    def remove_connection(self, request: control.RemoveConnection) -> control.ConnectionRemoved:
        """Delete a connection with all that belongs to it."""
        record, tiers = self.connections.remove(request)
        self.changes.bump("connections")
        if record is None:
            return control.ConnectionRemoved(name=request.name)
        return control.ConnectionRemoved(
            name=record.name,
            connection_id=record.id,
            tiers=tiers,
            sessions=self._close_sessions_of(record.id, "its connection was removed"),
        )

    def disconnect(self, request: control.Disconnect) -> control.Disconnected:
        """Close the client's own session on a connection, and the core's where nobody else has one there.

        Raises:
            UsageError: a run is under way in it.
        """
        client = self.clients.touch(request.session)
        record = self._meant(client, request)
        session = self.sessions.find(client.id, record.id)
        closed = session is not None and self._close_own(session)
        others = self._of_others(record, client)
        if not others:
            for one in self.sessions.on_same(record):
                self.sessions.close(one)
        if session is None or not closed:
            return control.Disconnected(
                connection=record.name, connection_id=record.id, others=self._sources_of(others)
            )
        return control.Disconnected(
            connection=record.name,
            connection_id=record.id,
            session=session.id,
            transaction=session.transaction,
            held=session.holds,
            private=self.connections.is_private(record),
            others=self._sources_of(others),
        )

    # --- drivers, credentials, preferences ---

    def list_drivers(self, request: control.ListDrivers) -> control.DriverList:
        """List the drivers."""
        return control.DriverList(
            drivers=tuple(
                control.DriverInfo(
                    name=one.name,
                    title=one.manifest.title if one.manifest else one.name,
                    version=one.manifest.version if one.manifest else "",
                    origin=one.origin,
                    schemes=one.manifest.schemes if one.manifest else (),
                    fields=one.manifest.fields if one.manifest else {},
                    sign_in=one.manifest.sign_in if one.manifest else (),
                    least_memory_mb=one.manifest.least_memory_mb if one.manifest else 0,
                    problem=one.problem or doctor.missing_packages(one),
                )
                for one in self.spares.catalog.drivers(rescan=request.rescan)
            )
        )

    def list_credentials(self, _: control.ListCredentials) -> control.CredentialList:
        """List tiers and what is recorded."""
        return control.CredentialList(tiers=self.credentials.tiers(), credentials=tuple(self.secrets.recorded()))

    def set_credential(self, request: control.SetCredential) -> control.CredentialStored:
        """Give a connection a new secret; its open sessions end, since they used the old one."""
        stored = self.secrets.set(request.connection, request.kind, request.secret, request.tier)
        self._close_sessions_of(self.connections.named(request.connection).id, "its connection was given a new secret")
        self.changes.bump("connections")
        return stored

    def delete_credential(self, request: control.DeleteCredential) -> control.CredentialDeleted:
        """Delete a connection's secrets everywhere."""
        deleted = self.secrets.delete(request.connection)
        self.changes.bump("connections")
        return deleted

    def unlock_vault(self, request: control.UnlockVault) -> control.TierInfo:
        """Open the vault."""
        return self.credentials.unlock(request.passphrase)

    def list_preferences(self, _: control.ListPreferences) -> control.PreferenceList:
        """List the preferences."""
        return control.PreferenceList(preferences=self.store.preferences.list())

    def set_preference(self, request: control.SetPreference) -> control.Preference:
        """Change a preference."""
        changed = self.store.preferences.set(request.name, request.value)
        self.spares.enabled = bool(self.store.preferences.get("warm_spare"))
        self._upkeep.run_soon()
        self.changes.bump("preferences")
        return changed

    # --- saved queries ---

    def list_queries(self, _: control.ListQueries) -> control.SavedQueryList:
        """List the saved queries."""
        return control.SavedQueryList(queries=self.store.queries.list())

    def save_query(self, request: control.SaveQuery) -> control.SavedQuery:
        """Save a query."""
        saved = self.store.queries.save(request)
        self.changes.bump("queries")
        return saved

    def delete_query(self, request: control.DeleteQuery) -> control.QueryDeleted:
        """Delete a saved query."""
        deleted = self.store.queries.delete(request)
        self.changes.bump("queries")
        return control.QueryDeleted(name=deleted)

    # --- schemas ---

    def list_branch(self, request: control.ListBranch) -> control.Branch:
        """List a level of a connection's tree."""
        return self.schemas.branch(request.session, self.connections.named(request.connection), request.path)

    def describe_table(self, request: control.DescribeTable) -> control.TableDescription:
        """Describe a table."""
        return self.schemas.describe(request.session, self.connections.named(request.connection), request.path)

    def get_schema(self, request: control.GetSchema) -> Message:
        """Answer with a connection's snapshot as it is in memory."""
        record = self._meant(self.clients.touch(request.session), request)
        return self.schemas.snapshot(request.session, record, self.connections.dialect_of(record), request)

    # --- runs ---

    def split(self, request: control.SplitRequest) -> control.SplitReply:
        """Say where statements and parameters stand, in a process of the connection's driver if its dialect is not ours."""
        record = self._connection(self.clients.touch(request.session), request)
        name = self.connections.dialect_of(record)
        if name not in DIALECTS:
            found: driver.Statements = self.spares.ask(record.driver, driver.Split(sql=request.sql))
            return control.SplitReply(connection=record.name, dialect=name, statements=found.statements)
        return control.SplitReply(
            connection=record.name,
            dialect=name,
            statements=tuple(
                driver.StatementText(start=one.start, end=one.start + len(one.text), parameters=one.parameters)
                for one in split(request.sql, name)
            ),
        )

    def run(self, request: control.RunRequest) -> Accepted:
        """Take a run in."""
        client = self.clients.touch(request.session, source=request.source, kernel=request.kernel)
        return self.dispatch.run(client, self._connection(client, request), request)

    def upload(self, request: control.UploadRequest) -> Accepted:
        """Take an upload in."""
        client = self.clients.touch(request.session, source=request.source, kernel=request.kernel)
        return self.dispatch.upload(client, self._connection(client, request), request)

    def list_runs(self, _: control.ListRuns) -> control.RunList:
        """List the runs under way."""
        return control.RunList(runs=tuple(one.state() for one in self.runs.running()))

    def watch_run(self, request: control.WatchRun) -> Iterator[control.RunState]:
        """Follow a run."""
        return self.runs.watch(self.runs.find(request.run), every_s=max(0.05, request.every_s))

    def wait_run(self, request: control.WaitRun) -> control.RunState:
        """Wait for a run's end."""
        return self.runs.wait(self.runs.find(request.run), timeout_s=request.timeout_s)

    def cancel_run(self, request: control.CancelRun) -> control.RunList:
        """Begin to end runs."""
        if request.run:
            chosen = [self.runs.find(request.run)]
        else:
            chosen = [one for one in self.runs.running() if request.everything or one.session.client == request.session]
        for run in chosen:
            self.runs.cancel(run)
        return control.RunList(runs=tuple(one.state() for one in chosen))

    def note_ends(self, request: control.TellEnds) -> control.RunsNoted:
        """Complete the log rows of runs whose end the core before this one did not live to see."""
        ends = (RunEnd(status="completed", **fields_of(run)) for run in request.runs)
        noted = sum(self.store.log.ended_after_all(end) for end in ends)
        if noted:
            self.changes.bump("log")
        return control.RunsNoted(runs=noted)

    def read_log(self, request: control.ReadLog) -> control.LogPage:
        """Read the query log."""
        return self.store.log.read(request)

    def delete_log(self, request: control.DeleteLog) -> control.LogDeleted:
        """Delete runs that have ended from the log, with every trace of their text."""
        deleted = control.LogDeleted(entries=self.store.log.delete(request))
        self.changes.bump("log")
        return deleted

    # --- between the parts ---

    def _connection(
        self, client: Client, request: control.RunRequest | control.UploadRequest | control.SplitRequest
    ) -> ConnectionRecord:
        """Return the connection that is meant, which is the client's current one from now on if none was chosen."""
        record = self._meant(client, request)
        if client.used != record.id:
            client.used = record.id
            self.changes.bump("connections")
        return record

    def _meant(
        self,
        client: Client,
        request: control.RunRequest
        | control.UploadRequest
        | control.SplitRequest
        | control.GetSchema
        | control.Disconnect,
    ) -> ConnectionRecord:
        last = request.last_connection
        if client.current is None and last and request.last_was_chosen:  # chosen at a core that has ended
            record = self.store.connections.get(last)
            client.chosen = record.id if record else None
        if request.connection:
            return self.connections.named(request.connection)
        if client.current is None or self.store.connections.get_by_id(client.current) is None:
            record = self.store.connections.get(last) if last else None
            return record or self.connections.default(client.current or last)
        return self.connections.default(client.current)

    def _process_ended(self, process: DriverProcess) -> None:
        _LOG.info("driver process %d (%s) ended", process.pid, process.name)
        self.sessions.process_ended(process)

    def _close_sessions_of(self, connection_id: str, why: str) -> int:
        found = self.sessions.of_connection(connection_id)
        for session in found:
            self.sessions.close(session, why)
        self.schemas.forget(connection_id)
        return sum(session.client != schemas.CLIENT for session in found)

    def _close_own(self, session: Session) -> bool:
        """Close a session that nothing runs in; return whether there was something to close."""
        if not session.turn.acquire(blocking=False):
            run = self.runs.last_of(session)
            doing = (
                f"run {run.id[:8]} is under way: {run.beginning}"
                if run is not None and run.running
                else "it is in use."
            )
            raise errors.UsageError(
                f"The session on {session.connection.name!r} was not closed: {doing}",
                hint=f"`%tusk cancel {run.id[:8]}` stops the run; then disconnect."
                if run is not None and run.running
                else "Try again in a moment.",
                scenario="session_busy",
            )
        try:
            was_open = session.process is not None
            self.sessions.close(session, "it was closed with `%tusk disconnect`")
        finally:
            session.turn.release()
        return was_open

    def _of_others(self, record: ConnectionRecord, client: Client) -> list[Session]:
        """Return the sessions that other clients have on a connection, or on the locked file that it opens."""
        return [one for one in self.sessions.on_same(record) if one.client not in (client.id, schemas.CLIENT)]

    def _open_elsewhere(self, record: ConnectionRecord, client: Client) -> list[Session]:
        """Return the open sessions of other clients on a connection itself, not on another one to the same file."""
        return [
            one
            for one in self.sessions.of_connection(record.id)
            if one.usable and one.client not in (client.id, schemas.CLIENT)
        ]

    def _sources_of(self, sessions: Iterable[Session]) -> tuple[str, ...]:
        return tuple(sorted({self.clients.source_of(one.client) or "a program" for one in sessions}))

    def _end_client(self, client: str) -> None:
        """Cancel a vanished client's runs and close its sessions."""
        for run in self.runs.running():
            if run.session.client == client:
                self.runs.cancel(run)
                self.runs.wait(run, timeout_s=8.0)
        self.sessions.forget_client(client)
        self.schemas.forget_client(client)
        with contextlib.suppress(errors.StorageError):
            self.store.sessions.ended(client)

    def _public(self, record: ConnectionRecord, client: Client) -> control.Connection:
        return public(
            record,
            state=self.sessions.state_of(client.id, record.id).value,
            others=self._sources_of(self._open_elsewhere(record, client)),
            current=client.current == record.id,
            secret_lost=self.secrets.lost(record),
        )
