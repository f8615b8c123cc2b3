"""A disk that is full or may not be written: said in one paragraph, at once; nothing hangs and nothing is forgotten.

A limit on the size of files stands for the full disk: the system refuses the write itself, with no rights needed to set it up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services import TuskHome, processes_of, wait_until

from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.system.places import Places

# As root nothing is forbidden; without its privileges root is a user like any other.
ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
TUSK = (str(Path(sys.executable).with_name("tusk")),)

CORE = """
import resource, signal
from tusk_jupyter.service.lifecycle import run

_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (1, most)))
signal.signal(signal.SIGUSR2, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
run()
"""


def tusk(home: TuskHome, *words: str, wrapped_in: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*wrapped_in, *ORDINARY, *TUSK, *words]
    return subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False, timeout=60)


def assert_one_paragraph(done: subprocess.CompletedProcess[str], *names: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    for name in names:
        assert name in done.stderr


@pytest.fixture
def closable(tusk_home: TuskHome) -> Iterator[TuskHome]:
    """A home whose rights a test takes away."""
    yield tusk_home
    for path in (tusk_home.path, *(tusk_home / name for name in ("run", "journal"))):
        if path.exists():
            path.chmod(0o700)


@pytest.mark.parametrize(
    "name", ["core.lock", "start.lock", "state.lock", "core.err", "core.log", "core.crash", "state.duckdb"]
)
def test_a_file_that_may_not_be_written_is_named_at_once(tusk_home: TuskHome, name: str):  # R14: left by sudo
    (tusk_home / name).touch()
    (tusk_home / name).chmod(0)
    done = tusk(tusk_home, "connections")
    assert_one_paragraph(done, str(tusk_home / name), "Permission denied")
    assert processes_of(tusk_home) == []


def test_a_journal_that_may_not_be_read_is_named_at_once(closable: TuskHome):
    (closable / "journal").mkdir()
    (closable / "journal").chmod(0)
    assert_one_paragraph(tusk(closable, "connections"), str(closable / "journal"), "Permission denied")


def test_a_read_only_home_is_named_at_once_and_stays_read_only(closable: TuskHome):
    closable.path.chmod(0o500)
    assert_one_paragraph(tusk(closable, "connections"), str(closable), "Permission denied")
    assert closable.path.stat().st_mode & 0o777 == 0o500


def test_a_core_that_finds_the_disk_full_says_so_at_once(tusk_home: TuskHome):  # R14
    # By a shell: Python code between fork and exec hangs now and then in a process with threads.
    done = tusk(tusk_home, "connections", wrapped_in=("sh", "-c", 'ulimit -f 0; exec "$@"', "sh"))
    assert_one_paragraph(done, str(tusk_home), "File too large")
    assert processes_of(tusk_home) == []


def test_a_core_whose_folder_was_closed_to_it_still_ends(closable: TuskHome):  # R10
    assert tusk(closable, "connect", "m", "sqlite:///:memory:").returncode == 0
    for path in (closable / "run", closable / "journal", closable.path):
        path.chmod(0o500)
    assert tusk(closable, "core", "stop").returncode == 0
    wait_until(lambda: processes_of(closable) == [], 30.0, "the core has ended")
    assert_one_paragraph(tusk(closable, "connections"), "Permission denied")


def test_an_end_that_the_full_disk_kept_out_of_the_log_is_written_later(scripted_home, core):  # R14
    with subprocess.Popen([sys.executable, "-c", CORE], env=scripted_home.environment()) as process:
        client = Client(Places(scripted_home.path), source="t")
        wait_until(lambda: (scripted_home / "core.json").exists(), 60.0, "the core is up")
        core.connect(client, "s")
        core.run(client, "rows 1")
        _run_while(core, client, lambda: process.send_signal(signal.SIGUSR1))
        core.run(client, "rows 3")  # has a result, and is not in the log: R-05
        process.send_signal(signal.SIGUSR2)
        wait_until(
            lambda: {one.status for one in core.log(client)} == {"completed"}, 60.0, "no run is called running any more"
        )
        assert {one.sql for one in core.log(client)} == {"rows 1", "wait 3"}
        client.call(control.StopCore())
        client.link.forget()


def _run_while(core, client: Client, act: Callable[[], None]) -> None:
    """Do something while a run is under way, and see that its client gets its result all the same."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(core.run(client, "wait 3")))
    thread.start()
    core.await_running(client)
    act()
    thread.join(60)
    assert len(results) == 1
