"""One driver process: shaken hands with, called, explained when it crashes."""

from __future__ import annotations

import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Driver
from tusk_jupyter.launch.child import Child
from tusk_jupyter.launch.pulse import FROZEN_S, DriverPulse
from tusk_jupyter.launch.words import Words
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.calls import Peer, PeerLost, PeerSilent, Request
from tusk_jupyter.protocol.driver import Ping, Ready
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.scenarios import HINTS, OUTCOME_UNKNOWN, SESSION_ENDED, memory_hint
from tusk_jupyter.system import open_files, processes
from tusk_jupyter.system.places import Places

START_TIMEOUT_S = 30.0
START_LOOK_S = 0.25

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""select(2) takes no descriptor above 1023, which a core with many sessions has."""
_LIKE_NO_MEMORY = (-6, -9, -11, 1, 127)
"""How a process ends that was refused memory: abort, a killer, a library that does not look, Python, the loader."""


class DriverProcess:
    """A running driver. `on_exit` is called once, from the thread that watches it, when it has ended for whatever reason."""

    def __init__(
        self,
        driver: Driver,
        places: Places,
        *,
        on_exit: Callable[[DriverProcess], None],
        child: Child | None = None,
    ) -> None:
        """Start it, or take over one that was started and greeted, and wait until it listens.

        Raises:
            DriverStartError: it ended, said why not, or took longer than START_TIMEOUT_S.
        """
        if driver.manifest is None:
            raise errors.DriverStartError(f"The driver {driver.name!r} cannot be used: {driver.problem}")
        self.name = driver.name
        self.manifest: Manifest = driver.manifest
        self.memory_mb: int | None = None
        self.waited = False
        """Whether it was a spare until now, so that its end may have gone unseen."""
        self.ended_for = ""
        """Why it was made to end, as a clause; "" where nobody has."""
        try:
            self._child = child or Child(driver.command, places)
        except OSError as exc:
            raise self._not_started(exc) from exc
        try:
            if child is None:
                self._child.greet()
            ready = self._read_ready(time.monotonic() + START_TIMEOUT_S)
            if ready.error is not None:
                raise ready.error.to_exception()
            self._peer = Peer(ready.address, self._child.token)
        except BaseException as exc:
            self._child.abandon()
            if open_files.shortage(exc) is not None:
                raise self._not_started(exc) from exc
            if isinstance(exc, OSError):
                raise self._start_error(str(exc)) from exc
            raise
        self.address = ready.address
        self.words = Words(self)
        self._pulse = DriverPulse(self)
        self._calls = self._stops = 0
        self._counting = threading.Lock()
        self._child.tell_exit(lambda: on_exit(self))

    def __repr__(self) -> str:
        return f"DriverProcess({self.name!r}, pid={self.pid})"

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return processes.has_ended(self._child.process)

    def cap_memory(self, memory_mb: int | None) -> None:
        """Limit the process's data to `memory_mb` mebibytes from now on."""
        self.memory_mb = memory_mb
        processes.limit(self.pid, memory_mb=memory_mb)

    def call(self, request: Request, *, timeout_s: float | None = 60.0) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Send an action and return its reply.

        Raises:
            DriverCrashed: the process ended or does not answer any more.
            TuskError: what the driver answered.
        """
        with self._counting:
            self._calls += 1
        try:
            return self._peer.call(request, timeout_s=timeout_s)
        except PeerLost as exc:
            raise self.crash() from exc
        except PeerSilent as exc:
            if self.ended:  # it was found frozen meanwhile
                raise self.crash() from exc
            within = "" if timeout_s is None else f" within {timeout_s:g} s"
            raise errors.TimeoutExceeded(
                f"The driver process of {self.name!r} has not answered {request.ACTION!r}{within}.",
                hint="Try again. `%tusk running` shows what keeps it busy, `%tusk cancel` ends that.",
            ) from exc
        finally:
            with self._counting:
                self._calls -= 1

    def ping(self, timeout_s: float) -> None:
        """See that it answers; a driver that does not know the question has answered it.

        Raises:
            TuskError: it does not.
        """
        try:
            self._peer.call(Ping(), timeout_s=timeout_s)
        except errors.ProtocolError:
            return

    def look(self) -> None:
        """End the process if somebody waits for it and it is frozen; called a few times a second."""
        self._pulse.look(awaited=self._calls > 0 or self._stops > 0 or self.words.awaited)

    def stream(self, request: Request) -> Iterator[Any]:
        """Send an action, at once, and return an iterator of its replies; both raise as `call`."""
        try:
            return self._replies(self._peer.stream(request))
        except PeerLost as exc:
            raise self.crash() from exc

    def _replies(self, replies: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from replies
        except PeerLost as exc:
            raise self.crash() from exc

    def crash(self) -> errors.DriverCrashed:
        """Return the error that says how the process ended, waiting a moment for its exit code."""
        code = self._child.exit_code(1.0)
        if self.ended_for:
            return errors.DriverCrashed(
                f"The session is lost: {self.ended_for}.",
                hint=HINTS[OUTCOME_UNKNOWN],
                detail=self._child.last_words,
            )
        how = "does not answer" if code is None else f"ended with {_exit_words(code)}"
        cap, way_out = self._about_memory(code)
        return errors.DriverCrashed(
            f"The driver process of {self.name!r} {how} in the middle of its work.{cap}",
            hint=SESSION_ENDED + way_out,
            detail=self._child.last_words,
        )

    def _about_memory(self, code: int | None) -> tuple[str, str]:
        """Return what to say and what to do about the cap of a process that failed; "" where it is no matter of memory."""
        cap, least = self.memory_mb, self.manifest.least_memory_mb
        if cap and cap < least:  # saved when the driver named less: it may run, or have no memory for a call's thread
            return (
                f" Its memory cap is {cap} MB, and a process of this driver needs {least} MB to live.",
                f" Connect again with `--replace --memory {least}` or more, or without a cap of its own.",
            )
        if cap and code in _LIKE_NO_MEMORY:
            return f" Its memory cap is {cap} MB.", f" If memory was what it lacked: {memory_hint(cap)}"
        return "", ""

    def ending(self) -> str:
        """Return why the process ended, as a clause."""
        return self.ended_for or f"its driver process ended with {_exit_words(self._child.exit_code(1.0))}{self._cap()}"

    def _cap(self) -> str:
        code = self._child.exit_code(0.0)
        return f" (its memory cap is {self.memory_mb} MB)" if self.memory_mb and code in _LIKE_NO_MEMORY else ""

    def stop(self, *, wait: bool = False) -> None:
        """End the process in peace, with signals if it stays; idempotent."""
        self._stops += 1
        self._child.stop(wait=wait)

    def terminate(self, why: str = "") -> None:
        """Send SIGTERM to its process group; `why` as in `kill`."""
        self.ended_for = self.ended_for or why
        self._child.terminate()

    def kill(self, why: str = "") -> None:
        """Send SIGKILL to its process group; `why` is a clause for those who still count on it."""
        self.ended_for = self.ended_for or why
        self._child.kill()

    def _read_ready(self, deadline: float) -> Ready:
        out = self._child.process.stdout
        assert out is not None  # noqa: S101  # a pipe
        line = b""
        while not line.endswith(b"\n"):
            self._await(out, deadline)
            part = out.read1(65536)  # type: ignore[attr-defined]
            if not part:
                raise self._start_error(f"it ended with {_exit_words(self._child.exit_code(1.0))}")
            line += part
        out.close()
        return codec.decode(Ready, line)

    def _await(self, out: IO[bytes], deadline: float) -> None:
        """Wait until a process that starts has something to read.

        Raises:
            DriverStartError: it has not by `deadline`; or it is stopped, and whoever waits for a session would wait for that.
        """
        went = time.monotonic()
        with _Selector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while not selector.select(START_LOOK_S):
                now = time.monotonic()
                if now >= deadline:
                    raise self._start_error(f"it did not answer within {START_TIMEOUT_S:.0f} s")
                if not processes.is_stopped(self.pid):
                    went = now
                elif now - went >= FROZEN_S:
                    raise self._start_error(f"a signal or a debugger had stopped its process for {now - went:.0f} s")

    def _not_started(self, exc: BaseException) -> errors.DriverStartError:
        """Return the error for a driver process that was not started, also where the core has no descriptor left for it."""
        short = open_files.shortage(exc, who="The core service")
        return errors.DriverStartError(
            f"The driver {self.name!r} did not start: {short or f'{exc}.'}",
            hint=open_files.HINT_OF_CORE if short else "`%tusk doctor` tries every driver.",
        )

    def _start_error(self, why: str) -> errors.DriverStartError:
        return errors.DriverStartError(
            f"The driver {self.name!r} did not start: {why}.",
            hint="`%tusk doctor` tries every driver.",
            detail=self._child.last_words,
        )


def _exit_words(code: int | None) -> str:
    if code is None:
        return "no exit code yet"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
