"""Every exception that tusk raises on purpose, as one tree, ordered by what the caller can do about it.

    TuskError
    ├── UsageError            what was asked makes no sense: change the request
    ├── ConnectError          the database cannot be reached or refuses the sign-in
    ├── SessionLost           the session that a run counts on has ended: nothing was run
    ├── CredentialError       a secret cannot be stored, read or unlocked
    ├── QueryError            the database rejected the statement
    ├── Cancelled             somebody stopped the run
    ├── TimeoutExceeded       the run or the wait for its session took longer than allowed
    ├── ResultTooLarge        the data does not fit into this process's memory: take less, or a file
    ├── DriverError           the driver process, not the database, is at fault
    │   ├── DriverNotFound
    │   ├── DriverStartError
    │   ├── DriverCrashed
    │   └── ProtocolError
    ├── CoreError             the core service cannot be started or reached
    │   └── VersionMismatch
    ├── StorageError          the state folder cannot be read or written
    └── InternalError         a bug of ours

`tusk_jupyter.protocol.errors` is the one table between these classes and what travels on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tusk_jupyter.visible import visible

__all__ = [
    "Cancelled",
    "ConnectError",
    "CoreError",
    "CredentialError",
    "DriverCrashed",
    "DriverError",
    "DriverNotFound",
    "DriverStartError",
    "InternalError",
    "ProtocolError",
    "QueryError",
    "ResultTooLarge",
    "SessionLost",
    "StorageError",
    "TimeoutExceeded",
    "TuskError",
    "UsageError",
    "VersionMismatch",
]


class TuskError(Exception):
    """Base of all errors of tusk.

    Attributes:
        message: what failed, what was asked, what exists; one paragraph.
        hint: what to do next, or None.
        detail: more words from the place that failed (the server's DETAIL, a driver's last output), or None.
        position: 0-based character offset into the SQL text that was submitted, or None.
        code: the database's own code (SQLSTATE, MySQL errno, DuckDB exception type), or None.
        statement: 0-based index of the statement that failed, or None.
        scenario: name of the known situation (`protocol.scenarios`), or None.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        detail: str | None = None,
        position: int | None = None,
        code: str | None = None,
        statement: int | None = None,
        scenario: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.position = position
        self.code = code
        self.statement = statement
        self.scenario = scenario

    def reword(self, put: Callable[[str], str]) -> None:
        """Put something in the place of every text that leaves with this error: what hides secrets comes through here."""
        self.message = put(self.message)
        self.hint = self.hint and put(self.hint)
        self.detail = self.detail and put(self.detail)
        self.args = (self.message, *self.args[1:])

    def __str__(self) -> str:
        # A traceback shows this, and a server may have worded it.
        return visible(f"{self.message}\nHint: {self.hint}" if self.hint else self.message)


class UsageError(TuskError):
    """What was asked makes no sense; nothing was run and nothing was changed."""


class ConnectError(TuskError):
    """The database cannot be reached, refuses the sign-in, or the link to it was lost."""


class SessionLost(TuskError):
    """The database session that this client counts on has ended, with what it had in it. Nothing was run.

    It is raised once; the next run on that connection has a new session.

    Attributes:
        sessions: ids of the sessions that ended.
    """

    def __init__(self, message: str, *, sessions: tuple[str, ...] = (), **more: Any) -> None:  # noqa: ANN401  # the base's
        super().__init__(message, **more)
        self.sessions = sessions


class CredentialError(TuskError):
    """A secret cannot be stored, read or unlocked."""


class QueryError(TuskError):
    """The database rejected the statement."""


class Cancelled(TuskError):
    """The run was stopped by its user, from elsewhere, or by the server's administrator."""


class TimeoutExceeded(TuskError):
    """The run, or the wait for its session, took longer than allowed."""


class ResultTooLarge(TuskError):
    """The data does not fit into this process's memory; the process and its session go on."""


class DriverError(TuskError):
    """The driver process, not the database, is at fault."""


class DriverNotFound(DriverError):
    """No installed driver has that name."""


class DriverStartError(DriverError):
    """The driver process did not come up: a missing dependency, a bad manifest, a time limit."""


class DriverCrashed(DriverError):
    """The driver process ended in the middle of its work, and its session with it."""


class ProtocolError(DriverError):
    """The other side sent something this protocol version does not know."""


class CoreError(TuskError):
    """The core service cannot be started or reached."""


class VersionMismatch(CoreError):
    """Client and core are of versions that do not understand each other."""


class StorageError(TuskError):
    """The state folder cannot be read or written."""


class InternalError(TuskError):
    """A bug of ours; the diagnostic log has the traceback."""
