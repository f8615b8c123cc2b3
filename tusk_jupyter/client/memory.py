"""How much memory this process may still take, so that a result that does not fit is refused in words.

Behind a limit (`ulimit -v`, a container's) the kernel does not get an error it could tell: a C++ library ends the process at
its first failed allocation, or the system does. So a result that grows is looked at while there is room to stop.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tusk_jupyter import errors
from tusk_jupyter.system import threads

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

LOOK_BYTES = 16 * 1024 * 1024
"""Between two looks at the limits, which take 0.1 ms together."""

FRAME_FACTOR = 1.2
"""What a frame takes beside the rows it is made of while it is made: the peak is 2.1 times the frame, both together."""

RESERVE_BYTES = 96 * 1024 * 1024
"""Left free: buffers of Flight, the threads' own heaps (64 MB of addresses each), whatever else the process does."""

TAKE_LESS = (
    "Write it to a file instead: `--to FILE.parquet` takes any size (in Python `to=`); or fetch less of it, with "
    "`--limit` or fewer columns."
)
SEND_LESS = "Send it in parts: `df.iloc[:1_000_000]` first, then the others with `--append`; or free memory."


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the limits that hold for this process."""

    name: str
    """For people."""
    bytes: int
    left: int
    """What it may still take."""


class Room:
    """The room that one result has. Not thread-safe."""

    def __init__(self) -> None:
        """Begin with an empty result; the limits are first looked at when it is worth it."""
        self._held = self._since = 0

    def take(self, size: int, *, rows: int) -> None:
        """Take `size` bytes more into account.

        Raises:
            ResultTooLarge: the frame of what there is so far would not fit; the caller lets go of it.
        """
        self._held += size
        self._since += size
        if self._since < LOOK_BYTES:
            return
        self._since = 0
        needed = int(self._held * FRAME_FACTOR) + LOOK_BYTES
        limit = tightest()
        if limit is not None and limit.left - RESERVE_BYTES < needed:
            raise errors.ResultTooLarge(
                f"The result does not fit into this process's memory: {rows:,} rows with {_size(self._held)} had arrived, a "
                f"frame of them takes {_size(needed)} more, and {limit.name} leaves {_size(max(0, limit.left))} of "
                f"{_size(limit.bytes)}. The run was stopped and its rows were freed.",
                hint=TAKE_LESS,
                scenario="result_too_large",
            )

    def see(self, size: int, *, rows: int, kept: bool) -> None:
        """See that a batch can be received, of which Flight takes all `size` bytes before anybody can look at it.

        Args:
            size: of the batch.
            rows: that have arrived so far.
            kept: whether it is to become part of a frame; else it is written to a file and let go.

        Raises:
            ResultTooLarge: it cannot.
        """
        needed = size + int((self._held + size if kept else size) * FRAME_FACTOR)
        limit = tightest()
        if limit is not None and limit.left - RESERVE_BYTES < needed:
            held = f"{rows:,} rows had arrived, and the next ones" if rows else "Its first rows"
            raise errors.ResultTooLarge(
                f"The result does not fit into this process's memory. {held} have {_size(size)}: to receive them takes "
                f"{_size(needed)}, and {limit.name} leaves {_size(max(0, limit.left))} of {_size(limit.bytes)}. The run was "
                "stopped before that.",
                hint=TAKE_LESS
                if kept
                else "Fetch less of such values at once: part of them (`substr`), or fewer columns.",
                scenario="result_too_large",
            )


@contextlib.contextmanager
def guarded(what: str, *, hint: str = TAKE_LESS) -> Iterator[None]:
    """Tell of memory, or threads, that ran out in the block as one of our errors, whatever library noticed.

    Args:
        what: failed, as a sentence without its full stop.
        hint: what to do when it was memory.

    Raises:
        ResultTooLarge: it ran out. CoreError: there are no threads.
    """
    try:
        yield
    except errors.TuskError:
        raise
    except Exception as exc:
        if (told := threads.told(exc)) is not None:
            raise told from exc
        if not ran_out(exc):
            raise
        raise translated(exc, what, hint=hint) from exc


def see_that(size: int, what: str) -> None:
    """See that `size` bytes more can be taken.

    Raises:
        ResultTooLarge: they cannot.
    """
    if size < LOOK_BYTES:
        return
    limit = tightest()
    if limit is not None and limit.left < size:
        raise errors.ResultTooLarge(
            f"{what}: it takes {_size(size)}, and {limit.name} leaves {_size(max(0, limit.left))} of {_size(limit.bytes)}.",
            hint=SEND_LESS,
            scenario="result_too_large",
        )


def ran_out(exc: BaseException) -> bool:
    """Return whether an error means that there was no memory: Python's, Arrow's, NumPy's, and C++'s in a RuntimeError."""
    return isinstance(exc, MemoryError) or "bad_alloc" in str(exc)


def translated(exc: Exception, what: str, *, hint: str = TAKE_LESS) -> errors.TuskError:
    """Return an error of a library as one of ours, with its words as the detail."""
    if (told := threads.told(exc)) is not None:
        return told
    said = f"{type(exc).__name__}: {exc}".partition("\n")[0][:300]
    if not ran_out(exc):
        return errors.InternalError(f"{what}.", detail=said)
    limit = tightest()
    room = f": {limit.name} is {_size(limit.bytes)}" if limit is not None else ""
    return errors.ResultTooLarge(
        f"{what}: there is not enough memory{room}. What it held was freed.",
        hint=hint,
        detail=said,
        scenario="result_too_large",
    )


# --- the limits ---------------------------------------------------------------------------------------------------------


def tightest() -> Limit | None:
    """Return the limit that leaves least, or None where none can be read."""
    return min(_limits(), key=lambda limit: limit.left, default=None)


def _limits() -> Iterator[Limit]:
    yield from _of_the_process()
    yield from _of_the_control_groups()
    import psutil

    with contextlib.suppress(OSError, RuntimeError):
        machine = psutil.virtual_memory()
        yield Limit("the machine", machine.total, machine.available)


def _of_the_process() -> Iterator[Limit]:
    if resource is None:
        return
    used: tuple[int, ...] | None = None
    for name, kind, column in (("RLIMIT_AS", "ulimit -v", 0), ("RLIMIT_DATA", "ulimit -d", 5)):
        soft = resource.getrlimit(getattr(resource, name))[0]
        if soft == resource.RLIM_INFINITY:
            continue
        used = used or _pages_in_use()
        if used is not None:
            yield Limit(f"its limit (`{kind}`)", soft, soft - used[column])


def _pages_in_use() -> tuple[int, ...] | None:
    """Return the bytes of /proc/self/statm: size, resident, shared, text, lib, data. None where there is no such thing."""
    try:
        words = Path("/proc/self/statm").read_text().split()
    except OSError:
        return None
    page = os.sysconf("SC_PAGE_SIZE")
    return tuple(int(word) * page for word in words)


def _of_the_control_groups() -> Iterator[Limit]:
    for folder, most, now, cache in _groups():
        with contextlib.suppress(OSError, ValueError):
            limit = int((folder / most).read_text())  # v2's "max" is no number
            if limit >= 1 << 60:  # v1's "no limit"
                continue
            used = int((folder / now).read_text())
            statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            yield Limit("the container", limit, limit - used + int(statistics.get(cache, 0)))


@functools.cache
def _groups() -> tuple[tuple[Path, str, str, str], ...]:
    """Return the folders of this process's control groups, and of those above them, with the names of their files."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ()
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, names = Path("/sys/fs/cgroup"), ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = Path("/sys/fs/cgroup/memory")
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        here = root / path.lstrip("/")
        if not here.is_relative_to(root) or ".." in here.parts:  # seen from within another name space
            here = root
        found += [(folder, *names) for folder in (here, *here.parents) if folder.is_relative_to(root)]
    return tuple(one for one in found if (one[0] / one[1]).exists())


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
