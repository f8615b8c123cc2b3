"""Ctrl-C in the first second of a fresh kernel: no import is left half done, none hangs, no session is lost."""

from __future__ import annotations

import queue
import random
import signal
import sys
import threading
import time

import pytest
from jupyter_client import KernelManager
from services import wait_until

import tusk_jupyter as tusk
from tusk_jupyter.system.whole_imports import whole_imports

PATIENCE_S = 90
DROPPED_S = 15
FIRST_CELLS = (
    "%load_ext tusk_jupyter",
    "%sql lake SELECT range AS n, 1.5::DECIMAL(9, 2) AS d FROM range(100)",
    "%tusk connections",
    "import tusk_jupyter as tusk; tusk.query('SELECT 2 AS n', connection='lake')",
    "import pandas, pyarrow",
)
CHECK = """
%load_ext tusk_jupyter
frame = get_ipython().run_cell_magic('sql', 'lake', 'SELECT 1 AS n, 1.5::DECIMAL(9, 2) AS d')
import pandas, pyarrow, pyarrow.flight
assert frame.n.tolist() == [1], frame
print('whole', frame.shape, pandas.DataFrame({'a': [1]}).shape)
"""


class FreshKernel:
    """A kernel without anything of ours yet."""

    def __init__(self, folder):
        self._stacks = folder / "stacks"
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_S)
        self.run(
            f"import faulthandler, signal\nfaulthandler.register(signal.SIGUSR1, file=open({str(self._stacks)!r}, 'w'))"
        )

    def run(self, code, *, interrupt_after_s=None):
        """Run a cell and return what it printed and the last line of its error.

        A kernel drops a cell, and never says that it is idle, where an interrupt hits its own loop (20 of 1,500 without us):
        that it goes on to the next one is what tells this from a cell that hangs.
        """
        message = self.client.execute(code)
        awaited = {message}
        timer = threading.Timer(interrupt_after_s or 0.0, self._interrupt)
        if interrupt_after_s is not None:
            timer.start()
        out, error, began = "", "", time.monotonic()
        while time.monotonic() < began + PATIENCE_S:
            try:
                got = self.client.get_iopub_msg(timeout=1.0)
            except queue.Empty:
                ended = self.manager.provisioner.process.poll()
                assert ended is None, f"{code!r} ended the kernel with exit code {ended}"
                if interrupt_after_s is not None and len(awaited) == 1 and time.monotonic() > began + DROPPED_S:
                    awaited.add(self.client.execute("pass"))
                continue
            if got["parent_header"].get("msg_id") not in awaited:
                continue
            content = got["content"]
            if got["msg_type"] == "status" and content["execution_state"] == "idle":
                if interrupt_after_s is not None:
                    timer.join()  # one that comes when all is done is ignored by the kernel
                return out, error
            out += content["text"] if got["msg_type"] == "stream" else ""
            error = "\n".join(content["traceback"]) if got["msg_type"] == "error" else error
        self.manager.provisioner.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "most recent call first" in self._stacks.read_text(), 20.0, "the kernel's stacks")
        raise AssertionError(f"{code!r} hangs at\n{self._stacks.read_text()}")

    def _interrupt(self):
        self.manager.provisioner.process.send_signal(signal.SIGINT)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def lake(module_home, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"), replace=True)
    tusk.query("SELECT 1", connection="lake")


def interrupts(kernels, seed, folder):
    """Interrupt the first cells of so many fresh kernels, each at a random moment; return how many interrupts there were."""
    moments = random.Random(seed)
    sent = 0
    for _ in range(kernels):
        kernel = FreshKernel(folder)
        try:
            for cell in FIRST_CELLS:
                kernel.run(cell, interrupt_after_s=moments.uniform(0, 0.7))
                sent += 1
                if (
                    "load_ext" in cell
                ):  # where it was broken off, nothing of ours is there yet that would guard an import
                    kernel.run(cell)
            out, error = kernel.run(CHECK)
            if not out + error or any(word in error for word in ("KeyboardInterrupt", "Interrupted", "Cancelled")):
                out, error = kernel.run(
                    CHECK
                )  # the last interrupt came late, or hit the kernel's own loop, which drops the cell
            assert "whole (1, 2)" in out, (seed, error)
            wait_until(lambda: not tusk.running(), 30.0, "nothing was left running")
        finally:
            kernel.close()
    return sent


def test_interrupts_in_the_first_seconds_leave_a_kernel_whole(lake, tmp_path):  # R20
    assert interrupts(3, seed=20, folder=tmp_path) == 15


@pytest.mark.soak
def test_a_thousand_interrupts_in_the_first_seconds_leave_kernels_whole(lake, tmp_path):  # R20
    assert interrupts(200, seed=time.time_ns(), folder=tmp_path) == 1000


# --- the protection by itself --------------------------------------------------------------------------------------------


@pytest.fixture
def slow_module(tmp_path, monkeypatch):
    """A module whose import waits until it is told to go on, and notes whether it came to its end."""
    (tmp_path / "slow_to_import.py").write_text(
        "import builtins\nbuiltins.slow_import.hit()\nfor _ in range(1000): pass\nWHOLE = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "slow_to_import"
    sys.modules.pop("slow_to_import", None)


class Hit:
    def hit(self):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def hit(monkeypatch):
    monkeypatch.setattr("builtins.slow_import", Hit(), raising=False)


def test_an_interrupt_within_an_import_comes_when_that_is_done(slow_module, hit):
    with pytest.raises(KeyboardInterrupt), whole_imports():
        import slow_to_import  # noqa: F401
    assert sys.modules[slow_module].WHOLE


def test_an_interrupt_outside_of_imports_comes_at_once():
    after, before = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), whole_imports():
        signal.raise_signal(signal.SIGINT)
        after.append("went on")
    assert after == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_block_that_is_itself_within_an_import_can_be_interrupted(tmp_path, monkeypatch):
    """As a script is that somebody imports."""
    (tmp_path / "a_script.py").write_text(
        "import signal\nfrom tusk_jupyter.system.whole_imports import whole_imports\n"
        "with whole_imports():\n    signal.raise_signal(signal.SIGINT)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        import a_script  # noqa: F401


def test_other_threads_change_no_handler():
    seen, before = [], signal.getsignal(signal.SIGINT)

    def work():
        with whole_imports():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_of_a_users_own_imports_only_those_that_cannot_be_repeated_wait(slow_module, hit):
    with pytest.raises(KeyboardInterrupt), whole_imports(frozenset({"another"})):
        import slow_to_import
    assert slow_module not in sys.modules
    with pytest.raises(KeyboardInterrupt), whole_imports(frozenset({slow_module})):
        import slow_to_import  # noqa: F401
    assert sys.modules[slow_module].WHOLE
