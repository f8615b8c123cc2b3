"""The picker in a real browser and on a real core, without Jupyter between: its messages go through the test's hands."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import comm
import pytest
from ipywidgets import Widget
from playwright.sync_api import Browser, Locator, Page, expect
from services import TuskHome, wait_until
from services.lab import chromium

from tusk_widgets.page import STATIC
from tusk_widgets.picker import ConnectionPicker

HOST = """
async ([source, css]) => {
  const style = document.createElement('style');
  style.textContent = css;
  document.head.append(style);
  const widget = (await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))).default;
  const listeners = new Set();
  const model = {
    get: () => null, set() {}, save_changes() {},
    on: (name, listener) => listeners.add(listener), off: (name, listener) => listeners.delete(listener),
    send: (content, callbacks, buffers = []) =>
      window.kernelHear(JSON.stringify(content), buffers.map(one => btoa(String.fromCharCode(...one))))
  };
  const view = new AbortController();
  widget.render({ model, el: document.body, signal: view.signal });
  window.closeView = () => view.abort();
  const listen = async () => {
    for (const said of await window.kernelSay()) listeners.forEach(listener => listener(JSON.parse(said), []));
    setTimeout(listen, 20);
  };
  listen();
}
"""


class RecordingComm(comm.base_comm.BaseComm):
    """A comm that keeps what it is given."""

    said: list[dict[str, Any]]

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        type(self).said.append({"type": msg_type, "data": data, "buffers": buffers or []})


class Shown:
    """A displayed picker."""

    def __init__(self, page: Page, picker: ConnectionPicker, said: list[dict[str, Any]]) -> None:
        self.page, self.picker, self.said = page, picker, said
        self.heard: list[str] = []
        """The text of every message of the page, which is all that is ever logged of it."""
        self.buffers: list[bytes] = []
        self.says_answers_first = False
        """Whether an answer overtakes the list that is sent along with it."""
        self._told = 0
        page.expose_function("kernelHear", self._hear)
        page.expose_function("kernelSay", self._say)
        page.evaluate(HOST, [(STATIC / name).read_text(encoding="utf-8") for name in ("picker.js", "picker.css")])

    def _hear(self, content: str, buffers: list[str]) -> None:
        raw = [base64.b64decode(one) for one in buffers]
        self.heard.append(content)
        self.buffers += raw
        data = {"method": "custom", "content": json.loads(content)}
        self.picker._handle_msg({"content": {"data": data}, "buffers": raw})

    def repeat(self, content: str) -> None:
        """Send the kernel a message of the page again."""
        self._hear(content, [])

    def answers(self) -> list[dict[str, Any]]:
        """What the kernel has answered so far, oldest first."""
        said = [one["data"].get("content", {}) for one in self.said if one["type"] == "comm_msg"]
        return [one for one in said if "re" in one]

    def _say(self) -> list[str]:
        fresh, self._told = self.said[self._told :], len(self.said)
        messages = [one["data"] for one in fresh if one["type"] == "comm_msg"]
        said = [one["content"] for one in messages if one.get("method") == "custom"]
        if self.says_answers_first:
            said.sort(key=lambda content: "re" not in content)
        return [json.dumps(content) for content in said]

    def find(self, what: str, **dataset: str) -> Locator:
        """The element with data-tusk=`what`, and further data attributes."""
        more = "".join(f'[data-{name}="{value}"]' for name, value in dataset.items())
        return self.page.locator(f"[data-tusk={what}]{more}")

    def option(self, name: str) -> Locator:
        return self.page.locator(f"[role=option][data-name={name}]")

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[data-field={name}]")

    def source(self, name: str) -> Locator:
        return self.page.locator(f"[data-secret={name}] [data-tusk=source]")

    def menu(self, name: str, item: str) -> None:
        self.find("actions", name=name).click()
        self.find(f"menu-{item}").click()

    def add(self, driver: str) -> None:
        self.find("add").click()
        self.find("driver", driver=driver).click()

    def fill(self, **values: object) -> None:
        for name, value in values.items():
            self.field(name).fill(str(value))

    def test(self) -> dict[str, str]:
        """Press Test and return the mark of each step."""
        self.find("test").click()
        outcome = self.find("result").locator("[data-tusk=outcome], [data-tusk=trouble]").first
        expect(outcome).to_be_visible(timeout=30_000)
        return self.steps()

    def steps(self) -> dict[str, str]:
        found = self.page.locator(".tusk-step").all()
        return {str(one.get_attribute("data-stage")): str(one.get_attribute("data-mark")) for one in found}

    def save(self) -> None:
        """Press Add or Save and wait for the list."""
        self.find("save").click()
        expect(self.find("connections")).to_be_visible(timeout=30_000)

    def names(self) -> list[str]:
        return [str(one.get_attribute("data-name")) for one in self.page.locator("[role=option]").all()]

    def ids(self) -> list[str]:
        return [str(one.get_attribute("id")) for one in self.page.locator("[role=option]").all()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module."""
    with chromium() as found:
        yield found


@pytest.fixture
def show(
    browser: Browser, tusk_home: TuskHome, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> Iterator[Callable[[], Shown]]:
    """Shows a picker of a private home, whose secrets go into a sealed vault."""
    monkeypatch.setenv("TUSK_MASTER_KEY", "5e" * 32)
    monkeypatch.setattr("tusk_jupyter.client.client._current", None)  # what it chose in another test
    monkeypatch.chdir(tmp_path)
    kind = type("Comm", (RecordingComm,), {"said": []})
    monkeypatch.setattr(comm, "create_comm", kind)
    pages: list[Shown] = []

    def make() -> Shown:
        page = browser.new_page()
        page.set_default_timeout(20_000)
        pages.append(Shown(page, ConnectionPicker(), kind.said))
        expect(pages[-1].find("connections")).to_be_visible()
        return pages[-1]

    yield make
    for shown in pages:
        shown.page.close()
        shown.picker.close()
    Widget.close_all()
    wait_until(lambda: not _answers(), what="the last answers")  # one of them would start a core behind the home's end


def _answers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "tusk-pick"]
