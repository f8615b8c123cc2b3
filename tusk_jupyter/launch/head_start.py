"""The driver used last, started by a core before its own imports: the first query of the day then waits for neither.

What is remembered is a name and a command, in the state folder; a driver that is gone by now is found out when it is taken.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from tusk_jupyter.launch.child import Child
from tusk_jupyter.system.places import Places


@dataclass(frozen=True, slots=True)
class HeadStart:
    """A driver process on its way up."""

    name: str
    child: Child


def remember(places: Places, name: str, command: tuple[str, ...]) -> None:
    """Note which driver was used; the file is only written when it says something else."""
    text = json.dumps({"name": name, "command": command})
    with contextlib.suppress(OSError):  # a convenience: the next core starts its driver when it needs it
        if not places.last_driver.exists() or places.last_driver.read_text() != text:
            places.last_driver.write_text(text)
            places.last_driver.chmod(0o600)


def begin(places: Places) -> HeadStart | None:
    """Start the driver that was used last; None when there was none, or it cannot be started that way."""
    try:
        said = json.loads(places.last_driver.read_text())
        child = Child([str(word) for word in said["command"]], places)
        child.greet()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return HeadStart(str(said["name"]), child)
