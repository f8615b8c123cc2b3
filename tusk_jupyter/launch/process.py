"""One driver process: started, called, watched, ended."""

from __future__ import annotations

import collections
import contextlib
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Driver
from tusk_jupyter.launch.environment import driver_environment
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.calls import Peer, PeerLost, Request
from tusk_jupyter.protocol.driver import FAREWELL, Ready, Start
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import processes, sockets
from tusk_jupyter.system.places import Places

START_TIMEOUT_S = 30.0
TERMINATE_AFTER_S = 12.0
"""A driver that is ended in peace hands out the rest of its results first, for at most 10 s."""

KILL_AFTER_S = 14.0
TAIL_LINES = 40
"""Of a driver's standard error, kept for the error message when it crashes."""


class DriverProcess:
    """A running driver. `on_exit` is called once, from the thread that watches it, when it has ended for whatever reason."""

    def __init__(self, driver: Driver, places: Places, *, on_exit: Callable[[DriverProcess], None]) -> None:
        """Start it and wait until it listens.

        Raises:
            DriverStartError: it ended, said why not, or took longer than START_TIMEOUT_S.
        """
        if driver.manifest is None:
            raise errors.DriverStartError(f"The driver {driver.name!r} cannot be used: {driver.problem}")
        self.name = driver.name
        self.manifest: Manifest = driver.manifest
        self.memory_mb: int | None = None
        self._on_exit = on_exit
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._address = sockets.new_address(places.run, "d")
        self._folder = Path(tempfile.mkdtemp(prefix="p-", dir=places.run))
        self._process = processes.start(
            [*driver.command, "serve"],
            cwd=self._folder,
            environ={**driver_environment(), "TMPDIR": str(self._folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.limit(self._process.pid, memory_mb=None)
        threading.Thread(target=self._watch, name=f"watch-{self.pid}", daemon=True).start()
        try:
            self._peer = self._shake_hands()
        except BaseException:
            processes.signal_group(self._process, signal.SIGKILL)
            raise

    def __repr__(self) -> str:
        return f"DriverProcess({self.name!r}, pid={self.pid})"

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def address(self) -> str:
        """The Flight location at which clients fetch their results."""
        return self._location

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

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
        try:
            return self._peer.call(request, timeout_s=timeout_s)
        except PeerLost as exc:
            raise self.crash() from exc

    def stream(self, request: Request) -> Iterator[Any]:
        """Send an action and yield its replies; raises as `call`."""
        try:
            yield from self._peer.stream(request)
        except PeerLost as exc:
            raise self.crash() from exc

    def crash(self) -> errors.DriverCrashed:
        """Return the error that says how the process ended, waiting a moment for its exit code."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.poll()
        how = "does not answer" if code is None else f"ended with {_exit_words(code)}"
        cap = f" Its memory cap is {self.memory_mb} MB." if self.memory_mb and code in (-6, -9, -11, 1) else ""
        return errors.DriverCrashed(
            f"The driver process of {self.name!r} {how} in the middle of its work.{cap}",
            hint="The session is lost, with its temp tables and open transaction. The next run starts a new one.",
            detail="\n".join(list(self._tail)[-6:]) or None,
        )

    def stop(self, *, wait: bool = False) -> None:
        """End the process in peace: close its input, and follow up with signals if it stays. Idempotent."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.write(FAREWELL)
                self._process.stdin.close()
        follow_up = threading.Thread(target=self._follow_up, name=f"stop-{self.pid}", daemon=True)
        follow_up.start()
        if wait:
            follow_up.join()

    def terminate(self) -> None:
        """Send SIGTERM to its process group."""
        processes.signal_group(self._process, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to its process group."""
        processes.signal_group(self._process, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _follow_up(self) -> None:
        for step, after_s in ((self.terminate, TERMINATE_AFTER_S), (self.kill, KILL_AFTER_S - TERMINATE_AFTER_S)):
            try:
                self._process.wait(after_s)
            except subprocess.TimeoutExpired:
                step()
            else:
                return

    def _shake_hands(self) -> Peer:
        token = secrets.token_urlsafe(32)
        start = Start(protocol=PROTOCOL_VERSION, address=self._address, token=token)
        try:
            assert self._process.stdin and self._process.stdout  # noqa: S101  # both are pipes
            self._process.stdin.write(codec.encode(start) + b"\n")
            self._process.stdin.flush()
            ready = self._read_ready(time.monotonic() + START_TIMEOUT_S)
        except OSError as exc:
            raise self._start_error(str(exc)) from exc
        if ready.error is not None:
            raise ready.error.to_exception()
        self._location = ready.address
        return Peer(ready.address, token)

    def _read_ready(self, deadline: float) -> Ready:
        out = self._process.stdout
        assert out is not None  # noqa: S101  # a pipe
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise self._start_error(f"it did not answer within {START_TIMEOUT_S:.0f} s")
            part = out.read1(65536)  # type: ignore[attr-defined]
            if not part:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1.0)
                raise self._start_error(f"it ended with {_exit_words(self._process.poll())}")
            line += part
        out.close()
        return codec.decode(Ready, line)

    def _start_error(self, why: str) -> errors.DriverStartError:
        return errors.DriverStartError(
            f"The driver {self.name!r} did not start: {why}.",
            hint="`%tusk doctor` tries every driver.",
            detail="\n".join(list(self._tail)[-6:]) or None,
        )

    def _watch(self) -> None:
        """Drain standard error (an undrained pipe would stop the driver), then clean up behind the process."""
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101  # a pipe
        with stderr:
            for line in stderr:
                self._tail.append(line[:500].decode(errors="replace").rstrip())
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        sockets.discard(self._address)
        if hasattr(self, "_peer"):
            self._on_exit(self)


def _exit_words(code: int | None) -> str:
    if code is None:
        return "no exit code yet"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
