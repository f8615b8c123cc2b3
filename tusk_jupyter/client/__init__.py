"""The client of the core: one session per process, runs fetched from drivers, results as frames or files.

Importing this loads nothing; `boot` alone is light enough for `%load_ext`, pyarrow and pandas come with the first run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tusk_jupyter.client.client import Client, get_client
    from tusk_jupyter.client.runs import RunResult

__all__ = ["Client", "RunResult", "get_client"]

_HOMES = {"Client": "client", "get_client": "client", "RunResult": "runs"}


def __getattr__(name: str) -> object:
    """Load a public name when somebody asks for it."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
