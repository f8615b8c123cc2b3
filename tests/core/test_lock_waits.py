"""Who is asked about locks, and when: silent runs only, one question at a time for a connection, capable drivers only."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from services import wait_until

from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.manifest import Capabilities
from tusk_jupyter.service.lock_waits import LockWaits
from tusk_jupyter.service.lock_words import LockWords, Told
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.sessions import Session, State

FIRST_S = 3.0


class Watched:
    """Runs whose silence a test decides, and a server that answers when it is let."""

    def __init__(self, *, lock_waits: bool = True) -> None:
        self.capable = lock_waits
        self.runs: list[Run] = []
        self.asked: list[tuple[str, ...]] = []
        self.answers: list[driver.LockWait] = []
        self.changes = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.locks = LockWaits(
            runs=lambda: self.runs,
            words=LockWords(lambda: [run.session for run in self.runs], lambda _: None, lambda _: "a.ipynb"),
            ask=self._answer,
            first_s=lambda: FIRST_S,
            changed=self._changed,
        )

    def _answer(self, _: Session, backends: tuple[str, ...]) -> list[driver.LockWait]:
        self.asked.append(backends)
        assert self.may_answer.wait(10)
        return self.answers

    def _changed(self) -> None:
        self.changes += 1

    def run(self, backend: str, *, silent_s: float, connection: str = "c", command: str | None = None) -> Run:
        record = SimpleNamespace(
            id=connection, name=connection, driver="db", config={"host": "db"}, password_command=command
        )
        capabilities = Capabilities(lock_waits=self.capable)
        process = SimpleNamespace(
            pid=1, ended=False, manifest=SimpleNamespace(capabilities=capabilities, properties={})
        )
        session = Session("client", record, state=State.CONNECTED, process=process, backend=backend)
        run = Run(session=session, source="", cell=None, sql="", timeout_s=None, fetched=True)
        run.heard -= silent_s
        self.runs.append(run)
        return run

    def tick(self) -> None:
        self.locks.tick()

    def answered(self, count: int) -> None:
        wait_until(lambda: len(self.asked) == count and not self.locks._asking, 10.0, f"{count} questions are answered")


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_run_is_asked_about_once_it_has_been_silent_and_then_at_growing_intervals(watched):
    run = watched.run("1", silent_s=FIRST_S / 2)
    watched.tick()
    assert watched.asked == []
    run.heard -= FIRST_S  # as time goes by
    watched.locks._asked.clear()
    watched.tick()
    watched.answered(1)
    watched.tick()
    assert len(watched.asked) == 1, "not before the next step"
    assert [round(one.next - run.heard) for one in watched.locks._asked.values()] == [10]


def test_news_of_a_run_end_what_was_told_of_it(watched):
    run = watched.run("1", silent_s=4)
    watched.answers = [driver.LockWait(backend="1", holders=(driver.LockHolder(backend="9", user="bob"),))]
    watched.tick()
    watched.answered(1)
    wait_until(lambda: run.waits_for, 10.0, "it is told")
    assert run.waits_for == "a lock of session 9 of user bob"
    run.heard += 3.9  # a row has come
    watched.tick()
    assert (run.waits_for, run.way_out) == ("", "")
    assert watched.changes == 2


def test_all_silent_runs_of_a_connection_are_one_question_and_none_goes_before_its_answer(watched):
    watched.may_answer.clear()
    watched.run("1", silent_s=4)
    watched.run("2", silent_s=4)
    watched.run("3", silent_s=4, connection="other")
    for _ in range(3):
        watched.tick()
    wait_until(lambda: len(watched.asked) == 2, 10.0, "each connection is asked")
    watched.tick()
    watched.may_answer.set()
    watched.answered(2)
    assert sorted(watched.asked) == [("1", "2"), ("3",)]


def test_a_driver_that_declares_nothing_is_never_asked():
    watched = Watched(lock_waits=False)
    watched.run("1", silent_s=1000)
    watched.tick()
    assert watched.asked == []
    assert not watched.locks._asking


def test_a_connection_whose_password_comes_from_a_command_is_asked_once(watched):
    run = watched.run("1", silent_s=4, command="pass show db")
    watched.answers = [driver.LockWait(backend="1", hidden="nobody may know")]
    watched.tick()
    watched.answered(1)
    wait_until(lambda: run.waits_for, 10.0, "it is told")
    watched.locks._asked[run.id].next = 0
    watched.tick()
    assert len(watched.asked) == 1


def test_a_server_that_fails_to_answer_costs_the_run_nothing(watched):
    run = watched.run("1", silent_s=4)
    watched.locks._ask = lambda *_: 1 / 0
    watched.tick()
    wait_until(lambda: watched.locks._asked[run.id].times == 1, 10.0, "it was asked")
    assert run.running
    assert run.waits_for == ""


def test_who_waits_in_a_circle_is_told_without_end(watched):
    """As a server says it a moment before it finds the deadlock."""
    run = watched.run("1", silent_s=4)
    watched.answers = [
        driver.LockWait(backend="1", holders=(driver.LockHolder(backend="2"),)),
        driver.LockWait(backend="2", holders=(driver.LockHolder(backend="1"),)),
    ]
    watched.tick()
    watched.answered(1)
    wait_until(lambda: run.waits_for, 10.0, "it is told")
    assert run.waits_for == "a lock of session 2, which waits for a lock of session 1"


def test_a_wait_that_cannot_be_put_into_words_is_asked_about_no_more_often(watched, monkeypatch):
    """A process would sign in five times a second."""
    run = watched.run("1", silent_s=4)
    embedded = watched.run("2", silent_s=4)
    embedded.session.has_server = False
    embedded.lock_wait = driver.LockWait(hidden="x")
    watched.answers = [driver.LockWait(backend="1", hidden="x")]
    monkeypatch.setattr(LockWords, "told", lambda *_: 1 / 0)
    watched.tick()
    watched.answered(1)
    wait_until(lambda: watched.locks._asked[run.id].times == 1, 10.0, "it is done with")
    watched.tick()
    assert len(watched.asked) == 1
    assert (run.waits_for, embedded.waits_for) == ("", "")


def test_a_question_is_under_way_until_its_answer_is_told(watched, monkeypatch):
    """Else a tick in between would ask a second time."""
    under_way = []
    watched.run("1", silent_s=4)
    watched.answers = [driver.LockWait(backend="1", hidden="x")]

    def told(*_: object) -> Told:
        under_way.extend(watched.locks._asking)
        return Told(waits_for="x", way_out="")

    monkeypatch.setattr(LockWords, "told", told)
    watched.tick()
    wait_until(lambda: under_way, 10.0, "it is told")
    assert under_way == ["c"]


def test_a_session_that_is_closed_between_two_looks_at_it_is_no_holder():
    class Closing:
        """A session that loses its process as soon as somebody has seen it."""

        has_server, backend, connection = False, None, SimpleNamespace(driver="db", config={"path": "x"})
        seen = False

        @property
        def process(self) -> SimpleNamespace | None:
            gone, self.seen = self.seen, True
            return None if gone else SimpleNamespace(pid=7, manifest=SimpleNamespace(properties={}))

    words = LockWords(lambda: [Closing()], lambda _: None, lambda _: "")
    waiting = SimpleNamespace(has_server=False, client="a", connection=Closing.connection)
    wait = driver.LockWait(holders=(driver.LockHolder(backend="8", application="shell"),))
    assert words.told(SimpleNamespace(session=waiting), wait, {}).waits_for == "a lock of shell"
