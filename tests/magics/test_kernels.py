"""Real kernels over the Jupyter protocol: interrupt, progress, prompts, and notebooks that nobody watches."""

from __future__ import annotations

import queue
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import tusk_jupyter as tusk

LONG = "SELECT sum(a.i * b.i) AS s FROM range(10000000) a(i), range(10000000) b(i)"
QUIET = ["--IPKernelApp.log_level=ERROR"]
PATIENCE_S = 60

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Reply:
    """Everything a cell sent back."""

    status: str = ""
    out: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    displays: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def traceback(self) -> str:
        return ANSI.sub("", "\n".join(self.error.get("traceback", [])))


class Kernel:
    """A kernel with the extension loaded."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_S)

    def run(self, code: str, *, watched: bool = True, answer: str | None = None, interrupt_when=None) -> Reply:
        """Run a cell; `interrupt_when` is asked after each message, and by the clock."""
        message = self.client.execute(code, allow_stdin=watched)
        reply, sent = Reply(), False
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if answer is not None:
                self._answer(answer)
            if interrupt_when is not None and not sent and interrupt_when(reply):
                sent = True
                self.manager.interrupt_kernel()
            try:
                got = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            if got["parent_header"].get("msg_id") != message:
                continue
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                answer_to = self.client.get_shell_msg(timeout=PATIENCE_S)
                while answer_to["parent_header"].get("msg_id") != message:  # `wait_for_ready` may have left replies
                    answer_to = self.client.get_shell_msg(timeout=PATIENCE_S)
                reply.status = answer_to["content"]["status"]
                return reply
            self._take(reply, got["msg_type"], got["content"])
        raise AssertionError(f"the cell did not end: {reply}")

    def _answer(self, text: str) -> None:
        try:
            asked = self.client.get_stdin_msg(timeout=0.05)
        except queue.Empty:
            return
        assert asked["content"]["password"]
        self.client.input(text)

    @staticmethod
    def _take(reply: Reply, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            reply.out += content["text"]
        elif kind == "error":
            reply.error = content
        elif kind in ("display_data", "execute_result"):
            reply.displays.append(content["data"])
        elif kind == "update_display_data":
            reply.updates.append(content["data"])


@contextmanager
def kernel() -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(extra_arguments=QUIET)
    running = Kernel(manager)
    try:
        assert running.run("%load_ext tusk_jupyter").status == "ok"
        yield running
    finally:
        running.client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture(scope="module")
def notebook(module_home, tmp_path_factory) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("kernel"))
        patch.setenv("JPY_SESSION_NAME", "/home/ann/late flights.ipynb")
        with kernel() as running:
            assert running.run("%tusk connect lake lake.duckdb").status == "ok"
            yield running


@pytest.fixture
def sleepy(notebook, postgresql):
    """A connection to a database that takes as long as it is told; the current one stays what it was."""
    tusk.connect("sleepy", postgresql.url, tier="memory", replace=True)
    yield
    notebook.run("%tusk disconnect sleepy")  # or the next one of that name would be refused once
    notebook.run("%tusk remove sleepy --yes")
    notebook.run("%tusk use lake")


# interrupt cancels on the server, the next cell works on the same session (TK-30)
def test_an_interrupt_stops_the_run_and_leaves_the_session(notebook):
    notebook.run("%sql lake CREATE TEMP TABLE kept AS SELECT 42 AS a")
    begun = time.monotonic()
    reply = notebook.run(f"%sql {LONG}", interrupt_when=lambda _: time.monotonic() > begun + 1 and tusk.running())
    assert reply.status == "error"
    assert reply.error["ename"] == "Cancelled"
    assert "Cancelled after" in reply.traceback
    assert "Traceback" not in reply.traceback
    assert not tusk.running()
    assert tusk.log(limit=1).entries[0].status == "cancelled"
    assert "42" in notebook.run("%sql SELECT * FROM kept").displays[0]["text/plain"]


# rows, seconds, how to stop
def test_a_long_run_shows_a_line_that_the_footer_replaces(notebook, sleepy):
    reply = notebook.run("%sql sleepy SELECT 1 AS a, pg_sleep(2)")
    assert reply.status == "ok", reply
    line = reply.displays[0]["text/plain"]
    assert "running on sleepy" in line
    assert "interrupt the kernel (■, or I I) to stop" in line
    assert reply.updates[-1]["text/plain"].startswith("1 row")
    assert not reply.out


def test_in_a_console_the_line_names_the_key_of_a_terminal(notebook, sleepy, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME")
    with kernel() as console:
        reply = console.run("%sql sleepy SELECT pg_sleep(600)", interrupt_when=lambda so_far: so_far.displays)
    line = reply.displays[0]["text/plain"]
    assert "interrupt the kernel (Ctrl-C, or ■) to stop" in line


def test_an_interrupted_run_clears_its_line(notebook):
    reply = notebook.run(f"%sql {LONG}", interrupt_when=lambda so_far: so_far.displays)
    assert reply.error["ename"] == "Cancelled"
    assert reply.updates[-1]["text/plain"] == ""


def test_nothing_is_shown_while_nobody_looks(notebook, sleepy):
    reply = notebook.run("%sql sleepy SELECT 1 AS a, pg_sleep(2)", watched=False)
    assert len(reply.displays) == 1  # the value
    assert not reply.updates
    assert "1 row · 2 columns" in reply.out


def test_a_run_is_logged_with_the_notebook_s_path(notebook):
    notebook.run("%sql SELECT 'from where' AS a")
    entry = tusk.log(text="from where", limit=1).entries[0]
    assert entry.source == "/home/ann/late flights.ipynb"
    assert entry.cell


# QB-37: getpass in the kernel, through the frontend
def test_a_password_is_asked_for_in_the_frontend_and_is_nowhere_else(notebook, module_home):
    secret = "Eichhorn-4711"
    cell = "%tusk connect asked mysql://ann@127.0.0.1:1/x --no-test"
    reply = notebook.run(cell, answer=secret)
    assert reply.status == "ok", reply
    assert "password in: vault" in reply.out
    assert secret not in repr(reply)
    state = notebook.run("repr(dict(globals())), get_ipython().history_manager.input_hist_raw").displays
    assert secret not in repr(state)
    found = [path for path in module_home.path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert not found
    notebook.run("%tusk remove asked --yes")


def test_a_password_is_asked_for_when_the_server_wants_one_and_not_again(notebook, postgresql):
    cell = f"%tusk connect warehouse {postgresql.url_without_password}"
    refused = notebook.run(cell, watched=False)
    assert "--password-env" in refused.traceback
    asked = notebook.run(cell, answer=postgresql.password)
    assert "password in: vault" in asked.out, asked
    assert notebook.run("%sql warehouse SELECT 1 AS a").status == "ok"
    again = notebook.run(f"{cell} --replace --timeout 60", watched=False)
    assert "password in: vault" in again.out, again
    assert notebook.run("%sql warehouse SELECT 1 AS a").status == "ok"


def test_a_stored_password_goes_to_no_other_host_or_user(notebook, postgresql):
    url = postgresql.url_without_password.replace("@127.0.0.1", "@localhost")
    assert url != postgresql.url_without_password
    elsewhere = notebook.run(f"%tusk connect warehouse {url} --replace", watched=False)
    assert elsewhere.status == "error"
    assert "--password-env" in elsewhere.traceback
    assert notebook.run("%sql warehouse SELECT 1 AS a").status == "ok"
    notebook.run("%tusk remove warehouse --yes")


def test_where_nobody_can_answer_no_question_is_asked(notebook):
    reply = notebook.run("%tusk remove lake", watched=False)
    assert reply.status == "error"
    assert "--yes" in reply.traceback
    reply = notebook.run("%tusk credentials set lake", watched=False)
    assert "--password-env" in reply.traceback


# listings are escaped
def test_a_listing_is_a_table_that_no_text_can_break_out_of(notebook):
    frame = notebook.run("%sql lake SELECT '<script>alert(1)</script>' AS \"<img src=x>\"").displays[0]["text/html"]
    assert "<script>" not in frame
    assert "<img" not in frame
    page = notebook.run("%tusk log -n 1").displays[0]
    assert "<script>" not in page["text/html"]
    assert "&lt;script&gt;" in page["text/html"]
    assert "<script>" in page["text/plain"]


# B-13: load_ext imports no data library
def test_loading_the_extension_imports_no_data_library(module_home):
    with kernel() as fresh:
        heavy = ["pandas", "pyarrow", "duckdb", "sqlalchemy", "polars", "numpy", "jinja2", "rich", "click"]
        code = f"import sys; [name for name in {heavy} if name in sys.modules]"
        assert fresh.run(code).displays[0]["text/plain"] == "[]"


def test_unloading_takes_the_magics_out(module_home):
    with kernel() as fresh:
        fresh.run("%unload_ext tusk_jupyter")
        assert "not found" in fresh.run("%sql SELECT 1").out + fresh.run("%tusk").out
        assert fresh.run("%load_ext tusk_jupyter\n%tusk connections").status == "ok"


# DESIGN section 7: under nbclient the cell fails
def test_a_failing_cell_stops_a_headless_notebook(notebook, tmp_path):
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext tusk_jupyter"),
            nbformat.v4.new_code_cell("%%sql lake\nSELECT nope"),
            nbformat.v4.new_code_cell("print('not reached')"),
        ]
    )
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(book, timeout=PATIENCE_S, extra_arguments=QUIET).execute()
    assert "Query error" in str(caught.value)
    assert book.cells[2].execution_count is None
    assert "Traceback" not in "\n".join(book.cells[1].outputs[-1]["traceback"])


def test_a_kernel_that_is_killed_leaves_a_finished_log_row(module_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with kernel() as doomed:
        doomed.run("%tusk connect brief brief.duckdb")
        doomed.client.execute(f"%sql brief {LONG}")
        wait_for(lambda: tusk.running())
        doomed.manager.provisioner.process.send_signal(signal.SIGKILL)
        wait_for(lambda: not tusk.running())
    assert tusk.log(connection="brief", limit=1).entries[0].status in ("cancelled", "interrupted", "failed")


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
