"""Signing in, stage by stage: name, tcp, tls, sign-in, database.

The socket is opened here rather than by PyMySQL so that a wrong name and a closed port are told apart, and so that one
that could not be connected is closed.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql

from tusk_drivers.mysql.errors import LOST, SCENARIOS, numbered, sqlstate
from tusk_drivers.mysql.link import Link
from tusk_drivers.mysql.passwords import PLUGINS, GuardedConnection
from tusk_jupyter.driverkit import strangers
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.driverkit.trust import SYSTEM, system_bundle
from tusk_jupyter.errors import ConnectError
from tusk_jupyter.protocol.scenarios import hint_for

DEFAULT_PORT = 3306
CHARSET = "utf8mb4"
"""The only one that carries every character; the field `charset` is there because URLs often name it."""
_STAGES = {"no_such_database": "database", "ssl_required": "tls"}
_NO_TLS_ON_SERVER = 2026


def sign_in(settings: Settings) -> Link:
    """Return a signed-in link in autocommit mode.

    Raises:
        ConnectError: with scenario, and the failed stage in `detail`.
    """
    if settings.text("charset") not in (None, CHARSET):
        raise _failure("sign-in", f"The driver speaks {CHARSET} only, not {settings.text('charset')}.")
    with _explained(settings):
        _check_key(settings)
        connection: Any = GuardedConnection(defer_connect=True, **_options(settings))
        connection.settings, connection.target = settings, _target(settings)
        sock = _open_socket(settings)
        with _ended_after(sock, settings.connect_timeout_s):
            connection.connect(sock)
    return Link(connection)


@contextmanager
def _ended_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """End a link whose block takes longer: PyMySQL's own limit is one of each read, and begins anew with each byte.

    Raises:
        TimeoutError: it did.
    """
    late = threading.Event()
    twin = sock.dup()  # TLS takes the socket itself away

    def end() -> None:
        late.set()
        with suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as exc:
        if late.is_set():
            raise TimeoutError(f"not signed in after {seconds:g} s") from exc
        raise
    finally:
        timer.cancel()
        timer.join()
        twin.close()
    if late.is_set():
        raise TimeoutError(f"not signed in after {seconds:g} s")


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": _host(settings),
        "port": _port(settings),
        "unix_socket": settings.text("unix_socket"),
        "user": settings.text("user") or "",
        "password": settings.secrets.get("password", "").encode(),
        "database": settings.text("database"),
        "charset": CHARSET,
        "connect_timeout": settings.connect_timeout_s,
        "read_timeout": settings.connect_timeout_s,
        "write_timeout": settings.connect_timeout_s,
        "autocommit": True,
        "local_infile": False,
        "program_name": settings.application,
        "auth_plugin_map": PLUGINS,
        **_tls(settings),
    }


def _target(settings: Settings) -> str:
    return settings.text("unix_socket") or f"{_host(settings)}:{_port(settings)}"


def _host(settings: Settings) -> str:
    return settings.text("host") or "localhost"


def _port(settings: Settings) -> int:
    return int(settings.text("port") or DEFAULT_PORT)


def _open_socket(settings: Settings) -> socket.socket:
    path = settings.text("unix_socket")
    if path is None:
        return _tcp_socket(settings)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(settings.connect_timeout_s)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def _tcp_socket(settings: Settings) -> socket.socket:
    sock = socket.create_connection((_host(settings), _port(settings)), settings.connect_timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for level, option, value in _keepalives():
        sock.setsockopt(level, option, value)
    return sock


def _keepalives() -> Iterator[tuple[int, int, int]]:
    """Yield what this platform has of the options by which a peer that vanished is noticed within a minute and a half."""
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    known = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 90_000}
    for name, value in known.items():
        if (option := getattr(socket, name, None)) is not None:
            yield socket.IPPROTO_TCP, option, value


# --- TLS ---


def ssl_mode(settings: Settings) -> str:
    """Return the mode in force: what is configured, else by how far away the server is (REQUIREMENTS C-18)."""
    configured = settings.text("sslmode")
    if configured:
        return configured
    if settings.text("sslrootcert"):
        return "verify-full"
    return "prefer" if settings.text("unix_socket") or _is_loopback(_host(settings)) else "require"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _tls(settings: Settings) -> dict[str, Any]:
    mode = ssl_mode(settings)
    if mode == "disable" or (mode == "prefer" and settings.text("unix_socket")):
        return {"ssl_disabled": True}  # on a socket file there is nobody to listen
    if mode == "prefer":
        return {}  # PyMySQL's own default: TLS where the server has it
    context = ssl.create_default_context(cafile=_authorities(settings))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates that MySQL makes for itself are not strict
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return {"ssl": context}


def _authorities(settings: Settings) -> str | None:
    path = settings.text("sslrootcert")
    if path == SYSTEM:
        return system_bundle()
    if path and not Path(path).is_file():
        raise _failure("tls", f"The CA file {path} does not exist.", scenario="bad_certificate")
    return path


def _check_key(settings: Settings) -> None:
    path = settings.text("server_public_key")
    if path and not Path(path).is_file():
        raise _failure("sign-in", f"The file with the server's public key, {path}, does not exist.")


# --- errors ---


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    """Raise every failure as a ConnectError that names where it was going and how far it came."""
    where = _target(settings)
    try:
        yield
    except pymysql.MySQLError as exc:
        cause = getattr(exc, "original_exception", None) or exc.__context__
        if isinstance(cause, OSError):
            raise _seen(settings, cause) or _from_os(cause, where) from exc
        raise _from_server(exc, settings, where) from exc
    except OSError as exc:
        raise _seen(settings, exc) or _from_os(exc, where) from exc
    except (ValueError, IndexError, struct.error) as exc:
        raise _seen(settings) or _failure("sign-in", f"{where} does not sign in as MySQL does: {exc}.") from exc


def _seen(settings: Settings, exc: OSError | None = None) -> ConnectError | None:
    """Return the error that says who answers there, where it is no server of this kind; None where that does not show."""
    if isinstance(exc, (ssl.SSLError, socket.gaierror, ConnectionRefusedError, FileNotFoundError)):
        return None  # a server has greeted, or nobody is there
    where = settings.text("unix_socket") or (_host(settings), _port(settings))
    return strangers.stranger(strangers.MYSQL, _target(settings), strangers.at(where))


def _from_os(exc: OSError, where: str) -> ConnectError:
    match exc:
        case ssl.SSLCertVerificationError():
            return _failure(
                "tls", f"The certificate of {where} was not accepted: {exc.verify_message}.", "bad_certificate"
            )
        case ssl.SSLError():
            return _failure("tls", f"No encrypted link to {where} came about: {exc.reason or exc}.")
        case socket.gaierror():
            return _failure("name", f"The host of {where} is not known: {exc.strerror}.", "unknown_host")
        case TimeoutError():
            return _failure("tcp", f"{where} did not answer in time.", "connect_timeout")
        case ConnectionRefusedError() | FileNotFoundError():
            return _failure("tcp", f"Nothing listens at {where} ({exc.strerror}).", "refused")
        case _:
            return _failure("tcp", f"The link to {where} could not be made: {exc.strerror or exc}.", "refused")


def _from_server(exc: pymysql.MySQLError, settings: Settings, where: str) -> ConnectError:
    errno, message = numbered(exc)
    if errno in LOST and not sqlstate(exc):  # PyMySQL's own words
        if (seen := _seen(settings)) is not None:
            return seen
        if errno:
            return _failure("sign-in", f"{where} closed the connection in the middle of the sign-in.", "hung_up")
    if errno == _NO_TLS_ON_SERVER:
        return _failure(
            "tls",
            f"{where} offers no encryption, and sslmode={ssl_mode(settings)} demands it.",
            hint="Switch TLS on at the server. `sslmode=prefer` on the connection connects without it: anybody on the way "
            "can then read and change the traffic.",
        )
    scenario = SCENARIOS.get(errno)
    stage = "database" if errno == 1044 else _STAGES.get(scenario or "", "sign-in")
    hint = None
    if scenario == "bad_password" and ssl_mode(settings) == "disable":
        hint = f"{hint_for(scenario)} An account that takes only encrypted links is refused alike: `sslmode=require`."
    return _failure(stage, f"{where} refused the sign-in: {message}.", scenario, code=errno, hint=hint)


def _failure(
    stage: str, message: str, scenario: str | None = None, *, code: int = 0, hint: str | None = None
) -> ConnectError:
    return ConnectError(
        message.replace("..", "."),
        hint=hint or hint_for(scenario),
        detail=f"stage={stage}",
        code=str(code) if code else None,
        scenario=scenario,
    )
