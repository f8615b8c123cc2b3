"""Where no thread could be started, or a process ends as it comes up, what comes later goes on as ever."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.launch.words import Words
from tusk_jupyter.protocol.driver import RunEvent
from tusk_jupyter.system.places import Places


def refused(_: object, *args: object, **kwargs: object) -> None:
    raise RuntimeError("can't start new thread")


def test_the_words_of_a_process_are_read_for_the_run_behind_one_that_found_no_thread(monkeypatch: pytest.MonkeyPatch):
    """Nobody would read them any more, and no run of the session would have an end."""
    last = RunEvent(run="second", event="finished")
    words = Words(SimpleNamespace(pid=1, stream=lambda _: iter([last]), crash=lambda: OSError("gone")))  # type: ignore[arg-type]
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            words.follow("first", lambda _: None)
    words.forget("first")
    heard, ended = [], threading.Event()

    def take(word: RunEvent) -> None:
        heard.append(word)
        ended.set()

    words.follow("second", take)
    assert ended.wait(10)
    assert heard == [last]


@pytest.mark.parametrize("by", ["warm", "adopt"])
def test_nobody_waits_for_a_spare_whose_start_failed_in_whatever_way(tmp_path, monkeypatch, by):
    """`take` would wait half a minute each time."""
    spares = Spares(Catalog(Places(tmp_path)), on_exit=lambda _: None)
    monkeypatch.setattr(Spares, "_start", refused)
    with pytest.raises(RuntimeError):
        if by == "adopt":
            spares.expect("scripted")
            spares.adopt(SimpleNamespace(name="scripted", child=None))
        else:
            spares.warm("scripted")
    assert not spares._shelves["scripted"].starting
    assert not spares._shelves["scripted"].process


def test_a_process_that_ends_as_it_comes_up_is_not_kept(tmp_path, monkeypatch):
    """It was told of before it was known: `close` would wait for it, and it would be held as long as the core lives."""
    spares = Spares(Catalog(Places(tmp_path)), on_exit=lambda _: None)
    monkeypatch.setattr(Catalog, "named", lambda *_: SimpleNamespace(command=(), fingerprint=""))
    monkeypatch.setattr("tusk_jupyter.launch.spares.remember", lambda *_: None)
    monkeypatch.setattr(
        "tusk_jupyter.launch.spares.DriverProcess", lambda *_, **__: SimpleNamespaceWithHash(ended=True)
    )
    assert spares._start("scripted").ended
    assert not spares._processes


class SimpleNamespaceWithHash(SimpleNamespace):
    __hash__ = object.__hash__
