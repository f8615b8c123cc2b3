"""The link to a driver process, and the seam at which an error's origin is told: what is raised here came from over there.

Everything else that fails while a result is taken (a full disk, memory, a conversion, a bug) is this process's own fault, and
the driver, which knows nothing of it, would wait for ever for somebody to read on.
"""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType

import pyarrow as pa
import pyarrow.flight as flight

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.calls import translated
from tusk_jupyter.protocol.driver import Leave
from tusk_jupyter.protocol.errors import from_extra_info
from tusk_jupyter.system import open_files, sockets
from tusk_jupyter.system.quiet_grpc import quiet

LEAVE_S = 1.0
"""How long a driver may take to answer that a run is to end."""


class FromOverThere(Exception):
    """An error that was raised by reading from, or writing to, another process.

    Attributes:
        error: it, in our words.
        was_said: whether the other process itself reported it, so that what was under way there has ended.
    """

    def __init__(self, error: errors.TuskError, *, was_said: bool) -> None:
        """Carry an error up to whoever judges it."""
        super().__init__(str(error))
        self.error = error
        self.was_said = was_said


class seam:
    """Marks what the other process's side of a call raises; a generator would take three times as long.

    Raises:
        FromOverThere: instead of what the library raised; memory that this process does not have is its own matter.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin the call."""

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """End it."""
        if isinstance(exc, (flight.FlightError, pa.ArrowException, OSError)) and not isinstance(exc, MemoryError):
            said = from_extra_info(getattr(exc, "extra_info", None))
            raise FromOverThere(said or translated(exc), was_said=said is not None) from exc


class Drivers:
    """Links to driver processes, kept from run to run: making one costs 1-2 ms, more than a whole `SELECT 1`."""

    KEPT = 16

    def __init__(self) -> None:
        """Begin with none."""
        self._links: dict[str, flight.FlightClient] = {}
        self._lock = threading.Lock()

    def at(self, location: flight.Location) -> flight.FlightClient:
        """Return the link to the driver at a location; each process has a location of its own.

        Raises:
            StorageError: another user's process listens there: it would get the ticket, and its rows would be the result.
            CoreError: this process has no file descriptors left for a link.
        """
        key = location.uri.decode() if isinstance(location.uri, bytes) else str(location.uri)
        with self._lock:
            link = self._links.pop(key, None)
            if link is None:
                open_files.check_for_link()
                with contextlib.suppress(OSError):  # nobody listens any more: the call itself finds that out
                    sockets.check_owner(key)
                with quiet():
                    link = flight.FlightClient(location)
            self._links[key] = link  # most recently used last
            while len(self._links) > self.KEPT:
                self._links.pop(next(iter(self._links)))
        return link


def leave(driver: flight.FlightClient, ticket: str) -> bool:
    """Ask a driver itself to end the run of a ticket; return whether it took that in. One of others may not know how to."""
    body = codec.encode(Leave(ticket=ticket))
    try:
        list(driver.do_action(flight.Action(Leave.ACTION, body), flight.FlightCallOptions(timeout=LEAVE_S)))
    except (flight.FlightError, pa.ArrowException, OSError):
        return False
    return True
