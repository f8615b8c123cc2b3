"""A database file that this process holds for itself: what changes in it while nothing runs here, another program wrote.

DuckDB locks a file against other DuckDBs only. After `cp backup.duckdb shop.duckdb` it goes on with what it remembers of
the old content, and writes that into the new one with its next checkpoint, at the latest when it closes the file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tusk_drivers.duckdb.lost_log import LostLog
from tusk_jupyter import errors
from tusk_jupyter.driverkit.open_file import OpenFile, free, is_removed_and_open

_HEADERS_BYTES = 3 * 4096
"""The main header and two of the database's, which take turns: each checkpoint writes one with a number of its own.

https://duckdb.org/docs/stable/internals/storage
"""


class HeldFile(OpenFile):
    """See the module. Call `look` before the first of several runs at once, and `note` after the last.

    A handle on the file is kept: to open and close one later would drop DuckDB's own lock on it, as POSIX has it. It costs
    one `fstat` (1 µs) a call; the headers are read where that differs, for a network's file system may alter times later.
    """

    def __init__(self, path: Path) -> None:
        """Take the file at `path`, which has just been opened, for what it is now."""
        super().__init__(path)
        self._handle = -1
        with contextlib.suppress(OSError):  # gone already: `is_there` tells
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._kept_log: Path | None = None
        self.lost_log: LostLog | None
        """Until what it held is written into the file."""
        self.renew()

    def renew(self) -> None:
        """Take the content for this process's: DuckDB has opened the same file again."""
        self.is_written_over, self.lost_log = False, None
        self._seen, self._headers = self._now(), self._read()
        self._log = _identity_of_log(self.path)

    @property
    def is_at_path(self) -> bool:
        """Whether the path leads to the opened file, whoever wrote it."""
        return super().is_there

    @property
    def is_there(self) -> bool:
        """Whether the path leads to the opened file, with this process's content."""
        return not self.is_written_over and self.is_at_path

    @property
    def has_lost_log(self) -> bool:
        """Whether the log is not at its path, or no longer whole: what DuckDB writes there is gone with the process."""
        if self._log is None or not self.is_there:
            return False
        now = _identity_of_log(self.path)
        return now is None or now[:2] != self._log[:2]

    @property
    def has_lost_open_log(self) -> bool:
        """Whether it was another program that removed the log during a run: DuckDB closes what it removes itself."""
        return self._log is not None and self.has_lost_log and is_removed_and_open(self._log[0])

    def lose_log(self) -> LostLog:
        """Put away what is in the lost log's place, which DuckDB would remove; return what there is to tell, not saved yet."""
        if self.lost_log is None:
            self.lost_log = LostLog(self.path)
        log = _log_of(self.path)
        with contextlib.suppress(OSError):  # mostly there is nothing
            self.lost_log.kept = log.rename(free(log.with_name(f"{log.name}.of-others")))
        return self.lost_log

    def look(self) -> None:
        """Find out whether another program has written into the file since `note`."""
        if self._handle >= 0 and not self.is_written_over and (now := self._now()) != self._seen:
            self.is_written_over = self._read() != self._headers
            self._seen = now

    def note(self) -> None:
        """Take the file as it is now for this process's own."""
        if self._handle < 0 or self.is_written_over:
            return
        if (now := self._now()) != self._seen:
            self._seen, self._headers = now, self._read()
        if self.lost_log is None:
            self._log = _identity_of_log(self.path)

    def note_log(self) -> None:
        """Take the log as it is now, after what the lost one held was written into the file."""
        self.lost_log = None
        self._log = _identity_of_log(self.path)

    @contextlib.contextmanager
    def let_go(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Keep DuckDB from writing into the file while the block closes or detaches it, if another program's content is there.

        The log of the old content goes aside: DuckDB opens no file beside the log of another.
        """
        if not self.is_written_over:
            yield
            return
        with contextlib.suppress(duckdb.Error):  # closed already: another session found out at the same time
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        try:
            yield
        finally:
            with contextlib.suppress(duckdb.Error):  # closed, which is what the block was for
                connection.execute("PRAGMA enable_checkpoint_on_shutdown")
        self._put_log_aside()

    def close(self) -> None:
        """Give the handle back; DuckDB must have let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def gone(self, note: str = "") -> errors.ConnectError:
        """Return the error for a run on it, which tells where the log of the old content is."""
        return super().gone(note or self._about_log)

    def gone_from(self, name: str, note: str = "") -> errors.ConnectError:
        """Return the error for a run while it is attached."""
        return super().gone_from(name, note or self._about_log)

    @property
    def _about_log(self) -> str:
        if self._kept_log is None:
            return ""
        return f"What was committed and not yet in the file is in {self._kept_log}."

    def _put_log_aside(self) -> None:
        log = _log_of(self.path)
        if self._log is not None and _identity_of_log(self.path) == self._log:  # else it came with the new content
            with contextlib.suppress(OSError):
                self._kept_log = log.rename(free(log.with_name(f"{log.name}.of-old-content")))
            self._log = None

    def _now(self) -> tuple[int, int] | None:
        if self._handle < 0:
            return None
        found = os.fstat(self._handle)
        return found.st_size, found.st_mtime_ns

    def _read(self) -> bytes:
        return os.pread(self._handle, _HEADERS_BYTES, 0) if self._handle >= 0 else b""

    def _what_became(self) -> tuple[str, bool]:
        if self.is_written_over:
            return "was written over by another program", True
        return super()._what_became()


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _identity_of_log(path: Path) -> tuple[tuple[int, int], int, int] | None:
    try:
        found = os.stat(f"{path}.wal")  # noqa: PTH116  # after every run
    except OSError:
        return None
    return (found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns
