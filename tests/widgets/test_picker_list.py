"""The list, the steps of a test, what is held, and the thread that watches."""

from __future__ import annotations

import threading

import pytest
from services import wait_until

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import Changes, Connection, ConnectionTested
from tusk_widgets.picker_list import Choice
from tusk_widgets.picker_messages import Try, read
from tusk_widgets.picker_secrets import Held
from tusk_widgets.picker_steps import steps
from tusk_widgets.picker_watch import LEASE_S, Watch


def connection(name: str, **more) -> Connection:
    said = {"id": f"id-{name}", "driver": "duckdb", "config": {}, "target": f"/{name}"}
    return Connection(**{**said, "name": name, **more})


def names(lines) -> list[str]:
    return [line["name"] for line in lines]


def test_the_current_one_is_on_top_the_others_by_name():
    lines = Choice().lines([connection("b"), connection("C"), connection("a"), connection("z", current=True)])
    assert names(lines) == ["z", "a", "b", "C"]
    assert [line["current"] for line in lines] == [True, False, False, False]


def test_a_chosen_connection_that_was_removed_stays_and_is_never_swapped():
    choice = Choice()
    choice.lines([connection("a"), connection("shop", current=True, state="connected")])
    lines = choice.lines([connection("a")])
    assert names(lines) == ["shop", "a"]
    assert (lines[0]["missing"], lines[0]["current"], lines[0]["state"]) == (True, True, "disconnected")
    assert (lines[1]["missing"], lines[1]["current"]) == (False, False)
    assert choice.name == "shop"
    assert choice.missing


def test_a_removed_one_that_comes_back_or_another_pick_ends_that():
    choice = Choice()
    choice.lines([connection("shop", current=True)])
    choice.lines([])
    assert choice.lines([connection("shop", id="new")])[0]["missing"] is False
    choice.lines([])
    lines = choice.lines([connection("a", current=True)])
    assert names(lines) == ["a"]
    assert not choice.missing


def test_a_renamed_one_stays_chosen_and_a_core_that_forgot_the_choice_changes_nothing():
    choice = Choice()
    choice.lines([connection("shop", current=True), connection("a")])
    lines = choice.lines([connection("a"), connection("store", id="id-shop")])
    assert (names(lines), choice.name) == (["store", "a"], "store")


SERVER = ["name", "tcp", "tls", "sign-in", "database"]


@pytest.mark.parametrize(("stage", "reached"), [(stage, at) for at, stage in enumerate(SERVER)])
def test_steps_say_how_far_a_test_came(stage, reached):
    found = steps(ConnectionTested(ok=False, stage=stage), {"host": "db1"})
    assert [one["stage"] for one in found] == SERVER
    assert [one["mark"] for one in found] == ["done"] * reached + ["failed"] + ["open"] * (4 - reached)


def test_steps_are_those_of_the_road():
    done = ConnectionTested(ok=True, stage="done")
    assert [one["stage"] for one in steps(done, {"path": "x"})] == ["file"]
    assert [one["stage"] for one in steps(done, {"host": "/run/pg"})] == ["tcp", "sign-in", "database"]
    assert [one["stage"] for one in steps(done, {"unix_socket": "/run/x"})] == ["tcp", "sign-in", "database"]
    assert "tls" not in [one["stage"] for one in steps(done, {"host": "h", "sslmode": "disable"})]
    assert {one["mark"] for one in steps(done, {})} == {"done"}


def test_a_failure_off_the_road_or_before_it_hides_nothing():
    off = steps(ConnectionTested(ok=False, stage="tls"), {"host": "h", "sslmode": "disable"})
    assert ("tls", "failed") in [(one["stage"], one["mark"]) for one in off]
    before = steps(ConnectionTested(ok=False, stage="start"), {"host": "h"})
    assert {one["mark"] for one in before} == {"open"}


def test_what_is_typed_is_held_by_form_and_goes_with_it():
    held = Held()
    held.add("v/1", {"password": "c4nary"})
    held.add("v/1", {"sslpassword": "x"})
    held.add("w/1", {"password": "other"})
    assert held.of("v/1") == {"password": "c4nary", "sslpassword": "x"}
    assert "c4nary" not in repr(held)
    held.drop_view("v")
    assert held.of("v/1") == {}
    assert held.of("w/1") == {"password": "other"}
    held.drop("w/1")
    assert held.of("w/1") == {}


def test_a_message_that_is_none_says_nothing_of_what_it_held():
    with pytest.raises(UsageError) as caught:
        read({"kind": "try", "id": "1", "form": {"password": "c4nary"}})
    assert "c4nary" not in str(caught.value)
    assert caught.value.__cause__ is None
    good = read({"kind": "try", "id": "1", "form": {"id": "v/1", "driver": "duckdb"}, "typed": ["password"]})
    assert isinstance(good, Try)


class Core:
    """Answers a wait when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.count = 0
        self.there = True
        self.turn = threading.Semaphore(0)

    def wait(self, request) -> Changes | None:
        self.asked += 1
        self.turn.acquire()
        return Changes(core="c", counts={"connections": self.count}) if self.there else None


def test_the_thread_is_there_only_while_a_view_is():
    core, changed = Core(), threading.Event()
    watch = Watch(core.wait, changed.set)
    assert not watch.running
    watch.heard("v")
    wait_until(lambda: core.asked == 1, 10, "the thread asks")
    core.turn.release()
    wait_until(lambda: core.asked == 2, 10, "the thread asks again")
    assert not changed.is_set()
    core.count += 1
    core.turn.release()
    wait_until(changed.is_set, 10, "the change is told")
    watch.left("v")
    core.turn.release()
    wait_until(lambda: not watch.running, 10, "the thread has ended")
    watch.heard("w")
    assert watch.running
    watch.close()
    core.turn.release()
    wait_until(lambda: not watch.running, 10, "the thread has ended again")


def test_a_view_that_says_no_goodbye_is_forgotten():
    core, now = Core(), [0.0]
    watch = Watch(core.wait, lambda: None, now=lambda: now[0])
    watch.heard("v")
    now[0] = LEASE_S + 1
    core.turn.release()
    wait_until(lambda: not watch.running, 10, "the thread has ended")


def test_a_core_that_is_not_there_is_looked_for_and_not_started():
    core, changed = Core(), threading.Event()
    core.there = False
    watch = Watch(core.wait, changed.set)
    watch.heard("v")
    core.turn.release()
    watch.left("v")
    wait_until(lambda: not watch.running, 10, "the thread has ended")
    assert not changed.is_set()
