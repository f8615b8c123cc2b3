"""A process that a signal or a debugger has stopped, or that has ended, is known at once: nobody's session waits for it."""

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from services import freeze, wait_until

from tusk_jupyter import errors
from tusk_jupyter.launch import process as process_module
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.calls import PeerSilent
from tusk_jupyter.system import processes
from tusk_jupyter.system.places import Places


@pytest.fixture
def program():
    started = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield psutil.Process(started.pid)
    started.kill()
    started.communicate()


def stop(program):
    freeze(program.pid)
    assert processes.is_stopped(program.pid)


def test_a_stopped_process_is_told_from_one_that_waits(program):
    assert not processes.is_stopped(program.pid)
    stop(program)
    program.resume()
    wait_until(lambda: not processes.is_stopped(program.pid), 5.0, "it goes on")
    program.kill()
    program.wait()
    assert not processes.is_stopped(program.pid)


def test_a_process_that_has_ended_is_known_while_another_thread_takes_its_exit_code():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not processes.has_ended(child)
    child.kill()
    with child._waitpid_lock:  # as the thread that watches a driver holds it
        wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, 5.0, "it has ended")
        assert child.poll() is None
        assert processes.has_ended(child)
    child.communicate()
    assert processes.has_ended(child)


def test_a_stopped_spare_is_passed_over_and_ended(program, tmp_path, monkeypatch):
    killed, fresh = [], object()
    spare = SimpleNamespace(pid=program.pid, ended=False, waited=False, kill=lambda: killed.append(spare))
    spares = Spares(Catalog(Places(tmp_path)), on_exit=lambda _: None)
    made = iter([spare, fresh])
    monkeypatch.setattr(spares, "_start", lambda name: next(made))
    spares.warm("scripted")
    stop(program)
    assert spares.take("scripted") is fresh
    assert killed == [spare]


def test_a_driver_that_is_stopped_as_it_starts_is_given_up_before_the_time_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "FROZEN_S", 0.5)
    places = Places(tmp_path)
    places.prepare()
    stops = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    scripted = SimpleNamespace(name="scripted", manifest=object(), problem="", command=(sys.executable, "-c", stops))
    ended = []
    with pytest.raises(errors.DriverStartError, match="a signal or a debugger had stopped its process"):
        DriverProcess(scripted, places, on_exit=ended.append)


def test_a_driver_that_was_ended_while_a_call_waited_is_not_said_to_be_silent():
    def silent(request, *, timeout_s):
        raise PeerSilent("no answer")

    process = DriverProcess.__new__(DriverProcess)
    process.name, process.memory_mb, process._calls = "pg", None, 0
    process._counting = process_module.threading.Lock()
    process._peer = SimpleNamespace(call=silent)
    process._child = SimpleNamespace(process=SimpleNamespace(poll=lambda: -9), exit_code=lambda _: -9, last_words=None)
    process.ended_for = "its driver process gave no sign of life for 5 s and was ended"
    with pytest.raises(errors.DriverCrashed, match="no sign of life for 5 s and was ended"):
        process.call(driver.Run(session="s", run="r", ticket="t", sql="SELECT 1"), timeout_s=3.0)


@pytest.mark.parametrize(
    ("cap", "code", "told"),
    [
        (256, None, "memory cap is 256 MB, and a process of this driver needs 384 MB"), (256, -6, "needs 384 MB to live"),
        (400, -6, "Its memory cap is 400 MB."), (400, None, None), (None, -6, None),
    ],
)  # fmt: skip
def test_a_cap_below_what_its_driver_needs_is_named_however_the_process_fails(cap, code, told):
    """One that was saved before the driver named so much is not refused; its process may live on and answer nothing."""
    process = DriverProcess.__new__(DriverProcess)
    process.name, process.memory_mb, process.ended_for = "duckdb", cap, ""
    process.manifest = SimpleNamespace(least_memory_mb=384)
    process._child = SimpleNamespace(exit_code=lambda _: code, last_words=None)
    error = process.crash()
    assert told in error.message if told else "memory" not in str(error)
    assert ("--memory 384" in error.hint) == (cap == 256)
