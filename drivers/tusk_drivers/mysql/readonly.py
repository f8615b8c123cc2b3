"""Read-only, where the server's own read-only transaction leaves a hole.

The server refuses writes itself, for `SET SESSION TRANSACTION READ ONLY` is said again before each statement. Four
things it lets through: a statement that switches the mode for itself (a procedure's body, `SET STATEMENT`, `START
TRANSACTION READ WRITE`), files written by SELECT ... INTO OUTFILE, shared locks of rows, for which other users'
writes wait, and what is no transaction's business (SET GLOBAL, GET_LOCK, KILL, FLUSH). So only kinds of statement
that read are let in, and their code is looked through; what a stored function or a view does, only the rights of the
signed-in user decide.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from pymysql.constants import SERVER_STATUS

from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.statements import Statement

KINDS = frozenset({
    "SELECT", "WITH", "TABLE", "VALUES", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "HELP", "USE", "DO",
    "CHECKSUM", "SET", "START", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE",
})  # fmt: skip
"""First words of statements that a read-only session takes; the server still judges what follows them."""

_SET_BEYOND = frozenset({"GLOBAL", "PERSIST", "PERSIST_ONLY", "STATEMENT", "PASSWORD", "ROLE", "RESOURCE"})
"""Words of a SET that reach beyond the session, or beyond the mode."""
_LOCKS = (("LOCK", "IN", "SHARE", "MODE"), ("FOR", "SHARE"), ("FOR", "UPDATE"))
"""Clauses by which a SELECT locks rows; the server itself refuses the last one only."""
_ISOLATIONS = frozenset({"tx_isolation", "transaction_isolation"})
_WITHOUT_LOCKS = frozenset({"READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ", "DEFAULT", "0", "1", "2"})
"""Values of the isolation level under which a transaction's plain SELECT locks no row; under SERIALIZABLE it does."""
_COMMENTED = frozenset({"SELECT", "WITH"})
_FILES = frozenset({"OUTFILE", "DUMPFILE"})
_EFFECTS = re.compile(
    r"get_lock|release_lock|release_all_locks|service_(?:get|release)_\w+locks|version_tokens_(?:set|edit|delete|lock\w*|unlock)"
    r"|spider_\w+|group_replication_\w+|asynchronous_connection_failover_\w+|keyring_key_(?:generate|store|remove)"
    r"|audit_log_\w+|gen_dictionary_(?:load|drop)|gen_blocklist|mysql_firewall_\w+|set_firewall_\w+|flush_rewrite_rules"
    r"|load_rewrite_rules|mask_dictionaries_\w+|masking_dictionar\w+|sys_(?:exec|eval|set)|http_(?:post|put|delete)"
    r"|nextval|setval",
    re.IGNORECASE,
)
"""Functions of the server, its plug-ins and well-known add-ons that change something outside of the transaction."""
_EXECUTABLE = re.compile(r"/\*M?![0-9]*+")
_PLAIN_INSIDE = re.compile(r"[\w\s(),.=]*+\*/")
"""An executable comment without quotes and comments in it means the same whether the server runs or skips it."""

_DIALECT = dialect_named("mysql")
_NO_BACKSLASH = 0x0200
"""SERVER_STATUS_NO_BACKSLASH_ESCAPES; PyMySQL does not name it."""
IN_READ_ONLY = 0x2000
"""SERVER_STATUS_IN_TRANS_READONLY; PyMySQL does not name it."""


def check(statement: Statement, status: int) -> None:
    """Raise a QueryError when the statement is none that a read-only session takes.

    Args:
        statement: what is to be sent.
        status: the server's status flags, which say how it reads backslashes.
    """
    kind = statement.command.split(" ")[0]
    if kind not in KINDS:
        raise _refused(f"{kind or 'This statement'} is not taken: the server cannot hold it to reading.")
    for dialect in _readings(statement.text, status):
        _check(Code(statement.text, dialect), kind)


def _readings(text: str, status: int) -> Iterator[Dialect]:
    """Yield the rules by which the server may read the text: whether ANSI_QUOTES is on, its flags do not tell.

    Then a function's name may stand in double quotes, and a backslash in them is no escape.
    """
    reading = dataclasses.replace(_DIALECT, backslash_escapes=not status & _NO_BACKSLASH)
    yield reading
    if '"' in text:
        yield dataclasses.replace(reading, double_quoted_strings=False)


def _check(code: Code, kind: str) -> None:
    words = [word for _, word in code.words()]
    executes = _check_comments(code, kind)
    for index, word in code.words():
        if word in _FILES and code.written(index - 1) != ".":
            raise _refused(f"{kind} INTO {word} writes a file.")
    spoken = words if executes else [code.word(index) for index in range(len(code.tokens))]
    if _has(spoken, ("NEXT", "VALUE", "FOR"), parted=executes):
        raise _refused("NEXT VALUE FOR changes a sequence.")
    if lock := next((clause for clause in _LOCKS if _has(spoken, clause, parted=executes)), None):
        raise _refused(f"{' '.join(lock)} locks rows, for which others wait.")
    named = words if executes else [call.name for call in code.calls()]  # a comment could part a name from its bracket
    if effect := next((name for name in named if _EFFECTS.fullmatch(name)), None):
        raise _refused(f"The function {effect.lower()} acts outside of the transaction.")
    if kind == "SET" and (beyond := _beyond(code)):
        raise _refused(f"SET with the word {beyond} in it is not taken.")
    if kind == "SET" and _locks_what_it_reads(code):
        raise _refused("Under SERIALIZABLE a transaction locks the rows that it reads; REPEATABLE READ does not.")
    if kind == "START" and (words[1:2] != ["TRANSACTION"] or "WRITE" in words):
        raise _refused("START is taken with TRANSACTION READ ONLY only.")
    if kind == "BEGIN" and words[1:] not in ([], ["WORK"]):
        raise _refused("BEGIN is not taken with a block behind it.")
    if kind == "ANALYZE" and any(word in ("TABLE", "TABLES") for word in words[1:4]):
        raise _refused("ANALYZE TABLE is not taken.")


def _check_comments(code: Code, kind: str) -> bool:
    """Return whether there are comments that the server may execute; all but those with plain words are refused."""
    first_word = next((index for index, _ in code.words()), 0)
    found = False
    for index, token in enumerate(code.tokens):
        if token.kind is Kind.OPERATOR and (comment := _EXECUTABLE.match(code.text, token.start)):
            found = True
            if kind not in _COMMENTED or index < first_word or not _PLAIN_INSIDE.match(code.text, comment.end()):
                raise _refused(
                    "A comment that the server may execute (/*! ... */) is taken with plain words in a SELECT only."
                )
    return found


def _has(words: Sequence[str], clause: Sequence[str], *, parted: bool) -> bool:
    """Return whether words follow each other, or, where comments may part them, one after another."""
    if parted:
        rest = iter(words)
        return all(word in rest for word in clause)
    return f" {' '.join(clause)} " in f" {' '.join(words)} "


def _locks_what_it_reads(code: Code) -> bool:
    """Return whether a SET chooses SERIALIZABLE, or an isolation level that is not known before it runs."""
    for index in range(len(code.tokens)):
        if code.word(index) == "SERIALIZABLE" and code.word(index - 1) == "LEVEL":
            return True
        sign = code.written(index + 1)
        if code.name(index) in _ISOLATIONS and sign[:1] in ("=", ":") and not _is_variable(code, index):
            value = code.written(index + 2).strip("'\"").upper()
            if sign not in ("=", ":=") or value not in _WITHOUT_LOCKS or code.written(index + 3) not in ("", ","):
                return True
    return False


def _is_variable(code: Code, index: int) -> bool:
    """Return whether a name is a user's own variable, as `@x`."""
    before = code.written(index - 1)
    return before.endswith("@") and not before.endswith("@@")


def _beyond(code: Code) -> str | None:
    """Return the first word of a SET that reaches beyond the session, at the beginning of an assignment."""
    depth = 0
    for index, token in enumerate(code.tokens):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        before = code.written(index - 1).upper()
        if (
            not depth
            and code.word(index) in _SET_BEYOND
            and (before in ("SET", ",", "DEFAULT") or before.endswith("@@"))
        ):
            return code.word(index)
    return None


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
