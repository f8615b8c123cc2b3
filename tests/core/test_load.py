"""Many kernels at once, and a core that is killed again and again: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import collections
import random
import subprocess
import sys
import textwrap
import threading

import psutil
import pytest
from services import processes_of, wait_until, words_of

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

KERNELS = 8


@pytest.mark.parametrize("runs", [50, pytest.param(200, marks=pytest.mark.soak)])
def test_eight_kernels_with_many_runs_each_lose_and_double_none(client, core, scripted_home, runs):
    script = f"""
        import sys
        from tusk_jupyter.client import get_client
        from tusk_jupyter.protocol import control
        name = sys.argv[1]
        client = get_client(name)
        for n in range({runs}):
            request = control.RunRequest(session="", connection="s", sql=f"rows {{n + 1}}")
            assert client.run(request).rows == n + 1
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    kernels = [subprocess.Popen([*command, f"kernel-{n}"]) for n in range(KERNELS)]
    assert [kernel.wait(170) for kernel in kernels] == [0] * KERNELS

    def complete():
        entries = client.call(control.ReadLog(limit=2000)).entries
        return entries if all(one.status == "completed" for one in entries) else None

    entries = wait_until(complete, 10.0, "every run is complete in the log")
    assert len(entries) == len({one.run for one in entries}) == KERNELS * runs
    by_kernel = collections.defaultdict(list)
    for one in sorted(entries, key=lambda one: one.seq):
        by_kernel[one.source].append(one.rows)
    assert len(by_kernel) == KERNELS
    assert all(rows == list(range(1, runs + 1)) for rows in by_kernel.values())


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.soak)])
def test_a_core_killed_again_and_again_loses_nothing_that_it_acknowledged(client, core, scripted_home, kills):
    chance = random.Random(kills)
    acknowledged, saved, failures = [], ["s"], []
    stopped = threading.Event()

    def work():
        n = 0
        while not stopped.is_set():
            n += 1
            try:
                acknowledged.append(core.run(client, f"SELECT rows {n % 50 + 1}", on="s").accepted.run)
                if n % 25 == 0:
                    change_connections(client, core, f"c{n}", saved)
            except (errors.CoreError, errors.DriverCrashed):
                continue  # what a cell would show; the next one must work
            except BaseException as exc:
                failures.append(exc)
                return

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(kills):
        before = len(acknowledged)
        wait_until(lambda before=before: len(acknowledged) > before or failures, 30.0, "runs work again after the kill")
        threading.Event().wait(chance.uniform(0.0, 0.4))  # the instant of the kill, not a wait for anything
        for process in cores_of(scripted_home):
            process.kill()
    stopped.set()
    worker.join(60)
    assert failures == []
    entries = client.call(control.ReadLog(limit=100_000)).entries
    counted = collections.Counter(one.run for one in entries)
    assert [run for run in acknowledged if counted[run] != 1] == []
    assert max(counted.values()) == 1
    assert {one.status for one in entries} <= {"completed", "interrupted", "failed"}
    assert set(saved) <= connections(client)
    change_connections(client, core, "last", saved)
    assert connections(client) == {"s", "last-renamed"}
    assert core.run(client, "SELECT rows 3", on="s").rows == 3
    (living,) = cores_of(scripted_home)
    wait_until(
        lambda: (
            {one.pid for one in processes_of(scripted_home)}
            <= {living.pid, *(child.pid for child in living.children(recursive=True))}
        ),
        15.0,
        "no driver of a killed core is left",
    )


def connections(client) -> set[str]:
    return {one.name for one in client.call(control.ListConnections(session=client.session)).connections}


def change_connections(client, core, name: str, saved: list[str]) -> None:
    """Save a connection, give it another name, remove all earlier ones; `saved` are those that must be there."""
    renamed = f"{name}-renamed"
    core.connect(client, name, test=False)
    core.connect(client, renamed, rename_from=name, replace=True, test=False)
    saved[:] = ["s", renamed]
    for one in connections(client) - {*saved}:
        client.call(control.RemoveConnection(session=client.session, name=one))


def cores_of(home) -> list[psutil.Process]:
    return [one for one in processes_of(home) if "tusk_jupyter.service" in words_of(one)]
