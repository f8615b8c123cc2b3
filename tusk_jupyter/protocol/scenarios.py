"""The situations users meet again and again, each with its hint: one table for all drivers and the core.

A driver classifies by the database's own code (SQLSTATE, errno, exception class), names the scenario, and the hint comes from
here unless the server gave a better one. The first 21 are Tusk's documented scenarios (REQUIREMENTS section 2).
"""

from __future__ import annotations

SESSION_ENDED = "The next run opens a new session. If something was left in this one, one run is refused before that, with what is gone."
"""What follows an error by which a session ended. What went with it is for that refusal to say (ARCHITECTURE.md, invariant 12)."""

HINTS: dict[str, str] = {
    "bad_password": "Check the user name and give the password again: `%tusk credentials set NAME`.",
    "unknown_host": "Check the host's spelling, and that this machine can resolve it (VPN, DNS).",
    "refused": "Check that the server is running and listens at this host and port.",
    "connect_timeout": "Check host and port, and whether a firewall or VPN is in the way; `connect_timeout_s` sets how long to wait.",
    "no_such_database": "Check the database's name, or create it; `%tusk connections` shows what is configured.",
    "ssl_required": "The server accepts only encrypted connections: set `sslmode=require` (or stricter) on the connection.",
    "bad_certificate": "The server's certificate does not match: name its authority with `sslrootcert=FILE`, or check the host name.",
    "syntax": "Look at the marked place; the mistake is there or just before it.",
    "undefined_table": "Check the table's name and schema.",
    "table_exists": "Take another name, or `DROP` what has this one; `CREATE ... IF NOT EXISTS` leaves it as it is.",
    "undefined_column": "Check the column's name; text values go in single quotes.",
    "permission": "The signed-in user lacks this right: ask for a GRANT, or use a connection with another user.",
    "cancelled_by_user": "The run was stopped; the session and its temp tables are still there.",
    "core_stopped": f"What it had not committed is rolled back; its session has ended with the core, which starts by itself. {SESSION_ENDED}",
    "cancelled_on_server": "It was not stopped from here, but on the server (`pg_cancel_backend`, `KILL QUERY`, a limit of the server's own); the session and its temp tables are still there.",
    "cancelled_by_admin": f"The server's administrator ended the session. {SESSION_ENDED}",
    "session_busy": "Another run of this notebook uses the session: wait for it, or stop it with `%tusk cancel`.",
    "link_lost": "The link to the database broke. Nothing was repeated automatically: check what was done, then run the cell again.",
    "keyring_denied": "Unlock the keyring and run the cell again, or choose another store: `--tier vault` or `--tier memory`.",
    "keyring_absent": "There is no OS keyring here. Set TUSK_MASTER_KEY for the sealed vault, or accept `--tier memory`.",
    "shutdown": "The server is starting up or going down; try again in a moment.",
    "too_many_connections": "The server takes no more connections: close some (`%tusk running`, other notebooks), or ask its administrator.",
    "no_connection": "Add a connection with `%tusk connect NAME URL`, or choose one with `%tusk use NAME`.",
    "zero_rows": "The statement ran and matched no rows.",
    # Beyond Tusk's list.
    "unverified_server": "Name the authority that signed the server's certificate (`sslrootcert=FILE`, or `system` for a public one), or use its Unix socket. `allow_cleartext_password=true` on the connection sends the password to whoever answers.",
    "hung_up": "A wrong port, a proxy or tunnel that reaches nothing behind it, a server that wants TLS from the first byte or does not want this address, or one that is starting or shutting down: check host and port; the log of whoever listens there says why it closed.",
    "other_server": "Check host and port: PostgreSQL usually listens at 5432, MySQL and MariaDB at 3306.",
    "outcome_unknown": f"Look at the data before you run it again. {SESSION_ENDED}",
    "session_lost": "Run it again, in a new session; first recreate what it needs, such as temp tables and settings.",
    "read_only": "The connection or the run is read-only; if you mean to make the change, use one that may write.",
    "file_locked": "Close the program that holds the file, then run the cell again.",
    "file_gone": "Run the cell again for a session on the file that is there now.",
    "no_such_file": "Check the path; it is read relative to the notebook's folder.",
    "statement_timeout": "Allow more with `--timeout SECONDS`, or make the statement cheaper.",
    "memory_limit": "The driver hit its memory cap: select less, or raise `memory_limit_mb` on the connection.",
    "missing_dependency": "Install what the driver needs, then run the cell again.",
    "transaction_failed": "The open transaction is aborted: `ROLLBACK` undoes all of it, `ROLLBACK TO` a savepoint (if it has one) what came after that.",
    "not_committed": "Run the transaction again from its beginning, without the statement that failed.",
    "constraint": "The data breaks a rule of the table (key, NOT NULL, CHECK, foreign key).",
    "disk_full": "There is no room left where the database writes.",
    "deadlock": "Two transactions waited for each other and this one was given up: run it again, with all that was in its transaction.",
    "lock_timeout": "Another transaction holds a lock: end it, or try again.",
}

OUTCOME_UNKNOWN = "outcome_unknown"
"""A run was asked to stop, and nobody said that it did."""

CORE_STOPPED = "core_stopped"
"""The core ended while a run was under way, and its session with it; not a client's wish."""

UNDEFINED_TABLE = "undefined_table"
TABLE_EXISTS = "table_exists"
"""Uploads give a hint of their own: how to make the table, or how to add to it."""

RECEIVED_LATE = "received_late"
"""The core heard of a call so late that its caller may have given it up, and did nothing; a caller that still waits asks again."""

NO_SUCH_NAME = "no_such_name"
NAME_TAKEN = "name_taken"
"""The core's own two, for REST's 404 and 409; their hints stand where they are raised, with the names that there are."""


FILE_GONE = "file_gone"
"""The file of a session was deleted, moved or replaced: its error refuses the run and reports the session's end with what was in
it, so no further refusal follows."""

BY_LOCK = frozenset({"lock_timeout", "deadlock", "statement_timeout"})
"""Errors of statements that may have waited for a lock: the core adds whose it was, where it knows."""

_OF_A_CONNECTION = "`%tusk credentials set NAME`"
BEGIN_ANEW = "%tusk connect NAME "
"""How the hint of a file that has gone begins its command."""


def hint_about(hint: str | None, connection: str | None) -> str | None:
    """Return a hint with the connection's name where it says NAME; without that advice for one that is not stored yet (None)."""
    if hint is None:
        return None
    if connection is None:
        return hint.replace(f": {_OF_A_CONNECTION}", "")
    for advice in (_OF_A_CONNECTION, BEGIN_ANEW):
        hint = hint.replace(advice, advice.replace("NAME", connection))
    return hint


def hint_for(scenario: str | None) -> str | None:
    """Return the hint of a scenario, or None where there is none."""
    return HINTS.get(scenario) if scenario else None


def with_abort(hint: str | None) -> str:
    """Return the hint of an error behind which the open transaction is aborted, with that."""
    abort = HINTS["transaction_failed"]
    return hint if hint and abort in hint else f"{hint or ''} {abort}".strip()


LEAST_CAP_MB = 384
"""The smallest cap with which all our drivers work, and so the smallest that the preference takes. A connection may have less
where its own driver's manifest allows that."""

SCARCE_MB = 32
"""With less left under its cap, a driver's process runs few statements."""


def memory_hint(cap_mb: int | None) -> str:
    """Return what to do when a driver's process has hit its memory cap of so many MB, or the machine's end (None)."""
    less = "Select less: fewer rows to sort or to gather in one value, fewer or shorter columns"
    if cap_mb is None:
        return f"The machine has no more memory. {less}."
    return (
        f"The driver's process may use {cap_mb} MB (`memory_limit_mb`). {less}; or raise the cap, for all connections with "
        f"`%tusk set memory_limit_mb {max(2 * cap_mb, LEAST_CAP_MB)}`, for one with `--memory MB` at `%tusk connect`."
    )


def with_lost_memory(hint: str | None, left_mb: int | None) -> str | None:
    """Add to the hint of an error for memory that nearly none is left, if that is so.

    Seen: jemalloc, DuckDB's allocator, gets 256 MB from the system, has no room for its note of them, and never returns them.
    """
    if left_mb is None or left_mb >= SCARCE_MB:
        return hint
    lost = (
        f"Only {max(left_mb, 0)} MB of the cap are left for the next statement, as a library keeps the rest: `%tusk disconnect` "
        "ends the process where no other notebook uses it, and with it this session's temp tables and settings."
    )
    return f"{hint} {lost}" if hint else lost
