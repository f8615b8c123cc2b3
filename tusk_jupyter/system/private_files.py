"""Files that only their owner may read: written whole or not at all, and refused when others can read them.

The refusal is what ssh does with keys: a file that was readable by others may have been read, so its owner must hear of
it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tusk_jupyter.errors import StorageError

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotPrivate(StorageError):
    """A file that must be private belongs to somebody else, or others have rights on it."""


def read_private(path: Path, *, max_bytes: int) -> bytes:
    """Return a private file's content; the file that was checked is the file that is read.

    Raises:
        FileNotFoundError: there is none.
        NotPrivate: others can read it, or it is not the user's own.
        StorageError: it is no regular file, or larger than `max_bytes`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise StorageError(f"{path} is not a regular file.")
        _check_owner(path, status)
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise StorageError(f"{path} is larger than the {max_bytes} bytes it may have.")
    return content


def write_private(path: Path, content: bytes) -> None:
    """Put `content` in place of a private file. After a crash at any instant the file is the old one or the new one.

    Only one process may write a given path: the file it prepares has a fixed name, so that crashes leave no heap.

    Raises:
        OSError: it could not be written; what was there before still is, unless only the folder's sync failed.
    """
    make_private_directory(path.parent)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def make_private_directory(path: Path) -> None:
    """Make a folder that only its owner may enter, unless it is there."""
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)


def sync_directory(path: Path) -> None:
    """Make a rename in `path` durable. Windows has no such thing: a folder cannot be opened there."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if os.name == "nt":  # rights there are lists, inherited from the user's profile folder
        return
    if status.st_mode & OTHERS:
        raise NotPrivate(
            f"{path} has mode {stat.S_IMODE(status.st_mode):04o}: others may have read it, so it is not used.",
            hint=f"If you trust it still: chmod 600 '{path}'.",
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise NotPrivate(
            f"{path} belongs to another user (uid {status.st_uid}), so it is not used.",
            hint=f"Check where it comes from; then: chown $USER '{path}'.",
        )
