"""The driver's process stays small: pandas is never loaded into it."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import runpy, sys
from pathlib import Path
sys.argv = ["driver", "info"]
runpy.run_module("tusk_drivers.sqlite", run_name="__main__")
print()
assert not {"duckdb", "sqlite3", "pyarrow"} & set(sys.modules), "info loads no engine"
import pyarrow as pa
from tusk_drivers.sqlite.session import SESSION
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.sqltext.statements import split
session = SESSION.connect(Settings(config={}))
(statement,) = split("SELECT :a AS a, 'x' AS b", "sqlite")
print([batch.to_pylist() for batch in session.execute(statement, {"a": 1}).batches])
assert not {"numpy", "pyarrow.compute"} & set(sys.modules), "a plain result loads neither"
session.upload(["up"], pa.table({"a": [1, 2]}).to_reader(), append=False)
session.close()
assert "pandas" not in sys.modules
"""


def test_process_tells_its_manifest_and_runs_without_pandas() -> None:
    # R: DESIGN 4, drivers keep pandas out of their process
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    manifest, _, rows = done.stdout.rpartition("\n[")
    assert json.loads(manifest)["name"] == "sqlite"
    assert rows.strip() == "[{'a': 1, 'b': 'x'}]]"
