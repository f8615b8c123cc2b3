"""Schemas of the connections: their trees level by level, and whole snapshots that the core keeps.

The core asks a session of its own on the connection (source `tusk-schema`), so that nothing here waits for a run or touches a
user's transaction; a private database (`:memory:`) is asked through the asking client's session.
"""

from __future__ import annotations

from typing import ClassVar

from tusk_jupyter.protocol.driver import Description, Snapshot, TreeNode
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import Message


class Branch(Message, frozen=True, kw_only=True):
    """The children of one node."""

    connection: str
    path: tuple[str, ...]
    nodes: tuple[TreeNode, ...]


class ListBranch(Message, frozen=True, kw_only=True):
    """List what is below a path of a connection's tree: () catalogs or schemas, ..., (.., table) its columns."""

    ACTION: ClassVar[str] = "schema.branch"
    REPLY: ClassVar[type] = Branch
    session: str
    connection: str
    path: tuple[str, ...] = ()


class TableDescription(Message, frozen=True, kw_only=True):
    """A table or view in full."""

    connection: str
    path: tuple[str, ...]
    description: Description


class DescribeTable(Message, frozen=True, kw_only=True):
    """Describe the table or view at a path; one name alone is looked for along the search path."""

    ACTION: ClassVar[str] = "schema.describe"
    REPLY: ClassVar[type] = TableDescription
    session: str
    connection: str
    path: tuple[str, ...]


class SchemaSnapshot(Message, frozen=True, kw_only=True):
    """A connection's schema as the core has it."""

    connection: str
    driver: str
    dialect: str
    state: str
    """fresh | stale (a new one is being taken) | taking (there is none yet) | failed."""
    age_s: float | None = None
    stamp: str = ""
    """Changes with the snapshot; "" without one."""
    snapshot: Snapshot | None = None
    """None when there is none, or when the asker knows it: see `GetSchema.known`."""
    error: WireError | None = None


class GetSchema(Message, frozen=True, kw_only=True):
    """Ask for a connection's snapshot; answers at once with what there is.

    A new one is begun where it is due:
    after an hour (preference `schema_cache_s`), after DDL that the core saw, on `refresh`.
    """

    ACTION: ClassVar[str] = "schema.snapshot"
    REPLY: ClassVar[type] = SchemaSnapshot
    session: str
    connection: str | None = None
    """Name; None: the session's current connection."""
    known: str = ""
    """Stamp of the snapshot that the asker has."""
    refresh: bool = False
    wait_s: float = 0.0
    """Seconds to wait for a snapshot that is being taken."""
    last_connection: str | None = None
    """As in `RunRequest`."""
    last_was_chosen: bool = False
