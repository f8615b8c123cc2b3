"""An exclusive lock on a file that the operating system releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system.private_files import open_own

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POLL_S = 0.02


class FileLock:
    """Not reentrant; keep the object for as long as the lock is to be held."""

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is opened yet."""
        self._path = path
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free.

        Raises:
            StorageError: its file cannot be opened or locked at all.
        """
        try:
            fd = open_own(self._path, os.O_RDWR | os.O_CREAT)
        except OSError as exc:
            raise unusable(self._path, exc) from exc
        try:
            if fcntl is not None:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as exc:
            os.close(fd)
            if fcntl is None or isinstance(exc, BlockingIOError | PermissionError):
                return False
            raise unusable(self._path, exc) from exc  # a file system without locks
        self._fd = fd
        return True

    def is_in_place(self) -> bool:
        """Return whether the lock that is held is the file at its path: else another process may hold the one that is there."""
        if self._fd is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))  # noqa: PTH116  # five times a second
        except OSError:
            return False

    def release(self) -> None:
        """Let go; idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def holders(path: Path) -> tuple[int, ...] | None:
    """Return the ids of the processes that hold the lock at `path`, or None where the system does not tell (not Linux)."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except FileNotFoundError:
        return () if Path("/proc/locks").exists() else None
    except OSError:
        return None
    found = []
    for line in lines:  # 1: FLOCK  ADVISORY  WRITE 4242 00:2b:1234 0 EOF
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            found.append(int(words[4]))
    return None if any(pid <= 0 for pid in found) else tuple(found)  # 0, -1: of another container


@contextlib.contextmanager
def held(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock at `path` within the block.

    Raises:
        TimeoutError: somebody else held it for all of `timeout_s`.
        StorageError: its file cannot be opened or locked at all.
    """
    lock = FileLock(path)
    deadline = time.monotonic() + timeout_s
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise TimeoutError(str(path))
        time.sleep(POLL_S)
    try:
        yield
    finally:
        lock.release()


def unusable(path: Path, exc: OSError) -> StorageError:
    """Return the error for a file of the state folder that this user cannot open or make."""
    why = exc.strerror or str(exc)
    if isinstance(exc, PermissionError) and not path.exists():
        hint = f"Make the folder writable: chmod u+rwx '{path.parent}'; or set TUSK_HOME to another one."
    elif isinstance(exc, PermissionError):
        hint = f"It may have been left by `sudo`: sudo chown -R $USER '{path.parent}'."
    else:
        hint = "Make room on the disk, make it writable, or set TUSK_HOME to another folder."
    return StorageError(f"{path} cannot be opened for writing: {why}.", hint=hint)
