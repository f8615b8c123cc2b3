"""One statement on the wire, from its sending to the last packet of its answer.

Whatever happens to the rows (read to the end, left half-read, stopped, failed), nothing of the answer stays on the
wire and no kill stays behind: `_settle` is the one way out of a turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pymysql
from pymysql.constants import FIELD_TYPE

from tusk_drivers.mysql import prepared
from tusk_drivers.mysql.answer import Outcome, read_answer, read_columns
from tusk_drivers.mysql.errors import INTERRUPTED, UNPREPARABLE, cancelled, from_packet, from_server, numbered
from tusk_drivers.mysql.packets import PacketReader
from tusk_drivers.mysql.result import ResultSet
from tusk_drivers.mysql.turn import Turn
from tusk_drivers.mysql.types import Column
from tusk_jupyter.driverkit.session import Changed, Rows
from tusk_jupyter.errors import InternalError, TuskError
from tusk_jupyter.sqltext.effects import calls_of_others

if TYPE_CHECKING:
    from tusk_drivers.mysql.headings import Headings
    from tusk_drivers.mysql.link import Link

READING = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})
"""Kinds that change nothing but by functions: asked for FLOAT columns first, and killed when nobody wants more rows."""
MANY_RESULTS = frozenset({"CALL", "EXECUTE", "BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE", ""})
COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "CALL", "EXECUTE"})
"""Kinds whose count of changed rows is told even when it is 0."""
CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})

DRAIN_S = 0.05
"""Rows that nobody wants are read away for so long before the statement is killed; a kill costs a sign-in."""
_STORED = "SELECT count(*) FROM information_schema.routines WHERE routine_type='FUNCTION' AND upper(routine_name) IN ({names})"
_OF_LAST_STATEMENT = frozenset({"ROW_COUNT", "FOUND_ROWS", "LAST_INSERT_ID"})
"""Functions about the statement before, which is to be no question of ours."""
_KILL_TRIES = 5
_ENTERED = pa.record_batch([], [])
_SHOWN_WARNINGS = 3
_EXPLAINED = 1003
"""The note in which EXPLAIN repeats the statement."""


@dataclass(slots=True, kw_only=True)
class _Told:
    """What there is to say about a statement once it is done."""

    notes: list[str] = field(default_factory=list)


def _calls_others(sql: str) -> bool:
    """Return whether a statement calls a function that is not known to be the server's: it may return a FLOAT."""
    called = calls_of_others(sql, "mysql") if "(" in sql else frozenset()
    return bool(called) and not _OF_LAST_STATEMENT & called


class Execution:
    """Runs statements on one connection, one at a time."""

    def __init__(self, link: Link, *, kill: Callable[[], None]) -> None:
        """Take a signed-in connection, and what stops the statement that it runs."""
        self._link = link
        self.turn = Turn(kill)
        self._statement = ""
        """The one that was begun last."""
        self._prepared: int | None = None
        self._headings: Headings | None = None
        self._unread: Generator[pa.RecordBatch, None, None] | None = None

    # --- a statement ---

    def run(
        self,
        sql: str,
        *,
        kind: str,
        explain: Callable[[TuskError], TuskError],
        headings: Headings,
        values: Sequence[str | bytes | int] = (),
    ) -> Rows | Changed:
        """Run a statement.

        Args:
            sql: the text to send, parameters in it.
            kind: its first keyword.
            explain: completes an error of the statement.
            headings: turns the server's names of columns into what the user wrote.
            values: for the question marks of the text, where the server is not to see them in it.

        Raises:
            TuskError: what `explain` made of the server's error; Cancelled; ConnectError.
        """
        self.turn.begin()
        self._statement, self._headings = sql, headings
        may_kill = kind in READING and ("(" not in sql or not self._may_write(sql))
        try:
            result = self._start_with_values(sql, values) if values else self._start(sql, kind)
        except BaseException as exc:
            raise self._failure(exc, explain) from exc
        if isinstance(result, ResultSet):
            told = _Told()
            batches = self._stream(result, told, may_kill=may_kill, explain=explain)
            next(batches)  # a generator that was never entered would not notice that it is closed
            self._unread = batches
            return _rows(result, batches, told, counted=kind in CHANGING)
        self._settle()
        return result

    def _may_write(self, sql: str) -> bool:
        """Return whether a SELECT calls a stored function: killed at a limit, what that wrote would be undone.

        Its rows are read to their end, as by `mariadb`. Of functions behind views nobody tells. The server is asked each time:
        any session may make a function of some name.
        """
        called = calls_of_others(sql, "mysql")
        if not called or _OF_LAST_STATEMENT & called:
            return bool(called - _OF_LAST_STATEMENT)
        names = ", ".join(["%s"] * len(called))
        try:
            ((stored,),) = self._link.ask(_STORED.format(names=names), *sorted(called))
        except pymysql.MySQLError:
            return True
        return bool(stored)

    def close_unread(self) -> None:
        """Take a result that somebody left half-read off the wire."""
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def _start(self, sql: str, kind: str) -> ResultSet | Rows | Changed:
        reader = self._link.reader()
        binary = kind in READING and self._has_float(reader, sql)
        if not binary:
            self._link.send_query(sql)
        answer = read_answer(reader)
        if kind in MANY_RESULTS or (isinstance(answer, Outcome) and answer.has_more):
            return self._last_of_many(reader, answer)
        if isinstance(answer, Outcome):
            return self._changed(answer, kind)
        return ResultSet(reader=reader, columns=self._named(answer), binary=binary)

    def _named(self, columns: list[Column]) -> list[Column]:
        return self._headings.restored(columns) if self._headings else columns

    def _changed(self, outcome: Outcome, kind: str) -> Changed:
        notes = self._end_of(outcome)
        return Changed(affected=outcome.affected if outcome.affected or kind in COUNTED else None, notes=notes)

    # --- FLOAT ---

    def _has_float(self, reader: PacketReader, sql: str) -> bool:
        """Send a statement prepared and return True when its result has a FLOAT; else leave it to be sent as text."""
        words = sql.upper()
        if "FROM" not in words and "FLOAT" not in words and "TABLE" not in words and not _calls_others(sql):
            return False  # no table, no FLOAT; and SELECT ROW_COUNT() must follow its statement directly
        self._link.send(prepared.COM_STMT_PREPARE, sql)
        payload = reader.packet()
        if payload[0] == 0xFF:
            exc = from_packet(payload)
            if numbered(exc)[0] in UNPREPARABLE:
                return False
            raise exc
        self._prepared, count, parameters = prepared.parse_prepared(payload)
        read_columns(reader, count=parameters)
        columns = read_columns(reader, count=count)
        if parameters or all(column.code != FIELD_TYPE.FLOAT for column in columns):
            self._forget_prepared()
            return False
        self._link.send(prepared.COM_STMT_EXECUTE, prepared.execution(self._prepared))
        return True

    def _start_with_values(self, sql: str, values: Sequence[str | bytes | int]) -> Changed:
        """Run a statement without rows by the prepared protocol, its values beside the text."""
        reader = self._link.reader()
        self._link.send(prepared.COM_STMT_PREPARE, sql)
        payload = reader.packet()
        if payload[0] == 0xFF:
            raise from_packet(payload)
        self._prepared, count, parameters = prepared.parse_prepared(payload)
        read_columns(reader, count=parameters)
        read_columns(reader, count=count)
        self._link.send(prepared.COM_STMT_EXECUTE, prepared.execution(self._prepared, values))
        answer = read_answer(reader)
        if not isinstance(answer, Outcome):
            raise InternalError("A statement that makes a table answered with rows.")
        return self._changed(answer, "CREATE")

    def _forget_prepared(self) -> None:
        if self._prepared is not None:
            number, self._prepared = self._prepared, None
            self._link.send(prepared.COM_STMT_CLOSE, prepared.closing(number))

    # --- rows ---

    def _stream(
        self, result: ResultSet, told: _Told, *, may_kill: bool, explain: Callable[[TuskError], TuskError]
    ) -> Generator[pa.RecordBatch, None, None]:
        try:
            yield _ENTERED
            for batch in result.batches():
                if may_kill and self.turn.stopped and not result.reader.sees_end:
                    break
                yield batch
            given_up = result.outcome is None
            if result.outcome is None:
                interrupted = self._abandon(result, may_kill=may_kill)
            else:
                told.notes += self._further(result.reader, result.outcome)
        except GeneratorExit:
            self._abandon(result, may_kill=may_kill)
            self._settle()
            raise
        except BaseException as exc:
            raise self._failure(exc, explain) from exc
        self._settle()
        if given_up:
            raise cancelled(interrupted)

    def _further(self, reader: PacketReader, outcome: Outcome) -> list[str]:
        """Read what follows a result set; its rows are left out and the reader is told."""
        left_out = 0
        while outcome.has_more:
            answer = read_answer(reader)
            if isinstance(answer, list):
                left_out += 1
                further = ResultSet(reader=reader, columns=answer)
                further.drain()
                answer = further.end
            outcome = answer
        skipped = [f"The statement gave {left_out} results more, which are left out."] if left_out else []
        return [*skipped, *self._end_of(outcome)]

    def _last_of_many(self, reader: PacketReader, answer: Outcome | list[Column]) -> Rows | Changed:
        """Read every answer of a procedure; its last result set is the statement's."""
        kept: Rows | None = None
        told = _Told()
        count = 0
        while True:
            if isinstance(answer, Outcome):
                outcome = answer
            else:
                result = ResultSet(reader=reader, columns=self._named(answer))
                schema, count = result.schema, count + 1
                kept = _rows(result, _held(list(result.batches())), told, schema=schema)
                outcome = result.end
            if not outcome.has_more:
                break
            answer = read_answer(reader)
        told.notes += [*_left_out(count - 1), *self._end_of(outcome)]
        return kept or Changed(affected=outcome.affected, notes=told.notes)

    def _abandon(self, result: ResultSet, *, may_kill: bool) -> int | None:
        """Get the rest of a half-read result off the wire, by reading or by killing, and leave a usable session.

        Return the errno with which the server reported that it interrupted the statement.
        """
        if not self._link.is_open:
            return None
        deadline = time.monotonic() + DRAIN_S
        try:
            while result.outcome is None and may_kill and not self.turn.stopped:
                if not result.skip(wait_s=max(deadline - time.monotonic(), 0)) or time.monotonic() >= deadline:
                    self.turn.stop()
            result.drain()
            if result.outcome:
                self._further(result.reader, result.outcome)
        except pymysql.MySQLError as exc:
            errno = numbered(exc)[0]
            return errno if errno in INTERRUPTED else None  # the kill's own error: the answer's last packet
        except TuskError:
            self._link.break_off()
        return None

    # --- the end of a turn ---

    def _end_of(self, outcome: Outcome) -> list[str]:
        """Take over the server's status flags, and return its warnings."""
        self._link.status = outcome.status
        if not outcome.warnings or self.turn.stopped:
            return []
        texts = [f"Warning {code}: {text}" for _, code, text in self._link.warnings() if code != _EXPLAINED]
        more = max(outcome.warnings, len(texts)) - _SHOWN_WARNINGS
        return texts[:_SHOWN_WARNINGS] + ([f"{more} further warnings; `SHOW WARNINGS` lists them."] if more > 0 else [])

    def _settle(self) -> bool:
        """End the turn and return whether it had been stopped; spends a late kill, lest it hit the next statement."""
        stopped = self.turn.end()
        try:
            self._forget_prepared()
            for _ in range(_KILL_TRIES if stopped else 0):
                if self._spend_kill():
                    break
        except pymysql.MySQLError:
            self._link.break_off()
        return stopped

    def _spend_kill(self) -> bool:
        try:
            self._link.query("DO 0")
        except pymysql.MySQLError as exc:
            if numbered(exc)[0] not in INTERRUPTED:
                raise
            return False
        return True

    def _failure(self, exc: BaseException, explain: Callable[[TuskError], TuskError]) -> BaseException:
        """End the turn of a statement that failed, and return the error to raise."""
        if not isinstance(exc, pymysql.MySQLError):
            self._link.break_off()  # what is left of the answer is unknown
        stopped = self._settle()
        if not isinstance(exc, pymysql.MySQLError):
            return exc
        self._refresh_status()
        if stopped and numbered(exc)[0] in INTERRUPTED:
            return cancelled(numbered(exc)[0])
        return explain(from_server(exc, statement=self._statement, ended=not self._link.is_open))

    def _refresh_status(self) -> None:
        """An error packet carries no status, and an error may have ended the transaction (a deadlock does)."""
        try:
            if self._link.is_open:
                self._link.ping()
        except pymysql.MySQLError:
            self._link.break_off()


def _rows(
    result: ResultSet,
    batches: Iterator[pa.RecordBatch],
    told: _Told,
    *,
    counted: bool = False,
    schema: pa.Schema | None = None,
) -> Rows:
    return Rows(
        schema=schema or result.schema,
        batches=batches,
        types=result.types,
        notes=lambda: [*result.notes(), *told.notes],
        affected=lambda: result.rows if counted else None,
        ended=lambda: result.reader.sees_end,
    )


def _held(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


def _left_out(count: int) -> Sequence[str]:
    return [f"The statement gave {count + 1} results; the last one is shown."] if count > 0 else []
