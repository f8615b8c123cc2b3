"""A real JupyterLab on a free port with folders of its own, and pages of it in a real headless Chromium."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from services.homes import TuskHome
from services.processes import MissingProgram

START_S = 90.0
WAIT_MS = 60_000
"""How long the page may take for anything; two loaded cores start a kernel in up to 20 s."""

KERNEL_READY = """async () => {
  const context = window.jupyterapp.shell.currentWidget?.sessionContext;
  await context?.ready;
  const kernel = context?.session?.kernel;
  await kernel?.info;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""

READABLE = """() => {
  const shown = document.querySelector('.jp-MainAreaWidget:not(.lm-mod-hidden), .jp-NotebookPanel:not(.lm-mod-hidden)');
  const grids = [...document.querySelectorAll('regular-table')].map(grid =>
    `${grid.querySelectorAll('tbody tr').length} rows in ${grid.clientWidth} x ${grid.clientHeight} px`);
  return [(shown ?? document.body).innerText.slice(0, 4000), ...grids].join('\\n');
}"""

STARTS_LAB = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyterlab.labapp import main; main()"
"""`python -m jupyterlab` without a grammar that jsonschema builds for two seconds as it is imported, for a check of IRIs."""

SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    notebooks: Path
    log: Path

    def write(self, name: str, *cells: str) -> Path:
        """Put a notebook with these code cells into its folder."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        for cell in notebook.cells:
            cell.id = str(
                secrets.randbelow(90_000_000) + 10_000_000
            )  # as some of nbformat's, which are no execution counts
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.notebooks / name
        nbformat.write(notebook, path)
        return path

    def get(self, path: str) -> Any:
        """Return the JSON of one of the server's own routes."""
        request = urllib.request.Request(f"{self.url}{path}", headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running(home: TuskHome, folder: Path, **environment: str) -> Iterator[Lab]:
    """Run JupyterLab with `TUSK_HOME` at `home` and everything else of Jupyter in `folder`.

    Raises:
        RuntimeError: it does not start; with its log.
    """
    notebooks, token = folder / "notebooks", secrets.token_hex(16)
    for name in ("notebooks", "config", "data", "runtime", "settings", "workspaces", "ipython"):
        (folder / name).mkdir()
    _write_settings(folder)
    port, log = _free_port(), folder / "lab.log"
    command = [
        sys.executable, "-c", STARTS_LAB, "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}",
        f"--LabApp.user_settings_dir={folder / 'settings'}", f"--LabApp.workspaces_dir={folder / 'workspaces'}",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    place = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "IPYTHONDIR": str(folder / "ipython"),
        "HOME": str(folder),  # as most users have it: what Jupyter tells a page of its folder is then `~/notebooks`
    }  # fmt: skip
    with log.open("w") as words:
        process = subprocess.Popen(
            command, cwd=notebooks, env=home.environment(**{**environment, **place}), stdout=words, stderr=words,
            start_new_session=True,
        )  # fmt: skip
    lab = Lab(f"http://127.0.0.1:{port}", token, notebooks, log)
    try:
        _await(lab, process)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _write_settings(folder: Path) -> None:
    """No question about news; none of another project's extensions that the same environment may hold for benchmarks."""
    news = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    pages = folder / "config" / "labconfig" / "page_config.json"
    pages.parent.mkdir()
    pages.write_text(json.dumps({"disabledExtensions": {"jupysql-plugin": True}}))


def _await(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            lab.get("/api/status")
            return
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start; its log:\n{lab.log.read_text()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium.

    Raises:
        MissingProgram: it is not installed.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise MissingProgram("Chromium is not installed: `make test` does that.")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """One window with JupyterLab in it. Screenshots go to `pictures`, each with its number and name."""

    lab: Lab
    page: Page
    pictures: Path
    received: list[str] = field(default_factory=list)
    """The text of everything that the browser was sent."""
    dialogs: list[str] = field(default_factory=list)
    """What scripts in the page said by `alert`; nothing of ours does."""

    @classmethod
    def open(cls, lab: Lab, browser: Browser, pictures: Path, path: str = "", workspace: str = "test") -> Window:
        """Open JupyterLab, with a notebook if `path` names one."""
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(WAIT_MS)
        window = cls(lab, page, pictures)
        page.on("response", window._note_response)
        page.on("websocket", lambda socket: socket.on("framereceived", window._note_frame))
        page.on("dialog", lambda dialog: (window.dialogs.append(dialog.message), dialog.dismiss()))
        tree = f"/tree/{path}" if path else ""
        page.goto(f"{lab.url}/lab/workspaces/{workspace}{tree}?reset&token={lab.token}")
        page.locator("#jp-main-dock-panel").wait_for()
        if path:
            page.locator(".jp-Notebook:visible .jp-CodeCell").first.wait_for()
            page.wait_for_function(KERNEL_READY)  # the indicator shows `idle` earlier; a cell run then is lost
        return window

    @classmethod
    def open_notebook7(cls, lab: Lab, browser: Browser, pictures: Path, path: str) -> Window:
        """Open a notebook in Notebook 7, which the same server serves."""
        page = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
        page.set_default_timeout(WAIT_MS)
        window = cls(lab, page, pictures)
        page.on("dialog", lambda dialog: (window.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(f"{lab.url}/notebooks/{path}?token={lab.token}")
        page.locator(".jp-Notebook:visible .jp-CodeCell").first.wait_for()
        page.wait_for_function(KERNEL_READY)
        return window

    def picture(self, name: str) -> None:
        """Keep what is to be seen now."""
        self.page.screenshot(path=self.pictures / f"{name}.png")

    def text(self) -> str:
        """Return what is to be read now, and how many rows each grid has drawn."""
        with contextlib.suppress(Error):
            return str(self.page.evaluate(READABLE))
        return "the page does not answer"

    def command(self, name: str) -> None:
        """Run a command of Lab's by its id."""
        self.page.evaluate("name => { void window.jupyterapp.commands.execute(name); }", name)

    def cell(self, number: int) -> Locator:
        """The notebook's cell, counted from 0."""
        return self.page.locator(".jp-Notebook:visible .jp-Cell").nth(number)

    def run_cell(self, number: int) -> Locator:
        """Run a cell and wait for its end; return its outputs."""
        cell = self.cell(number)
        before = cell.locator(".jp-InputPrompt").first.inner_text()
        self.start_cell(number)
        prompt = cell.locator(".jp-InputPrompt").first
        deadline = time.monotonic() + WAIT_MS / 1000
        while (now := prompt.inner_text()) == before or not re.search(r"\[\d+\]", now):
            if time.monotonic() > deadline:
                raise AssertionError(f"cell {number} did not end: {now}")
            self.page.wait_for_timeout(50)
        return cell.locator(".jp-Cell-outputArea")

    def start_cell(self, number: int) -> None:
        """Run a cell and go on."""
        self.cell(number).locator(".cm-content").first.click()
        self.command("notebook:run-cell")

    def save(self) -> str:
        """Save the notebook of this window and return the file's text."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        return "\n".join(path.read_text() for path in self.lab.notebooks.glob("*.ipynb"))

    def _note_response(self, response: Any) -> None:
        with contextlib.suppress(Error):
            kind = response.headers.get("content-type", "")
            if "/tusk/" in response.url or "/api/" in response.url or "json" in kind:
                self.received.append(f"{response.url}\n{response.text()}")

    def _note_frame(self, frame: str | bytes) -> None:
        self.received.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))
