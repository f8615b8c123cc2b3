"""What is left of a run whose driver process has ended: its session on the server, and what is known of its statement.

The server does not notice that nobody waits for an answer any more, and would go on and commit. So the core ends the
session there at once, from a second driver process, and tells what that one could find out.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

from tusk_jupyter import errors
from tusk_jupyter.protocol.driver import Killed
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.service.sessions import Session

PATIENCE_S = 6.0
"""How long a run's end waits for it; below the time that a client waits for the word on its run (`client.runs.VERDICT_S`)."""

CRASHED = "driver_crashed"
"""Kind of the error by which a run ends whose process did."""

_CHECK = "Check in the database what was done before you run it again."
_KNOWN = {
    "rolled_back": (
        "Its session on the server was ended before the statement was committed: nothing of the statement stays.",
        "It can be run again.",
    ),
    "script": (
        "Its session on the server was ended before the statement under way was committed: nothing of that one stays. What "
        "the statements before it in this run had committed stands.",
        _CHECK,
    ),
    "committed": ("The server had committed the statement.", _CHECK),
    "in_part": (
        "Its session on the server was ended before the statement had been completed: what it had committed itself by then "
        "stands, the rest is rolled back.",
        _CHECK,
    ),
    "unknown": (
        "Its session on the server was ended; the statement may have taken effect before that.",
        _CHECK,
    ),
}


def added_to(
    error: WireError | None,
    session: Session,
    end_backend: Callable[[Session], Killed | None],
    *,
    commits_itself: bool = False,
    of_script: bool = False,
) -> WireError | None:
    """Return a run's error with what became of its statement on the server; ends the session there.

    Args:
        error: as its client would get it.
        session: whose process has ended.
        end_backend: ends it on the server from another process; None where there is no server.
        commits_itself: whether the statement may have committed something before: the server tells of its last transaction.
        of_script: whether others may have run before it: nobody knows which of them it was.
    """
    if error is None:
        return None
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="aftermath")
    try:
        killed = pool.submit(end_backend, session).result(PATIENCE_S)
    except TimeoutError:
        return _unconfirmed(error, f"no answer within {PATIENCE_S:g} s")
    except errors.TuskError as exc:
        return _unconfirmed(error, exc.message.rstrip("."))
    except Exception as exc:  # noqa: BLE001  # the run must have an end all the same
        return _unconfirmed(error, f"{type(exc).__name__}: {exc}")
    finally:
        pool.shutdown(wait=False)
    if killed is None:
        return error
    known: str = killed.outcome
    if known == "rolled_back" and (commits_itself or of_script):
        known = "in_part" if commits_itself else "script"
    words, hint = _KNOWN.get(known, _KNOWN["unknown"])
    return _with(error, words, hint)


def _unconfirmed(error: WireError, why: str) -> WireError:
    words = (
        "Whether its session on the server has ended could not be confirmed by a second driver process "
        f"({why}): the statement may go on there."
    )
    return _with(error, words, _CHECK)


def _with(error: WireError, words: str, hint: str) -> WireError:
    return replace(error, message=f"{error.message} {words}", hint=f"{hint} {error.hint or ''}".strip())
