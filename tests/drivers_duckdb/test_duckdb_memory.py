"""DuckDB spills to disk under the process's memory cap instead of failing, and says which setting is the limit."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from tusk_drivers.duckdb.errors import translate

PROGRAM = """
import json, os, resource, sys
os.environ["MIMALLOC_ARENA_EAGER_COMMIT"] = "0"
os.environ["DUCKDB_JE_MALLOC_CONF"] = "retain:false"
import pyarrow.flight
from tusk_drivers.duckdb.session import SESSION
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.sqltext.statements import split

cap, statements, config = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_DATA, (cap << 20, cap << 20))
session = SESSION.connect(Settings(config=config))
found = [session.server]
for sql in statements:
    try:
        outcome = session.execute(split(sql, "duckdb")[0], {})
        rows = 0
        for batch in outcome.batches:
            rows, last = rows + batch.num_rows, batch
        found.append([rows, [str(value) for value in last.slice(last.num_rows - 1).to_pylist()[0].values()]])
    except errors.TuskError as exc:
        found.append([exc.scenario, exc.message, exc.hint])
session.close()
print(json.dumps(found))
"""

GROUP = (
    "SELECT count(*) AS groups, sum(n) AS n FROM (SELECT md5(i::VARCHAR) AS a, md5((i + 1)::VARCHAR) AS b, "
    "md5((i + 2)::VARCHAR) AS c, count(*) AS n FROM range({rows}) t(i) GROUP BY ALL)"
)
SORT = "SELECT md5(i::VARCHAR) AS a, md5((i + 1)::VARCHAR) AS b, md5((i + 2)::VARCHAR) AS c FROM range({rows}) t(i) ORDER BY a"
LIMIT = "SELECT current_setting('memory_limit') AS l, current_setting('threads') AS t"


def under(cap: int, *statements: str, **config: object) -> list[list[object]]:
    """Run statements in a process whose data is capped at `cap` MB; return the server's words and each one's outcome."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([cap, statements, config])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_an_aggregation_and_a_sort_larger_than_the_cap_end_by_spilling() -> None:  # R11
    """3,000,000 groups of three texts, and as many rows to sort, are 320 MB before any pointer; 168 MB are DuckDB's."""
    _, limit, grouped, ordered = under(512, LIMIT, GROUP.format(rows=3_000_000), SORT.format(rows=3_000_000))
    assert float(str(limit[1][0]).split()[0]) < 250
    assert grouped[1] == ["3000000", "3000000"]
    assert ordered[0] == 3_000_000
    assert ordered[1][0] == "fffffe98d0963d27015c198262d97221", "the last of the order"


def test_a_limit_that_does_not_do_is_named_and_the_session_goes_on() -> None:
    _, failed, again = under(400, "SELECT list(md5(i::VARCHAR)) AS l FROM range(20000000) t(i)", "SELECT 42 AS n")
    assert failed[0] == "memory_limit"
    assert "400 MB (`memory_limit_mb`)" in failed[2]
    assert "%tusk set memory_limit_mb 800" in failed[2]
    assert again[1] == ["42"]


def test_a_connections_own_limit_is_named_where_it_is_the_smaller_one_and_lowered_where_it_is_not() -> None:
    server, failed, _ = under(
        2048, "SELECT list(md5(i::VARCHAR)) AS l FROM range(3000000) t(i)", LIMIT, memory_limit="100MB"
    )
    assert "lowered" not in server
    assert "`memory_limit`" in failed[2]
    server, limit = under(1024, LIMIT, memory_limit="8GB", threads=1)
    assert "memory_limit lowered to" in server
    assert "cap of 1024 MB" in server
    assert "MiB" in limit[1][0]


@pytest.mark.parametrize(
    "exc",
    [
        duckdb.OutOfMemoryException("Out of Memory Error: Failed to allocate block of 262144 bytes (bad allocation)"),
        duckdb.OutOfMemoryException("Out of Memory Error: Allocation failure"),
        duckdb.InternalException("INTERNAL Error: std::bad_alloc"),
        duckdb.IOException("IO Error: mmap failed: Cannot allocate memory"),
        OSError("ArrowBuffer: failed to allocate 8388608 bytes"),
        RuntimeError("std::bad_alloc"),
        pa.ArrowMemoryError("malloc of size 33554432 failed"),
        pa.ArrowInvalid(
            '{"exception_type":"Out of Memory","exception_message":"ArrowBuffer: failed to allocate 64 bytes"}'
        ),
    ],
)
def test_every_form_of_a_refused_allocation_is_the_memory_limit(exc: Exception) -> None:
    found = translate(exc)
    assert found.scenario == "memory_limit"
    assert found.message.startswith("There was not enough memory: ")
    assert "--to" not in (found.hint or ""), "a file gets its rows from the same process"


@pytest.mark.parametrize(
    "exc",
    [
        duckdb.InvalidInputException("Invalid Input Error: out of memory"),  # error('out of memory')
        duckdb.IOException("IO Error: Cannot open file: Permission denied"),
    ],
)
def test_other_errors_are_not(exc: Exception) -> None:
    assert translate(exc).scenario != "memory_limit"


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_large_aggregation_and_sort_end_under_the_usual_cap() -> None:  # R11
    """24,000,000 groups of three texts under 4096 MB, and a sort of three times the cap."""
    _, grouped = under(4096, GROUP.format(rows=24_000_000))
    assert grouped[1] == ["24000000", "24000000"]
    _, ordered = under(1024, SORT.format(rows=26_000_000))
    assert ordered[0] == 26_000_000
