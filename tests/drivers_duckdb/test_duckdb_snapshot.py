"""The schema of a DuckDB file in a handful of queries."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_drivers.duckdb.snapshot import snapshot
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol.driver import ForeignKey, SnapshotColumn

SET_UP = """
CREATE TABLE makers (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE items (a STRUCT(x INTEGER), maker INTEGER REFERENCES makers (id));
CREATE SCHEMA s; CREATE VIEW s.cheap AS SELECT maker FROM items; COMMENT ON TABLE items IS 'what is sold';
CREATE MACRO twice(x) AS 2 * x;
"""


def test_tables_columns_keys_and_macros_are_there(tmp_path: Path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute(SET_UP)
    session = DuckDBSession.connect(Settings(config={"path": str(path)}))
    try:
        found = session.snapshot()
    finally:
        session.close()
    tables = {one.path: one for one in found.tables}
    assert set(tables) == {("shop", "main", "makers"), ("shop", "main", "items"), ("shop", "s", "cheap")}
    items = tables["shop", "main", "items"]
    assert (items.comment, items.columns[0].type) == ("what is sold", "STRUCT(x INTEGER)")
    assert items.foreign_keys == (
        ForeignKey(columns=("maker",), table=("shop", "main", "makers"), references=("id",)),
    )  # fmt: skip
    assert tables["shop", "main", "makers"].columns == (
        SnapshotColumn(name="id", type="INTEGER", nullable=False, primary_key=True),
        SnapshotColumn(name="name", type="VARCHAR", nullable=False),
    )
    assert tables["shop", "s", "cheap"].kind == "view"
    assert found.search_path[0] == ("shop", "main")
    assert {"twice", "read_parquet", "count", "date_trunc"} <= set(found.functions)
    assert not [name for name in found.functions if not name.isidentifier()]


def test_a_view_whose_table_is_gone_spoils_nothing(tmp_path: Path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE t (a INTEGER); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t")
        connection.execute("CREATE TABLE u (b INTEGER)")
        assert "u" in [one.path[-1] for one in snapshot(connection).tables]


def test_many_tables_take_as_many_queries_as_few():
    class Counting:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self.connection, self.asked = connection, 0

        def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
            self.asked += 1
            return self.connection.execute(sql)

    with duckdb.connect() as connection:
        few, many = Counting(connection), Counting(connection)
        snapshot(few)
        for n in range(30):
            connection.execute(f"CREATE TABLE t{n} (a INTEGER)")
        assert len(snapshot(many).tables) == 30
    assert many.asked == few.asked <= 10
