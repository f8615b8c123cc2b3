"""Runs: asked for, under way, cancelled."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from tusk_jupyter.protocol.driver import StatementText
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.values import Value


class SplitReply(Message, frozen=True, kw_only=True):
    """The statements, and the connection that was meant."""

    connection: str
    statements: tuple[StatementText, ...]
    dialect: str = ""
    """By whose rules they were found."""


class SplitRequest(Message, frozen=True, kw_only=True):
    """Split a text under a connection's dialect; no session is opened."""

    ACTION: ClassVar[str] = "split"
    REPLY: ClassVar[type] = SplitReply
    session: str
    connection: str | None
    sql: str
    last_connection: str | None = None
    """This client's current connection, for a core that was started since and knows none of it."""
    last_was_chosen: bool = False
    """Whether it was chosen on purpose: then it stays current when a run names another one."""


class HeldSession(Message, frozen=True, kw_only=True):
    """A database session that a client has left something in, and counts on."""

    connection: str
    """Name of its connection, as it was."""
    connection_id: str
    session: str
    """Its id."""


class RunRequest(Message, frozen=True, kw_only=True):
    """Run SQL. The command of a `GetFlightInfo`."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"parameters", "hidden"})
    session: str
    connection: str | None
    """Name; None: the session's current connection."""
    sql: str
    parameters: dict[str, Value] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    """Secrets that a template put into the SQL: the log and every message have `***` for them."""
    timeout_s: float | None = None
    limit: int | None = None
    read_only: bool = False
    log: bool = True
    kind: str = "query"
    """query | tool; see `LogEntry.kind`."""
    cell: str | None = None
    """The cell's id or execution count, for the log."""
    source: str | None = None
    """Overrides the attach's source."""
    kernel: str = ""
    """Jupyter's id of the kernel that asks, whose notebook may have been renamed since its start."""
    folder: str | None = None
    """The client's working directory, where relative paths in the SQL begin; "" when it is gone, None for a tool."""
    last_connection: str | None = None
    """This client's current connection, for a core that was started since and knows none of it."""
    last_was_chosen: bool = False
    """Whether it was chosen on purpose: then it stays current when a run names another one."""
    held: tuple[HeldSession, ...] = ()
    """A run that would meet another session than these on its connection is refused with `session_lost`."""


class UploadRequest(Message, frozen=True, kw_only=True):
    """Write a table into the database; the DoPut of its batches goes to the driver. The command of a `GetFlightInfo`."""

    session: str
    connection: str | None
    table: str
    append: bool = False
    timeout_s: float | None = None
    log: bool = True
    cell: str | None = None
    source: str | None = None
    kernel: str = ""
    last_connection: str | None = None
    """This client's current connection, for a core that was started since and knows none of it."""
    last_was_chosen: bool = False
    """Whether it was chosen on purpose: then it stays current when a run names another one."""
    held: tuple[HeldSession, ...] = ()
    """As in `RunRequest`."""


class RunCommand(Message, frozen=True, kw_only=True):
    """What a `GetFlightInfo` may carry: exactly one of the two."""

    run: RunRequest | None = None
    upload: UploadRequest | None = None


class RunAccepted(Message, frozen=True, kw_only=True):
    """The run is in the log, its session is open, its ticket waits at the driver."""

    run: str
    connection: str
    driver: str
    server: str
    dialect: str
    session_id: str = ""
    """Of the database session; "" where each run has one of its own."""
    connection_id: str = ""
    holds: str = ""
    """state | transaction | "": what is in the session when this run has ended as far as is known now. `state`: temp tables,
    settings and the like; `transaction`: nothing but a transaction, if one is open then."""
    session_lost: bool = False
    """This client had another session on the connection before, with nothing in it that is missing now. Filled in by it."""
    environment: str | None = None
    notices: tuple[str, ...] = ()


class RunState(Message, frozen=True, kw_only=True):
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
    waits_for: str = ""
    """A lock that it waits for, with who holds it, for people; "": none that is known."""
    way_out: str = ""
    """How that wait ends: sentences."""


class RunList(Message, frozen=True, kw_only=True):
    """Runs under way, oldest first."""

    runs: tuple[RunState, ...]


class ListRuns(Message, frozen=True, kw_only=True):
    """List the runs under way, of all clients."""

    ACTION: ClassVar[str] = "run.list"
    REPLY: ClassVar[type] = RunList


class WatchRun(Message, frozen=True, kw_only=True):
    """Follow a run: a stream of RunStates, at most `every_s` apart while something changes; ends with the run."""

    ACTION: ClassVar[str] = "run.watch"
    REPLY: ClassVar[type] = RunState
    run: str
    every_s: float = 0.25


class WaitRun(Message, frozen=True, kw_only=True):
    """Wait until a run has ended and its end is in the log, or the time is up."""

    ACTION: ClassVar[str] = "run.wait"
    REPLY: ClassVar[type] = RunState
    run: str
    timeout_s: float = 5.0


class RunEnded(Message, frozen=True, kw_only=True):
    """A run whose whole result its client has."""

    run: str
    elapsed_ms: float
    rows: int | None = None
    affected: int | None = None
    statements: int = 0


class RunsNoted(Message, frozen=True, kw_only=True):
    """How many of them the log had as interrupted."""

    runs: int


class TellEnds(Message, frozen=True, kw_only=True):
    """Tell a core how runs ended that the one before it took in: that may have died before it knew."""

    ACTION: ClassVar[str] = "run.tell_ends"
    REPLY: ClassVar[type] = RunsNoted
    runs: tuple[RunEnded, ...]


class CancelRun(Message, frozen=True, kw_only=True):
    """Cancel runs: one by its id (or a unique beginning of it), or all of a session; answers when the ladder has begun."""

    ACTION: ClassVar[str] = "run.cancel"
    REPLY: ClassVar[type] = RunList
    run: str | None = None
    session: str | None = None
    everything: bool = False
