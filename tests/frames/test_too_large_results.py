"""Results and uploads that do not fit into the process: refused in words while there is room, and the process goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tusk_jupyter import errors
from tusk_jupyter.client import memory

CHILD = """
import resource, sys
import psutil, pandas, pyarrow
import tusk_jupyter as tusk
from tusk_jupyter import errors

folder, limit, more = sys.argv[1], getattr(resource, sys.argv[2]), int(sys.argv[3])
tusk.connect("lake", f"{folder}/lake.duckdb", replace=True)
tusk.query("SELECT range FROM range(3000000)", connection="lake")  # threads and pools are there
used = [int(word) * 4096 for word in open("/proc/self/statm").read().split()][0 if "AS" in sys.argv[2] else 5]
resource.setrlimit(limit, (used + more, resource.RLIM_INFINITY))
before = psutil.Process().memory_info().rss
try:
    tusk.query("SELECT range AS a, range * 2 AS b, 'some text ' || range AS c FROM range(40000000)", connection="lake")
except errors.ResultTooLarge as exc:
    print("REFUSED", exc.message)
    print("HINT", exc.hint)
    kept = exc  # as IPython keeps it
print("GREW", (psutil.Process().memory_info().rss - before) >> 20)
print("NEXT", tusk.query("SELECT 42 AS a", connection="lake").a.tolist())
print("FILE", tusk.execute("SELECT range FROM range(5000000)", connection="lake", to=f"{folder}/o.parquet").rows)
import numpy
data = pandas.DataFrame(numpy.broadcast_to(numpy.float64(0), (more // 8, 2)), columns=["a", "b"], copy=False)
try:
    tusk.persist(data, "big", connection="lake")
except errors.ResultTooLarge as exc:
    print("UPLOAD", exc.message)
print("LOG", tusk.log(limit=20).entries[-1].status, {e.status for e in tusk.log(limit=20).entries})
"""


@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_result_beyond_the_limit_is_refused_and_the_process_goes_on(tusk_home, tmp_path, limit):  # R9
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), limit, str(700 << 20)],
        capture_output=True,
        text=True,
        env=tusk_home.environment(),
        timeout=170,
    )
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    assert ran.returncode == 0, ran.stderr
    assert "rows with" in said["REFUSED"]
    assert "ulimit" in said["REFUSED"]
    assert "--to" in said["HINT"]
    assert int(said["GREW"]) < 250
    assert said["NEXT"] == "[42]"
    assert said["FILE"] == "5000000"
    assert "cannot be sent: it takes 1.5 GB" in said["UPLOAD"]
    assert "cancelled" in said["LOG"]


WIDE = """
import resource, sys
import tusk_jupyter as tusk
from tusk_jupyter import errors

folder = sys.argv[1]
tusk.connect("lake", f"{folder}/lake.duckdb", replace=True)
tusk.query("SELECT range FROM range(3000000)", connection="lake")  # threads and pools are there
used = [int(word) * 4096 for word in open("/proc/self/statm").read().split()][0]
resource.setrlimit(resource.RLIMIT_AS, (used + (500 << 20), resource.RLIM_INFINITY))
for words, to in (("FRAME", None), ("FILE", f"{folder}/o.parquet")):
    try:
        tusk.execute("SELECT repeat('x', 700000000) AS one", connection="lake", to=to)
    except errors.ResultTooLarge as exc:
        print(words, exc.message, exc.hint)
print("NEXT", tusk.query("SELECT repeat('x', 50000000) AS one", connection="lake").one.str.len().tolist())
"""


def test_one_value_beyond_the_limit_is_refused_before_it_is_received(tusk_home, tmp_path):  # R9
    ran = subprocess.run(
        [sys.executable, "-c", WIDE, str(tmp_path)],
        capture_output=True,
        text=True,
        env=tusk_home.environment(),
        timeout=170,
    )
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    assert ran.returncode == 0, ran.stderr
    assert "Its first rows have 700 MB" in said["FRAME"]
    assert "--to" in said["FRAME"]
    assert "to receive them takes 1.5 GB" in said["FILE"]
    assert "substr" in said["FILE"]
    assert said["NEXT"] == "[50000000]"


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    """Version 2 and version 1, with the file cache that the system would give back."""
    for names, cache in (
        (("memory.max", "memory.current"), "inactive_file"),
        (("a.limit", "a.usage"), "total_inactive_file"),
    ):
        (tmp_path / names[0]).write_text(f"{1000 << 20}\n")
        (tmp_path / names[1]).write_text(f"{900 << 20}\n")
        (tmp_path / "memory.stat").write_text(f"anon 1\n{cache} {50 << 20}\n")
        monkeypatch.setattr(memory, "_groups", lambda names=names, cache=cache: ((tmp_path, *names, cache),))
        assert memory.tightest() == memory.Limit("the container", 1000 << 20, 150 << 20)
    room = memory.Room()
    with pytest.raises(errors.ResultTooLarge, match=r"3 rows with 63 MB.*the container leaves 157 MB of 1\.0 GB"):
        room.take(60 << 20, rows=3)
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(memory, "_groups", lambda: ((tmp_path, "memory.max", "memory.current", "inactive_file"),))
    assert memory.tightest().name == "the machine"


def test_the_control_groups_of_this_process_are_found():
    assert all(isinstance(folder, Path) and most.startswith("memory.") for folder, most, _, _ in memory._groups())


@pytest.mark.parametrize("exc", [MemoryError(), RuntimeError("std::bad_alloc")])
def test_memory_that_runs_out_is_one_of_our_errors_whatever_library_noticed(exc):
    with (
        pytest.raises(errors.ResultTooLarge, match="The frame could not be made"),
        memory.guarded("The frame could not be made"),
    ):
        raise exc
    with pytest.raises(ValueError, match="other"), memory.guarded("x"):
        raise ValueError("other")
