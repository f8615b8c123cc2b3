"""Threads for calls that block: a place is given back whatever happens to the call that has it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tusk_widgets.server.workers import Workers


def test_a_call_for_which_there_is_no_thread_takes_no_place(monkeypatch: pytest.MonkeyPatch):
    """After four of them, no panel would get an answer until the server is started anew."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def calls() -> int:
        workers = Workers(1)
        with monkeypatch.context() as short:
            short.setattr(threading.Thread, "start", refused)
            with pytest.raises(RuntimeError):
                await workers.do(lambda: 1)
        return await asyncio.wait_for(workers.do(lambda: 2), 10)

    assert asyncio.run(calls()) == 2
