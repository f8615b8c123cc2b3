"""Fixtures that every part's tests share: real servers, and a private home whose processes must be gone afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from services import TuskHome
from services import mariadb as mariadb_service
from services import postgresql as postgresql_service
from services.homes import empty, make_home, short_folder
from services.keyring import SecretService
from services.keyring import secret_service as running_secret_service


def pytest_configure() -> None:
    """Take Ctrl-C in, though a shell that starts a job in the background has it ignore that: tests interrupt themselves."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


UMASK = os.umask(0o022)
os.umask(UMASK)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Undo the umask that a test before left by opening the state: the users of the servers could not read their files."""
    os.umask(UMASK)


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
def tusk_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TuskHome]:
    """A private TUSK_HOME; after the test its core is stopped and no process of it may be left.

    There is no keyring (unless the test asks for `secret_service`): the one of whoever runs the tests is none of ours.

    To start a core takes a second, and its first driver half of one. The tests of a module with the mark `home("shared")`
    have one home, and so one core; it is emptied after each of them. One that stops or kills what runs there, or counts
    it, has the mark `home("own")`.
    """
    mark = request.node.get_closest_marker("home")
    if mark is not None and mark.args == ("shared",):
        home = request.getfixturevalue("shared_home")
        yield home
        empty(home)
        return
    with _private_home(monkeypatch) as home:  # the test's own patch: what it sets after this is undone before it
        yield home


@pytest.fixture(scope="module")
def shared_home() -> Iterator[TuskHome]:
    """What `tusk_home` is in a module with the mark `home("shared")`."""
    with pytest.MonkeyPatch.context() as patch, _private_home(patch) as home:
        yield home


@contextmanager
def _private_home(patch: pytest.MonkeyPatch) -> Iterator[TuskHome]:
    home = make_home()
    patch.setenv("TUSK_HOME", str(home))
    patch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={home / 'no-bus'}")
    yield home
    home.close()


@pytest.fixture(scope="module")
def module_home() -> Iterator[TuskHome]:
    """A private TUSK_HOME without a keyring, for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch, _private_home(patch) as home:
        patch.setenv("TUSK_MASTER_KEY", "5e" * 32)
        yield home


@pytest.fixture
def secret_service(tusk_home: TuskHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """A real keyring that the core of `tusk_home` will find."""
    with short_folder("tusk-k-") as folder, running_secret_service(folder) as service:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.environ["DBUS_SESSION_BUS_ADDRESS"])
        yield service
