"""The contract every driver keeps, on a DuckDB file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.testing.driver import DriverContract


class TestDuckDB(DriverContract):
    package = "tusk_drivers.duckdb"
    rows_sql = "SELECT i FROM range(1, {count} + 1) AS n(i)"
    slow_sql = "SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c WHERE (a.range + b.range) % 7 = 3"
    failing_sql = "SELECT 1 / (CASE WHEN i < 400000 THEN 1 ELSE error('stop') END) FROM range(500000) n(i)"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(config={"path": str(tmp_path / "kit.duckdb")})

    @pytest.fixture
    def refused(self, tmp_path: Path) -> list[tuple[Settings, str]]:
        return [
            (Settings(config={"path": str(tmp_path / "no" / "x.duckdb")}), "no_such_file"),
            (Settings(config={"path": str(tmp_path / "x.duckdb")}, read_only=True), "no_such_file"),
            (Settings(config={"path": str(tmp_path / "x.duckdb"), "create": False}), "no_such_file"),
        ]
