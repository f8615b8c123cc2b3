"""The line under a running cell: rows so far, seconds, how to stop; plain display updates, which any frontend shows."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from tusk_jupyter.system.plain_text import fitted

if TYPE_CHECKING:
    from tusk_jupyter.protocol.control import RunState

DELAY_S = 0.5
"""Quicker runs show no line: it would only flicker."""
EVERY_S = 0.25


class Progress:
    """One run's line; quiet until `DELAY_S` have passed, and always when `shown` is off."""

    def __init__(self, *, kernel: bool, shown: bool, notebook: bool = True) -> None:
        self._kernel = kernel
        self._notebook = notebook
        self._shown = shown
        self._handle: Any = None
        self._last_s = 0.0
        self._width = 0
        self._waits_for = ""

    def update(self, state: RunState) -> None:
        """Show how far a run is."""
        if not self._shown or state.elapsed_s < DELAY_S or state.elapsed_s - self._last_s < EVERY_S:
            return
        self._last_s = state.elapsed_s
        if (
            not self._kernel and state.waits_for != self._waits_for
        ):  # a line of its own, for the other one is written over
            self._waits_for = state.waits_for
            if state.waits_for:
                self._write_to_terminal(waiting(state).ljust(self._width) + "\n")
        self._write(self.line(state))

    def line(self, state: RunState) -> str:
        """Return the line for a state."""
        stop = "Ctrl-C to stop"
        if self._kernel:  # a console's keys are its terminal's
            stop = f"interrupt the kernel ({'■, or I I' if self._notebook else 'Ctrl-C, or ■'}) to stop"
        doing = "stopping" if state.cancelling else "running"
        line = f"{state.rows:,} rows · {state.elapsed_s:.1f} s · {doing} on {state.connection} · {stop}"
        return f"{line}\n{waiting(state)}" if state.waits_for and self._kernel else line

    def finish(self, text: str | None) -> bool:
        """Put `text` where the line was; return whether there was one."""
        if self._handle is not None:
            self._handle.update(_plain(text or ""), raw=True)
            return True
        if self._width:
            self._write_to_terminal(" " * self._width + "\r")
            self._width = 0
        return False

    @staticmethod
    def _write_to_terminal(text: str) -> None:
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody looks any more
                sys.stderr.write("\r" + fitted(text, sys.stderr))
                sys.stderr.flush()

    def _write(self, text: str) -> None:
        if not self._kernel:
            self._write_to_terminal(text.ljust(self._width))
            self._width = len(text)
        elif self._handle is None:
            from IPython.display import DisplayHandle

            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(_plain(text), raw=True)
        else:
            self._handle.update(_plain(text), raw=True)


def waiting(state: RunState) -> str:
    """Return that a run waits for a lock, whose, and how that ends."""
    return f"It waits for {state.waits_for}. {state.way_out}".rstrip()


def _plain(text: str) -> dict[str, str]:
    return {"text/plain": text}
