"""What the kernel knows of its connections: never waited for, fetched behind the keystroke, renewed with the stamp."""

from __future__ import annotations

import threading
from typing import Any

import pyarrow.flight  # noqa: F401 - as after the first run: a keystroke then waits a moment for the core
import pytest
from services.waiting import wait_until

from completion.schemas import shop
from tusk_jupyter.errors import CoreError, UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.driver import Snapshot
from tusk_magics.completion import schema
from tusk_magics.completion.schema import Schemas


class Core:
    """A core whose answers are given by the test; `gate` holds them back."""

    session = "s"
    last_connection = None
    last_was_chosen = False

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[Any] = []
        self.snapshots: dict[str, tuple[str, Snapshot]] = {"lake": ("1", shop("duckdb")), "shop": ("2", shop("mysql"))}
        self.dialects = {"lake": "duckdb", "shop": "mysql"}
        self.states: list[str] = []
        self.current = "lake"
        self.error: Exception | None = None

    def call(self, request: Any, *, timeout_s: float | None = 60.0) -> Any:
        self.asked.append(request)
        assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        if isinstance(request, control.ListConnections):
            return control.ConnectionList(connections=())
        name = request.connection or self.current
        stamp, snapshot = self.snapshots[name]
        state = self.states.pop(0) if self.states else "fresh"
        taking = state in ("taking", "failed")
        return control.SchemaSnapshot(
            connection=name, driver="d", dialect=self.dialects[name], state=state, stamp="" if taking else stamp,
            snapshot=None if taking or request.known == stamp else snapshot,
        )  # fmt: skip


@pytest.fixture
def core():
    core = Core()
    yield core
    core.gate.set()


@pytest.fixture
def schemas(core, monkeypatch):
    monkeypatch.setattr(schema, "AGAIN_S", 0.0)
    return Schemas(lambda: core)


def names(known) -> list[str]:
    return [table.path[-1] for table in known.index.tables] if known.index else []


def test_a_core_that_does_not_answer_holds_no_keystroke_up(core, schemas):
    core.gate.clear()
    for _ in range(5):
        assert schemas.of("lake").index is None
        assert schemas.connections() == ()
    assert len(core.asked) == 2, "one question each is under way, however often one types"
    core.gate.set()
    assert "orders" in wait_until(lambda: names(schemas.of("lake")))


def test_what_is_known_is_used_while_the_core_is_busy(core, schemas):
    wait_until(lambda: schemas.of("lake").index)
    core.gate.clear()
    assert "orders" in names(schemas.of("lake"))


def test_an_index_is_built_once_per_stamp(core, schemas):
    first = wait_until(lambda: schemas.of("lake").index)
    assert schemas.of("lake").index is first
    assert core.asked[-1].known == "1"
    core.snapshots["lake"] = ("9", Snapshot(tables=()))
    wait_until(lambda: schemas.of("lake").stamp == "9")
    assert names(schemas.of("lake")) == []


def test_a_snapshot_that_is_being_taken_is_stayed_with(core, schemas):
    core.states = ["taking", "taking", "fresh"]
    assert "orders" in wait_until(lambda: names(schemas.of("lake")))
    assert [request.wait_s > 0 for request in core.asked][:3] == [False, True, True]


def test_the_current_connection_may_change(core, schemas):
    assert wait_until(lambda: schemas.of(None).index).dialect == "duckdb"
    core.current = "shop"
    assert wait_until(lambda: schemas.of(None).connection == "shop" and schemas.of(None).index).dialect == "mysql"


def test_two_connections_with_the_same_tables_share_an_index(core, schemas):
    core.snapshots["shop"], core.dialects["shop"] = core.snapshots["lake"], "duckdb"
    index = wait_until(lambda: schemas.of(None).index)
    core.current = "shop"
    wait_until(lambda: schemas.of(None).connection == "shop")
    assert schemas.of(None).index is index


@pytest.mark.parametrize("error", [CoreError("gone"), UsageError("no such connection"), RuntimeError("a bug")])
def test_errors_leave_what_was_known(core, schemas, error):
    wait_until(lambda: schemas.of("lake").index)
    core.error = error
    assert "orders" in names(schemas.of("lake"))
    assert schemas.of("nowhere").index is None
    assert schemas.describe(schemas.of("lake"), ("lake", "main", "orders")) is None


def test_a_run_has_everything_asked_again_without_waiting(core, monkeypatch):
    monkeypatch.setattr(schema, "AGAIN_S", 1000.0)
    schemas = Schemas(lambda: core)
    wait_until(lambda: schemas.of("lake").index)
    asked = len(core.asked)
    schemas.of("lake")
    assert len(core.asked) == asked
    core.snapshots["lake"] = ("9", Snapshot(tables=()))
    schemas.refresh()
    wait_until(lambda: schemas.of("lake").stamp == "9")


def test_without_flight_the_first_keystroke_does_not_wait_for_its_import(core, monkeypatch):
    monkeypatch.setattr(schema, "_LIGHT", "no.such.module")
    schemas = Schemas(lambda: core)
    assert schemas.of("lake").index is None
    wait_until(lambda: schemas.of("lake").index)


def test_a_schema_that_is_read_is_waited_for_once_and_said_to_be_read(core, monkeypatch):
    monkeypatch.setattr(schema, "SOON_S", 1000.0)
    schemas = Schemas(lambda: core)
    core.gate.clear()
    schemas.of("lake")
    assert schemas.is_reading("lake")
    threading.Timer(0.05, core.gate.set).start()
    assert "orders" in names(schemas.soon("lake")), "the first keystroke has the list"
    assert not schemas.is_reading("lake")


def test_what_cannot_be_read_is_said_and_a_connection_that_is_none_is_not_being_read(core, schemas):
    core.states = ["failed"]
    core.snapshots["lake"] = ("", None)
    wait_until(lambda: schemas.of("lake").failed)
    core.error = CoreError("no such connection")
    schemas.of("nowhere")
    wait_until(lambda: not schemas.is_reading("nowhere"))
    core.gate.clear()
    schemas.of("nowhere")
    assert not schemas.is_reading("nowhere"), "though it is asked for again"
