"""Starting, limiting and ending processes.

`RLIMIT_DATA` and not `RLIMIT_AS` caps memory: gRPC and DuckDB reserve 861 MB of addresses before any work, of which 177 MB
are data (DESIGN section 9). Where the platform has no `prlimit` (macOS, Windows) the cap is not enforced; README says so.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEBIBYTE = 1 << 20
PRIVATE_UMASK = 0o077

_umask_of_children = -1  # inherit


SWITCH_S = 0.0005


def begin_quickly() -> None:
    """Look for no cycles while a process imports what it needs, which is a tenth of that time; see `begun`."""
    gc.disable()


def begun() -> None:
    """Go on as usual; what is there by now stays, so no later look for cycles goes through it again."""
    gc.freeze()
    gc.enable()


def answer_promptly() -> None:
    """Let a thread of this process wait at most half a millisecond for another one: the usual 5 ms are a query's whole time."""
    sys.setswitchinterval(SWITCH_S)


def keep_files_private() -> None:
    """Make files of this process for its user alone; those that drivers make for the user keep the user's own umask."""
    global _umask_of_children
    _umask_of_children = os.umask(PRIVATE_UMASK)


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    stdin: int | IO[bytes],
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that no terminal's Ctrl-C reaches it and its whole group can be ended."""
    return subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(environ),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        umask=_umask_of_children,
    )


class Detached:
    """A process that outlives us: in a session of its own, its words in a file, nobody's child to wait for."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str], log: Path) -> None:
        """Start it with no input and with both outputs appended to `log` (made 0600)."""
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self.pid = _spawn(list(command), dict(environ), fd)
        finally:
            os.close(fd)
        self._over = threading.Event()
        threading.Thread(target=self._reap, name=f"reap-{self.pid}", daemon=True).start()

    def ended(self) -> bool:
        """Return whether it has ended."""
        return self._over.is_set() or not alive(self.pid)

    def _reap(self) -> None:
        """Wait for its end, so that it does not stay in the process table as long as we live."""
        with contextlib.suppress(ChildProcessError, AttributeError):
            os.waitpid(self.pid, 0)
            self._over.set()


def _spawn(command: list[str], environ: dict[str, str], log: int) -> int:
    """Start without a Popen object, which would warn of the process still running when it is collected."""
    if hasattr(os, "posix_spawn"):
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ]
        with contextlib.suppress(NotImplementedError):  # a libc without setsid here
            return os.posix_spawn(command[0], command, environ, file_actions=actions, setsid=True)
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    process.returncode = 0  # it is on its own from here on
    return process.pid


def limit(pid: int, *, memory_mb: int | None) -> None:
    """Cap a process's data at `memory_mb` mebibytes and let it leave no core file; harmless when it has just ended."""
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return
    with contextlib.suppress(ProcessLookupError):
        prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if memory_mb is not None:
            prlimit(pid, resource.RLIMIT_DATA, (memory_mb * MEBIBYTE, memory_mb * MEBIBYTE))


def signal_group(process: subprocess.Popen[bytes], sig: signal.Signals) -> None:
    """Send a signal to the process and all its children; harmless when they are gone."""
    if process.poll() is not None and not hasattr(os, "killpg"):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, sig)
        else:
            process.send_signal(sig)


def alive(pid: int) -> bool:
    """Return whether a process of that id runs (a zombie does not)."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def python(*arguments: str) -> list[str]:
    """Return the command for this Python, with the current directory kept off its path (`-P`)."""
    return [sys.executable, "-P", *arguments]
