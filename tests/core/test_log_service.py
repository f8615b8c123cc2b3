"""The query log as the panel asks for it: pages, filters, parameters without secrets, deletion, retention."""

from __future__ import annotations

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


def page(client, **more) -> control.LogPage:
    return client.call(control.ReadLog(**more))


def sqls(client, **more) -> list[str]:
    return [entry.sql for entry in page(client, **more).entries]


def test_pages_stay_where_they_are_while_new_runs_come(client, core):
    for n in range(7):
        core.run(client, f"rows {n}")
    first = page(client, limit=3)
    assert [entry.sql for entry in first.entries] == ["rows 6", "rows 5", "rows 4"]
    core.run(client, "rows 7")
    second = page(client, limit=3, before=first.entries[-1].seq)
    assert ([entry.sql for entry in second.entries], second.total) == (["rows 3", "rows 2", "rows 1"], 8)
    assert sqls(client, after=first.entries[0].seq) == ["rows 7"]
    found = page(client, text="ROWS", limit=2, before=second.entries[0].seq)
    assert ([entry.sql for entry in found.entries], found.total) == (["rows 2", "rows 1"], 8)
    assert page(client, text="rows", limit=2, count=False).total == -1
    assert sqls(client, text="rows", limit=2, offset=3, count=False) == ["rows 4", "rows 3"]


def test_filters_of_driver_kind_and_duration(client, core):
    core.run(client, "rows 1")
    core.run(client, "rows 2", kind="tool")
    core.run(client, "wait 0.2")
    assert sqls(client, kind="tool") == ["rows 2"]
    assert sqls(client, tools=False) == ["wait 0.2", "rows 1"]
    assert sqls(client, min_ms=200) == ["wait 0.2"]
    assert "wait 0.2" not in sqls(client, max_ms=199)
    assert sqls(client, driver="scripted", text="rows") == ["rows 2", "rows 1"]
    assert sqls(client, driver="postgresql") == []
    assert [entry.kind for entry in page(client).entries] == ["query", "tool", "query"]


def test_an_errors_position_is_in_the_log(client, core):
    with pytest.raises(errors.QueryError):
        core.run(client, "rows 1; fail")
    assert page(client).entries[0].position == 8 + 5


def test_parameters_are_in_the_log_as_text_and_their_secrets_are_not(client, core):
    values = {
        "name": "Ann", "none": None, "n": 2**70, "yes": True, "ids": list(range(30)),
        "password": "hunter2", "api_token": "t0ken", "my_secret": "hush", "dsn": "postgresql://ann:pw123@host/db",
    }  # fmt: skip
    core.run(client, "echo " + " ".join(f":{name}" for name in values), parameters=values)
    shown = page(client).entries[0].parameters
    assert (shown["name"], shown["none"], shown["n"], shown["yes"]) == ("Ann", "NULL", str(2**70), "true")
    assert shown["ids"].startswith("[0, 1, 2")
    assert shown["ids"].endswith("30 values]")
    assert [shown[name] for name in ("password", "api_token", "my_secret")] == ["***"] * 3
    assert shown["dsn"] == "***"


def test_a_parameter_in_a_secrets_place_is_one_whatever_its_name(client, core, scripted_home):
    core.connect(client, "lake", str(scripted_home / "lake.duckdb"))
    with pytest.raises(errors.TuskError):
        core.run(
            client,
            "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET :p)",
            on="lake",
            parameters={"p": "hunter2", "q": "shown"},
        )
    assert page(client).entries[0].parameters == {"p": "***", "q": "shown"}
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in scripted_home.path.rglob("*") if path.is_file() and not path.is_socket()
    )


def test_clear_leaves_no_trace_of_a_text_in_the_home(client, core, scripted_home):
    core.run(client, "echo :x -- swordfish", parameters={"x": "swordfish too"})
    core.run(client, "rows 1")
    assert traces(scripted_home, b"swordfish")
    runs = [entry.run for entry in page(client).entries]
    assert client.call(control.DeleteLog(runs=(runs[1],))).entries == 1
    assert traces(scripted_home, b"swordfish") == []
    assert sqls(client) == ["rows 1"]
    assert client.call(control.DeleteLog(everything=True)).entries == 1
    assert (page(client).total, core.status(client).log_rows) == (0, 0)
    core.run(client, "rows 2")
    assert sqls(client) == ["rows 2"]


def traces(home, text: bytes) -> list[str]:
    return [str(path) for path in home.path.rglob("*") if path.is_file() and text in path.read_bytes()]


def test_the_log_keeps_as_much_as_the_preferences_say(client, core):
    for n in range(5):
        core.run(client, f"rows {n}")
    core.log(client)
    client.call(control.SetPreference(name="log_keep_rows", value="2"))
    wait_until(lambda: sqls(client) == ["rows 4", "rows 3"], 10, "the oldest are deleted")
    client.call(control.SetPreference(name="log_keep_rows", value=None))
    client.call(control.SetPreference(name="log_keep_days", value="1e-9"))
    wait_until(lambda: sqls(client) == [], 10, "all are too old")
