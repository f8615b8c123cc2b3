"""Read-only, where the server's own read-only transaction leaves a hole.

The server refuses writes itself, for `SET SESSION TRANSACTION READ ONLY` is said again before each statement. Three
things it lets through: a statement that switches the mode for itself (a procedure's body, `SET STATEMENT`, `START
TRANSACTION READ WRITE`), files written by SELECT ... INTO OUTFILE, and what is no transaction's business (SET GLOBAL,
KILL, FLUSH). So only kinds of statement that read are let in, and their words are looked through. Words in strings,
names and comments count too: where a string ends depends on sql_mode, and a guard that is wrong about it lets a write
through.
"""

from __future__ import annotations

import re

from pymysql.constants import SERVER_STATUS

from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.statements import Statement

KINDS = frozenset({
    "SELECT", "WITH", "TABLE", "VALUES", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "HELP", "USE", "DO",
    "CHECKSUM", "SET", "START", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE",
})  # fmt: skip
"""First words of statements that a read-only session takes; the server still judges what follows them."""

WORDS: dict[str, frozenset[str]] = {
    "SET": frozenset({"GLOBAL", "PERSIST", "PERSIST_ONLY", "STATEMENT", "PASSWORD", "ROLE"}),
    "START": frozenset({"WRITE", "SLAVE", "REPLICA", "ALL", "GROUP_REPLICATION"}),
    "BEGIN": frozenset({"NOT", "ATOMIC"}),
    "ANALYZE": frozenset({"TABLE", "TABLES"}),
}
"""Words that a kind may not hold."""
ALWAYS = frozenset({"OUTFILE", "DUMPFILE"})
"""Words that none may hold."""
_EXECUTABLE_COMMENT = re.compile(r"/\*M?!")
_WORD = re.compile(r"[A-Za-z_]+")
IN_READ_ONLY = 0x2000
"""SERVER_STATUS_IN_TRANS_READONLY; PyMySQL does not name it."""


def check(statement: Statement) -> None:
    """Raise a QueryError when the statement is none that a read-only session takes."""
    kind = statement.command.split(" ")[0]
    if kind not in KINDS:
        raise _refused(f"{kind or 'This statement'} is not taken: the server cannot hold it to reading.")
    if _EXECUTABLE_COMMENT.search(statement.text):
        raise _refused("A comment that the server executes (/*! ... */) is not taken.")
    words = {word.upper() for word in _WORD.findall(statement.text)}
    found = words & (ALWAYS | WORDS.get(kind, frozenset()))
    if found:
        raise _refused(f"{kind} with the word {min(found)} in it is not taken.")


def is_writing_transaction(status: int) -> bool:
    """Return whether the server's status flags tell of a transaction that may write."""
    return bool(status & SERVER_STATUS.SERVER_STATUS_IN_TRANS) and not status & IN_READ_ONLY


def writing_transaction() -> QueryError:
    """Return the error for a transaction that was opened for writing, and has been rolled back."""
    return _refused("A transaction was opened for writing; it was rolled back.")


def no_upload() -> QueryError:
    """Return the error for an upload into a read-only session."""
    return _refused("A table cannot be written through it.")


def _refused(what: str) -> QueryError:
    return QueryError(
        f"The session is read-only. {what}", hint=hint_for("read_only"), code="1792", scenario="read_only"
    )
