"""Sessions on the tests' own PostgreSQL, and short words for what every test does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from services.postgresql import PostgreSQL

from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.session import Changed, Rows, Settings
from tusk_jupyter.sqltext.statements import split


class Talk:
    """A session, spoken to in text."""

    def __init__(self, session: PostgresqlSession) -> None:
        self.session = session
        self.notes: list[str] = []
        self.types: list[str] = []
        self.affected: int | None = None

    def batches(self, sql: str, **parameters: object) -> Rows | Changed:
        (statement,) = split(sql, "postgresql")
        return self.session.execute(statement, parameters)

    def table(self, sql: str, **parameters: object) -> pa.Table:
        """Run one statement that yields rows; batches before a widening are cast, as a client does."""
        result = self.batches(sql, **parameters)
        assert isinstance(result, Rows), result
        found = list(result.batches)
        self.notes, self.types, self.affected = list(result.notes()), list(result.types), result.affected()
        schema = found[-1].schema if found else result.schema
        return pa.Table.from_batches([batch.cast(schema) for batch in found], schema)

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        table = self.table(sql, **parameters)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def one(self, sql: str, **parameters: object) -> Any:
        ((value,),) = self.rows(sql, **parameters)
        return value

    def do(self, sql: str, **parameters: object) -> int | None:
        """Run statements; returns what the last one changed."""
        changed = None
        for statement in split(sql, "postgresql"):
            result = self.session.execute(statement, parameters)
            if isinstance(result, Rows):
                list(result.batches)
                changed = result.affected()
            else:
                changed, self.notes = result.affected, list(result.notes)
        return changed


@pytest.fixture
def settings(postgresql: PostgreSQL) -> Callable[..., Settings]:
    """Make settings; `admin` for the superuser, other words are fields of the connection."""

    def make(*, admin: bool = False, read_only: bool = False, timeout_s: float = 10.0, **fields: object) -> Settings:
        config = {
            "host": postgresql.host, "port": postgresql.port, "database": postgresql.database,
            "user": postgresql.admin_user if admin else postgresql.user,
        }  # fmt: skip
        password = fields.pop("password", postgresql.admin_password if admin else postgresql.password)
        return Settings(
            config={**config, **fields},
            secrets={"password": str(password)},
            read_only=read_only,
            connect_timeout_s=timeout_s,
        )

    return make


@pytest.fixture
def connect(settings: Callable[..., Settings]) -> Iterator[Callable[..., Talk]]:
    """Open sessions; they are closed after the test."""
    with contextlib.ExitStack() as opened:

        def open_session(**fields: Any) -> Talk:
            session = PostgresqlSession.connect(settings(**fields))
            opened.callback(session.close)
            return Talk(session)

        yield open_session


@pytest.fixture
def db(connect: Callable[..., Talk]) -> Talk:
    """A session of the plain user."""
    return connect()


@pytest.fixture
def admin(connect: Callable[..., Talk]) -> Talk:
    """A session of the superuser."""
    return connect(admin=True)
