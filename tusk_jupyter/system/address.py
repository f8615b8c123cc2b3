"""How to reach the running core: what it writes into `core.json` and its clients read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


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
        said = json.loads(path.read_bytes())
        return Address(**{name: said[name] for name in Address.__slots__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
