"""Where a run's notebook is: only the server knows its folder, of which pages are told a short form (`~/...`) or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from tusk_jupyter.protocol.message import Message
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
