"""A real IPython shell on a real core and a DuckDB file, shared by the tests of one module."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from services.homes import TuskHome
from traitlets.config import Config

from tusk_jupyter.errors import TuskError


@dataclass
class Ran:
    """What one cell did."""

    value: Any
    error: BaseException | None
    out: str

    @property
    def refused(self) -> TuskError:
        """The error, which must be one of ours."""
        assert isinstance(self.error, TuskError), (self.error, self.out)
        return self.error


class Cells:
    """A shell that cells are run in."""

    def __init__(self, shell: InteractiveShell, folder: Path) -> None:
        self.shell = shell
        self.folder = folder
        self._capsys: pytest.CaptureFixture[str] | None = None

    @property
    def variables(self) -> dict[str, Any]:
        return self.shell.user_ns

    def capturing(self, capsys: pytest.CaptureFixture[str]) -> Cells:
        self._capsys = capsys
        return self

    def run(self, text: str) -> Ran:
        """Run a cell as a notebook would."""
        assert self._capsys is not None
        self._capsys.readouterr()
        ran = self.shell.run_cell(text, store_history=True)
        return Ran(ran.result, ran.error_in_exec or ran.error_before_exec, self._capsys.readouterr().out)

    def value(self, text: str) -> Any:
        """Run a cell that must not fail and return its value."""
        ran = self.run(text)
        assert ran.error is None, ran.out
        return ran.value

    def log(self) -> tuple[Any, ...]:
        """The query log, newest first."""
        import tusk_jupyter as tusk

        return tusk.log(limit=1000).entries


@pytest.fixture(scope="module")
def module_shell(module_home: TuskHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cells]:
    """A shell with the extension loaded and a DuckDB connection `lake`."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.chdir(folder)
        config = Config()
        config.HistoryManager.hist_file = str(folder / "history.sqlite")
        config.InteractiveShell.colors = "nocolor"
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance(config=config)
        shell.run_cell("%load_ext tusk_jupyter")
        shell.run_cell(f"%tusk connect lake {folder / 'lake.duckdb'}")
        yield Cells(shell, folder)
        shell.run_cell("%unload_ext tusk_jupyter")
        shell.history_manager.end_session()
        shell.atexit_operations()
        atexit.unregister(shell.atexit_operations)
        InteractiveShell.clear_instance()


@pytest.fixture
def cells(module_shell: Cells, capsys: pytest.CaptureFixture[str]) -> Iterator[Cells]:
    """The shell, with no variables of an earlier test."""
    before = set(module_shell.variables)
    yield module_shell.capturing(capsys)
    for name in set(module_shell.variables) - before:
        module_shell.variables.pop(name)
