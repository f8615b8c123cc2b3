"""The MySQL driver keeps the contract that every driver keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import ClassVar

import pytest

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.testing.driver import DriverContract


class TestMysqlDriver(DriverContract):
    package = "tusk_drivers.mysql"
    rows_sql = "SELECT seq AS i FROM seq_1_to_{count}"
    slow_sql = "SELECT SLEEP(60)"
    stored: ClassVar = {
        "bool": int,
        "time": lambda value: datetime.combine(date.min, value) - datetime.min,  # MySQL's TIME is a length of time
        "datetime with zone": lambda value: value.astimezone(UTC).replace(tzinfo=None),  # the session's own time: UTC
    }
    gaps: ClassVar = {
        "test_hostile_names_can_be_described": "MySQL takes no name that ends in a blank; see test_mysql_catalog",
        "test_value_beyond_the_engine_is_refused_or_faithful[-0.0]": "MySQL reads the literal -0.0 as 0.0",
    }

    @pytest.fixture
    def settings(self, mysql_settings: Settings) -> Settings:
        return mysql_settings

    @pytest.fixture
    def refused(self, settings: Settings) -> Sequence[tuple[Settings, str]]:
        def other(**config: object) -> Settings:
            return replace(settings, config={**settings.config, **config}, connect_timeout_s=2.0)

        return [
            (replace(settings, secrets={"password": "not the password"}), "bad_password"),
            (other(database="no_such_database"), "permission"),
            (other(host="no-such-host.invalid"), "unknown_host"),
            (other(port=1), "refused"),
            (other(unix_socket="/nonexistent/mysqld.sock"), "refused"),
        ]

    def path_of(self, session, table, path=()):
        found = [node.name for node in session.tree(["tusk"])]
        return ["tusk", table] if table in found else []
