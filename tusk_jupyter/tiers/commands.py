"""Commands of the user's own that print a secret (`pass show db`, `op read ...`, a cloud's secret manager)."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import IO

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers.messages import shown_messages

LIMIT_S = 30.0
"""Some of them wait for a touch on a hardware key."""
LINE_BYTES = 65_536
TAIL_BYTES = 600
"""Of the command's messages, in the error."""
DRAIN_S = 1.0
"""How long the pipes are read after the command's end: an agent that it left behind may hold them open for ever."""


def run_secret_command(command: str, *, environ: Mapping[str, str], purpose: str, limit_s: float = LIMIT_S) -> str:
    """Return the first line that a shell command prints.

    Args:
        command: a shell command.
        environ: its environment.
        purpose: what it is for, in the errors.
        limit_s: seconds after which it is killed with all its children.

    Raises:
        CredentialError: it failed, printed nothing, or took too long. What it printed is never in the error; of the end
            of its messages (standard error) is what `messages` shows.
    """
    process = subprocess.Popen(  # noqa: S602 - the user's own words, as in their shell
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        start_new_session=True,
    )
    answer, errors = _Reader(process.stdout), _Reader(process.stderr)

    def told() -> str | None:
        return shown_messages(errors.tail(), command=command, printed=answer.text()) or None

    try:
        status = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        raise CredentialError(
            f"The {purpose} did not end within {limit_s:g} s and was stopped.",
            hint="Run it in a terminal: it may wait for input, which it cannot get here.",
            detail=told(),
        ) from None
    finally:
        _kill_group(process)
    answer.join()
    errors.join()
    return _first_line(answer, told, status=status, purpose=purpose)


def _first_line(answer: _Reader, told: Callable[[], str | None], *, status: int, purpose: str) -> str:
    if status != 0:
        raise CredentialError(
            f"The {purpose} failed with exit status {status}.",
            hint="Run it in a terminal to see why; it must print the secret as its first line.",
            detail=told(),
        )
    line = bytes(answer.head).split(b"\n", 1)[0].removesuffix(b"\r")
    if not line:
        raise CredentialError(
            f"The {purpose} printed nothing on its first line.",
            hint="It must print the secret as its first line, on standard output.",
            detail=told(),
        )
    answer.wipe()
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise CredentialError(f"The {purpose} printed something that is not UTF-8 text.") from None


class _Reader:
    """Empties a pipe on a thread of its own, and keeps its beginning and its end only."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # noqa: S101 - both pipes were asked for
        self.head = bytearray()
        self._tail = b""
        self._pipe = pipe
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), LINE_BYTES):
                self.head += chunk[: LINE_BYTES - len(self.head)]
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def join(self) -> None:
        self._thread.join(DRAIN_S)

    def tail(self) -> str:
        return self._tail.decode(errors="replace").strip()

    def text(self) -> str:
        return self.head.decode(errors="replace")

    def wipe(self) -> None:
        self.head[:] = bytes(len(self.head))
        self._tail = b""


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started; harmless when all have ended."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
