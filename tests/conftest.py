"""Fixtures that every part's tests share: real servers, and a private home whose processes must be gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from services import TuskHome
from services import mariadb as mariadb_service
from services import postgresql as postgresql_service
from services.homes import make_home


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresql_service.PostgreSQL]:
    """A PostgreSQL of this test run."""
    with postgresql_service.running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[mariadb_service.MariaDB]:
    """A MariaDB of this test run."""
    with mariadb_service.running() as server:
        yield server


@pytest.fixture
def tusk_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[TuskHome]:
    """A private TUSK_HOME; after the test its core is stopped and no process of it may be left."""
    home = make_home()
    monkeypatch.setenv("TUSK_HOME", str(home))
    yield home
    home.close()
