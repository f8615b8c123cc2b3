"""Fixtures that every part's tests share: real servers, and a private home whose processes must be gone afterwards."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from services import TuskHome
from services import mariadb as mariadb_service
from services import postgresql as postgresql_service
from services.homes import empty, make_home, short_folder
from services.keyring import SecretService
from services.keyring import secret_service as running_secret_service
from xdist.scheduler import LoadFileScheduling

# jsonschema builds a grammar of two seconds as it is imported, with nbformat, for a format that no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def pytest_configure() -> None:
    """Take Ctrl-C in, though a shell that starts a job in the background has it ignore that: tests interrupt themselves."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class LongFilesSpread(LoadFileScheduling):  # type: ignore[misc]
    """Files with many tests come first, as before; the few tests of a browser's file are handed out among them.

    A process is given files until it has three tests. Of the last files, with one or two tests each, one process got
    three that take a minute, and the other had nothing to do meanwhile.
    """

    def schedule(self) -> None:
        """Hand out the first files, and spread the long ones over the first two thirds of the others."""
        begins = self.collection is None
        super().schedule()
        if not begins:
            return
        long = [name for name in self.workqueue if name.startswith(LONG)]
        files = [name for name in self.workqueue if not name.startswith(LONG)]
        gap = len(files) * 2 // 3 // (len(long) or 1) + 1
        for number, name in enumerate(long):
            files.insert(number * gap, name)
        for name in files:
            self.workqueue.move_to_end(name)


LONG = ("tests/browser/", "tests/core/test_load.py", "tests/notebooks/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongFilesSpread | None:
    """Hand files out in that order; each stays in one process."""
    return LongFilesSpread(config, log) if config.getvalue("dist") == "loadfile" else None


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
    it, has the mark `home("own")`. With `home("own", spares=False)` its core starts no driver ahead, which a test with one or
    two sessions would start for nothing.
    """
    mark = request.node.get_closest_marker("home")
    if mark is not None and mark.args == ("shared",):
        home = request.getfixturevalue("shared_home")
        yield home
        empty(home)
        return
    spares = mark is None or mark.kwargs.get("spares", True)
    with _private_home(
        monkeypatch, spares=spares
    ) as home:  # the test's own patch: what it sets after this is undone before it
        yield home


@pytest.fixture(scope="module")
def shared_home() -> Iterator[TuskHome]:
    """What `tusk_home` is in a module with the mark `home("shared")`."""
    with pytest.MonkeyPatch.context() as patch, _private_home(patch) as home:
        yield home


@contextmanager
def _private_home(patch: pytest.MonkeyPatch, *, spares: bool = True) -> Iterator[TuskHome]:
    home = make_home(spares=spares)
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
