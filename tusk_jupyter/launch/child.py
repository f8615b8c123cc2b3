"""A driver's process as the operating system has it: started, greeted, drained, ended; its protocol is `process`.

Light on purpose: a core on its way up starts the driver that was used last before its own imports, and both take 0.3 s.
"""

from __future__ import annotations

import collections
import contextlib
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

from tusk_jupyter.launch.environment import driver_environment
from tusk_jupyter.system import belongings, processes, sockets
from tusk_jupyter.system.places import Places

TAIL_LINES = 40
"""Of a driver's standard error, kept for the error message when it crashes."""

TERMINATE_AFTER_S = 12.0
"""A driver that is ended in peace hands out the rest of its results first, for at most 10 s."""

KILL_AFTER_S = 14.0


class Child:
    """A started driver process; its working folder is its own and goes with it."""

    def __init__(self, command: Sequence[str], places: Places) -> None:
        """Start `command` serve."""
        self.address = sockets.new_address(places.run, "d")
        self.token = secrets.token_urlsafe(32)
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._folder = belongings.make_working_folder(places.run)
        self._on_exit: Callable[[], None] | None = None
        try:
            self.process = processes.start(
                [*command, "serve"],
                cwd=self._folder,
                environ={**driver_environment(), "TMPDIR": str(self._folder)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except BaseException:
            belongings.remove_working_folder(self._folder)
            raise
        processes.limit(self.process.pid, memory_mb=None)
        threading.Thread(target=self._watch, name=f"watch-{self.process.pid}", daemon=True).start()

    def greet(self) -> None:
        """Write the `Start` line.

        Raises:
            OSError: the process has ended.
        """
        from tusk_jupyter.protocol import codec
        from tusk_jupyter.protocol.driver import Start
        from tusk_jupyter.protocol.version import PROTOCOL_VERSION

        start = Start(protocol=PROTOCOL_VERSION, address=self.address, token=self.token)
        if self.process.stdin is not None:
            self.process.stdin.write(codec.encode(start) + b"\n")
            self.process.stdin.flush()

    def tell_exit(self, listener: Callable[[], None]) -> None:
        """Have `listener` called once the process has ended, from the thread that watches it."""
        self._on_exit = listener

    @property
    def last_words(self) -> str | None:
        """The end of what it wrote to its standard error."""
        return "\n".join(list(self._tail)[-6:]) or None

    def exit_code(self, wait_s: float) -> int | None:
        """Return its exit code, waiting for it up to `wait_s`; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(wait_s)
        return self.process.poll()

    def stop(self, *, wait: bool = False) -> None:
        """End it in peace: say farewell, close its input, and follow up with signals if it stays. Idempotent."""
        from tusk_jupyter.protocol.driver import FAREWELL

        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin and not self.process.stdin.closed:
                self.process.stdin.write(FAREWELL)
                self.process.stdin.close()
        follow_up = threading.Thread(target=self._follow_up, name=f"stop-{self.process.pid}", daemon=True)
        follow_up.start()
        if wait:
            follow_up.join()

    def terminate(self) -> None:
        """Send SIGTERM to its process group."""
        processes.signal_group(self.process, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to its process group."""
        processes.signal_group(self.process, getattr(signal, "SIGKILL", signal.SIGTERM))

    def abandon(self) -> None:
        """End a process that nobody has taken."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _follow_up(self) -> None:
        for step, after_s in ((self.terminate, TERMINATE_AFTER_S), (self.kill, KILL_AFTER_S - TERMINATE_AFTER_S)):
            if self.exit_code(after_s) is not None:
                return
            step()
        self.exit_code(2.0)

    def _watch(self) -> None:
        """Drain standard error (an undrained pipe would stop the driver), then clean up behind the process."""
        stderr = self.process.stderr
        if stderr is not None:
            with stderr:
                for line in stderr:
                    self._tail.append(line[:500].decode(errors="replace").rstrip())
        self.process.wait()
        belongings.remove_working_folder(self._folder)
        with contextlib.suppress(OSError):  # a state folder that may not be written any more
            sockets.discard(self.address)
        if self._on_exit is not None:
            self._on_exit()
