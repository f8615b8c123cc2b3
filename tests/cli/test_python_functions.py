"""`import tusk_jupyter as tusk`: lazy, typed, and the same from scripts, threads and forked processes."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading

import pandas as pd
import pytest

import tusk_jupyter as tusk
from tusk_jupyter import api, errors

pytestmark = pytest.mark.home("shared")


@pytest.fixture(autouse=True)
def _client_of_this_test(monkeypatch):
    """The process's client holds its database sessions: the next test begins without them."""
    monkeypatch.setattr("tusk_jupyter.client.client._current", None)


@pytest.fixture
def lake(tusk_home, tmp_path):
    """A DuckDB connection with a table of ten rows."""
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    tusk.query("CREATE TABLE t AS SELECT i FROM range(10) r(i)", connection="lake")
    return "lake"


def test_what_is_exported_is_what_is_there():
    above = {"load_ipython_extension", "unload_ipython_extension", "ConnectionPicker"}
    assert set(tusk.__all__) - above == set(api.__all__) - {"pack_parameters", "version"}
    for name in tusk.__all__:
        assert callable(getattr(tusk, name)), name
        assert inspect.getdoc(getattr(tusk, name)), name
    assert set(tusk.__all__) <= set(dir(tusk))
    assert tusk.__version__
    with pytest.raises(AttributeError, match="nosuch"):
        _ = tusk.nosuch


def test_importing_loads_nothing_heavy():
    heavy = [
        "IPython",
        "pandas",
        "pyarrow",
        "duckdb",
        "sqlalchemy",
        "keyring",
        "click",
        "rich",
        "numpy",
        "msgspec",
        "jinja2",
        "ipywidgets",
        "anywidget",
    ]
    code = f"import sys, tusk_jupyter; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_query_is_a_dataframe_and_a_statement_without_rows_is_none(lake):
    frame = tusk.query("SELECT * FROM t WHERE i < :n", connection=lake, params={"n": 3})
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 3
    assert tusk.query("DELETE FROM t WHERE i = 0", connection=lake) is None
    assert tusk.query("SELECT 1 AS a", connection=lake, format="arrow").num_rows == 1


def test_execute_tells_all_there_is(lake, tmp_path):
    result = tusk.execute("SELECT * FROM t; UPDATE t SET i = i + 1", connection=lake, limit=4)
    assert [report.command for report in result.statements] == ["SELECT", "UPDATE"]
    assert result.statements[1].affected == 10
    result = tusk.execute("SELECT * FROM t", connection=lake, to=tmp_path / "t.parquet")
    assert (result.rows, result.table, result.path) == (10, None, tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("sql", "params", "message"),
    [
        ("SELECT :a", {}, "no value for :a"),
        ("SELECT :a", {"a": 1, "b": 2}, "a value for :b, which it does not use"),
        ("SELECT 1", {"a": 1}, "a value for :a"),
        ("SELECT :a", {"a": object()}, ":a cannot be sent"),
    ],
)
def test_parameters_must_fit(lake, sql, params, message):
    with pytest.raises(errors.UsageError, match=message):
        tusk.query(sql, connection=lake, params=params)
    assert len(tusk.log().entries) == 1


def test_frames_go_into_tables(lake):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    assert tusk.persist(frame, "u", connection=lake) == 2
    assert tusk.append(frame, "u", connection=lake) == 2
    assert list(tusk.query("SELECT * FROM u", connection=lake).columns) == ["key", "a"]
    with pytest.raises(errors.TuskError):
        tusk.persist(frame, "u", connection=lake)
    with pytest.warns(UserWarning, match="index has no name and was left out"):
        tusk.persist(pd.DataFrame({"a": [1]}, index=[7]), "v", connection=lake)


def test_threads_share_the_session(lake):
    found = []

    def count():
        found.append(tusk.query("SELECT count(*) AS n FROM t", connection=lake)["n"][0])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [10] * 4


def test_a_fork_before_the_first_call_has_a_session_of_its_own(lake):
    script = (
        "import os, tusk_jupyter as tusk\n"
        "child = os.fork()\n"
        "tusk.query('CREATE TEMP TABLE mine AS SELECT 1 AS a', connection='lake')\n"
        "rows = len(tusk.query('SELECT * FROM mine', connection='lake'))\n"
        "os.write(1, f'{rows}\\n'.encode())\n"
        "os.waitpid(child, 0) if child else None\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "1\n1\n", done


def test_the_log_knows_the_script(lake, tmp_path):
    script = tmp_path / "nightly.py"
    script.write_text("import tusk_jupyter as tusk\ntusk.query('SELECT 7 AS nightly', connection='lake')\n")
    subprocess.run([sys.executable, str(script)], check=True, timeout=60)
    assert tusk.log(text="nightly", limit=1).entries[0].source == str(script)


def test_connections_are_used_tested_and_removed(lake):
    assert [connection.name for connection in tusk.connections()] == ["lake"]
    assert tusk.use("lake").current
    assert tusk.test("lake").ok
    assert tusk.remove("lake").name == "lake"
    assert tusk.connections() == ()
    assert tusk.log().total == 1


def test_settings_and_the_core_answer(tusk_home):
    assert tusk.set_preference("timeout_s", "12").value == 12
    assert {item.name: item.value for item in tusk.preferences()}["timeout_s"] == 12
    assert tusk.info().home == str(tusk_home)
    assert {info.name for info in tusk.drivers()} >= {"duckdb", "sqlite", "postgresql", "mysql"}
    assert {tier.name for tier in tusk.credentials().tiers} == {"keyring", "vault", "memory"}
    assert tusk.doctor()
    assert tusk.running() == ()
    assert tusk.cancel() == ()
