"""Read-only, enforced by the server and asserted anew before every statement.

A statement outside a transaction runs inside one of ours that is read-only, has its snapshot taken (after which PostgreSQL
lets nobody switch it to read-write) and is rolled back at its end; so neither `SET`, `DO ... COMMIT` nor a function gets a
write through. A transaction of the user's is switched to read-only before each of its statements. What the server allows in
read-only transactions although it changes something (COPY TO PROGRAM, ALTER SYSTEM, VACUUM, large objects, dblink) is
refused before it is sent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from psycopg.pq import TransactionStatus

from tusk_drivers.postgresql import given_sql
from tusk_drivers.postgresql.effects import PASTES, RUNS_LITERAL, is_refused, runs_literal
from tusk_drivers.postgresql.link import Link
from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.code import Call, Code
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.statements import Statement

_CONTROL = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "DISCARD"}
_LASTING = {"SET", "RESET", "LISTEN", "UNLISTEN"}
_READS = {
    "SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DECLARE", "FETCH", "MOVE", "CLOSE", "PREPARE", "EXECUTE",
    "DEALLOCATE",
}  # fmt: skip
_REFUSED_BY_SERVER = {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "TRUNCATE", "GRANT", "REVOKE", "COMMENT"}
_ALLOWED = _CONTROL | _LASTING | _READS | _REFUSED_BY_SERVER

_DIALECT = dialect_named("postgresql")
_OLD_STRINGS = dataclasses.replace(_DIALECT, backslash_escapes=True)
"""How literals are read while standard_conforming_strings is off."""
_PREPARED = "SELECT statement FROM pg_catalog.pg_prepared_statements"
_DEPTH = 3  # SQL in a literal of SQL in a literal

_TAKEN_BACK = (
    "The session is read-only, so the server was sent ROLLBACK in place of {}: settings that were SET in the transaction are "
    "as they were before it, and its cursors WITH HOLD are closed. A SET outside of a transaction lasts."
)

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
        self.notes: list[str] = []
        """What the user must know of the text that is sent."""

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
            code = Code(self._text, _DIALECT)
            first = next(index for index, _ in code.words())
            token = code.tokens[first]
            if self._link.status == TransactionStatus.INTRANS:
                self.notes.append(_TAKEN_BACK.format(self._command))
            return f"{self._text[: token.start]}ROLLBACK{self._text[token.end :]}"
        return self._text

    def _refuse(self) -> None:
        if self._command not in _ALLOWED:
            raise _refusal(f"{self._command or 'This statement'} may change something")
        for dialect in self._readings():
            self._check(Code(self._text, dialect), dialect)

    def _readings(self) -> Sequence[Dialect]:
        """The rules by which the server may read literals now; a pooler that does not report them leaves both."""
        setting = self._link.setting("standard_conforming_strings")
        return {"on": (_DIALECT,), "off": (_OLD_STRINGS,)}.get(setting, (_DIALECT, _OLD_STRINGS))

    def _check(self, code: Code, dialect: Dialect) -> None:
        words = [word for _, word in code.words()]
        if words[:2] in (["PREPARE", "TRANSACTION"], ["COMMIT", "PREPARED"], ["ROLLBACK", "PREPARED"]):
            raise _refusal("Two-phase commit changes something")
        _check_calls(code, dialect)
        if self._command in ("EXECUTE", "EXPLAIN") and "EXECUTE" in words:
            for text in self._prepared():  # it may have been prepared before the session became read-only
                for reading in (_DIALECT, _OLD_STRINGS):  # whichever held then
                    _check_calls(Code(text, reading), reading)

    def _prepared(self) -> list[str]:
        """All statements that the session has prepared: which of them EXECUTE names is not worth parsing."""
        if self._link.status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            return []  # the server refuses it
        found = self._link.run(_PREPARED)[-1]
        return [(found.get_value(row, 0) or b"").decode() for row in range(found.ntuples)]


def _check_calls(code: Code, dialect: Dialect, depth: int = _DEPTH) -> None:
    if code.changes_its_escape():
        raise _refusal('A name written as U&"..." UESCAPE cannot be checked')
    for call in code.calls():
        if is_refused(call.name):
            raise _refusal(f"The function {call.name} acts outside the transaction")
        if runs_literal(call.name):
            _check_given(code, call, dialect, depth)


def _check_given(code: Code, call: Call, dialect: Dialect, depth: int) -> None:
    """Look into the SQL that a function is given to run.

    Raises:
        QueryError: it calls what is refused, is no literal and cannot be known, or is a part that cannot be read alone.
    """
    given = given_sql.arguments(code, call, dialect)
    if given is None and call.name not in RUNS_LITERAL:
        return  # somebody's own function of a similar name
    if given is None or (not depth and any(given)):
        raise _refusal(f"The function {call.name} runs SQL that is not a plain literal")
    for place, text in enumerate(given):
        if place in PASTES.get(call.name, ()):
            continue
        for reading in (_DIALECT, _OLD_STRINGS):  # set_config may change the rules before the function runs
            if call.name in PASTES and not given_sql.stands_alone(text, reading):
                raise _refusal(f"Argument {place + 1} of {call.name} is pasted into a statement and cannot stand alone")
            _check_calls(Code(text, reading), reading, depth - 1)


def _refusal(why: str) -> QueryError:
    return QueryError(
        f"{why}, and the connection or the run is read-only; nothing was sent.",
        hint=hint_for("read_only"),
        code="25006",
        scenario="read_only",
    )
