"""What a cell does not need, it does not import: each package is looked for in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from services import TuskHome

OF_ALL_KINDS = (
    "SELECT [TIMESTAMP_NS '2024-01-01 00:00:00.000000001'] AS l, {'d': DATE '12000-01-01', 'x': 1.5::DECIMAL(5,2)} AS s,"
    " map {DATE '2024-01-01': 'a\"b'} AS m, [INTERVAL '1 day'] AS i, ['\\x00'::BLOB] AS b, DATE '12000-01-01' AS d,"
    " TIMESTAMP '2024-01-01 00:00:00.5' AS ts, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS z, 1e-8::DECIMAL(20,10) AS e,"
    " INTERVAL '1 day' AS iv, uuid() AS u, TIME '01:02:03' AS t, '\\x00'::BLOB AS y,"
    " 170141183460469231731687303715884105727 AS h"
)

KERNEL = """
import json, sys, threading
from IPython.core.interactiveshell import InteractiveShell

importing = []

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("pandas", "polars"):
            importing.append((name, threading.current_thread().name))

sys.meta_path.insert(0, Finder())
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell).raise_error()
print("\\n" + json.dumps([importing, [name for name in json.loads(sys.argv[2]) if name in sys.modules]]))
"""
METADATA = ["email", "importlib.metadata", "importlib_metadata"]


@pytest.fixture
def kernel(tusk_home: TuskHome, tmp_path: Path):
    """Run cells in a fresh IPython; return who looked for a library of frames, and which of some modules are there."""

    def run(*cells: str, modules: list[str]) -> tuple[list[list[str]], list[str]]:
        made = ["%load_ext tusk_jupyter", f"%tusk connect lake {tmp_path / 'lake.duckdb'}", *cells]
        command = [sys.executable, "-c", KERNEL, json.dumps(made), json.dumps(modules)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_results_that_become_no_frame_need_no_library_of_frames(kernel, tmp_path):
    (tmp_path / "all.sql").write_text(OF_ALL_KINDS)
    files = [f"%sql lake --to o.{ending} --file all.sql" for ending in ("csv", "parquet", "arrow")]
    modules = ["pandas", "polars", "jinja2", "openpyxl", *METADATA]
    assert kernel(*files, "x = %sql lake --format arrow --file all.sql", modules=modules) == [[], []]
    assert '""2024-01-01 00:00:00.000000001""' in (tmp_path / "o.csv").read_text()


def test_one_thread_imports_what_a_frame_needs(kernel):
    importing, _ = kernel("%%sql lake\nSELECT 1 AS a", "%%sql lake\nSELECT 2 AS a", modules=[])
    assert [name for name, _ in importing] == ["pandas"]


def test_the_version_is_known_without_looking_for_it():
    code = f"import sys, tusk_jupyter; tusk_jupyter.__version__; print([n for n in {METADATA} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
