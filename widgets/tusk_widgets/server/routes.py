"""The table of all routes. Most of them are a message of the core and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.version import __version__
from tusk_widgets.server.access import Access
from tusk_widgets.server.explain import explain
from tusk_widgets.server.handler import Answer, Call, TuskHandler
from tusk_widgets.server.log import delete_log, export_log, one_run
from tusk_widgets.server.notebooks import current, notebook
from tusk_widgets.server.polling import changes
from tusk_widgets.server.text import format_text

LONGEST_WAIT_S = 30.0
"""A request does not wait longer for a snapshot: proxies cut it off."""


def asks(kind: type[Message], **fixed: Any) -> Answer:  # noqa: ANN401  # fields of any type
    """Return what answers a route with the core's reply to a message of that kind."""
    has_session = any(one.name == "session" and one.required for one in msgspec.structs.fields(kind))
    has_base = "base" in kind.__struct_fields__

    async def answer(call: Call) -> object:
        given = {**fixed, **({"session": call.access.client.session} if has_session else {})}
        if has_base:
            given["base"] = call.access.folder
        return await call.access.ask(call.read(kind, **given))  # type: ignore[arg-type]  # all messages here are requests

    return answer


async def schema(call: Call) -> object:
    """Answer with a snapshot, after a wait that is bounded."""
    asked = call.read(control.GetSchema, session=call.access.client.session)
    bounded = control.GetSchema(
        session=asked.session, connection=asked.connection, known=asked.known, refresh=asked.refresh,
        wait_s=max(0.0, min(asked.wait_s, LONGEST_WAIT_S)), last_connection=asked.last_connection,
        last_was_chosen=asked.last_was_chosen,
    )  # fmt: skip
    return await call.access.ask(bounded)


async def environment(call: Call) -> object:
    """Answer with connections that environment variables of this server speak of; never with a secret's value."""
    from tusk_jupyter.api._environment import suggestions

    installed: control.DriverList = await call.access.ask(control.ListDrivers())
    return {"suggestions": suggestions(os.environ, installed.drivers)}


ROUTES: dict[str, dict[str, Answer]] = {
    "info": {"GET": asks(control.GetCoreStatus, client_version=__version__, protocol=PROTOCOL_VERSION)},
    "connections": {"GET": asks(control.ListConnections), "POST": asks(control.SaveConnection)},
    "connections/try": {  # a connection may have this name
        "GET": asks(control.GetConnection, name="try"),
        "POST": asks(control.TryConnection),
        "DELETE": asks(control.RemoveConnection, name="try"),
    },
    "connections/{name}": {"GET": asks(control.GetConnection), "DELETE": asks(control.RemoveConnection)},
    "connections/{name}/test": {"POST": asks(control.TestConnection)},
    "connections/{name}/duplicate": {"POST": asks(control.DuplicateConnection)},
    "current": {"GET": current},
    "drivers": {"GET": asks(control.ListDrivers)},
    "environment": {"GET": environment},
    "tree": {"GET": asks(control.ListBranch)},
    "describe": {"GET": asks(control.DescribeTable)},
    "schema": {"GET": schema},
    "log": {"GET": asks(control.ReadLog), "DELETE": delete_log},
    "log/export": {"GET": export_log},
    "log/{run}": {"GET": one_run},
    "notebook": {"GET": notebook},
    "runs": {"GET": asks(control.ListRuns)},
    "runs/{run}/cancel": {"POST": asks(control.CancelRun)},
    "queries": {"GET": asks(control.ListQueries), "POST": asks(control.SaveQuery)},
    "queries/{name}": {"DELETE": asks(control.DeleteQuery)},
    "explain": {"POST": explain},
    "format": {"POST": format_text},
    "preferences": {"GET": asks(control.ListPreferences)},
    "preferences/{name}": {"PUT": asks(control.SetPreference)},
    "changes": {"GET": changes},
}
"""Answers by path below `/tusk/` and method. The first path that matches counts."""

_NOT_USE = frozenset({"changes", "current"})
"""Paths that an idle page asks for by itself."""


def handlers(base_url: str, access: Access) -> list[tuple[str, type[TuskHandler], dict[str, object]]]:
    """Return the routes as Jupyter Server takes them."""
    return [
        (pattern(base_url, path), TuskHandler, _settings(path, answers, access)) for path, answers in ROUTES.items()
    ]


def pattern(base_url: str, path: str) -> str:
    """Return the regular expression of a path's URLs."""
    return re.escape(base_url) + "tusk/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


def _settings(path: str, answers: Mapping[str, Answer], access: Access) -> dict[str, object]:
    return {"answers": answers, "access": access, "is_use": path not in _NOT_USE}
