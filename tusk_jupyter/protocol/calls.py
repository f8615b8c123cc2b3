"""Calls over Flight, the same on both hops: one request, one reply (or a stream of them), errors as our exceptions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol, TypeVar

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.errors import from_extra_info
from tusk_jupyter.system import open_files, sockets
from tusk_jupyter.system.quiet_grpc import quiet


class Request(Protocol):
    """A message with an action's name and the class of its reply."""

    ACTION: ClassVar[str]
    REPLY: ClassVar[type]


class PeerLost(errors.TuskError):
    """The process at the other end is gone or does not listen; `Peer`'s owner says what that means."""


class PeerFailed(PeerLost):
    """The process at the other end is there, but could not do the call: no memory, no threads, a broken stream."""


class PeerExhausted(PeerFailed):
    """gRPC had no memory or no threads left for the call, here or there: its status RESOURCE_EXHAUSTED."""


class PeerSilent(errors.TimeoutExceeded):
    """The process at the other end did not answer in the time that this call had."""


T = TypeVar("T")

_EXHAUSTED = re.compile(r"(?:gRPC|Flight) returned resource exhausted error\b")
"""How Arrow's own words begin for that status; it has a class for others, and for this one that of an invalid argument."""

SENT_AT = "sent-at"
"""The header that says when a call was sent, in seconds of the clock that only runs on.

All processes of a machine share it, and the caller's patience is measured by it: a clock that is set, or a machine that
slept, makes no call late.
"""


class Peer:
    """A process that is called over Flight with its control token."""

    def __init__(self, address: str, token: str) -> None:
        """Name the peer; the link is made with the first call.

        Raises:
            CoreError: this process has no file descriptors left for it.
            PeerLost: nobody can listen at what is no address.
        """
        self._address, self._token = address, token
        self._is_known = False
        open_files.check_for_link()
        try:
            with quiet():
                self.flight = flight.FlightClient(address)
        except (pa.ArrowException, ValueError) as exc:
            raise PeerLost(f"{address!r} is no address of a process.", detail=_first_line(exc)) from exc

    def __repr__(self) -> str:
        return "Peer()"  # the token is in here

    def options(self, timeout_s: float | None = None, *, is_dated: bool = False) -> flight.FlightCallOptions:
        """Return call options with the token and a time limit; the first ones once it is known whose process listens.

        Args:
            timeout_s: the limit.
            is_dated: whether the peer is to refuse the call when it hears of it so late that its caller has given it up.

        Raises:
            StorageError: another user's does.
            OSError: none does.
        """
        if not self._is_known:
            sockets.check_owner(self._address)
            self._is_known = True
        headers = [(b"authorization", f"Bearer {self._token}".encode())]
        if is_dated:
            headers.append((SENT_AT.encode(), f"{time.monotonic():.3f}".encode()))
        return flight.FlightCallOptions(timeout=timeout_s, headers=headers)

    def call(self, request: Request, *, timeout_s: float | None = 60.0, is_dated: bool = False) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Send one request and return its one reply, an instance of `request.REPLY`; for `is_dated` see `options`.

        Raises:
            TuskError: what the peer answered; PeerLost when it is gone; TimeoutExceeded when it did not answer in time.
        """
        return next(self.stream(request, timeout_s=timeout_s, is_dated=is_dated))

    def stream(self, request: Request, *, timeout_s: float | None = None, is_dated: bool = False) -> Iterator[Any]:
        """Send one request, at once, and return an iterator of its replies; both raise as `call`."""
        action = flight.Action(request.ACTION, codec.encode(request))
        try:
            results = self.flight.do_action(action, self.options(timeout_s, is_dated=is_dated))
        except (flight.FlightError, pa.ArrowException, OSError) as exc:
            raise translated(exc) from exc
        return _replies(results, request.REPLY)

    def close(self) -> None:
        """Close the link."""
        self.flight.close()


def _replies(results: Iterator[flight.Result], kind: type) -> Iterator[Any]:
    try:
        for result in results:
            yield codec.decode(kind, result.body.to_pybytes())
    except (flight.FlightError, pa.ArrowException, OSError) as exc:
        raise translated(exc) from exc


def translated(exc: BaseException) -> errors.TuskError:
    """Return what a failed Flight call means. The library's own words are a detail; the error is one of ours."""
    carried = from_extra_info(getattr(exc, "extra_info", None))
    if carried is not None:
        return carried
    if isinstance(exc, flight.FlightTimedOutError):
        return PeerSilent("The other process did not answer in time.", detail=_first_line(exc))
    if isinstance(exc, flight.FlightUnauthenticatedError):
        return errors.ProtocolError("The other process does not accept this token.", detail=_first_line(exc))
    if isinstance(exc, flight.FlightCancelledError):
        return errors.Cancelled("The call was cancelled.", detail=_first_line(exc))
    if isinstance(exc, flight.FlightUnavailableError | OSError):
        return PeerLost("The other process is gone.", detail=_first_line(exc))
    if isinstance(exc, pa.ArrowNotImplementedError):
        return errors.ProtocolError("The other process does not know this call.", detail=_first_line(exc))
    failed = PeerExhausted if _EXHAUSTED.match(str(exc)) else PeerFailed
    return failed("The other process could not do the call, or its answer could not be read.", detail=_first_line(exc))


def _first_line(exc: BaseException) -> str:
    return str(exc).partition("\n")[0][:300]
