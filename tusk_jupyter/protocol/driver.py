"""Core to driver: one frozen dataclass per action and its reply; `ACTION` is the Flight action's name.

A driver process serves one or more sessions (several only where its manifest names a locked file). Every action but `open`
and `test` names its session. All of them carry the control token in the `authorization` header; `DoGet` and `DoPut`, which
clients call, carry a one-time ticket instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.stream import StatementReport
from tusk_jupyter.protocol.values import Value

FAREWELL = b"bye\n"
"""Written to a driver's standard input before it is closed when the core ends the driver in peace: results under way may
still go out. Without it the core has died, and the driver goes at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """First line on a driver's standard input, before anything else; not an action."""

    protocol: int
    address: str
    """Flight location to listen at: grpc+unix://PATH, or grpc+tcp://127.0.0.1:0."""
    token: str = field(repr=False)
    log_level: str = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The driver's one line on its standard output: it listens, or says why not. Nothing else is ever written there."""

    protocol: int
    pid: int
    address: str = ""
    error: WireError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session is open."""

    server: str
    """What answered, as "PostgreSQL 15.18"."""
    backend: str | None = None
    """The server's own id of the session (backend pid, connection id), by which it can be killed from elsewhere."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open a session. The only message with secrets."""

    ACTION: ClassVar[str] = "open"
    REPLY: ClassVar[type] = Opened
    session: str
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    read_only: bool = False
    connect_timeout_s: float = 10.0
    application: str = "tusk-jupyter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Nothing to say but that it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How far a test of a connection came: each stage in order, the first failed one has the error."""

    ok: bool
    server: str = ""
    elapsed_s: float = 0.0
    error: WireError | None = None
    stage: str = "done"
    """name | tcp | tls | sign-in | database | file | done: where it stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """Open a session, say what answered, close it."""

    ACTION: ClassVar[str] = "test"
    REPLY: ClassVar[type] = Tested
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    read_only: bool = False
    connect_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementText:
    """Where a statement stands in the submitted text, and the parameters it names."""

    start: int
    """Character offset of its first character."""
    end: int
    """Character offset behind its last one, without the separator."""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The statements of a text; empty and comment-only ones are left out."""

    statements: tuple[StatementText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Split a text under the driver's dialect. Needs no session."""

    ACTION: ClassVar[str] = "split"
    REPLY: ClassVar[type] = Statements
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """One word of a run's status stream."""

    event: str
    """ready | started | progress | finished | failed. `ready`: the ticket may be used; `started`: it was; the last two end
    the stream."""
    rows: int = 0
    """Rows handed out so far, over all results."""
    bytes: int = 0
    """Size in bytes of the Arrow buffers handed out so far."""
    statement: int = 0
    """0-based index of the statement under way."""
    statements: tuple[StatementReport, ...] = ()
    transaction: str = "idle"
    """Of the session, in the last word: idle | open | failed."""
    alive: bool = True
    """In the last word: whether the session can take another run."""
    error: WireError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Take a run in; answers with a stream of RunEvents. Execution starts with the `DoGet` of its ticket."""

    ACTION: ClassVar[str] = "run"
    REPLY: ClassVar[type] = RunEvent
    session: str
    run: str
    ticket: str = field(repr=False)
    sql: str
    parameters: dict[str, Value] = field(default_factory=dict, repr=False)
    limit: int | None = None
    """Rows at most per result; one row more is looked for, to say whether there are more."""
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Take a table in: like Run, but the ticket is for a `DoPut` with the table's batches."""

    ACTION: ClassVar[str] = "upload"
    REPLY: ClassVar[type] = RunEvent
    session: str
    run: str
    ticket: str = field(repr=False)
    table: str
    """Table name, optionally qualified with dots; quoted by the driver."""
    append: bool = False
    """Append to an existing table; otherwise create it and fail if it exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop a run: interrupt it on the server. Answers at once; the run's own stream tells how it ended."""

    ACTION: ClassVar[str] = "cancel"
    REPLY: ClassVar[type] = Done
    session: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KillBackend:
    """End what backend `backend` runs, from a process that has no session of it."""

    ACTION: ClassVar[str] = "kill_backend"
    REPLY: ClassVar[type] = Done
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """One line of a connection's tree."""

    name: str
    kind: str
    """catalog | schema | table | view | column."""
    type: str | None = None
    """A column's type in the database's words."""
    nullable: bool | None = None
    primary_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The children of a node."""

    nodes: tuple[TreeNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """List the children of a path: [] catalogs (or schemas), ... , [.., table] its columns."""

    ACTION: ClassVar[str] = "tree"
    REPLY: ClassVar[type] = Nodes
    session: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDescription:
    """One column of a table."""

    name: str
    type: str
    nullable: bool
    default: str | None = None
    primary_key: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDescription:
    """One index of a table."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A table or view."""

    kind: str
    columns: tuple[ColumnDescription, ...]
    indexes: tuple[IndexDescription, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """Describe the table or view at a path."""

    ACTION: ClassVar[str] = "describe"
    REPLY: ClassVar[type] = Description
    session: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Roll back and forget temp tables and settings, as a new session would."""

    ACTION: ClassVar[str] = "reset"
    REPLY: ClassVar[type] = Done
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close a session; idempotent."""

    ACTION: ClassVar[str] = "close"
    REPLY: ClassVar[type] = Done
    session: str
