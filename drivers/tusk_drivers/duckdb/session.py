"""A session: one DuckDB connection of its own on an instance that other sessions may share.

Decision to question: a read-only session runs each statement in a read-only transaction of its own rather than opening
the file read-only, because DuckDB takes one access mode per file and process and others may write in this one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self, TypeVar

import duckdb
import pyarrow as pa

from tusk_drivers.duckdb import catalog, guard, instances, memory, plan, snapshot, taken_keys, upload
from tusk_drivers.duckdb.answers import Answer, answer
from tusk_drivers.duckdb.attached import check_path
from tusk_drivers.duckdb.contained import Contained, contained
from tusk_drivers.duckdb.definitions import Definitions, Effect, effect_of
from tusk_drivers.duckdb.errors import ENGINE_ERRORS, cancelled, report_of, translate
from tusk_drivers.duckdb.parameters import OTHER_TYPE, bound, compared_list, explain, is_array, mixed, shown
from tusk_drivers.duckdb.paths import Paths
from tusk_drivers.duckdb.results import PIECE_ROWS, Result
from tusk_drivers.duckdb.settings import LOG_WAS_ON, check_shared
from tusk_drivers.duckdb.words import kind_of
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Changed, Rows, Session, Settings, Transaction
from tusk_jupyter.driverkit.transactions import not_committed
from tusk_jupyter.protocol.driver import Description, Snapshot, TreeNode
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_jupyter.sqltext.replaced import Replaced
from tusk_jupyter.sqltext.statements import Statement

_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE_INTO", "COPY"})
_YIELDS = frozenset({"SELECT", "EXPLAIN", "PRAGMA", "CALL", "EXECUTE", "MULTI", "RELATION"})
_RETURNING = frozenset({"returning", "return_files", "return_stats"})
_COMMITS = ("commit", "end")
_SUCCESS = ("Success",)
"""Columns of what DuckDB answers, without a row, to a statement that has no rows of its own."""


T = TypeVar("T")
_Failed = Callable[[BaseException], errors.TuskError]
_Finished = Callable[[bool], Sequence[str]]


class DuckDBSession(Session):
    """See the module."""

    dialect = "duckdb"
    keeps_nanoseconds = True

    def __init__(self, instance: instances.Instance, settings: Settings) -> None:
        """Take a connection on `instance`."""
        self._instance = instance
        self._settings = settings
        self._connection = instance.cursor()
        self._read_only = settings.read_only
        self._transaction = Transaction.IDLE
        self._result: Result | None = None
        self._paths = Paths()
        self._definitions = Definitions(instance.definition_changes)
        self._closed = self._broken = False
        self._logs_told = len(instance.lost_logs)
        self._settling = threading.Lock()
        """Held while a transaction of our own is ended."""

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Open the file, or share it with the sessions that have it open here.

        Raises:
            ConnectError: it cannot be opened; the process that holds it is named.
        """
        instance = instances.acquire(settings)
        try:
            return cls(instance, settings)
        except BaseException:
            instances.release(instance)
            raise

    # --- statements ---

    def execute(self, statement: Statement, parameters: Mapping[str, object]) -> Rows | Changed:
        """Run one statement.

        Raises:
            QueryError: DuckDB rejected it, or it writes and the session is read-only.
            UsageError: it would change what the driver needs as it is.
        """
        self._release_result()
        sent, sql = Replaced(statement.text), statement.text
        values: dict[str, object] = {}
        self._enter()
        try:
            self._tell_of_lost_log()
            if statement.placeholders or "$" in sql:
                in_transaction = self._transaction is not Transaction.IDLE
                sent, values = bound(
                    statement,
                    parameters,
                    self._connection,
                    in_transaction=in_transaction,
                    may_prepare=not self._read_only,  # the guard has not seen it yet
                )
                sql = sent.text
            parsed = self._connection.extract_statements(sql)
            kinds = [kind_of(one) for one in parsed]
            if not parsed:
                self._leave()
                return Changed()
            self._instance.attached.look(self._connection, self, kinds, sql)
            self._paths.enter(self._connection, sql, kinds[-1])
            inside = contained(self._connection, parsed)
            for one in inside:
                guard.check_settings(one.sql, one.kind, extensions=self._settings.text("extensions") or "manual")
                check_path(self._connection, one.kind, one.sql)
            own = self._allow(sql, parsed, inside)
        except ENGINE_ERRORS as exc:
            self._leave()
            raise self._failure(exc, sent, sql, values) from exc
        except BaseException:
            self._leave()
            raise
        return self._run(sent, sql, kinds[-1], values, inside, own_transaction=own)

    def _allow(self, sql: str, parsed: Sequence[duckdb.Statement], inside: Sequence[Contained]) -> bool:
        """Check what the session may run; return whether it runs in a read-only transaction of its own, begun here."""
        if not self._read_only:
            self._check_others(inside)
            return False
        own = self._transaction is Transaction.IDLE and kind_of(parsed[0]) != "TRANSACTION"
        try:
            if own:
                self._connection.execute("BEGIN TRANSACTION READ ONLY")
            guard.check_read_only(self._connection, sql, parsed)
            self._check_others(inside)
        except BaseException:
            self._end_own(own)
            raise
        return own

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """Keep the database open while the block uses it, though its file is replaced meanwhile.

        Raises:
            ConnectError: the file is not what it was.
        """
        self._enter()
        try:
            yield
        finally:
            self._instance.leave(self)

    def _enter(self) -> None:
        """Begin to use the file, which is kept open until `_leave`; the session is over if it is not what it was.

        Raises:
            ConnectError: it was deleted, moved, replaced or written over.
        """
        self._instance.enter(self)  # before the look: whoever lets go of a replaced file looks there first
        file = self._instance.file
        if file is None or file.is_there:
            return
        self._instance.leave(self)
        self._broken = True
        if file.is_written_over:
            instances.let_go(self._instance)
        raise file.gone()

    def _tell_of_lost_log(self) -> None:
        """Refuse this session's first statement after a log was removed; a look at the schema would show no refusal."""
        if len(self._instance.lost_logs) > self._logs_told:
            self._logs_told += 1
            raise self._instance.lost_logs[self._logs_told - 1].error()

    def _leave(self) -> None:
        """End the statement, for the others in this process; idempotent."""
        self._paths.leave()
        self._instance.leave(self)

    def _check_others(self, inside: Sequence[Contained]) -> None:
        """Refuse what would change something for other sessions on the file."""
        if self._instance.path is not None:
            for one in inside:
                check_shared(self._connection, one.kind, one.sql)
                self._instance.attached.check(self._connection, self, one.kind, one.sql)
                self._instance.secrets.check(self, one.kind, one.sql)

    def _run(
        self,
        sent: Replaced,
        sql: str,
        kind: str,
        parameters: dict[str, object],
        inside: Sequence[Contained],
        *,
        own_transaction: bool,
    ) -> Rows | Changed:
        hides, defines = False, Effect.NONE

        def failed(exc: BaseException) -> errors.TuskError:
            return self._failure(exc, sent, sql, parameters)

        def finished(done: bool) -> Sequence[str]:
            self._end_own(own_transaction)
            self._instance.attached.note_after(self._connection, self, inside, self._instance.path, done=done)
            self._definitions.note(defines, is_in_transaction=self._transaction is not Transaction.IDLE)
            log_was_on = hides and self._instance.end_log()
            self._leave()
            return (LOG_WAS_ON,) if log_was_on else ()

        try:
            hides, defines = self._may_hide_calls(sql), effect_of(inside)
            self._definitions.note(defines, is_in_transaction=self._transaction is not Transaction.IDLE)
            if self._read_only and hides and kind != "TRANSACTION":
                guard.check_sequences(self._connection, sql, self._definitions)
                if kind == "PRAGMA" and self._definitions.hide_calls(self._connection, at_once=True):
                    raise guard.no_pragma()
                self._check_plan(sent, sql, kind, parameters)
            if kind == "TRANSACTION":
                outcome: Rows | Changed = self._control(sql)
            elif kind in _YIELDS or _mentions_returning(sql):
                outcome = self._query(sent, sql, kind, parameters, failed, finished)
            else:
                outcome = self._command(sql, kind, parameters, inside)
        except ENGINE_ERRORS as exc:
            finished(False)
            raise failed(exc) from exc
        except BaseException:
            finished(False)
            raise
        if isinstance(outcome, Changed):
            return dataclasses.replace(outcome, notes=(*outcome.notes, *finished(True)))
        return outcome

    def _may_hide_calls(self, sql: str) -> bool:
        """Return whether something must be done about functions that a statement may run and its text does not show."""
        if not self._read_only and self._instance.path is None:
            return False
        return plan.calls_unknown(sql) or plan.runs_others(sql) or self._definitions.hide_calls(self._connection)

    def _check_plan(self, sent: Replaced, sql: str, kind: str, parameters: dict[str, object]) -> None:
        """Refuse, in a read-only session, what views and macros would run beyond reading.

        Raises:
            QueryError: scenario read_only, or DuckDB's own of the statement.
        """
        if kind == "SELECT" and not parameters and self._transaction is not Transaction.IDLE:
            self._connection.sql(sql)  # an error of EXPLAIN would abort the open transaction, this one's does not
        for text in guard.planned(self._connection, sql, kind):
            try:
                names = plan.functions_of(self._connection, text, parameters)
            except ENGINE_ERRORS as exc:
                raise self._failure(exc, sent, sql, parameters, before=plan.EXPLAIN) from exc
            guard.check_functions(names)

    def _query(
        self,
        sent: Replaced,
        sql: str,
        kind: str,
        parameters: dict[str, object],
        failed: _Failed,
        finished: _Finished,
    ) -> Rows | Changed:
        given = answer(self._connection, sql, kind, parameters or None)
        if given is None:
            return Changed()
        given = dataclasses.replace(given, names=tuple(shown(name, sent) for name in given.names))
        if given.affected is not None:
            self._connection.complete()
            return Changed(affected=given.affected)
        if kind != "SELECT" and given.names == _SUCCESS:
            given = _with_rows(given)
            if given is None:
                return Changed()
        self._result = Result(given, failed=failed, finished=finished)
        return self._result.rows(changes=kind in _CHANGES)

    def _command(self, sql: str, kind: str, parameters: dict[str, object], inside: Sequence[Contained]) -> Changed:
        attached = self._instance.attached
        with attached.letting_go(self._connection, sql) if kind == "DETACH" else contextlib.nullcontext():
            self._connection.execute(sql, parameters or None)
        count = self._connection.rowcount
        self._connection.complete()
        if kind == "SET":
            self._paths.note_setting(sql)
        affected = count if count >= 0 and kind in (*_CHANGES, "CREATE") else None
        is_shared = self._instance.path is not None
        return Changed(affected=affected, notes=self._instance.secrets.note_after(self, inside) if is_shared else ())

    def _control(self, sql: str) -> Changed:
        first = next(sql[t.start : t.end].lower() for t in tokens(sql, _DIALECT) if t.kind is not Kind.COMMENT)
        begins = first in ("begin", "start")
        if first in _COMMITS:
            self._look_at_transaction()
            if self._transaction is Transaction.FAILED:
                self._connection.execute("ROLLBACK")  # that is what DuckDB does at its COMMIT, without a word
                self._transaction = Transaction.IDLE
                if self._paths.stopped.is_set():  # it reached the look above, and aborted the transaction
                    raise cancelled()
                raise not_committed(first.upper())
        if self._read_only and (begins or self._transaction is Transaction.OPEN):
            sql = "BEGIN TRANSACTION READ ONLY" if begins else "ROLLBACK"  # temp tables of a reader's are not kept
        self._connection.execute(sql)
        self._connection.complete()
        self._transaction = Transaction.OPEN if begins else Transaction.IDLE
        return Changed()

    def _failure(
        self,
        exc: BaseException,
        sent: Replaced,
        sql: str,
        parameters: Mapping[str, object],
        *,
        before: str = "",
    ) -> errors.TuskError:
        """Return DuckDB's error as ours; `before` is what stood before `sql`."""
        found = (None if before else self._with_place(exc, sql, parameters)) or _translated(exc, before, sql)
        found.message = shown(found.message, sent)
        if "Failed to cast value" in found.message and (names := mixed(parameters)):
            found.message = f"DuckDB found no type for all items of :{', :'.join(names)}: {found.message}"
            found.hint = f"Pass JSON, and cast it: `json.dumps({names[0]})`, and `:{names[0]}::JSON` in the SQL."
        if "IN/ANY/ALL" in found.message and is_array(sent):
            found.hint = OTHER_TYPE
        elif found.hint is None:
            found.hint = compared_list(found.message, sent, parameters)
        if found.scenario == "transaction_failed" and self._paths.stopped.is_set():
            found = cancelled()  # the stop reached a query of the driver's own, which aborts the transaction too
        self._broken = self._broken or isinstance(exc, duckdb.FatalException | duckdb.InternalException)
        if found.scenario == "no_such_file" or (found.code == "IO" and self._paths.place.problem):
            found.hint = self._paths.hint(found.message, found.hint)
        if found.scenario == "missing_dependency" and self._read_only:
            found.hint = guard.LOADED_BY_WRITERS
        if found.scenario == "memory_limit":
            found.hint = self._instance.limit.hint()
        if found.scenario == "read_only" and self._instance.read_only and not self._read_only:
            found.hint = (
                f"{self._instance.path} is open for reading only: it, or its folder, was write-protected, or another "
                "process held it. Change that, close all sessions on the file, and run the cell again."
            )
        if found.scenario == "undefined_table" and self._instance.created and self._is_empty():
            found.hint = f"The file {self._instance.path} did not exist when it was opened here: check its path."
        if found.position is not None:
            found.position = sent.original(found.position)
        explain(found, sent)
        taken_keys.hide_secret(found, self._connection, can_ask=self._transaction is Transaction.IDLE)
        self._look_at_transaction()
        self._instance.note()
        return found

    def _is_empty(self) -> bool:
        """Return whether no table is known to be in the file; not asked in a transaction, which the error has aborted."""
        if self._transaction is not Transaction.IDLE:
            return False
        try:
            return not self._connection.execute("SELECT 1 FROM duckdb_tables() WHERE NOT internal LIMIT 1").fetchall()
        except duckdb.Error:
            return False

    def _with_place(self, exc: BaseException, sql: str, parameters: Mapping[str, object]) -> errors.TuskError | None:
        """Ask for a binder's error once more: `sql()` tells it without its place, and EXPLAIN runs nothing.

        Not in an open transaction, which this error would abort while that of `sql()` leaves it open.
        """
        bound = isinstance(exc, duckdb.BinderException | duckdb.CatalogException)
        if not bound or report_of(exc).fields or self._transaction is not Transaction.IDLE:
            return None
        try:
            self._connection.execute(f"{_EXPLAIN}{sql}", dict(parameters) or None).fetchall()
        except duckdb.Error as again:
            return _translated(again, _EXPLAIN, sql)
        return None

    # --- transactions ---

    def _end_own(self, own: bool) -> None:
        """End a read-only session's transaction; nothing that a statement made stays, as read_csv's tables of rejects."""
        if not own:
            return
        with self._settling:  # no further interrupt reaches this
            for _ in range(_INTERRUPTED_TRIES):
                try:
                    self._connection.execute("ROLLBACK")
                except duckdb.InterruptException:  # meant for the statement that is over
                    continue
                except duckdb.TransactionException:  # the error before this has ended it
                    return
                return

    def _look_at_transaction(self) -> None:
        """After an error: some abort the open transaction, a failed COMMIT ends it, others leave it as it is."""
        if self._transaction is Transaction.IDLE:
            return
        try:
            first, second = (self._connection.execute(_TRANSACTION_ID).fetchall() for _ in range(2))
        except duckdb.Error:
            self._transaction = Transaction.FAILED
        else:
            self._transaction = Transaction.OPEN if first == second else Transaction.IDLE

    @property
    def transaction(self) -> Transaction:
        """The transaction, as the statements and errors so far left it."""
        return self._transaction

    def work_in(self, folder: str | None) -> None:
        """Begin relative paths at `folder`."""
        self._paths.begin_at(folder)

    def set_read_only(self, on: bool) -> None:
        """Refuse writes, or allow them again.

        Raises:
            UsageError: inside an open transaction.
        """
        if on == self._read_only:
            return
        self._release_result()
        if self._transaction is not Transaction.IDLE:
            raise errors.UsageError(
                "The session's open transaction cannot change between read-only and writing.",
                hint="End it with COMMIT or ROLLBACK first.",
            )
        self._read_only = on

    # --- life ---

    def interrupt(self) -> None:
        """Stop this session's statement; other sessions on the file go on."""
        self._paths.stopped.set()
        if self._closed or not self._settling.acquire(blocking=False):
            return  # the statement is over, and its transaction is being ended
        try:
            self._connection.interrupt()
        finally:
            self._settling.release()

    def is_alive(self) -> bool:
        """Return whether the session is open and DuckDB has not given up its database after a fatal error."""
        return not (self._closed or self._broken)

    def close(self) -> None:
        """End the session, and let go of the file with the last one on it."""
        if self._closed:
            return
        self._closed = True
        try:
            self._release_result()
        finally:
            self._paths.close()
            self._instance.attached.forget(self)
            self._instance.secrets.forget(self)
            self._let_go_of_connection()
            instances.release(self._instance)

    def reset(self) -> None:
        """Start over on a new connection: temp tables, settings and an open transaction go with the old one."""
        self._release_result()
        self._let_go_of_connection()
        self._connection = self._instance.cursor()
        self._paths.forget_settings()
        self._transaction = Transaction.IDLE
        self._read_only = self._settings.read_only

    def _let_go_of_connection(self) -> None:
        """Close the connection; DuckDB may write into the file as an open transaction ends."""
        self._instance.enter(self)
        try:
            self._instance.drop(self._connection)
        finally:
            self._instance.leave(self)

    def _release_result(self) -> None:
        result, self._result = self._result, None
        if result is not None:
            result.close()

    def give_back(self) -> None:
        """Have DuckDB return what it keeps, and go on with what is left."""
        memory.give_back()
        self._instance.limit.fit_what_is_left()

    # --- what answers ---

    @property
    def server(self) -> str:
        """DuckDB's version, and what is particular about the file."""
        new = f", new file {self._instance.path}" if self._instance.created else ""
        closed = ", opened read-only" if self._instance.read_only else ""
        return f"DuckDB {duckdb.__version__}{new}{closed}{self._instance.limit.about}"

    def tree(self, path: Sequence[str]) -> list[TreeNode]:
        """List databases, schemas, tables or columns."""
        return self._asking(lambda connection: catalog.tree(connection, path))

    def describe(self, path: Sequence[str]) -> Description:
        """Describe a table or view.

        Raises:
            QueryError: there is none; scenario undefined_table.
        """
        return self._asking(lambda connection: catalog.describe(connection, path))

    def snapshot(self) -> Snapshot:
        """Read the whole schema."""
        return self._asking(snapshot.snapshot)

    def _asking(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        self._release_result()
        try:
            with self._at_work():
                return question(self._connection)
        except duckdb.Error as exc:
            raise self._told(exc) from exc

    def _told(self, exc: duckdb.Error) -> errors.TuskError:
        found = translate(exc)
        if found.scenario == "memory_limit":
            found.hint = self._instance.limit.hint()
        return found

    def upload(self, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
        """Write the reader's rows in one statement, which is one transaction unless one is open.

        Raises:
            QueryError: the session is read-only, or DuckDB refused the table or a row.
        """
        self._release_result()
        if self._read_only:
            raise errors.QueryError(
                "A read-only session takes no upload.", hint=hint_for("read_only"), scenario="read_only"
            )
        try:
            with self._at_work():
                self._tell_of_lost_log()
                self._instance.attached.look(
                    self._connection, self, ("INSERT",), "".join(f' "{name}"' for name in table)
                )
                open_now = self._transaction is not Transaction.IDLE
                return upload.write(self._connection, table, reader, append=append, in_transaction=open_now)
        except duckdb.Error as exc:
            found = self._told(exc)
            taken_keys.hide_secret(found, self._connection, can_ask=self._transaction is Transaction.IDLE)
            raise found from exc
        finally:
            self._look_at_transaction()
            self._instance.note()


_EXPLAIN = "EXPLAIN "
_DIALECT = dialect_named("duckdb")
_INTERRUPTED_TRIES = 100
_TRANSACTION_ID = "SELECT system.main.current_transaction_id()"


def _with_rows(given: Answer) -> Answer | None:
    """Return an answer that has rows with them, or None."""
    rows = given.read(PIECE_ROWS).read_all()
    return Answer(given.names, given.types, lambda _: rows.to_reader()) if rows.num_rows else None


def _translated(exc: BaseException, before: str, sql: str) -> errors.TuskError:
    found = translate(exc, f"{before}{sql}")
    if found.position is not None:
        found.position = max(0, found.position - len(before))
    return found


def _mentions_returning(sql: str) -> bool:
    return any(sql[t.start : t.end].lower() in _RETURNING for t in tokens(sql, _DIALECT) if t.kind is Kind.WORD)


SESSION = DuckDBSession
