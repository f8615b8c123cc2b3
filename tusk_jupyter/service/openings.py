"""Opening a session for a run that has a time limit: its client waits no longer than that, whatever the opening is at.

Decision to question: the opening itself is not broken off. A keyring that asks its user, a password command and a library's
sign-in cannot be; each has a limit of its own. If it comes about after all, the next run has the session.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from tusk_jupyter import errors
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.sessions import Session, Sessions, State, Step

WORKERS = 64
"""Sessions that can be opened at once."""

LOOK_S = 1.0
"""What is left of a run's time for a driver to find out who answers where nobody signs it in."""

_STEPS: dict[Step | None, tuple[str, str]] = {
    None: (
        "{name!r} was not begun to be connected to, as too many other connections were being opened",
        "Run the cell again when those are open or have failed. `--timeout SECONDS` allows more.",
    ),
    Step.SECRET: (
        "getting the password of {name!r} took all of it",
        "The password command or the keyring may be waiting for an answer of yours. `--timeout SECONDS` allows more.",
    ),
    Step.DRIVER: (
        "starting the driver process for {name!r} took all of it",
        "Run the cell again: the process may have started by then. `--timeout SECONDS` allows more.",
    ),
    Step.SIGN_IN: ("connecting to {name!r} took all of it", "{connect} `--timeout SECONDS` allows the run more."),
}


@dataclass(slots=True)
class Openings:
    """Opens sessions, each on a thread of its own where a run waits for it."""

    sessions: Sessions
    open_session: Callable[[Run, float | None], Session]
    """Returns a session for a run whose sign-in may take so many seconds, or as long as any (None)."""
    _workers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(WORKERS, thread_name_prefix="open-session")
    )

    def session_for(self, run: Run, *, usual_s: Callable[[], float]) -> Session:
        """Return the session for a run, within its time.

        Args:
            run: who waits.
            usual_s: tells how long a sign-in may take.

        Raises:
            TimeoutExceeded: the time is up; with what took it. Others as the opening.
        """
        standing = self.sessions.standing(run.session.client, run.session.connection)
        if standing is not None:
            return standing
        left_s = run.left_s()
        if left_s is None:
            return self.open_session(run, None)
        limit_s = max(left_s / 2, left_s - LOOK_S)
        limit_counts = limit_s < usual_s()
        opening = self._workers.submit(self.open_session, run, limit_s if limit_counts else None)
        try:
            if not wait((opening,), left_s).done:
                if opening.cancel():  # no worker was free for it
                    raise self._exceeded(run, None)
                opening.add_done_callback(self._too_late)
                raise self._exceeded(run, self._step_of(run))
            return opening.result()
        except errors.ConnectError as exc:
            if exc.scenario != "connect_timeout" or not limit_counts:
                raise
            raise self._exceeded(run, Step.SIGN_IN, exc) from exc
        finally:
            del opening  # it has the exception, whose frames have it

    def _too_late(self, opening: Future[Session]) -> None:
        """Close what nobody will find again; any other session waits for the next run."""
        if opening.exception() is None and opening.result().connection.isolation == "statement":
            self.sessions.close(opening.result())

    def _step_of(self, run: Run) -> Step:
        """Return what the opening of a run's session is at."""
        wanted = run.session.connection.id
        under_way = (one for one in self.sessions.of_client(run.session.client) if one.state is State.CONNECTING)
        return next((one.step for one in under_way if one.connection.id == wanted), Step.SIGN_IN)

    @staticmethod
    def _exceeded(run: Run, step: Step | None, cause: errors.TuskError | None = None) -> errors.TimeoutExceeded:
        words, hint = _STEPS[step]
        said = f" {cause.message}" if cause is not None else ""
        return errors.TimeoutExceeded(
            f"The run took longer than its {run.timeout_s:g} s: {words.format(name=run.session.connection.name)}. "
            f"Nothing of it was executed.{said}",
            hint=hint.format(connect=hint_for("connect_timeout")),
            detail=cause.detail if cause is not None else None,
            scenario="connect_timeout" if step is Step.SIGN_IN else None,
        )
