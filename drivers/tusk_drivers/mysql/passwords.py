"""Answers to a server that asks for the password itself, rather than for a proof that it is known.

PyMySQL would answer all of them inside any TLS, verified or not, and encrypts with whatever RSA key the server names: a
server that only pretends to be the right one then has the password. Here every such request is decided by `trust`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pymysql.connections
from pymysql import _auth

from tusk_drivers.mysql.errors import UNSAFE_PLUGIN, no_file
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.driverkit.trust import Trust, may_send_password, unverified
from tusk_jupyter.errors import ConnectError

_FAST_OK, _FULL = 3, 4
_SHA2_KEY, _SHA256_KEY = b"\x02", b"\x01"
"""Requests for the server's key."""


_Connection: Any = pymysql.connections.Connection  # its stubs leave out what is needed here


class GuardedConnection(_Connection):  # type: ignore[misc]
    """A connection that gives its password only to whom `trust` allows."""

    settings: Settings
    target: str = ""
    _auth_plugin_name: str

    def _get_server_information(self) -> None:
        super()._get_server_information()
        if self._auth_plugin_name == "sha256_password":
            # PyMySQL would put the password into its first answer; a proof makes the server ask again, by a switch.
            self._auth_plugin_name = "caching_sha2_password"

    def _read_query_result(self, unbuffered: bool = False) -> object:
        try:
            return super()._read_query_result(unbuffered)
        except RuntimeError:  # PyMySQL's way to say that the server asks for a file
            self._force_close()
            raise no_file() from None

    @property
    def trust(self) -> Trust:
        """What the link proves of the server, now."""
        if self.unix_socket:
            return Trust.LOCAL
        if not hasattr(self._sock, "context"):
            return Trust.PLAIN
        return Trust.VERIFIED if proves(self._sock.context, self.settings) else Trust.UNVERIFIED


def proves(context: Any, settings: Settings) -> bool:  # noqa: ANN401 - an SSLContext
    """Return whether TLS in this context lets nobody but the right server answer.

    A check of the authority alone proves it only for an authority of one's own: a public one signs for everybody.
    """
    own = settings.text("sslrootcert") not in (None, "system")
    return bool(context.verify_mode) and (context.check_hostname or own)


class _Plugin:
    """PyMySQL's contract: made with the connection, `authenticate` gets the request and returns what follows the answer."""

    name: ClassVar[str]

    def __init__(self, connection: GuardedConnection) -> None:
        self._connection = connection

    def _refuse(self) -> ConnectError:
        connection = self._connection
        return unverified(connection.target, connection.trust, self.name, code=str(UNSAFE_PLUGIN))

    def _send(self, data: bytes) -> Any:  # noqa: ANN401 - a packet
        self._connection.write_packet(data)
        answer = self._connection._read_packet()
        answer.check_error()
        return answer

    def _send_password(self) -> Any:  # noqa: ANN401
        if self._connection.password and not may_send_password(self._connection.trust, self._connection.settings):
            raise self._refuse()
        return self._send(self._connection.password + b"\0")

    def _send_encrypted(self, key_request: bytes) -> Any:  # noqa: ANN401
        """Send the password for an RSA key: the one that the connection names, or, if that is allowed, the server's own."""
        connection = self._connection
        pinned = connection.settings.text("server_public_key")
        if pinned:
            key = Path(pinned).read_bytes()
        elif may_send_password(connection.trust, connection.settings):
            key = self._send(key_request).get_all_data()[1:]
        else:
            raise self._refuse()
        return self._send(_auth.sha2_rsa_encrypt(connection.password, connection.salt, key))

    def _take_salt(self, packet: Any) -> None:  # noqa: ANN401
        self._connection.salt = packet.read_all().removesuffix(b"\0")


class Clear(_Plugin):
    """`mysql_clear_password`: the password as it is."""

    name = "mysql_clear_password"

    def authenticate(self, _packet: object) -> object:
        """Answer."""
        return self._send_password()


class Dialog(Clear):
    """MariaDB's `dialog` (PAM), whose question is the password."""

    name = "dialog"


class Old(_Plugin):
    """`mysql_old_password`: a hash that its server can undo, spoken by no server that is still cared for."""

    name = "mysql_old_password"

    def authenticate(self, _packet: object) -> object:
        """Refuse."""
        raise self._refuse()


class Sha256(_Plugin):
    """`sha256_password`: the password in TLS, else encrypted for the server's key."""

    name = "sha256_password"

    def authenticate(self, packet: Any) -> object:  # noqa: ANN401
        """Answer."""
        if packet.is_auth_switch_request():
            self._take_salt(packet)
        if not self._connection.password:
            return self._send(b"\0")
        if self._connection.trust is Trust.PLAIN:
            return self._send_encrypted(_SHA256_KEY)
        return self._send_password()


class CachingSha2(_Plugin):
    """`caching_sha2_password`: a proof where the server has the account in its cache, else as `sha256_password`."""

    name = "caching_sha2_password"

    def authenticate(self, packet: Any) -> object:  # noqa: ANN401
        """Answer."""
        connection = self._connection
        if packet.is_auth_switch_request():
            self._take_salt(packet)
            packet = self._send(_auth.scramble_caching_sha2(connection.password, connection.salt))
        if not packet.is_extra_auth_data():
            return packet
        packet.advance(1)
        match packet.read_uint8():
            case 3:  # it knew the proof
                answer = connection._read_packet()
                answer.check_error()
                return answer
            case 4 if connection.trust is Trust.PLAIN:
                return self._send_encrypted(_SHA2_KEY)
            case 4:
                return self._send_password()
            case other:
                raise ValueError(f"caching_sha2_password: unknown answer {other}")


PLUGINS = {plugin.name: plugin for plugin in (Clear, Dialog, Old, Sha256, CachingSha2)}
"""By the names under which servers ask for them."""
