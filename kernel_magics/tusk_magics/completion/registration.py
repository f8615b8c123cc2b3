"""Puts completion and inspection into a shell, and takes them out; what they need is imported at the first keystroke."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tusk_magics.completion.inspector import SqlInspector
from tusk_magics.completion.matcher import SqlCompleter

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from tusk_magics.completion.schema import Schemas

PRELOAD_S = 1.0
"""After this time what the first keystroke needs is imported: 30 ms that neither the user's first cell nor their first key
should pay for."""

_installed: WeakKeyDictionary[InteractiveShell, Completion] = WeakKeyDictionary()


class Completion:
    """Everything of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        """Prepare; nothing is hooked in yet."""
        self._schemas: Schemas | None = None
        self.completer = SqlCompleter(shell, self.schemas)
        self.inspector = SqlInspector(shell, self.schemas)

    def schemas(self) -> Schemas:
        """Return what the kernel knows of its connections, made at the first call."""
        if self._schemas is None:
            from tusk_jupyter.client import get_client
            from tusk_magics.completion.schema import Schemas

            self._schemas = Schemas(get_client)
            self._schemas.arrived = self.completer.toolbar.complete_again
        return self._schemas

    def after_run(self, result: ExecutionResult | None) -> None:
        """Ask anew for what a run may have changed, so that the next keystroke finds it.

        IPython gives no result where Ctrl-C hit it before the cell began.
        """
        self.completer.toolbar.clear()
        cell = str(getattr(getattr(result, "info", None), "raw_cell", ""))
        if self._schemas is not None and ("sql" in cell or "tusk" in cell):
            self._schemas.refresh()


def install(shell: InteractiveShell) -> None:
    """Let a shell complete and inspect SQL; a second call changes nothing."""
    if shell in _installed:
        return
    made = _installed[shell] = Completion(shell)
    shell.Completer.custom_matchers.append(made.completer.matcher)
    shell.events.register("post_run_cell", made.after_run)
    made.inspector.install()
    timer = threading.Timer(PRELOAD_S, _preload)
    timer.daemon = True
    timer.start()


def _preload() -> None:
    """Import our own modules; Flight and pandas wait until they are needed."""
    from tusk_magics.completion import candidates, context, head, magic_line, schema, variables  # noqa: F401


def remove(shell: InteractiveShell) -> None:
    """Take it all out again."""
    made = _installed.pop(shell, None)
    if made is None:
        return
    shell.Completer.custom_matchers.remove(made.completer.matcher)
    shell.events.unregister("post_run_cell", made.after_run)
    made.inspector.remove()
