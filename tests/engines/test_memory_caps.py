"""A result or a table that is too large for its driver's cap: the cap is named, and the way out, whichever library hit it."""

from __future__ import annotations

import contextlib
import re

import pyarrow as pa
import pytest
from engines.conftest import connect

from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.scenarios import memory_hint

pytestmark = pytest.mark.home("own", spares=False)

CAP_MB = 320
TOO_LARGE = {
    "postgresql": [
        "SELECT repeat('x', 400000000)",  # one value: libpq
        "SELECT repeat('x', 110000000) FROM generate_series(1, 3)",  # a batch: what copies and parses it
        "INSERT INTO capped SELECT repeat('x', 400000000) RETURNING v",
    ],
    "mysql": [
        "SELECT repeat('x', 60000000) UNION ALL SELECT repeat('y', 60000000) UNION ALL SELECT repeat('z', 60000000)",
    ],
}


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_cap_that_is_hit_is_named(request, client, kind):  # R11
    server = request.getfixturevalue({"mysql": "mariadb"}.get(kind, kind))
    connect(client, "small", server.url, tier="memory", memory_limit_mb=CAP_MB)

    connect(client, "ample", server.url, tier="memory")

    def run(sql: str, *, on: str = "ample") -> object:
        return client.run(control.RunRequest(session="", connection=on, sql=sql)).table

    run("CREATE TABLE capped (v LONGTEXT)" if kind == "mysql" else "CREATE TABLE capped (v text)")
    try:
        for sql in TOO_LARGE[kind]:
            with pytest.raises(errors.DriverError) as caught:
                run(sql, on="small")
            assert "memory" in caught.value.message, caught.value
            assert "memory_limit_mb" in str(caught.value), caught.value
        with contextlib.suppress(errors.SessionLost):  # said once, where the last of them had something in its session
            run("SELECT 1", on="small")
        with pytest.raises(errors.DriverError) as caught:
            wide = pa.table({"v": ["x" * 1_000_000] * 150})
            client.upload(control.UploadRequest(session="", connection="small", table="capped", append=True), wide)
        assert "memory" in str(caught.value), caught.value
        assert run("SELECT count(*) FROM capped").column(0).to_pylist() == [0]
    finally:
        run("DROP TABLE capped")


@pytest.mark.parametrize(
    "exc",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        pa.lib.ArrowException("Unknown error: Failed to launch worker thread: Resource temporarily unavailable"),
    ],
)
def test_a_thread_whose_stack_is_refused_is_memory(exc):
    assert memory.told(exc).scenario == "memory_limit"


@pytest.mark.parametrize("cap_mb", [64, 160, 384, 4096])
def test_the_cap_that_a_hint_proposes_is_taken(client, cap_mb):
    proposed = re.search(r"set memory_limit_mb (\d+)", memory_hint(cap_mb))
    assert int(proposed[1]) > cap_mb
    client.call(control.SetPreference(name="memory_limit_mb", value=proposed[1]))
