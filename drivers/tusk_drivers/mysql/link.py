"""The one place that knows PyMySQL's insides: a signed-in connection as the rest of the driver sees it.

PyMySQL has no public way to send a command and leave its answer to somebody else, so a few names with an underscore
are used here and nowhere else; `tests/drivers_mysql` would fail with a release that changed them.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import COMMAND, SERVER_STATUS

from tusk_drivers.mysql.errors import from_packet, numbered
from tusk_drivers.mysql.packets import PacketReader

if TYPE_CHECKING:
    import socket

COM_RESET_CONNECTION = 0x1F
_FAREWELL_BYTES = 4096


class Link:
    """A connection. Its methods raise `pymysql.MySQLError`, which `errors.from_server` translates."""

    def __init__(self, raw: Any) -> None:  # noqa: ANN401 - PyMySQL's stubs leave out most attributes
        """Take a signed-in `pymysql.connections.Connection` and let its socket wait without limit."""
        self._raw = raw
        self.farewell: str | None = None
        """The server's reason for ending the session while it was idle."""
        raw._read_timeout = raw._write_timeout = raw._current_timeout = None
        raw._sock.settimeout(None)

    @property
    def socket(self) -> socket.socket | None:
        """The socket, or None once the link is closed."""
        found: socket.socket | None = self._raw._sock
        return found

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it; says nothing of the server's side."""
        return bool(self._raw.open)

    @property
    def number(self) -> int:
        """The server's connection id."""
        return int(self._raw.thread_id())

    @property
    def version(self) -> str:
        """What the server called itself in its greeting."""
        return str(self._raw.server_version)

    @property
    def trust(self) -> str:
        """How far the server is known."""
        return str(self._raw.trust)

    @property
    def encoding(self) -> str:
        """Python's name of the session's character set."""
        return str(self._raw.encoding)

    @property
    def status(self) -> int:
        """The server's status flags as of the last answer."""
        return int(self._raw.server_status)

    @status.setter
    def status(self, flags: int) -> None:
        self._raw.server_status = flags

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, as of the last answer."""
        return bool(self.status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    # --- with the answer left to the caller ---

    def send(self, command: int, body: str | bytes) -> None:
        """Send a command; its answer is to be read from `reader()`."""
        self._raw._execute_command(command, body)

    def send_query(self, sql: str) -> None:
        """Send a statement; its answer is to be read from `reader()`."""
        self.send(COMMAND.COM_QUERY, sql)

    def reader(self) -> PacketReader:
        """Return a reader of the socket; PyMySQL has read nothing ahead, for the server speaks only when asked."""
        return PacketReader(self._raw._sock)

    # --- whole exchanges ---

    def query(self, sql: str) -> int:
        """Run a statement of the driver's own; return its number of warnings."""
        self._raw.query(sql)
        return int(self._raw._result.warning_count)

    def ask(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """Run a query of the driver's own; `%s` stands for a value."""
        with self._raw.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def warnings(self) -> list[tuple[str, int, str]]:
        """Return level, code and text of the last statement's warnings, as far as the server keeps them (64)."""
        return [(str(level), int(code), str(text)) for level, code, text in self._raw.show_warnings()]

    @property
    def max_packet(self) -> int:
        """The largest packet in bytes that the server takes."""
        return int(self.ask("SELECT @@max_allowed_packet")[0][0])

    def answers(self) -> bool:
        """Ask for a sign of life; a link without one is closed."""
        try:
            if self.is_open:
                self.ping()
        except pymysql.MySQLError:
            self.break_off()
        return self.is_open

    def listen(self) -> bool:
        """Take in what an idle server says unasked, and return whether the link stands.

        It is a reason and the end, or, inside TLS, no more than a new session ticket.
        """
        sock = self._raw._sock
        sock.settimeout(0)
        try:
            said = sock.recv(_FAREWELL_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            sock.settimeout(None)
            return True
        except OSError:
            said = b""
        if said[4:5] == b"\xff":
            self.farewell = numbered(from_packet(said[4:]))[1]
        self.break_off()
        return False

    def ping(self) -> None:
        """Ask for a sign of life, which brings new status flags."""
        self._raw.ping()

    def escape(self, value: object) -> str:
        """Return a value as an SQL literal for the session's character set and sql_mode."""
        return str(self._raw.escape(value))

    def reset(self, *, database: str | None) -> None:
        """Let the server reset the session, and set again what signing in had set."""
        self.send(COM_RESET_CONNECTION, b"")
        self._raw._read_ok_packet()
        self._raw.set_character_set(self._raw.charset)
        self._raw.autocommit(True)
        if database:
            self._raw.select_db(database)

    def wait_at_most(self, seconds: float) -> None:
        """Let whole exchanges fail when the server is silent for so long."""
        self._raw._read_timeout = self._raw._write_timeout = seconds

    # --- the end ---

    def close(self) -> None:
        """Say goodbye and close the socket; idempotent."""
        with suppress(pymysql.err.Error):
            self._raw.close()

    def break_off(self) -> None:
        """Close the socket without a word; idempotent."""
        self._raw._force_close()
