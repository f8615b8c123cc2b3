"""Where Python or the system starts no thread and no process any more, that is said; no traceback of a library's."""

import errno
import os
import subprocess
import sys
import threading

import pytest

from tusk_jupyter import errors
from tusk_jupyter.client import Client, boot
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.system.places import Places

TOO_LATE = """
import threading
import tusk_jupyter as tusk

def first_use():
    threading.main_thread().join()
    try:
        tusk.connect("lake", "lake.duckdb")
        tusk.query("SELECT 1 AS a", connection="lake")
    except Exception as exc:
        print(type(exc).__name__, exc)

threading.Thread(target=first_use).start()
"""


def test_a_first_use_behind_the_main_threads_end_is_refused_in_words(tusk_home, tmp_path):  # R22
    ran = subprocess.run(
        [sys.executable, "-c", TOO_LATE],
        capture_output=True,
        text=True,
        env=tusk_home.environment(),
        cwd=tmp_path,
        timeout=120,
    )
    assert ran.stderr == ""
    assert ran.stdout.startswith("CoreError This interpreter is ending"), ran.stdout


def test_a_process_that_may_start_no_thread_says_so(tmp_path, monkeypatch):  # R22
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("tusk_jupyter.client.interrupts._idle", [])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(errors.CoreError, match="no further thread or process") as caught:
        Client(Places(tmp_path), source="x").call(control.ListRuns())
    assert "ulimit -u" in caught.value.hint


def test_a_core_for_which_there_is_no_process_is_refused_in_words(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "posix_spawn", refuse)
    with pytest.raises(errors.CoreError, match="no further thread or process"):
        boot.start(Places(tmp_path))


def test_core_and_drivers_say_it_too():
    said = to_wire(RuntimeError("can't start new thread"))
    assert (said.kind, "no further thread" in said.message) == ("initialization", True)


def test_a_lock_or_a_socket_that_is_not_free_is_no_want_of_processes():
    said = to_wire(BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
    assert "Resource temporarily unavailable" in said.message
    assert "no further thread" not in said.message


def test_a_run_goes_on_though_no_thread_shows_how_far_it_is(notebook, core, monkeypatch):
    core.run(notebook, "SELECT rows 1")
    start, started = threading.Thread.start, []

    def only_the_run(thread):
        if thread.name.startswith("tusk-"):
            started.append(thread)
            if len(started) > 1:
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr("tusk_jupyter.client.interrupts._idle", [])
    monkeypatch.setattr(threading.Thread, "start", only_the_run)
    request = control.RunRequest(session="", connection="s", sql="SELECT wait 1")
    assert notebook.run(request, on_progress=lambda state: None).statements
    assert len(started) > 1
