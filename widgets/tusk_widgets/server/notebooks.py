"""Where notebooks are.

Only the server knows its folder, of which pages are told a short form (`~/...`) or nothing; and only it knows of each renaming,
for a kernel is told its notebook's path at its start.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async

from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import Message, replace
from tusk_widgets.server.handler import Call


class FindNotebook(Message, frozen=True, kw_only=True):
    """Which file is meant, as the query log has it."""

    source: str


async def notebook(call: Call) -> object:
    """Answer with the path by which Jupyter's contents know a run's source; null outside of the server's folder."""
    return {"path": contents_path(call.read(FindNotebook).source, call.access.folder)}


def contents_path(source: str, folder: str) -> str | None:
    """Return a file's path below `folder`, with `/` between its parts; one that is relative is relative to it.

    A server and a kernel may know the same folder by different links.
    """
    path = Path(folder, source)
    for resolved in (os.path.abspath, os.path.realpath):
        try:
            below = Path(os.path.relpath(resolved(path), resolved(folder)))
        except ValueError:  # another drive, or a zero byte
            continue
        if below.parts and below.parts[0] != os.pardir:
            return below.as_posix()
    return None


async def current(call: Call) -> object:
    """Answer with what is current in a kernel, and tell the core where its notebook is."""
    asked = call.read(control.GetCurrentConnection, notebook="")
    notebook = await notebook_of(call.handler.session_manager, asked.kernel, call.access.folder)
    return await call.access.ask(replace(asked, notebook=notebook))


async def notebook_of(sessions: Any, kernel: str, folder: str) -> str:  # noqa: ANN401 - a server may have one of its own
    """Return the path of the file that is a kernel's notebook; "" where it is none of this machine, or one of several."""
    listed = await ensure_async(sessions.list_sessions()) if kernel else []
    paths = {one["path"] for one in listed if one["type"] == "notebook" and (one["kernel"] or {}).get("id") == kernel}
    if len(paths) != 1:
        return ""
    path = paths.pop()
    without_drive = path.partition(":")[2]  # as of a notebook that is edited by several
    places = [Path(folder, one) for one in (path, without_drive) if one]
    return next((str(place) for place in places if place.is_file()), "")
