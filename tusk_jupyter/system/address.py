"""How to reach the running core: what it writes into `core.json` and its clients read.

A client reads the file of a core of any version as far as it can: to end that core takes no more than its process id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system.private_files import read_private

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A core's address; the file with it is 0600, for it holds the token of this start."""

    address: str
    token: str = field(repr=False)
    pid: int
    version: str
    protocol: int


def read_address(path: Path) -> Address | None:
    """Return the address in a file, or None when there is none (no core, or one that is just coming or going)."""
    try:
        said = json.loads(read_private(path, max_bytes=MAX_BYTES))
        pid = said["pid"]
    except (OSError, StorageError, ValueError, KeyError, TypeError, RecursionError):
        return None  # also one that somebody else could have written: it would lead to a core of theirs
    if type(pid) is not int or pid <= 0:
        return None
    protocol = said.get("protocol")
    return Address(
        address=_text(said.get("address")),
        token=_text(said.get("token")),
        pid=pid,
        version=_text(said.get("version")) or "of an unknown version",
        protocol=protocol if type(protocol) is int else 0,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
