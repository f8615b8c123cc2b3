"""A real kernel with the extension loaded, on a real core."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client import KernelManager
from services.homes import TuskHome
from services.waiting import wait_until

PATIENCE_S = 60
TYPES = "_jupyter_types_experimental"


class Kernel:
    """A kernel that is asked as a frontend asks; `|` in a text is the cursor."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_S)

    def run(self, code: str) -> str:
        """Run a cell that must not fail and return what it printed and displayed."""
        message = self.client.execute(code)
        out, deadline = "", time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                got = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "stream":
                out += content["text"]
            elif kind in ("execute_result", "display_data"):
                out += content["data"].get("text/plain", "")
            elif kind == "status" and content["execution_state"] == "idle":
                reply = self._answer(message)
                assert reply["status"] == "ok", reply
                return out + "".join(part["data"]["text/plain"] for part in reply.get("payload", []) if "data" in part)
        raise AssertionError(f"the cell did not end: {code}")

    def _answer(self, message: str) -> dict[str, Any]:
        """Return the reply to a message; `wait_for_ready` may have left some of its own."""
        while True:
            got = self.client.get_shell_msg(timeout=PATIENCE_S)
            if got["parent_header"].get("msg_id") == message:
                return got["content"]

    def reply(self, text: str) -> dict[str, Any]:
        """Complete at the cursor and return the reply."""
        code, cursor = text.replace("|", "", 1), text.index("|")
        reply = self._answer(self.client.complete(code, cursor))
        assert reply["status"] == "ok"
        return reply

    def complete(self, text: str) -> list[str]:
        return self.reply(text)["matches"]

    def kinds(self, text: str) -> dict[str, str]:
        return {item["text"]: item["type"] for item in self.reply(text)["metadata"][TYPES]}

    def inspect(self, text: str) -> dict[str, str]:
        """Inspect at the cursor; {} when nothing was found."""
        reply = self._answer(self.client.inspect(text.replace("|", "", 1), text.index("|")))
        assert reply["status"] == "ok"
        return reply["data"] if reply["found"] else {}

    def eventually(self, text: str, wanted: str) -> list[str]:
        """Complete again and again, as a user who types on, until a name is there."""
        return wait_until(
            lambda: (found := self.complete(text)) and wanted in found and found, PATIENCE_S, f"{wanted} at {text}"
        )


@pytest.fixture(scope="module")
def home(module_home: TuskHome) -> TuskHome:
    """The home of a module's tests."""
    return module_home


@pytest.fixture(scope="module")
def kernel(home: TuskHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("notebook"))
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
        running = Kernel(manager)
        try:
            running.run("%load_ext tusk_jupyter")
            yield running
        finally:
            running.client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
