"""The examples are run by nbval as they stand, on servers of this test run; a cell that raises fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_notebook(name, folder, environment):
    """Run a copy, so that the database it makes is not left beside the original."""
    copy = folder / name
    copy.write_bytes((EXAMPLES / name).read_bytes())
    # -c: the settings of these tests (warnings are errors) are not those of a notebook.
    words = [
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-cell-timeout=120",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        str(copy),
    ]
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_quickstart_runs(tusk_home, tmp_path):
    run_notebook("quickstart.ipynb", tmp_path, tusk_home.environment())
    assert (tmp_path / "delayed.parquet").stat().st_size > 1_000_000


def test_the_servers_notebook_runs(tusk_home, tmp_path, postgresql, mariadb):
    places = {
        f"{prefix}_{field.upper()}": str(getattr(server, field))
        for prefix, server in (("TUSK_PG", postgresql), ("TUSK_MARIADB", mariadb))
        for field in ("host", "port", "user", "password", "database")
    }
    run_notebook("servers.ipynb", tmp_path, tusk_home.environment(**places))


@pytest.mark.parametrize("name", ["quickstart.ipynb", "servers.ipynb"])
def test_an_example_is_saved_with_its_outputs_and_without_an_error(name):
    notebook = json.loads((EXAMPLES / name).read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    assert any("text/html" in output.get("data", {}) for cell in code for output in cell["outputs"])
    assert not re.search(r"password[\"']?\s*[:=]\s*[\"']", json.dumps(notebook))
