"""Another process of the same user reads nothing of a hardened one, and its crash leaves no dump. # R-14

The target gives up root before it hardens itself, so that file rights and not root's privilege decide.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534
BECOME_NOBODY = f"""
import ctypes, os, sys
def drop():
    if os.geteuid() == 0:
        os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # setuid made it undumpable already: back to what a user's process is
"""
TARGET = (
    BECOME_NOBODY
    + """
import resource  # before root is given up: the interpreter may lie where nobody else can read
from tusk_jupyter.system.hardening import harden
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
canary = bytearray(b"in-memory-canary")
address = ctypes.addressof((ctypes.c_char * len(canary)).from_buffer(canary))
drop()
if "harden" in sys.argv:
    assert harden() == ("no core dumps", "memory closed to other processes")
print(address, flush=True)
sys.stdin.read()
if "crash" in sys.argv:
    ctypes.string_at(0)
"""
)
ATTACKER = (
    BECOME_NOBODY
    + """
drop()
pid, address = map(int, sys.argv[1:])
def memory():
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        file.seek(address)
        return file.read(16)
def environ():
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()
def attach():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, 0, 0) != 0:
        raise PermissionError(ctypes.get_errno())
    os.waitpid(pid, 0)
    return b"attached"
for way in (memory, environ, attach):
    try:
        print(way.__name__, b"canary" in way() or way is attach)
    except PermissionError:
        print(way.__name__, "refused")
"""
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    started = []
    tmp_path.chmod(0o777)  # a core file would be written here, by a user that is not us

    def run(*words: str) -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen(
            [sys.executable, "-c", TARGET, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            env={**os.environ, "SECRET": "environ-canary"},
            text=True,
        )
        started.append(process)
        address = process.stdout.readline().strip()
        assert address, "the target did not start"
        return process, address

    yield run
    for process in started:
        process.kill()
        process.communicate()


def attack(process: subprocess.Popen, address: str) -> dict[str, str]:
    told = subprocess.run(
        [sys.executable, "-c", ATTACKER, str(process.pid), address], capture_output=True, text=True, check=True
    )
    return dict(line.split() for line in told.stdout.splitlines())


def test_another_process_of_the_user_reads_nothing_of_a_hardened_one(start) -> None:
    assert attack(*start("harden")) == {"memory": "refused", "environ": "refused", "attach": "refused"}


def test_without_hardening_the_same_reader_sees_the_environment(start) -> None:
    """The reader of the test above is able; Yama may forbid it memory and attach, never the environment."""
    assert attack(*start())["environ"] == "True"


def test_a_crash_of_a_hardened_process_leaves_no_dump(start, tmp_path: Path) -> None:
    process, _ = start("harden", "crash")
    process.communicate()
    assert process.returncode == -signal.SIGSEGV
    assert list(tmp_path.iterdir()) == []


def test_the_limit_cannot_be_raised_again(tmp_path: Path) -> None:
    script = (
        "import resource; from tusk_jupyter.system.hardening import harden; harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "(0, 0)"
