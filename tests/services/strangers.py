"""Ports at which no database answers: each takes connections and does one thing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from services.certificates import Certificates, make_certificates

Talk = Callable[[socket.socket], None]


@contextmanager
def stranger(talk: Talk) -> Iterator[int]:
    """Serve connections with `talk`, which may return at any time; the link is closed behind it."""
    server = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    links: list[socket.socket] = []

    def one(link: socket.socket) -> None:
        links.append(link)
        with link, suppress(OSError):
            link.settimeout(20.0)
            talk(link)

    def serve() -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(link,)))
            threads[-1].start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for one_thread in threads:
            one_thread.join()


def hangs_up(link: socket.socket) -> None:
    """Close at once."""


def is_silent(link: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    while link.recv(4096):
        pass


def greets(words: bytes) -> Talk:
    """Return what says something at once and then listens."""

    def talk(link: socket.socket) -> None:
        link.sendall(words)
        is_silent(link)

    return talk


def answers_lines(words: bytes) -> Talk:
    """Return what answers the first line of text, as HTTP servers and Redis do."""

    def talk(link: socket.socket) -> None:
        heard = b""
        while not (heard[:1] != b"\0" and b"\n" in heard):
            more = link.recv(4096)
            if not more:
                return
            heard += more
        link.sendall(words)
        is_silent(link)

    return talk


def speaks_tls(folder: object) -> Talk:
    """Return what takes nothing but TLS."""
    import ssl
    from pathlib import Path

    certificates: Certificates = make_certificates(Path(str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.cert_file, certificates.key_file)

    def talk(link: socket.socket) -> None:
        with context.wrap_socket(link, server_side=True) as inside:
            is_silent(inside)

    return talk
