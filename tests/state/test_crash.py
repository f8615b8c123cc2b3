"""kill -9 of a process that writes the store: nothing acknowledged is lost, nothing is doubled, every open works."""

# R-01, B-1, B-2, C-13

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tusk_jupyter.protocol import control
from tusk_jupyter.state.store import Store

WRITER = """
import itertools, os, sys, threading
from pathlib import Path
from tusk_jupyter.protocol.control import ReadLog
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.query_log import RunEnd, RunStart
from tusk_jupyter.state.store import Store

store = Store.open(Path(sys.argv[1]))
store.log.interrupt_open("killed")
cycle = sys.argv[2]

def say(text):
    os.write(1, (text + "\\n").encode())

def work(thread):
    for n in itertools.count():
        run = f"{cycle}-{thread}-{n}"
        store.log.started(RunStart(
            run=run, session="s", source="n.ipynb", connection="c", connection_id="i", driver="d", sql=f"select {run}"
        ))
        say(f"start {run}")
        if n % 3:
            store.log.ended(RunEnd(run=run, status="completed", rows=n, elapsed_ms=1.0))
            say(f"end {run}")
        if n % 20 == 5:
            store.connections.save(ConnectionRecord(name=run, driver="d", config={"n": n}))
            say(f"connection {run}")
        if n % 50 == 7:
            store.preferences.set("timeout_s", str(n + 1))
        if n % 40 == 11:
            store.log.read(ReadLog(limit=1))

for thread in range(3):
    threading.Thread(target=work, args=(thread,)).start()
"""


def killed_while_writing(home: Path, cycle: int, chance: random.Random) -> list[str]:
    """Return what a writer acknowledged before it was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(cycle)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = []
    for _ in range(chance.randrange(400)):
        line = writer.stdout.readline()
        assert line, "the writer ended by itself"
        acknowledged.append(line.strip())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read()
    writer.wait()
    writer.stdout.close()
    return acknowledged + [line for line in rest.split("\n") if line]


def check_all_is_there(home: Path, acknowledged: list[str]) -> None:
    """Compare the store with what was acknowledged."""
    said = [line.split() for line in acknowledged]
    started = {run for word, run in said if word == "start"}
    ended = {run for word, run in said if word == "end"}
    named = {run for word, run in said if word == "connection"}
    with Store.open(home) as store:
        assert store.notices == ()
        entries = store.log.read(control.ReadLog(limit=1_000_000)).entries
        names = {record.name for record in store.connections.list()}
        assert store.log.count() == len(entries)
    counts = Counter(entry.run for entry in entries)
    status = {entry.run: entry.status for entry in entries}
    assert set(counts.values()) <= {1}
    assert started <= set(counts)
    assert {status[run] for run in ended} <= {"completed"}
    assert named <= names
    assert [entry.seq for entry in entries] == sorted((entry.seq for entry in entries), reverse=True)


def kill_often(home: Path, cycles: int, seed: int) -> int:
    chance = random.Random(seed)
    acknowledged: list[str] = []
    for cycle in range(cycles):
        acknowledged += killed_while_writing(home, cycle, chance)
        if cycle % 10 == 9:
            check_all_is_there(home, acknowledged)
    check_all_is_there(home, acknowledged)
    return len(acknowledged)


def test_a_writer_killed_again_and_again_loses_nothing(home):
    assert kill_often(home, cycles=10, seed=4) > 800


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_writer_killed_two_hundred_times_loses_nothing(home):
    assert kill_often(home, cycles=200, seed=5) > 20_000
