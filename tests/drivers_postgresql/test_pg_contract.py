"""The contract of all drivers, on PostgreSQL."""

from __future__ import annotations

import pytest
from services.postgresql import PostgreSQL

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.testing.driver import DriverContract


class TestPostgreSQL(DriverContract):
    package = "tusk_drivers.postgresql"
    slow_sql = "SELECT pg_sleep(60)"

    @pytest.fixture
    def settings(self, postgresql: PostgreSQL) -> Settings:
        config = {
            "host": postgresql.host,
            "port": postgresql.port,
            "database": postgresql.database,
            "user": postgresql.user,
        }
        return Settings(config=config, secrets={"password": postgresql.password})
