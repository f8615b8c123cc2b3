"""The append-only journal: a record is acknowledged when it is on the disk, and never changed afterwards.

Appends that come at once share one fdatasync: the first writes for all that queued up while the disk was busy with the
batch before. One fdatasync takes 0.2 ms, so eight threads get far more than 5,000 records a second between them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state import frame
from tusk_jupyter.state.frame import Damage, Record, Torn
from tusk_jupyter.system import belongings
from tusk_jupyter.system.private_files import make_private_directory, open_own, sync_directory, write_private

SEGMENT_BYTES = 2 * 1024 * 1024  # the last segment is read whole at each start of the core: about 20 ms
SUFFIX = ".journal"
LAST_SEQ = 2**63 - 1
"""What the state file can count."""
_sync = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync
Listener = Callable[[Sequence[Record]], None]


@dataclass(slots=True)
class _Batch:
    """Records that reach the disk together."""

    records: list[Record] = field(default_factory=list)
    done: bool = False
    error: StorageError | None = None


class Journal:
    """The journal of one state folder; threads may append at once.

    Attributes:
        last_seq: number of the newest durable record; 0 when there is none.
        damage: what was found damaged at opening. Records around it are kept.
        begun_anew: whether there was no segment to write on in, or one without its first bytes. That is so after the first
            start, and after a crash in that moment; otherwise records were cut off from outside.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open the journal in a folder, or create it.

        Raises:
            StorageError: the folder cannot be read or written.
        """
        self.folder = folder
        self.damage: list[Damage] = []
        self.begun_anew = False
        self.last_seq = 0
        self._segment_bytes = segment_bytes
        self._listener: Listener | None = None
        self._lock = threading.Condition()
        self._pending = _Batch()
        self._writing = False
        self._broken: StorageError | None = None
        self._fd = -1
        self._size = 0
        try:
            make_private_directory(folder)
            for unfinished in belongings.files_like(folder, f"*{SUFFIX}{belongings.FRESH}"):
                belongings.discard(unfinished)  # the segment itself is whole
            for segment in self.segments():
                os.close(open_own(segment, os.O_RDONLY))  # what others could have written is not believed
            self._open_last()
        except OSError as exc:
            raise _failed("opened", folder, exc) from exc
        self._next = self.last_seq + 1

    # --- writing ---------------------------------------------------------------------------------------------------

    def append(self, kind: str, body: dict[str, Any], *, linger_s: float = 0.0) -> int:
        """Write a record; return its number when it is durable.

        Args:
            kind: what the record is about.
            body: JSON values.
            linger_s: for a record that nobody waits for: seconds to wait for another one to share a sync with.

        Raises:
            StorageError: it could not be written; the journal is as it was before.
        """
        raw = frame.pack_body(kind, body)
        with self._lock:
            self._check_open()
            record = Record(self._next, time.time_ns() // 1000, raw)
            self._next += 1
            batch = self._pending
            batch.records.append(record)
            if linger_s:
                self._lock.wait_for(lambda: batch.done, linger_s)
            while not batch.done:
                if self._writing:
                    self._lock.wait()
                else:
                    self._lead()
        if batch.error is not None:
            raise _again(batch.error)
        return record.seq

    def on_durable(self, listener: Listener | None) -> None:
        """Have `listener` called with each batch of durable records, in order, before their appends return."""
        with self._lock:
            self._listener = listener

    def skip_to(self, seq: int) -> None:
        """Give no number up to `seq` again: records up to there were acknowledged once, and are lost."""
        with self._lock:
            self.last_seq = max(self.last_seq, seq)
            self._next = self.last_seq + 1

    def _lead(self) -> None:
        """Write all that is pending; called with the lock held, which is let go while the disk works."""
        batch, self._pending, self._writing = self._pending, _Batch(), True
        self._lock.release()
        error: StorageError | None = StorageError(f"Writing to the journal in {self.folder} was broken off.")
        try:
            error = self._write(batch.records)
        finally:
            self._lock.acquire()
            self._writing = False
            self._settle(batch, error)
            self._lock.notify_all()

    def _settle(self, batch: _Batch, error: StorageError | None) -> None:
        batch.done = True
        if error is not None:
            self._fail(batch, error)
            return
        self.last_seq = batch.records[-1].seq
        if self._listener is not None:
            self._listener(batch.records)

    def _fail(self, batch: _Batch, error: StorageError) -> None:
        """Refuse a batch, and with it what queued up behind: those records' numbers follow on the lost ones."""
        batch.error = error
        self._next = self.last_seq + 1
        behind, self._pending = self._pending, _Batch()
        behind.error, behind.done = error, True

    def _write(self, records: list[Record]) -> StorageError | None:
        """Bring records to the disk, all or none; return what went wrong."""
        before = self._size
        try:
            if before >= self._segment_bytes:
                self._begin_segment(records[0].seq)
                before = self._size
            data = memoryview(b"".join(map(frame.pack, records)))
            while data:
                data = data[os.write(self._fd, data) :]
            _sync(self._fd)
            self._size = os.lseek(self._fd, 0, os.SEEK_CUR)
        except OSError as exc:
            self._take_back(before)
            return _failed("written", self.folder, exc)
        return None

    def _take_back(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
            self._size = size
        except OSError as exc:  # neither forward nor back: nothing more can be acknowledged by this process
            self._broken = _failed("cut back after a failed write", self.folder, exc)

    def _check_open(self) -> None:
        if self._broken is not None:
            raise _again(self._broken)
        if self._fd < 0:
            raise StorageError(f"The journal in {self.folder} is closed.")

    def close(self) -> None:
        """Close the journal; again is fine."""
        with self._lock:
            while self._writing:
                self._lock.wait()
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, after: int = 0) -> Iterator[Record | Damage]:
        """Yield the durable records behind a number, in order, and what is damaged or missing between them."""
        until, expected = self.last_seq, after + 1
        for path in self._segments_after(after):
            for found in frame.scan(path):
                if isinstance(found, Damage):
                    yield found
                if not isinstance(found, Record) or not after < found.seq <= until:
                    continue
                if found.seq > expected:
                    yield Damage(path.name, 0, _missing(expected, found.seq - 1))
                expected = found.seq + 1
                yield found
        if expected <= until:
            yield Damage(str(self.folder), 0, _missing(expected, until))

    # --- deleting ----------------------------------------------------------------------------------------------------

    def close_segment(self) -> None:
        """Write on in a new segment, so that every one with records in it can be rewritten.

        Raises:
            StorageError: it cannot be made; all stays as it is.
        """
        with self._lock:
            self._lock.wait_for(lambda: not self._writing)
            self._check_open()
            if self._size > frame.PREFACE.size:
                try:
                    self._begin_segment(self.last_seq + 1)
                except OSError as exc:
                    raise _failed("written", self.folder, exc) from exc

    def blank(self, path: Path, rest_of: Callable[[Record], bytes]) -> int:
        """Take content out of some records of a closed segment; return of how many.

        The segment is replaced as a whole, so a crash leaves either the old one or the new one.

        Raises:
            StorageError: it could not be written; it is as it was.
        """
        try:
            data, blanked = frame.without(path, rest_of)
            if blanked:
                write_private(path, data)
        except OSError as exc:
            raise _failed("written", self.folder, exc) from exc
        return blanked

    @property
    def size_bytes(self) -> int:
        """Size of all segments."""
        return sum(path.stat().st_size for path in self.segments())

    def segments(self) -> list[Path]:
        """Return the segment files, oldest first."""
        return sorted(self.folder.glob(f"{'[0-9]' * 20}{SUFFIX}"))

    def _segments_after(self, seq: int) -> list[Path]:
        paths = self.segments()
        keep = sum(first_seq_of(path) <= seq + 1 for path in paths)
        return paths[max(keep - 1, 0) :]

    # --- files -----------------------------------------------------------------------------------------------------

    def _open_last(self) -> None:
        """Find the end of the journal, and cut what a crash left half written there."""
        paths = self.segments()
        if not paths:
            self.begun_anew = True
            self._begin_segment(1)
            return
        path = paths[-1]
        first = first_seq_of(path)
        content = list(frame.scan(path))
        if first > LAST_SEQ or not (frame.begins(path) or any(isinstance(found, Record) for found in content)):
            raise StorageError(
                f"{path} is named as a part of the journal, and is none: it was left as it is.", hint="Move it away."
            )
        self.last_seq = first - 1
        self._fd = open_own(path, os.O_RDWR)
        for found in content:
            if isinstance(found, Torn):
                torn_preface = found.offset == 0
                self.begun_anew = torn_preface and (first == 1 or os.fstat(self._fd).st_size > 0)
                os.ftruncate(self._fd, found.offset)
            elif isinstance(found, Damage):
                self.damage.append(found)
            else:
                self.last_seq = max(self.last_seq, found.seq)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)
        if self._size == 0:
            _write_preface(self._fd, first)
            self._size = frame.PREFACE.size

    def _begin_segment(self, first_seq: int) -> None:
        """Write on in a new file; if it cannot be made, all stays as it is.

        Raises:
            OSError: it cannot be made, or something has its name already.
        """
        path = self.folder / f"{first_seq:020d}{SUFFIX}"
        fd = open_own(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            _write_preface(fd, first_seq)
            sync_directory(self.folder)
        except OSError:
            os.close(fd)
            belongings.discard(path)
            raise
        old, self._fd, self._size = self._fd, fd, frame.PREFACE.size
        if old >= 0:
            os.close(old)


def first_seq_of(path: Path) -> int:
    """Return the number of the first record that a segment was made for."""
    return int(path.name.removesuffix(SUFFIX))


def _write_preface(fd: int, first_seq: int) -> None:
    os.write(fd, frame.preface(first_seq))
    _sync(fd)


def _again(error: StorageError) -> StorageError:
    """The same words for each thread: one exception raised in several would mix their tracebacks."""
    return StorageError(error.message, hint=error.hint)


def _missing(first: int, last: int) -> str:
    return f"record {first} is missing" if first == last else f"records {first} to {last} are missing"


def _failed(done: str, folder: Path, exc: OSError) -> StorageError:
    return StorageError(
        f"The journal in {folder} could not be {done}: {exc.strerror or exc}.",
        hint=f"{exc.filename} has the name of its next part and is none: move it away."
        if isinstance(exc, FileExistsError)
        else "Make room on the disk, or see that the folder belongs to you and may be written.",
    )
