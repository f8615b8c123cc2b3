"""From SQLSTATE and libpq's connect failures to the exception tree and the known scenarios."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from psycopg.pq import DiagnosticField

from tusk_drivers.postgresql.attempts import told
from tusk_jupyter.driverkit.gone import ITS_OWN_COMMITS, NOT_KNOWN, ROLLED_BACK
from tusk_jupyter.driverkit.trust import unverified
from tusk_jupyter.errors import Cancelled, ConnectError, QueryError, TimeoutExceeded, TuskError
from tusk_jupyter.protocol.scenarios import SESSION_ENDED, hint_for
from tusk_jupyter.sqltext.commits import may_commit_itself

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

_SCENARIOS: dict[str, tuple[type[TuskError], str | None]] = {
    "25006": (QueryError, "read_only"),
    "25P02": (QueryError, "transaction_failed"),
    "40P01": (QueryError, "deadlock"),
    "42501": (QueryError, "permission"),
    "42601": (QueryError, "syntax"),
    "42703": (QueryError, "undefined_column"),
    "42P01": (QueryError, "undefined_table"),
    "42P07": (QueryError, "table_exists"),
    "3F000": (QueryError, "undefined_table"),
    "53100": (QueryError, "disk_full"),
    "55P03": (QueryError, "lock_timeout"),
}
"""Of errors in a statement. A function may raise any code it likes, 28P01 too: while the session lives, it is an error of the
statement."""
_CLASSES = {"23": (QueryError, "constraint")}
_ENDS = {"57P01": "cancelled_by_admin", "57P02": "shutdown", "57P03": "shutdown"}
"""Reasons for which the server ends a session, with their scenarios; the others are told as lost links."""
WARNED = ("57P01", "57P02")
"""Codes of warnings behind which a server that goes down at once, or starts anew after a crash, closes the link."""
COMMITTED_HERE = "The transaction is committed on this server, though it may not have reached its standby."
_WAITS_FOR_STANDBY = "SyncRepWaitForLSN"
"""The function of the server that waits, behind the commit, for a synchronous standby; its words depend on `lc_messages`."""
ENDING = ("FATAL", "PANIC")
"""Severities behind which the server closes the link; no statement can raise them."""

_NO_MEMORY = re.compile(r"out of memory|(cannot|could not|failed to) allocate memory", re.IGNORECASE)
"""How libpq's own messages for a failed allocation begin; those of a server have a code."""
_WHAT_FAILED = re.compile(r"^[a-z][a-z ]* failed: ")
"""What psycopg puts before them: `receiving copy data failed: `, `sending query failed: ` and others."""
CANCELLED = "57014"

_CONNECT: tuple[tuple[str, str | None, str], ...] = (
    (r"authentication method requirement \"!password\" failed", "unverified_server", "sign-in"),
    # libpq's own words are English in psycopg's build; the server's follow lc_messages, so their codes are not at hand here.
    (r"password authentication failed|no password supplied|authentication failed|role \"[^\"]*\" does not exist|"
     r"no encryption.*no PostgreSQL user", "bad_password", "sign-in"),
    (r"too many (clients|connections)|remaining connection slots", "too_many_connections", "sign-in"),
    (r"no pg_hba\.conf entry.*(no encryption|SSL off)", "ssl_required", "tls"),
    (r"no pg_hba\.conf entry|is not permitted to log in", "permission", "sign-in"),
    (r"permission denied for database", "permission", "database"),
    (r"database \"[^\"]*\" does not exist|database .* is not currently accepting", "no_such_database", "database"),
    (r"is starting up|is shutting down|not yet accepting connections|recovery", "shutdown", "sign-in"),
    (r"certificate|SSL error|tlsv1|root\.crt", "bad_certificate", "tls"),
    (r"server does not support SSL", None, "tls"),
    (r"could not translate host name|Name or service not known|nodename nor servname", "unknown_host", "name"),
    (r"[Cc]onnection refused|No such file or directory|not accepting", "refused", "tcp"),
    (r"timeout expired|timed out", "connect_timeout", "tcp"),
    (r"No route to host|unreachable", "connect_timeout", "tcp"),
)  # fmt: skip


def query_error(
    result: PGresult, *, by_user: bool = False, place: Callable[[int], int | None] | None = None, sql: str = ""
) -> TuskError | MemoryError:
    """Return the error of a failed result.

    Args:
        result: the failed one.
        by_user: whether we asked for the cancel that ended it.
        place: maps the server's 0-based character position to the statement's text.
        sql: the statement that was under way.
    """
    code = _field(result, DiagnosticField.SQLSTATE)
    message = _field(result, DiagnosticField.MESSAGE_PRIMARY) or result.get_error_message().strip()
    if code is None:
        return link_lost(message, by_user=by_user)
    if is_ending(result):
        fate = ITS_OWN_COMMITS if may_commit_itself(sql, "postgresql") else ROLLED_BACK
        return session_ended(message, code, fate, detail=_detail(result))
    position = _field(result, DiagnosticField.STATEMENT_POSITION)
    at = int(position) - 1 if position else None
    kind, scenario = _classify(code, message, by_user=by_user)
    return kind(
        message[:1].upper() + message[1:] + ("" if message.endswith((".", "?", "!")) else "."),
        hint=_field(result, DiagnosticField.MESSAGE_HINT) or _hint(scenario),
        detail=_detail(result),
        position=at if at is None or place is None else place(at),
        code=code,
        scenario=scenario,
    )


def is_ending(result: PGresult) -> bool:
    """Return whether the server ends the session with this error."""
    severity = _field(result, DiagnosticField.SEVERITY_NONLOCALIZED) or _field(result, DiagnosticField.SEVERITY)
    return severity in ENDING


class Warned(NamedTuple):
    """A warning that the server ends the session; what psycopg tells of it is gone with the notice."""

    message: str
    code: str
    detail: str | None
    function: str | None
    """Of the server, where it comes from."""


def warned_ending(warning: Warned) -> ConnectError:
    """Return the error for a session whose link closed behind a warning that the server ends it, without a last error.

    A server that is stopped at once, or crashed, may have committed just before. One that waited for its standby has.
    """
    committed = warning.function == _WAITS_FOR_STANDBY
    fate = COMMITTED_HERE if committed else NOT_KNOWN
    return session_ended(warning.message, warning.code, fate, detail=warning.detail)


def session_ended(message: str, code: str, fate: str, *, detail: str | None = None) -> ConnectError:
    """Return the error for a session that the server ended while a statement ran in it, with what became of that."""
    scenario = _ENDS.get(code, "link_lost")
    return ConnectError(
        f"The server ended the session: {message.rstrip('.')}. {fate}",
        hint=SESSION_ENDED if scenario != "shutdown" else hint_for(scenario),
        detail=detail,
        code=code,
        scenario=scenario,
    )


def _classify(code: str, message: str, *, by_user: bool) -> tuple[type[TuskError], str | None]:
    if code == CANCELLED:
        # One code for a user's cancel and for statement_timeout; only the words differ, and we know of our own cancels.
        if by_user:
            return Cancelled, "cancelled_by_user"
        return (TimeoutExceeded, "statement_timeout") if "timeout" in message else (Cancelled, "cancelled_on_server")
    return _SCENARIOS.get(code) or _CLASSES.get(code[:2]) or (QueryError, None)


def _detail(result: PGresult) -> str | None:
    parts = [_field(result, DiagnosticField.MESSAGE_DETAIL), _field(result, DiagnosticField.CONTEXT)]
    return "\n".join(part for part in parts if part) or None


def _hint(scenario: str | None) -> str | None:
    """Return the hint of a scenario; names without quotes are folded to lower case here, which few expect."""
    hint = hint_for(scenario)
    return f"{hint} Names in double quotes keep their case." if scenario == "undefined_table" else hint


def _field(result: PGresult, which: DiagnosticField) -> str | None:
    value = result.error_field(which)
    return value.decode("utf-8", "replace") if value else None


def link_lost(message: str, *, by_user: bool = False) -> TuskError | MemoryError:
    """Return the error for a link that broke in the middle; a MemoryError where libpq was refused memory."""
    said = _plain(message)
    if _NO_MEMORY.match(said):
        return MemoryError(f"libpq: {said}")
    if by_user:
        return Cancelled("The run was stopped, and the link to the server with it.", scenario="cancelled_by_user")
    return ConnectError(
        f"The link to the server was lost ({said}). {NOT_KNOWN}",
        hint=hint_for("link_lost"),
        scenario="link_lost",
    )


def _plain(message: str) -> str:
    """Return libpq's words without its guess of what may have happened to the server."""
    said = " ".join(message.split()).partition(" This probably means")[0]
    said = _WHAT_FAILED.sub("", said)
    return "the server closed it, and gave no reason" if said.startswith("server closed the connection") else said


def connect_error(words: str, *, target: str) -> ConnectError:
    """Return the error for a failed sign-in.

    Args:
        words: what libpq or the server said.
        target: where to, for people.
    """
    said = " ".join(words.split())
    found = (rest for pattern, *rest in _CONNECT if re.search(pattern, said, re.IGNORECASE))
    scenario, stage = next(found, (None, "sign-in"))
    if scenario == "unverified_server":
        return unverified(target, None, "authentication in clear text")
    hint = hint_for(scenario)
    if stage == "tls" and scenario is None:
        hint = (
            "Switch TLS on at the server (`ssl = on`). `sslmode=prefer` on the connection connects without it: anybody on "
            "the way can then read and change the traffic."
        )
    return ConnectError(
        f"Could not connect to {target}: {told(words)}", hint=hint, detail=f"stage={stage}", scenario=scenario
    )
