"""What `%load_ext tusk_jupyter` does: it registers the magics, imports no data library, and has a core on its way.

The core boots (0.4 s) while the user types the first query, or while the kernel imports what that query needs.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tusk_jupyter.client import boot
from tusk_jupyter.errors import TuskError
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.whole_imports import FRAGILE, whole_imports
from tusk_magics import grid_display, history
from tusk_magics.completion import registration as completion
from tusk_magics.config import TuskMagics
from tusk_magics.sql_magic import SqlMagic
from tusk_magics.tusk_magic import TuskMagic

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

_MAGICS = (("line", "sql"), ("cell", "sql"), ("line", "tusk"), ("cell", "tusk"))


class _CellImports:
    """A user's own `import pandas` is left whole as well: it may wait for the one that a run began, or be its twin."""

    def __init__(self) -> None:
        self._block: whole_imports | None = None

    def watch(self, shell: InteractiveShell) -> None:
        """Look at each cell; a second call changes nothing."""
        self.let_go(shell)
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def let_go(self, shell: InteractiveShell) -> None:
        """Look at no further cell."""
        for event, callback in (("pre_run_cell", self._begin), ("post_run_cell", self._end)):
            with contextlib.suppress(ValueError):  # it is not there
                shell.events.unregister(event, callback)

    def _begin(self, _info: object) -> None:
        self._block = whole_imports(FRAGILE).__enter__()

    def _end(self, _result: object) -> None:
        block, self._block = self._block, None
        if block is not None:
            block.end()


_imports = _CellImports()


class _TypedSecrets:
    """What our magics and settings got with a password in it is taken out of the history, also when nobody read it."""

    def __init__(self) -> None:
        self._shell: InteractiveShell | None = None

    def watch(self, shell: InteractiveShell) -> None:
        """Look at each cell when it has ended; a second call changes nothing."""
        self.let_go(shell)
        self._shell = shell
        shell.events.register("post_run_cell", self._look)

    def let_go(self, shell: InteractiveShell) -> None:
        """Look at no further cell."""
        with contextlib.suppress(ValueError):  # it is not there
            shell.events.unregister("post_run_cell", self._look)

    def _look(self, result: ExecutionResult | None) -> None:  # None: Ctrl-C hit IPython itself
        cell = getattr(getattr(result, "info", None), "raw_cell", None)
        if self._shell is not None and isinstance(cell, str):
            history.scrub_after(self._shell, cell)


_secrets = _TypedSecrets()


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics and their settings; a second call changes nothing."""
    shell.register_magics(SqlMagic, TuskMagic)
    configurables: list[Any] = shell.configurables
    config = TuskMagics.instance(parent=shell)
    if config not in configurables:
        configurables.append(config)
    if give_empty_cell_a_body not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(give_empty_cell_a_body)
    completion.install(shell)
    _imports.watch(shell)
    _secrets.watch(shell)
    with contextlib.suppress(TuskError):  # the first run says what is wrong, where it can be read
        boot.ensure(Places.of_environment())


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything out again; the core service goes on for other clients and ends by itself."""
    grid_display.forget(shell)
    for kind, name in _MAGICS:
        shell.magics_manager.magics[kind].pop(name, None)
    completion.remove(shell)
    _imports.let_go(shell)
    _secrets.let_go(shell)
    shell.configurables[:] = [item for item in shell.configurables if not isinstance(item, TuskMagics)]
    TuskMagics.clear_instance()
    if give_empty_cell_a_body in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(give_empty_cell_a_body)


def give_empty_cell_a_body(lines: list[str]) -> list[str]:
    """Give a `%%sql` without a body an empty line: IPython refuses the cell, and `%%sql --help`, before we see it."""
    if len(lines) == 1 and lines[0].split(maxsplit=1)[:1] in (["%%sql"], ["%%tusk"]):
        return [lines[0] if lines[0].endswith("\n") else lines[0] + "\n", "\n"]
    return lines
