"""A DuckDB file belongs to one process at a time: all notebooks share the core's, foreign programs are named."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


def test_two_notebooks_write_the_same_file_in_turn(duckdb_engine, second_client):  # UX 20
    duckdb_engine.run("CREATE TABLE t (who VARCHAR, n INTEGER)")
    for n in range(20):
        duckdb_engine.run("INSERT INTO t VALUES ('first', :n)", parameters={"n": n})
        duckdb_engine.run("INSERT INTO t VALUES ('second', :n)", parameters={"n": n}, client=second_client)
    assert duckdb_engine.value("SELECT count(*) FROM t", client=second_client) == 40


def test_two_notebooks_write_the_same_file_at_once(duckdb_engine, second_client):
    duckdb_engine.run("CREATE TABLE t (who VARCHAR, n INTEGER)")
    failures = []

    def write(who, client):
        for n in range(100):
            try:
                duckdb_engine.run("INSERT INTO t VALUES (:who, :n)", parameters={"who": who, "n": n}, client=client)
            except errors.TuskError as exc:
                failures.append(exc)

    threads = [
        threading.Thread(target=write, args=pair) for pair in (("a", duckdb_engine.client), ("b", second_client))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert duckdb_engine.value("SELECT count(*) FROM t") == 200


def test_each_notebook_has_its_own_temp_tables_and_transaction(duckdb_engine, second_client):
    duckdb_engine.run("CREATE TABLE t (n INTEGER); CREATE TEMP TABLE mine AS SELECT 1 AS n")
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run("SELECT * FROM mine", client=second_client)
    assert caught.value.scenario == "undefined_table"
    duckdb_engine.run("BEGIN; INSERT INTO t VALUES (1)")
    assert duckdb_engine.value("SELECT count(*) FROM t", client=second_client) == 0
    duckdb_engine.run("COMMIT")
    assert duckdb_engine.value("SELECT count(*) FROM t", client=second_client) == 1


def test_an_interrupt_of_one_notebook_leaves_the_other_alone(duckdb_engine, second_client):
    outcome = []
    slow = "SELECT count(*) FROM range(30000) a, range(30000) b WHERE a.range + b.range > 1"
    worker = threading.Thread(
        target=lambda: outcome.append(duckdb_engine.value(slow, client=second_client)), daemon=True
    )
    worker.start()

    def run_long():
        with pytest.raises(errors.Cancelled):
            duckdb_engine.run(duckdb_engine.long)

    mine = threading.Thread(target=run_long)
    mine.start()
    runs = wait_until(
        lambda: [one for one in duckdb_engine.client.call(control.ListRuns()).runs if one.source == "engines.ipynb"],
        10.0,
        "the long run is under way",
    )
    duckdb_engine.client.call(control.CancelRun(run=runs[0].run))
    mine.join(20)
    worker.join(120)
    assert len(outcome) == 1


def test_a_foreign_program_that_holds_the_file_is_named_and_the_next_try_after_it_works(duckdb_engine, tmp_path):
    path = tmp_path / "held.duckdb"
    script = f"""
        import duckdb, sys
        held = duckdb.connect({str(path)!r})
        held.execute("CREATE TABLE t AS SELECT 5 AS n")
        print("held", flush=True)
        sys.stdin.read()
    """
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        holder.stdout.readline()
        client = duckdb_engine.client
        client.call(control.SaveConnection(session=client.session, name="held", url=str(path), test=False))
        with pytest.raises(errors.ConnectError) as caught:
            client.run(control.RunRequest(session="", connection="held", sql="SELECT n FROM t"))
        assert caught.value.scenario == "file_locked"
        assert str(holder.pid) in caught.value.message
        assert "python" in caught.value.message
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
    result = client.run(control.RunRequest(session="", connection="held", sql="SELECT n FROM t"))
    assert result.table.column(0).to_pylist() == [5]


def test_the_file_is_let_go_when_its_sessions_have_idled(duckdb_engine):
    import duckdb

    duckdb_engine.run("CREATE TABLE t AS SELECT 1 AS n")
    duckdb_engine.client.call(control.SetPreference(name="idle_session_s", value="1"))

    def free():
        try:
            duckdb.connect(str(duckdb_engine.file)).close()
        except duckdb.IOException:
            return False
        return True

    wait_until(free, 20.0, "a foreign program can open the file")
    assert duckdb_engine.value("SELECT n FROM t") == 1
