"""The link to the server: libpq in non-blocking mode, waited for with `poll`.

psycopg's cursors would hold a whole result; here results are taken as they arrive, and the thread that waits holds no lock,
so that another one can cancel.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus

from tusk_drivers.postgresql.errors import ENDING, WARNED, Warned, is_ending, link_lost, query_error, warned_ending
from tusk_jupyter.errors import Cancelled, TuskError
from tusk_jupyter.protocol.scenarios import hint_for

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

CANCEL_TIMEOUT_S = 5.0
"""How long the server may take to receive a cancel request."""

MAX_NOTICES = 50
"""Notices kept per statement; a RAISE in a loop must not fill the memory."""

_GOOD = {
    ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.COPY_OUT, ExecStatus.COPY_IN, ExecStatus.EMPTY_QUERY,
    ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK, ExecStatus.PIPELINE_SYNC,
}  # fmt: skip
_COPIES = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH}


class Link:
    """A signed-in connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take over `connection`."""
        self.connection = connection
        self.pg = connection.pgconn
        self.notices: list[str] = []
        self.ruled: frozenset[str] | None = None
        """Names of the tables that have a rule which may yield rows; None until the server is asked."""
        self.cancelled = False
        self.farewell: str | None = None
        """The server's reason for ending the session while it was idle."""
        self._ending: PGresult | None = None
        """The error with which the server ends the session, once it has come."""
        self._warning: Warned | None = None
        """That the server ends the session; what a statement raises is no such warning if the link stands."""
        self._sql = ""
        """The user's statement that is under way."""
        self._busy = False
        self._state = threading.Lock()
        self._poll = select.poll()
        self._poll.register(self.pg.socket, select.POLLIN)
        connection.add_notice_handler(self._notice)

    # --- who may cancel what ---

    @contextmanager
    def working(self) -> Iterator[None]:
        """Mark the time in which a cancel has something to hit; leaving waits for a cancel under way."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self, sql: str = "") -> None:
        """A statement begins; `sql` is the user's."""
        with self._state:
            self._busy, self.cancelled = True, False
        self._warning, self._sql = None, sql
        self.notices.clear()

    def end(self) -> None:
        """A statement has ended: a cancel from now on has nothing to hit."""
        with self._state:
            self._busy = False

    def cancel(self, *, by_user: bool = True) -> bool:
        """Ask the server to stop the statement now running; False if none is."""
        with self._state:
            if not self._busy:
                return False
            self.cancelled = self.cancelled or by_user
            try:
                self.connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)
            except psycopg.OperationalError as exc:
                raise link_lost(f"The cancel request did not reach the server: {exc}") from exc
            return True

    def raise_if_cancelled(self) -> None:
        """End work on a statement whose cancel came while the server had nothing of it to stop.

        Raises:
            Cancelled: somebody asked for it.
        """
        if self.cancelled:
            raise Cancelled(
                "The run was cancelled; its rows were not fetched.",
                hint=hint_for("cancelled_by_user"),
                scenario="cancelled_by_user",
            )

    # --- state without a round trip ---

    @property
    def status(self) -> TransactionStatus:
        """The transaction as the server last said."""
        return TransactionStatus(self.pg.transaction_status)

    def setting(self, name: str) -> str:
        """Return a setting that the server reports by itself."""
        return (self.pg.parameter_status(name.encode()) or b"").decode()

    @property
    def is_open(self) -> bool:
        """Whether the link was standing when last used."""
        return not self.connection.closed and self.pg.status == ConnStatus.OK

    def is_alive(self) -> bool:
        """Return whether the link stands; reads what has arrived, waits for nothing."""
        if not self.is_open or self._busy:
            return self.is_open
        try:
            while self.is_open and self._poll.poll(0):  # the server's last word first, then the end
                self.pg.consume_input()
                self.pg.is_busy()  # reads what has come, and so calls `_notice` with the server's farewell
        except psycopg.OperationalError:
            return False
        return self.is_open and self.farewell is None

    def parting_words(self) -> str:
        """Return why an idle session has ended."""
        if self.farewell is not None:
            return f"The server had ended the session while it was idle: {self.farewell.rstrip('.')}."
        return "The link to the server had broken while the session was idle; the server gave no reason."

    # --- words out and in ---

    def flush(self) -> None:
        """Send what libpq holds."""
        while self.pg.flush():
            select.select([], [self.pg.socket], [], 1.0)
            self.pg.consume_input()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for input and take it in; False after `timeout_s` seconds without any."""
        if not self._poll.poll(None if timeout_s is None else timeout_s * 1000):
            return False
        try:
            self.pg.consume_input()
        except psycopg.OperationalError as exc:
            raise self._loss(exc) from exc
        return True

    def result(self) -> PGresult | None:
        """Return the next result whatever it says, None at the end of a command."""
        while self.pg.is_busy():
            self.wait()
        found = self.pg.get_result()
        if found is not None and found.status == ExecStatus.FATAL_ERROR and is_ending(found):
            self._ending = found  # what follows is that the link is closed
        return found

    def run(self, sql: str) -> list[PGresult]:
        """Run statements of our own that hold no value, and return their results.

        Raises:
            TuskError: one of them failed.
        """
        self.send(lambda: self.pg.send_query(sql.encode()))
        return self.results()

    def results(self) -> list[PGresult]:
        """Return all results of a command.

        Raises:
            TuskError: one of them is an error; the command has been read to its end.
        """
        found = self.all_results()
        for one in found:
            if one.status not in _GOOD:
                raise self.error(one)
        return found

    def all_results(self) -> list[PGresult]:
        """Return all results of a command, errors among them; the last one may be that the server ends the session."""
        found: list[PGresult] = []
        try:
            while (one := self.result()) is not None:
                found.append(one)
        except TuskError:
            if self.failed(found) is None:
                raise
        return found

    def send(self, action: Callable[[], object]) -> None:
        """Do what sends, and see that it leaves."""
        with self.losing():
            action()
            self.flush()

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Turn the loss of the link into its error."""
        try:
            yield
        except psycopg.OperationalError as exc:
            raise self._loss(exc) from exc

    @contextmanager
    def losing_copy(self) -> Iterator[None]:
        """As `losing`, while COPY takes rows: until its end libpq reads nothing that the server says, and psycopg drops it."""
        try:
            yield
        except psycopg.OperationalError as exc:
            if self.is_open:  # libpq was refused memory: psycopg ends the COPY
                raise
            with suppress(psycopg.OperationalError):
                self.pg.put_copy_end(b"the link is lost")
            raise self._loss(exc) from exc

    def lost(self) -> Exception:
        """Return the error of a link that is closed."""
        return self._loss(psycopg.OperationalError("server closed the connection"))

    def _loss(self, exc: psycopg.OperationalError) -> Exception:
        """Return the error that the server sent before it closed the connection, or that it is closed."""
        if self._ending is not None:
            return self.error(self._ending)
        lost = link_lost(str(exc), by_user=self.cancelled)
        # Where libpq cannot read on, or the answer of a link that stands is under way, the next result would be waited for
        # with all threads of this process.
        if not isinstance(lost, MemoryError) and not (self.is_open and self.pg.is_busy()):
            # A COPY's result comes again and again until its rows are read.
            while (one := self.pg.get_result()) is not None and one.status not in _COPIES:
                if one.error_field(DiagnosticField.SQLSTATE):
                    return self.error(one)
            if self._warning is not None:
                lost = warned_ending(self._warning)
        self.close()  # what is left of the answer would be the next statement's
        return lost

    def error(self, result: PGresult, place: Callable[[int], int | None] | None = None) -> Exception:
        """Return the error of a failed result.

        Args:
            result: the failed one.
            place: maps the server's 0-based position to the statement's text.
        """
        return query_error(result, by_user=self.cancelled, place=place, sql=self._sql)

    def failed(self, results: Sequence[PGresult]) -> PGresult | None:
        """Return the first failed result."""
        return next((one for one in results if one.status not in _GOOD), None)

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if (
            notice.severity_nonlocalized or notice.severity
        ) in ENDING:  # outside of a statement, libpq tells errors here
            self.farewell = notice.message_primary or ""
            return
        if notice.sqlstate in WARNED:
            self._warning = Warned(
                notice.message_primary or "", notice.sqlstate, notice.message_detail, notice.source_function
            )
        if len(self.notices) < MAX_NOTICES:
            self.notices.append(f"{(notice.severity or 'NOTICE').capitalize()}: {notice.message_primary}")

    def close(self) -> None:
        """Close the link; idempotent."""
        self.connection.close()


def deadline_in(seconds: float) -> float:
    """Return the monotonic time in `seconds`."""
    return time.monotonic() + seconds
