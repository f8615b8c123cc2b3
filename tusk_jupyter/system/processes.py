"""Starting, limiting and ending processes.

`RLIMIT_DATA` and not `RLIMIT_AS` caps memory: gRPC and DuckDB reserve 861 MB of addresses before any work, of which 177 MB
are data (DESIGN section 9). Where the platform has no `prlimit` (macOS, Windows) the cap is not enforced; README says so.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEBIBYTE = 1 << 20


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
        list(command), cwd=cwd, env=dict(environ), stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )


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
