"""The stream of words of a driver process: it rests when nothing runs, wakes for a run, and ends with the last word."""

from __future__ import annotations

import queue
import threading

import pytest
from services import wait_until

from tusk_jupyter.driverkit import words
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol.driver import RunEvent


class Speaker:
    def __init__(self, id):
        self.id = id
        self.rows = 0

    def progress(self):
        return RunEvent(run=self.id, event="progress", rows=self.rows)


@pytest.fixture
def told(monkeypatch):
    """The words, and what its stream has yielded so far."""
    monkeypatch.setattr(words, "PROGRESS_S", 0.01)
    said, heard = Words(), queue.SimpleQueue()

    def read():
        for word in said.stream():
            heard.put(word)
        heard.put(None)

    reader = threading.Thread(target=read)
    reader.start()
    yield said, heard
    said.say(RunEvent(run="r", event="finished"))
    said.close()
    reader.join(10)
    assert not reader.is_alive()


def test_a_run_that_begins_while_the_stream_rests_is_asked_for_its_progress(told):
    said, heard = told
    wait_until(lambda: said._resting, 5.0, "the stream rests")
    said.begin(Speaker("r"))
    assert heard.get(timeout=5).run == "r"
    assert not said._resting


def test_a_stream_rests_again_after_the_last_word(told):
    said, heard = told
    said.begin(Speaker("r"))
    heard.get(timeout=5)
    said.say(RunEvent(run="r", event="finished"))
    wait_until(lambda: said._resting, 5.0, "the stream rests")
    assert [heard.get(timeout=5).event for _ in range(heard.qsize())][-1] == "finished"


def test_the_stream_ends_with_the_last_word_of_the_last_run(told):
    said, heard = told
    said.begin(Speaker("r"))
    said.close()
    assert heard.get(timeout=5).event == "progress"
    said.say(RunEvent(run="r", event="finished"))
    found = []
    while (word := heard.get(timeout=5)) is not None:
        found.append(word.event)
    assert found[-1] == "finished"


def test_what_was_said_before_the_stream_was_asked_for_is_told():
    said = Words()
    said.say(RunEvent(run="r", event="finished"))
    said.close()
    assert [word.run for word in said.stream()] == ["r"]


def test_a_run_that_cannot_say_how_far_it_is_ends_nobodys_words(told):
    """Their stream would end, and the core take the process for crashed, with all of its runs."""
    said, heard = told
    dumb = Speaker("dumb")
    dumb.progress = lambda: 1 / 0
    said.begin(dumb)
    said.begin(Speaker("r"))
    assert heard.get(timeout=10).run == "r"
    said.say(RunEvent(run="dumb", event="finished"))
    wait_until(lambda: heard.get(timeout=10).event == "finished", 10.0, "its end is told")
