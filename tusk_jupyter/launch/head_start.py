"""The driver used last, started by a core before its own imports: the first query of the day then waits for neither.

What is remembered is a cache: one that cannot be read, or that somebody else could have written, is none. And what was
started is only used when it is what this core's own catalog would have started: another environment's driver is another one.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass

from tusk_jupyter.errors import StorageError
from tusk_jupyter.launch.child import Child
from tusk_jupyter.system.home import read_believed
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.private_files import write_private

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class HeadStart:
    """A driver process on its way up, and what it was started from."""

    name: str
    command: tuple[str, ...]
    fingerprint: str
    child: Child


def remember(places: Places, name: str, command: tuple[str, ...], fingerprint: str) -> None:
    """Note which driver was used; the file is only written when it says something else."""
    text = json.dumps({"name": name, "command": command, "fingerprint": fingerprint}).encode()
    with contextlib.suppress(OSError):  # a convenience: the next core starts its driver when it needs it
        if _read(places) != text:
            write_private(places.last_driver, text)


def begin(places: Places) -> HeadStart | None:
    """Start the driver that was used last; None when there was none, or nothing says so that can be believed."""
    try:
        said = json.loads(_read(places))
        name, command, fingerprint = said["name"], said["command"], said["fingerprint"]
        if not (isinstance(name, str) and isinstance(fingerprint, str) and isinstance(command, list) and command):
            return None
        child = Child([str(word) for word in command], places)
        child.greet()
    except (OSError, ValueError, KeyError, TypeError, RecursionError, subprocess.SubprocessError):
        return None
    return HeadStart(name, tuple(str(word) for word in command), fingerprint, child)


def _read(places: Places) -> bytes:
    """Return the file's content; none when there is no file, or somebody else could have written it."""
    try:
        return read_believed(places.home, places.last_driver, max_bytes=MAX_BYTES)
    except (OSError, StorageError):
        return b""
