"""One statement from its text to its rows or its end; what was changed around it is put back whatever happens.

The road: guard (read-only) -> Parse and Describe in one round trip -> COPY, or the extended protocol -> batches. Batches are
parsed on a second thread while the next rows are read.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg.pq import ExecStatus, TransactionStatus

from tusk_drivers.postgresql import formats, rules
from tusk_drivers.postgresql.batches import Batches, parsed, without_columns
from tusk_drivers.postgresql.columns import Column, columns_of, notes_of, schema_of
from tusk_drivers.postgresql.copy import PREFIX, CopySource
from tusk_drivers.postgresql.link import Link, deadline_in
from tusk_drivers.postgresql.literals import quoted_element
from tusk_drivers.postgresql.parameters import Bound
from tusk_drivers.postgresql.readonly import ReadOnly
from tusk_drivers.postgresql.rows import RowSource
from tusk_drivers.postgresql.source import Source
from tusk_drivers.postgresql.types import Setting
from tusk_jupyter.driverkit.session import Changed, Rows
from tusk_jupyter.driverkit.transactions import not_committed
from tusk_jupyter.errors import TuskError, UsageError
from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.effects import calls_of_others
from tusk_jupyter.sqltext.statements import Statement

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from tusk_drivers.postgresql.catalog_types import TypeNames

SKIP_S = 0.25
"""A result that is cut off is read on for so long before its statement is cancelled: small ones end by themselves. One that
calls a function which may write, or has written, is read to its end, as by psql: cancelled, it would be undone although its
rows were shown."""
_NOT_KNOWN_WHETHER_WRITTEN = (
    "The statement was stopped at the limit. The server could not be asked whether it had written, as functions behind views "
    "and operators may; what they wrote is undone."
)
_WRITERS = b"""
SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc WHERE pg_catalog.lower(proname) OPERATOR(pg_catalog.=) ANY ($1::text[]) AND
provolatile OPERATOR(pg_catalog.=) 'v' AND (pronamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace OR
proname OPERATOR(pg_catalog.~) '^(lo_.*|lowrite|pg_notify|pg_logical_emit_message|set_config)$')
"""
"""How many functions of some names may write; of those behind views and operators it tells nothing. Asked with each Describe,
in its round trip: any session may make or change one at any time."""

_FED_AT_ONCE = 64 * 1024
"""Characters of a COPY's rows that go to libpq at once; it keeps a copy of each."""

SAVEPOINT = "tusk_result"
TYPES_SAVEPOINT = "tusk_types"
"""Where an open transaction comes back to from a statement whose parameters the server found no types for."""

_YIELDING = {
    "SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "EXECUTE", "FETCH", "CALL", "INSERT", "UPDATE", "DELETE", "MERGE",
}  # fmt: skip
_WRITING = {"INSERT", "UPDATE", "DELETE", "MERGE"}
_ROLLING_BACK = {"ROLLBACK", "ABORT"}
"""Statements that the server is to answer with ROLLBACK; so it answers a COMMIT of an aborted transaction, too."""
_READING = {"SELECT", "WITH", "VALUES", "TABLE"}
_DIALECT = dialect_named("postgresql")
_CHANGES = re.compile(r"\b(insert|update|delete|merge)\b", re.IGNORECASE)
_RULE = re.compile(r"\b(rule|rename)\b", re.IGNORECASE)
_CLIENT_COPY = re.compile(r"\b(stdin|stdout)\b", re.IGNORECASE)


class Execution:
    """A statement under way."""

    def __init__(
        self,
        link: Link,
        names: TypeNames,
        statement: Statement,
        parameters: Mapping[str, object],
        *,
        read_only: bool,
        has_written: Callable[[], bool | None],
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            link: the session's.
            names: of the database's types.
            statement: the user's.
            parameters: its values.
            read_only: whether the session is.
            has_written: asks the server, from elsewhere, whether the statement under way has written; None if nobody says.
        """
        self._has_written = has_written
        self._link, self._names, self._statement = link, names, statement
        self._command = statement.command.partition(" ")[0].upper()
        self.guard = ReadOnly(link, statement, on=read_only)
        self._check()
        self._bound = Bound(link.connection, statement, parameters)
        self._sql = self._bound.sent.text
        self._before: dict[Setting, str] = {}
        self._formats: dict[Setting, str] = {}
        self._changed: dict[Setting, str] = {}
        """What the statement itself has set meanwhile, of that on which its rows' text depends."""
        self._is_local = False
        """Whether these hold for the open transaction only."""
        self._savepoint = False
        self._source: Source | None = None
        self._steps: Generator[pa.RecordBatch, None, None] | None = None
        self._columns: tuple[Column, ...] = ()
        self._asked: dict[Setting, str] = {}
        self._may_cut = False
        """Whether it may be cancelled once nobody wants its rows: what a function of it wrote would be undone."""
        self._was_aborted = link.status == TransactionStatus.INERROR
        """Whether the transaction that is open before the statement is aborted; a read-only COMMIT is sent as a ROLLBACK."""
        self._ended = False
        self._stopped = False
        self._extra_notes: list[str] = []

    @functools.cached_property
    def _may_stop(self) -> bool:
        """Whether the statement only reads, as far as its words tell: then COPY takes it."""
        return self._command in _READING and not self._has_word(_CHANGES)

    @functools.cached_property
    def _called(self) -> list[str]:
        """Functions that it calls, but for the server's own ones that read, if it is one that only reads by its words."""
        return sorted(calls_of_others(self._statement.text, "postgresql")) if self._may_stop else []

    def _has_word(self, words: re.Pattern[str]) -> bool:
        """Return whether one of the words stands in the statement's code; one in a literal or a comment does not count."""
        text = self._statement.text
        return bool(words.search(text)) and any(words.fullmatch(word) for _, word in Code(text, _DIALECT).words())

    def _check(self) -> None:
        text = self._statement.text
        if "\x00" in text:
            raise UsageError(
                "The statement holds a NUL character, which PostgreSQL's text cannot.", position=text.index("\x00")
            )
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise UsageError("The statement holds a lone surrogate, which is no text.", position=exc.start) from exc
        feeds = self._statement.rows is not None
        if self._command == "COPY" and not feeds and self._has_word(_CLIENT_COPY):
            raise UsageError(
                "COPY FROM STDIN and COPY TO STDOUT need a client that feeds and takes the data.",
                hint="Use `--append DF` or `--persist DF` to write, a SELECT with `--to FILE` to read. Rows behind it, "
                "as pg_dump writes them, end with a line `\\.`.",
            )

    def start(self) -> Rows | Changed:
        """Run the statement up to its first batch.

        Raises:
            TuskError: it failed; the session is as it was before.
        """
        self._link.begin(self._statement.text)
        try:
            self._keep_utf8()
            sent = self.guard.enter()
            if sent is not self._statement.text:
                self._sql = sent
            self._extra_notes += self.guard.notes
            described = self._describe() if self._command in _YIELDING or self._bound.is_unsure else None
            self._link.raise_if_cancelled()
            if described is None or described.nfields == 0:
                return self._change()
            return self._rows(described)
        except BaseException:
            self._leave(ok=False)
            raise

    def _keep_utf8(self) -> None:
        if self._link.setting("client_encoding") != "UTF8" and self._link.status != TransactionStatus.INERROR:
            self._link.run("SET client_encoding TO 'UTF8'")
            self._extra_notes.append(
                "client_encoding was put back to UTF8: text travels as UTF-8 between here and the server."
            )

    # --- statements without rows ---

    def _change(self) -> Rows | Changed:
        bound, pg = self._bound, self._link.pg
        is_ruled = self._may_be_answered()
        if is_ruled:
            self._set_formats(frozenset(Setting))
            self._link.send(lambda: pg.send_query(self._sql.encode()))
        else:
            self._link.send(lambda: pg.send_query_params(self._sql.encode(), bound.values, bound.types, bound.formats))
        results = self._all_results()
        if (failed := self._link.failed(results)) is not None:
            raise self._error(failed)
        last = results[-1]
        self._leave(ok=True)
        if is_ruled and (rows := rules.answer(self._link, results, self._names, self._all_notes)) is not None:
            return rows
        if self._was_aborted and last.command_status == b"ROLLBACK" and self._command not in _ROLLING_BACK:
            raise not_committed(self._command, chained=self._link.status == TransactionStatus.INTRANS)
        if last.status == ExecStatus.TUPLES_OK:  # SELECT without columns
            return without_columns(last.ntuples, self._all_notes())
        affected = None if last.command_status.startswith(b"MOVE") else last.command_tuples  # type: ignore[union-attr]
        return Changed(affected=affected, notes=self._all_notes())

    def _may_be_answered(self) -> bool:
        """Return whether a rule may answer with rows: then the statement goes as psql sends it, which takes no parameters."""
        if self._has_word(_RULE):
            self._link.ruled = None
        if self._command not in rules.RULED or self.guard.wrapped:
            return False
        may = rules.may_answer(self._link, self._statement.text)
        if may and self._statement.parameters and rules.names_one(self._link, self._statement.text):
            self._extra_notes.append(
                "A rule may have answered with rows. They arrive only where the statement has no parameters."
            )
        return may and not self._statement.parameters

    def _all_notes(self) -> tuple[str, ...]:
        return (*self._extra_notes, *self._link.notices)

    def _all_results(self) -> list[PGresult]:
        """Return the statement's results, feeding a COPY the rows that stand behind it, and ending one that has none."""
        found = []
        while (one := self._link.result()) is not None:
            found.append(one)
            if one.status == ExecStatus.COPY_IN:
                self._feed()
            while one.status == ExecStatus.COPY_OUT and (size := self._link.pg.get_copy_data(1)[0]) >= 0:
                if size == 0:
                    self._link.wait()
        return found

    def _feed(self) -> None:
        """Send the rows of a COPY; without any, end it as failed."""
        link, rows = self._link, self._statement.rows or ""
        for start in range(0, len(rows), _FED_AT_ONCE):
            if link.cancelled:
                break
            piece = rows[start : start + _FED_AT_ONCE].encode()
            with link.losing_copy():
                while not link.pg.put_copy_data(piece):
                    link.flush()
                link.flush()
        is_fed = self._statement.rows is not None and not link.cancelled
        link.send(lambda: link.pg.put_copy_end(None if is_fed else b"this client feeds no COPY"))

    # --- statements with rows ---

    def _describe(self) -> PGresult:
        """Parse and describe in one round trip, under the name "" that leaves nothing on the server.

        Raises:
            TuskError: the server does not take the statement; or it is more than one.
        """
        marked = self._bound.is_unsure and self._link.status == TransactionStatus.INTRANS
        first: Exception | None = None
        while True:
            results = self._asked_to_describe(marked=marked)
            if (failed := self._link.failed(results)) is None:
                _, described, settings = results[marked : marked + 3]
                if not self._bound.learn_of_lists(described):
                    break
            else:
                error = self._error(failed)
                try:
                    changed = self._bound.learn(failed)
                except UsageError:
                    self._back_from_types(marked=marked)
                    raise
                if not changed:
                    raise first or error
                first = first or (error if self._bound.guesses else None)
            if failed is not None:
                self._back_from_types(marked=marked)
            self._sql = self._bound.sent.text
        self._asked = formats.asked(settings)
        self._may_cut = self._may_stop and (not self._called or settings.get_value(0, settings.nfields - 1) == b"0")
        return described

    def _back_from_types(self, *, marked: bool) -> None:
        """Undo a refusal of types in an open transaction."""
        if marked:
            self._link.run(f"ROLLBACK TO SAVEPOINT {TYPES_SAVEPOINT}; RELEASE SAVEPOINT {TYPES_SAVEPOINT}")

    def _asked_to_describe(self, *, marked: bool) -> list[PGresult]:
        """Return the answers; `marked`, between the two of a savepoint, to which to come back from a refusal."""
        pg = self._link.pg
        with self._link.losing():
            pg.enter_pipeline_mode()
        try:
            self._link.send(lambda: self._send_describe(marked=marked))
            results: list[PGresult] = []
            while True:
                if (one := self._link.result()) is None:
                    if not self._link.is_open:
                        raise self._link.lost()
                    continue
                if one.status == ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(one)
        finally:
            if self._link.is_open:
                pg.exit_pipeline_mode()

    def _send_describe(self, *, marked: bool) -> None:
        pg = self._link.pg
        if marked:
            pg.send_query_params(f"SAVEPOINT {TYPES_SAVEPOINT}".encode(), [])
        pg.send_prepare(b"", self._sql.encode(), list(self._bound.types) or None)
        pg.send_describe_prepared(b"")
        if self._called:
            names = ",".join(quoted_element(name.lower()) for name in self._called)
            pg.send_query_params(formats.QUERY + b", (" + _WRITERS + b")", [f"{{{names}}}".encode()])
        else:
            pg.send_query_params(formats.QUERY, [])
        if marked:
            pg.send_query_params(f"RELEASE SAVEPOINT {TYPES_SAVEPOINT}".encode(), [])
        pg.pipeline_sync()

    def _rows(self, described: PGresult) -> Rows:
        self._columns = columns_of(described, zone=self._link.setting("TimeZone"), names=self._names)
        self._surround()
        self._source = self._choose()
        self._source.start()
        self._steps = steps = self._batches(self._source)
        first = next(steps, None)
        only = self._source.ended  # the server has said its last word, and no second batch is being made of it
        return Rows(
            schema=first.schema if first is not None else schema_of(self._columns),
            batches=Batches(first, steps),
            types=[column.type_name for column in self._columns],
            notes=lambda: [*notes_of(self._columns, self._changed), *self._all_notes()],
            affected=lambda: self._source.affected if self._source else None,
            ended=lambda: only,
        )

    def _choose(self) -> Source:
        if self._may_stop and not self._statement.parameters:
            return CopySource(
                self._link, self._sql, self._columns, lambda failed: self._error(failed, before=len(PREFIX))
            )
        return RowSource(self._link, self._sql, self._bound, self._columns, self._error)

    def _surround(self) -> None:
        """Set what the result's text depends on; mark where to come back to in the user's transaction."""
        if self._may_stop and not self.guard.wrapped and self._link.status == TransactionStatus.INTRANS:
            self._link.run(f"SAVEPOINT {SAVEPOINT}")
            self._savepoint = True
        self._set_formats(frozenset().union(*(column.settings for column in self._columns)))

    def _set_formats(self, needed: frozenset[Setting]) -> None:
        """Set what texts of our form depend on, until the statement's end."""
        if values := formats.overrides(self._link, needed, self._asked):
            self._before, self._formats = formats.present(self._link, self._asked, values), values
            self._is_local = self._link.status == TransactionStatus.INTRANS
            self._link.run(formats.set_command(values, local=self._is_local))

    def _batches(self, source: Source) -> Generator[pa.RecordBatch, None, None]:
        try:
            for batch in parsed(source.jobs()):
                if self._may_stop and not source.ended:
                    self._link.raise_if_cancelled()
                yield batch
            self._leave(ok=True)
        except GeneratorExit:
            self._cut_off(source)
            raise
        except BaseException:
            self._leave(ok=False)
            raise

    # --- the end ---

    def close(self) -> None:
        """End the statement if its rows were left lying; idempotent."""
        if self._steps is not None:
            self._steps.close()

    def _cut_off(self, source: Source) -> None:
        """End a statement whose further rows nobody wants: read on for a moment, then cancel what only reads."""
        self._skip(source, until=deadline_in(SKIP_S) if self._may_cut else float("inf"))
        if not (source.ended or self._savepoint or self.guard.wrapped):
            has_written = self._has_written()
            if has_written:
                self._skip(source, until=float("inf"))
            elif has_written is None:
                self._extra_notes.append(_NOT_KNOWN_WHETHER_WRITTEN)
        cancelled = not source.ended
        if cancelled and self._savepoint:
            self._extra_notes.append(
                "The statement was stopped at the limit; what its functions changed or locked in this transaction is undone."
            )
        self._leave(ok=not cancelled)

    def _skip(self, source: Source, *, until: float) -> None:
        while self._link.is_open and not source.ended and (left := until - time.monotonic()) > 0:
            source.skip(min(left, 60.0))

    def _leave(self, *, ok: bool) -> None:
        """Put back what was changed around the statement. Idempotent; on a lost link there is nothing to put back."""
        if self._ended:
            return
        self._ended = True
        try:
            if self._link.is_open:
                self._finish_source()
                if ok and self._link.status != TransactionStatus.INERROR:
                    self._look_at_settings()
                self._put_back(undo=not ok and (self._link.cancelled or self._stopped))
        finally:
            self._link.end()

    def _look_at_settings(self) -> None:
        """See whether the rows' text was of our form to the end; the server does not report one of the settings by itself."""
        needed = frozenset().union(*(column.settings for column in self._columns))
        now = self._asked | self._formats
        if Setting.FLOAT_DIGITS in needed and not self._may_cut and self._command not in _WRITING:
            (answer,) = self._link.run(formats.QUERY.decode())
            now = formats.asked(answer)
        self._changed = formats.present(self._link, now, formats.overrides(self._link, needed, now))

    def _finish_source(self) -> None:
        """Stop a statement that still runs, and read its end."""
        if self._source is None or self._source.ended or self._link.status != TransactionStatus.ACTIVE:
            return
        self._link.cancel(by_user=False)
        self._stopped = True
        while not self._source.ended:
            self._source.skip(60.0)

    def _put_back(self, *, undo: bool) -> None:
        failed = self._link.status == TransactionStatus.INERROR
        if failed and undo and self._savepoint:
            self._link.run(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}")
        elif not failed:
            if self._before:
                self._link.run(formats.put_back_command(self._before, self._formats, local=self._is_local))
            if self._savepoint:
                self._link.run(f"RELEASE SAVEPOINT {SAVEPOINT}")
        self.guard.leave()

    def _error(self, failed: PGresult, *, before: int = 0) -> Exception:
        """Return the error of a failed result in terms of what the user wrote.

        Args:
            failed: what the server said.
            before: characters that the server got before the statement.
        """

        def place(position: int) -> int | None:
            if position < before or self._sql != self._bound.sent.text:
                return None
            return self._bound.sent.original(position - before)

        found = self._link.error(failed, place)
        if isinstance(found, TuskError) and self._statement.placeholders:
            self._bound.explain(found)
        return found
