"""What in a state folder is ours, by its name; and the only code that deletes, renames or closes anything there.

Nothing is deleted because of where it lies. A name of ours, of the kind that we make under it, owned by this user: all
three, or it stays. So a folder of somebody's that a `TUSK_HOME` was pointed at by mistake keeps every file.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

HAS_OWNERS = hasattr(os, "geteuid")
"""Rights on Windows are lists, inherited from the user's profile folder: nothing is checked there."""

FRESH = ".new"
"""Ending of a file that is being written, until it takes the place of the old one."""

_FILE = re.compile(
    r"(?: core\.(?:json|lock|err|crash|log(?:\.\d+)?) | (?:start|state)\.lock | closed-at | tusk-home"
    r"  | drivers\.json | last-driver\.json | keyring\.json | vault\.json | vault-generation\.json"
    r"  | state\.duckdb(?:\.damaged-[0-9T.]+)? | [0-9]{20}\.journal ) (?:\.new)? (?:\.wal)?"
    r"| core\.new | drivers\.new",  # of versions before 0.1
    re.VERBOSE,
)
_REPLACED = re.compile(
    r"core\.json | drivers\.json | last-driver\.json | closed-at | tusk-home | .*\.new"
    r"| (?:vault|vault-generation|keyring)\.json",
    re.VERBOSE,
)
"""What no core opens to begin with: written anew, a cache, or of a credential tier, which refuses it with words of its own."""
_SOCKET = re.compile(r"[cd]-[0-9a-f]{16}\.sock")
_FOLDER = re.compile(r"state\.duckdb(?:\.new)?\.tmp")
"""What DuckDB moves out of memory."""
_WORKING_FOLDER = re.compile(r"p-[0-9a-f]{16}")


def user_id() -> int:
    """Return whose files are ours."""
    return os.geteuid()


def names_file(name: str) -> bool:
    """Return whether a file of that name in the state folder, or its journal, is one of ours."""
    return _FILE.fullmatch(name) is not None


def names_lasting(name: str) -> bool:
    """Return whether a core cannot begin without opening the file of that name, as it is."""
    return names_file(name) and _REPLACED.fullmatch(name) is None


def names_folder(name: str) -> bool:
    """Return whether a folder of that name in the state folder is one that a process of ours works in."""
    return _FOLDER.fullmatch(name) is not None


def names_running(name: str) -> bool:
    """Return whether a name in the folder of the sockets is one of ours."""
    return bool(_SOCKET.fullmatch(name) or _WORKING_FOLDER.fullmatch(name))


def new_socket_name(kind: str) -> str:
    """Return a fresh name for a socket; `kind` is one letter that tells cores (c) from drivers (d)."""
    return f"{kind}-{os.urandom(8).hex()}.sock"


def make_working_folder(parent: Path) -> Path:
    """Return a new folder for a driver process to work in.

    Raises:
        OSError: it cannot be made.
    """
    folder = parent / f"p-{os.urandom(8).hex()}"
    folder.mkdir(mode=0o700)
    return folder


# --- removing, renaming ---


def discard(path: Path) -> None:
    """Remove a file or a socket of ours; what is not ours under that name stays, and that there is none is fine.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    ours = stat.S_ISREG(found.st_mode) and names_file(path.name)
    ours = ours or (stat.S_ISSOCK(found.st_mode) and _SOCKET.fullmatch(path.name) is not None)
    if ours and _is_our_own(found):
        path.unlink(missing_ok=True)


def remove_working_folder(folder: Path) -> None:
    """Remove a folder that a process of ours worked in, with what it left; links in it go, what they name stays."""
    if _WORKING_FOLDER.fullmatch(folder.name) or names_folder(folder.name):
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder of this user's, and all in it, as far as that is possible; a link is neither followed nor removed."""
    if HAS_OWNERS and not shutil.rmtree.avoids_symlink_attacks:
        return  # it would follow a link that takes a folder's place meanwhile: better to leave something behind
    with contextlib.suppress(OSError):
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and _is_our_own(found):
            shutil.rmtree(folder, ignore_errors=True)


def sweep(run: Path) -> None:
    """Remove the sockets and working folders that processes of an earlier core left, and nothing else."""
    for left in sorted(run.iterdir()):
        with contextlib.suppress(OSError):  # it does no harm
            discard(left)
            remove_working_folder(left)


def put_in_place(fresh: Path, path: Path) -> None:
    """Give a file that was just written the name of the one that it replaces.

    Raises:
        OSError: it cannot be renamed; both are as they were.
    """
    fresh.replace(path)


def set_aside(path: Path, aside: Path) -> None:
    """Rename a damaged file of ours.

    Raises:
        OSError: it cannot be renamed.
    """
    path.rename(aside)


def close_to_others(path: Path) -> None:
    """Take others' rights on a file of ours away; a link that takes its place meanwhile is not followed.

    Raises:
        OSError: that is not possible.
    """
    if not HAS_OWNERS:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if _is_our_own(found) and stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def files_like(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of ours in a folder whose names fit a glob pattern."""
    for path in sorted(folder.glob(pattern)):
        if names_file(path.name):
            yield path


def _is_our_own(found: os.stat_result) -> bool:
    return not HAS_OWNERS or found.st_uid == user_id()
