"""Sessions of the MySQL driver on the tests' own MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from services.mariadb import MariaDB

from tusk_drivers.mysql.session import MysqlSession
from tusk_jupyter.driverkit.session import Changed, Rows, Settings
from tusk_jupyter.sqltext.statements import split


class Client:
    """A session with the ways that tests call it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.session = MysqlSession.connect(settings)

    def run(self, sql: str, **parameters: object) -> Rows | Changed:
        (statement,) = split(sql, "mysql")
        return self.session.execute(statement, parameters)

    def rows(self, sql: str, **parameters: object) -> Rows:
        outcome = self.run(sql, **parameters)
        assert isinstance(outcome, Rows), sql
        return outcome

    def table(self, sql: str, **parameters: object) -> pa.Table:
        """All batches as one table, the earlier ones cast to the last schema as a client does it."""
        rows = self.rows(sql, **parameters)
        batches = list(rows.batches)
        schema = batches[-1].schema if batches else rows.schema
        return pa.concat_tables(
            [pa.Table.from_batches([batch]).cast(schema) for batch in batches] or [schema.empty_table()]
        )

    def values(self, sql: str, **parameters: object) -> list[Any]:
        """The first column."""
        return self.table(sql, **parameters).column(0).to_pylist()

    def value(self, sql: str, **parameters: object) -> Any:
        (found,) = self.values(sql, **parameters)
        return found


@pytest.fixture
def mysql_settings(mariadb: MariaDB) -> Settings:
    return Settings(
        config={"host": mariadb.host, "port": mariadb.port, "user": mariadb.user, "database": mariadb.database},
        secrets={"password": mariadb.password},
    )


@pytest.fixture
def admin_settings(mysql_settings: Settings, mariadb: MariaDB) -> Settings:
    return replace(
        mysql_settings,
        config={**mysql_settings.config, "user": mariadb.admin_user},
        secrets={"password": mariadb.admin_password},
    )


@pytest.fixture
def connect(mysql_settings: Settings) -> Iterator[Callable[..., Client]]:
    """Opens sessions that are closed after the test; keywords replace fields of the config."""
    opened: list[Client] = []

    def open_client(base: Settings = mysql_settings, *, read_only: bool = False, **config: object) -> Client:
        opened.append(Client(replace(base, config={**base.config, **config}, read_only=read_only)))
        return opened[-1]

    yield open_client
    for client in opened:
        client.session.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


@pytest.fixture
def admin(connect: Callable[..., Client], admin_settings: Settings) -> Client:
    return connect(admin_settings)
