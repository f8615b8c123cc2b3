"""The DuckDB file that the journal is projected into, and every read of it.

Writing into it is nobody's business but the projection's: one thread takes durable records in batches, and stores the
number of the last one in the same transaction, so that each is applied exactly once however often the process is
killed. A read first waits until all acknowledged records are in.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state import statefile
from tusk_jupyter.state.frame import Damage, Record
from tusk_jupyter.state.tables import Changes

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from tusk_jupyter.state.journal import Journal

BATCH = 1000
"""Records that are written together. A process keeps the most that it ever needed: when records had piled up, 5,000 took 10 MB
and 1,000 take half of that; 100,000 records are brought in again in 1.8 s, with 5,000 in 1.4."""
LINGER_S = 1.0  # records wait so long for more, to be written together; whoever reads cuts it short
WAIT_S = 30.0
RETRY_S = 5.0  # between tries while the file cannot be written
OPEN_ANEW_AFTER = 3_000
"""Records between two openings of the file: DuckDB keeps in memory what it has written, up to its limit. Without them the core
had 8 MB more after 50,000 runs; with 10,000 records between them it went up and down by 3 MB. Opening takes 0.06 s, also with
512,000 rows."""


class Database:
    """The state file; threads may read at once.

    Attributes:
        notices: what the user must hear, as that the file was damaged and drawn anew.
        applied_seq: number of the last record that is in the tables.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        """Open the state file, or make it, and bring it up to the journal's end.

        Raises:
            StorageError: the file is a newer version's, is held by another process, or cannot be written.
        """
        self.path = path
        self.journal = journal
        self.notices: list[str] = []
        self.applied_seq = 0
        self._since_opened = 0
        self.erasing = threading.Lock()
        """Held by who takes text out of the files."""
        self._queue: deque[Record] = deque()
        self._lock = threading.Condition()
        self._file = (
            threading.RLock()
        )  # held by who uses the connection; one thread is all the DuckDB instance has anyway
        self._urgent = self._closing = False
        self._error: StorageError | None = None
        cut = journal.begun_anew and path.exists()  # the journal is there before the state file is
        self._con = self._adopt(*statefile.open_file(path))
        if cut and self.applied_seq <= journal.last_seq:
            self.notices.append(
                f"The journal in {journal.folder} was cut off from outside: the start of its last file was gone. What it"
                " recorded there and the state file did not have yet is lost."
            )
        self._catch_up_at_start()
        journal.on_durable(self._take)
        self._thread = threading.Thread(target=self._project, name="tusk-projection", daemon=True)
        self._thread.start()

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a SELECT once all acknowledged records are in the tables; return its rows.

        Raises:
            StorageError: the state file cannot be read or written.
        """
        import duckdb

        self.catch_up()
        try:
            return self._fetch(sql, parameters)
        except duckdb.Error as exc:
            self._mend(exc)
        try:
            return self._fetch(sql, parameters)
        except duckdb.Error as exc:
            raise StorageError(f"The state file {self.path} could not be read: {exc}") from exc

    def _fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._file:
            return self._con.execute(sql, list(parameters)).fetchall()

    def catch_up(self) -> None:
        """Wait until every record that is durable now is in the tables.

        Raises:
            StorageError: it cannot be brought in.
        """
        goal = self.journal.last_seq
        with self._lock:
            if self.applied_seq >= goal:
                return
            self._urgent, self._error = True, None
            self._lock.notify_all()
            done = self._lock.wait_for(lambda: self.applied_seq >= goal or self._error or self._closing, WAIT_S)
            if self.applied_seq >= goal:
                return
            error = self._error
        if error is not None:
            raise StorageError(error.message, hint=error.hint)
        raise StorageError(
            f"The state file {self.path} {'is closed' if done else f'did not catch up within {WAIT_S:g} s'}."
        )

    # --- the projection --------------------------------------------------------------------------------------------

    def _take(self, records: Sequence[Record]) -> None:
        """Queue durable records; called by the journal, in order."""
        with self._lock:
            waits = not self._queue  # the thread sleeps until there is something; then it lingers for more
            self._queue.extend(records)
            if waits or len(self._queue) >= BATCH:
                self._lock.notify_all()

    def _project(self) -> None:
        """The thread's body: apply batch after batch until the database is closed."""
        while batch := self._next_batch():
            error = self._apply_or_mend(batch)
            with self._lock:
                self._error = error
                self._lock.notify_all()

    def _next_batch(self) -> list[Record]:
        """Wait for records; an empty list says that no more will come."""
        with self._lock:
            if self._error is None:
                self._lock.wait_for(lambda: self._closing or self._queue)
            else:
                self._lock.wait_for(lambda: self._closing or self._urgent, RETRY_S)
            if self._error is not None and self._closing:
                return []  # the journal has them: the next start brings them in
            self._lock.wait_for(lambda: self._closing or self._urgent or len(self._queue) >= BATCH, LINGER_S)
            self._urgent = False
            return [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]

    def _apply_or_mend(self, batch: list[Record]) -> StorageError | None:
        """Apply a batch, if need be after mending the file; if it still fails, the records stay queued."""
        import duckdb

        try:
            try:
                self._apply(batch)
                self._open_anew_at_times(len(batch))
            except duckdb.Error as exc:
                self._mend(exc)
                self._apply(batch)
        except (duckdb.Error, StorageError, OSError, MemoryError) as exc:
            with self._lock:
                self._queue.extendleft(reversed(batch))
            return StorageError(
                f"The state file {self.path} could not be written: {exc}",
                hint="Nothing is lost: it is in the journal. Make room on the disk and try again.",
            )
        return None

    def _apply(self, records: list[Record]) -> None:
        """Write records into the tables; one that no table can take is passed over, with a notice."""
        import duckdb

        try:
            self._write(records)
        except (duckdb.DataError, duckdb.InvalidInputException) as exc:
            if len(records) > 1:  # halve until the one is found: it must not hold up all that follow
                middle = len(records) // 2
                self._apply(records[:middle])
                self._apply(records[middle:])
                return
            self.notices.append(f"Record {records[0].seq} of the journal fits no table and was left out: {exc}")
            self._write([], up_to=records[0].seq)

    def _write(self, records: list[Record], *, up_to: int = 0) -> None:
        """Write records into the tables, and their last number with them, in one transaction."""
        with self._file:
            changes = Changes(record for record in records if record.seq > self.applied_seq)
            last_seq = changes.last_seq or up_to
            if last_seq <= self.applied_seq:
                return
            self._con.execute("BEGIN")
            try:
                changes.write(self._con)
                self._con.execute("UPDATE projection SET applied_seq = ?", [last_seq])
                self._con.execute("COMMIT")
            except BaseException:
                statefile.roll_back(self._con)
                raise
            self.applied_seq = last_seq

    def _catch_up_at_start(self) -> None:
        import duckdb

        try:
            self._replay()
        except BaseException as exc:
            self._con.close()
            if isinstance(exc, duckdb.Error):
                raise StorageError(
                    f"The state file {self.path} could not be brought up to its journal: {exc}",
                    hint="Make room on the disk, and see that the folder may be written.",
                ) from exc
            raise

    def _replay(self) -> None:
        """Apply what the journal has and the file has not, as far as it went at the call: what comes meanwhile is queued."""
        until = self.journal.last_seq
        lost = self.applied_seq - until
        if lost > 0:
            self.notices.append(
                f"The journal in {self.journal.folder} ends {lost} records before the state file does: it was cut off"
                " from outside. The records are in the state file, but it could not be rebuilt from the journal."
            )
            self.journal.skip_to(self.applied_seq)
        records = self._sound(self.applied_seq)
        while batch := list(islice(records, BATCH)):
            self._apply(batch)
        if self.applied_seq < until:  # its newest records are gone: nobody must wait for them
            self._write([], up_to=until)

    def _sound(self, after: int) -> Iterable[Record]:
        """Yield the journal's records; what is damaged between them becomes a notice."""
        for found in self.journal.read(after):
            if isinstance(found, Damage):
                self.notices.append(f"The journal is damaged: {found}. What it recorded there is lost.")
            else:
                yield found

    def rebuild(self) -> None:
        """Write what the tables hold into a new file: DuckDB leaves deleted text in the blocks of the old one.

        Raises:
            StorageError: there is no room for it, or it cannot be written; the old file is still used.
        """
        self.catch_up()
        with self._file:
            self._con = statefile.rebuilt(self._con, self.path)

    def _open_anew_at_times(self, written: int) -> None:
        """Let go of what DuckDB has in memory of the file; one that cannot be opened is mended with the next batch.

        Raises:
            StorageError: it cannot be opened now. duckdb.Error: it is damaged.
        """
        self._since_opened += written
        if self._since_opened < OPEN_ANEW_AFTER:
            return
        with self._file:
            before = self.applied_seq
            self._con.close()
            self._con = self._adopt(*statefile.open_file(self.path))
            if self.applied_seq < before:  # it was damaged meanwhile, and set aside
                self._replay()
            self._since_opened = 0

    # --- the file --------------------------------------------------------------------------------------------------

    def _adopt(self, con: duckdb.DuckDBPyConnection, notice: str | None) -> duckdb.DuckDBPyConnection:
        """Take a connection just opened as ours."""
        if notice:
            self.notices.append(notice)
        row = con.execute("SELECT applied_seq FROM projection").fetchone()
        self.applied_seq = row[0] if row else 0
        return con

    def _mend(self, cause: Exception) -> None:
        """Reopen the file after an error, and draw it anew if it is damaged.

        Raises:
            StorageError: the file cannot be used now.
        """
        with self._file:
            self._con = self._adopt(*statefile.reopen(self._con, self.path, cause))
            self._replay()

    def close(self) -> None:
        """Bring in what is queued and close the file; again is fine."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._lock.notify_all()
        self._thread.join()
        self.journal.on_durable(None)
        with self._file:
            self._con.close()
