"""The ways to get a query's rows, one class each. They live in a measuring process (`child`), never in the parent.

All are given their best: connected and warmed up with `SELECT 1` before the clock starts, JupySQL with its messages off
and, for DuckDB, also with the native connection that its documentation recommends.
"""

from __future__ import annotations

import os
import subprocess
import warnings
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from benchmarks.databases import Database

WARM_UP = "SELECT 1 AS one"
ALL = ("postgresql", "mariadb", "sqlite", "duckdb")


class Peer(ABC):
    """One way to read."""

    name: ClassVar[str]
    title: ClassVar[str]
    engines: ClassVar[tuple[str, ...]] = ALL
    is_floor: ClassVar[bool] = False
    """Rows are thrown away: no frame to look at."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def connect(self) -> None:
        """Import what is needed, sign in, run one statement."""
        self.frame(WARM_UP)

    @abstractmethod
    def frame(self, query: str) -> Any:
        """Return the rows of `query` as a pandas DataFrame."""


class Tusk(Peer):
    """This project, through its cell magic. The connection's name is the engine's; it was stored by the parent."""

    name = "tusk"
    title = "tusk-jupyter `%%sql`"

    def connect(self) -> None:
        """Load the extension and open the session."""
        self.shell = _shell()
        self.shell.run_line_magic("load_ext", "tusk_jupyter")
        super().connect()

    def frame(self, query: str) -> Any:
        """Run a cell."""
        return self.shell.run_cell_magic("sql", self.database.engine, query)


class JupySQL(Peer):
    """JupySQL's cell magic over SQLAlchemy."""

    name = "jupysql"
    title = "JupySQL `%%sql`"
    schemes: ClassVar[dict[str, str]] = {
        "postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql", "sqlite": "sqlite", "duckdb": "duckdb",
    }  # fmt: skip

    def connect(self) -> None:
        """Load the extension and connect."""
        self.shell = _shell()
        self.shell.run_line_magic("load_ext", "sql")
        for setting in ("autopandas=True", "displaycon=False", "feedback=0"):
            self.shell.run_line_magic("config", f"SqlMagic.{setting}")
        self.shell.run_line_magic("sql", self._connection())
        super().connect()

    def _connection(self) -> str:
        return self.database.url(self.schemes[self.database.engine])

    def frame(self, query: str) -> Any:
        """Run a cell."""
        return self.shell.run_cell_magic("sql", "", query)


class JupySQLNative(JupySQL):
    """JupySQL with DuckDB's own connection in place of SQLAlchemy."""

    name = "jupysql-native"
    title = "JupySQL `%%sql`, native DuckDB connection"
    engines = ("duckdb",)

    def _connection(self) -> str:
        import duckdb

        self.shell.user_ns["native"] = duckdb.connect(self.database.path)
        return "native --alias native"


class PandasReadSql(Peer):
    """`pandas.read_sql` on the database's own DBAPI connection."""

    name = "pandas"
    title = "`pandas.read_sql`"

    def connect(self) -> None:
        """Open the DBAPI connection."""
        self.connection = dbapi_connection(self.database)
        super().connect()

    def frame(self, query: str) -> Any:
        """Read."""
        import pandas as pd

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it would rather have SQLAlchemy
            return pd.read_sql(query, self.connection)


class ConnectorX(Peer):
    """ConnectorX: Rust, in process, a new connection for each query (so no session: no transaction, no temp table)."""

    name = "connectorx"
    title = "ConnectorX"
    engines = ("postgresql", "mariadb", "sqlite")
    schemes: ClassVar[dict[str, str]] = {"postgresql": "postgresql", "mariadb": "mysql", "sqlite": "sqlite"}

    def frame(self, query: str) -> Any:
        """Read."""
        import connectorx

        return connectorx.read_sql(self.database.url(self.schemes[self.database.engine]), query)


class DuckDBInProcess(Peer):
    """DuckDB's own way to pandas."""

    name = "duckdb-df"
    title = "`duckdb` in process, `.df()`"
    engines = ("duckdb",)

    def connect(self) -> None:
        """Open the file."""
        import duckdb

        self.connection = duckdb.connect(self.database.path)
        super().connect()

    def frame(self, query: str) -> Any:
        """Read."""
        return self.connection.sql(query).df()


class ServerFloor(Peer):
    """What the server itself can put out: its own client, binary or unbuffered, into /dev/null."""

    name = "floor"
    title = "floor"
    engines = ("postgresql", "mariadb")
    is_floor = True

    def frame(self, query: str) -> Any:
        """Let the client run the query."""
        place, postgresql = self.database, self.database.engine == "postgresql"
        if postgresql:
            command = ["psql", "-X", "-q", "-c", f"COPY ({query}) TO STDOUT (FORMAT binary)"]
            environment = {"PGHOST": place.host, "PGPORT": str(place.port), "PGUSER": place.user,
                           "PGPASSWORD": place.password, "PGDATABASE": place.name}  # fmt: skip
        else:
            command = ["mariadb", "--no-defaults", "--quick", f"-h{place.host}", f"-P{place.port}", f"-u{place.user}",
                       place.name, "-e", query]  # fmt: skip
            environment = {"MYSQL_PWD": place.password}
        subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)


class CursorFloor(Peer):
    """SQLite's floor: step through all rows and look at none."""

    name = "floor"
    title = "floor"
    engines = ("sqlite",)
    is_floor = True

    def connect(self) -> None:
        """Open the file."""
        self.connection = dbapi_connection(self.database)
        super().connect()

    def frame(self, query: str) -> Any:
        """Step through."""
        for _ in self.connection.execute(query):
            pass


PEERS: tuple[type[Peer], ...] = (
    Tusk, JupySQL, JupySQLNative, PandasReadSql, ConnectorX, DuckDBInProcess, ServerFloor, CursorFloor,
)  # fmt: skip
FLOOR_TITLES = {
    "postgresql": "floor: `psql`, COPY binary, to /dev/null",
    "mariadb": "floor: `mariadb --quick` to /dev/null",
    "sqlite": "floor: `sqlite3` cursor, rows dropped",
}


def peers_of(engine: str) -> list[type[Peer]]:
    """Return the ways that know an engine, this project first."""
    return [peer for peer in PEERS if engine in peer.engines]


def peer_named(name: str, engine: str) -> type[Peer]:
    """Return the class for a name on an engine."""
    return next(peer for peer in peers_of(engine) if peer.name == name)


def dbapi_connection(database: Database) -> Any:
    """Return a connection of the engine's usual Python client."""
    match database.engine:
        case "postgresql":
            import psycopg

            return psycopg.connect(database.url("postgresql"))
        case "mariadb":
            import pymysql

            return pymysql.connect(
                host=database.host, port=database.port, user=database.user, password=database.password,
                database=database.name,
            )  # fmt: skip
        case "sqlite":
            import sqlite3

            return sqlite3.connect(database.path)
        case _:
            import duckdb

            return duckdb.connect(database.path)


def _shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance()
