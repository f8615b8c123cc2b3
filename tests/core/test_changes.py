"""Long polls: they answer when something changed, and end with their client and with the core."""

from __future__ import annotations

import contextlib
import threading

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.service.changes import Changes


def now(client) -> control.Changes:
    return client.call(control.AwaitChanges(known={}))


def moved(client, before: control.Changes, *topics: str) -> None:
    """Wait until all of these topics have moved."""
    wait_until(lambda: all(now(client).counts[topic] > before.counts[topic] for topic in topics), 10, f"{topics} moved")


def test_what_a_client_does_moves_its_topics(client, core, tmp_path):
    for topics, work in (
        (["connections"], lambda: core.connect(client, "b", str(tmp_path / "b.sqlite"))),
        (["runs", "log"], lambda: core.run(client, "CREATE TABLE t (a INTEGER)", on="b")),
        (["connections"], lambda: client.call(control.DuplicateConnection(session="x", name="b", new_name="c"))),
        (["schema"], lambda: client.call(control.GetSchema(session=client.session, connection="b", wait_s=10.0))),
        (["schema"], lambda: core.run(client, "DROP TABLE t", on="b")),
        (["queries"], lambda: client.call(control.SaveQuery(name="q", sql="SELECT 1"))),
        (["queries"], lambda: client.call(control.DeleteQuery(name="q"))),
        (["preferences"], lambda: client.call(control.SetPreference(name="timeout_s", value="5"))),
        (["log"], lambda: client.call(control.DeleteLog(everything=True))),
        (["connections"], lambda: client.call(control.RemoveConnection(session="x", name="b"))),
    ):
        before = now(client)
        work()
        moved(client, before, *topics)


def test_a_poll_answers_when_a_run_of_another_client_begins_and_when_it_is_cancelled(client, new_client, core):
    watcher = new_client()
    before = now(watcher)

    def run() -> None:
        with pytest.raises(errors.Cancelled):
            core.run(client, "wait 60")

    running = threading.Thread(target=run)
    running.start()
    began = watcher.call(control.AwaitChanges(core=before.core, known={"runs": before.counts["runs"]}, timeout_s=20.0))
    assert began.counts["runs"] > before.counts["runs"]
    state = core.await_running(watcher)
    before = now(watcher)
    watcher.call(control.CancelRun(run=state.run))
    running.join()
    moved(watcher, before, "runs")


def test_counters_of_another_core_are_answered_at_once(client):
    found = client.call(control.AwaitChanges(core="another", known=now(client).counts, timeout_s=60.0), timeout_s=10.0)
    assert found.core != "another"


def test_a_poll_ends_when_its_time_is_up_with_the_same_counters(client):
    before = now(client)
    after = client.call(
        control.AwaitChanges(core=before.core, known={"queries": before.counts["queries"]}, timeout_s=0.3)
    )
    assert after.counts["queries"] == before.counts["queries"]


def test_a_poll_ends_when_its_client_has_gone_and_when_the_core_ends():
    changes = Changes()
    known = changes.wait(control.AwaitChanges(known={}), lambda: False)
    ends = [lambda gone: gone.set(), lambda gone: changes.close()]
    for end in ends:
        gone = threading.Event()
        request = control.AwaitChanges(core=known.core, known=known.counts, timeout_s=60.0)
        poll = threading.Thread(target=lambda request=request, gone=gone: changes.wait(request, gone.is_set))
        poll.start()
        end(gone)
        poll.join(10.0)
        assert not poll.is_alive()


def test_a_burst_of_changes_is_one_answer():
    changes = Changes()
    known = changes.wait(control.AwaitChanges(known={}), lambda: False)
    answers: list[control.Changes] = []
    request = control.AwaitChanges(core=known.core, known=known.counts, timeout_s=60.0)
    poll = threading.Thread(target=lambda: answers.append(changes.wait(request, lambda: False)))
    poll.start()
    wait_until(lambda: poll.is_alive(), 5, "it waits")
    for _ in range(3):
        changes.bump("runs", "log")
    poll.join(10.0)
    assert answers[0].counts["runs"] == 3


def test_a_poll_does_not_keep_the_core_from_ending(client, core):
    before = now(client)
    request = control.AwaitChanges(core=before.core, known=before.counts, timeout_s=60.0)
    poll = threading.Thread(target=lambda: _ends(client, request))
    poll.start()
    client.call(control.StopCore())
    poll.join(15.0)
    assert not poll.is_alive()


def _ends(client, request: control.AwaitChanges) -> None:
    with contextlib.suppress(errors.TuskError):  # the core went
        client.link.call(request, timeout_s=60.0)
