"""What the core does about runs that nobody hears of again; on a driver that says what the test wants, with time moved."""

import queue
import threading
import time
from types import SimpleNamespace

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.launch.words import Words
from tusk_jupyter.protocol import driver
from tusk_jupyter.protocol.manifest import Capabilities
from tusk_jupyter.service import runs as following
from tusk_jupyter.service.dispatch import Dispatch
from tusk_jupyter.service.run import Run
from tusk_jupyter.service.runs import Runs
from tusk_jupyter.service.sessions import Session, State


class SilentProcess:
    """A driver process that answers and says what it is given, and notes what it is asked and done to."""

    ended = False
    pid = 0

    def __init__(self, *, early_fetch=True):
        self.manifest = SimpleNamespace(capabilities=Capabilities(early_fetch=early_fetch))
        self.answers = queue.SimpleQueue()
        self.said = queue.SimpleQueue()
        self.done = []
        self.words = Words(self)

    def stream(self, request):
        return self._each(self.said)

    @staticmethod
    def _each(source):
        while (one := source.get()) is not None:
            if isinstance(one, Exception):
                raise one
            yield one

    def crash(self):
        return errors.DriverCrashed("ended")

    def call(self, request, *, timeout_s=None):
        if request.ACTION == "run":
            return next(self._each(self.answers))
        return self.done.append(request.ACTION)

    def terminate(self, why=""):
        self.done.append("terminate")

    def kill(self, why=""):
        self.done.append("kill")
        for source in (self.answers, self.said):
            source.put(errors.DriverCrashed("killed"))


@pytest.fixture
def silent_process():
    """Makes driver processes; what they say ends with the test."""
    made = []

    def make(**more):
        made.append(SilentProcess(**more))
        return made[-1]

    yield make
    for process in made:
        process.said.put(None)


@pytest.fixture
def ends():
    return []


@pytest.fixture
def runs(ends):
    return Runs(
        on_start=lambda run: None,
        on_end=ends.append,
        kill_backend=lambda session: None,
        close_session=lambda session: None,
        changed=lambda: None,
    )


def a_run(process):
    record = SimpleNamespace(name="pg", isolation="session")
    session = Session("client", record, state=State.CONNECTED, process=process)
    return Run(session=session, source="", cell=None, sql="SELECT 1", timeout_s=None)


def a_request(sql="SELECT 1"):
    return driver.Run(session="s", run="r", ticket="t", sql=sql)


def test_a_run_that_nobody_fetches_is_given_up_after_a_minute(runs, silent_process):
    process = silent_process()
    run = a_run(process)
    process.answers.put(driver.Done())
    runs.start(run, a_request(), wait_s=1.0)
    runs.tick()
    assert run.ladder is None
    run.started -= following.FETCH_TIMEOUT_S
    runs.tick()
    wait_until(lambda: process.done == ["cancel"], 5.0, "the driver was asked to end it")
    assert run.why == "unfetched"


def test_a_run_under_way_is_not_given_up_for_being_long(runs, silent_process):
    process = silent_process()
    run = a_run(process)
    process.answers.put(driver.Done())
    process.said.put(driver.RunEvent(run=run.id, event="started"))
    runs.start(run, a_request(), wait_s=1.0)
    wait_until(lambda: run.fetched, 5.0, "the core heard that it is fetched")
    run.started -= 10 * following.FETCH_TIMEOUT_S
    runs.tick()
    assert run.ladder is None


def test_a_core_rests_when_its_last_run_has_ended(runs, silent_process, ends):
    process = silent_process()
    run = a_run(process)
    process.answers.put(driver.Done())
    assert runs.rested_s > 0
    runs.start(run, a_request(), wait_s=1.0)
    assert runs.rested_s == 0
    process.said.put(driver.RunEvent(run=run.id, event="finished"))
    wait_until(lambda: not run.running, 5.0, "the run has ended")
    assert runs.rested_s > 0


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT :a"])
def test_a_driver_that_never_takes_a_run_in_is_killed(runs, monkeypatch, silent_process, ends, sql):
    monkeypatch.setattr(following, "READY_TIMEOUT_S", -1.0)
    process = silent_process()
    run = a_run(process)
    ticking = threading.Thread(target=lambda: wait_until(lambda: runs.tick() or "kill" in process.done, 10.0))
    ticking.start()
    if sql == "SELECT 1":  # logged meanwhile
        runs.start(run, a_request(sql), wait_s=1.0)
        wait_until(lambda: [one.status for one in ends] == ["failed"], 5.0, "its end is logged")
    else:
        with pytest.raises(errors.DriverCrashed):
            runs.start(run, a_request(sql), wait_s=1.0)
    ticking.join()
    assert runs.running() == []


def test_a_cancel_waits_until_the_driver_has_taken_the_run_in(runs, silent_process):
    """Or the driver, not knowing it yet, would pass over the cancel, and be ended after 4 s with all its sessions."""
    process = silent_process()
    run = a_run(process)
    runs.start(run, a_request(), wait_s=1.0)
    runs.cancel(run)
    time.sleep(0.1)
    assert process.done == []
    process.answers.put(driver.Done())
    wait_until(lambda: process.done == ["cancel"], 5.0, "the driver was asked to end it")


def test_a_run_that_its_driver_refuses_after_all_ends_with_its_words_and_keeps_its_session(runs, ends, silent_process):
    process = silent_process()
    run = a_run(process)
    run.session.transaction = "open"
    process.answers.put(errors.UsageError("not now"))
    runs.start(run, a_request(), wait_s=1.0)
    wait_until(lambda: ends and not run.running, 5.0, "its end is logged")
    assert (ends[0].status, run.error.message, ends[0].event.alive) == ("failed", "not now", True)
    assert run.session.transaction == "open"  # or it would be closed as idle, with what is open in it
    assert run.session.turn.acquire(timeout=0)


@pytest.mark.parametrize("sql", ["-- nothing", "SELECT :a", " "])
def test_what_a_driver_may_refuse_is_not_logged_before_it_has_answered(sql, ends, silent_process):
    started = []
    runs = Runs(
        on_start=started.append, on_end=ends.append, kill_backend=print, close_session=print, changed=lambda: None
    )
    process = silent_process()
    process.answers.put(errors.UsageError("nothing to run"))
    with pytest.raises(errors.UsageError):
        runs.start(a_run(process), a_request(sql), wait_s=1.0)
    assert (started, ends) == ([], [])


def test_a_process_that_ends_ends_each_of_its_runs_once(runs, ends, silent_process):
    process = silent_process()
    made = [a_run(process) for _ in range(3)]
    for run in made:
        process.answers.put(driver.Done())
        runs.start(run, a_request(), wait_s=1.0)
    process.said.put(driver.RunEvent(run=made[0].id, event="finished", rows=1))
    process.said.put(errors.DriverCrashed("gone"))
    wait_until(lambda: len(ends) == 3, 5.0, "all are in the log")
    assert sorted(one.status for one in ends) == ["completed", "failed", "failed"]
    assert {one.run.id for one in ends} == {run.id for run in made}
    with pytest.raises(errors.DriverCrashed):
        runs.start(a_run(process), a_request(), wait_s=1.0)
    assert len(ends) == 3


def test_a_core_that_ends_waits_for_a_spare_that_is_just_starting(monkeypatch):
    """Or its folder would be left behind."""
    starting, started, stopped = threading.Event(), threading.Event(), []
    spare = SimpleNamespace(ended=False, stop=lambda: stopped.append("spare"))

    def start(self, name, child=None):
        starting.set()
        assert started.wait(10)
        return spare

    monkeypatch.setattr(Spares, "_start", start)
    spares = Spares(SimpleNamespace(), on_exit=print, enabled=True)
    warming = threading.Thread(target=spares.warm, args=("pg",))
    warming.start()
    assert starting.wait(10)
    closing = threading.Thread(target=spares.close)
    closing.start()
    wait_until(lambda: spares._closed, 5.0, "the core is ending")
    closing.join(0.5)
    assert closing.is_alive()
    started.set()
    closing.join(10)
    warming.join(10)
    assert stopped == ["spare"]


def test_a_driver_that_does_not_start_is_not_tried_again_by_itself(monkeypatch):
    tries = []

    def fail(self, name, child=None):
        tries.append(name)
        raise errors.DriverStartError("broken")

    monkeypatch.setattr(Spares, "_start", fail)
    spares = Spares(SimpleNamespace(), on_exit=print, enabled=True)
    with pytest.raises(errors.DriverStartError):
        spares.take("pg")
    for _ in range(3):
        spares.refill()
    assert tries == ["pg"]


def test_a_run_ends_whatever_keeps_its_driver_from_being_asked(runs, ends, silent_process):
    process = silent_process()
    run = a_run(process)
    runs.start(run, a_request(), wait_s=1.0)
    process.answers.put(ValueError("no message of ours"))
    wait_until(lambda: [one.status for one in ends] == ["failed"], 5.0, "its end is logged")
    assert "no message of ours" in run.error.message
    assert not ends[0].event.alive  # its driver may have taken it in
    wait_until(lambda: runs.running() == [], 5.0, "it is under way no more")


def test_a_session_that_ends_while_its_run_is_being_accepted_is_replaced():
    record = SimpleNamespace(name="pg", id="1", driver="x", isolation="session", environment="")
    ended, other = (Session("client", record, state=State.CONNECTED) for _ in range(2))
    other.process = SimpleNamespace(address="unix:///other")
    begun = [Run(session=one, source="", cell=None, sql="SELECT 1", timeout_s=None) for one in (other, ended)]
    dispatch, closed = Dispatch.__new__(Dispatch), []
    dispatch._begin = lambda *_, **__: begun.pop()
    dispatch._store = SimpleNamespace(preferences={"session_wait_s": 1})
    dispatch._connections = SimpleNamespace(dialect_of=lambda _: "ansi")
    dispatch._sessions = SimpleNamespace(close=closed.append)
    dispatch.runs = SimpleNamespace(start=lambda *_, **__: None)
    assert dispatch._start(None, record, None, None, lambda run: None).address == "unix:///other"
    assert closed == [ended]


def test_a_run_ends_although_who_held_its_lock_cannot_be_told(ends, silent_process):
    """Its session would be taken for ever, and so would those of all other runs of its process."""
    runs = Runs(
        on_start=lambda run: None,
        on_end=ends.append,
        kill_backend=lambda session: None,
        with_holder=lambda run, error: 1 / 0,
        close_session=lambda session: None,
        changed=lambda: None,
    )
    process = silent_process()
    run = a_run(process)
    process.answers.put(driver.Done())
    runs.start(run, a_request(), wait_s=1.0)
    process.said.put(driver.RunEvent(run=run.id, event="finished"))
    wait_until(lambda: not run.running, 10.0, "it has ended")
    assert [one.status for one in ends] == ["completed"]
    assert run.session.turn.acquire(blocking=False)
