"""Getting a core going, without waiting for it and without importing anything heavy."""

from __future__ import annotations

import os
import threading

from tusk_jupyter.errors import CoreError
from tusk_jupyter.system import open_files, processes, threads
from tusk_jupyter.system.address import read_address
from tusk_jupyter.system.places import Places

withheld: set[str] = set()
"""Environment variables that a core started from here does not inherit: those that held a secret given to a command."""

REPORT = "--report"
"""Has the core say why it does not come up as a message to us, and not as words for people."""

_on_the_way: dict[str, processes.Detached] = {}
_lock = threading.Lock()


def ensure(places: Places) -> None:
    """See that a core runs or is on its way."""
    if read_address(places.address_file) is None:
        places.prepare()
        start(places)


def start(places: Places) -> processes.Detached:
    """Return the core process that this process has started and that still runs, or start one.

    One too many does no harm: a second core finds the first one's lock and leaves.
    """
    with _lock:
        known = _on_the_way.get(str(places.home))
        if known is not None and not known.ended():
            return known
        process = _on_the_way[str(places.home)] = _begun(places)
        return process


def _begun(places: Places) -> processes.Detached:
    environ = {name: value for name, value in os.environ.items() if name not in withheld}
    try:
        return processes.Detached(
            processes.python("-m", "tusk_jupyter.service", REPORT), environ={**environ, "TUSK_HOME": str(places.home)}
        )
    except (OSError, RuntimeError) as exc:
        words = f"The process of the core service could not be started: {exc}."
        raise threads.not_started(exc) or open_files.told(exc) or CoreError(words) from exc
