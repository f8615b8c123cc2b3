"""A memory cap on a connection: what can spill does, what cannot says which cap it hit, too small a cap is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from services import processes_of

from tusk_jupyter import errors
from tusk_jupyter.client.files import sink_for
from tusk_jupyter.driverkit.memory import MEBIBYTE
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("own", spares=False)

GROUP = (
    "SELECT count(*) FROM (SELECT md5(i::VARCHAR) a, md5((i + 1)::VARCHAR) b, md5((i + 2)::VARCHAR) c "
    "FROM range(2000000) t(i) GROUP BY ALL)"
)


def connect(client, name, url, cap):
    return client.call(control.SaveConnection(session=client.session, name=name, url=url, memory_limit_mb=cap))


def test_duckdb_spills_under_its_connections_cap_and_the_session_outlives_an_error(client, tmp_path):  # R11
    connect(client, "small", str(tmp_path / "small.duckdb"), 400)

    def run(sql):
        return client.run(control.RunRequest(session="", connection="small", sql=sql))

    assert run(GROUP).table.column(0).to_pylist() == [2_000_000]
    run("CREATE TEMP TABLE kept AS SELECT 42 AS n")
    with pytest.raises(errors.QueryError) as caught:
        run("SELECT list(md5(i::VARCHAR)) FROM range(20000000) t(i)")
    assert caught.value.scenario == "memory_limit"
    assert "400 MB (`memory_limit_mb`)" in caught.value.hint
    assert run("SELECT n FROM kept").table.column(0).to_pylist() == [42]


CAP_MB = 512
ROOMY_MB = 576
"""Where 512 would leave 256 MB, or a little less or more: DuckDB's allocator takes 256 MB at once for a long text, and loses
them where nothing is left beside them for its notes. See `scenarios.with_lost_memory`."""

ON_ITS_WAY_MB = 100
"""What of a result a process may keep for the next one."""

TOO_LARGE = (
    "SELECT i, repeat(md5(i::VARCHAR), 3000) AS v FROM range(20000) t(i)",
    "SELECT list(repeat('x', 1000000)) FROM range(1000)",
    "SELECT repeat('x', 200000000) AS v FROM range(3)",
)
SORT = "SELECT i, md5(i::VARCHAR) AS a, repeat(md5(i::VARCHAR), 30) AS v FROM range(600000) t(i) ORDER BY a"


@pytest.fixture
def capped(client, tmp_path):
    return under_cap(client, tmp_path, CAP_MB)


def under_cap(client, tmp_path, cap_mb):
    connect(client, "small", str(tmp_path / "small.duckdb"), cap_mb)

    def run(sql, **more):
        return client.run(control.RunRequest(session="", connection="small", sql=sql), **more)

    return run


def data_mb(client, cap_mb=CAP_MB):
    (found,) = [one for one in processes_of(client.link.places.home) if _cap_mb(one) == cap_mb]
    return found.memory_info().data // MEBIBYTE


@pytest.mark.parametrize("sql", TOO_LARGE)
def test_duckdb_gives_back_what_a_result_took_that_failed_for_memory(client, tmp_path, sql):
    """Its allocator and the C library's kept up to 260 MB, so that after two such results `SELECT 1` had none."""
    cap_mb = ROOMY_MB if "200000000" in sql else CAP_MB
    capped = under_cap(client, tmp_path, cap_mb)
    capped("CREATE TEMP TABLE kept AS SELECT 42 AS n")
    before = data_mb(client, cap_mb)
    for _ in range(2):
        with pytest.raises(errors.TuskError) as caught:
            capped(sql)
        assert caught.value.scenario == "memory_limit"
        assert "disconnect" not in caught.value.hint
        assert data_mb(client, cap_mb) < before + ON_ITS_WAY_MB
        assert capped("SELECT n FROM kept").table.column(0).to_pylist() == [42]


def test_what_duckdb_loses_at_the_edge_of_its_cap_comes_back_with_disconnect(client, capped):
    """By the address space of the day it is lost or not; either way the session works, or the error says what to do."""
    assert capped("SELECT 42").table.column(0).to_pylist() == [42]
    before = data_mb(client)
    with pytest.raises(errors.TuskError) as caught:
        capped(TOO_LARGE[-1])
    is_lost = data_mb(client) >= before + ON_ITS_WAY_MB
    assert ("`%tusk disconnect`" in caught.value.hint) == is_lost
    if is_lost:
        client.call(control.Disconnect(session=client.session, connection="small"))
    assert capped("SELECT 42").table.column(0).to_pylist() == [42]
    assert data_mb(client) < before + ON_ITS_WAY_MB


HOLDS = """
import resource, sys
import psutil, pyarrow
from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory

data = psutil.Process().memory_info().data
resource.setrlimit(resource.RLIMIT_DATA, (data + 200 * memory.MEBIBYTE,) * 2)
held = bytearray(int(sys.argv[1]) * memory.MEBIBYTE)
error = errors.QueryError("No more.", scenario="memory_limit", hint="Select less.")
memory.give_back(error, lambda: None)
print(error.hint)
"""


def test_what_a_process_has_lost_of_its_cap_is_told_with_the_way_to_get_it_back():
    """jemalloc loses 256 MB where they are all that the cap leaves: it has them, and has no room to note that it does."""

    def hint_of(held_mb):
        run = subprocess.run([sys.executable, "-c", HOLDS, str(held_mb)], capture_output=True, text=True, check=True)
        return run.stdout.strip()

    assert hint_of(20) == "Select less."
    assert hint_of(185).startswith("Select less. Only 1")
    assert "MB of the cap are left for the next statement" in hint_of(185)
    assert "`%tusk disconnect`" in hint_of(185)


@pytest.mark.soak
def test_duckdb_spills_earlier_where_the_heaps_have_grown_for_good(client, capped):
    for _ in range(2):
        with pytest.raises(errors.TuskError):
            capped("SELECT map(range(1000000), range(1000000)) FROM range(9) t(i)")
        assert capped("SELECT i, md5(i::VARCHAR) AS a FROM range(3000000) t(i) ORDER BY a").rows == 3_000_000


def test_a_sort_larger_than_the_cap_is_streamed_into_a_file(client, capped, tmp_path):
    """600,000 rows with texts of 960 bytes; the batches on their way took what the sort had left."""
    with sink_for(tmp_path / "sorted.parquet") as sink:
        assert capped(SORT, sink=sink).rows == 600_000
    assert (tmp_path / "sorted.parquet").exists()


def test_sqlite_names_the_cap(client, tmp_path):
    connect(client, "small", str(tmp_path / "small.db"), 200)
    with pytest.raises(errors.TuskError) as caught:
        client.run(
            control.RunRequest(
                session="",
                connection="small",
                sql="WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400000) "
                "SELECT length(group_concat(hex(randomblob(1000)))) FROM c",
            )
        )
    assert caught.value.scenario == "memory_limit"
    assert "200 MB (`memory_limit_mb`)" in caught.value.hint


THOUSANDS = (
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT n, 'some text' AS v FROM c"
)
LEAST_MB = {"duckdb": 384, "postgresql": 320, "mysql": 320, "sqlite": 192}
ROOM = 0.85
"""Of the least cap: what a process has may be that much. It varies by 13 MB from start to start; DuckDB's had all of it."""


def test_a_cap_with_which_no_process_lives_is_refused_with_the_least(engine):
    client, least = engine.client, LEAST_MB[engine.name]
    known = client.call(control.GetConnection(session=client.session, name=engine.name)).connection

    def connect_with(cap):
        secrets, tier = ({"password": engine.password}, "memory") if engine.password else ({}, None)
        client.call(
            control.SaveConnection(
                session=client.session, name=engine.name, driver=known.driver, config=known.config, secrets=secrets, tier=tier,
                memory_limit_mb=cap, replace=True,
            )
        )  # fmt: skip

    with pytest.raises(errors.UsageError, match=f"needs {least} MB"):
        connect_with(least - 1)
    connect_with(least)
    for _ in range(5):
        assert engine.value("SELECT 42") == 42
    assert engine.run(THOUSANDS).rows == 900
    serving = [one for one in processes_of(client.link.places.home) if _cap_mb(one) == least]
    assert len(serving) == 1
    assert serving[0].memory_info().data <= ROOM * least * MEBIBYTE


def _cap_mb(process):
    return process.rlimit(psutil.RLIMIT_DATA)[0] // MEBIBYTE


def test_the_usual_cap_may_be_none_but_not_too_small(client):
    with pytest.raises(errors.UsageError, match="from 384 on"):
        client.call(control.SetPreference(name="memory_limit_mb", value="100"))
    client.call(control.SetPreference(name="memory_limit_mb", value="0"))


def test_postgresqls_driver_reads_intervals_without_numpy(client, postgresql, tusk_home):
    """10 MB and four threads of each driver, and a third of its start."""
    connect(client, "pg", postgresql.url, None)
    sql = "SELECT interval '1 year 2 mons 3 days 04:05:06.789' AS span"
    table = client.run(control.RunRequest(session="", connection="pg", sql=sql)).table
    assert table.column(0).to_pylist() == [(14, 3, 14_706_789_000_000)]
    drivers = [one for one in processes_of(tusk_home) if "tusk_drivers.postgresql" in one.cmdline()]
    assert drivers
    assert not any("numpy" in Path(f"/proc/{one.pid}/maps").read_text() for one in drivers)
