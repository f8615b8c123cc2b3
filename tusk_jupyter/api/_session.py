"""The client of this process, for scripts and modules."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tusk_jupyter.system.whole_imports import whole_imports

if TYPE_CHECKING:
    from tusk_jupyter.client import Client
    from tusk_jupyter.protocol.calls import Request


def client() -> Client:
    """Return the client, with the notebook's path for the log where Jupyter tells it."""
    from tusk_jupyter.client import get_client

    notebook = os.environ.get("JPY_SESSION_NAME")
    return get_client(notebook if notebook and "ipykernel" in sys.modules else None)


@whole_imports()
def call(request: Request) -> Any:  # noqa: ANN401 - an instance of the request's own REPLY
    """Send a request to the core and return its reply."""
    return client().call(request)
