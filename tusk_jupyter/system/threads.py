"""What Python says when it starts no thread and imports no module any more, in words that say why."""

from __future__ import annotations

import errno
import sys
import threading

from tusk_jupyter.errors import CoreError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_ENDING = ("can't register atexit after shutdown", "interpreter shutdown", "at shutdown")
_NONE_LEFT = ("can't start new thread", "can't allocate lock", "Resource temporarily unavailable")


def told(exc: BaseException) -> CoreError | None:
    """Return our error for one that means "no thread", or None when it means something else.

    The system's own word for it, EAGAIN, is that of a lock or a socket that is not free as well: `not_started` is for it.
    """
    if not isinstance(exc, RuntimeError):
        return None
    said = str(exc)
    if any(words in said for words in _ENDING) or (_NONE_LEFT[0] in said and _is_ending()):
        return CoreError(
            "This interpreter is ending: its main thread has ended, and Python no longer starts threads or imports anything.",
            hint="Let the main thread wait for the others (`thread.join()`), or run the SQL before it ends.",
            detail=said,
            scenario="interpreter_ending",
        )
    return _none_left(said) if any(words in said for words in _NONE_LEFT) else None


def not_started(exc: BaseException) -> CoreError | None:
    """Return the same for what the start of a process raised."""
    return _none_left(str(exc)) if isinstance(exc, OSError) and exc.errno == errno.EAGAIN else told(exc)


def _none_left(said: str) -> CoreError:
    return CoreError(
        f"The system lets this process start no further thread or process{_limit()}.",
        hint="End what is not needed, or raise the limit (`ulimit -u`; in a container, its process limit).",
        detail=said,
        scenario="no_threads",
    )


def _is_ending() -> bool:
    return sys.is_finalizing() or not threading.main_thread().is_alive()


def _limit() -> str:
    if resource is None or not hasattr(resource, "RLIMIT_NPROC"):
        return ""
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return "" if soft == resource.RLIM_INFINITY else f": this user may have {soft} of them (`ulimit -u`)"
