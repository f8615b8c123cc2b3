"""The client of the core: one session per process, runs fetched from drivers, results as frames or files.

Importing this loads neither pyarrow nor pandas; they come with the first call that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tusk_jupyter.client.client import Client, get_client

if TYPE_CHECKING:
    from tusk_jupyter.client.runs import RunResult

__all__ = ["Client", "RunResult", "get_client"]


def __getattr__(name: str) -> object:
    """Load `RunResult`, and pyarrow with it, when somebody asks for it."""
    if name == "RunResult":
        from tusk_jupyter.client.runs import RunResult

        return RunResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
