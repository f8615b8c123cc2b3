"""The process level of the kit needs no Python package, only a command: that is how a driver in another language is tested."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.testing.process import ProcessContract


@pytest.fixture(scope="module", autouse=True)
def program(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A program as it could be written in any language: one file that is run."""
    path = tmp_path_factory.mktemp("program") / "mydriver"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tusk_drivers.duckdb "$@"\n')
    path.chmod(0o755)
    TestProgram.command = (os.fspath(path),)


class TestProgram(ProcessContract):
    rows_sql = "SELECT i FROM range(1, {count} + 1) AS n(i)"
    slow_sql = (
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c WHERE (a.range + b.range) % 7 = c.range"
    )

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(config={"path": str(tmp_path / "kit.duckdb")})

    @pytest.fixture
    def refused(self, tmp_path: Path) -> list[tuple[Settings, str]]:
        return [(Settings(config={"path": str(tmp_path / "no" / "x.duckdb")}), "no_such_file")]
