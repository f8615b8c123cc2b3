"""Long polls: one question for all, none left behind, and no core that lives or is born for them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from server_process import BASE, TOKEN, Jupyter
from services.freezing import freeze
from services.homes import TuskHome
from services.waiting import wait_until

from tusk_jupyter import errors
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import PeerLost
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system.places import Places
from tusk_widgets.server import news as news_module
from tusk_widgets.server.handler import status_of
from tusk_widgets.server.news import NO_CORE, News


class OneCore:
    """Answers as a core does, from counters that the test sets."""

    def __init__(self) -> None:
        self.now = control.Changes(core="c1", counts={"log": 1})
        self.asked = 0
        self.under_way = 0
        self.changed = threading.Condition()
        self.gone = False

    def call(self, request: control.AwaitChanges, *, timeout_s: float) -> control.Changes:
        def differs() -> bool:
            return self.gone or (request.core, request.known) != (self.now.core, self.now.counts)

        with self.changed:
            self.asked += 1
            self.under_way += 1
            self.changed.wait_for(differs, request.timeout_s)
            self.under_way -= 1
            if self.gone:
                raise PeerLost("gone")
            return self.now

    def set(self, **counts: int) -> None:
        with self.changed:
            self.now = control.Changes(core="c1", counts=counts)
            self.changed.notify_all()

    def end(self) -> None:
        with self.changed:
            self.gone = True
            self.changed.notify_all()


@pytest.fixture
def core() -> OneCore:
    return OneCore()


@pytest.fixture
def news(core: OneCore, tusk_home: TuskHome, monkeypatch: pytest.MonkeyPatch) -> News:
    monkeypatch.setattr(News, "_core", lambda _: None if core.gone else core)
    monkeypatch.setattr(news_module, "FOLLOW_S", 10.0)  # no question ends while a test looks
    return News(Places(tusk_home.path))


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition, 10.0)


def test_a_hundred_polls_are_one_question_and_all_are_woken(news: News, core: OneCore):
    async def polls() -> list[control.Changes]:
        waiting = [asyncio.create_task(news.wait("c1", {"log": 1}, 30.0)) for _ in range(100)]
        await until(lambda: core.under_way == 1 and core.asked == 2)
        core.set(log=2)
        return await asyncio.gather(*waiting)

    assert {one.counts["log"] for one in asyncio.run(polls())} == {2}
    assert core.asked <= 3


def test_what_changed_between_two_polls_is_answered_at_once(news: News, core: OneCore):
    async def polls() -> control.Changes:
        await news.wait("", {}, 30.0)
        core.set(log=5)
        return await news.wait("c1", {"log": 1}, 30.0)

    assert asyncio.run(polls()).counts == {"log": 5}


def test_a_poll_whose_time_is_up_says_what_is_known(news: News):
    assert asyncio.run(news.wait("c1", {"log": 1}, 0.3)).counts == {"log": 1}


def test_a_poll_that_is_given_up_leaves_nothing_behind(news: News, core: OneCore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(news_module, "FOLLOW_S", 0.2)

    async def polls() -> None:
        poll = asyncio.create_task(news.wait("c1", {"log": 1}, 30.0))
        await until(lambda: core.under_way == 1)
        poll.cancel()
        await asyncio.wait([poll])
        await until(lambda: core.under_way == 0)
        asked = core.asked
        assert not news._waiting and news._following is not None
        await asyncio.wait_for(news._following, 10.0)
        assert core.asked == asked

    asyncio.run(polls())


def test_the_end_of_the_core_is_news(news: News, core: OneCore):
    async def polls() -> control.Changes:
        poll = asyncio.create_task(news.wait("c1", {"log": 1}, 30.0))
        await until(lambda: core.asked == 2)
        core.end()
        return await poll

    assert asyncio.run(polls()) is NO_CORE


def test_a_core_that_does_not_answer_is_no_silence(tusk_home: TuskHome):
    client = Client(Places(tusk_home.path), source="test", stays=False)
    status = client.call(control.GetCoreStatus(client_version="", protocol=PROTOCOL_VERSION))
    news = News(Places(tusk_home.path))

    async def polls() -> control.Changes:
        known = await news.wait("", {}, 20.0)
        freeze(status.pid)
        try:
            with pytest.raises(errors.CoreError, match=f"process {status.pid}.* does not answer") as said:
                await news.wait(known.core, known.counts, 20.0)
            assert (said.value.scenario, status_of(said.value)) == ("core_unanswered", 503)
        finally:
            os.kill(status.pid, signal.SIGCONT)
        return await news.wait("", {}, 20.0)

    assert asyncio.run(polls()).core, "it is asked again, and answers"


def test_no_core_is_started_for_a_poll(tusk_home: TuskHome):
    began = time.monotonic()
    assert asyncio.run(News(Places(tusk_home.path)).wait("", {}, 20.0)) is NO_CORE
    assert time.monotonic() - began < 10.0  # it does not wait for what will not come
    assert not (tusk_home / "core.json").exists() and not (tusk_home / "core.lock").exists()


def test_a_core_that_is_only_polled_ends_when_it_is_idle(tusk_home: TuskHome, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(news_module, "FOLLOW_S", 0.3)  # so that it is asked often within its idle time
    client = Client(Places(tusk_home.path), source="test", stays=False)
    client.call(control.SetPreference(name="idle_core_s", value="2"))
    news = News(Places(tusk_home.path))

    async def polls() -> int:
        answer, answers = await news.wait("", {}, 20.0), 0
        assert answer.core
        async with asyncio.timeout(60.0):
            while answer.core:
                answer, answers = await news.wait(answer.core, answer.counts, 0.2), answers + 1
        assert await news.wait("", {}, 1.0) is NO_CORE
        return answers

    assert asyncio.run(polls()) > 3
    assert not (tusk_home / "core.json").exists()


def test_a_run_of_a_notebook_wakes_a_poll(jupyter: Jupyter):
    jupyter.run("SELECT 1", "lake")
    now = jupyter.get("changes")
    answers: list[dict[str, object]] = []

    def poll() -> None:
        known = now
        while not answers:
            known = jupyter.get("changes", core=known["core"], known=json.dumps(known["counts"]), timeout_s=20)
            if known["counts"]["log"] > now["counts"]["log"]:
                answers.append(known)

    thread = threading.Thread(target=poll)
    thread.start()
    jupyter.run("SELECT 2", "lake")
    thread.join(60)
    assert answers and answers[0]["core"] == now["core"]


def test_a_browser_that_hangs_up_ends_its_poll(jupyter: Jupyter):
    def waiting() -> int:
        jupyter.get("info")
        return int((jupyter.folder / "waiting.txt").read_text())

    now = settled(jupyter)
    query = urlencode({"core": now["core"], "known": json.dumps(now["counts"]), "timeout_s": 60})
    links = [jupyter.link() for _ in range(30)]
    try:
        for link in links:
            link.request("GET", f"{BASE}tusk/changes?{query}", headers={"Authorization": f"token {TOKEN}"})
        wait_until(lambda: waiting() == 30, 10.0, "30 polls wait")
    finally:
        for link in links:
            link.close()
    wait_until(lambda: waiting() == 0, 10.0, "none waits for a browser that has gone")


def settled(jupyter: Jupyter) -> dict[str, Any]:
    """Return the news once a second has passed without any: what tests before this one ran may still come to its end."""
    now = jupyter.get("changes")
    while (later := jupyter.get("changes", known=json.dumps(now["counts"]), core=now["core"], timeout_s=1)) != now:
        now = later
    return now
