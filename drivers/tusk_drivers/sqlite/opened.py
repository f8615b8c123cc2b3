"""The files of a session, main and attached, and the write-ahead log of one that is no longer at its path.

SQLite leaves that log where it is (https://www.sqlite.org/howtocorrupt.html), and whoever opens the path next reads it into the
file that is there by then: its rows are hidden, and lost with the next write. So it is written into the file it belongs to and
removed, as long as nobody can have written to it for the other file. The log's index (`-shm`) is what writers agree by: who has
another one writes over what this process has written.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from glob import escape
from pathlib import Path

from tusk_drivers.sqlite.held_file import HeldFile
from tusk_drivers.sqlite.left_log import leave_log
from tusk_jupyter import errors
from tusk_jupyter.driverkit.open_file import free, is_removed_and_open, opened
from tusk_jupyter.protocol.scenarios import FILE_GONE

_NAMES = "PRAGMA database_list"
_MAIN = "main"
_ASIDE = ".of-old-content"


class Opened:
    """One file and its log."""

    def __init__(self, path: Path) -> None:
        """Look at `path`, which has just been opened."""
        self.file = HeldFile(path)
        self._log, self._index = Path(f"{path}-wal"), Path(f"{path}-shm")
        self._seen: tuple[int, int] | None = None
        self._seen_index: tuple[int, int] | None = None
        self._log_seen: tuple[int, int] | None = None
        """Its size and time."""
        self._gone: str | None = None
        self._is_mixed = False
        """Others have written into a new log meanwhile: SQLite would write a mixture of both into the file."""
        self.lost: errors.ConnectError | None = None
        """What runs are refused with until it is detached, its log being lost."""

    @property
    def is_there(self) -> bool:
        """Whether the path leads to the opened file and always did when it was looked at."""
        return self._gone is None and self.file.is_there

    @property
    def has_lost_log(self) -> bool:
        """Whether the log that SQLite has open, or its index, is not at its path: what it writes is gone with the process.

        Where it has not opened the log, that was another program's, which has removed it as it closed the file.
        """
        if self.lost is not None or not self.is_there:
            return False
        is_lost = _is_lost(self._log, self._seen) or _is_lost(self._index, self._seen_index)
        if is_lost and self._is_put_aside():
            self.file.is_written_over = True
        return is_lost and not self.file.is_written_over

    def _is_put_aside(self) -> bool:
        """Whether another session has found the content to be of others, which this one cannot see after a checkpoint."""
        if _identity(_status(self._log)) == self._seen:
            return self.file.is_log_of_others(self._log)
        return any(
            _identity(_status(one)) == self._seen for one in self._log.parent.glob(f"{escape(self._log.name)}{_ASIDE}*")
        )

    def without_log(self, connection: sqlite3.Connection, name: str) -> errors.ConnectError:
        """Save what the removed log held, and return the error for a run after that; the file cannot be used again here."""
        if name != _MAIN and connection.in_transaction:  # the session's own, which stands
            return self._refused_without_log(
                "is not in the file yet", f"ROLLBACK, then `DETACH {name}`: it is written then."
            )
        there = _status(self._log)
        others_log = there is not None and there.st_size > 0 and _identity(there) != self._seen
        self._is_mixed = others_log or _is_others(self._index, self._seen_index)
        if self._is_mixed or not _written_out(connection, name):
            leave_log(connection, self.file.path)
        old = opened(self._seen) if self._seen else None  # empty: written out, maybe by another process before
        fate = "has been written into the file" if old and not old.st_size else "could not be written into the file"
        if self._is_mixed and not others_log and there is not None:
            fate = f"is in {self._log}, which the next session reads"
        if name == _MAIN:
            self._gone = f"What was committed {fate}."
            return self._refused_without_log(
                fate,
                "Run the cell again for a new session. The old one is ended, with its temp tables and what it had not "
                "committed. Removing a log loses rows.",
                FILE_GONE,
            )
        self.lost = self._refused_without_log(
            fate, f"`DETACH {name}`, then attach it again. Removing a log loses rows."
        )
        return self.lost

    def _refused_without_log(self, fate: str, hint: str, scenario: str = "no_such_file") -> errors.ConnectError:
        what = "replaced" if self._is_mixed else "removed"
        is_log = _is_lost(self._log, self._seen)
        lost = f"{self._log}, the log" if is_log else f"{self._index}, the index of the log"
        return errors.ConnectError(
            f"{lost} of {self.file.path}, was {what} by another program while this session had it open, so "
            f"nothing was run. What was committed {fate}.",
            hint=hint,
            detail="stage=file",
            scenario=scenario,
        )

    def look(self) -> None:
        """Note which log is the file's; called after each statement, for SQLite makes and removes it in one."""
        if self.is_there:
            self._seen = _seen_now(self._log, self._seen)
            self._seen_index = _seen_now(self._index, self._seen_index)
            log = _status(self._log)
            self._log_seen = log and (log.st_size, log.st_mtime_ns)
            self.file.note(self._seen_index)

    def part(self, connection: sqlite3.Connection, name: str) -> str:
        """Part the log from a file that is gone; return what became of it, as a sentence. It cannot be used again."""
        if self._gone is None:
            self._gone = self._part(connection, name)
        return self._gone

    def _part(self, connection: sqlite3.Connection, name: str) -> str:
        if self.file.is_at_path:  # with the content of others
            leave_log(connection, self.file.path)
            return self._put_log_aside()
        found = _status(self._log)
        if found is None or (found.st_dev, found.st_ino) != self._seen:
            return ""
        there = _status(self.file.path)
        others = there is not None and found.st_mtime_ns > there.st_ctime_ns  # written since the other file came
        if others or not _written_out(connection, name):
            return (
                f"Beside it is {self._log}, the log of the file that was there: move it and the -shm away before anything "
                "opens the new file, which would be read and written as a mixture of both."
            )
        for ending in ("-wal", "-shm"):
            Path(f"{self.file.path}{ending}").unlink(missing_ok=True)
        if not found.st_size:
            return ""
        return f"Its log, {self._log}, was written into the file that was there, and removed."

    def _put_log_aside(self) -> str:
        """Take the log of the old content from beside the new one; another session on the file may have done so."""
        found = _status(self._log)
        if found is None or _identity(found) != self._seen:
            return ""
        came_too = (found.st_size, found.st_mtime_ns) != self._log_seen and self.file.is_log_of_others(self._log)
        with contextlib.suppress(OSError):
            kept = None if came_too else self._log.rename(free(self._log.with_name(f"{self._log.name}{_ASIDE}")))
            if not _is_others(self._index, self._seen_index):
                self._index.unlink(missing_ok=True)
            return f"What was committed and not yet in the file is in {kept}." if kept and found.st_size else ""
        return f"Its log, {self._log}, is of the old content: move it and the -shm away before anything opens the file."


class OpenedFiles:
    """The files of one connection."""

    def __init__(self, path: Path | None) -> None:
        """Begin with the main file; None: a database in memory."""
        self._path = path
        self._files: dict[str, Opened] = {}
        if path is not None and path.exists():
            self._files[_MAIN] = Opened(path)

    def check(self, connection: sqlite3.Connection, command: str) -> None:
        """Refuse to run a statement while a file is not at its path; once the main file was not, the session is over.

        Raises:
            ConnectError: one was deleted, moved or replaced.
        """
        for name, one in self._files.items():
            if one.has_lost_log and not (name != _MAIN and command == "ROLLBACK"):
                raise one.without_log(connection, name)
            if (one.is_there and one.lost is None) or (name != _MAIN and command in ("DETACH", "ROLLBACK")):
                if one.file.is_written_over and command == "DETACH" and not connection.in_transaction:
                    one.part(connection, name)
                continue
            if one.lost is not None:
                raise one.lost
            if name == _MAIN:
                raise one.file.gone(one.part(connection, name))
            if connection.in_transaction:  # the log cannot be parted before its end
                raise one.file.gone_from(name)
            raise one.file.gone_from(name, one.part(connection, name))

    @property
    def main_is_there(self) -> bool:
        """Whether the main file, if there is one, is still at its path."""
        return _MAIN not in self._files or self._files[_MAIN].is_there

    def look(self, connection: sqlite3.Connection, command: str) -> None:
        """Take in what a statement may have changed: a file or a log made, a database attached or detached."""
        if command in ("ATTACH", "DETACH"):
            found = {str(name): str(path) for _, name, path in connection.execute(_NAMES).fetchall() if path}
            self._files = {name: one for name, one in self._files.items() if name == _MAIN or name in found}
            new = {name: path for name, path in found.items() if name not in self._files and name != _MAIN}
            self._files |= {name: Opened(Path(path)) for name, path in new.items() if Path(path).exists()}
        elif self._path is not None and _MAIN not in self._files and self._path.exists():
            self._files[_MAIN] = Opened(self._path)  # SQLite has made it meanwhile
        for one in self._files.values():
            one.look()

    def part(self, connection: sqlite3.Connection) -> None:
        """Part the logs from what is gone, before the connection is closed."""
        for name, one in self._files.items():
            if one.has_lost_log:
                with contextlib.suppress(sqlite3.Error):
                    connection.rollback()
                one.without_log(connection, name)
            elif not one.is_there:
                one.part(connection, name)


def _written_out(connection: sqlite3.Connection, name: str) -> bool:
    """Write the log into its file, which SQLite's open handles still lead to; return whether all of it is there."""
    try:
        connection.set_authorizer(None)
        connection.execute("PRAGMA query_only = 0")
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        busy = connection.execute(f'PRAGMA "{name.replace(chr(34), chr(34) * 2)}".wal_checkpoint(TRUNCATE)').fetchone()[
            0
        ]
    except sqlite3.Error:
        return False
    return not busy


def _is_lost(path: Path, seen: tuple[int, int] | None) -> bool:
    """Return whether a file that this process has open is not at its path."""
    return seen is not None and _identity(_status(path)) != seen and opened(seen) is not None


def _is_others(path: Path, seen: tuple[int, int] | None) -> bool:
    """Return whether another file than this process's is at the path."""
    now = _identity(_status(path))
    return seen is not None and now is not None and now != seen


def _seen_now(path: Path, seen: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return which file is at the path; the one before, where another program has removed that meanwhile."""
    now = _identity(_status(path))
    return now if seen in (None, now) or not is_removed_and_open(seen) else seen


def _identity(found: os.stat_result | None) -> tuple[int, int] | None:
    return found and (found.st_dev, found.st_ino)


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  # on the way of every run
    except OSError:
        return None
