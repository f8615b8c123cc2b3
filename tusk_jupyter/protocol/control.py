"""Client to core: one frozen dataclass per request and its reply; `ACTION` is the Flight action's name.

`RunRequest` and `UploadRequest` are no actions: they are the command of a `GetFlightInfo`, whose answer names the driver's
socket and a one-time ticket, with a `RunAccepted` as the info's `app_metadata`. No reply holds a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tusk_jupyter.protocol.driver import StatementText
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.values import Value

# --- the core itself ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreStatus:
    """The core and what it holds."""

    version: str
    protocol: int
    pid: int
    home: str
    started_at: str
    """ISO 8601, UTC."""
    clients: int = 0
    sessions: int = 0
    running: int = 0
    drivers: int = 0
    """Driver processes, spares included."""
    log_rows: int = 0
    idle_exit_s: float = 0.0
    python: str = ""
    duckdb: str = ""
    notices: tuple[str, ...] = ()
    """What the user must hear once, as "the state file was rebuilt from the journal"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCoreStatus:
    """Ask how the core is. Also the handshake: the one action that a client of any version may call."""

    ACTION: ClassVar[str] = "core.status"
    REPLY: ClassVar[type] = CoreStatus
    client_version: str
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What a stop ended."""

    running: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCore:
    """End the core: runs are cancelled, sessions closed, driver processes ended."""

    ACTION: ClassVar[str] = "core.stop"
    REPLY: ClassVar[type] = Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachEvent:
    """One word of the attach stream: `attached` first, then nothing until the stream ends."""

    event: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Hold a client session open. The stream ends with the client; then its database sessions are closed."""

    ACTION: ClassVar[str] = "attach"
    REPLY: ClassVar[type] = AttachEvent
    session: str
    source: str
    """Where the runs come from: the notebook's path, `cli`, a script's path, `ipython`."""
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding of the doctor."""

    name: str
    ok: bool
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """All findings, in order."""

    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Examine state folder, permissions, journal, keyring, vault, drivers."""

    ACTION: ClassVar[str] = "doctor"
    REPLY: ClassVar[type] = Checks


# --- connections -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A configured connection; holds no secret."""

    id: str
    name: str
    driver: str
    config: dict[str, Any]
    target: str
    """Where it points, for people: user@host:port/database, or a path."""
    credential_tier: str | None = None
    """keyring | vault | memory | command, or None when it needs no secret."""
    read_only: bool = False
    environment: str | None = None
    """production | staging | development, or None."""
    timeout_s: float | None = None
    """Statement timeout; None: the preference `timeout_s`."""
    memory_limit_mb: int | None = None
    isolation: str = "session"
    """session | statement."""
    log: bool = True
    """Whether its runs are in the query log."""
    created_at: str = ""
    updated_at: str = ""
    last_used_at: str | None = None
    state: str = "disconnected"
    """disconnected | connecting | connected | disconnecting | failed: of the asking client's session, never persisted."""
    current: bool = False
    """Whether it is the asking client's current connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSaved:
    """A connection was stored."""

    connection: Connection
    replaced: bool = False
    server: str | None = None
    """What answered the test, or None if it was not tested."""
    notices: tuple[str, ...] = ()
    """As "no keyring here: the password is in the sealed vault"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveConnection:
    """Add a connection, or replace the one of that name. Tested before anything is stored, unless `test` is off."""

    ACTION: ClassVar[str] = "connection.save"
    REPLY: ClassVar[type] = ConnectionSaved
    session: str
    name: str
    url: str | None = field(default=None, repr=False)
    """A URL or a file path; or give driver and config. May hold a password."""
    driver: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    """Fields of the driver's manifest; they win over the URL's."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    password_command: str | None = None
    """Shell command whose first line of output is the password, run by the core at each sign-in."""
    tier: str | None = None
    """keyring | vault | memory, or None: the first that is there."""
    read_only: bool = False
    environment: str | None = None
    timeout_s: float | None = None
    memory_limit_mb: int | None = None
    isolation: str = "session"
    log: bool = True
    replace: bool = False
    test: bool = True
    base: str = ""
    """Folder against which relative paths are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionList:
    """All connections, by name."""

    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConnections:
    """List the connections."""

    ACTION: ClassVar[str] = "connection.list"
    REPLY: ClassVar[type] = ConnectionList
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTested:
    """Outcome of a test; see `driver.Tested`."""

    ok: bool
    stage: str
    server: str = ""
    elapsed_s: float = 0.0
    error: WireError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestConnection:
    """Sign in and out again, and say which stage failed."""

    ACTION: ClassVar[str] = "connection.test"
    REPLY: ClassVar[type] = ConnectionTested
    session: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseConnection:
    """Make a connection the session's current one."""

    ACTION: ClassVar[str] = "connection.use"
    REPLY: ClassVar[type] = Connection
    session: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRemoved:
    """What went with a connection."""

    name: str
    tiers: tuple[str, ...] = ()
    """Credential tiers from which a copy of its secret was deleted."""
    sessions: int = 0
    """Database sessions that were closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveConnection:
    """Delete a connection, its secrets in every tier and its sessions. The query log keeps its rows."""

    ACTION: ClassVar[str] = "connection.remove"
    REPLY: ClassVar[type] = ConnectionRemoved
    session: str
    name: str


# --- drivers, credentials, preferences ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverInfo:
    """An installed driver."""

    name: str
    title: str
    version: str
    origin: str
    """The distribution or the manifest file it comes from."""
    schemes: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    """Why it cannot be used, with what to install; None when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverList:
    """All drivers, by name."""

    drivers: tuple[DriverInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDrivers:
    """List the drivers; `rescan` asks each for its manifest anew."""

    ACTION: ClassVar[str] = "driver.list"
    REPLY: ClassVar[type] = DriverList
    rescan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TierInfo:
    """A credential tier and whether it can be used."""

    name: str
    usable: bool
    reason: str
    """The backend's name, or why not and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialInfo:
    """One stored secret, by what it is for; never its value."""

    connection: str
    kind: str
    tier: str
    present: bool
    stored_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialList:
    """Tiers in their order, and all recorded credentials."""

    tiers: tuple[TierInfo, ...]
    credentials: tuple[CredentialInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCredentials:
    """List tiers and credentials."""

    ACTION: ClassVar[str] = "credential.list"
    REPLY: ClassVar[type] = CredentialList


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStored:
    """Where a secret went."""

    tier: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCredential:
    """Give a connection a new secret."""

    ACTION: ClassVar[str] = "credential.set"
    REPLY: ClassVar[type] = CredentialStored
    connection: str
    kind: str = "password"
    secret: str = field(repr=False)
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialDeleted:
    """Where copies were."""

    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCredential:
    """Delete every copy of a connection's secrets."""

    ACTION: ClassVar[str] = "credential.delete"
    REPLY: ClassVar[type] = CredentialDeleted
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockVault:
    """Give the vault its passphrase; kept in the core's memory until it stops. Creates the vault if there is none."""

    ACTION: ClassVar[str] = "credential.unlock"
    REPLY: ClassVar[type] = TierInfo
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A setting of the user, as `tusk set` shows it."""

    name: str
    value: Any
    default: Any
    description: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceList:
    """All preferences, by name."""

    preferences: tuple[Preference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPreferences:
    """List the preferences."""

    ACTION: ClassVar[str] = "preference.list"
    REPLY: ClassVar[type] = PreferenceList


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPreference:
    """Set a preference from text; None sets it back to its default."""

    ACTION: ClassVar[str] = "preference.set"
    REPLY: ClassVar[type] = Preference
    name: str
    value: str | None


# --- runs and the log --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReply:
    """The statements, and the connection that was meant."""

    connection: str
    statements: tuple[StatementText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRequest:
    """Split a text under a connection's dialect; no session is opened."""

    ACTION: ClassVar[str] = "split"
    REPLY: ClassVar[type] = SplitReply
    session: str
    connection: str | None
    sql: str
    last_connection: str | None = None
    """What this client used last, for a core that was started since and knows no current connection of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Run SQL. The command of a `GetFlightInfo`."""

    session: str
    connection: str | None
    """Name; None: the session's current connection."""
    sql: str
    parameters: dict[str, Value] = field(default_factory=dict, repr=False)
    timeout_s: float | None = None
    limit: int | None = None
    read_only: bool = False
    log: bool = True
    cell: str | None = None
    """The cell's id or execution count, for the log."""
    source: str | None = None
    """Overrides the attach's source, for a kernel whose notebook was renamed."""
    last_connection: str | None = None
    """What this client used last, for a core that was started since and knows no current connection of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """Write a table into the database; the DoPut of its batches goes to the driver. The command of a `GetFlightInfo`."""

    session: str
    connection: str | None
    table: str
    append: bool = False
    timeout_s: float | None = None
    log: bool = True
    cell: str | None = None
    source: str | None = None
    last_connection: str | None = None
    """What this client used last, for a core that was started since and knows no current connection of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    """What a `GetFlightInfo` may carry: exactly one of the two."""

    run: RunRequest | None = None
    upload: UploadRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAccepted:
    """The run is in the log, its session is open, its ticket waits at the driver."""

    run: str
    connection: str
    driver: str
    server: str
    dialect: str
    session_id: str = ""
    """Of the database session; a client that saw another one on this connection has lost that with all it held."""
    session_lost: bool = False
    """This client had a session on the connection before, and it is gone: temp tables, SET and transaction with it."""
    environment: str | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run as the core knows it."""

    run: str
    connection: str
    status: str
    """running | completed | cancelled | timeout | failed | skipped | interrupted."""
    started_at: str
    """ISO 8601, UTC."""
    elapsed_s: float
    rows: int = 0
    bytes: int = 0
    statement: int = 0
    source: str = ""
    cell: str | None = None
    sql: str = ""
    """As in the log: secrets redacted."""
    error: WireError | None = None
    cancelling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """Runs under way, oldest first."""

    runs: tuple[RunState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns:
    """List the runs under way, of all clients."""

    ACTION: ClassVar[str] = "run.list"
    REPLY: ClassVar[type] = RunList


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRun:
    """Follow a run: a stream of RunStates, at most `every_s` apart while something changes; ends with the run."""

    ACTION: ClassVar[str] = "run.watch"
    REPLY: ClassVar[type] = RunState
    run: str
    every_s: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRun:
    """Wait until a run has ended and its end is in the log, or the time is up."""

    ACTION: ClassVar[str] = "run.wait"
    REPLY: ClassVar[type] = RunState
    run: str
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    """Cancel runs: one by its id (or a unique beginning of it), or all of a session; answers when the ladder has begun."""

    ACTION: ClassVar[str] = "run.cancel"
    REPLY: ClassVar[type] = RunList
    run: str | None = None
    session: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One row of the query log."""

    run: str
    seq: int
    connection: str
    connection_id: str
    driver: str
    status: str
    started_at: str
    """ISO 8601, UTC, milliseconds."""
    elapsed_ms: float | None
    rows: int | None
    affected: int | None
    statements: int | None
    source: str
    cell: str | None
    session: str
    sql: str
    error: str | None = None
    code: str | None = None
    kind: str = "query"
    """query | upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Newest first."""

    entries: tuple[LogEntry, ...]
    total: int
    """Rows that match, of all pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """Read the query log; every given condition must hold."""

    ACTION: ClassVar[str] = "log.read"
    REPLY: ClassVar[type] = LogPage
    limit: int = 20
    offset: int = 0
    text: str | None = None
    """Part of the SQL, any case."""
    status: str | None = None
    connection: str | None = None
    source: str | None = None
    """Part of the source's path."""
    since: str | None = None
    """ISO 8601, UTC."""
    until: str | None = None
    run: str | None = None
    """A run's id or its beginning."""
    session: str | None = None


REQUESTS: dict[str, type] = {
    cls.ACTION: cls
    for cls in (
        GetCoreStatus, StopCore, Attach, Doctor,
        SaveConnection, ListConnections, TestConnection, UseConnection, RemoveConnection,
        ListDrivers, ListCredentials, SetCredential, DeleteCredential, UnlockVault, ListPreferences, SetPreference,
        SplitRequest, ListRuns, WatchRun, WaitRun, CancelRun, ReadLog,
    )
}  # fmt: skip
"""Every action of the core, by name."""
