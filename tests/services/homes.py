"""A private TUSK_HOME, and the processes that belong to it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.processes import short_temporary_folder
from services.waiting import wait_until
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.state.store import Store
from tusk_jupyter.system.places import Places

END_S = 15.0
"""How long the core and its drivers may take to end after SIGTERM."""


@dataclass(frozen=True, slots=True)
class TuskHome:
    """A state folder. `str(home)` and `os.fspath(home)` give its path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment for a process of this home."""
        return os.environ | {"TUSK_HOME": str(self.path)} | more

    def close(self) -> None:
        """Stop every process of this home and remove it.

        Raises:
            AssertionError: a process did not end on SIGTERM; it is killed then.
        """
        try:
            _end(self.path)
        finally:
            shutil.rmtree(self.path, ignore_errors=True)


def make_home(*, spares: bool = True) -> TuskHome:
    """Make a home with a path short enough for Unix sockets below it; without `spares` its core keeps none."""
    home = TuskHome(Path(tempfile.mkdtemp(prefix="tusk-h-", dir=short_temporary_folder())))
    if not spares:
        shutil.copytree(_state_without_spares(), home.path, dirs_exist_ok=True)
    return home


@functools.cache
def _state_without_spares() -> Path:
    """Return a state folder in which `warm_spare` is off."""
    path = Path(tempfile.mkdtemp(prefix="tusk-s-", dir=short_temporary_folder()))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    umask = os.umask(0o077)
    with Store.open(path) as store:
        store.preferences.set("warm_spare", "off")
    os.umask(umask)
    return path


def empty(home: TuskHome) -> None:
    """Have a home's core as one that has just started in a new home: no run, connection, session, log row or setting.

    Raises:
        AssertionError: something was left.
    """
    client = Client(Places(home.path), source="emptying", stays=False)
    for run in client.call(control.ListRuns()).runs:
        client.call(control.CancelRun(run=run.run))
    wait_until(lambda: not client.call(control.ListRuns()).runs, END_S, "no run is under way")
    for one in client.call(control.ListConnections(session=client.session)).connections:
        client.call(control.RemoveConnection(session=client.session, name=one.name))
    for setting in client.call(control.ListPreferences()).preferences:
        if setting.value != setting.default:
            client.call(control.SetPreference(name=setting.name, value=None))
    client.call(control.DeleteLog(everything=True))
    asked = control.GetCoreStatus(client_version="test", protocol=PROTOCOL_VERSION)
    wait_until(lambda: client.call(asked).sessions == 0, END_S, "all sessions are closed")
    assert client.call(control.ReadLog(limit=1)).total == 0
    client.link.forget()


@contextmanager
def short_folder(prefix: str) -> Iterator[Path]:
    """A temporary folder with a path short enough for Unix sockets in it."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=short_temporary_folder()) as folder:
        yield Path(folder)


def processes_of(home: TuskHome | Path | str) -> list[psutil.Process]:
    """Return all processes but our own that run with this TUSK_HOME, in a folder of it, or name it in their command.

    Drivers have no TUSK_HOME in their environment; their folder for temporary files lies in the home. Core and drivers
    close their environment and folder to other processes: unless we are root, they are the process that `core.json`
    names and its descendants, as long as that one lives.
    """
    path = str(home)
    found = _family(Path(path)) | {pid for pid in psutil.pids() if _names(pid, path)}
    processes = []
    for pid in sorted(found - {os.getpid()}):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                processes.append(process)
    return processes


def _names(pid: int, path: str) -> bool:
    """Return whether a process has `path` in its command, folder or environment; read as it stands, for hundreds of them."""
    place = f"/proc/{pid}"
    with suppress(OSError):
        if path.encode() in Path(f"{place}/cmdline").read_bytes() or path in str(Path(f"{place}/cwd").readlink()):
            return True
        environ = Path(f"{place}/environ").read_bytes().split(b"\0")
        return any(path.encode() in one for one in environ if one.startswith((b"TUSK_HOME=", b"TMPDIR=")))
    return False


def _family(home: Path) -> set[int]:
    try:
        core = psutil.Process(json.loads((home / "core.json").read_text())["pid"])
        return {core.pid, *(child.pid for child in core.children(recursive=True))}
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return set()


def words_of(process: psutil.Process) -> list[str]:
    """Return a process's command line; nothing for one that has just ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _end(path: Path) -> None:
    started = processes_of(path)
    ours = {process.pid for process in started}
    for process in started:
        with suppress(psutil.NoSuchProcess):
            if process.ppid() not in ours:  # the core (and what a test left behind); drivers end with the core
                process.terminate()
    try:
        # To look through all processes costs 10 ms and more of the processor that they need to end.
        wait_until(lambda: not any(_runs(process) for process in started), END_S)
        wait_until(lambda: not processes_of(path), END_S, f"all processes of {path} have ended")
    except AssertionError:
        left = processes_of(path)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        raise AssertionError(f"still there {END_S:g} s after SIGTERM, now killed: {left}") from None
