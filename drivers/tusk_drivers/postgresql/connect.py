"""Signing in: name resolution with a deadline of its own, TLS by where the server is, and the failures told apart.

A server that is not verified may ask for a proof that the password is known (SCRAM, MD5), never for the password. MD5 stays
allowed: its answer gives away no more than SCRAM's does to a server that chooses salt and iterations, namely what a
guess can be tried against.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import socket
import threading
from collections.abc import Mapping
from typing import Any

import psycopg

from tusk_drivers.postgresql.errors import connect_error
from tusk_jupyter.driverkit import strangers
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.driverkit.trust import SYSTEM, Trust, may_send_password, system_bundle
from tusk_jupyter.errors import ConnectError, UsageError
from tusk_jupyter.protocol.scenarios import hint_for

DEFAULT_PORT = 5432

KEEPALIVES = {"keepalives": 1, "keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3,
              "tcp_user_timeout": 90_000}  # fmt: skip
"""Seconds and tries, and milliseconds for what was sent: a peer that vanished is noticed within a minute and a half."""

CHECK_INTERVAL_MS = 2000
"""How often the server looks whether we are still there while it works, where it knows how (version 14)."""

_PASSED_ON = ("sslrootcert", "sslcert", "sslkey", "channel_binding", "options", "target_session_attrs")

_BUT_CLEAR_TEXT = "!password"
"""libpq's `require_auth`: every way to sign in but the password in clear text."""

_WITHOUT_A_WORD = (None, "connect_timeout", "bad_certificate")
"""Scenarios of failures at which no PostgreSQL need have answered: the greeting of SSH begins with the S that agrees to TLS."""

_PROVING = ("verify-ca", "verify-full")


def sign_in(settings: Settings) -> psycopg.Connection[Any]:
    """Return a connection in autocommit mode.

    Raises:
        ConnectError: with scenario, and the stage that failed in `detail`.
    """
    target = describe(settings)
    known = _parameters(settings)
    if not _is_local_path(known["host"]) and "," not in known["host"]:
        known["hostaddr"] = _resolve(known["host"], int(known["port"]), settings.connect_timeout_s, target)
        places = known["hostaddr"].count(",") + 1
        known["host"] = ",".join([known["host"]] * places)
        known["connect_timeout"] = _whole_seconds(settings.connect_timeout_s / places)  # libpq counts for each address
    if known.get("sslrootcert") == SYSTEM and (bundle := system_bundle()):
        os.environ.setdefault("SSL_CERT_FILE", bundle)  # where libpq's OpenSSL looks for the system's authorities
    try:
        connection = psycopg.connect(**known, autocommit=True, prepare_threshold=None)
    except psycopg.Error as exc:
        raise _failure(str(exc), target, known) from None  # the chain would show the connection text
    except (UnicodeError, ValueError) as exc:
        raise UsageError(f"The connection's fields cannot be sent to a server: {exc}") from None
    prepare(connection)
    return connection


def _failure(words: str, target: str, known: Mapping[str, Any]) -> ConnectError:
    """Return the error of a failed sign-in; where no server of this kind has said a word, who answers there."""
    error = connect_error(words, target=target)
    host, port = str(known["host"]), int(str(known["port"]).partition(",")[0])
    if error.scenario not in _WITHOUT_A_WORD or "FATAL" in words or len(set(host.split(","))) > 1:
        return error
    if _is_local_path(host):
        places = strangers.at(f"{host}/.s.PGSQL.{port}")
    else:
        places = strangers.at(*((address, port) for address in str(known["hostaddr"]).split(",")))
    return strangers.stranger(strangers.POSTGRESQL, target, places) or error


def describe(settings: Settings) -> str:
    """Return where to, for people."""
    host, port = settings.text("host") or "localhost", settings.text("port") or DEFAULT_PORT
    place = f"{host} (port {port})" if _is_local_path(host) else f"{host}:{port}"
    return f"PostgreSQL at {place}, database {settings.text('database')!r}, user {settings.text('user')!r}"


def _parameters(settings: Settings) -> dict[str, Any]:
    host = settings.text("host") or "localhost"
    trust = expected_trust(host, settings)
    known: dict[str, Any] = {
        "host": host,
        "port": settings.text("port") or str(DEFAULT_PORT),
        "dbname": settings.text("database"),
        "user": settings.text("user"),
        "password": settings.secrets.get("password"),
        "sslpassword": settings.secrets.get("sslpassword"),
        "sslmode": settings.text("sslmode") or default_sslmode(host, settings.config),
        "require_auth": None if may_send_password(trust, settings) else _BUT_CLEAR_TEXT,
        "connect_timeout": _whole_seconds(settings.connect_timeout_s),
        "application_name": settings.application,
        "client_encoding": "UTF8",
        **{name: settings.text(name) for name in _PASSED_ON},
        **{name: str(value) for name, value in KEEPALIVES.items()},
    }
    return {name: value for name, value in known.items() if value is not None}


def _whole_seconds(limit_s: float) -> str:
    """Return a time limit as libpq takes it: whole seconds, and no less than two."""
    return str(max(2, round(limit_s)))


def default_sslmode(host: str, config: Mapping[str, Any]) -> str:
    """Return the encryption where the connection names none: strict where it leaves this machine (REQUIREMENTS C-18)."""
    if config.get("sslrootcert"):
        return "verify-full"
    return "prefer" if all(_is_loopback(part) for part in host.split(",")) else "require"


def expected_trust(host: str, settings: Settings) -> Trust:
    """Return what signing in at `host` proves of its server, as far as it can be said before."""
    if all(_is_local_path(part) for part in host.split(",")):
        return Trust.LOCAL
    mode = settings.text("sslmode") or default_sslmode(host, settings.config)
    # With an authority, libpq checks it under `require` too.
    if mode in _PROVING or (mode == "require" and settings.text("sslrootcert")):
        return Trust.VERIFIED
    return Trust.PLAIN if mode == "disable" else Trust.UNVERIFIED


def trust_of(connection: psycopg.Connection[Any], settings: Settings) -> Trust:
    """Return what a link that stands proves of its server."""
    host = connection.info.host
    if _is_local_path(host):
        return Trust.LOCAL
    if not connection.pgconn.ssl_in_use:
        return Trust.PLAIN
    # A server that knows the password's verifier has signed for this very TLS link: nobody stands between.
    bound = settings.text("channel_binding") == "require"
    return Trust.VERIFIED if bound else expected_trust(host, settings)


def _is_loopback(host: str) -> bool:
    if _is_local_path(host) or host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_local_path(host: str) -> bool:
    return host.startswith(("/", "@"))


def _resolve(host: str, port: int, timeout_s: float, target: str) -> str:
    """Return the host's addresses, separated by commas; the resolver has no deadline of its own, so it gets a thread."""
    answer: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as exc:
            answer.put(exc)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answer.get(timeout=timeout_s)
    except queue.Empty:
        found = TimeoutError(f"no answer within {timeout_s:g} s")
    if isinstance(found, list):
        return ",".join(found)
    why = getattr(found, "strerror", None) or found
    raise ConnectError(
        f"Could not connect to {target}: the name {host!r} could not be resolved ({why}).",
        hint=hint_for("unknown_host"),
        detail="stage=name",
        scenario="unknown_host",
    )


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Let the server notice a dead client during long statements. Nothing else of the session is touched."""
    if connection.info.server_version >= 140000:
        try:
            connection.execute(f"SET client_connection_check_interval = {CHECK_INTERVAL_MS}")
        except psycopg.Error:  # not every platform's poll can tell; the server says so, and does without
            return
