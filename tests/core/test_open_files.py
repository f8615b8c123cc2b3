"""Where no file descriptor is left, that is said, with the limit; no process ends, and the core takes what it may have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.system.places import Places

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
LIMIT = 56
SESSIONS = 12
"""A core has five descriptors for each, and some of its own."""


@pytest.fixture(params=["-Sn", "-Hn"])
def limited(request, scripted_home, core):
    """Clients of a core that was started with few descriptors, and which of its two limits is low."""
    limits = f"ulimit -Sn {LIMIT}" + (f"; ulimit -Hn {LIMIT}" if request.param == "-Hn" else "")
    command = ["sh", "-c", f'{limits}; exec "$@"', "sh", sys.executable, "-m", "tusk_jupyter.service"]
    service = subprocess.Popen(command, env=scripted_home.environment())
    places = Places(Path(str(scripted_home)))
    wait_until(places.address_file.exists, 30.0, "the core is up")
    clients = [Client(places, source=f"{number}.ipynb") for number in range(SESSIONS)]
    core.connect(clients[0], "s")
    for client in clients:
        client.call(control.ListRuns())  # on its own: gRPC accepts nobody while there is no descriptor
    yield request.param, clients
    for client in clients:
        client.link.forget()
    service.terminate()
    service.wait(30)


def test_a_core_takes_its_hard_limit_and_names_it_where_that_is_too_low(limited, core):
    which, clients = limited

    def open_all():
        for client in clients:
            core.run(client, "rows 1", on="s")

    if which == "-Sn":
        open_all()
        return
    with pytest.raises(errors.DriverStartError, match=f"may have {LIMIT}") as caught:
        open_all()
    assert "ulimit" in caught.value.hint
    assert clients[0].call(control.ListRuns()).runs == ()


ALL_TAKEN = """
import os, resource, sys
import tusk_jupyter as tusk
from services import wait_until

tusk.query  # what a notebook's %load_ext has imported
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []

def take_all_but(left):
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        for _ in range(left):
            os.close(taken.pop())

def attempt(left, what):
    take_all_but(left)
    try:
        print(what())
    except BaseException as exc:
        error = exc
    while taken:
        os.close(taken.pop())
    print(type(error).__name__, error.message, "|", error.hint.replace(chr(10), " "))

attempt(2, tusk.log)
attempt(3, tusk.log)
tusk.connect("lake", None, driver="sqlite", path=":memory:")
tusk.query("SELECT 1 AS a", connection="lake")
attempt(0, lambda: tusk.execute("SELECT 1 AS a", connection="lake", to="out.csv"))
attempt(0, lambda: tusk.query("SELECT 1 AS a", connection="lake", format="polars"))
tusk.connect("other", None, driver="sqlite", path=":memory:")
attempt(0, lambda: tusk.query("SELECT 1 AS a", connection="other"))
wait_until(lambda: not tusk.running(), 30.0, "the run that nobody could fetch has ended")
print(tusk.query("SELECT 1 AS a", connection="other").a[0])
"""


def test_a_process_without_descriptors_is_refused_in_words_and_lives_on(tusk_home, tmp_path):
    environ = tusk_home.environment(PYTHONPATH=str(Path(__file__).parents[1]))
    ran = subprocess.run(
        [sys.executable, "-c", ALL_TAKEN],
        capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    *refused, at_last = ran.stdout.splitlines()
    assert at_last == "1"
    assert len(refused) == 5
    for line in refused:
        assert line.startswith("CoreError This process has too many files open and may have 64 (`ulimit -n`)"), line
