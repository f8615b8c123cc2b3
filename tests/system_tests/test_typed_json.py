"""Classes are met by msgspec under a lock: two threads that meet one at once would crash the process."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import tusk_drivers
import tusk_jupyter
import tusk_magics
import tusk_widgets
from tusk_jupyter.system import typed_json

MANY_THREADS_MEET_MANY_CLASSES = """
import sys, threading, msgspec
{decode}
sys.setswitchinterval(1e-6)
def fresh():
    inner = msgspec.defstruct("Inner", [(f"f{{i}}", "tuple[str, ...] | None", None) for i in range(8)])
    middle = msgspec.defstruct("Middle", [("inner", inner), ("by_name", dict[str, list[inner]])])
    return msgspec.defstruct("Outer", [("middle", middle), ("n", "int", 0)])
body = b'{{"middle": {{"inner": {{"f1": ["a"]}}, "by_name": {{"a": [{{}}]}}}}}}'
for _ in range(150):
    kind, start = fresh(), threading.Barrier(6)
    threads = [threading.Thread(target=lambda: (start.wait(), decode(kind, body))) for _ in range(6)]
    [one.start() for one in threads]; [one.join() for one in threads]
print("alive")
"""
OURS = "from tusk_jupyter.system.typed_json import decode"


def test_many_threads_meet_a_class_at_once():
    script = MANY_THREADS_MEET_MANY_CLASSES.format(decode=OURS)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


@pytest.mark.parametrize("package", [tusk_jupyter, tusk_magics, tusk_widgets, tusk_drivers])
def test_nobody_reads_typed_values_in_another_way(package):
    found = [
        f"{path}: {line}"
        for path in Path(package.__path__[0]).rglob("*.py")
        if path != Path(typed_json.__file__)
        for line in path.read_text().splitlines()
        if re.search(r"msgspec\.(convert|json\.Decoder)|msgspec\.json\.decode\(.*type=", line)
    ]
    assert found == []


def test_what_does_not_fit_is_refused():
    with pytest.raises(msgspec.ValidationError):
        typed_json.decode(int, b'"one"')
    with pytest.raises(msgspec.ValidationError):
        typed_json.convert(int | None, "1")
    assert typed_json.convert(int | None, "1", strict=False) == 1
