"""IPython in a terminal: a line that is overwritten, tables as text, and scripts whose output is a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

import tusk_jupyter as tusk

CODE = """%load_ext tusk_jupyter
%sql sleepy SELECT 1 AS a, pg_sleep(2)
%tusk connections
"""


@pytest.fixture
def terminal_folder(tusk_home, tmp_path, monkeypatch, postgresql):
    tusk.connect("sleepy", postgresql.url, tier="memory")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def ipython(folder, **streams):
    script = folder / "cells.ipy"
    script.write_text(CODE)
    words = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", str(script)]
    return subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, **streams)


def test_a_long_run_shows_a_line_in_a_terminal_and_takes_it_away(terminal_folder):
    leader, follower = pty.openpty()
    process = ipython(terminal_folder, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""
    while True:
        try:
            seen += os.read(leader, 1000)
        except OSError:  # EIO: the other side is closed
            break
    os.close(leader)
    assert process.wait(60) == 0
    text = seen.decode()
    assert "running on sleepy · Ctrl-C to stop" in text
    _, _, after = text.rpartition("to stop")
    assert after.lstrip().startswith("\r") or after.startswith("\r"), after
    assert "1 row · 2 columns" in after
    assert "sleepy  " in after


def test_a_pipe_gets_no_line(terminal_folder):
    process = ipython(terminal_folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0
    assert b"running on" not in out + err
    assert "1 row · 2 columns" in out.decode()
