"""The schema of a SQLite file in a handful of queries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tusk_drivers.sqlite.session import SQLiteSession
from tusk_drivers.sqlite.snapshot import snapshot
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol.driver import ForeignKey, SnapshotColumn, SnapshotTable

SET_UP = """
CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE items (a, maker INTEGER REFERENCES makers, b INTEGER REFERENCES makers (id),
    double INTEGER GENERATED ALWAYS AS (a * 2));
CREATE VIEW cheap AS SELECT a FROM items;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript(SET_UP)
    return tmp_path / "shop.sqlite"


@pytest.fixture(params=[False, True], ids=["writing", "read-only"])
def session(path: Path, request: pytest.FixtureRequest) -> Iterator[SQLiteSession]:
    opened = SQLiteSession.connect(Settings(config={"path": str(path)}, read_only=request.param))
    yield opened
    opened.close()


def test_tables_columns_and_keys_are_there(session: SQLiteSession):
    found = session.snapshot()
    assert found.search_path == (("main",),)
    assert {"lower", "count", "row_number"} <= set(found.functions)
    assert not [name for name in found.functions if not name.isidentifier()]
    cheap, items, makers = found.tables
    assert cheap == SnapshotTable(path=("main", "cheap"), kind="view", columns=(SnapshotColumn(name="a"),))
    assert [column.name for column in items.columns] == ["a", "maker", "b", "double"]
    assert makers.columns == (
        SnapshotColumn(name="id", type="INTEGER", nullable=False, primary_key=True),
        SnapshotColumn(name="name", type="TEXT", nullable=False),
    )
    key = {"table": ("main", "makers"), "references": ("id",)}
    assert set(items.foreign_keys) == {ForeignKey(columns=("maker",), **key), ForeignKey(columns=("b",), **key)}


def test_a_view_whose_table_is_gone_spoils_nothing(path: Path, session: SQLiteSession):
    with closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE VIEW first AS SELECT * FROM makers; DROP TABLE items")
    tables = {one.path[-1]: [column.name for column in one.columns] for one in session.snapshot().tables}
    assert tables == {"cheap": [], "first": ["id", "name"], "makers": ["id", "name"]}


def test_many_tables_take_as_many_queries_as_few(path: Path):
    asked: list[str] = []
    with closing(sqlite3.connect(path)) as connection:
        connection.set_trace_callback(lambda sql: asked.append(sql) if not sql.startswith("--") else None)
        snapshot(connection)
        few = len(asked)
        connection.set_trace_callback(None)
        connection.executescript("; ".join(f"CREATE TABLE t{n} (a)" for n in range(30)))
        asked.clear()
        connection.set_trace_callback(lambda sql: asked.append(sql) if not sql.startswith("--") else None)
        assert len(snapshot(connection).tables) == 33
    assert len(asked) == few <= 10
