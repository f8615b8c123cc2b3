"""Threads for calls that block, so that the server's event loop does not.

No executor: its threads are joined when the interpreter ends, and Ctrl-C on a Jupyter Server must not wait for a database
that does not answer. A thread a call costs 0.1 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """At most `size` daemon threads at a time; further calls wait for their turn."""

    def __init__(self, size: int) -> None:
        """Begin with none."""
        self._free = asyncio.Semaphore(size)

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise what it raises.

        A caller that is cancelled goes at once; the thread keeps its place until the work is done.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        try:
            threading.Thread(target=self._work, args=(work, loop, done), name="tusk-server", daemon=True).start()
        except BaseException:  # no thread now: the place is for the next call
            self._free.release()
            raise
        return await done

    def _work(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, done: asyncio.Future[T]) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as exc:  # noqa: BLE001  # raised again in the event loop
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(self._settle, done, result, error)

    def _settle(self, done: asyncio.Future[T], result: T, error: BaseException | None) -> None:
        self._free.release()
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)
