"""The contract every driver keeps, on a SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tusk_jupyter.driverkit.session import Session, Settings
from tusk_jupyter.testing.driver import DriverContract
from tusk_jupyter.testing.uploads import COLUMNS


class TestSQLite(DriverContract):
    package = "tusk_drivers.sqlite"
    stored: ClassVar[Mapping[str, Callable[[Any], object]]] = {
        "bool": int,
        "date": lambda value: value.isoformat() if isinstance(value, date) else value,
        "time": time.isoformat,
        "datetime": lambda value: value.isoformat(" ") if isinstance(value, datetime) else value,
        "datetime with zone": lambda value: value.isoformat(" "),
    }

    uploading = False

    def expected(self, tag: str, value: object) -> object:
        """A date that was uploaded comes back as one, from a column declared DATE; as a bare parameter it is text."""
        return value if self.uploading and tag in ("date", "datetime") else super().expected(tag, value)

    @pytest.mark.parametrize("kind", COLUMNS)
    def test_values_come_back_as_they_were(self, session: Session, table: str, kind: str) -> None:
        self.uploading = True
        super().test_values_come_back_as_they_were(session, table, kind)

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(config={"path": str(tmp_path / "kit with blank.db")})

    @pytest.fixture
    def refused(self, tmp_path: Path) -> list[tuple[Settings, str]]:
        return [
            (Settings(config={"path": str(tmp_path / "no" / "x.db")}), "no_such_file"),
            (Settings(config={"path": str(tmp_path / "x.db")}, read_only=True), "no_such_file"),
            (Settings(config={"path": str(tmp_path / "x.db"), "create": False}), "no_such_file"),
        ]
