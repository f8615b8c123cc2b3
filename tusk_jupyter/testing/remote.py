"""A driver's process, shared by the tests of a class."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import uuid4

import pytest

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.testing.base import ContractBase
from tusk_jupyter.testing.link import DriverProcess


class ProcessBase(ContractBase):
    """What the tests of a process share."""

    command: ClassVar[Sequence[str]] = ()
    """How the driver is started, before `info` or `serve`; left empty: python -m PACKAGE."""

    @classmethod
    def driver_command(cls) -> list[str]:
        """Return how the driver is started."""
        return list(cls.command) or [sys.executable, "-m", cls.package]

    @pytest.fixture(scope="class")
    @classmethod
    def process(cls) -> Iterator[DriverProcess]:
        """A driver process that listens."""
        with DriverProcess(cls.driver_command()) as started:
            assert started.ready.error is None, started.ready.error
            yield started

    @pytest.fixture
    def remote_table(self, process: DriverProcess, settings: Settings) -> Iterator[str]:
        """A table name that no one else uses; dropped afterwards by the driver, which may hold a file's lock."""
        name = f"tusk_kit_{uuid4().hex[:12]}"
        yield name
        with process.session(settings) as cleaner:
            process.run(cleaner, self.drop_sql.format(table=name))

    @pytest.fixture
    def opened(self, process: DriverProcess, settings: Settings, remote_table: str) -> Iterator[str]:
        """The id of an open session; closed before its table is dropped."""
        with process.session(settings) as name:
            yield name

    def info(self) -> subprocess.CompletedProcess[bytes]:
        """Run the driver's `info`."""
        return subprocess.run([*self.driver_command(), "info"], capture_output=True, timeout=60, check=False)

    def manifest(self) -> Manifest:
        """Return the manifest, from the package where there is one, as `info` prints it otherwise."""
        return super().manifest() if self.package else codec.decode(Manifest, self.info().stdout)
