"""A database file that is open: whether its path still leads to it.

An open file lives on when its path is deleted, moved or given to another file; what is written then goes to nowhere. One
`stat` before each run (2 µs) tells.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path

from tusk_jupyter import errors
from tusk_jupyter.protocol.scenarios import BEGIN_ANEW, FILE_GONE

_DESCRIPTORS = "/dev/fd"


class OpenFile:
    """The identity of a file at the time it was opened."""

    def __init__(self, path: Path) -> None:
        """Look at `path`, which has just been opened."""
        self.path = path
        self._opened = identity_of(path)

    @property
    def is_there(self) -> bool:
        """Whether the path leads to the opened file."""
        return identity_of(self.path) == self._opened

    def gone(self, note: str = "") -> errors.ConnectError:
        """Return the error for a run on a file that is not there any more.

        Args:
            note: what became of the files beside it, as a sentence.
        """
        what, there = self._what_became()
        after = (
            "Run the cell again for a session on the file that is there now"
            if there
            else "Put the file back, or connect to where it is now"
        )
        return errors.ConnectError(
            f"{self.path} {what} while this session had it open, so nothing was run.{note and f' {note}'}",
            hint=f"{after}. The old session is ended, with its temp tables and what it had not committed.",
            detail="stage=file",
            scenario=FILE_GONE,
        )

    def gone_from(self, name: str, note: str = "") -> errors.ConnectError:
        """Return the error for a run while the file, attached as `name`, is not there any more; the session stands."""
        what, _ = self._what_became()
        return errors.ConnectError(
            f"{self.path} {what} while it was attached as {name}, so nothing was run.{note and f' {note}'}",
            hint=f"`DETACH {name}`, then attach the file that you mean; in an open transaction, ROLLBACK first.",
            detail="stage=file",
            scenario="no_such_file",
        )

    def _what_became(self) -> tuple[str, bool]:
        if identity_of(self.path) is None:
            return "was deleted or moved", False
        return "was replaced by another file", True


def missing(path: Path) -> errors.ConnectError:
    """Return the error for a file that has been there before, so that none may be made in its place."""
    return errors.ConnectError(
        f"There is no file {path}. It was there when this connection was added or last used, so no new one is made in its "
        "place.",
        hint=f"Put the file back (or mount what it lies on), or begin a new one: "
        f"`{BEGIN_ANEW}{shlex.quote(str(path))} --replace`.",
        detail="stage=file",
        scenario="no_such_file",
    )


def dangling(path: Path) -> errors.ConnectError:
    """Return the error for a link that leads nowhere: a file made behind it would lie where nobody has named it."""
    return errors.ConnectError(
        f"{path} is a link to {path.readlink()}, where nothing is.",
        hint="Correct the link or remove it, or name the file itself.",
        detail="stage=file",
        scenario="no_such_file",
    )


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return device and inode of what is at a path; None where nothing is."""
    try:
        found = os.stat(path)  # noqa: PTH116  # on the way of every run
    except OSError:
        return None
    return found.st_dev, found.st_ino


def opened(identity: tuple[int, int]) -> os.stat_result | None:
    """Return what is known of a file (device, inode) that this process has open; None: it has not, or that cannot be told."""
    with contextlib.suppress(OSError):
        return os.fstat(descriptor(identity))
    return None


def descriptor(identity: tuple[int, int]) -> int:
    """Return the descriptor by which this process has a file (device, inode) open; -1: it has not, or that cannot be told."""
    try:
        names = os.listdir(_DESCRIPTORS)  # noqa: PTH208  # names are all that is wanted
    except OSError:  # another system, a container without /proc, or no file descriptor is left to list them
        return -1
    for name in names:
        with contextlib.suppress(OSError):  # that of the listing itself
            found = os.fstat(int(name))
            if (found.st_dev, found.st_ino) == identity:
                return int(name)
    return -1


def is_removed_and_open(identity: tuple[int, int]) -> bool:
    """Return whether this process has a file open that has no path any more: what it writes there is gone with it."""
    found = opened(identity)
    return found is not None and found.st_nlink == 0


def try_to_create(path: Path) -> OSError | None:
    """Make the file and remove it again; return why it cannot be made, None when it can or is there."""
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return None
    except OSError as exc:
        return exc
    try:
        ours, there = os.fstat(made), path.stat()
        if (ours.st_dev, ours.st_ino, there.st_size) == (there.st_dev, there.st_ino, 0):
            path.unlink()
    finally:
        os.close(made)
    return None


def free(path: Path) -> Path:
    """Return the path, or one like it that nothing has."""
    return next(
        one for one in (path, *(path.with_name(f"{path.name}-{n}") for n in range(2, 1000))) if not one.exists()
    )
