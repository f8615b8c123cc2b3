"""A core with the scripted driver: no database, so that what a driver does wrong can be had at will."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from services import TuskHome, wait_until

from tusk_jupyter.client import Client, RunResult
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.values import pack
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system.places import Places

SCRIPTED = Path(__file__).parent.parent / "scripted_driver" / "__main__.py"


@pytest.fixture
def scripted_home(tusk_home: TuskHome) -> TuskHome:
    """A home in which the scripted driver is installed the way a user's own driver is."""
    return install_scripted(tusk_home)


@pytest.fixture(scope="module")
def notebook(module_home: TuskHome) -> Iterator[Client]:
    """One client of one core for all tests of a module, with the connection `s` to the scripted driver."""
    client = Client(Places(Path(str(install_scripted(module_home)))), source="notebook.ipynb")
    connect(client, "s")
    yield client
    client.link.forget()


def install_scripted(home: TuskHome) -> TuskHome:
    (home / "drivers").mkdir(exist_ok=True)
    manifest = {"name": "scripted", "command": [sys.executable, str(SCRIPTED)]}
    (home / "drivers" / "scripted.json").write_text(json.dumps(manifest))
    return home


@pytest.fixture
def new_client(scripted_home: TuskHome) -> Iterator[Callable[..., Client]]:
    """Makes client sessions as separate notebooks would have them."""
    made: list[Client] = []

    def make(**more: bool) -> Client:
        made.append(Client(Places(Path(str(scripted_home))), source=f"notebook-{len(made)}.ipynb", **more))
        return made[-1]

    yield make
    for client in made:
        client.link.forget()


@pytest.fixture
def client(new_client: Callable[[], Client]) -> Client:
    """A client with the connection `s` to the scripted driver, whose process its first run starts."""
    client = new_client()
    connect(client, "s", test=False)  # a test would take half a second of a processor, for a process of its own
    return client


def connect(client: Client, name: str, url: str = "scripted://host/db", **more: object) -> control.ConnectionSaved:
    return client.call(control.SaveConnection(session=client.session, name=name, url=url, **more))


def run(client: Client, sql: str, *, on: str | None = None, **more: object) -> RunResult:
    parameters = {name: pack(value) for name, value in more.pop("parameters", {}).items()}
    return client.run(control.RunRequest(session="", connection=on, sql=sql, parameters=parameters, **more))


def log(client: Client, **more: object) -> list[control.LogEntry]:
    return list(client.call(control.ReadLog(limit=1000, **more)).entries)


def status(client: Client) -> control.CoreStatus:
    return client.call(control.GetCoreStatus(client_version="test", protocol=PROTOCOL_VERSION))


def await_running(client: Client) -> control.RunState:
    """Wait until a run is under way and fetched by its client."""
    return wait_until(lambda: next(iter(client.call(control.ListRuns()).runs), None), 10.0, "a run is under way")


@pytest.fixture
def core() -> SimpleNamespace:
    """The helpers above, for tests: `core.run(client, sql)`, `core.log(client)`, ..."""
    return SimpleNamespace(connect=connect, run=run, log=log, status=status, await_running=await_running)
