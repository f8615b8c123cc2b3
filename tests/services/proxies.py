"""A link between a client and a server that can be cut at will."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Passes on what comes at `port`, until it is cut."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._links: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.passed = 0
        """Bytes that went from the clients to the server."""
        self.cut_at: int | None = None
        """Of `passed`: where the links are cut by themselves."""
        self.ends_late_s = 0.0
        """How long after the server's end the client sees it."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.getsockname()[1])

    def cut(self) -> None:
        """End all links, on both sides."""
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut all links and take no more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        for thread in list(self._threads):
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._links += [near, far]
            self._threads.append(threading.Thread(target=self._pass_on, args=(near, far)))
            self._threads[-1].start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        """Pass on in both directions until either ends.

        Both are closed then: a socket that is only shut down goes on to take what the other side sends, until it is full.
        """
        back = threading.Thread(target=self._pump, args=(far, near, False))
        back.start()
        self._pump(near, far, True)
        back.join()
        near.close()
        far.close()

    def _pump(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if counts and self.cut_at is not None and self.passed + len(chunk) >= self.cut_at:
                    target.sendall(chunk[: self.cut_at - self.passed])
                    self.cut()
                self.passed += len(chunk) if counts else 0
                target.sendall(chunk)
        if not counts:
            time.sleep(self.ends_late_s)
        for link in (source, target):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """Stand between a client and the server at `host` and `port`."""
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
