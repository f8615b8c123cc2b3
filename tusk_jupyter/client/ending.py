"""The end of a core, of this version or another, that answers or not: asked, then SIGTERM, then SIGKILL.

Only a process that is our core is ever sent a signal: its number may have been given to another process since `core.json` was
written, so it must hold `core.lock`, or where the system does not tell who does, be older than the file and look like a core.
Killing one is safe: what it acknowledged is in the journal, and its drivers end with their standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import Any

import psutil

from tusk_jupyter import errors
from tusk_jupyter.system import locks, processes
from tusk_jupyter.system.address import Address, read_address
from tusk_jupyter.system.places import Places

ASK_S = 5.0
"""How long a core may take to answer that it is to end."""

LEAVE_S = 15.0
"""How long it may take to go then: it cancels what runs and closes its sessions."""

SIGNAL_S = 5.0
POLL_S = 0.05
STOP_ACTION = "core.stop"
STATUS_ACTION = "core.status"
"""What all versions of the core understand; see `protocol/control/core.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A core that is gone."""

    pid: int
    how: str
    """asked | terminated | killed."""
    running: int | None = None
    """Runs that were cancelled, where the core said so."""
    sessions: int | None = None


def end_core(places: Places) -> Ended | None:
    """End the core of a state folder, whatever it takes; return None when there is none.

    Raises:
        CoreError: it could not be ended.
    """
    address = read_address(places.address_file)
    process = _core(places, address) or _answering(address)
    if process is None:
        return None
    said = _ask(address, STOP_ACTION, {}) if address is not None else None
    if said is not None and _has_gone(process, LEAVE_S):
        return Ended(pid=process.pid, how="asked", running=_count(said, "running"), sessions=_count(said, "sessions"))
    for how, signal in (("terminated", process.terminate), ("killed", process.kill)):
        with contextlib.suppress(psutil.NoSuchProcess):
            signal()
        if _has_gone(process, 0.0 if how == "terminated" and processes.is_stopped(process.pid) else SIGNAL_S):
            with contextlib.suppress(OSError):
                if (left := read_address(places.address_file)) is not None and left.pid == process.pid:
                    places.address_file.unlink()
            return Ended(pid=process.pid, how=how)
    raise errors.CoreError(
        f"The core service (process {process.pid}) could not be ended, not even by SIGKILL: the system keeps it, as it does "
        "with a process that waits for a disk.",
        hint="See what it waits for (`ps -o stat,wchan -p PID`); it ends as soon as that answers.",
    )


def is_idle(address: Address) -> bool:
    """Return whether a core, of whatever version, says that nobody is attached to it and nothing runs."""
    said = _ask(address, STATUS_ACTION, {"client_version": address.version, "protocol": address.protocol})
    return said is not None and _count(said, "clients") == 0 and _count(said, "running") == 0


def _core(places: Places, address: Address | None) -> psutil.Process | None:
    """Return the process of the state folder's core, or None when there is none."""
    holders = locks.holders(places.core_lock)
    if holders == () or not _is_held(places):
        return None
    said = address.pid if address is not None else 0
    if holders is not None:  # by the file's number only, so the core of a folder on another disk may be among them
        likely = (_looks_like_one(pid) for pid in sorted(holders, key=lambda pid: pid != said))
        return next((process for process in likely if process is not None), None)
    found = _looks_like_one(said) if said else None
    if found is None:
        return None
    with contextlib.suppress(OSError, psutil.NoSuchProcess):
        if found.create_time() <= places.address_file.stat().st_mtime + 1.0:
            return found
    return None


def _answering(address: Address | None) -> psutil.Process | None:
    """Return the process of a core that answers to its token though nobody holds the lock: that file was removed."""
    if (
        address is None
        or _ask(address, STATUS_ACTION, {"client_version": address.version, "protocol": address.protocol}) is None
    ):
        return None
    return _looks_like_one(address.pid)


def _looks_like_one(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        mine = not hasattr(os, "getuid") or process.uids().real == os.getuid()
        return process if mine and "tusk_jupyter.service" in process.cmdline() else None
    except psutil.Error:
        return None


def _is_held(places: Places) -> bool:
    lock = locks.FileLock(places.core_lock)
    try:
        free = lock.try_acquire()
    except errors.StorageError:
        return True
    lock.release()
    return not free


def _ask(address: Address, action: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """Send an action and return its answer as it is, or None: another version may answer in another form, or not at all."""
    if not address.address or not address.token:
        return None
    import pyarrow as pa
    import pyarrow.flight as flight

    from tusk_jupyter.protocol.calls import Peer

    try:
        peer = Peer(address.address, address.token)
        body = json.dumps(request).encode()
        (answer,) = peer.flight.do_action(flight.Action(action, body), peer.options(ASK_S))
        said = json.loads(answer.body.to_pybytes())
    except (flight.FlightError, pa.ArrowException, OSError, ValueError, errors.StorageError):
        return None  # the last: another user's process listens there
    return said if isinstance(said, dict) else None


def _count(said: dict[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) else None


def _has_gone(process: psutil.Process, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while process.is_running() and processes.alive(process.pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True
