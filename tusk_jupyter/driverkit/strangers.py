"""Who answers at an address where a sign-in failed before the right server had said a word.

A client library reports what it did not understand ("invalid response to SSL negotiation: S"), not who said it. So the address
is looked at once more, without a name, a password or a database: who greets, who answers PostgreSQL's question for TLS, who
answers a web browser's first line, who speaks TLS from the first byte.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from tusk_jupyter.errors import ConnectError
from tusk_jupyter.protocol.scenarios import hint_for

POSTGRESQL = "PostgreSQL"
MYSQL = "MySQL or MariaDB"
TLS = "something that speaks TLS from the first byte"

PATIENCE_S = 0.3
"""How long each answer is waited for."""

CONNECT_S = 0.6
"""How long one address may take to take a connection; it has just done so, or nobody is there."""

_TLS_QUESTION = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""PostgreSQL's SSLRequest; whoever speaks PostgreSQL answers with one letter."""
_BROWSER = b"GET / HTTP/1.0\r\n\r\n"
_GREETINGS: tuple[tuple[bytes, str], ...] = (
    (b"SSH-", "an SSH server"),
    (b"HTTP/", "a web server (HTTP)"),
    (b"-ERR", "Redis, or something that speaks its protocol,"),
    (b"-NOAUTH", "Redis, or something that speaks its protocol,"),
    (b"-DENIED", "Redis, or something that speaks its protocol,"),
    (b"220", "a mail or FTP server"),
    (b"* OK", "a mail server (IMAP)"),
    (b"RFB ", "a screen server (VNC)"),
    (b"\x15\x03", TLS),
    (b"\x16\x03", TLS),
)
_TLS_IS_MEANT = b"to HTTPS port"
"""What web servers answer to a plain request where they speak TLS."""
_SHOWN = 24


class Seen(NamedTuple):
    """What was seen at an address."""

    who: str = ""
    """For people, as the subject of a sentence; "" where it did not show."""
    hung_up: bool = False
    """Whether it closed the connection, each time, before it had answered."""


Opener = Callable[[], socket.socket]
"""Connects, with a time limit; raises OSError."""


def at(*addresses: tuple[str, int] | str) -> Opener:
    """Return what connects to the first address that takes it: host and port, or the path of a Unix socket."""

    def connect() -> socket.socket:
        failure: OSError = ConnectionError("no address")
        for address in addresses:
            try:
                return _connected(address)
            except OSError as exc:
                failure = exc
        raise failure

    return connect


def look(connect: Opener) -> Seen | None:
    """Return who answers; None where nobody takes a connection."""
    greeting = _ask(connect, _TLS_QUESTION)
    if greeting is None:
        return None
    heard = [greeting] if greeting.said else [greeting, _ask(connect, _BROWSER)]
    said = heard[-1].said if heard[-1] is not None else b""
    who = _who(said)
    if (not said or _TLS_IS_MEANT in said) and _speaks_tls(connect):
        who = TLS
    return Seen(who, hung_up=not who and all(one is None or one.closed for one in heard))


def stranger(expected: str, target: str, connect: Opener) -> ConnectError | None:
    """Return the error of a sign-in that failed before a server of the expected kind had answered; None where one is there.

    Args:
        expected: POSTGRESQL or MYSQL.
        target: where to, for people.
        connect: opens one more connection there.
    """
    seen = look(connect)
    if seen is None or seen.who == expected:
        return None
    if seen.who:
        hint = _HINTS.get(seen.who) or hint_for("other_server")
        words, scenario = f"{seen.who} answers there, not {expected}", "other_server"
    elif seen.hung_up:
        hint, words, scenario = (
            hint_for("hung_up"),
            "the server closed the connection before it had answered",
            "hung_up",
        )
    else:
        return None
    return ConnectError(
        f"Could not connect to {target}: {words}.", hint=hint, detail="stage=sign-in", scenario=scenario
    )


_HINTS = {
    POSTGRESQL: "Use the driver `postgresql` for it (a URL that begins with `postgresql://`), or check the port.",
    MYSQL: "Use the driver `mysql` for it (a URL that begins with `mysql://`), or check the port.",
    TLS: "It may be a web server or a TLS proxy; database servers begin in the clear and then switch to TLS. Check the port: "
    "name the database's own, or a local one at which a tunnel (such as stunnel) takes the TLS off.",
}


class _Heard(NamedTuple):
    said: bytes
    closed: bool


def _connected(address: tuple[str, int] | str) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, CONNECT_S)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(CONNECT_S)
    try:
        link.connect(address)
    except OSError:
        link.close()
        raise
    return link


def _ask(connect: Opener, words: bytes) -> _Heard | None:
    """Say something and hear what comes, a greeting or an answer; None where nobody takes the connection."""
    try:
        link = connect()
    except OSError:
        return None
    with closing(link):
        link.settimeout(PATIENCE_S)
        try:
            link.sendall(words)
            said = link.recv(1024)
        except TimeoutError:
            return _Heard(b"", closed=False)
        except OSError:
            return _Heard(b"", closed=True)
    return _Heard(said, closed=not said)


def _speaks_tls(connect: Opener) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent over it
    try:
        with closing(connect()) as link:
            link.settimeout(PATIENCE_S)
            context.wrap_socket(link).close()
    except ssl.SSLError as exc:
        return "ALERT" in str(exc.reason or "")  # it refuses this one, in TLS's own words
    except (OSError, ValueError):
        return False
    return True


def _who(said: bytes) -> str:
    if not said:
        return ""
    if said in (b"S", b"N") or (said[:1] == b"E" and b"\0C" in said):  # a letter, or an error with an SQLSTATE
        return POSTGRESQL
    if said[3:4] == b"\0" and said[4:5] in (b"\x0a", b"\x09", b"\xff"):
        return MYSQL
    known = next((who for beginning, who in _GREETINGS if said.startswith(beginning)), None)
    if known is not None:
        return known
    shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in said[:_SHOWN])
    return f"something whose first bytes are `{shown}`"
