"""Who may read and write a result's file: its owner alone while it is written, then whoever might use the one it replaces."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

_EVERYBODY = 0o777
"""Without setuid, setgid and sticky: those were given to other content."""
_ACL = "system.posix_acl_access"
"""Where Linux keeps a file's access list; with one, the group's bits of the mode are only the most that it may allow."""


def made_private(path: Path) -> BinaryIO:
    """Make a file that nobody else can read while it is written: what replaces a private file is private all the time.

    Raises:
        OSError: it cannot be made, or something has its name.
    """
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | careful, 0o600), "wb")


def open_up(file: BinaryIO, *, replaced: Path | None) -> None:
    """Give a finished file, still open, owner, group and rights of the one that it replaces, or those of a new file here.

    A group that may not be kept (its own are all that a user may give a file to) gets nothing in the place of the old one.
    """
    try:
        before = replaced.stat() if replaced is not None else None
    except FileNotFoundError:
        before = None
    if replaced is None or before is None:
        return _allow(file, _new_file_mode())
    kept = _give(file, before)
    access = _access_list(replaced)
    mode = before.st_mode & _EVERYBODY
    _allow(file, mode if kept and access is None else _without_group(mode))
    if kept and access is not None:
        with contextlib.suppress(OSError):  # without it, the group has no rights
            os.setxattr(file.fileno(), _ACL, access)
    return None


def _give(file: BinaryIO, before: os.stat_result) -> bool:
    """Give a file to the owner and the group of another one; return whether the group is the same then."""
    now = os.fstat(file.fileno())
    if not hasattr(os, "fchown") or (now.st_uid, now.st_gid) == (before.st_uid, before.st_gid):
        return True
    try:
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
    except OSError:  # only root gives files away
        with contextlib.suppress(OSError):
            os.fchown(file.fileno(), -1, before.st_gid)
    return os.fstat(file.fileno()).st_gid == before.st_gid


def _without_group(mode: int) -> int:
    """Return rights without the group's; its old members are among the others now, who get no more than both had."""
    return mode & (0o700 | (mode >> 3 & 0o007))


def _access_list(path: Path) -> bytes | None:
    if hasattr(os, "getxattr"):
        with contextlib.suppress(OSError):
            return os.getxattr(path, _ACL)
    return None


def _allow(file: BinaryIO, mode: int) -> None:
    with contextlib.suppress(OSError):  # FAT and some network drives know no rights; the file is its owner's then
        os.chmod(file.fileno() if os.chmod in os.supports_fd else file.name, mode)  # noqa: PTH101  # of the open file


def _new_file_mode() -> int:
    """Return the rights of a new file of this process. There is no other way to ask for the umask than to set it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
