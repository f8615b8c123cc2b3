"""A column's type from what it declares and holds; no value is ever changed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from golden.sqlite import BINARY, GOLDEN, TEXT

import tusk_drivers.sqlite
from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter.client.widen import widen_table
from tusk_jupyter.driverkit.session import Rows, Settings
from tusk_jupyter.sqltext.statements import split


@pytest.fixture
def session() -> Iterator[SQLiteSession]:
    opened = SQLiteSession.connect(Settings(config={}))
    yield opened
    opened.close()


def rows_of(session: SQLiteSession, sql: str) -> Rows:
    outcome = session.execute(split(sql, "sqlite")[0], {})
    assert isinstance(outcome, Rows)
    return outcome


def change(session: SQLiteSession, sql: str) -> None:
    for statement in split(sql, "sqlite"):
        session.execute(statement, {})


def whole_of(result: Rows) -> pa.Table:
    """Read a result to its end as a client does: what was read widens with the schema."""
    whole: pa.Table | None = None
    for batch in result.batches:
        batch.validate(full=True)
        if whole is not None and batch.schema != whole.schema:
            whole = widen_table(whole, batch.schema)
        part = pa.Table.from_batches([batch])
        whole = part if whole is None else pa.concat_tables([whole, part])
    return result.schema.empty_table() if whole is None else whole


def column_of(session: SQLiteSession, declared: str, literals: list[str]) -> tuple[str, list[Any], list[str]]:
    """Store the literals and NULL in a column; return its Arrow type, its values and the notes."""
    change(session, f"CREATE TABLE x (n INTEGER PRIMARY KEY, c {declared})")
    for literal in [*literals, "NULL"]:
        change(session, f"INSERT INTO x (c) VALUES ({literal})")
    result = rows_of(session, "SELECT c FROM x ORDER BY n")
    table = whole_of(result)
    return str(table.schema.field(0).type), table.column(0).to_pylist(), list(result.notes())


@pytest.mark.parametrize(
    ("declared", "literals", "arrow", "values"), GOLDEN, ids=[f"{n}-{case[0]}" for n, case in enumerate(GOLDEN)]
)
def test_type_is_golden(
    session: SQLiteSession, declared: str, literals: list[str], arrow: str, values: list[Any]
) -> None:
    #
    got_type, got, _ = column_of(session, declared, literals)
    assert got_type == arrow
    assert got == [*values, None]


LATE = [
    ("INTEGER", "i", "'late'", [str(n) for n in range(5)], TEXT),
    ("INTEGER", "i", "0.5", [float(n) for n in range(5)], "double"),
    ("INTEGER", "i + 9007199254740992", "0.5", [str(2**53 + n) for n in range(5)], TEXT),
    ("INTEGER", "i", "x'ff'", [str(n).encode() for n in range(5)], BINARY),
    ("BOOLEAN", "i % 2", "7", [n % 2 for n in range(5)], "int64"),
    ("BOOLEAN", "i % 2", "'yes'", [str(n % 2) for n in range(5)], TEXT),
    ("BOOLEAN", "i % 2", "x'ff'", [str(n % 2).encode() for n in range(5)], BINARY),
    ("REAL", "i / 2.0", "'late'", ["0.0", "0.5", "1.0", "1.5", "2.0"], TEXT),
    (
        "DATE",
        "date('2024-02-28', i || ' days')",
        "'soon'",
        [f"2024-0{m}" for m in ("2-28", "2-29", "3-01", "3-02", "3-03")],
        TEXT,
    ),
    ("DATE", "date('2024-02-28')", "5", ["2024-02-28"] * 5, TEXT),
    (
        "DATETIME",
        "datetime('2024-02-28', i || ' seconds')",
        "'soon'",
        [f"2024-02-28 00:00:0{n}" for n in range(5)],
        TEXT,
    ),
    ("TEXT", "'t' || i", "x'ff'", [f"t{n}".encode() for n in range(5)], BINARY),
    ("TEXT", "'t' || i", "CAST(x'ff' AS TEXT)", [f"t{n}".encode() for n in range(5)], BINARY),
    ("BLOB", "NULL", "5", [None] * 5, BINARY),
    ("DATE", "NULL", "5", [None] * 5, TEXT),
    ("", "NULL", "5", [None] * 5, "int64"),
    ("", "NULL", "x'ff'", [None] * 5, BINARY),
    ("", "i", "1e300", [float(n) for n in range(5)], "double"),
]


@pytest.mark.parametrize(("declared", "usual", "late", "first", "arrow"), LATE, ids=[f"{c[0]}-{c[2]}" for c in LATE])
def test_late_value_widens_the_column_and_changes_none(
    session: SQLiteSession, declared: str, usual: str, late: str, first: list[Any], arrow: str
) -> None:
    """The client sees one column, as if its last value had been known from the start."""
    change(session, f"CREATE TABLE x (c {declared})")
    change(
        session,
        "INSERT INTO x WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
        f"SELECT {usual} FROM n",
    )
    change(session, f"INSERT INTO x VALUES ({late})")
    result = rows_of(session, "SELECT c, rowid FROM x ORDER BY rowid")
    table = whole_of(result)
    assert table.num_rows == 100_001
    assert str(table.schema.field("c").type) == arrow
    assert table.column("c").to_pylist()[:5] == first
    assert table.column("rowid").to_pylist() == list(range(1, 100_002))
    assert list(result.notes()) or usual == "NULL"


def test_declared_types_come_through_views_aliases_and_parameters(session: SQLiteSession) -> None:
    change(session, "CREATE TABLE x (d DATE, b BOOLEAN); INSERT INTO x VALUES ('2024-02-29', 1)")
    change(session, "CREATE VIEW v AS SELECT d AS day, b FROM x; CREATE TEMP TABLE y AS SELECT 1 AS one")
    sql = "WITH w AS (SELECT * FROM v) SELECT day, b AS flag, day + 0 AS e, :p AS p FROM w, y WHERE flag = :q"
    outcome = session.execute(split(sql, "sqlite")[0], {"p": "text", "q": 1})
    assert isinstance(outcome, Rows)
    assert outcome.schema.types == [pa.date32(), pa.bool_(), pa.int64(), pa.large_string()]
    assert outcome.types == ("DATE", "BOOLEAN", "INTEGER", "TEXT")


def test_looking_for_types_leaves_no_trace(session: SQLiteSession) -> None:
    change(session, "CREATE TABLE x (c); INSERT INTO x VALUES (1), (2)")
    asked = "SELECT changes(), total_changes(), last_insert_rowid(), (SELECT count(*) FROM sqlite_temp_master)"
    assert [tuple(row.values()) for row in whole_of(rows_of(session, asked)).to_pylist()] == [(2, 2, 2, 0)]
    change(session, "BEGIN")
    whole_of(rows_of(session, "SELECT * FROM x"))
    assert session.transaction.value == "open"
    change(session, "ROLLBACK")


def test_names_are_kept_as_the_database_gives_them(session: SQLiteSession) -> None:
    result = rows_of(session, 'SELECT 1 AS a, 2 AS a, 3 AS "", 4 AS " ", 5 AS "ä"')
    assert result.schema.names == ["a", "a", "", " ", "ä"]
    assert whole_of(result).num_rows == 1


def test_rows_of_megabytes_come_in_small_batches(session: SQLiteSession) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
    sql = f"{numbers} SELECT zeroblob(500000) AS b FROM n"
    sizes = [batch.nbytes for batch in rows_of(session, sql).batches]
    assert sum(sizes) >= 300_000_000
    assert max(sizes) < 160_000_000


def test_types_md_says_what_comes(session: SQLiteSession) -> None:
    """Each line with a fixed Arrow type: an empty column declared so."""
    table = (Path(tusk_drivers.sqlite.__file__).parent / "TYPES.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", table, re.MULTILINE)
    assert len(lines) >= 14
    for number, (declared, arrow) in enumerate(lines):
        change(session, f"CREATE TABLE t{number} (c {declared})")
        assert str(rows_of(session, f"SELECT c FROM t{number}").schema.field(0).type) == arrow, declared
    assert {name for name, _ in lines} <= {case[0] for case in GOLDEN}
