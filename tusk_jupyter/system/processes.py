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

LAST_WORDS_BYTES = 64 * 1024
LAST_WORDS_S = 2.0
"""How long the last words of a process that has ended may be on their way."""

_umask_of_children = -1  # inherit


SWITCH_S = 0.0005

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8  # malloc.h; see mallopt(3)
HEAPS = 2
TRIM_BYTES = 256 * 1024


def keep_heap_small(*, trims: bool = False) -> None:
    """Have the threads of this process share two heaps; before it starts any. Only glibc is asked, others do that anyway.

    glibc gives each thread a heap, which keeps the most that the thread ever needed. Runs wander over the threads of gRPC, so
    the core grew for as long as it ran: 59.8 to 63.4 MB between its 3,000th and 24,000th run, with two heaps 54.3 to 56.4.

    Args:
        trims: whether the end of the heap goes back as soon as it is free, which was 2.4 MB of the core after 42,000 runs. Not
            for drivers: large values are then taken from the system one by one.
    """
    import ctypes  # 4 ms, and a client asks for none of it

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return
    mallopt(_M_ARENA_MAX, HEAPS)
    if trims:
        mallopt(_M_TRIM_THRESHOLD, TRIM_BYTES)


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
    """A process that outlives us: in a session of its own, nobody's child to wait for.

    What it says while it comes up reaches us through a pipe and not through a file, for the reason may be that no file can be
    written. It closes the pipe once it is up.

    Attributes:
        pid: the process's id.
    """

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str]) -> None:
        """Start it with no input and with both outputs to us."""
        ours, theirs = os.pipe()
        try:
            self.pid = _spawn(list(command), dict(environ), theirs)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._said = b""
        self._over = threading.Event()
        threading.Thread(target=self._follow, args=(ours,), name=f"reap-{self.pid}", daemon=True).start()

    def ended(self) -> bool:
        """Return whether it has ended."""
        return self._over.is_set() or not alive(self.pid)

    def last_words(self) -> bytes:
        """Return the end of what a process that has ended had said."""
        self._over.wait(LAST_WORDS_S)
        return self._said

    def _follow(self, pipe: int) -> None:
        """Take in what it says, and wait for its end, so that it does not stay in the process table as long as we live."""
        with os.fdopen(pipe, "rb", buffering=0) as words:
            while said := words.read(LAST_WORDS_BYTES):
                self._said = (self._said + said)[-LAST_WORDS_BYTES:]
        with contextlib.suppress(ChildProcessError, AttributeError):
            os.waitpid(self.pid, 0)
        self._over.set()


def _spawn(command: list[str], environ: dict[str, str], output: int) -> int:
    """Start without a Popen object, which would warn of the process still running when it is collected."""
    if hasattr(os, "posix_spawn"):
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        with contextlib.suppress(NotImplementedError):  # a libc without setsid here
            return os.posix_spawn(command[0], command, environ, file_actions=actions, setsid=True)
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
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


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a child process has ended; `poll` says "no" while another thread is just taking its exit code."""
    if process.poll() is not None:
        return True
    if not hasattr(os, "waitid"):
        return False
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # its exit code was taken
        return True


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, in seconds; 0 when it is gone."""
    import psutil

    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system)


def is_stopped(pid: int) -> bool:
    """Return whether a process is stopped, by a signal or a debugger: it answers nothing until somebody lets it go on."""
    if sys.platform == "linux":  # on the way of a first run, where the import of psutil would take 15 ms
        try:
            return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"T", b"t")
        except OSError:
            return False
    import psutil

    try:
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


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
