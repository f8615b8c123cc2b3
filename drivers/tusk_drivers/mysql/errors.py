"""Server errors to ours: one table from errno to class and scenario.

MySQL's and MariaDB's own numbers decide, never their words: the words depend on `lc_messages`. Words are read in one
place only, to find where in the text the mistake is.
"""

from __future__ import annotations

import re

import pymysql

from tusk_jupyter.driverkit.gone import ITS_OWN_COMMITS, NOT_KNOWN
from tusk_jupyter.errors import Cancelled, ConnectError, ProtocolError, QueryError, TimeoutExceeded, TuskError
from tusk_jupyter.protocol.scenarios import SESSION_ENDED, hint_for
from tusk_jupyter.sqltext.commits import may_commit_itself
from tusk_jupyter.sqltext.names import place_of_name

SCENARIOS: dict[int, str] = {
    1045: "bad_password", 1698: "bad_password", 1251: "bad_password",
    1049: "no_such_database",
    1040: "too_many_connections", 1203: "too_many_connections", 1226: "too_many_connections",
    1130: "permission", 1044: "permission", 1142: "permission", 1143: "permission", 1227: "permission",
    1370: "permission", 1410: "permission", 1820: "permission",
    3159: "ssl_required",
    1064: "syntax", 1149: "syntax", 1065: "syntax", 1295: "syntax",
    1146: "undefined_table", 1051: "undefined_table", 1109: "undefined_table", 1347: "undefined_table",
    1050: "table_exists",
    1054: "undefined_column", 1091: "undefined_column",
    1290: "read_only", 1792: "read_only", 1836: "read_only", 1223: "read_only",
    1062: "constraint", 1048: "constraint", 1216: "constraint", 1217: "constraint", 1451: "constraint",
    1452: "constraint", 1586: "constraint", 3819: "constraint", 4025: "constraint", 1364: "constraint",
    1205: "lock_timeout", 3572: "lock_timeout",
    1213: "deadlock",
    1021: "disk_full", 1114: "disk_full", 3: "disk_full",
    1053: "shutdown", 1077: "shutdown",
}  # fmt: skip
"""What each errno means to the user; one that is missing here shows the server's own message alone."""

_OF_SIGN_IN = frozenset({"bad_password", "too_many_connections", "ssl_required", "shutdown"})
"""What a statement's error never is while its session lives: SIGNAL, or a table on another server, may raise such a number."""

INTERRUPTED = frozenset({1317})
TIMED_OUT = frozenset({1969, 3024, 1907})
LOST = frozenset({0, 2006, 2013, 2055})
"""PyMySQL's own words for a link that broke."""
ENDS = {1053: "shutdown", 1077: "shutdown", 1317: "cancelled_by_admin", 1927: "cancelled_by_admin"}
"""Scenarios of the errors with which a server ends a session; the others are told as lost links. Any statement may raise such
a number by SIGNAL: what decides is whether the link stands afterwards."""
UNSAFE_PLUGIN = 2061
"""CR_AUTH_PLUGIN_ERR: the server wants the password in a way that is not safe here."""
UNPREPARABLE = frozenset({1295, 1461, 1210})
"""The statement is not for the prepared protocol (ER_UNSUPPORTED_PS), or the server has no room for one more."""

LOCAL_FILES = frozenset({1148, 3948, 4166})
_NO_LOCAL_FILES = "The driver never hands files to a server: read the file into a frame and write it with `--persist`."

_NEAR = re.compile(r"near '(.*)' at line (\d+)\Z", re.DOTALL)
_NEAR_BYTES = 80
"""The server quotes the rest of the text from the mistake on, cut after so many bytes."""
_QUOTED = re.compile(r"['`]([^'`]+)['`]")


def link_lost(cause: BaseException | str | None) -> ConnectError:
    """Return the error for a link that broke in the middle of something."""
    why = cause if cause else "the server closed it, and gave no reason"
    return ConnectError(
        f"The link to the server was lost ({why}). {NOT_KNOWN}",
        hint=hint_for("link_lost"),
        scenario="link_lost",
    )


def session_ended(errno: int, message: str, statement: str) -> ConnectError:
    """Return the error for a session that the server ended while a statement ran in it."""
    scenario = ENDS.get(errno, "link_lost")
    fate = (
        "The statement had not been completed; what it changed in transactional tables, and all of its transaction, is "
        "rolled back."
    )
    if may_commit_itself(statement, "mysql"):
        fate = NOT_KNOWN if statement.lstrip()[:6].upper() == "COMMIT" else ITS_OWN_COMMITS
    return ConnectError(
        f"The server ended the session: {message.rstrip('.')}. {fate}",
        hint=hint_for("shutdown") if scenario == "shutdown" else SESSION_ENDED,
        code=str(errno),
        scenario=scenario,
    )


def no_file() -> ProtocolError:
    """Return the error for a server that answers a statement with LOAD DATA LOCAL's request; a rogue one may do so any time."""
    return ProtocolError("The server asked for a file of this machine (LOAD DATA LOCAL); it does not get one.")


def from_server(exc: pymysql.MySQLError, *, sql: str = "", statement: str = "", ended: bool = False) -> TuskError:
    """Return our error for one of PyMySQL's.

    Args:
        exc: what PyMySQL raised; its first argument is the errno.
        sql: the text that was sent, to find the position in.
        statement: the user's that was under way, if one was.
        ended: whether the link is closed behind the error.
    """
    errno, message = numbered(exc)
    if errno in LOST and not sqlstate(exc):
        return link_lost(message)
    if ended and sqlstate(exc):
        return session_ended(errno, message, statement)
    if errno in INTERRUPTED:
        hint = hint_for("cancelled_on_server")
        return Cancelled(
            f"The server stopped the statement: {message}.", hint=hint, code=str(errno), scenario="cancelled_on_server"
        )
    if errno in TIMED_OUT:
        hint = hint_for("statement_timeout")
        return TimeoutExceeded(
            f"The server stopped the statement: {message}.", hint=hint, code=str(errno), scenario="statement_timeout"
        )
    scenario = None if SCENARIOS.get(errno) in _OF_SIGN_IN else SCENARIOS.get(errno)
    return QueryError(
        message,
        hint=_NO_LOCAL_FILES if errno in LOCAL_FILES else _hint(scenario),
        detail=_detail(exc),
        position=position(errno, message, sql),
        code=str(errno),
        scenario=scenario,
    )


def _hint(scenario: str | None) -> str | None:
    """Return the hint of a scenario; whether a table's name is compared by case is the server's choice here."""
    hint = hint_for(scenario)
    return (
        f"{hint} Its case may matter; names with unusual characters go in backticks."
        if scenario == "undefined_table"
        else hint
    )


def cancelled(errno: int | None = None) -> Cancelled:
    """Return the error of a statement that the server says it has stopped, or (None) whose rows we have given up."""
    return Cancelled(
        "The statement was stopped." if errno else "The run was cancelled; the rest of its rows was not fetched.",
        hint=hint_for("cancelled_by_user"),
        code=str(errno) if errno else None,
        scenario="cancelled_by_user",
    )


def numbered(exc: BaseException) -> tuple[int, str]:
    """Return a PyMySQL error's errno and message; 0 where it has none."""
    match exc.args:
        case (int() as errno, message, *_):
            return errno, str(message)
        case _:
            return 0, str(exc)


def sqlstate(exc: BaseException) -> str | None:
    """Return the SQLSTATE that came with an error packet, or None."""
    found = getattr(exc, "sqlstate", None)
    return str(found) if found else None


def from_packet(payload: bytes) -> pymysql.MySQLError:
    """Return PyMySQL's error for an error packet."""
    try:
        pymysql.err.raise_mysql_exception(payload)
    except pymysql.MySQLError as exc:
        return exc


def position(errno: int, message: str, sql: str) -> int | None:
    """Return where in `sql` the mistake is, in characters, or None where the message does not tell."""
    if not sql:
        return None
    if SCENARIOS.get(errno) == "syntax":
        return _position_of_rest(message, sql)
    if errno in (1146, 1051, 1109, 1054, 1305):
        name = _QUOTED.search(message)
        # The server adds the database to a table's name.
        return place_of_name(sql, name[1], "mysql") if name else None
    return None


def _position_of_rest(message: str, sql: str) -> int | None:
    near = _NEAR.search(message)
    if near is None:
        return None
    rest, line = near[1], int(near[2])
    end = len(sql.rstrip())
    if not rest:
        return max(end - 1, 0)
    if len(rest.encode()) >= _NEAR_BYTES:
        rest = rest.removesuffix("...")  # MariaDB's mark of the cut
    elif sql.rstrip().endswith(rest.rstrip()):
        return end - len(rest.rstrip())
    start = sum(len(text) + 1 for text in sql.split("\n")[: line - 1])
    found = sql.find(rest, start)
    return found if found >= 0 else None


def _detail(exc: BaseException) -> str | None:
    state = sqlstate(exc)
    return f"SQLSTATE {state}" if state else None
