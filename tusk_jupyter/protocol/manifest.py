"""What a driver says of itself: the JSON document that its `info` command prints."""

from __future__ import annotations

from typing import Any

from msgspec import field

from tusk_jupyter.protocol.message import Message


class Capabilities(Message, frozen=True, kw_only=True):
    """What a driver can do beyond running statements; checked before the call, never found out by failing."""

    cancel: bool = True
    """`interrupt` stops a statement on the server and leaves the session usable."""
    kill_backend: bool = False
    """A second process with the same sign-in can end a statement of a first one that no longer answers."""
    lock_waits: bool = False
    """A second process with the same sign-in can ask the server whose lock a statement of a first one waits for."""
    read_only: bool = True
    transactions: bool = True
    upload: bool = True
    tree: bool = True
    parameters: bool = True
    early_fetch: bool = False
    """A DoGet whose ticket is not there yet waits for its run, and fails as that does: the core then need not wait."""


class SignIn(Message, frozen=True, kw_only=True):
    """One way to sign in: which of the manifest's fields a form shows for it, and how.

    A field that some way names belongs to the ways that name it; a field that none names is shown with all of them. A
    password from a command or the environment, and a URL instead of fields, are no ways of their own: forms offer them by
    themselves.
    """

    name: str
    title: str
    fields: tuple[str, ...] = ()
    """In the order of the form."""
    required: tuple[str, ...] = ()
    """Fields that this way cannot do without, besides the required ones of the manifest that it shows."""
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Keywords of JSON Schema that replace those of a field in this way: title, description, default (null: none), pattern,
    and const, a value that is set without being asked for."""


class Manifest(Message, frozen=True, kw_only=True):
    """A driver's description, from which connection forms, URL reading and checks are drawn.

    `fields` is a JSON Schema object ("type": "object") whose properties are the connection's fields. Beyond the standard
    keywords (type, title, description, default, enum, minimum, maximum) three of ours are read: `"secret": true` (never in
    the state store, goes to the driver as a secret) and `"format": "path"` (made absolute by the client that knows the
    working directory; `"words"` lists texts that are none, as `system`).
    """

    name: str
    title: str
    version: str
    protocol: int
    dialect: str
    """Rules by which SQL text is split: a name of `sqltext.dialects`."""
    schemes: tuple[str, ...]
    """URL schemes that name this driver."""
    fields: dict[str, Any]
    capabilities: Capabilities = field(default_factory=Capabilities)
    locked_file: str | None = None
    """Name of the field with a file that one process locks; all sessions on that file then share one driver process."""
    suffixes: tuple[str, ...] = ()
    """File name endings that name this driver when a plain path is given instead of a URL."""
    requires: tuple[str, ...] = ()
    """Import names that must be there for `serve`."""
    least_memory_mb: int = 0
    """The smallest cap on its data (RLIMIT_DATA) with which a process of the driver opens a session and answers."""
    extra: str | None = None
    """What to install when they are not: `pip install 'tusk-jupyter[EXTRA]'`."""
    sign_in: tuple[SignIn, ...] = ()
    """Ways to sign in, the usual one first; () for a form with all fields."""

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """Names of the fields that hold secrets."""
        return tuple(name for name, spec in self.properties.items() if spec.get("secret"))

    @property
    def has_server(self) -> bool:
        """Whether the database is a server, which goes on when the driver ends; others run in the driver's process."""
        return "host" in self.properties

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """The fields by name, in the order of the form."""
        found: dict[str, dict[str, Any]] = self.fields.get("properties", {})
        return found
