"""Every DuckDB type with NULL, its ends and its awkward values; and TYPES.md says what really comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from golden.duckdb import GOLDEN, TEXT

import tusk_drivers.duckdb
from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.client.widen import widen_table
from tusk_jupyter.driverkit.session import Rows, Settings
from tusk_jupyter.sqltext.statements import split


@pytest.fixture(scope="module")
def session() -> Iterator[DuckDBSession]:
    opened = DuckDBSession.connect(Settings(config={}))
    opened.execute(split("SET TimeZone = 'UTC'", "duckdb")[0], {})
    yield opened
    opened.close()


def rows_of(session: DuckDBSession, sql: str) -> Rows:
    outcome = session.execute(split(sql, "duckdb")[0], {})
    assert isinstance(outcome, Rows)
    return outcome


def column_of(session: DuckDBSession, type_: str, literals: list[str]) -> tuple[str, list[Any], list[str]]:
    """Select the literals and NULL as one column of a type; return its Arrow type, its values and the notes."""
    casts = ", ".join(f"({n}, ({literal})::{type_})" for n, literal in enumerate([*literals, "NULL"]))
    result = rows_of(session, f"SELECT x FROM (VALUES {casts}) AS v(n, x) ORDER BY n")
    batches = list(result.batches)
    for batch in batches:
        batch.validate(full=True)
    return (
        str(batches[-1].schema.field(0).type),
        [v for b in batches for v in b.column(0).to_pylist()],
        list(result.notes()),
    )


golden = pytest.mark.parametrize(
    ("type_", "literals", "arrow", "values"), GOLDEN, ids=[f"{n}-{case[0][:20]}" for n, case in enumerate(GOLDEN)]
)


@golden
def test_type_is_golden(session: DuckDBSession, type_: str, literals: list[str], arrow: str, values: list[Any]) -> None:
    #
    got_type, got, notes = column_of(session, type_, literals)
    assert got_type == arrow
    assert got == [*values, None]
    widened = arrow in (TEXT, "decimal256(39, 0)") and type_.split("[")[0] in {"HUGEINT", "UHUGEINT", "DATE", "TIME"}
    assert bool(notes) or not widened


@golden
def test_column_of_nothing_but_null_keeps_its_type(
    session: DuckDBSession, type_: str, literals: list[str], arrow: str, values: list[Any]
) -> None:
    #
    _, got, notes = column_of(session, type_, ["NULL", "NULL"])
    assert got == [None, None, None]
    assert notes == []


def test_negative_zero_and_nan_survive(session: DuckDBSession) -> None:
    result = rows_of(session, "SELECT -0.0::DOUBLE AS z, 'nan'::DOUBLE AS n, '-nan'::FLOAT AS f")
    (row,) = next(result.batches).to_pylist()
    assert str(row["z"]) == "-0.0"
    assert row["n"] != row["n"]
    assert row["f"] != row["f"]


def test_names_are_kept_as_the_database_gives_them(session: DuckDBSession) -> None:
    result = rows_of(session, 'SELECT 1 AS a, 2 AS a, 3 AS A, 4 AS " ", 5 AS "ä"""')
    assert result.schema.names == ["a", "a", "A", " ", 'ä"']


def test_value_that_does_not_fit_widens_the_result_in_mid_stream(session: DuckDBSession) -> None:
    """What was sent before and what comes behind read the same, as one text column."""
    sql = (
        "SELECT CASE WHEN i = 150000 THEN 'infinity' ELSE '2024-02-28'::DATE + (i % 2)::INTEGER END::DATE AS d, "
        "CASE WHEN i = 100000 THEN 9223372036854775808 ELSE i END::HUGEINT AS h FROM range(200000) t(i) ORDER BY i"
    )
    result = rows_of(session, sql)
    whole: pa.Table | None = None
    for batch in result.batches:
        if whole is not None and batch.schema != whole.schema:
            whole = widen_table(whole, batch.schema)
        part = pa.Table.from_batches([batch])
        whole = part if whole is None else pa.concat_tables([whole, part])
    assert whole is not None
    assert result.schema.types == [pa.date32(), pa.int64()]
    assert whole.num_rows == 200_000
    dates, numbers = whole.column("d").to_pylist(), whole.column("h").to_pylist()
    assert dates[:2] == ["2024-02-28", "2024-02-29"]
    assert [n for n, d in enumerate(dates) if d == "infinity"] == [150_000]
    assert set(dates) == {"2024-02-28", "2024-02-29", "infinity"}
    assert numbers[99_999:100_002] == [Decimal(99_999), Decimal(2**63), Decimal(100_001)]
    assert len(result.notes()) == 2


def test_huge_texts_come_in_small_batches(session: DuckDBSession) -> None:
    result = rows_of(session, "SELECT repeat('x', 1000000) AS t FROM range(200)")
    sizes = [batch.nbytes for batch in result.batches]
    assert sum(sizes) >= 200_000_000


def test_types_md_says_what_comes(session: DuckDBSession) -> None:
    """Each line of the table: the Arrow type of a NULL of that type, under the name that DuckDB gives it."""
    table = (Path(tusk_drivers.duckdb.__file__).parent / "TYPES.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (.+?) \| ", table, re.MULTILINE)
    assert len(lines) >= 40
    for name, arrow, _ in lines:
        result = rows_of(session, f"SELECT NULL::{name} AS x")
        assert str(result.schema.field(0).type) == arrow, name
        assert result.types[0] == name


def test_every_documented_scalar_has_golden_values() -> None:
    table = (Path(tusk_drivers.duckdb.__file__).parent / "TYPES.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)", table, re.MULTILINE))
    tested = {re.match("[A-Z_]+", golden[0])[0] for golden in GOLDEN}  # type: ignore[index]
    aliases = {"TIMETZ", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"}
    assert documented - tested - aliases == {"TUPLE"}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO waits SELECT * FROM waits RETURNING w, [w] AS l",
        "UPDATE waits SET w = w RETURNING w, [w] AS l",
        "EXECUTE known",
    ],
)
def test_long_intervals_of_what_has_run_at_once(session: DuckDBSession, sql: str) -> None:
    for made in (
        "CREATE OR REPLACE TABLE waits (w INTERVAL)",
        "INSERT INTO waits VALUES (to_hours(3000000)), (NULL), ('-14 months 1 day 00:00:00.5'), (to_hours(-300000000))",
        "PREPARE known AS SELECT w, [w] AS l FROM waits",
    ):
        session.execute(split(made, "duckdb")[0], {})
    result = rows_of(session, sql)
    found = [(row["w"], row["l"]) for batch in result.batches for row in batch.to_pylist()]
    texts = ["P0M0DT10800000000S", None, "P-14M1DT0.5S", "P0M0DT-1080000000000S"]
    assert found == [(text, [text]) for text in texts]
    assert [*result.notes()][:1] == [
        "Column 'w' holds intervals of more than 292 years of hours, so all of it is text."
    ]
    session.execute(split("DEALLOCATE known", "duckdb")[0], {})
