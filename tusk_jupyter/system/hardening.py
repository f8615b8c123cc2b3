"""Processes that hold passwords keep their memory to themselves.

Called by the core and by every driver as the first thing they do; it lasts until the next `exec`, so each process calls
it for itself. It stops other processes of the same user from reading the memory, and crash dumps; not an administrator.
"""

from __future__ import annotations

import ctypes
import sys

PR_SET_DUMPABLE = 4


def harden() -> tuple[str, ...]:
    """Forbid core dumps and reading of this process's memory; return what the platform offers and did.

    Linux: both. macOS: no core dumps. Windows: nothing to do here; it asks who opens a process anyway.
    """
    done = []
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        done.append("no core dumps")
    # Not only against readers: a dump that is piped to a program (`core_pattern` with `|`) ignores RLIMIT_CORE.
    if sys.platform == "linux" and _make_undumpable():
        done.append("memory closed to other processes")
    return tuple(done)


def _make_undumpable() -> bool:
    """Return whether it worked; a kernel that filters `prctl` (some sandboxes) is not worth a refusal to start."""
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return prctl is not None and prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
