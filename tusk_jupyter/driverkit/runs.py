"""One run: its statements executed in order, its results cut into streams, its state told to the core.

The whole run is one generator (`_results`) that several `DoGet` calls advance in turn: each takes the batches up to the next
change of schema, and its trailer hands out the ticket for what follows. So nothing is buffered between statements, and
nothing runs that nobody fetches.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.driverkit.consumers import Consumers, Watched
from tusk_jupyter.driverkit.gone import CHECK_FIRST, ENDINGS, GoneBefore
from tusk_jupyter.driverkit.session import Changed, Rows, Session, Transaction
from tusk_jupyter.driverkit.tickets import TicketBook
from tusk_jupyter.driverkit.transactions import ended_by, tell_transaction
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.driver import LockWait, RunEvent
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.protocol.stream import TYPES_KEY, StatementReport, Trailer
from tusk_jupyter.sqltext import client_commands, other_placeholders
from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.hiding import redact_text, secrets_of
from tusk_jupyter.sqltext.names import last_part
from tusk_jupyter.sqltext.script import Script
from tusk_jupyter.sqltext.statements import Statement
from tusk_jupyter.system import threads

INTERRUPT_EVERY_S = 0.25
"""An interrupt that came a moment before the statement reached the server hits nothing, so it is repeated."""

INTERRUPT_TRIES = 40

_OF_TEXT = (None, "syntax", "undefined_column", "undefined_function")
"""Scenarios of statements that may be written for another library."""
_OF_VALUES = re.compile(r"parameters?\b|\bbinding\b", re.IGNORECASE)
"""In the error of a statement that has other libraries' placeholders beside ours."""
_NO_PLACE = "The database does not say where: look for a missing word, comma or bracket."
"""For a mistake of syntax; the usual hint is about a marked place."""
_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CALL", "EXECUTE", "COPY", "INTO"})
_EMPTY = pa.schema([])
_NOTHING = pa.record_batch([], schema=_EMPTY)


@dataclass(frozen=True, slots=True)
class _Opening:
    """The point in a run where a stream begins: a new result, or the same one under wider types."""

    schema: pa.Schema
    widen: bool = False


class Run:
    """A run under way. `open_stream` is called once per ticket; what it says goes to `words`."""

    def __init__(
        self,
        run: str,
        session: Session,
        script: Script,
        parameters: Mapping[str, object],
        *,
        limit: int | None,
        words: Words,
        consumers: Consumers | None = None,
        ticket: str = "",
        hidden: tuple[str, ...] = (),
    ) -> None:
        """Take the run in; nothing is executed yet."""
        self._hidden = hidden
        self.id = run
        self.ticket = ticket
        self._consumers = consumers or Consumers()
        self._session = session
        self._script = script
        self._parameters = parameters
        self._limit = limit
        self._steps = self._results()
        self._opening: _Opening | None = None
        self._advancing = threading.Lock()
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._words = words
        self._told: tuple[int, int, LockWait | None] | None = None
        self._reports: list[StatementReport] = []
        self._notes: list[str] = []
        self._fetched = False
        self._index = 0
        self._rows = 0
        self._bytes = 0
        self._more = False
        self._under_way: Statement | None = None
        """The statement that was begun and has not ended."""
        self._before = Transaction.IDLE
        """The transaction before it, or before the next one: asked at once, as a session that has ended does not know."""
        self._began_open = False
        """Whether all that was run is in one transaction, if one is open."""
        self._committed: list[str] = []
        """Which statements committed the open transaction without being told to."""
        self._transaction_end = ""
        """What became of a transaction that was open before the statement that failed or was stopped, and is not any more."""
        self._unreached = ""
        """Why the last request to stop did not reach the database."""
        self._was_last = False
        """Whether the batch that came last is that of the run, too: nothing has to be waited for behind it."""

    @property
    def ended(self) -> bool:
        """Whether the run has finished, failed or been cancelled."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the run's end; return whether it has ended."""
        return self._ended.wait(timeout_s)

    # --- what the core sees ---

    def progress(self) -> RunEvent | None:
        """Return how far the run is, or None if it is not fetched yet or no further than it was told last."""
        if not self._fetched or self.ended:
            return None
        waits = self._session.lock_wait
        now = (self._index, self._rows, waits)
        if now == self._told:
            return None
        word = replace(self._word("progress" if self._told else "started"), lock_wait=waits)
        self._told = now
        return word

    def cancel(self) -> None:
        """Stop the run on the server; returns at once, the run's last word tells how it ended."""
        if not self._cancelled.is_set():
            self._cancelled.set()
            threading.Thread(target=self._insist, name=f"cancel-{self.id[:8]}", daemon=True).start()

    def _insist(self) -> None:
        for _ in range(INTERRUPT_TRIES):
            # Between two batches nobody takes the next one, and nothing runs on the server for us.
            if not self._was_last and self._advancing.acquire(blocking=False):
                try:
                    self._abandon()
                finally:
                    self._advancing.release()
            if self.ended:
                return
            try:
                self._session.interrupt()
                self._unreached = ""
            except errors.TuskError as exc:  # the next try, or the core's ladder, goes on
                self._unreached = f" The database could not be asked to stop it: {exc.message}"
                traceback.print_exception(exc)
            if self._ended.wait(INTERRUPT_EVERY_S):
                return

    # --- what the client's DoGet sees ---

    def open_stream(
        self, register: TicketBook, is_gone: Callable[[], bool] = lambda: False
    ) -> tuple[pa.Schema, Iterator[tuple[pa.RecordBatch, bytes | None]]]:
        """Advance to the next result.

        Args:
            register: where the ticket of a following stream is left.
            is_gone: whether the client has ended the call; asked while a statement is under way.

        Returns:
            Its schema, and its batches with their metadata; the last one carries the `Trailer`.

        Raises:
            TuskError: a statement failed, or the run was cancelled.
        """
        self._fetched = True
        watched = self._consumers.watched(self, is_gone)
        opening = self._opening or self._advance(watched)
        if isinstance(opening, pa.RecordBatch):
            raise errors.InternalError("A result began without its schema.")
        self._opening = None
        schema = opening.schema if opening else _EMPTY
        batches = self._stream(schema, register, watched, at_end=opening is None)
        next(batches)  # a generator that was never begun passes over its `finally`, and the run would have no end
        return schema, batches

    def _stream(
        self, schema: pa.Schema, register: TicketBook, watched: Watched, *, at_end: bool
    ) -> Iterator[tuple[pa.RecordBatch, bytes | None]]:
        finished, last = False, None
        try:
            yield _NOTHING, None  # taken by `open_stream`
            step = None if at_end else self._advance(watched)
            while isinstance(step, pa.RecordBatch):
                if self._was_last:
                    last = step
                else:
                    yield step, None
                step = None  # let go before the next one is made: there may be no memory for both
                step = self._advance(watched)
            self._opening = step
            finished = True
            yield last if last is not None else _no_rows(schema), self._trailer(register)
        finally:
            if not finished and not self.ended:  # the client stopped reading: close what is open on the server
                with self._advancing:
                    self._abandon()

    def _advance(self, watched: Watched) -> _Opening | pa.RecordBatch | None:
        """Return the run's next step, None at its end; tells the core of an end before the client hears of it."""
        with self._advancing, watched:
            try:
                if self._cancelled.is_set() and not self._was_last and not self._changes():
                    self._steps.close()
                    raise self._given_up()
                return next(self._steps)
            except StopIteration:
                self._end(None)
                return None
            except BaseException as exc:
                self._end(exc)
                raise

    def _abandon(self) -> None:
        """Close the run's generator; the caller holds `_advancing`."""
        if not self.ended:
            try:
                self._steps.close()
            finally:
                self._end(self._given_up())

    def _end(self, exc: BaseException | None) -> None:
        if not self.ended:
            self._ended.set()
            self._transaction_end = tell_transaction(
                exc, self._session, self._before, self._script[self._index].text, committed=self._committed
            )
            memory.give_back(exc, self._session.give_back)
            self._words.say(self._word("failed" if exc else "finished", exc))

    def _word(self, event: str, exc: BaseException | None = None) -> RunEvent:
        last = event in ("finished", "failed")
        return RunEvent(
            run=self.id,
            event=event,
            rows=self._rows,
            bytes=self._bytes,
            statement=self._index,
            statements=tuple(self._reports),
            **(session_state(self._session) if last else {}),
            transaction_end=self._transaction_end,
            error=to_wire(exc) if exc else None,
        )

    def _trailer(self, register: TicketBook) -> bytes:
        ticket = register.issue(self) if self._opening else None
        if self.ended and self._cancelled.is_set():
            self._notes.append(f"It was asked to stop, and had completed before it could be stopped.{self._unreached}")
        return codec.encode(
            Trailer(
                ticket=ticket,
                widen=bool(self._opening and self._opening.widen),
                more=self._more,
                transaction=self._session.transaction.value,
                statements=tuple(self._reports),
                notes=tuple(dict.fromkeys(self._notes)),
            )
        )

    # --- the run itself ---

    def _results(self) -> Generator[_Opening | pa.RecordBatch, None, None]:
        self._before = self._session.transaction
        for index, statement in enumerate(self._script):
            self._index = index
            started = time.perf_counter()
            self._began_open = self._began_open or (index == 0 and self._before is Transaction.OPEN)
            self._under_way = statement
            try:
                outcome = self._session.execute(statement, self._of(statement))
                rows = None
                if isinstance(outcome, Rows):
                    before = self._rows
                    yield from self._batches(outcome)
                    rows = self._rows - before
                self._under_way = None
                self._report(statement, outcome, rows=rows, elapsed_s=time.perf_counter() - started)
                self._see_transaction(statement)
            except GeneratorExit:
                raise
            except BaseException as exc:  # noqa: BLE001  # raised below
                told = self._in_context(exc, statement)
                try:
                    if told is exc:
                        raise
                    raise told from exc
                finally:
                    del told  # its traceback has this frame: it would keep the run until the next look for cycles
            if index == 0:
                self._began_open = self._session.transaction is Transaction.OPEN
            if self._cancelled.is_set() and self._script.has(index + 1):
                self._index = index + 1
                raise self._given_up()

    def _batches(self, result: Rows) -> Generator[_Opening | pa.RecordBatch, None, None]:
        self._more = self._was_last = False
        schema = result.schema
        left = self._limit
        yield _Opening(_with_types(schema, result))
        try:
            for batch in result.batches:
                if self._cancelled.is_set() and not self._changes() and not result.ended():
                    raise self._given_up()
                if self._was_last:
                    raise errors.InternalError("The driver had called the batch before this one the last.")
                if batch.schema != schema:
                    schema = batch.schema
                    yield _Opening(_with_types(schema, result), widen=True)
                if left is not None:
                    self._more = batch.num_rows > left
                    batch = batch.slice(0, left)
                    left -= batch.num_rows
                self._rows += batch.num_rows
                self._bytes += batch.nbytes
                self._was_last = result.ended() and not self._script.has(self._index + 1)
                if batch.num_rows:
                    yield batch
                if self._more:
                    return
                del batch
        finally:
            if isinstance(result.batches, Generator):
                result.batches.close()

    def _report(self, statement: Statement, outcome: Rows | Changed, *, rows: int | None, elapsed_s: float) -> None:
        affected = outcome.affected() if isinstance(outcome, Rows) else outcome.affected
        notes = outcome.notes() if isinstance(outcome, Rows) else outcome.notes
        self._notes += [redact_text(note, self._secrets) for note in notes]
        self._reports.append(
            StatementReport(
                index=self._index, command=statement.command, rows=rows, affected=affected, elapsed_s=elapsed_s
            )
        )

    def _see_transaction(self, statement: Statement) -> None:
        """Note it where a statement ended the open transaction by itself, as MySQL's CREATE TABLE commits."""
        after = self._session.transaction
        if told := ended_by(statement, self._session.dialect, self._before, after):
            self._committed.append(told)
            self._notes.append(told)
        self._before = after

    def _of(self, statement: Statement) -> Mapping[str, object]:
        return {name: self._parameters[name] for name in statement.parameters}

    # --- what is said of a run that was asked to stop ---

    def _changes(self) -> bool:
        """Return whether the statement under way may change something, as far as its words tell.

        It is done with its work before its last row is here, perhaps; so its rows are read on until they end, or until its
        engine reports that it was interrupted.
        """
        return self._under_way is not None and _may_change(self._under_way.text, self._session.dialect)

    def _given_up(self) -> errors.Cancelled:
        """Return the error of a run that nobody goes on with: no engine has reported an interruption."""
        if self._under_way is None:
            return _cancelled(
                "The run was cancelled before it began." if not self._reports else self._with_place("not begun")
            )
        words = "The run was cancelled; the rest of its rows was not fetched."
        may = " What its statement changes may stand: look at the data." if self._changes() else ""
        return _cancelled(f"{words}{may}{self._unreached}")

    def _with_place(self, ended: str) -> str:
        """Return which of several statements was the last one, and what has become of those before it."""
        ran, one = self._ran(f"was {ended}")
        if not self._reports:
            return f"{ran}."
        ran = f"{ran} and"
        match self._session.transaction:
            case Transaction.OPEN if self._began_open:
                return f"{ran} {'is' if one else 'are'} in the open transaction."
            case Transaction.OPEN:
                return f"{ran} {'stands' if one else 'stand'}, but for what is in the open transaction."
            case Transaction.FAILED:
                return f"{ran} {'is' if one else 'are'} in the transaction, which has failed."
        if self._before is Transaction.OPEN:  # what has become of it follows (`tell_transaction`)
            return f"{ran.removesuffix(' and')}."
        return f"{ran} {'stands' if one else 'stand'}."

    def _tell_place(self, exc: errors.TuskError) -> None:
        """Add to an error which of several statements it was, where its own text cannot be pointed into."""
        if isinstance(exc, errors.Cancelled) and exc.code is not None:
            place = self._with_place("stopped")
            exc.message = place if exc.scenario == "cancelled_by_user" else f"{exc.message} {place}"
        elif isinstance(exc, GoneBefore):
            if self._reports:
                place = self._place_of_loss("was not begun", "is rolled back")
                exc.message, exc.hint = f"{exc.why} {place}", CHECK_FIRST
        elif isinstance(exc, errors.ConnectError) and exc.scenario in ENDINGS:
            place = self._place_of_loss("was under way", "stands only if this statement committed it")
            exc.message = f"{exc.message} {place}"

    def _place_of_loss(self, ended: str, fate: str) -> str:
        """Return which statement met the end of the session, and the fate of those before it in an open transaction."""
        ran, one = self._ran(ended)
        if not self._reports:
            return f"{ran}."
        if self._before is not Transaction.IDLE:
            return f"{ran}, and what {'it' if one else 'they'} had in the open transaction {fate}."
        return f"{ran} and {'stands' if one else 'stand'}."

    def _ran(self, ended: str) -> tuple[str, bool]:
        """Return how one of several statements ended and how many were run before it, and whether that was one."""
        before = len(self._reports)
        run = f"{before} {'was' if before == 1 else 'were'}" if before else "none was"
        return f"Statement {self._index + 1} of {len(self._script)} {ended}; {run} run before it", before == 1

    def _in_context(self, exc: BaseException, statement: Statement) -> errors.TuskError:
        """Return `exc` as an error that counts from the submitted text and says which statement it was."""
        if (told := memory.told(exc) or threads.told(exc)) is not None:
            exc = told
        elif not isinstance(exc, errors.TuskError):
            print(redact_text("".join(traceback.format_exception(exc)), self._secrets), file=sys.stderr)  # noqa: T201
            exc = errors.InternalError(f"The driver failed: {type(exc).__name__}: {exc}")
        if self._script.has(1):
            self._tell_place(exc)
        if isinstance(exc, errors.QueryError) and exc.scenario in (None, "syntax"):
            is_syntax = exc.scenario is not None
            advice = client_commands.advice(statement.text, self._session.dialect, exc.position, syntax=is_syntax)
            exc.hint = advice or exc.hint
        if (
            isinstance(exc, (errors.QueryError, errors.UsageError))
            and exc.scenario in _OF_TEXT
            and (not statement.placeholders or _OF_VALUES.search(exc.message))
        ):
            exc.hint = other_placeholders.advice(statement.text, self._session.dialect) or exc.hint
        if isinstance(exc, errors.QueryError) and exc.scenario == "undefined_column":
            exc.hint = other_placeholders.advice_on_colon(statement.text, exc.position) or exc.hint
        if exc.position is None and exc.hint == hint_for("syntax"):
            exc.hint = _NO_PLACE
        self._hide_secrets(exc)
        exc.statement = self._index if self._script.has(1) else None
        if exc.position is not None and exc.scenario == "undefined_table":
            exc.position = last_part(statement.text, exc.position, self._session.dialect)
        exc.position = None if exc.position is None else exc.position + statement.start
        return exc

    def _hide_secrets(self, exc: errors.TuskError) -> None:
        """Take out what the log hides: a server may repeat the literal or value that it stumbled over (R-32)."""
        exc.reword(lambda text: redact_text(text, self._secrets))

    @functools.cached_property
    def _secrets(self) -> tuple[str, ...]:
        """Of the whole run, since a later statement may repeat them; found when there is something to say."""
        text = "\n;\n".join(statement.text for statement in self._script)
        return (*self._hidden, *secrets_of(text, self._session.dialect, self._parameters))


def session_state(session: Session) -> dict[str, Any]:
    """Return the part of a last word that tells of the session; one that cannot even say counts as gone."""
    try:
        return {"transaction": session.transaction.value, "alive": session.is_alive()}
    except Exception:  # noqa: BLE001  # a run without a last word would never end
        traceback.print_exc()
        return {"alive": False}


@functools.lru_cache(maxsize=1)  # asked for every batch behind a cancel
def _may_change(sql: str, dialect: str) -> bool:
    return not _CHANGING.isdisjoint(word for _, word in Code(sql, dialect_named(dialect)).words())


def _cancelled(words: str) -> errors.Cancelled:
    return errors.Cancelled(words, scenario="cancelled_by_user")


def _with_types(schema: pa.Schema, result: Rows) -> pa.Schema:
    return schema.with_metadata({**(schema.metadata or {}), TYPES_KEY: codec.encode(list(result.types))})


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)
