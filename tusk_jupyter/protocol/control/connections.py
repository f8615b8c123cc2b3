"""Configured connections; nothing here but the request to save one carries a secret."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from msgspec import field

from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import Change, Message


def _new_id() -> str:
    return str(uuid.uuid4())


class Connection(Message, frozen=True, kw_only=True):
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
    others: tuple[str, ...] = ()
    """Sources of the other clients that have it open: paths of notebooks, or what a program calls itself. The same file, open
    through another connection, does not count."""
    current: bool = False
    """Whether it is the asking client's current connection."""
    secret_lost: bool = False
    """Whether its password was in the memory of a core that has ended."""


class ConnectionSaved(Message, frozen=True, kw_only=True):
    """A connection was stored."""

    connection: Connection
    replaced: bool = False
    unchanged: bool = False
    """Whether it was there just so, and its sessions stand."""
    server: str | None = None
    """What answered the test, or None if it was not tested."""
    link: str = ""
    """How the link to it is secured and whether the server is verified; see `driver.Tested`."""
    notices: tuple[str, ...] = ()
    """As "no keyring here: the password is in the sealed vault"."""


class SaveConnection(Change, frozen=True, kw_only=True):
    """Add a connection, or replace the one of that name. Tested before anything is stored, unless `test` is off."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"url", "secrets"})
    ACTION: ClassVar[str] = "connection.save"
    REPLY: ClassVar[type] = ConnectionSaved
    session: str
    name: str
    url: str | None = None
    """A URL or a file path; or give driver and config. May hold a password."""
    driver: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    """Fields of the driver's manifest; they win over the URL's."""
    secrets: dict[str, str] = field(default_factory=dict)
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
    rename_from: str | None = None
    """With `replace`: the connection that gets this name; its secrets stay unless `secrets` has new ones."""
    seen: str | None = None
    """`updated_at` of the connection that is replaced, as a form showed it: refused if it was changed since."""
    test: bool = True
    use: bool = True
    """Whether it is the session's current connection from now on, if none was chosen."""
    base: str = ""
    """Folder against which relative paths are read."""
    new_id: str = field(default_factory=_new_id)
    """Id of the record, if one is made. A client whose core died repeats its request, and a core knows by it what is done."""


class ConnectionList(Message, frozen=True, kw_only=True):
    """All connections, by name."""

    connections: tuple[Connection, ...]


class ListConnections(Message, frozen=True, kw_only=True):
    """List the connections."""

    ACTION: ClassVar[str] = "connection.list"
    REPLY: ClassVar[type] = ConnectionList
    session: str


class ConnectionTested(Message, frozen=True, kw_only=True):
    """Outcome of a test; see `driver.Tested`."""

    ok: bool
    stage: str
    server: str = ""
    link: str = ""
    rights: str = ""
    elapsed_s: float = 0.0
    error: WireError | None = None


def rights_note(rights: str) -> str:
    """Return what there is to say of a read-only connection whose user may write."""
    return (
        f"The signed-in user {rights}. Read-only stops statements, but not what functions and views of users do: "
        "sign in as a user who may only read."
    )


class TestConnection(Message, frozen=True, kw_only=True):
    """Sign in and out again, and say which stage failed."""

    ACTION: ClassVar[str] = "connection.test"
    REPLY: ClassVar[type] = ConnectionTested
    session: str
    name: str


class ConnectionDetails(Message, frozen=True, kw_only=True):
    """What a form needs to edit a connection; of its secrets only which there are."""

    connection: Connection
    secret_fields: tuple[str, ...] = ()
    """Fields of the manifest for which a secret is stored."""
    password_command: bool = False


class GetConnection(Message, frozen=True, kw_only=True):
    """Ask for one connection."""

    ACTION: ClassVar[str] = "connection.get"
    REPLY: ClassVar[type] = ConnectionDetails
    session: str
    name: str


class TryConnection(Message, frozen=True, kw_only=True):
    """Test what a form holds, without storing anything; answers as `TestConnection`."""

    SECRET: ClassVar[frozenset[str]] = frozenset({"url", "secrets"})
    ACTION: ClassVar[str] = "connection.try"
    REPLY: ClassVar[type] = ConnectionTested
    session: str
    url: str | None = None
    driver: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    password_command: str | None = None
    name: str | None = None
    """The stored connection whose secrets stand for those that are not given, if its target is the same."""
    base: str = ""


class DuplicateConnection(Message, frozen=True, kw_only=True):
    """Store a copy of a connection under another name, with a copy of its secrets in the same tier."""

    ACTION: ClassVar[str] = "connection.duplicate"
    REPLY: ClassVar[type] = ConnectionSaved
    session: str
    name: str
    new_name: str
    new_id: str = field(default_factory=_new_id)
    """As in `SaveConnection`."""


class UseConnection(Message, frozen=True, kw_only=True):
    """Make a connection the session's current one."""

    ACTION: ClassVar[str] = "connection.use"
    REPLY: ClassVar[type] = Connection
    session: str
    name: str


class CurrentConnection(Message, frozen=True, kw_only=True):
    """What SQL that names no connection would run on now."""

    connection: Connection | None = None
    """None: nothing is chosen, or what was chosen is gone; such SQL is refused."""
    known: bool = False
    """Whether the kernel is attached; one that is not has chosen nothing yet, as far as this core knows."""
    chosen: bool = False
    """Whether it was chosen on purpose, and stays when a run names another one."""


class GetCurrentConnection(Message, frozen=True, kw_only=True):
    """Ask what is current in a kernel, for the marks on its notebook's cells."""

    ACTION: ClassVar[str] = "connection.current"
    REPLY: ClassVar[type] = CurrentConnection
    kernel: str = ""
    notebook: str = ""
    """Where its notebook is by now, as the Jupyter Server knows: its runs come from there. "": nothing new."""


class ConnectionRemoved(Message, frozen=True, kw_only=True):
    """What went with a connection."""

    name: str
    connection_id: str = ""
    """Its id; "": the core that had removed it did not live to say so."""
    tiers: tuple[str, ...] = ()
    """Credential tiers from which a copy of its secret was deleted."""
    sessions: int = 0
    """Database sessions that were closed."""


class RemoveConnection(Change, frozen=True, kw_only=True):
    """Delete a connection, its secrets in every tier and its sessions. The query log keeps its rows."""

    ACTION: ClassVar[str] = "connection.remove"
    REPLY: ClassVar[type] = ConnectionRemoved
    session: str
    name: str


class Disconnected(Message, frozen=True, kw_only=True):
    """What went with a session."""

    connection: str
    connection_id: str = ""
    session: str = ""
    """Id of the session that was closed; "": this client had none there."""
    transaction: str = "idle"
    """How its transaction stood: what was open or failed was rolled back."""
    held: bool = False
    """Whether something was left in it (temp tables, settings) that is gone now."""
    private: bool = False
    """Whether the database itself was in it, and is gone."""
    others: tuple[str, ...] = ()
    """Where other sessions on the connection are: notebooks and programs."""


class Disconnect(Change, frozen=True, kw_only=True):
    """Close the client's own session on a connection; refused while a run is under way in it."""

    ACTION: ClassVar[str] = "connection.disconnect"
    REPLY: ClassVar[type] = Disconnected
    session: str
    connection: str | None = None
    """Name; None: the client's current one."""
    last_connection: str | None = None
    """As in `RunRequest`."""
    last_was_chosen: bool = False
    """As in `RunRequest`."""
