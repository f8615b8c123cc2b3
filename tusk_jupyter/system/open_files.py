"""How many files a process may have open, and what it means when that is used up.

Without a free descriptor nothing works, not even an `import`: Python then names the module's file, and `dlopen` its library. So
the caller gets the reason and the limit; and the core, which needs five descriptors a session, raises its own limit.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from tusk_jupyter.errors import CoreError

try:
    import resource
except ImportError:  # Windows, where there is no such limit
    resource = None  # type: ignore[assignment]

ENOUGH = 65_536
"""Programs that we start inherit the limit, and some of them close every descriptor up to it, which at 2^30 takes minutes."""


def take_all_allowed() -> None:
    """Raise this process's limit as far as it may without asking anybody: to the hard one, at most to `ENOUGH`."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS has a further limit, `kern.maxfilesperproc`
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def shortage(exc: BaseException, *, who: str = "This process") -> str | None:
    """Return the sentence for an error that means "no descriptor is left", or None when it means something else."""
    if isinstance(exc, OSError) and exc.errno == errno.ENFILE:
        return "The machine has no file descriptor left: all of its programs together have too many files open."
    none_left = isinstance(exc, OSError) and exc.errno == errno.EMFILE
    ours = getattr(exc, "scenario", None) == SCENARIO
    if not none_left and not ours and not (isinstance(exc, ImportError) and os.strerror(errno.EMFILE) in str(exc)):
        return None
    limit = f" and may have {_limit()} (`ulimit -n`)" if _limit() else ""
    return f"{who} has too many files open{limit}, so it can open no further one."


SCENARIO = "no_descriptors"
HINT = "Close files, sockets or connections that are not needed, or raise the limit (`ulimit -n`) and restart this process."
HINT_OF_CORE = (
    "Close sessions that are not needed (`%tusk disconnect`, other notebooks). The core takes what its hard limit allows: "
    "raise that (`ulimit -Hn`, `LimitNOFILE` of a service), then stop it with `%tusk core stop`: the next run starts it again."
)


def told(exc: BaseException) -> CoreError | None:
    """Return our error for one of others that means "no descriptor left", or None when it means something else."""
    if isinstance(exc, CoreError):
        return None
    said = shortage(exc)
    return None if said is None else CoreError(said, hint=HINT, detail=str(exc), scenario=SCENARIO)


@contextlib.contextmanager
def or_told() -> Iterator[None]:
    """Raise our error where the block, or an import in it, fails because no descriptor is left.

    Raises:
        CoreError: it did.
    """
    try:
        yield
    except (OSError, ImportError) as exc:
        if (said := told(exc)) is not None:
            raise said from exc
        raise


_FOR_FIRST_LINK, _FOR_LINK = 16, 4
_has_linked = False


def check_for_link() -> None:
    """See that there are descriptors for a link to another process.

    gRPC ends the process when it gets none for its own first ones (seen with one to four left): a kernel with its variables.
    Later it reports "the other process is gone", which it is not.

    Raises:
        CoreError: there are not enough.
    """
    global _has_linked
    check_for(_FOR_LINK if _has_linked else _FOR_FIRST_LINK)
    _has_linked = True


def check_for(count: int) -> None:
    """See that so many descriptors are free, for what would take a lack of them for something else.

    Raises:
        CoreError: there are not enough.
    """
    held: list[int] = []
    try:
        while len(held) < count:
            held += os.pipe()
    except OSError as exc:
        raise told(exc) or exc from exc
    finally:
        for one in held:
            os.close(one)


def _limit() -> int | None:
    if resource is None:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
