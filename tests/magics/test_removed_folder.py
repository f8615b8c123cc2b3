"""The notebook's folder was removed while its kernel runs: what needs it says so, and everything else goes on."""

import os
import subprocess
import sys

import pytest

from tusk_jupyter.client import client as clients
from tusk_jupyter.errors import UsageError


@pytest.fixture
def removed(cells, tmp_path, monkeypatch):
    """The working folder of this process, which is not there any more."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()  # noqa: PTH109


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("%sql lake --file q.sql", "q.sql"),
        ("%sql lake --file ../q.sql", "../q.sql"),
        ("%sql lake --to out.csv SELECT 1", "out.csv"),
        ("import tusk_jupyter as t; t.execute('SELECT 1', connection='lake', to='out.parquet')", "out.parquet"),
        ("%tusk connect other other.db", "other.db"),
    ],
)
def test_a_relative_path_is_refused_with_what_to_do(cells, removed, cell, path):
    error = cells.run(cell).error
    assert isinstance(error, UsageError)
    assert error.message.startswith(f"{path} is a relative path, and the folder that it starts from is gone")
    assert "%cd" in error.hint


def test_what_needs_no_folder_goes_on(cells, removed, tmp_path):
    assert cells.value("%%sql lake\nSELECT 7 AS n").n[0] == 7
    (tmp_path / "q.sql").write_text("SELECT 8 AS n")
    assert cells.value(f"%sql lake --file {tmp_path / 'q.sql'}").n[0] == 8
    cells.value(f"%sql lake --to {tmp_path / 'out.csv'} SELECT 9 AS n")
    assert (tmp_path / "out.csv").read_text().split() == ['"n"', "9"]
    assert "There is no file" in cells.run(f"%sql lake --file {tmp_path / 'none.sql'}").error.message
    assert "is gone" in cells.run("%sql lake SELECT * FROM 'x.csv'").error.hint


def test_a_script_that_was_started_from_there_has_a_name(removed, monkeypatch, tmp_path):
    script = tmp_path / "s.py"
    script.write_text("")
    for name, source in ((str(script), str(script)), ("s.py", "python"), ("", "python")):
        monkeypatch.setattr(sys, "argv", [name])
        assert clients._script() == source


def test_the_command_line_works_from_there(removed):
    words = [sys.executable, "-c", "from tusk_jupyter.cli import main; main()", "connections"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "lake" in done.stdout) == (0, True), done.stderr
