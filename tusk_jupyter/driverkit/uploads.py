"""One upload: a table on its way into the database, with the same words to the core as a run."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

import pyarrow as pa

from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.driverkit.consumers import Consumers
from tusk_jupyter.driverkit.runs import session_state
from tusk_jupyter.driverkit.session import Session, Transaction
from tusk_jupyter.driverkit.transactions import tell_transaction
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.protocol.scenarios import TABLE_EXISTS, UNDEFINED_TABLE
from tusk_jupyter.protocol.stream import StatementReport, Trailer
from tusk_jupyter.sqltext.hiding import redact_text
from tusk_jupyter.sqltext.quoted_values import hide_every_value
from tusk_jupyter.sqltext.secret_names import is_secret_parameter
from tusk_jupyter.sqltext.table_names import name_parts


class Upload:
    """An upload under way: `take` is called by the client's DoPut; what it says goes to `words`."""

    def __init__(
        self, message: driver.Upload, session: Session, words: Words, consumers: Consumers | None = None
    ) -> None:
        """Take the upload in; the rows come with `take`."""
        self.id = message.run
        self.ticket = message.ticket
        self._consumers = consumers or Consumers()
        self._message = message
        self._session = session
        self._rows = 0
        self._taken = threading.Event()
        self._ended = threading.Event()
        self._cancelled = threading.Event()
        self._refused = False
        """Whether its rows were cut off, so that nothing of them stays."""
        self._before = Transaction.IDLE
        """The transaction before the rows came."""
        self._words = words
        self._told: tuple[int, driver.LockWait | None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the upload has finished, failed or been cancelled."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the upload's end; return whether it has ended."""
        return self._ended.wait(timeout_s)

    def progress(self) -> driver.RunEvent | None:
        """Return how far the upload is, or None if nobody has come with it yet or it is no further than it was told last."""
        if not self._taken.is_set() or self.ended:
            return None
        now = (self._rows, self._session.lock_wait)
        if now == self._told:
            return None
        event = "started" if self._told is None else "progress"
        self._told = now
        return driver.RunEvent(run=self.id, event=event, rows=now[0], lock_wait=now[1])

    def cancel(self) -> None:
        """Stop: the next batch is refused and the statement under way is interrupted; of one that has ended, nothing is."""
        if self.ended:
            return
        self._cancelled.set()
        if self._taken.is_set():
            self._session.interrupt()
        else:  # the client may never come
            self._end(_cancelled(), ())

    def take(self, reader: pa.RecordBatchReader, is_gone: Callable[[], bool] = lambda: False) -> Trailer:
        """Write all rows of `reader`; nothing stays written when it fails.

        Args:
            reader: the client's rows. They end as cleanly when the client is killed as when they were all.
            is_gone: whether the client has gone.

        Raises:
            TuskError: as `Session.upload`, or Cancelled.
        """
        self._taken.set()
        if self.ended:
            raise _cancelled()
        self._before = self._session.transaction
        began = perf_counter()
        counted = pa.RecordBatchReader.from_batches(reader.schema, self._count(reader, is_gone))
        try:
            with self._consumers.watched(self, is_gone):
                table = name_parts(self._message.table, self._session.dialect)
                written = self._session.upload(table, counted, append=self._message.append)
        except BaseException as exc:
            failure = self._failure(exc)
            if isinstance(failure, errors.TuskError):  # a server may quote a row's value
                self._hide_values(failure, reader.schema.names)
            self._end(failure, ())
            if failure is exc:
                raise
            raise failure from exc
        report = StatementReport(
            index=0,
            command="APPEND" if self._message.append else "CREATE TABLE",
            affected=written,
            elapsed_s=perf_counter() - began,
        )
        self._end(None, (report,))
        return Trailer(
            transaction=self._session.transaction.value, statements=(report,), notes=tuple(self._session.upload_notes)
        )

    def _hide_values(self, exc: errors.TuskError, columns: Sequence[str]) -> None:
        """Take secrets out of an error; where a column holds them, all values, for a message may not tell whose one is."""
        hides = any(is_secret_parameter(name) for name in columns)
        names = {*columns, *re.split(r"[.\"`\[\]]", self._message.table), self._message.table}
        exc.reword(lambda text: redact_text(hide_every_value(text, names) if hides else text, ()))

    def _failure(self, exc: BaseException) -> BaseException:
        """Return what is reported for an upload that ended with `exc`."""
        if isinstance(exc, errors.Cancelled):
            if exc.scenario != "cancelled_on_server" or self._cancelled.is_set():
                return _cancelled()
            exc.message = f"{exc.message} Nothing of the upload stays."
            return exc
        if isinstance(exc, errors.QueryError) and exc.scenario == TABLE_EXISTS and not self._message.append:
            exc.hint = (
                f"To add the rows to it: `--append DF AS {self._message.table}`. For a new table: another name (`--persist DF "
                f"AS NAME`), or first `DROP TABLE {self._message.table}`."
            )
        if isinstance(exc, errors.QueryError) and exc.scenario == UNDEFINED_TABLE and self._message.append:
            exc.hint = f"{exc.hint or ''} For a new table: `--persist DF AS {self._message.table}`.".strip()
        refused = self._refused and not isinstance(exc, errors.ConnectError)  # it may be wrapped in an engine's error
        return _cancelled() if refused else memory.told(exc) or exc

    def _count(self, reader: pa.RecordBatchReader, is_gone: Callable[[], bool]) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            if self._cancelled.is_set():
                self._refused = True
                raise _cancelled()
            self._rows += batch.num_rows
            yield batch
        if self._cancelled.is_set() or is_gone():  # or what came of the rows would be committed as all of them
            self._cancelled.set()
            self._refused = True
            raise _cancelled()

    def _end(self, exc: BaseException | None, reports: tuple[StatementReport, ...]) -> None:
        if not self.ended:
            self._ended.set()
            told = tell_transaction(exc, self._session, self._before, "")
            memory.give_back(exc, self._session.give_back)
            self._words.say(
                driver.RunEvent(
                    run=self.id,
                    event="failed" if exc else "finished",
                    rows=self._rows,
                    statements=reports,
                    **session_state(self._session),
                    transaction_end=told,
                    error=to_wire(exc) if exc else None,
                )
            )


def _cancelled() -> errors.Cancelled:
    return errors.Cancelled(
        "The upload was cancelled; nothing of it stays.",
        hint="The session is still there.",
        scenario="cancelled_by_user",
    )
