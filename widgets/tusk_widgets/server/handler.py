"""The one handler of all routes: who may ask, what the answer looks like, what becomes of errors.

It stands once so that no route can forget a check: Jupyter Server's authentication, its authorizer for the resource `tusk`,
and its XSRF check, which `APIHandler` makes before any method of a handler that writes.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from tusk_jupyter import errors
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.scenarios import NAME_TAKEN, NO_SUCH_NAME
from tusk_widgets.server.requests import from_body, from_query

if TYPE_CHECKING:
    from tusk_widgets.server.access import Access

M = TypeVar("M", bound=Message)

_STATUS: tuple[tuple[type[errors.TuskError], int], ...] = (
    (errors.CoreError, 503),
    (errors.DriverNotFound, 404),
    (errors.InternalError, 500),
    (errors.TuskError, 400),
)
_STATUS_OF_SCENARIO = {"no_connection": 404, NO_SUCH_NAME: 404, NAME_TAKEN: 409}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what the path names, and how its message is read."""

    handler: TuskHandler
    access: Access
    names: Mapping[str, str]

    def read(self, kind: type[M], **fixed: Any) -> M:  # noqa: ANN401  # fields of any type
        """Return the message of this request; names in the path and `fixed` are not the asker's to give.

        Raises:
            UsageError: it does not fit.
        """
        request = self.handler.request
        given = {**self.names, **fixed}
        if request.method == "GET":
            return from_query(kind, request.query_arguments, given)
        return from_body(kind, request.body, given)


Answer = Callable[[Call], Awaitable[object]]
"""Returns what goes out as JSON; None when it has written everything itself."""


class TuskHandler(APIHandler):
    """Answers one path by its table of methods."""

    auth_resource = "tusk"

    def initialize(self, *, answers: Mapping[str, Answer], access: Access, is_use: bool = True) -> None:
        """Take what the route says.

        Args:
            answers: by HTTP method.
            access: to the core.
            is_use: whether a request counts as activity, for servers that are culled when idle.
        """
        self._answers = answers
        self._access = access
        self._track_activity = is_use
        self._work: asyncio.Task[object] | None = None

    @web.authenticated
    @authorized
    async def get(self, **names: str) -> None:
        """Read."""
        await self._answer(names)

    @web.authenticated
    @authorized
    async def post(self, **names: str) -> None:
        """Do."""
        await self._answer(names)

    @web.authenticated
    @authorized
    async def put(self, **names: str) -> None:
        """Set."""
        await self._answer(names)

    @web.authenticated
    @authorized
    async def delete(self, **names: str) -> None:
        """Delete."""
        await self._answer(names)

    def on_connection_close(self) -> None:
        """Stop waiting for what nobody will read."""
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()

    async def _answer(self, names: Mapping[str, str]) -> None:
        answer = self._answers.get(self.request.method or "")
        if answer is None:
            raise web.HTTPError(405)
        self.set_header("Cache-Control", "no-store")
        self._work = asyncio.ensure_future(answer(Call(self, self._access, names)))
        try:
            reply = await self._work
            if reply is not None:
                await self.finish(codec.encode(reply))
        except (asyncio.CancelledError, StreamClosedError):
            return  # the browser has gone
        except errors.TuskError as exc:
            await self._refuse(exc)
        except Exception as exc:  # noqa: BLE001  # a bug of ours
            place = "".join(traceback.format_tb(exc.__traceback__))  # without the message, which may quote the request
            self.log.error("tusk: %s in %s\n%s", type(exc).__name__, self.request.path, place)
            await self._refuse(errors.InternalError(f"{type(exc).__name__} in the Jupyter Server's part of tusk."))

    async def _refuse(self, exc: errors.TuskError) -> None:
        if self._headers_written:
            self.detach().close()  # cut off: what ends in order would pass for the whole
            return
        self.set_status(status_of(exc))
        await self.finish(codec.encode({"error": to_wire(exc)}))


def status_of(exc: errors.TuskError) -> int:
    """Return the HTTP status that stands for an error."""
    by_class = next(status for kind, status in _STATUS if isinstance(exc, kind))
    return _STATUS_OF_SCENARIO.get(exc.scenario or "", by_class)
