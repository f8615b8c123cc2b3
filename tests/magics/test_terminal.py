"""IPython in a terminal: a line that is overwritten, tables as text, and scripts whose output is a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pexpect  # IPython's own
import pytest

import tusk_jupyter as tusk

SCRIPTED = Path(__file__).parent.parent / "scripted_driver" / "__main__.py"
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


def test_a_schema_that_is_read_is_said_at_the_foot_of_a_terminal_and_its_list_opens(tusk_home, tmp_path, monkeypatch):
    gate = tmp_path / "gate"
    (tusk_home / "drivers").mkdir()
    manifest = {"name": "scripted", "command": [sys.executable, str(SCRIPTED)]}
    (tusk_home / "drivers" / "scripted.json").write_text(json.dumps(manifest))
    tusk.connect("slow", "scripted://host/db", gate=str(gate), test=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    words = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "--no-confirm-exit"]
    terminal = pexpect.spawn(words[0], words[1:], cwd=str(tmp_path), encoding="utf-8", dimensions=(40, 120), timeout=30)
    try:
        answer_where_the_cursor_is(terminal)
        terminal.send("%load_ext tusk_jupyter\r")
        answer_where_the_cursor_is(terminal)
        terminal.expect(r"In \[2\]")
        terminal.send("%sql slow SELECT * FROM \t")
        terminal.expect("reading the schema…")
        gate.touch()
        terminal.expect("toads")
    finally:
        terminal.close(force=True)


def answer_where_the_cursor_is(terminal):
    """As every real terminal does: without it the prompt does not know what room is below, and shows no foot."""
    terminal.expect_exact("\x1b[6n")
    terminal.send("\x1b[1;1R")
