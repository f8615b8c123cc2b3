"""A state folder and what opens it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tusk_jupyter.state.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_store(home: Path) -> Iterator[Callable[[], Store]]:
    """Return a function that opens the store of `home`; each is closed at the end."""
    opened: list[Store] = []
    umask = os.umask(0o022)

    def open_one() -> Store:
        store = Store.open(home)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()
    os.umask(umask)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
