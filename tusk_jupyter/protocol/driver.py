"""Core to driver: one frozen dataclass per action and its reply; `ACTION` is the Flight action's name.

A driver process serves one or more sessions (several only where its manifest names a locked file). Every action but `open`
and `test` names its session. All of them carry the control token in the `authorization` header; `DoGet` and `DoPut`, which
clients call, carry a one-time ticket instead.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import field

from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.stream import StatementReport
from tusk_jupyter.protocol.values import Value

FAREWELL = b"bye\n"
"""Written to a driver's standard input before it is closed when the core ends the driver in peace: results under way may
still go out. Without it the core has died, and the driver goes at once."""


class Start(Message, frozen=True, kw_only=True):
    """First line on a driver's standard input, before anything else; not an action."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"token"})
    protocol: int
    address: str
    """Flight location to listen at: grpc+unix://PATH, or grpc+tcp://127.0.0.1:0."""
    token: str
    log_level: str = "warning"


class Ready(Message, frozen=True, kw_only=True):
    """The driver's one line on its standard output: it listens, or says why not. Nothing else is ever written there."""

    protocol: int
    pid: int
    address: str = ""
    error: WireError | None = None


class Opened(Message, frozen=True, kw_only=True):
    """A session is open."""

    server: str
    """What answered, as "PostgreSQL 15.18"."""
    backend: str | None = None
    """The server's own id of the session (backend pid, connection id), by which it can be killed from elsewhere."""
    notes: tuple[str, ...] = ()


class Open(Message, frozen=True, kw_only=True):
    """Open a session. The only message with secrets."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"secrets"})
    ACTION: ClassVar[str] = "open"
    REPLY: ClassVar[type] = Opened
    session: str
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    read_only: bool = False
    connect_timeout_s: float = 10.0
    application: str = "tusk-jupyter"
    may_create: bool = True
    """Whether a database file that is not there may be made; not where it has been there before."""


class Done(Message, frozen=True, kw_only=True):
    """Nothing to say but that it is done."""


class Tested(Message, frozen=True, kw_only=True):
    """How far a test of a connection came: each stage in order, the first failed one has the error."""

    ok: bool
    server: str = ""
    link: str = ""
    """How the link is secured and whether the server is verified, for people; "" where there is no server."""
    rights: str = ""
    """Of a read-only test: what the signed-in user may change all the same, for people; "" for nothing."""
    elapsed_s: float = 0.0
    error: WireError | None = None
    stage: str = "done"
    """name | tcp | tls | sign-in | database | file | done: where it stopped."""


class Test(Message, frozen=True, kw_only=True):
    """Open a session, say what answered, close it."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"secrets"})
    ACTION: ClassVar[str] = "test"
    REPLY: ClassVar[type] = Tested
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    read_only: bool = False
    connect_timeout_s: float = 10.0
    may_create: bool = True
    """As in `Open`."""


class StatementText(Message, frozen=True, kw_only=True):
    """Where a statement stands in the submitted text, and the parameters it names."""

    start: int
    """Character offset of its first character."""
    end: int
    """Character offset behind its last one, without the separator."""
    parameters: tuple[str, ...] = ()


class Statements(Message, frozen=True, kw_only=True):
    """The statements of a text; empty and comment-only ones are left out."""

    statements: tuple[StatementText, ...]


class Split(Message, frozen=True, kw_only=True):
    """Split a text under the driver's dialect. Needs no session."""

    ACTION: ClassVar[str] = "split"
    REPLY: ClassVar[type] = Statements
    sql: str


class LockHolder(Message, frozen=True, kw_only=True):
    """A session that others wait for, as far as whoever asks may see it: it has the lock, or is before them in its queue."""

    backend: str = ""
    """The server's id of it, as `Opened.backend`; of an engine without a server, the id of its process. "": not known."""
    user: str = ""
    application: str = ""
    address: str = ""
    """Where its client is."""
    state: str = ""
    """For people, as "idle in an open transaction"."""
    since: str | None = None
    """When that state began; ISO 8601, UTC."""
    ended_by: str = ""
    """What an administrator would run to end it, as "SELECT pg_terminate_backend(4242)"."""


class LockWait(Message, frozen=True, kw_only=True):
    """A session that waits for a lock."""

    backend: str = ""
    holders: tuple[LockHolder, ...] = ()
    """Whom it waits for directly."""
    hidden: str = ""
    """Why no holder is named, as a clause: "this account lacks the right PROCESS"."""
    certain: bool = True
    """False: somebody waits for a lock there, and it is not to be seen whether this session does."""


LAST_WORDS = ("finished", "failed")
"""Events after which nothing more is said of a run."""


class RunEvent(Message, frozen=True, kw_only=True):
    """One word about a run, on the stream of words that the core watches."""

    run: str
    """The run's id."""
    event: str
    """started | progress | finished | failed. `started`: its ticket was used; the last two are its last word."""
    rows: int = 0
    """Rows handed out so far, over all results."""
    bytes: int = 0
    """Size in bytes of the Arrow buffers handed out so far."""
    statement: int = 0
    """0-based index of the statement under way."""
    statements: tuple[StatementReport, ...] = ()
    transaction: str = "idle"
    """Of the session, in the last word: idle | open | failed."""
    transaction_end: str = ""
    """In the last word of a run that failed or was stopped: what became of a transaction that was open and is not any more, as
    sentences that also stand in the error's message. "": it is as it was, or its user ended it."""
    alive: bool = True
    """In the last word: whether the session can take another run."""
    error: WireError | None = None
    lock_wait: LockWait | None = None
    """That the statement waits for a lock, from a driver that waits for it itself; others are asked (`FindLocks`)."""


class Watch(Message, frozen=True, kw_only=True):
    """Be told of all runs of the process, from now on and as long as it lives. Asked once, before the first run."""

    ACTION: ClassVar[str] = "watch"
    REPLY: ClassVar[type] = RunEvent


class Run(Message, frozen=True, kw_only=True):
    """Take a run in, or refuse it. Execution starts with the `DoGet` of its ticket; `Watch` tells how it goes."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"ticket", "parameters", "hidden"})
    ACTION: ClassVar[str] = "run"
    REPLY: ClassVar[type] = Done
    session: str
    run: str
    ticket: str
    sql: str
    parameters: dict[str, Value] = field(default_factory=dict)
    limit: int | None = None
    """Rows at most per result; one row more is looked for, to say whether there are more."""
    read_only: bool = False
    folder: str | None = None
    """Where relative paths in the SQL begin, for an engine that opens files in the driver's process; "": it is gone."""
    hidden: tuple[str, ...] = ()
    """Texts in the SQL that no error and no note may repeat."""


class Upload(Message, frozen=True, kw_only=True):
    """Take a table in: like Run, but the ticket is for a `DoPut` with the table's batches."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"ticket"})
    ACTION: ClassVar[str] = "upload"
    REPLY: ClassVar[type] = Done
    session: str
    run: str
    ticket: str
    table: str
    """The table's name as SQL writes it: parts with dots between them, each as it is or in the engine's quotes."""
    append: bool = False
    """Append to an existing table; otherwise create it and fail if it exists."""


class Cancel(Message, frozen=True, kw_only=True):
    """Stop a run: interrupt it on the server. Answers at once; the run's last word tells how it ended."""

    ACTION: ClassVar[str] = "cancel"
    REPLY: ClassVar[type] = Done
    session: str
    run: str


class Leave(Message, frozen=True, kw_only=True):
    """Stop the run of a ticket: from its client, when the core does not answer. The ticket stands for the token."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"ticket"})
    ACTION: ClassVar[str] = "leave"
    REPLY: ClassVar[type] = Done
    ticket: str


class Killed(Message, frozen=True, kw_only=True):
    """What is known of the statement that the backend ran."""

    outcome: str = "unknown"
    """rolled_back | committed | unknown. The first two are only said where the server itself says so."""


class Ping(Message, frozen=True, kw_only=True):
    """Say that the process lives: answered at once, on a thread of its own, whatever its sessions do."""

    ACTION: ClassVar[str] = "ping"
    REPLY: ClassVar[type] = Done


class KillBackend(Message, frozen=True, kw_only=True):
    """End what backend `backend` runs, from a process that has no session of it."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"secrets"})
    ACTION: ClassVar[str] = "kill_backend"
    REPLY: ClassVar[type] = Killed
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    backend: str
    session: bool = False
    """End the session too, and answer when it has ended: the process that had it is gone."""


class LockWaits(Message, frozen=True, kw_only=True):
    """Who waits for whom."""

    waits: tuple[LockWait, ...] = ()
    """Of the backends asked about those that wait, and of their holders those that wait themselves."""


class FindLocks(Message, frozen=True, kw_only=True):
    """Say whose locks some backends wait for, from a process that has no session of theirs."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"secrets"})
    ACTION: ClassVar[str] = "lock_waits"
    REPLY: ClassVar[type] = LockWaits
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    backends: tuple[str, ...]


class TreeNode(Message, frozen=True, kw_only=True):
    """One line of a connection's tree."""

    name: str
    kind: str
    """catalog | schema | table | view | column."""
    type: str | None = None
    """A column's type in the database's words."""
    nullable: bool | None = None
    primary_key: bool = False


class Nodes(Message, frozen=True, kw_only=True):
    """The children of a node."""

    nodes: tuple[TreeNode, ...]


class Tree(Message, frozen=True, kw_only=True):
    """List the children of a path: [] catalogs (or schemas), ... , [.., table] its columns."""

    ACTION: ClassVar[str] = "tree"
    REPLY: ClassVar[type] = Nodes
    session: str
    path: tuple[str, ...] = ()


class ColumnDescription(Message, frozen=True, kw_only=True):
    """One column of a table."""

    name: str
    type: str
    nullable: bool
    default: str | None = None
    primary_key: bool = False
    comment: str | None = None


class IndexDescription(Message, frozen=True, kw_only=True):
    """One index of a table."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    primary: bool = False


class Description(Message, frozen=True, kw_only=True):
    """A table or view."""

    kind: str
    columns: tuple[ColumnDescription, ...]
    indexes: tuple[IndexDescription, ...] = ()
    comment: str | None = None


class Describe(Message, frozen=True, kw_only=True):
    """Describe the table or view at a path."""

    ACTION: ClassVar[str] = "describe"
    REPLY: ClassVar[type] = Description
    session: str
    path: tuple[str, ...]


class ForeignKey(Message, frozen=True, kw_only=True):
    """Columns of a table that point at columns of another one, pairwise."""

    columns: tuple[str, ...]
    table: tuple[str, ...]
    """Path of the table they point at, as `SnapshotTable.path`."""
    references: tuple[str, ...]


class SnapshotColumn(Message, frozen=True, kw_only=True):
    """One column in a snapshot."""

    name: str
    type: str = ""
    """In the database's words."""
    nullable: bool = True
    primary_key: bool = False


class SnapshotTable(Message, frozen=True, kw_only=True):
    """One table or view in a snapshot."""

    path: tuple[str, ...]
    """As `Tree` names it, from the root: (schema, table), (catalog, schema, table)."""
    kind: str = "table"
    """table | view."""
    columns: tuple[SnapshotColumn, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str | None = None


class Snapshot(Message, frozen=True, kw_only=True):
    """All that completion needs of a database, taken in a few queries however many tables there are."""

    tables: tuple[SnapshotTable, ...]
    search_path: tuple[tuple[str, ...], ...] = ()
    """Paths of the schemas in which a name without one is looked for, in order."""
    functions: tuple[str, ...] = ()
    """Names of the functions that a query can call, without the database's inner ones."""


class TakeSnapshot(Message, frozen=True, kw_only=True):
    """Read the whole schema at once."""

    ACTION: ClassVar[str] = "snapshot"
    REPLY: ClassVar[type] = Snapshot
    session: str


class Reset(Message, frozen=True, kw_only=True):
    """Roll back and forget temp tables and settings, as a new session would."""

    ACTION: ClassVar[str] = "reset"
    REPLY: ClassVar[type] = Done
    session: str


class Close(Message, frozen=True, kw_only=True):
    """Close a session; idempotent."""

    ACTION: ClassVar[str] = "close"
    REPLY: ClassVar[type] = Done
    session: str
