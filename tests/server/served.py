"""What the tests put into a real Jupyter Server: an authorizer with a switch, and a list of what is registered."""

from __future__ import annotations

import json
import os
from pathlib import Path

from jupyter_server.auth.authorizer import Authorizer
from tornado.ioloop import IOLoop

from tusk_jupyter.errors import StorageError
from tusk_widgets.server.handler import TuskHandler


class Switched(Authorizer):
    """Allows everything until the file `deny` is there."""

    def is_authorized(self, handler, user, action, resource):
        folder = Path(os.environ["TUSK_TEST_SERVER"])
        if resource == "tusk":
            with (folder / "asked.txt").open("a") as out:
                out.write(f"{action}\n")
            if handler._access is not None:
                (folder / "waiting.txt").write_text(str(len(handler._access.news._waiting)))
        return not (folder / "deny").exists()


def _jupyter_server_extension_points():
    return [{"module": "served"}]


def _load_jupyter_server_extension(server):
    def write():
        rules = [rule for router in server.web_app.default_router.rules for rule in getattr(router.target, "rules", [])]
        found = [
            {
                "pattern": rule.matcher.regex.pattern,
                "methods": sorted(rule.target_kwargs["answers"]),
                "handler": rule.target.__name__,
            }
            for rule in rules
            if getattr(rule.target, "__module__", "").startswith("tusk_widgets.server")
            and not rule.matcher.regex.pattern.startswith("/broken/")
        ]
        (Path(os.environ["TUSK_TEST_SERVER"]) / "handlers.json").write_text(json.dumps(found))

    IOLoop.current().add_callback(write)
    broken = [
        (f"/broken/{name}", TuskHandler, {"answers": {"POST": one}, "access": None}) for name, one in BROKEN.items()
    ]
    server.web_app.add_handlers(".*$", broken)


async def _cut_off(call):
    call.handler.write("the first page")
    await call.handler.flush()
    raise StorageError("the second page cannot be read")


async def _bug(call):
    raise RuntimeError(f"a bug of ours that quotes {call.handler.request.body.decode()}")


BROKEN = {"cut-off": _cut_off, "bug": _bug}
