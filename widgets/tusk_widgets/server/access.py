"""The way from this server to the core: one client session, and threads that wait for the answers.

The session is never attached: an open JupyterLab is no reason for a core to stay. Its database sessions (for trees and plans)
close after a minute without a word, as those of a command line do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Request
from tusk_jupyter.system.places import Places
from tusk_widgets.server.news import News
from tusk_widgets.server.workers import Workers

T = TypeVar("T")

SOURCE = "jupyterlab"
QUICK = 4
"""Calls at a time that only the core answers."""
SLOW = 8
"""Calls at a time that may wait for a database: when all hang, the log and the list of connections still answer."""
CALL_TIMEOUT_S = 60.0

_ASKS_A_DATABASE = (
    control.DescribeTable, control.GetSchema, control.ListBranch, control.SaveConnection, control.TestConnection,
    control.TryConnection,
)  # fmt: skip


class Access:
    """One server's way to the core of one state folder.

    Attributes:
        client: this server's client session.
        folder: the server's own, against which relative paths are read.
        news: what long polls wait for.
    """

    def __init__(self, places: Places, *, folder: str) -> None:
        """Prepare; the core is not touched before the first call."""
        self.client = Client(places, source=SOURCE, stays=False)
        self.folder = folder
        self.news = News(places)
        self._quick = Workers(QUICK)
        self._slow = Workers(SLOW)

    async def ask(self, request: Request) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Send a request to the core, which is started if there is none, and return its reply.

        Raises:
            TuskError: what the core answered; CoreError when it cannot be reached or started.
        """
        workers = self._slow if isinstance(request, _ASKS_A_DATABASE) else self._quick
        return await workers.do(lambda: self.client.call(request, timeout_s=CALL_TIMEOUT_S))

    async def slowly(self, work: Callable[[], T]) -> T:
        """Do something that may wait for a database, or that computes for long."""
        return await self._slow.do(work)
