"""Who is attached: one entry per kernel, script or command that talks to the core."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

FORGET_AFTER_S = 60.0
"""A client that never attached (a one-shot command) is forgotten after this long without a word."""

KERNELS = 1000
"""A core may live for months, and Jupyter Server names each kernel of a notebook with SQL to it."""


@dataclass(slots=True)
class Client:
    """A client session."""

    id: str
    source: str = ""
    pid: int = 0
    kernel: str = ""
    """Jupyter's id of the kernel that it is; "" for scripts and commands."""
    attached: int = 0
    chosen: str | None = None
    """Id of the connection that was chosen on purpose; a run that names another one does not change it."""
    used: str | None = None
    """Id of the connection that was used last, or added."""
    last_seen: float = field(default_factory=time.monotonic)

    @property
    def current(self) -> str | None:
        """Id of the connection that is meant where none is named."""
        return self.chosen or self.used


class Clients:
    """All client sessions by id; thread-safe."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._clients: dict[str, Client] = {}
        self._notebooks: dict[str, str] = {}
        """Where the notebooks of kernels are, by the kernel's id, which stays when it restarts; of the latest `KERNELS`."""
        self._lock = threading.Lock()

    def touch(self, session: str, *, source: str | None = None, kernel: str = "") -> Client:
        """Return the client of that session id, made if it is new, seen now.

        `source` is where it says that it is; of a kernel, Jupyter Server knows better.
        """
        with self._lock:
            client = self._clients.setdefault(session, Client(session))
            client.last_seen = time.monotonic()
            client.kernel = kernel or client.kernel
            client.source = self._notebooks.get(client.kernel) or source or client.source
            return client

    def locate(self, kernel: str, notebook: str) -> bool:
        """Note where a kernel's notebook is by now; return whether that moves a client."""
        with self._lock:
            self._notebooks.pop(kernel, None)
            self._notebooks[kernel] = notebook
            if len(self._notebooks) > KERNELS:
                del self._notebooks[next(iter(self._notebooks))]
            moved = [one for one in self._clients.values() if one.kernel == kernel and one.source != notebook]
            for client in moved:
                client.source = notebook
            return bool(moved)

    def attach(self, session: str, *, source: str, pid: int, kernel: str = "") -> Client:
        """Hold a client session open."""
        client = self.touch(session, source=source, kernel=kernel)
        with self._lock:
            client.pid = pid
            client.attached += 1
        return client

    def detach(self, session: str) -> bool:
        """Let go of it once; return whether nobody holds it any more, and it is forgotten."""
        with self._lock:
            client = self._clients.get(session)
            if client is None:
                return False
            client.attached -= 1
            if client.attached > 0:
                return False
            del self._clients[session]
            return True

    def source_of(self, session: str) -> str:
        """Return where a client is: a notebook's path, a script's; "" for one that is not known."""
        with self._lock:
            client = self._clients.get(session)
        return client.source if client is not None else ""

    def of_kernel(self, kernel: str) -> Client | None:
        """Return the attached client that is a kernel; after a restart the new one, also while the old one is still there."""
        with self._lock:
            found = [one for one in self._clients.values() if kernel and one.kernel == kernel and one.attached > 0]
        return found[-1] if found else None

    def connection_moved(self, before: str, after: str) -> None:
        """Let whoever had a connection keep it under its new id."""
        with self._lock:
            for client in self._clients.values():
                client.chosen = after if client.chosen == before else client.chosen
                client.used = after if client.used == before else client.used

    def expired(self, *, busy: set[str]) -> list[Client]:
        """Remove and return the clients that are not attached and have been silent for FORGET_AFTER_S, but the busy ones."""
        horizon = time.monotonic() - FORGET_AFTER_S
        with self._lock:
            gone = [
                one
                for one in self._clients.values()
                if one.attached <= 0 and one.last_seen < horizon and one.id not in busy
            ]
            for one in gone:
                del self._clients[one.id]
            return gone

    @property
    def attached(self) -> int:
        """How many clients hold a session open."""
        return sum(1 for one in list(self._clients.values()) if one.attached > 0)
