"""A database file in WAL mode that is open here: what changes in it without a checkpoint, another program wrote.

SQLite keeps what it knows of the file's content, and the log of it, so after `cp backup.db shop.db` it reads and writes a
mixture of both. In WAL mode it writes the file in checkpoints alone, and notes in the log's index how far one will come before
it begins (https://www.sqlite.org/walformat.html).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tusk_jupyter.driverkit.open_file import OpenFile, descriptor, identity_of

Identity = tuple[int, int]

_INDEX_BYTES = 132
_SALTS, _WRITTEN, _TRIED = slice(32, 40), slice(96, 100), slice(128, 132)
"""Of the index: which log it is of, how much of that is in the file, and how much a checkpoint has begun to write there."""
_COMPARED_BYTES = 65_536
"""Of the content, from its beginning: a longer file that is alike in them, and in size, counts as the same."""
_LOG_SALTS = slice(16, 24)
_LOG_BYTES = 32


class _Handle:
    """SQLite's own handle on a file: to close one of ours would drop SQLite's locks, as POSIX has it."""

    def __init__(self, identity: Identity | None) -> None:
        self.identity = identity
        self._number = -1

    def read(self, size: int) -> bytes:
        """Return the beginning of the file; b"" where it is not open."""
        with contextlib.suppress(OSError):
            if self.identity is not None:
                if not self._leads_there():
                    self._number = descriptor(self.identity)
                return os.pread(self._number, size, 0)
        return b""

    def _leads_there(self) -> bool:
        with contextlib.suppress(OSError):
            found = os.fstat(self._number)
            return (found.st_dev, found.st_ino) == self.identity
        return False


class HeldFile(OpenFile):
    """See the module. It costs one `stat` a look, and reads where that differs: a `touch` writes nothing."""

    def __init__(self, path: Path) -> None:
        """Take the file at `path`, which has just been opened, for what it is now."""
        super().__init__(path)
        self.is_written_over = False
        self._file, self._index = _Handle(identity_of(path)), _Handle(None)
        self._seen: tuple[Identity, bytes] | None = None
        """Its size and time, and what the index says of the last checkpoint; None where nobody can tell."""
        self._beginning = b""

    @property
    def is_at_path(self) -> bool:
        """Whether the path leads to the opened file, whoever wrote it."""
        return super().is_there

    @property
    def is_there(self) -> bool:
        """Whether the path leads to the opened file, and only SQLite has written into it."""
        return self.is_at_path and not self._look()

    def note(self, index: Identity | None) -> None:
        """Take the content for SQLite's; `index` is the log's, None where there is no log."""
        if self.is_written_over:
            return
        if index != self._index.identity:
            self._index = _Handle(index)
        done = self._checkpoint()  # before the file: whoever writes one meanwhile changes the index first
        seen = None if done is None else (self._content(), done)
        if seen != self._seen:
            self._seen, self._beginning = seen, self._file.read(_COMPARED_BYTES)

    def is_log_of_others(self, log: Path) -> bool:
        """Whether the index is not of the log at this path: that came with the content of others."""
        with contextlib.suppress(OSError), log.open("rb") as file:
            return file.read(_LOG_BYTES)[_LOG_SALTS] != self._index.read(_INDEX_BYTES)[_SALTS]
        return False

    def _look(self) -> bool:
        if not self.is_written_over and self._seen is not None:
            seen, done = self._seen
            content = self._content()
            if content != seen and self._checkpoint() == done:
                self.is_written_over = content[0] != seen[0] or self._file.read(_COMPARED_BYTES) != self._beginning
                self._seen = content, done
        return self.is_written_over

    def _content(self) -> Identity:
        with contextlib.suppress(OSError):  # gone: `is_at_path` tells
            found = os.stat(self.path)  # noqa: PTH116  # on the way of every run
            return found.st_size, found.st_mtime_ns
        return 0, 0

    def _checkpoint(self) -> bytes | None:
        """Return what the index says of the last checkpoint; None if one is under way, or nobody can tell."""
        found = self._index.read(_INDEX_BYTES)
        is_done = len(found) == _INDEX_BYTES and found[_WRITTEN] == found[_TRIED]
        return found[_SALTS] + found[_TRIED] if is_done else None

    def _what_became(self) -> tuple[str, bool]:
        if self.is_written_over and self.is_at_path:
            return "was written over by another program", True
        return super()._what_became()
