"""Runs `quickstart.ipynb` in a real kernel, without a browser, and prints its cells and their tables.

The state (connections, query log) goes to TUSK_HOME, which `make demo` sets to `.demo/` in this repository, so that a
demo never touches the user's own. The core service that the notebook started is stopped at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.text import Text

NOTEBOOK = Path(__file__).with_name("quickstart.ipynb")
WIDTH_WITHOUT_TERMINAL = 110
CELL_TIMEOUT_S = 300


def main() -> int:
    """Run the notebook and return the exit status: 1 when a cell failed."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    os.environ.setdefault("TUSK_HOME", str(NOTEBOOK.parents[1] / ".demo"))
    os.environ["JPY_SESSION_NAME"] = NOTEBOOK.name  # as Jupyter Server tells it a kernel; nbclient tells nothing
    os.environ["COLUMNS"] = str(console.width)  # what a frame's text may take; the kernel inherits it
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    started = time.monotonic()
    try:
        return run(notebook, console)
    finally:
        subprocess.run([Path(sys.executable).with_name("tusk"), "core", "stop"], capture_output=True, check=False)
        console.rule(f"{NOTEBOOK.name} took {time.monotonic() - started:.1f} s", style="dim")


def run(notebook: NotebookNode, console: Console) -> int:
    """Execute the cells in order and print each as soon as it is done."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of a loopback connection without encryption
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                console.print(Markdown(cell.source), "")
            if cell.cell_type != "code":
                continue
            print_source(cell.source, console)
            try:
                client.execute_cell(cell, index)
            except CellExecutionError:
                print_outputs(cell.outputs, console)
                return 1
            print_outputs(cell.outputs, console)
    return 0


def print_source(source: str, console: Console) -> None:
    """Print a cell as it stands in the notebook."""
    language = "sql" if source.startswith("%%sql") else "python"
    syntax = Syntax("", language, theme="ansi_dark", background_color="default")
    console.print(syntax.highlight(source.rstrip()), soft_wrap=True)  # lines as they were written, however long


def print_outputs(outputs: list[NotebookNode], console: Console) -> None:
    """Print what a cell left behind as text; an error's text is its traceback or, from tusk, its one paragraph."""
    for output in outputs:
        match output.output_type:
            case "stream":
                text = output.text
            case "error":
                text = "\n".join(output.traceback)
            case _:
                text = output.data.get("text/plain", "")
        if text.strip():
            console.print(Text.from_ansi(text.rstrip()), soft_wrap=True)
    console.print()


if __name__ == "__main__":
    sys.exit(main())
