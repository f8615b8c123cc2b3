"""The cap on this process's memory, which the core set (`processes.limit`), as the driver sees it."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
import traceback
from collections.abc import Callable

from tusk_jupyter.errors import DriverError, TuskError
from tusk_jupyter.protocol.scenarios import memory_hint, with_lost_memory

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEBIBYTE = 1 << 20

_NO_THREAD = ("can't start new thread", "Failed to launch worker thread")
"""Python's words, and those of Arrow's pools."""

_NO_MEMORY = re.compile(
    r"bad_?[ ]?alloc(?:ation)?\b|out of memory|allocation failure|not enough memory"
    r"|(?:cannot|can't|could not|failed to|unable to) (?:re)?allocate|(?:malloc|realloc|calloc) of size \d+ failed",
    re.IGNORECASE,
)
"""The words of C++, DuckDB, Arrow, gRPC and the C library, where no class of the error tells."""

_M_MMAP_THRESHOLD = -3  # malloc.h; see mallopt(3)
_LARGE_BYTES = 1 << 20


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


def left_mb() -> int | None:
    """Return what the cap leaves to this process, in MiB; None where nothing caps it or the system does not tell."""
    import psutil  # not for every driver's start

    cap = cap_mb()
    data = getattr(psutil.Process().memory_info(), "data", None) if cap is not None else None
    return None if cap is None or data is None else cap - data // MEBIBYTE


def hint() -> str:
    """Return what to do when this process has hit its cap, or the machine has no more."""
    return memory_hint(cap_mb())


def told(exc: BaseException) -> DriverError | None:
    """Return our error for one that means "no more memory", which a thread's stack takes too; None for any other."""
    if isinstance(exc, TuskError) or not (ran_out(exc) or any(words in str(exc) for words in _NO_THREAD)):
        return None
    return DriverError("The driver ran out of the memory it may use.", hint=hint(), scenario="memory_limit")


def ran_out(exc: BaseException) -> bool:
    """Return whether a library's error means that it was refused memory, whatever class it gave it."""
    return isinstance(exc, MemoryError) or getattr(exc, "errno", None) == errno.ENOMEM or says_so(str(exc))


def says_so(text: str) -> bool:
    """Return whether the words of an error are those of a refused allocation."""
    return _NO_MEMORY.search(text) is not None


def take_large_ones_alone() -> None:
    """Have the C library take buffers of 1 MB and more from the system one by one, which go back as soon as they are free.

    By itself it moves that border up to 32 MB as such buffers are freed, and keeps the most that its heaps ever had: 186 MB of
    a cap of 512 MB after some results of long lists. It costs 0.05 s for 200 MB of texts, so only for a tight cap.
    """
    if (mallopt := _of_the_c_library("mallopt")) is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back(exc: BaseException | None, engine: Callable[[], None]) -> None:
    """After an error that means "no more memory", return what is kept for later: the next statement needs some.

    Where next to nothing is left all the same, the error's hint says how to get it back.

    Args:
        exc: how a run ended. The frames that it has been through hold what there was of the result.
        engine: returns what the engine's own library keeps.
    """
    if not isinstance(exc, TuskError) or exc.scenario != "memory_limit":
        return
    met: set[int] = set()  # an error that is raised again within the handling of its own context leads back to itself
    link: BaseException | None = exc
    while link is not None and id(link) not in met:
        met.add(id(link))
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    try:
        engine()
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
        if (trim := _of_the_c_library("malloc_trim")) is not None:
            trim(ctypes.c_size_t(0))
        exc.hint = with_lost_memory(exc.hint, left_mb())
    except Exception as failure:  # noqa: BLE001  # a process short of memory may fail at anything; the run's last word is to come
        traceback.print_exception(failure)


class _HeapFigures(ctypes.Structure):
    """`struct mallinfo2` of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def free_in_heaps_mb() -> int:
    """Return how much of this process's data the C library's heaps have to give, in MiB: the system does not get it back."""
    if (ask := _of_the_c_library("mallinfo2")) is None:
        return 0
    ask.restype = _HeapFigures  # type: ignore[attr-defined]
    return int(ask().fordblks) // MEBIBYTE  # type: ignore[attr-defined]


def _of_the_c_library(name: str) -> Callable[..., object] | None:
    """Return a function that glibc has; None elsewhere."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
