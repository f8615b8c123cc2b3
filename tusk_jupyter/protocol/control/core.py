"""The core itself: how it is, who is attached, its end, its health."""

from __future__ import annotations

from typing import ClassVar

from tusk_jupyter.protocol.message import Message


class CoreStatus(Message, frozen=True, kw_only=True):
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


class GetCoreStatus(Message, frozen=True, kw_only=True):
    """Ask how the core is. Also the handshake: what a client of any version may call.

    Name, fields, and `clients` and `running` of its answer, stay what they are over all protocols (`client/ending.py`).
    """

    ACTION: ClassVar[str] = "core.status"
    REPLY: ClassVar[type] = CoreStatus
    client_version: str
    protocol: int


class Pong(Message, frozen=True, kw_only=True):
    """The core lives."""


class Ping(Message, frozen=True, kw_only=True):
    """Ask for a sign of life; answered whatever else the core does."""

    ACTION: ClassVar[str] = "core.ping"
    REPLY: ClassVar[type] = Pong


class Stopped(Message, frozen=True, kw_only=True):
    """What a stop ended."""

    running: int = 0
    sessions: int = 0


class StopCore(Message, frozen=True, kw_only=True):
    """End the core: runs are cancelled, sessions closed, driver processes ended. The same over all protocols."""

    ACTION: ClassVar[str] = "core.stop"
    REPLY: ClassVar[type] = Stopped


class Forgotten(Message, frozen=True, kw_only=True):
    """The variables that the core's environment had, and has no more."""

    names: tuple[str, ...] = ()


class ForgetVariables(Message, frozen=True, kw_only=True):
    """Take variables that hold a secret out of the core's environment: it was started with the one of a notebook's kernel.

    Nothing that the core starts (a password command, say) gets them from then on. Their values are not sent.
    """

    ACTION: ClassVar[str] = "core.forget_variables"
    REPLY: ClassVar[type] = Forgotten
    names: tuple[str, ...]


class AttachEvent(Message, frozen=True, kw_only=True):
    """One word of the attach stream: `attached` first, then nothing until the stream ends."""

    event: str
    notices: tuple[str, ...] = ()


class Attach(Message, frozen=True, kw_only=True):
    """Hold a client session open. The stream ends with the client; then its database sessions are closed."""

    ACTION: ClassVar[str] = "attach"
    REPLY: ClassVar[type] = AttachEvent
    session: str
    source: str
    """Where the runs come from: the notebook's path, `cli`, a script's path, `ipython`."""
    pid: int
    kernel: str = ""
    """Jupyter's id of the kernel that this is, by which JupyterLab asks for its current connection."""


class Check(Message, frozen=True, kw_only=True):
    """One finding of the doctor."""

    name: str
    ok: bool
    message: str
    hint: str | None = None


class Checks(Message, frozen=True, kw_only=True):
    """All findings, in order."""

    checks: tuple[Check, ...]


class Doctor(Message, frozen=True, kw_only=True):
    """Examine state folder, permissions, journal, keyring, vault, drivers."""

    ACTION: ClassVar[str] = "doctor"
    REPLY: ClassVar[type] = Checks
