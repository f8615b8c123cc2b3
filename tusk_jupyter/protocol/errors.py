"""The one table between error classes and what travels on the wire."""

from __future__ import annotations

import msgspec

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.message import Message, replace
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.system import open_files, threads, typed_json

KINDS: dict[str, type[errors.TuskError]] = {
    "validation": errors.UsageError,
    "connection": errors.ConnectError,
    "session_lost": errors.SessionLost,
    "credential": errors.CredentialError,
    "database": errors.QueryError,
    "cancelled": errors.Cancelled,
    "timeout": errors.TimeoutExceeded,
    "too_large": errors.ResultTooLarge,
    "driver": errors.DriverError,
    "driver_not_found": errors.DriverNotFound,
    "driver_start": errors.DriverStartError,
    "driver_crashed": errors.DriverCrashed,
    "protocol": errors.ProtocolError,
    "initialization": errors.CoreError,
    "version": errors.VersionMismatch,
    "storage": errors.StorageError,
    "internal": errors.InternalError,
}
LONGEST = 1_500
"""Characters of a message or a detail on the wire."""

_KIND_OF = {cls: kind for kind, cls in KINDS.items()}


class WireError(Message, frozen=True, kw_only=True):
    """An error on the wire; the fields are those of `errors.TuskError`, `kind` names the class."""

    kind: str
    message: str
    hint: str | None = None
    detail: str | None = None
    position: int | None = None
    code: str | None = None
    statement: int | None = None
    scenario: str | None = None
    sessions: tuple[str, ...] = ()
    """Of `session_lost`: ids of the sessions that ended."""

    def to_exception(self) -> errors.TuskError:
        """Return the exception; a kind that this version does not know becomes an InternalError that names it."""
        fields = {name: getattr(self, name) for name in ("hint", "detail", "position", "code", "statement", "scenario")}
        cls = KINDS.get(self.kind)
        if cls is None:
            return errors.InternalError(f"{self.message} (of the unknown kind {self.kind!r})", **fields)
        if issubclass(cls, errors.SessionLost):
            return cls(self.message, sessions=self.sessions, **fields)
        return cls(self.message, **fields)


def to_wire(exc: BaseException) -> WireError:
    """Return `exc` for the wire, with its scenario's hint where it has none of its own.

    Anything that is not a TuskError is a bug of ours and says so.
    """
    exc = threads.told(exc) or open_files.told(exc) or exc
    if not isinstance(exc, errors.TuskError):
        return WireError(kind="internal", message=f"{type(exc).__name__}: {exc}")
    kind = next((_KIND_OF[cls] for cls in type(exc).__mro__ if cls in _KIND_OF), "internal")
    return WireError(
        kind=kind,
        message=exc.message,
        hint=exc.hint or hint_for(exc.scenario),
        detail=exc.detail,
        position=exc.position,
        code=exc.code,
        statement=exc.statement,
        scenario=exc.scenario,
        sessions=exc.sessions if isinstance(exc, errors.SessionLost) else (),
    )


def from_extra_info(extra_info: bytes | None) -> errors.TuskError | None:
    """Return the exception that Flight carried in `extra_info`, or None if it carried none of ours."""
    if not extra_info:
        return None
    try:
        return typed_json.decode(WireError, extra_info).to_exception()
    except msgspec.DecodeError:
        return None


def to_extra_info(exc: BaseException) -> bytes:
    """Return `exc` as the bytes that Flight carries in `extra_info`; gRPC drops it all when it exceeds 8 KB (seen)."""
    wire = to_wire(exc)
    return codec.encode(replace(wire, message=wire.message[:LONGEST], detail=wire.detail and wire.detail[:LONGEST]))
