"""Schemas: read in sessions of the core's own, kept, outdated by DDL, and never in the way of a run."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


@pytest.fixture
def shop(client, tmp_path):
    """A SQLite file with a table, as the connection `shop`."""
    client.call(control.SaveConnection(session=client.session, name="shop", url=str(tmp_path / "shop.sqlite")))
    client.run(
        control.RunRequest(session="", connection="shop", sql="CREATE TABLE orders (id INTEGER PRIMARY KEY, x TEXT)")
    )
    return client


def schema(client, name="shop", **more) -> control.SchemaSnapshot:
    return client.call(control.GetSchema(session=client.session, connection=name, **{"wait_s": 10.0, **more}))


@contextlib.contextmanager
def endless_run(client, core, name) -> Iterator[None]:
    """Have a run under way on a SQLite connection."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    def run() -> None:
        with pytest.raises(errors.Cancelled):
            core.run(client, endless, on=name)

    def under_way() -> list[str]:
        return [one.run for one in client.call(control.ListRuns()).runs if one.sql == endless]

    thread = threading.Thread(target=run)
    thread.start()
    (found,) = wait_until(under_way, 10, "the run is under way")
    try:
        yield
    finally:
        client.call(control.CancelRun(run=found))
        thread.join()


def tables(found: control.SchemaSnapshot) -> list[str]:
    return [one.path[-1] for one in found.snapshot.tables]


def test_the_first_question_is_answered_at_once_and_the_snapshot_follows(shop):
    assert schema(shop, wait_s=0.0).state == "taking"
    found = schema(shop)
    assert (found.state, found.connection, found.driver, found.dialect) == ("fresh", "shop", "sqlite", "sqlite")
    assert tables(found) == ["orders"]
    assert [column.name for column in found.snapshot.tables[0].columns] == ["id", "x"]
    assert schema(shop, wait_s=0.0).snapshot == found.snapshot


def test_who_knows_the_snapshot_is_not_sent_it_again(shop):
    found = schema(shop)
    again = schema(shop, known=found.stamp)
    assert (again.snapshot, again.stamp, again.state) == (None, found.stamp, "fresh")
    refreshed = schema(shop, known=found.stamp, refresh=True)
    assert (refreshed.snapshot, refreshed.stamp) == (None, found.stamp)  # it was read anew and is the same


def test_a_refresh_sees_what_another_program_did(shop, tmp_path):
    schema(shop)
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.sqlite")) as outside:
        outside.execute("CREATE TABLE others (a INTEGER)")
    assert tables(schema(shop)) == ["orders"]
    assert tables(schema(shop, refresh=True)) == ["orders", "others"]


@pytest.mark.parametrize("ddl", ["CREATE TABLE t2 (a INTEGER)", "SELECT 1; CREATE TABLE t2 (a INTEGER); SELECT 2"])
def test_ddl_that_the_core_saw_makes_the_snapshot_stale_and_the_next_question_renews_it(shop, core, ddl):
    before = schema(shop)
    core.run(shop, "SELECT 1", on="shop")
    assert schema(shop, wait_s=0.0).state == "fresh"
    core.run(shop, ddl, on="shop")
    assert schema(shop, wait_s=0.0).state == "stale"
    assert tables(schema(shop)) == ["orders", "t2"]
    assert schema(shop).stamp != before.stamp


def test_ddl_in_a_transaction_counts_when_that_is_committed(shop, core):
    schema(shop)
    core.run(shop, "BEGIN; CREATE TABLE t2 (a INTEGER)", on="shop")
    assert schema(shop, wait_s=0.0).state == "fresh"
    core.run(shop, "COMMIT", on="shop")
    assert tables(schema(shop)) == ["orders", "t2"]


def test_ddl_through_another_connection_to_the_same_database_counts_too(shop, core, tmp_path):
    core.connect(shop, "twin", str(tmp_path / "shop.sqlite"))
    schema(shop, "twin")
    core.run(shop, "CREATE TABLE t2 (a INTEGER)", on="shop")
    assert tables(schema(shop, "twin")) == ["orders", "t2"]


def test_an_upload_counts_as_ddl(shop, core):
    schema(shop)
    request = control.UploadRequest(session="", connection="shop", table="uploaded")
    shop.upload(request, pa.table({"a": [1]}))
    assert "uploaded" in tables(schema(shop))


def test_a_snapshot_is_read_anew_when_its_time_is_over(shop, core):
    shop.call(control.SetPreference(name="schema_cache_s", value="1"))
    before = schema(shop)
    assert before.age_s < 1
    wait_until(lambda: schema(shop, wait_s=0.0).state == "stale", 10, "its second is over")
    assert schema(shop).state == "fresh"


def test_trees_and_tables_are_read_while_a_run_is_under_way_and_inside_a_transaction(shop, core):
    core.run(shop, "BEGIN; CREATE TABLE mine (a INTEGER)", on="shop")
    with endless_run(shop, core, "shop"):
        nodes = shop.call(control.ListBranch(session=shop.session, connection="shop")).nodes
        assert [node.name for node in nodes] == ["main"]
        branch = shop.call(control.ListBranch(session=shop.session, connection="shop", path=("main",)))
        assert [(node.name, node.kind) for node in branch.nodes] == [("orders", "table")]  # not what is not committed
        found = shop.call(control.DescribeTable(session=shop.session, connection="shop", path=("orders",))).description
        assert [column.name for column in found.columns] == ["id", "x"]
        assert tables(schema(shop)) == ["orders"]


def test_a_database_in_memory_is_asked_in_its_users_session_and_is_empty_for_others(client, new_client, core):
    core.connect(client, "scratch", "duckdb://")
    assert tables(schema(client, "scratch")) == []
    core.run(client, "CREATE TABLE mine (a INTEGER)", on="scratch")
    assert tables(schema(client, "scratch")) == ["mine"]
    branch = client.call(control.ListBranch(session=client.session, connection="scratch", path=("memory", "main")))
    assert [node.name for node in branch.nodes] == ["mine"]
    other = new_client()
    assert tables(schema(other, "scratch")) == []
    with pytest.raises(errors.QueryError, match="not open"):
        other.call(control.DescribeTable(session=other.session, connection="scratch", path=("mine",)))


def test_a_database_in_memory_that_is_busy_says_so_and_is_not_asked(client, core):
    core.connect(client, "scratch", "sqlite://")
    core.run(client, "CREATE TABLE mine (a INTEGER)", on="scratch")
    asked = control.ListBranch(session=client.session, connection="scratch")
    with endless_run(client, core, "scratch"), pytest.raises(errors.TimeoutExceeded, match="in memory, and a run is"):
        client.call(asked)
    assert tables(schema(client, "scratch", refresh=True)) == ["mine"]


def test_a_failure_is_kept_told_and_tried_again_when_asked(client, core):
    core.connect(client, "away", "postgresql://ann@127.0.0.1:9/db", test=False)
    found = schema(client, "away")
    assert (found.state, found.snapshot, found.error.scenario) == ("failed", None, "refused")
    assert schema(client, "away", wait_s=0.0).state == "failed"
    assert schema(client, "away", wait_s=0.0, refresh=True).state == "taking"
    with pytest.raises(errors.ConnectError):
        client.call(control.ListBranch(session=client.session, connection="away"))


def test_a_connection_that_was_changed_is_asked_where_it_points_now(shop, core, tmp_path):
    core.connect(shop, "other", str(tmp_path / "other.sqlite"))
    core.run(shop, "CREATE TABLE elsewhere (a INTEGER)", on="other")
    assert tables(schema(shop)) == ["orders"]
    core.connect(shop, "shop", str(tmp_path / "other.sqlite"), replace=True)
    assert tables(schema(shop)) == ["elsewhere"]


def test_the_cores_sessions_are_closed_with_the_connection_and_not_counted_as_the_users(shop, core):
    schema(shop)
    gone = shop.call(control.RemoveConnection(session=shop.session, name="shop"))
    assert gone.sessions == 1  # the user's own
    assert core.status(shop).sessions == 0
    with pytest.raises(errors.UsageError, match="no connection 'shop'"):
        schema(shop)


def test_without_a_name_the_current_connection_is_meant_and_stays_it(shop, core):
    shop.call(control.UseConnection(session=shop.session, name="shop"))
    assert schema(shop, None).connection == "shop"
    assert schema(shop, "s").connection == "s"
    assert schema(shop, None).connection == "shop"


def test_a_session_of_the_cores_own_that_was_ended_on_the_server_is_replaced(client, core, postgresql):
    core.connect(client, "pg", postgresql.url_without_password, secrets={"password": postgresql.password})
    path = ("public",)
    client.call(control.ListBranch(session=client.session, connection="pg", path=path))
    core.run(
        client,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()",
        on="pg",
    )
    assert client.call(control.ListBranch(session=client.session, connection="pg", path=path)).path == path
