"""What every engine must do through the whole path: kernel, core, driver process, database, and back."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

import pyarrow as pa
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.client import frames
from tusk_jupyter.client.runs import Drivers
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


def test_a_small_result_comes_in_one_message(engine, monkeypatch):
    """Its rows and its trailer: a second message would cost a tenth of a warm `SELECT 1`."""
    chunks = []
    found = Drivers.at
    monkeypatch.setattr(Drivers, "at", lambda self, place: Watched(found(self, place), chunks))
    assert engine.value("SELECT 1 AS one") == 1
    assert [chunk.data.num_rows for chunk in chunks] == [1]


class Watched:
    """A link to a driver, and a stream of it, that notes what is read."""

    def __init__(self, watched, chunks):
        self._watched, self._chunks = watched, chunks

    def do_get(self, ticket):
        return Watched(self._watched.do_get(ticket), self._chunks)

    @property
    def schema(self):
        return self._watched.schema

    def read_chunk(self):
        self._chunks.append(self._watched.read_chunk())
        return self._chunks[-1]


def press_interrupt_once_running(engine) -> threading.Thread:
    def press():
        wait_until(
            lambda: [one for one in engine.client.call(control.ListRuns()).runs if one.sql == engine.long],
            60.0,
            "the run is under way",
        )
        if engine.on_server is not None:
            wait_until(engine.on_server, 15.0, "the server runs it")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def test_an_interrupt_stops_the_statement_on_the_server_and_keeps_the_session(engine):  # TK-30, R-20, UX 4
    engine.run("CREATE TEMP TABLE kept AS SELECT 42 AS n" if engine.name != "mysql" else "SET @kept = 42")
    presser = press_interrupt_once_running(engine)
    with pytest.raises(errors.Cancelled):
        engine.run(engine.long)
    presser.join()
    if engine.on_server is not None:
        wait_until(lambda: engine.on_server() == 0, 1.0, "the server's own list shows the statement gone")
    assert engine.value("SELECT n FROM kept" if engine.name != "mysql" else "SELECT @kept") == 42


def test_a_timeout_stops_the_statement_on_the_server(engine):  # TK-12
    with pytest.raises(errors.TimeoutExceeded):
        engine.run(engine.long, timeout_s=1)
    if engine.on_server is not None:
        wait_until(lambda: engine.on_server() == 0, 1.0, "the server's own list shows the statement gone")
    assert engine.value("SELECT 1") == 1


def test_a_transaction_and_its_rollback_span_cells(engine):  # C-03
    engine.run("CREATE TABLE spans (n integer)")
    try:
        assert engine.run("BEGIN").transaction == "open"
        engine.run("INSERT INTO spans VALUES (1), (2)")
        assert engine.value("SELECT count(*) FROM spans") == 2
        assert engine.run("ROLLBACK").transaction == "idle"
        assert engine.value("SELECT count(*) FROM spans") == 0
    finally:
        engine.run("DROP TABLE spans")


def test_parameters_of_every_type_come_back_as_they_were(engine):  # NL-28, R-30
    hostile = "Robert'); DROP TABLE students;-- \\ \" % :x ? $1 é 😀"
    row = engine.run("SELECT :text AS a, :number AS b", parameters={"text": hostile, "number": 7}).table.to_pylist()[0]
    assert row["a"] == hostile
    assert int(row["b"]) == 7


def test_an_error_points_into_the_submitted_text(engine):  # UX 17
    sql = "-- a comment first\nSELECT nonsense_column FROM (SELECT 1 AS n) t"
    with pytest.raises(errors.QueryError) as caught:
        engine.run(sql)
    assert caught.value.hint
    assert caught.value.scenario == "undefined_column"
    if engine.name in ("duckdb", "postgresql"):  # the others' client libraries give no offset that could be trusted
        assert sql[caught.value.position :].startswith("nonsense_column")


def test_the_frame_has_exact_types(engine):  # DESIGN section 5, UX 21
    table = engine.run(
        "SELECT 9007199254740993 AS big, NULL AS absent, 'x' AS word UNION ALL SELECT NULL, NULL, ''"
    ).table
    frame = frames.to_pandas(table, decimal="exact")
    assert frame["big"].dropna().tolist() == [9007199254740993]
    assert frame["word"].tolist() == ["x", ""]


def test_a_read_only_run_cannot_write_and_the_next_one_can(engine):  # TK-11
    with pytest.raises(errors.TuskError) as caught:
        engine.run("CREATE TABLE refused (n integer)", read_only=True)
    assert caught.value.scenario == "read_only"
    engine.run("CREATE TABLE allowed (n integer)")
    engine.run("DROP TABLE allowed")


@pytest.mark.home("own")
def test_a_killed_driver_loses_its_session_and_the_next_run_has_a_new_one(engine):
    import psutil

    engine.run("SELECT 1")
    core = engine.client.call(control.GetCoreStatus(client_version="t", protocol=1))
    killed = []
    thread = threading.Thread(
        target=lambda: (time.sleep(0.5), killed.extend(kill_driver(psutil, core.pid, engine.name)))
    )
    thread.start()
    with pytest.raises(errors.DriverCrashed):
        engine.run(engine.long)
    thread.join()
    wait_until(
        lambda: not any(one.is_running() for one in killed), 20.0, "the core noticed that they are gone, the spare too"
    )
    if engine.on_server is not None:
        wait_until(lambda: engine.on_server() == 0, 20.0, "the server noticed that its client has gone")
    assert engine.value("SELECT 1") == 1


def kill_driver(psutil, core_pid, name):
    found = [one for one in psutil.Process(core_pid).children() if f"tusk_drivers.{name}" in one.cmdline()]
    for process in found:
        process.kill()
    return found


def test_a_table_goes_up_and_comes_back_equal(engine):
    import datetime
    from decimal import Decimal

    import pyarrow as pa

    table = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int64()),
            "name": ["Ann", "", None],
            "price": pa.array([Decimal("1.10"), None, Decimal("-99999.99")], pa.decimal128(12, 2)),
            "at": pa.array([datetime.datetime(2024, 2, 29, 23, 59, 59, 999999), None, None], pa.timestamp("us")),
            "ok": [True, None, False],
            "select": [1.5, None, -0.1],
        }
    )
    request = control.UploadRequest(session="", connection=engine.name, table="uploaded")
    uploaded = engine.client.upload(request, table)
    assert uploaded.statements[0].affected == 3
    try:
        back = engine.run("SELECT * FROM uploaded").table
        assert back.schema.names == table.schema.names
        assert back.column("id").to_pylist() == [1, 2, None]
        assert back.column("name").to_pylist() == ["Ann", "", None]
        assert [None if one is None else str(one) for one in back.column("price").to_pylist()] == [
            "1.10",
            None,
            "-99999.99",
        ]
        assert back.column("select").to_pylist() == [1.5, None, -0.1]
        with pytest.raises(errors.TuskError):
            engine.client.upload(request, table)
        append = control.UploadRequest(session="", connection=engine.name, table="uploaded", append=True)
        engine.client.upload(append, table)
        assert engine.value("SELECT count(*) FROM uploaded") == 6
    finally:
        engine.run("DROP TABLE uploaded")


COMMANDS = {
    "postgresql": (r"\dt", r"SELECT 1 AS a \gx", "SHOW TABLES"),
    "mysql": (r"SELECT 1 AS a\G", "SOURCE x.sql", r"\s"),
    "sqlite": (".tables", "SELECT 1 AS a; .schema t"),
    "duckdb": (".read x.sql", r"\d"),
}
TAKEN = {
    "postgresql": "SHOW search_path",
    "mysql": "DELIMITER //\nSHOW TABLES//\nHELP 'contents'//\nDELIMITER ;",
    "sqlite": "PRAGMA table_list",
    "duckdb": "SHOW TABLES; DESCRIBE SELECT 1",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_shells_command_is_sent_as_it_is_and_its_error_says_what_to_write_here(name, request):
    engine = request.getfixturevalue(f"{name}_engine")
    for sql in COMMANDS[name]:
        with pytest.raises(errors.QueryError) as caught:
            engine.run(sql)
        assert re.search(r"is a command of a shell .* and no SQL\.|is MySQL's", caught.value.hint), sql
    engine.run(TAKEN[name])


def test_a_table_that_is_there_is_told_with_the_ways_on(engine):
    rows = pa.table({"a": [1]})
    request = control.UploadRequest(session=engine.client.session, connection=engine.name, table="there", append=False)
    engine.client.upload(request, rows)
    try:
        with pytest.raises(errors.QueryError) as caught:
            engine.client.upload(request, rows)
        assert caught.value.scenario == "table_exists"
        assert "`--append DF AS there`" in (caught.value.hint or "")
        with pytest.raises(errors.QueryError) as caught:
            engine.run("CREATE TABLE there (a INTEGER)")
        assert caught.value.scenario == "table_exists"
        assert "IF NOT EXISTS" in (caught.value.hint or "")
    finally:
        engine.run("DROP TABLE there")
