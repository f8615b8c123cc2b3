"""A password goes in by one body and comes out by no route, no error, no log line."""

from __future__ import annotations

import re

from security.canary import Canary
from server_process import Jupyter

from tusk_widgets.server.routes import ROUTES

QUERIES = {
    "tree": [{"connection": "secret"}, {"connection": "lake"}],
    "describe": [{"connection": "secret", "path": '["t"]'}],
    "schema": [{"connection": "secret", "wait_s": 5}],
    "log": [{"limit": 1000}, {"text": "PASSWORD"}],
    "log/export": [{"format": "csv"}, {"format": "json"}, {"format": "sql"}],
    "changes": [{"timeout_s": 0}],
}


def test_no_route_returns_a_secret(jupyter: Jupyter, canary: Canary):
    form = {
        "driver": "postgresql",
        "config": {"host": "127.0.0.1", "port": 1, "user": "joe", "database": "d"},
        "secrets": {"password": canary.password},
    }
    saved = jupyter.ask("POST", "connections", {"name": "secret", "test": False, **form})
    assert saved.status == 200, saved.body
    answers = [
        saved,
        jupyter.ask("POST", "connections", {"name": "secret", **form}),  # taken
        jupyter.ask("POST", "connections", {"name": "untested", **form}),  # refused by the database
        jupyter.ask("POST", "connections", {"name": "odd", **form, "secrets": {"password": [canary.password]}}),
        jupyter.ask("POST", "connections", {"name": "odd", **form, "secrets": canary.password}),
        jupyter.ask("POST", "connections", b'{"secrets": "' + canary.core.encode() + b'", '),
        jupyter.ask("POST", "connections/try", form),
        jupyter.ask("POST", "connections/secret/test"),
        jupyter.ask("POST", "connections/secret/duplicate", {"new_name": "copy"}),
        jupyter.ask("POST", "explain", {"connection": "secret", "sql": "SELECT 1"}),
        jupyter.ask("POST", "explain", {"connection": "lake", "sql": f"ALTER ROLE j PASSWORD '{canary.core}'"}),
        jupyter.ask("POST", "format", {"sql": "ALTER ROLE j", "dialect": "postgresql"}),
    ]
    [run] = {one["run"] for one in jupyter.get("log", limit=1)["entries"]}
    names = {"name": "secret", "run": run}
    for path, methods in ROUTES.items():
        if "GET" in methods:
            concrete = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path)
            for query in QUERIES.get(path, [{}]):
                answers.append(jupyter.ask("GET", concrete, **query))
    reasons = [(one.status, one.body[:300]) for one in answers if one.status in (405, 500)]
    assert not reasons
    assert sum(one.status == 200 for one in answers) > 15
    assert canary.hits_in_texts("answers", [f"{one.headers} {one.body.decode()}" for one in answers]) == []
    assert canary.hits("answers", b"\0".join(one.body for one in answers)) == []
    assert canary.hits("log of Jupyter", jupyter.log) == []
    assert b"POST" in jupyter.log and b"/tusk/connections" in jupyter.log


def test_what_is_asked_for_by_the_environment_names_variables_and_no_value_of_a_secret(jupyter: Jupyter):
    [found] = [
        one for one in jupyter.get("environment")["suggestions"] if one["config"].get("host") == "db.example.org"
    ]
    assert (found["driver"], found["has_secret"]) == ("postgresql", True)
    assert found["variables"]["password"] == "PGPASSWORD"


def test_sqlglots_warnings_do_not_quote_sql_in_the_log(jupyter: Jupyter, canary: Canary):
    sql = f"ALTER ROLE joe PASSWORD '{canary.core}'; VACUUM '{canary.core}'; SELECT '{canary.core}' FROM WHERE"
    for dialect in ("postgresql", "mysql", "duckdb", "sqlite", "ansi"):
        jupyter.ask("POST", "format", {"sql": sql, "dialect": dialect})
        jupyter.ask("POST", "format", {"sql": sql.partition(";")[0], "dialect": dialect})
    assert canary.hits("log of Jupyter", jupyter.log) == []
