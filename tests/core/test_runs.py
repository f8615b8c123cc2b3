"""A run, from the cell to the log: results, several statements, errors, widening, limits."""

import os
import stat

import psutil
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import replace

pytestmark = pytest.mark.home("shared")


def test_a_result_comes_whole_and_is_in_the_log_with_its_numbers(client, core):  # XL-14, TK-19, NL-15
    result = core.run(client, "rows 2500 1000", cell="c1")
    assert result.table.column("n").to_pylist() == list(range(2500))
    assert (result.rows, result.more, result.accepted.connection) == (2500, False, "s")
    entry = core.log(client)[0]
    assert (entry.run, entry.status, entry.rows, entry.sql) == (
        result.accepted.run,
        "completed",
        2500,
        "rows 2500 1000",
    )
    assert (entry.source, entry.cell, entry.driver, entry.statements) == ("notebook-0.ipynb", "c1", "scripted", 1)
    assert entry.elapsed_ms > 0


def test_the_last_result_is_the_value_and_every_statement_is_reported(client, core):  # UX 19
    result = core.run(client, "change 3; rows 5; change 1; rows 7; change 2")
    assert result.table.num_rows == 7
    assert [one.affected for one in result.statements] == [3, None, 1, None, 2]
    assert [one.rows for one in result.statements] == [None, 5, None, 7, None]
    assert core.log(client)[0].affected == 6


def test_a_statement_without_rows_has_no_table_and_an_empty_result_has_one(client, core):
    assert core.run(client, "change 3").table is None
    assert core.run(client, "empty").table.schema.names == ["n"]


def test_a_result_that_widens_arrives_as_one_table_of_the_wider_type(client, core):
    result = core.run(client, "widen")
    assert result.table.to_pydict() == {"n": ["1", None, "three"], "m": [1, 2, 3]}
    assert result.notes == ("column n holds numbers and text; shown as text",)


@pytest.mark.parametrize(
    ("limit", "rows", "more"), [(1500, 1500, True), (2000, 2000, False), (1, 1, True), (0, 0, True)]
)
def test_a_limit_says_whether_there_are_more_rows_and_never_rewrites_the_sql(client, core, limit, rows, more):  # UX 8
    result = core.run(client, "rows 2000 1000", limit=limit)
    assert (result.rows, result.table.num_rows, result.more) == (rows, rows, more)
    assert core.log(client)[0].sql == "rows 2000 1000"


def test_the_session_stays_usable_after_a_limit(client, core):
    core.run(client, "rows 100000 10", limit=5)
    assert core.run(client, "rows 3").rows == 3


def test_an_error_counts_from_the_submitted_text_and_names_its_statement(client, core):  # TK-21, TK-34, UX 17
    with pytest.raises(errors.QueryError) as caught:
        core.run(client, "rows 3;\nfail")
    assert (caught.value.position, caught.value.statement, caught.value.code) == (8 + 5, 1, "42P01")
    assert "schema" in caught.value.hint
    entry = core.log(client)[0]
    assert (entry.status, entry.error, entry.code) == ("failed", "No such thing.", "42P01")


def test_statements_behind_the_failed_one_do_not_run(client, core):
    with pytest.raises(errors.QueryError):
        core.run(client, "count; fail; count")
    assert core.run(client, "count").table.column(0).to_pylist() == [2]


def test_a_bug_in_a_driver_is_an_internal_error_and_the_session_goes_on(client, core):
    with pytest.raises(errors.InternalError, match="a bug in the driver"):
        core.run(client, "bug")
    assert core.run(client, "rows 1").rows == 1


def test_parameters_arrive_typed(client, core):  # NL-28, R-30
    assert core.run(client, "echo :x", parameters={"x": 2**70}).table.column(0).to_pylist() == [f"int:{2**70}"]


def test_a_parameter_without_a_value_is_refused_before_the_log(client, core):
    with pytest.raises(errors.UsageError, match=":x"):
        core.run(client, "echo :x")
    assert core.log(client) == []


@pytest.mark.parametrize("text", ["", "  \n ", "-- only a comment", "/* nor */ ;;"])
def test_a_text_without_a_statement_is_refused_before_the_log(client, core, text):
    with pytest.raises(errors.UsageError, match="no SQL"):
        core.run(client, text)
    assert core.log(client) == []


def test_a_run_can_stay_out_of_the_log_for_a_cell_or_a_connection(client, core):  # C-10
    core.run(client, "rows 1", log=False)
    core.connect(client, "quiet", log=False)
    core.run(client, "rows 1", on="quiet")
    assert core.log(client) == []


def test_what_a_driver_prints_breaks_nothing(client, core):  # 10 MB on each of its outputs
    core.run(client, "flood")
    assert core.run(client, "rows 2").rows == 2


def test_an_unknown_connection_is_named_with_what_exists(client, core):
    with pytest.raises(errors.UsageError, match=r"no connection 'shop'.*configured: s"):
        core.run(client, "rows 1", on="shop")
    assert core.log(client) == []


def test_without_a_name_the_last_used_connection_is_meant(client, core):
    core.connect(client, "other")
    core.run(client, "rows 1", on="s")
    assert core.run(client, "rows 1").accepted.connection == "s"


def test_what_was_chosen_stays_until_another_is_chosen(client, core):
    core.connect(client, "other")
    client.call(control.UseConnection(session=client.session, name="s"))
    core.run(client, "rows 1", on="other")
    assert core.run(client, "rows 1").accepted.connection == "s"
    core.connect(client, "third")
    assert core.run(client, "rows 1").accepted.connection == "s"
    client.call(control.UseConnection(session=client.session, name="other"))
    assert core.run(client, "rows 1").accepted.connection == "other"


def test_runs_of_a_notebook_that_was_renamed_come_from_where_it_is_now(new_client, core, monkeypatch):
    def source(of):
        core.run(of, "rows 1", on="s")
        return one.call(control.ReadLog(limit=1)).entries[0].source

    one = new_client()
    core.connect(one, "s")
    kernel = control.GetCurrentConnection(kernel="renamed")
    monkeypatch.setattr("tusk_jupyter.client.client._kernel_id", lambda: "renamed")
    one.call(replace(kernel, notebook="/home/ann/work.ipynb"))  # before this kernel's first run
    two = new_client()
    assert source(two) == source(new_client()) == "/home/ann/work.ipynb"  # a restarted kernel keeps its id
    one.call(replace(kernel, notebook="/home/ann/late.ipynb"))
    one.call(kernel)  # nothing new
    assert source(two) == "/home/ann/late.ipynb"
    monkeypatch.setattr("tusk_jupyter.client.client._kernel_id", lambda: "another")
    three = new_client()
    assert source(three) == three.source


@pytest.mark.home("own")
def test_a_choice_follows_its_connection_under_a_new_name_also_to_a_new_core(client, core):
    core.connect(client, "other")
    client.call(control.UseConnection(session=client.session, name="s"))
    core.connect(client, "renamed", rename_from="s", replace=True, environment="staging", use=False)
    assert core.run(client, "rows 1").accepted.connection == "renamed"
    client.call(control.StopCore())
    wait_until(lambda: client.link.running() is None, 15, "the core has gone")
    core.run(client, "rows 1", on="other")
    assert client.call(control.SplitRequest(session=client.session, connection=None, sql="")).connection == "renamed"


def test_a_kernel_is_told_what_its_bare_cells_would_run_on_now(new_client, core, monkeypatch):
    def asked(kernel="k1"):
        now = one.call(control.GetCurrentConnection(kernel=kernel))
        return now.connection and now.connection.name, now.known, now.chosen

    one = new_client()
    assert asked() == (None, False, False)
    core.connect(one, "s")
    assert asked("") == asked("not started") == ("s", False, False)  # the only one
    core.connect(one, "other")
    assert asked("") == (None, False, False)
    monkeypatch.setattr("tusk_jupyter.client.client._kernel_id", lambda: "k1")
    two = new_client()
    core.run(two, "rows 1", on="other")
    wait_until(lambda: asked() == ("other", True, False), 10, "the last one used")
    before = two.call(control.AwaitChanges(core="", known={}, timeout_s=0))
    two.call(control.UseConnection(session=two.session, name="s"))
    after = two.call(control.AwaitChanges(core=before.core, known=before.counts, timeout_s=10))
    assert after.counts["connections"] > before.counts["connections"]
    core.run(two, "rows 1", on="other")
    assert asked() == ("s", True, True)
    core.connect(one, "renamed", rename_from="s", replace=True, environment="production")
    assert asked() == ("renamed", True, True)
    one.call(control.RemoveConnection(session=one.session, name="renamed"))
    assert asked() == (None, True, False)


def test_without_a_name_a_fresh_notebook_with_several_connections_must_choose(client, new_client, core):
    core.connect(client, "other")
    with pytest.raises(errors.UsageError, match="No connection is chosen; configured: other, s"):
        core.run(new_client(), "rows 1")


@pytest.mark.home("own")
def test_a_full_disk_costs_the_log_row_and_not_the_result(client, core, scripted_home):
    """No file of the core may grow any more: the closest to a full disk that needs no file system of its own."""
    core.run(client, "rows 1")
    assert [one.rows for one in core.log(client)] == [1]  # its end is on the disk before that is full
    limited = psutil.Process(core.status(client).pid)
    limited.rlimit(psutil.RLIMIT_FSIZE, (1, -1))
    try:
        result = core.run(client, "rows 5")
        assert result.rows == 5
        assert "not in the query log" in result.accepted.notices[0]
    finally:
        limited.rlimit(psutil.RLIMIT_FSIZE, (-1, -1))
    core.run(client, "rows 6")
    assert [one.rows for one in core.log(client)] == [6, 1]


def test_what_a_client_has_run_to_its_end_is_not_under_way_for_it(client, core):
    for _ in range(20):  # the end of a run is on the disk some milliseconds after its data is with the client
        core.run(client, "rows 1")
        assert client.call(control.ListRuns()).runs == ()


def test_files_that_a_driver_makes_for_the_user_have_the_users_umask(client, core, tmp_path):
    client.call(control.SaveConnection(session=client.session, name="lake", url=str(tmp_path / "lake.duckdb")))
    core.run(client, "CREATE TABLE t (n INTEGER)", on="lake")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "lake.duckdb").stat().st_mode) == 0o666 & ~umask


def test_an_error_of_any_length_keeps_its_kind(client, core):
    """gRPC drops what it carries beside a status beyond 8 KB, and then the core would look dead."""
    with pytest.raises(errors.QueryError, match=r"^xxxx"):
        core.run(client, "shout 100000")
    assert core.run(client, "rows 1").rows == 1


def test_a_removed_current_connection_is_not_swapped_for_the_one_that_is_left(client, core):
    core.connect(client, "other")
    client.call(control.UseConnection(session=client.session, name="s"))
    client.call(control.RemoveConnection(session=client.session, name="s"))
    with pytest.raises(errors.UsageError, match="No connection is chosen; configured: other"):
        core.run(client, "rows 1")


@pytest.mark.home("own")
def test_a_choice_is_held_without_a_run_and_outlives_the_core(client, core):
    core.connect(client, "other")
    client.call(control.UseConnection(session=client.session, name="s"))
    wait_until(lambda: core.status(client).clients == 1, 10, "the session is held")
    client.call(control.StopCore())
    wait_until(lambda: client.link.running() is None, 15, "the core has gone")
    assert core.run(client, "rows 1").accepted.connection == "s"
