"""How a run ended, in words: what was seen, and no more than that.

"Stopped" is said when the engine itself reported that it interrupted the statement: that somebody asked for it shows nothing,
for the request may not have arrived, or too late, or the statement may have caught it.
A process that had to be killed, or a link that broke, leaves it open whether the statement took effect, or still will: the
server may go on with it. Where the server itself ended the session, its reason has a code, and the driver's words say what
became of the statement: so it is when a run that does not stop has its session ended from a second process.
"""

from __future__ import annotations

from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.protocol.scenarios import CORE_STOPPED, HINTS, OUTCOME_UNKNOWN, with_abort
from tusk_jupyter.service.run import Run, without_secrets

_WORTH_TELLING = 0.2
"""The part of a run's time from which on it is said that it went into waiting."""

CONNECTION = "connection"
"""Kind of the error of a link that broke, or that the server closed: then it has a code."""


def outcome(run: Run, last: driver.RunEvent, *, has_server: bool) -> tuple[str, WireError | None]:
    """Return the run's status (REQUIREMENTS C-13) and its error, in the words of what ended it, without its secrets.

    Args:
        run: the run.
        last: its driver's last word of it, or what stands for one where the driver has gone.
        has_server: whether the statement runs somewhere else than in the driver.
    """
    status, error = _outcome(run, last, has_server=has_server)
    if error is None:
        return status, None
    if last.alive and last.transaction == "failed" and not _ends_with(run):
        error = replace(error, hint=with_abort(error.hint))
    if (
        last.alive and last.transaction_end not in error.message and not _ends_with(run)
    ):  # our own words took the driver's place
        error = replace(error, message=f"{error.message} {last.transaction_end}")
    return status, without_secrets(error, run.secrets)


def _outcome(run: Run, last: driver.RunEvent, *, has_server: bool) -> tuple[str, WireError | None]:
    if last.event == "finished":
        return "completed", None
    said = last.error
    cancelled = said is not None and said.kind == "cancelled"
    if run.why == "timeout":
        words = f"The run took longer than its {run.timeout_s:g} s{_waited(run)}"
        kind, scenario = "timeout", "statement_timeout"
    elif run.why == CORE_STOPPED:
        words, kind, scenario = "The run was cancelled, as the core service was stopped", "cancelled", CORE_STOPPED
    elif run.why or cancelled:
        words, kind, scenario = "The run was cancelled", "cancelled", "cancelled_by_user"
    else:
        return ("timeout" if said is not None and said.kind == "timeout" else "failed"), said
    if said is None:
        return kind, WireError(kind=kind, message=f"{words}.", hint=HINTS[scenario], scenario=scenario)
    by_user = said.scenario in (None, "cancelled_by_user")
    if not last.alive and said.kind == CONNECTION and said.code is not None:
        return kind, replace(said, kind=kind, message=f"{words}. {said.message}")
    if not last.alive and (not cancelled or by_user):
        return kind, _unknown(kind, words, said, has_server=has_server)
    if not cancelled:  # it ended with an error of its own before it could be stopped
        return ("timeout" if said.kind == "timeout" else "failed"), said
    by_client = scenario == "cancelled_by_user"
    if by_client and (run.kind == "upload" or not by_user):
        return kind, said  # an upload's own words say what became of its rows; an administrator's, who stopped it
    where = " on the server" if has_server else ""
    if said.code is None or said.statement is not None:  # nothing was interrupted; or there are others to speak of
        ended = said.message if by_client else f"{words}. {said.message}"
    elif kind == "timeout":
        ended = f"{words} and was stopped{where}."
    else:
        ended = f"The statement was stopped{where}{'' if by_client else ', as the core service was stopped'}."
    hint = HINTS[scenario] if not by_client or not _ends_with(run) else "Its session has ended with it."
    return kind, WireError(kind=kind, message=ended, hint=hint, scenario=scenario)


def _waited(run: Run) -> str:
    """Return how much of its time a run had to wait for its session, where that counts."""
    if run.timeout_s is None or run.waited_s < _WORTH_TELLING * run.timeout_s:
        return ""
    return f" ({run.waited_s:.1f} s of it until its session was there for it)"


def _ends_with(run: Run) -> bool:
    """Return whether a run's session ends with it in any case."""
    return run.why == CORE_STOPPED or run.session.connection.isolation == "statement"


def _unknown(kind: str, words: str, said: WireError, *, has_server: bool) -> WireError:
    """Return the error of a run that was asked to stop, and of which nobody said that it did."""
    seen = said.message if said.kind != "cancelled" else "Its link to the database is gone."
    still = " The server's own list of sessions shows whether it still runs there." if has_server else ""
    return WireError(
        kind=kind,
        message=f"{words}. It was asked to stop, and nobody has confirmed that it did. Its outcome is not known: the "
        f"statement may have taken effect{', or still do so' if has_server else ''}. {seen}",
        hint=f"{HINTS[OUTCOME_UNKNOWN]}{still}",
        detail=said.detail,
        scenario=OUTCOME_UNKNOWN,
    )
