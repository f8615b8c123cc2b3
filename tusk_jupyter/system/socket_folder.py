"""The folder of the sockets: in the state folder where its path is short enough, else named after it somewhere shorter.

AF_UNIX takes 104 bytes on macOS and 108 on Linux. The name outside of the state folder can be computed by anybody, so it is
taken for ours only when it is a real folder, of this user, for this user alone, on a way that nobody else may change;
otherwise the next place is looked at.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system import belongings, way
from tusk_jupyter.system.belongings import HAS_OWNERS
from tusk_jupyter.system.home import RUN
from tusk_jupyter.system.private_files import DIRECTORY_MODE, OTHERS

LONGEST_SOCKET = 104
NAMES_TRIED = 4
"""In each folder: whoever takes the first name there must not keep the core from starting."""
_NAME_ROOM = len("/d-0123456789abcdef.sock")


def find(home: Path) -> Path:
    """Return the first place that is free or ours.

    Raises:
        StorageError: there is none.
    """
    near = home / RUN
    if _unfit(near) is None:
        return near
    tried = []
    for folder in _far(home):
        if _unfit(folder) is not None:
            continue
        if (weak := way.weakness(folder)) is not None:
            tried.append(weak)
        elif (problem := _problem(folder)) is not None:
            tried.append(f"{folder} {problem}")
        else:
            return folder
    raise StorageError(
        f"{near} cannot have sockets, because its path {_unfit(near)}, and no other place can be used: "
        f"{'; '.join(dict.fromkeys(tried)) or 'the path of the temporary folder is such a one too'}.",
        hint="Set TUSK_HOME to a folder with a shorter path without a comma, or XDG_RUNTIME_DIR to a private one.",
    )


def claim(folder: Path) -> None:
    """Make the folder, or see that it is ours.

    Raises:
        StorageError: it cannot be made, or something else is in its place.
    """
    try:
        folder.mkdir(mode=DIRECTORY_MODE)
    except FileExistsError:
        pass
    except OSError as exc:
        raise StorageError(
            f"The folder {folder} for the sockets cannot be made: {exc.strerror}.",
            hint="Set TUSK_HOME to a folder that you may write to, or make sure that this one belongs to you.",
        ) from exc
    problem = _problem(folder, in_home=folder.name == RUN)
    if problem is not None:
        raise StorageError(
            f"{folder} {problem}; sockets are only made in a real folder of this user's own.", hint="Move it away."
        )


def _unfit(folder: Path) -> str | None:
    """Return why there can be no socket in a folder; None when there can."""
    path = os.fsencode(folder)
    if b"," in path:
        return "has a comma, which gRPC takes for the end of an address"
    return f"is too long ({LONGEST_SOCKET} bytes)" if len(path) + _NAME_ROOM > LONGEST_SOCKET else None


def _far(home: Path) -> Iterator[Path]:
    """Yield the places outside of the state folder, best first: the user's own runtime folder, then temporary ones."""
    name = f"tusk-{belongings.user_id() if HAS_OWNERS else os.environ.get('USERNAME', 'user')}-"
    name += hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/")
    if runtime != Path("/") and _is_private(runtime):
        yield runtime / name
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108  # what is made there is looked at
        yield from (Path(parent) / (name + f"-{number}" * bool(number)) for number in range(NAMES_TRIED))


def _is_private(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    mine = not HAS_OWNERS or found.st_uid == belongings.user_id()
    return mine and stat.S_ISDIR(found.st_mode) and not found.st_mode & OTHERS


def _problem(folder: Path, *, in_home: bool = False) -> str | None:
    """Return why what has the folder's name is not ours; None when it is, or when there is nothing."""
    try:
        found = folder.lstat()
    except OSError:
        return None
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    if not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if not HAS_OWNERS:
        return None
    if found.st_uid != belongings.user_id():
        return f"belongs to another user (uid {found.st_uid})"
    if not in_home and found.st_mode & OTHERS:
        return f"has mode {stat.S_IMODE(found.st_mode):04o}, so others may have used it"
    return None
