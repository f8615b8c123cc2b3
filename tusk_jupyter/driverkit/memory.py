"""The cap on this process's memory, which the core set (`processes.limit`), as the driver sees it."""

from __future__ import annotations

import os

from tusk_jupyter.errors import DriverError
from tusk_jupyter.protocol.scenarios import memory_hint

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEBIBYTE = 1 << 20

_NO_THREAD = ("can't start new thread", "Failed to launch worker thread")
"""Python's words, and those of Arrow's pools."""


def count_what_is_used() -> None:
    """Keep libraries from taking address space that they do not use, which the cap counts; before they are loaded.

    Arrow's allocator (mimalloc) takes 1,024 MB with the first array: a quarter of the usual cap. The time of 200 additions
    of 20,000 integers is the same without.
    """
    os.environ.setdefault("MIMALLOC_ARENA_EAGER_COMMIT", "0")


def cap_mb() -> int | None:
    """Return the cap in MiB, None where there is none."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY or soft < 0 else soft // MEBIBYTE


def hint() -> str:
    """Return what to do when this process has hit its cap, or the machine has no more."""
    return memory_hint(cap_mb())


def told(exc: BaseException) -> DriverError | None:
    """Return our error for one that means "no more memory", which a thread's stack takes too; None for any other."""
    if not isinstance(exc, MemoryError) and not any(words in str(exc) for words in _NO_THREAD):
        return None
    return DriverError("The driver ran out of the memory it may use.", hint=hint(), scenario="memory_limit")
