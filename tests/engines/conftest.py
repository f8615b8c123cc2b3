"""The four engines through the whole core: each with a statement that takes minutes and a way to ask the server itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from services import TuskHome, wait_until
from services.mariadb import MariaDB
from services.postgresql import PostgreSQL

from tusk_jupyter import errors
from tusk_jupyter.client import Client, RunResult
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.values import pack
from tusk_jupyter.system.places import Places

COUNTS_FOR_MINUTES = (
    "SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c WHERE a.range + b.range > c.range"
)
RECURSES_FOR_MINUTES = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine as a connection of a client."""

    name: str
    client: Client = field(repr=False)
    long: str
    """A statement that takes minutes."""
    on_server: Callable[[], int] | None
    """How many such statements the server itself says it runs; None for engines without a server."""
    file: Path | None = None
    password: str = field(default="", repr=False)

    def run(self, sql: str, **more: object) -> RunResult:
        parameters = {name: pack(value) for name, value in more.pop("parameters", {}).items()}
        client = more.pop("client", self.client)
        return client.run(control.RunRequest(session="", connection=self.name, sql=sql, parameters=parameters, **more))

    def value(self, sql: str, **more: object) -> object:
        return self.run(sql, **more).table.column(0)[0].as_py()

    def cancelled(self, sql: str) -> errors.Cancelled:
        """Run `sql`, cancel it from elsewhere once it is under way, and return its error.

        The core knows of a run before its driver has begun it; one that is cancelled in between has done nothing and is run
        anew.
        """

        def cancel() -> None:
            under_way = wait_until(lambda: self.client.call(control.ListRuns()).runs, 15.0, "the run is under way")
            self.client.call(control.CancelRun(run=under_way[0].run))

        while True:
            canceller = threading.Thread(target=cancel)
            canceller.start()
            with pytest.raises(errors.Cancelled) as caught:
                self.run(sql)
            canceller.join()
            if "before it began" not in caught.value.message:
                return caught.value


def connect(client: Client, name: str, url: str, **more: object) -> control.ConnectionSaved:
    return client.call(control.SaveConnection(session=client.session, name=name, url=url, **more))


@pytest.fixture
def client(tusk_home: TuskHome) -> Iterator[Client]:
    client = Client(Places(Path(str(tusk_home))), source="engines.ipynb")
    yield client
    client.link.forget()


@pytest.fixture
def second_client(tusk_home: TuskHome) -> Iterator[Client]:
    client = Client(Places(Path(str(tusk_home))), source="second.ipynb")
    yield client
    client.link.forget()


@pytest.fixture
def duckdb_engine(client: Client, tmp_path: Path) -> Engine:
    connect(client, "duckdb", str(tmp_path / "lake.duckdb"), test=False)
    return Engine(name="duckdb", client=client, long=COUNTS_FOR_MINUTES, on_server=None, file=tmp_path / "lake.duckdb")


@pytest.fixture
def sqlite_engine(client: Client, tmp_path: Path) -> Engine:
    connect(client, "sqlite", str(tmp_path / "shop.sqlite"), test=False)
    return Engine(
        name="sqlite", client=client, long=RECURSES_FOR_MINUTES, on_server=None, file=tmp_path / "shop.sqlite"
    )


@pytest.fixture
def postgresql_engine(client: Client, postgresql: PostgreSQL) -> Engine:
    connect(client, "postgresql", postgresql.url, tier="memory", test=False)

    def on_server() -> int:
        with psycopg.connect(postgresql.admin_dsn) as admin:
            found = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> "
                "pg_backend_pid()"
            ).fetchone()
            return found[0]

    return Engine(
        name="postgresql", client=client, long="SELECT pg_sleep(600)", on_server=on_server, password=postgresql.password
    )


@pytest.fixture
def mysql_engine(client: Client, mariadb: MariaDB) -> Engine:
    connect(client, "mysql", mariadb.url, tier="memory", test=False)

    def on_server() -> int:
        with mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%sleep(600)%' AND id <> "
                "connection_id()"
            )
            return cursor.fetchone()[0]

    return Engine(name="mysql", client=client, long="SELECT sleep(600)", on_server=on_server, password=mariadb.password)


@pytest.fixture(params=["duckdb", "sqlite", "postgresql", "mysql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(f"{request.param}_engine")
