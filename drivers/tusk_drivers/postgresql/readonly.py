"""Read-only, enforced by the server and asserted anew before every statement.

A statement outside a transaction runs inside one of ours that is read-only, has its snapshot taken (after which PostgreSQL
lets nobody switch it to read-write) and is rolled back at its end; so neither `SET`, `DO ... COMMIT` nor a function gets a
write through. A transaction of the user's is switched to read-only before each of its statements. What the server allows in
read-only transactions although it changes something (COPY TO PROGRAM, ALTER SYSTEM, VACUUM, large objects, dblink) is
refused before it is sent.
"""

from __future__ import annotations

import re

from psycopg.pq import TransactionStatus

from tusk_drivers.postgresql.link import Link
from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.statements import Statement

_CONTROL = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "DISCARD"}
_LASTING = {"SET", "RESET", "LISTEN", "UNLISTEN"}
_READS = {
    "SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DECLARE", "FETCH", "MOVE", "CLOSE", "PREPARE", "EXECUTE",
    "DEALLOCATE",
}  # fmt: skip
_REFUSED_BY_SERVER = {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "TRUNCATE", "GRANT", "REVOKE", "COMMENT"}
_ALLOWED = _CONTROL | _LASTING | _READS | _REFUSED_BY_SERVER

_OUTSIDE = (
    "lo_[a-z0-9_]+|lowrite|lo[a-z]*export|pg_file_[a-z]+|dblink[a-z_]*|query_to_xml[a-z_]*|pg_logical_emit_message|"
    "pg_create_[a-z_]+|pg_drop_replication_slot|pg_copy_[a-z_]+_slot|pg_replication_[a-z_]+|pg_switch_wal|pg_reload_conf|"
    "pg_rotate_logfile|pg_promote|pg_wal_replay_[a-z]+|pg_stat_reset[a-z_]*|pg_stat_statements_reset|"
    "pg_cancel_backend|pg_terminate_backend|pg_import_system_collations|pg_backup_[a-z]+|pg_start_backup|pg_stop_backup|"
    "pg_notify|pg_log_backend_memory_contexts|pg_prewarm|gin_clean_pending_list|brin_[a-z_]+"
)
_CALL = re.compile(rf'(?<![a-z0-9_$])"?({_OUTSIDE})"?\s*\(', re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_ESCAPED_NAME = re.compile(r"(?<![a-z0-9_$])U&\"", re.IGNORECASE)

ENDS_LARGE_OBJECT_WRITES = 160000
"""From this version on the server refuses large objects' writes in read-only transactions by itself."""


class ReadOnly:
    """The guard of one statement; does nothing unless `on`."""

    def __init__(self, link: Link, statement: Statement, *, on: bool) -> None:
        """Prepare to guard `statement`."""
        self._link = link
        self._on = on
        self._text = statement.text
        self._command = statement.command.partition(" ")[0].upper()
        self.wrapped = False
        """Whether the transaction now open is one of ours around this statement."""

    def enter(self) -> str:
        """Put the guard up, and return the text to send.

        Raises:
            QueryError: the statement may change something that the server would let it change.
        """
        if not self._on:
            return self._text
        self._refuse()
        if self._command in _CONTROL:
            return self._control()
        if self._link.status == TransactionStatus.IDLE:
            self._link.run("BEGIN READ ONLY; SELECT 1")
            self.wrapped = True
        elif self._link.status == TransactionStatus.INTRANS:
            # SET TRANSACTION ISOLATION LEVEL must come before any query, so a SET gets no snapshot taken before it.
            self._link.run("SET TRANSACTION READ ONLY" + ("" if self._command in _LASTING else "; SELECT 1"))
        return self._text

    def leave(self) -> None:
        """Take the guard down, whatever became of the statement."""
        if self.wrapped and self._link.status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            lasting = self._command in _LASTING and self._link.status == TransactionStatus.INTRANS
            self._link.run("COMMIT" if lasting else "ROLLBACK")
        self.wrapped = False

    def _control(self) -> str:
        if self._command in ("COMMIT", "END") and self._link.pg.server_version < ENDS_LARGE_OBJECT_WRITES:
            return re.sub(r"(?i)\b(commit|end)\b", "ROLLBACK", _COMMENT.sub(" ", self._text), count=1)
        return self._text

    def _refuse(self) -> None:
        text = _COMMENT.sub(" ", self._text)
        if self._command not in _ALLOWED:
            raise _refusal(f"{self._command or 'This statement'} may change something")
        if re.match(r"\s*(prepare\s+transaction|(commit|rollback)\s+prepared)\b", text, re.IGNORECASE):
            raise _refusal("Two-phase commit changes something")
        if _ESCAPED_NAME.search(text):
            raise _refusal('A name written as U&"..." cannot be checked')
        if found := _CALL.search(text):
            raise _refusal(f"The function {found[1].lower()} acts outside the transaction")


def _refusal(why: str) -> QueryError:
    return QueryError(
        f"{why}, and the connection or the run is read-only; nothing was sent.",
        hint=hint_for("read_only"),
        code="25006",
        scenario="read_only",
    )
