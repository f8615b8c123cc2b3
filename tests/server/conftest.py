"""One Jupyter Server for all tests of this folder: a start takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from security.canary import Canary
from server_process import Jupyter, running


@pytest.fixture(scope="session")
def canary() -> Canary:
    return Canary.new()


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory, canary: Canary) -> Iterator[Jupyter]:
    """A Jupyter Server, a core, and the connections `lake` (DuckDB) and `shop` (SQLite)."""
    with running(tmp_path_factory.mktemp("jupyter"), canary) as server:
        yield server
