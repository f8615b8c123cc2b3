"""The routes do what the panels need, on a real core."""

from __future__ import annotations

import json
import select
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from server_process import Jupyter
from services.waiting import wait_until

from tusk_widgets.server.access import SLOW
from tusk_widgets.server.notebooks import contents_path


@pytest.fixture(scope="module", autouse=True)
def tables(jupyter: Jupyter) -> None:
    for name in ("lake", "shop"):
        jupyter.run("CREATE TABLE flights (id INTEGER PRIMARY KEY, carrier VARCHAR(3) NOT NULL)", name)


def test_info_says_how_the_core_is(jupyter: Jupyter):
    assert jupyter.get("info")["home"] == str(jupyter.home)


def test_a_runs_notebook_is_found_in_the_servers_folder(jupyter: Jupyter):
    link = jupyter.folder / "link"
    link.symlink_to(jupyter.folder)
    found = {
        str(jupyter.folder / "deep" / "a b.ipynb"): "deep/a b.ipynb",
        str(link / "home.ipynb"): "link/home.ipynb",
        "deep/../home.ipynb": "home.ipynb",
        "../home.ipynb": None,
        f"{jupyter.folder}-other/home.ipynb": None,
        "/": None,
    }
    assert {source: jupyter.get("notebook", source=source)["path"] for source in found} == found


def test_a_folder_may_be_known_by_different_links(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for one, other in (("real", "link"), ("link", "real")):
        assert contents_path(str(tmp_path / one / "a.ipynb"), str(tmp_path / other)) == "a.ipynb"


def test_a_connection_is_added_shown_tested_copied_and_deleted(jupyter: Jupyter):
    added = jupyter.do("POST", "connections", {"name": "extra", "url": "extra.sqlite", "environment": "production"})
    assert added["connection"]["config"]["path"] == str(jupyter.folder / "extra.sqlite")
    details = jupyter.get("connections/extra")
    assert details["connection"]["environment"] == "production" and details["secret_fields"] == []
    assert jupyter.do("POST", "connections/extra/test")["ok"] is True
    copied = jupyter.do("POST", "connections/extra/duplicate", {"new_name": "extra.copy"})
    assert copied["connection"]["name"] == "extra.copy"
    assert {"extra", "extra.copy"} <= {one["name"] for one in jupyter.get("connections")["connections"]}
    for name in ("extra", "extra.copy"):
        assert jupyter.do("DELETE", f"connections/{name}")["name"] == name
    assert not {"extra", "extra.copy"} & {one["name"] for one in jupyter.get("connections")["connections"]}


def test_a_form_is_tried_without_being_stored(jupyter: Jupyter):
    form = {"driver": "postgresql", "config": {"host": "127.0.0.1", "port": 1, "user": "u", "database": "d"}}
    tried = jupyter.do("POST", "connections/try", form)
    assert (tried["ok"], tried["error"]["scenario"]) == (False, "refused")
    assert jupyter.do("POST", "connections/try", {"url": "lake.duckdb"})["ok"] is True


def test_a_connection_may_be_called_try(jupyter: Jupyter):
    jupyter.do("POST", "connections", {"name": "try", "url": "shop.sqlite"})
    assert jupyter.get("connections/try")["connection"]["driver"] == "sqlite"
    assert jupyter.do("DELETE", "connections/try")["name"] == "try"


def test_unknown_names_are_404_and_taken_ones_409(jupyter: Jupyter):
    for method, path in [
        ("GET", "connections/nobody"), ("POST", "connections/nobody/test"), ("DELETE", "connections/nobody"),
        ("GET", "tree?connection=nobody"), ("GET", "log/ffffffff"), ("POST", "runs/ffffffff/cancel"),
        ("DELETE", "queries/nothing"), ("PUT", "preferences/nothing"),
    ]:  # fmt: skip
        answer = jupyter.ask(method, path, {"value": "1"} if method == "PUT" else None)
        assert (path, answer.status, bool(answer.error["message"])) == (path, 404, True)
    assert jupyter.ask("POST", "connections", {"name": "lake", "url": "shop.sqlite"}).status == 409
    assert jupyter.ask("POST", "connections/lake/duplicate", {"new_name": "shop"}).status == 409
    jupyter.do("POST", "queries", {"name": "taken", "sql": "SELECT 1"})
    assert jupyter.ask("POST", "queries", {"name": "taken", "sql": "SELECT 2"}).status == 409


def test_drivers_tell_their_forms(jupyter: Jupyter):
    drivers = {one["name"]: one for one in jupyter.get("drivers")["drivers"]}
    assert drivers["postgresql"]["fields"]["properties"]["password"]["secret"] is True


@pytest.mark.parametrize("connection", ["lake", "shop"])
def test_the_tree_leads_from_a_connection_to_columns(jupyter: Jupyter, connection: str):
    path: list[str] = []
    for _ in range(4):
        nodes = jupyter.get("tree", connection=connection, path=json.dumps(path))["nodes"]
        names = [one["name"] for one in nodes]
        if "carrier" in names:
            break
        path.append("flights" if "flights" in names else "main" if "main" in names else names[0])
    assert names == ["id", "carrier"]
    described = jupyter.get("describe", connection=connection, path=json.dumps(path))["description"]
    assert [one["name"] for one in described["columns"]] == ["id", "carrier"]


def test_a_snapshot_is_sent_once(jupyter: Jupyter):
    first = jupyter.get("schema", connection="lake", wait_s=20)
    assert "flights" in json.dumps(first["snapshot"])
    again = jupyter.get("schema", connection="lake", known=first["stamp"])
    assert (again["stamp"], again["snapshot"]) == (first["stamp"], None)


def test_the_log_is_filtered_by_what_the_query_says(jupyter: Jupyter):
    jupyter.run("SELECT 'null' AS needle", "lake")
    wanted = {"text": "NULL' as needle", "status": "completed", "connection": "lake", "limit": 5}
    [entry] = wait_until(lambda: jupyter.get("log", **wanted)["entries"], 10.0, "the run's end is in the log")
    assert entry["sql"] == "SELECT 'null' AS needle" and entry["source"] == "analysis.ipynb"
    assert jupyter.get(f"log/{entry['run']}")["run"] == entry["run"]
    assert jupyter.get(f"log/{entry['run'][:12]}")["run"] == entry["run"]
    assert jupyter.get("log", text="null", tools="false", after=entry["seq"], count="false")["total"] == -1
    assert jupyter.do("DELETE", "log", {"runs": [entry["run"]]}) == {"entries": 1}
    assert jupyter.ask("GET", f"log/{entry['run']}").status == 404


def test_the_log_is_deleted_only_when_the_body_says_what(jupyter: Jupyter):
    for body in (None, {}, {"everything": False}, {"runs": []}, {"runs": ["x"], "everything": True}):
        assert jupyter.ask("DELETE", "log", body).status == 400


def test_a_run_of_a_notebook_is_seen_and_cancelled(jupyter: Jupyter):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(jupyter.run, endless, "shop")
        [run] = wait_until(lambda: jupyter.get("runs")["runs"], 20.0, "the run is under way")
        assert run["source"] == "analysis.ipynb"
        assert [one["run"] for one in jupyter.do("POST", f"runs/{run['run']}/cancel")["runs"]] == [run["run"]]
        with pytest.raises(Exception, match=r"(?i)cancel|interrupt|stopped"):
            running.result(30)
    wait_until(lambda: not jupyter.get("runs")["runs"], 20.0, "the run has ended")


def test_queries_are_saved_listed_and_deleted(jupyter: Jupyter):
    jupyter.do("POST", "queries", {"name": "mine/all & more", "sql": "SELECT 1", "connection": "lake"})
    assert "mine/all & more" in [one["name"] for one in jupyter.get("queries")["queries"]]
    assert jupyter.do("DELETE", "queries/mine%2Fall%20%26%20more")["name"] == "mine/all & more"


def test_preferences_are_listed_and_set(jupyter: Jupyter):
    names = {one["name"] for one in jupyter.get("preferences")["preferences"]}
    assert "timeout_s" in names
    assert jupyter.do("PUT", "preferences/timeout_s", {"value": "77"})["value"] == 77
    assert jupyter.do("PUT", "preferences/timeout_s", {"value": None})["name"] == "timeout_s"


def test_a_field_that_a_message_does_not_have_is_refused_by_name(jupyter: Jupyter):
    for method, path, body, name in [
        ("POST", "connections", {"name": "x", "url": "x.sqlite", "pasword": "p"}, "pasword"),
        ("POST", "connections", {"name": "x", "url": "x.sqlite", "session": "s"}, "session"),
        ("POST", "connections/lake/duplicate", {"new_name": "y", "name": "shop"}, "name"),
        ("GET", "log?limt=5", None, "limt"),
        ("GET", "connections?session=s", None, "session"),
        ("POST", "format", {"sql": "SELECT 1", "dialct": "ansi"}, "dialct"),
    ]:
        answer = jupyter.ask(method, path, body)
        assert answer.status == 400 and repr(name) in answer.error["message"], (path, answer.body)


def test_a_value_of_another_type_is_refused_by_its_field(jupyter: Jupyter):
    for method, path, body, field in [
        ("POST", "connections", {"name": 5}, "name"), ("POST", "connections", {"url": "x.sqlite"}, "name"),
        ("GET", "log?limit=many", None, "limit"), ("GET", "tree?connection=lake&path=[1]", None, "path"),
        ("GET", "tree?connection=lake&path=[", None, "path"), ("GET", "tree", None, "connection"),
        ("GET", "changes?known=[]", None, "known"), ("PUT", "preferences/timeout_s", {"value": []}, "value"),
    ]:  # fmt: skip
        answer = jupyter.ask(method, path, body)
        assert answer.status == 400 and field in answer.error["message"], (path, answer.body)


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(jupyter: Jupyter, body: bytes):
    assert jupyter.ask("POST", "connections", body).status == 400


def test_the_guard_of_jupyterlab_against_caches_is_no_field(jupyter: Jupyter):
    assert jupyter.ask("GET", "log?limit=1&1712345678901").status == 200


def test_databases_that_hang_do_not_keep_the_log_from_answering(jupyter: Jupyter):
    jupyter.do("PUT", "preferences/connect_timeout_s", {"value": "4"})
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent, ThreadPoolExecutor(SLOW + 1) as pool:
        config = {"host": "127.0.0.1", "port": silent.getsockname()[1], "user": "u", "database": "d"}
        form = {"name": "silent", "driver": "postgresql", "config": config, "test": False}
        jupyter.do("POST", "connections", form)
        hanging = [pool.submit(jupyter.do, "POST", "connections/silent/test") for _ in range(SLOW + 1)]
        select.select([silent], [], [], 20.0)  # a database is being asked
        assert jupyter.get("log", limit=1)["entries"]
        assert not any(one.done() for one in hanging)
        assert [one.result(60)["ok"] for one in hanging] == [False] * (SLOW + 1)
    jupyter.do("DELETE", "connections/silent")
