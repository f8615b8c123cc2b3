"""Files that only their owner may read: written whole or not at all, and refused when others could read or change them.

The refusal is what ssh does with keys: a file that was readable by others may have been read, so its owner must hear of
it. Owner and rights are looked at on the open file and never through its path; a link is never followed, and nothing that
waits for a writer (a FIFO, a device) is ever waited for.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system import belongings
from tusk_jupyter.system.belongings import FRESH, HAS_OWNERS

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class NotPrivate(StorageError):
    """A file that must be private belongs to somebody else, or others have rights on it."""


def read_private(path: Path, *, max_bytes: int, follow: bool = False) -> bytes:
    """Return the content of a file that nobody else may read; the file that was checked is the file that is read.

    Args:
        path: the file.
        max_bytes: how large it may be.
        follow: whether a link is fine: for files that lie where the user wants them, as a mounted key.

    Raises:
        FileNotFoundError: there is none.
        NotPrivate: others can read it, or it is not the user's own.
        StorageError: it is a link or no regular file, or larger than `max_bytes`.
        OSError: it cannot be read.
    """
    return _read(path, max_bytes=max_bytes, forbidden=OTHERS, follow=follow)


def read_unchanged(path: Path, *, max_bytes: int, after_ns: int = 0) -> bytes:
    """Return the content of a file that nobody else may change: one that is believed, or whose words are executed.

    Args:
        path: the file.
        max_bytes: how large it may be.
        after_ns: the file must have been changed (or its rights confirmed) after this moment, in nanoseconds since 1970.

    Raises:
        FileNotFoundError: there is none.
        NotPrivate: others could change it.
        StorageError: it is a link or no regular file, or larger than `max_bytes`.
        OSError: it cannot be read.
    """
    return _read(path, max_bytes=max_bytes, forbidden=OTHERS_WRITE, after_ns=after_ns)


def _read(path: Path, *, max_bytes: int, forbidden: int, follow: bool = False, after_ns: int = 0) -> bytes:
    descriptor = open_own(path, os.O_RDONLY, forbidden=forbidden, follow=follow)
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_ctime_ns <= after_ns:
            raise NotPrivate(
                f"{path} was there when others could write into {path.parent}, so it is not used.",
                hint=f"Look at what is in it. If you trust it: chmod 600 '{path}'.",
            )
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise StorageError(f"{path} is larger than the {max_bytes} bytes it may have.")
    return content


def check_unchanged(folder: Path) -> None:
    """See that nobody else can put files into a folder.

    Raises:
        NotPrivate: it is another user's, or others may write to it.
        StorageError: it is a link.
        OSError: it cannot be looked at.
    """
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise StorageError(f"{folder} is a link, so it is not used.", hint="Put the folder itself there.")
    _check_owner(folder, found, OTHERS_WRITE)


def open_own(path: Path, flags: int, *, forbidden: int = OTHERS_WRITE, follow: bool = False) -> int:
    """Open a regular file of this user and return its descriptor; one that it makes is 0600.

    Args:
        path: the file.
        flags: of `os.open`.
        forbidden: rights that nobody else may have on it.
        follow: whether a link is fine.

    Raises:
        NotPrivate: it is another user's, or others have such rights.
        StorageError: it is a link or no regular file.
        OSError: it cannot be opened.
    """
    careful = _CAREFULLY & ~getattr(os, "O_NOFOLLOW", 0) if follow else _CAREFULLY
    try:
        descriptor = os.open(path, flags | careful, FILE_MODE)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.EMLINK):
            raise StorageError(f"{path} is a link, so it is not used.", hint="Put the file itself there.") from exc
        if exc.errno in (errno.EISDIR, errno.ENXIO):
            raise _irregular(path) from exc
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _irregular(path)
        _check_owner(path, status, forbidden)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _irregular(path: Path) -> StorageError:
    return StorageError(f"{path} is not a regular file.", hint="Move it away.")


def write_private(path: Path, content: bytes) -> None:
    """Put `content` in place of a private file. After a crash at any instant the file is the old one or the new one.

    Only one process may write a given path: the file it prepares has a fixed name, so that crashes leave no heap.

    Raises:
        OSError: it could not be written; what was there before still is, unless only the folder's sync failed.
    """
    make_private_directory(path.parent)
    temporary = path.with_name(path.name + FRESH)
    belongings.discard(temporary)  # of a write that a crash broke off
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        belongings.put_in_place(temporary, path)
    except OSError:
        belongings.discard(temporary)
        raise
    sync_directory(path.parent)


def make_private_directory(path: Path) -> None:
    """Make a folder that only its owner may enter, unless it is there; its rights are whoever's who made it.

    Raises:
        StorageError: a link, or another user's folder, is in its place.
        OSError: it cannot be made.
    """
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    if HAS_OWNERS:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise StorageError(f"{path} is a link, so it is not used.", hint="Put the folder itself there.")
        if found.st_uid not in (belongings.user_id(), 0):
            raise NotPrivate(f"{path} belongs to another user (uid {found.st_uid}), so it is not used.")


def sync_directory(path: Path) -> None:
    """Make a rename in `path` durable. Windows has no such thing: a folder cannot be opened there."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_owner(path: Path, status: os.stat_result, forbidden: int) -> None:
    if not HAS_OWNERS:
        return
    if status.st_uid not in (belongings.user_id(), 0):
        raise NotPrivate(
            f"{path} belongs to another user (uid {status.st_uid}), so it is not used.",
            hint=f"Check where it comes from; then: chown $USER '{path}'.",
        )
    if status.st_mode & forbidden:
        done = "read" if forbidden & stat.S_IROTH else "changed"
        raise NotPrivate(
            f"{path} has mode {stat.S_IMODE(status.st_mode):04o}: others may have {done} it, so it is not used.",
            hint=f"If you still trust it: chmod {'700' if stat.S_ISDIR(status.st_mode) else '600'} '{path}'.",
        )
