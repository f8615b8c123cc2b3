"""A real Jupyter Server with a real core."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from security.canary import Canary
from services.homes import TuskHome, make_home
from services.processes import free_port
from services.waiting import wait_until

import tusk_widgets.server
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.system.places import Places

TOKEN = "t0ken-of-the-tests"
BASE = "/user/jo.e/"
HERE = Path(__file__).parent


@dataclass
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        assert self.status >= 400, (self.status, self.body)
        return self.json["error"]


@dataclass
class Jupyter:
    """A running Jupyter Server."""

    port: int
    folder: Path
    home: TuskHome
    environ: dict[str, str]
    process: subprocess.Popen[bytes]
    client: Client
    """A notebook of the same user."""

    def ask(
        self, method: str, path: str, body: Any = None, /, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """Ask with the token."""
        return self.plainly(method, path, body, headers={"Authorization": f"token {TOKEN}", **(headers or {})}, **query)

    def plainly(
        self, method: str, path: str, body: Any = None, /, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """Ask without the token."""
        url = f"{BASE}tusk/{path}" + (f"?{urlencode(query)}" if query else "")
        with self.opened(method, url, body, headers) as response:
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read(), found)

    def link(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    @contextmanager
    def opened(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Iterator[HTTPResponse]:
        """Ask, and leave the reading of the answer to the caller; then hang up."""
        link = self.link()
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            link.request(method, url, body=raw, headers=headers or {})
            with link.getresponse() as response:
                yield response
        finally:
            link.close()

    def get(self, path: str, /, **query: Any) -> Any:
        """Return the JSON of an answer that must be good."""
        answer = self.ask("GET", path, **query)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json

    def do(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json

    @property
    def log(self) -> bytes:
        return (self.folder / "jupyter.log").read_bytes()

    def run(self, sql: str, connection: str, **more: Any) -> Any:
        return self.client.run(control.RunRequest(session="", connection=connection, sql=sql, **more))


@contextmanager
def running(folder: Path, canary: Canary) -> Iterator[Jupyter]:
    """Run a Jupyter Server on which the extension is enabled by the file that the wheel ships, with two databases."""
    home = make_home()
    environ = _environment(folder, home, canary)
    _configure(folder)
    port = free_port()
    with (folder / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(
            _command(port, folder), env=environ, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
    client = Client(Places(home.path), source="analysis.ipynb")
    jupyter = Jupyter(port, folder, home, environ, process, client)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TUSK_HOME", "TUSK_MASTER_KEY", "DBUS_SESSION_BUS_ADDRESS"):
            patch.setenv(name, environ[name])
        try:
            wait_until(lambda: (folder / "handlers.json").exists() or process.poll() is not None, 60.0, "Jupyter is up")
            wait_until(lambda: _answers(jupyter), 30.0, "Jupyter answers")
            for name, file in (("lake", "lake.duckdb"), ("shop", "shop.sqlite")):
                jupyter.do("POST", "connections", {"name": name, "url": file})
            yield jupyter
        finally:
            process.terminate()
            process.wait(20)
            home.close()


def _answers(jupyter: Jupyter) -> bool:
    try:
        return jupyter.ask("GET", "changes").status == 200
    except OSError:
        return False


def _environment(folder: Path, home: TuskHome, canary: Canary) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PG", "MYSQL"))}
    return kept | {
        "TUSK_HOME": str(home),
        "TUSK_MASTER_KEY": "5e" * 32,
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home / 'no-bus'}",
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "TUSK_TEST_SERVER": str(folder),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")])),
        "PGHOST": "db.example.org",
        "PGUSER": "joe",
        "PGPASSWORD": canary.password,
    }


def _configure(folder: Path) -> None:
    enabled = folder / "config" / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    shutil.copy(Path(tusk_widgets.server.__file__).parent / "tusk_jupyter.json", enabled)
    (enabled / "served.json").write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"served": True}}}))


def _command(port: int, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}", f"--ServerApp.base_url={BASE}",
        "--ServerApp.authorizer_class=served.Switched", "--Application.log_level=DEBUG",
    ]  # fmt: skip
