"""What a magic can learn about the notebook it runs in, whatever the frontend."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_jupyter.client import Client


@functools.cache
def _run_by_command() -> str | None:
    """Return the notebook that `jupyter nbconvert --execute`, `jupyter execute` or `papermill` was called with, or None.

    They tell a kernel nothing, but they are its parent, with the notebook on their command line. Of papermill's two notebooks
    the first is the one that somebody wrote; where nbconvert runs several, nobody knows which.
    """
    import psutil  # ipykernel has imported it

    try:
        words = psutil.Process().parent().cmdline()  # type: ignore[union-attr] # the error is caught
    except (psutil.Error, AttributeError):
        return None
    notebooks = [word for word in words if word.endswith(".ipynb")]
    if len(notebooks) == 1 or (notebooks and any(PurePath(word).stem == "papermill" for word in words)):
        return notebooks[0]
    return None


class Notebook:
    """The frontend of a shell: its document, the cell that is running, whether somebody watches."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    @property
    def is_kernel(self) -> bool:
        """Whether output goes to a Jupyter frontend rather than to a terminal."""
        return getattr(self._shell, "kernel", None) is not None

    @property
    def is_document(self) -> bool:
        """Whether it is a notebook, as far as the frontend tells, and not a console on a kernel."""
        return bool(self._parent().get("metadata", {}).get("cellId")) or self.source.endswith(".ipynb")

    @property
    def source(self) -> str:
        """The notebook's path where somebody tells it, else `jupyter` or `ipython`."""
        path = self._shell.user_ns.get("__vsc_ipynb_file__")
        if not path and self.is_kernel:
            # JPY_SESSION_NAME: jupyter_server; __session__: what some frontends set themselves.
            path = os.environ.get("JPY_SESSION_NAME") or self._shell.user_ns.get("__session__") or _run_by_command()
        return str(path) if path else ("jupyter" if self.is_kernel else "ipython")

    def client(self) -> Client:
        """Return this process's client, which knows what notebook it is."""
        from tusk_jupyter.client import get_client

        return get_client(self.source)

    @property
    def cell(self) -> str | None:
        """The running cell's id where the frontend tells it, else its execution count."""
        cell_id = self._parent().get("metadata", {}).get("cellId")
        return str(cell_id) if cell_id else str(self._shell.execution_count)

    @property
    def cell_text(self) -> str | None:
        """The running cell as its author wrote it, or None where nobody knows."""
        code = self._parent().get("content", {}).get("code")
        if isinstance(code, str):
            return code
        history = self._shell.history_manager
        return str(history.input_hist_raw[-1]) if history is not None and history.input_hist_raw else None

    @property
    def line_number(self) -> int | None:
        """The 1-based line of the cell that is running, or None outside a cell."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_globals is self._shell.user_global_ns and frame.f_code.co_name in ("<module>", "<cell line: 1>"):
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment] # ends the loop
        return None

    @property
    def is_watched(self) -> bool:
        """Whether a person looks on; nbclient and papermill do not."""
        if self.is_kernel:
            return bool(getattr(self._shell.kernel, "_allow_stdin", False))  # type: ignore[attr-defined]
        return sys.stderr is not None and sys.stderr.isatty()

    @property
    def has_colour(self) -> bool:
        """Whether the frontend shows ANSI colours."""
        return str(getattr(self._shell, "colors", "neutral")).lower() != "nocolor"

    def _parent(self) -> dict[str, Any]:
        """Return the message that asked for the running cell; {} in a terminal."""
        if not self.is_kernel:
            return {}
        parent = self._shell.get_parent()  # type: ignore[attr-defined]
        return parent if isinstance(parent, dict) else {}
