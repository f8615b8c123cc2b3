"""Every route, as the running server has it registered: nobody without a token, without the authorizer's yes, across sites."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from http.cookies import SimpleCookie
from itertools import product
from pathlib import Path

import pytest
from server_process import BASE, TOKEN, Jupyter

from tusk_widgets.server.routes import ROUTES, pattern

WRITES = ("POST", "PUT", "DELETE")
EVERY = [(path, method) for path, answers in ROUTES.items() for method in answers]
NAMES = {"name": "lake", "run": "0123"}


def concrete(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: NAMES[found[1]], path)


@pytest.fixture(scope="module")
def cookies(jupyter: Jupyter) -> SimpleCookie:
    """What a browser has that has signed in."""
    found = SimpleCookie()
    for url in (f"{BASE}login", f"{BASE}api/contents?token={TOKEN}"):  # the page that sets the XSRF cookie; signed in
        with jupyter.opened("GET", url, headers={"Cookie": joined(found)}) as response:
            for header in response.headers.get_all("Set-Cookie") or ():
                found.load(header)
    assert "_xsrf" in found and any(name.startswith("username") for name in found)
    return found


def joined(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={one.coded_value}" for name, one in cookies.items())


def test_the_server_has_registered_the_routes_of_the_table_and_no_others(jupyter: Jupyter):
    registered = {one["pattern"].rstrip("$"): one for one in json.loads((jupyter.folder / "handlers.json").read_text())}
    assert set(registered) == {pattern(BASE, path) for path in ROUTES}
    assert {one["handler"] for one in registered.values()} == {"TuskHandler"}
    for path, answers in ROUTES.items():
        assert registered[pattern(BASE, path)]["methods"] == sorted(answers)


@pytest.mark.parametrize(("path", "method"), EVERY)
def test_without_a_token_nothing_is_answered(jupyter: Jupyter, path: str, method: str):
    for headers in ({}, {"Authorization": "token wrong"}):
        assert jupyter.plainly(method, concrete(path), {}, headers=headers).status == 403


@pytest.mark.parametrize(("path", "method"), EVERY)
def test_the_authorizer_can_refuse_every_route(jupyter: Jupyter, path: str, method: str):
    switch, asked = jupyter.folder / "deny", jupyter.folder / "asked.txt"
    switch.touch()
    asked.unlink(missing_ok=True)
    try:
        assert jupyter.ask(method, concrete(path), {}).status == 403
    finally:
        switch.unlink()
    assert asked.read_text().split() == ["read" if method == "GET" else "write"]


@pytest.mark.parametrize(("path", "method"), [one for one in EVERY if one[1] in WRITES])
def test_a_write_by_cookie_needs_the_xsrf_token(jupyter: Jupyter, cookies: SimpleCookie, path: str, method: str):
    asked = jupyter.folder / "asked.txt"
    asked.unlink(missing_ok=True)
    answer = jupyter.plainly(method, concrete(path), {}, headers={"Cookie": joined(cookies)})
    assert answer.status == 403
    assert b"_xsrf" in answer.body or b"XSRF" in answer.body
    assert not asked.exists()


def test_a_write_by_cookie_with_the_xsrf_token_is_answered(jupyter: Jupyter, cookies: SimpleCookie):
    headers = {"Cookie": joined(cookies), "X-XSRFToken": cookies["_xsrf"].value}
    answer = jupyter.plainly("POST", "format", {"sql": "select 1"}, headers=headers)
    assert (answer.status, answer.json) == (200, {"sql": "SELECT\n  1"})


def test_another_site_is_answered_nothing(jupyter: Jupyter, cookies: SimpleCookie):
    headers = {"Cookie": joined(cookies), "Origin": "https://evil.example"}
    assert jupyter.plainly("GET", "connections", headers=headers).status == 404


def test_a_method_that_a_route_does_not_have_is_refused(jupyter: Jupyter):
    for path, method in product(ROUTES, ("GET", *WRITES)):
        if method not in ROUTES[path]:
            assert jupyter.ask(method, concrete(path), {}).status == 405, (method, path)


def test_jupyter_lists_the_extension_as_enabled_and_good(jupyter: Jupyter):
    command = [sys.executable, "-m", "jupyter_server.extension.serverextension", "list"]
    listed = subprocess.run(command, env=jupyter.environ, capture_output=True, text=True, timeout=60, check=True)
    said = re.sub(r"\x1b\[[0-9;]*m", "", listed.stdout + listed.stderr)
    assert re.search(r"tusk_widgets\.server\s+enabled", said), said
    assert re.search(r"tusk_widgets\.server\s+(\S+ )?OK", said), said


def test_the_wheel_ships_the_file_that_enables_it():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [source] = [one for one, to in shared.items() if to == "etc/jupyter/jupyter_server_config.d/tusk_jupyter.json"]
    enabled = json.loads((Path(__file__).parents[2] / source).read_text())
    assert enabled == {"ServerApp": {"jpserver_extensions": {"tusk_widgets.server": True}}}
