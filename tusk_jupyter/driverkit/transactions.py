"""What drivers report of a transaction that the user did not end: an error aborted it, or it ended with a statement.

An engine ends a transaction by itself in more ways than anybody lists: SQLite when a write is stopped, the disk is full or a
trigger says ROLLBACK, MySQL in a deadlock and by each CREATE, DuckDB when a commit fails. So nothing here asks why: what counts
is that one was open before the statement and none is behind it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Session, Transaction
from tusk_jupyter.protocol.scenarios import hint_for, with_abort
from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.commits import may_commit_itself
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.statements import Statement

_NOT_COMMITTED = "not_committed"
_ENDING = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT", "RELEASE", "PREPARE", "XA"})
"""Statements by which the user ends a transaction: nobody needs to be told."""
_BEGINNING = {"BEGIN": (None, "WORK"), "START": ("TRANSACTION",)}
"""Statements by which MySQL commits the open transaction and begins the next; and what follows their first word."""
_RUNNING_OTHERS = frozenset({"CALL", "EXECUTE", "BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE", ""})
"""Statements of MySQL and MariaDB that run others, a ROLLBACK perhaps."""


def not_committed(command: str, *, chained: bool = False) -> errors.QueryError:
    """Return the error of a COMMIT that the database took as a ROLLBACK, as the transaction was aborted.

    An error and no note: what follows in a script or a notebook counts on what was to be committed.

    Args:
        command: the statement's first word, as END.
        chained: whether the next transaction has begun with it.
    """
    after = " AND CHAIN has begun the next transaction." if chained else ""
    return errors.QueryError(
        f"Nothing was committed: an error before had aborted the transaction, so {command} rolled it back.{after}",
        hint=hint_for(_NOT_COMMITTED),
        scenario=_NOT_COMMITTED,
    )


def ended_by(statement: Statement, dialect: str, before: Transaction, after: Transaction) -> str:
    """Return the note on a statement that went well and ended the open transaction, which its words do not say; else ""."""
    if before is not Transaction.OPEN:
        return ""
    command = statement.command or "The statement"
    word = statement.command.partition(" ")[0]
    if word in _ENDING:
        return ""
    if after is Transaction.OPEN:
        begins = dialect == "mysql" and word in _BEGINNING and _second_word(statement, dialect) in _BEGINNING[word]
        return f"{word} committed the transaction that was open before it." if begins else ""
    if after is not Transaction.IDLE:
        return ""
    if dialect == "mysql" and word not in _RUNNING_OTHERS:
        return f"{command} committed the transaction that was open: no ROLLBACK undoes what was in it."
    return f"The transaction that was open has ended with {command}: look at what of it stands."


def _second_word(statement: Statement, dialect: str) -> str | None:
    words = [word for _, word in Code(statement.text, dialect_named(dialect)).words()]
    return words[1] if len(words) > 1 else None


def tell_transaction(
    exc: BaseException | None, session: Session, before: Transaction, sql: str, *, committed: Sequence[str] = ()
) -> str:
    """Add to the error of a run what became of the session's open transaction, where that has changed.

    Args:
        exc: what ended the run, if anything did.
        session: whose transaction it is.
        before: the transaction before the run's last statement.
        sql: that statement; "" for an upload.
        committed: what statements before it committed without being told to: `ended_by`.

    Returns:
        What was added to the message, or "".
    """
    if not isinstance(exc, errors.TuskError):
        return ""
    with contextlib.suppress(Exception):  # a session that cannot even say is gone, and the error is to be told
        if not session.is_alive():
            return ""
        if session.transaction is Transaction.FAILED:
            exc.hint = with_abort(exc.hint)
        if exc.scenario == _NOT_COMMITTED:  # which says it
            return ""
        ended = before is Transaction.OPEN and session.transaction is Transaction.IDLE
        told = " ".join([*committed, *([_fate(sql, session.dialect)] if ended else [])])
        if told:
            exc.message = f"{exc.message} {told}"
            exc.args = (exc.message, *exc.args[1:])
        return told
    return ""


def _fate(sql: str, dialect: str) -> str:
    """Return what is to be said of a transaction that ended with a failed statement: the next one runs outside of it."""
    if dialect != "sqlite" and may_commit_itself(sql, dialect):  # in SQLite only a COMMIT commits, all of it or nothing
        return "The open transaction has ended with it: look at what of it stands."
    return "All of the open transaction is rolled back; what follows runs outside of it."
