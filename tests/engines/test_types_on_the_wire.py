"""Every type of every engine where the user stands: through core, driver and wire, into each form that a result takes."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from golden import postgresql
from golden.cases import Case, of_duckdb, of_mysql, of_postgresql, of_sqlite
from golden.compare import same
from golden.inserts import line, page_lines, wrongs

from tusk_jupyter import errors
from tusk_jupyter.client import frames
from tusk_jupyter.client.files import sink_for

pytestmark = pytest.mark.home("shared")

ENGINES: dict[str, tuple[Callable[[], Iterator[Case]], str]] = {
    "duckdb": (of_duckdb, "SET TimeZone = 'UTC'"),
    "postgresql": (of_postgresql, postgresql.OWN_TYPES),
    "mysql": (of_mysql, "SELECT 1"),
    "sqlite": (of_sqlite, "SELECT 1"),
}


def as_pandas(table: pa.Table) -> list[Any]:
    frame = frames.to_pandas(table)
    repr(frame), frame.to_html(), frame.to_csv()
    return frame.iloc[:, 0].tolist()


def as_polars(table: pa.Table) -> list[Any]:
    frame = frames.to_polars(table)
    str(frame), frame.to_dicts()
    return frame.to_series(0).to_list()


def in_file(ending: str, read: Callable[[Path], list[Any]]) -> Callable[[pa.Table, Path], list[Any]]:
    def written(table: pa.Table, folder: Path) -> list[Any]:
        path = folder / f"values.{ending}"
        with sink_for(path, overwrite=True) as sink:
            sink.open(table.schema)
            for batch in table.to_batches():
                sink.write(batch)
            sink.commit()
        return read(path)

    return written


def csv_values(path: Path) -> list[str | None]:
    """Return the texts of a file's one column; nothing without quotes is NULL."""
    table = pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types={table_name(path): pa.string()}, null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    return table.column(0).to_pylist()


def table_name(path: Path) -> str:
    """Return the name of a file's one column."""
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"')


FORMS: dict[str, Callable[[pa.Table, Path], list[Any]]] = {
    "pandas": lambda table, _: as_pandas(table),
    "polars": lambda table, _: as_polars(table),
    "parquet": in_file("parquet", lambda path: pa.parquet.read_table(path).column(0).to_pylist()),
    "arrow": in_file("arrow", lambda path: pa.feather.read_table(path).column(0).to_pylist()),
    "csv": in_file("csv", csv_values),
}


@pytest.mark.parametrize("name", list(ENGINES))
def test_every_golden_value_is_itself_in_every_form(request, tmp_path, name):
    cases, before = ENGINES[name]
    engine = request.getfixturevalue(f"{name}_engine")
    engine.run(before)
    wrong, lines = [], {}
    for type_, sql, arrow, values in cases():
        table = engine.run(sql).table
        if str(table.schema.field(0).type) != arrow:
            wrong.append((type_, "type", str(table.schema.field(0).type), arrow))
        forms = {"wire": table.column(0).to_pylist()}
        for form, made in FORMS.items():
            try:
                forms[form] = made(table, tmp_path)
            except BaseException as exc:
                wrong.append((type_, form, repr(exc)[:300], ""))
        for form, got in forms.items():
            if len(got) != len(values):
                wrong.append((type_, form, got, values))
            wrong += [(type_, form, g, v) for g, v in zip(got, values, strict=False) if not same(g, v)]
        wrong += wrongs(engine, type_, table, tmp_path)
        lines.setdefault((type_, arrow), line(type_, table, name, tmp_path))
    assert not wrong, "\n".join(map(str, wrong))
    assert page_lines(name) == list(lines.values()), f"docs/exports.md should have for {name}:\n" + "\n".join(
        lines.values()
    )


def test_words_of_an_enum_may_come_before_and_behind_another_result(duckdb_engine):
    one, words = "SELECT 1 AS e", "SELECT 'a'::ENUM('a', 'b') AS e"
    for sql, values in ((f"{words}; {one}", [1]), (f"{one}; {words}", ["a"])):
        result = duckdb_engine.run(sql)
        assert [report.rows for report in result.statements] == [1, 1]
        assert result.table.column("e").to_pylist() == values


def test_an_enum_of_many_batches_beside_a_column_that_widens_is_a_category(duckdb_engine, tmp_path):
    sql = (
        "SELECT (['a', 'b'])[i % 2 + 1]::ENUM('a', 'b', 'c') AS e, "
        "CASE WHEN i = 140000 THEN 'infinity' ELSE '2024-01-01' END::DATE AS d FROM range(150000) t(i)"
    )
    table = duckdb_engine.run(sql).table
    frame = frames.to_pandas(table)
    assert str(frame["e"].dtype) == "category"
    assert frame["e"].value_counts().to_dict() == {"a": 75_000, "b": 75_000, "c": 0}
    assert frame["e"].isna().sum() == 0


def test_long_intervals_behind_many_short_ones_are_text_and_within_a_list_refused(duckdb_engine):
    late = "CASE WHEN i = 70000 THEN to_hours(-2562048) ELSE INTERVAL '1 month -1 day 1.5 s' END"
    result = duckdb_engine.run(f"SELECT {late} AS v FROM range(70001) t(i)")
    values = result.table.column("v").to_pylist()
    assert (values[0], values[-1], set(values[1:-1])) == ("P1M-1DT1.5S", "P0M0DT-9223372800S", {"P1M-1DT1.5S"})
    assert "Column 'v' holds intervals of more than 292 years of hours" in result.notes[0]
    with pytest.raises(errors.QueryError, match="Column 'v' holds an interval of more than 292 years") as caught:
        duckdb_engine.run("SELECT [to_hours(3000000)] AS v")
    assert "::VARCHAR" in caught.value.message
    assert duckdb_engine.value("SELECT [to_hours(2562047)] AS v") == [
        pa.MonthDayNano((0, 0, 9_223_369_200_000_000_000))
    ]


ZONES = [
    ("PST", "2024-07-01 00:00+00", datetime(2024, 7, 1, tzinfo=UTC)),
    ("GMT+01:30", "2024-07-01 00:00+00", datetime(2024, 7, 1, tzinfo=UTC)),
    ("Asia/Kolkata", "2024-07-01 00:00+00", datetime(2024, 7, 1, tzinfo=UTC)),
    ("America/New_York", "0001-01-01 00:00+00", "0001-01-01 00:00:00+00"),
    ("Asia/Tokyo", "9999-12-31 20:00+00", "9999-12-31 20:00:00+00"),
    ("Asia/Kolkata", "12000-01-01 00:00+00", "12000-01-01 00:00:00+00"),
]


def test_instants_in_any_zone_can_be_shown_and_taken_out(duckdb_engine):
    for zone, instant, shown in ZONES:
        duckdb_engine.run(f"SET TimeZone = '{zone}'")
        result = duckdb_engine.run(f"SELECT '{instant}'::TIMESTAMPTZ AS v, ['{instant}'::TIMESTAMPTZ] AS l")
        assert result.table.column("v")[0].as_py() == shown
        assert as_pandas(result.table) == [shown]
        assert as_polars(result.table) == [shown]
        assert frames.to_polars(result.table)["l"].to_list() == [[shown]]
        assert len(result.notes) == (0 if zone == "Asia/Kolkata" and isinstance(shown, datetime) else 2)


EDGES = [
    ("America/New_York", "9999-12-31 23:59:59.999999-05"),  # 10000 in UTC
    ("Europe/Berlin", "0001-01-01 00:00:00+00:53:28"),  # before Christ in UTC
]


def test_instants_whose_year_is_another_one_in_utc_can_be_shown(postgresql_engine):
    """Over COPY, the extended protocol, and in an array."""
    for zone, instant in EDGES:
        postgresql_engine.run(f"SET TimeZone = '{zone}'")
        for result in (
            postgresql_engine.run(f"SELECT '{instant}'::timestamptz AS v"),
            postgresql_engine.run("SELECT :x::timestamptz AS v", parameters={"x": instant}),
        ):
            assert as_pandas(result.table) == as_polars(result.table) == [instant]
            assert "shown as text" in result.notes[0]
        nested = postgresql_engine.run(f"SELECT ARRAY['{instant}'::timestamptz, NULL] AS v").table
        assert as_polars(nested) == [[instant, None]]


def test_a_late_far_instant_makes_text_that_is_alike_in_all_rows(duckdb_engine):
    duckdb_engine.run("SET TimeZone = 'Asia/Kolkata'")
    far = "CASE WHEN i = 100000 THEN '12000-01-01 00:00+00' ELSE '2024-07-01 00:00+00' END::TIMESTAMPTZ"
    values = duckdb_engine.run(f"SELECT {far} AS v FROM range(100002) t(i)").table.column("v").to_pylist()
    assert set(values[:100_000]) == {values[100_001]} == {"2024-07-01 05:30:00+05:30"}
    assert values[100_000] == "12000-01-01 00:00:00+00"


def test_columns_have_the_names_that_the_engine_gives_them(duckdb_engine, tmp_path):
    """A relation of DuckDB's Python module renames the second of two."""
    duckdb_engine.run("CREATE TABLE r (a INTEGER, b INTEGER); CREATE SEQUENCE s; PREPARE p AS SELECT 1 AS a, 2 AS a")
    for sql, names, values in (
        ("INSERT INTO r VALUES (1, 2) RETURNING a, b AS a", ["a", "a"], [1, 2]),
        ("UPDATE r SET b = 3 RETURNING a, b AS a, 4 AS a_1", ["a", "a", "a_1"], [1, 3, 4]),
        ("DELETE FROM r RETURNING a, b AS A", ["a", "A"], [1, 3]),
        ("EXECUTE p", ["a", "a"], [1, 2]),
        ("SELECT nextval('s') AS a, nextval('s') AS a", ["a", "a"], [1, 2]),
        ("SELECT currval('s') AS a, 1 AS a_1", ["a", "a_1"], [2, 1]),
        ("WITH w AS (INSERT INTO r VALUES (7, 8) RETURNING *) SELECT a, b AS a FROM w", ["a", "a"], [7, 8]),
        ("SELECT count(*) AS a, nextval('s') AS a FROM r", ["a", "a"], [1, 3]),
        ('INSERT INTO r VALUES (5, 6) RETURNING a AS "Count"', ["Count"], [5]),
        (
            f"WITH c AS (COPY (SELECT 1) TO '{tmp_path}/c.csv') SELECT p.Count, q.Count FROM c p, c q",
            ["Count"] * 2,
            [1, 1],
        ),
    ):
        table = duckdb_engine.run(sql).table
        assert (table.column_names, [column[0].as_py() for column in table.columns]) == (names, values), sql


def test_an_execute_yields_rows_or_tells_how_many_it_changed(duckdb_engine):
    """Also when the rows' column has the name of DuckDB's own answer."""
    duckdb_engine.run("CREATE TABLE r (a INTEGER)")
    duckdb_engine.run('PREPARE n AS SELECT 42 AS "Count"; PREPARE i AS INSERT INTO r VALUES (1), (2)')
    assert duckdb_engine.value("EXECUTE n") == 42
    inserted = duckdb_engine.run("EXECUTE i")
    assert (inserted.table, inserted.statements[0].affected) == (None, 2)


ODD: dict[str, tuple[str, object]] = {
    "null": ("NULL", None),
    "integer": ("7", 7),
    "large": ("9007199254740993", 2**53 + 1),
    "real": ("0.5", 0.5),
    "text": ("'x'", "x"),
    "blob": ("x'00ff'", b"\x00\xff"),
}
"""Of SQLite's columns without a declared type: SQL and value."""


def test_a_sqlite_column_of_no_declared_type_widens_at_every_border(sqlite_engine, tmp_path):
    """A first piece has 256 rows, the others 2,048, a batch 65,536."""
    for first in ("null", "integer", "real", "text", "blob"):
        _widens_at_every_border(sqlite_engine, tmp_path, first)


def _widens_at_every_border(sqlite_engine, tmp_path, first):
    sqlite_engine.run("DROP TABLE IF EXISTS t; CREATE TABLE t (n INTEGER PRIMARY KEY, c)")
    sqlite_engine.run(
        "INSERT INTO t (c) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 66000) "
        f"SELECT {ODD[first][0]} FROM i"
    )
    usual = ODD[first][1]
    for late, place in [*itertools.product(ODD, (256, 257, 2305)), ("real", 65_537), ("text", 65_537)]:
        sqlite_engine.run(f"UPDATE t SET c = {ODD[late][0]} WHERE n = {place}")
        sql = f"SELECT c FROM t WHERE n <= {place + 1} ORDER BY n"
        result = sqlite_engine.run(sql)
        sqlite_engine.run(f"UPDATE t SET c = {ODD[first][0]} WHERE n = {place}")
        values = result.table.column("c").to_pylist()
        expected = [usual] * (place - 1) + [ODD[late][1], usual]
        assert len(values) == place + 1
        assert set(values) <= {told(usual, result.table), told(ODD[late][1], result.table)}, (late, place)
        assert same_row(values[place - 1], expected[place - 1]), (late, place)
        assert same_row(values[0], usual), (late, place)
        mixed = {type(usual), type(ODD[late][1])} - {type(None)}
        if not pa.types.is_floating(result.table.schema.field(0).type):  # an integer is as exact there
            assert bool(result.notes) == (len(mixed) == 2), (late, place)
        if place == 2305:
            for form, made in FORMS.items():
                assert len(made(result.table, tmp_path)) == place + 1, form


def told(value: object, table: pa.Table) -> object:
    """Return a value as a column that widened to text or bytes has it."""
    kind = table.schema.field(0).type
    if value is None or not (pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)):
        return value
    text = value if isinstance(value, (str, bytes)) else str(value)
    return text if pa.types.is_large_string(kind) else text if isinstance(text, bytes) else text.encode()


def same_row(got: object, want: object) -> bool:
    return got == want or got == str(want) or got == str(want).encode()


def test_a_sqlite_table_that_another_program_made_anew_has_its_new_types(sqlite_engine):
    sqlite_engine.run("CREATE TABLE t (c REAL); INSERT INTO t VALUES (1)")
    assert sqlite_engine.value("SELECT c FROM t") == 1.0
    with contextlib.closing(sqlite3.connect(sqlite_engine.file)) as other:
        other.executescript("DROP TABLE t; CREATE TABLE t (c DATE); INSERT INTO t VALUES ('2024-02-29')")
    result = sqlite_engine.run("SELECT c FROM t")
    assert (result.table.column("c").to_pylist(), result.notes) == ([date(2024, 2, 29)], ())


def test_integers_among_real_numbers_that_become_text_are_told_of(sqlite_engine):
    sqlite_engine.run(
        "CREATE TABLE t (c); INSERT INTO t WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 70000) "
        "SELECT CASE n % 2 WHEN 0 THEN 2 ELSE 0.5 END FROM i; INSERT INTO t VALUES ('x')"
    )
    result = sqlite_engine.run("SELECT c FROM t")
    assert result.table.column("c").to_pylist()[-3:] == ["0.5", "2", "x"]
    assert set(result.table.column("c").to_pylist()[:60_000]) == {"0.5", "2.0"}
    assert "stand as 2.0" in result.notes[0]


def test_a_function_s_float_is_exact(mysql_engine):
    mysql_engine.run("CREATE OR REPLACE FUNCTION whole() RETURNS float DETERMINISTIC RETURN 16777216")
    for sql in (
        "SELECT whole() AS v", "(SELECT whole() AS v)", "SELECT /* c */ whole() AS v", "SELECT `whole`() AS v",
        f"SELECT {mysql_engine.value('SELECT database()')}.whole() AS v", "SELECT whole() AS v LIMIT 1",
        "WITH w AS (SELECT whole() AS v) SELECT v FROM w", "SELECT IF(1, whole(), NULL) AS v",
        "SELECT whole() AS v UNION ALL SELECT whole()", "VALUES (whole())", "SELECT whole() AS v, 'from' AS w",
    ):  # fmt: skip
        result = mysql_engine.run(sql)
        assert (result.table.column(0)[0].as_py(), result.notes) == (16777216.0, ()), sql


def test_dates_of_the_year_0000_are_text_as_they_are(mysql_engine, tmp_path):
    """Arrow reads them, Python has no such year. A FLOAT beside them takes the binary protocol."""
    mysql_engine.run(
        "CREATE TEMPORARY TABLE t (f FLOAT, d DATE, m DATETIME(6)); "
        "INSERT INTO t VALUES (1.5, '0000-12-31', '0000-12-31 23:59:59.5'), (2, '0001-01-01', '0001-01-01')"
    )
    moments = ["0000-12-31 23:59:59.500000", "0001-01-01 00:00:00.000000"]
    for sql, values in (
        ("SELECT d FROM t", ["0000-12-31", "0001-01-01"]), ("SELECT d, f FROM t", ["0000-12-31", "0001-01-01"]),
        ("SELECT m FROM t", moments), ("SELECT m, f FROM t", moments),
    ):  # fmt: skip
        result = mysql_engine.run(sql)
        assert "is shown as text" in result.notes[0]
        column = result.table.select([0])
        assert column.column(0).to_pylist() == values
        assert [made(column, tmp_path) for made in FORMS.values()] == [values] * len(FORMS)
    assert mysql_engine.run("SELECT d, f FROM t WHERE f = 2").table.column("d").to_pylist() == [date(1, 1, 1)]


def test_counts_of_the_statement_before_are_not_asked_by_another_one(mysql_engine):
    mysql_engine.run("CREATE TEMPORARY TABLE t (i INT)")
    result = mysql_engine.run("INSERT INTO t VALUES (1), (2); SELECT ROW_COUNT()")
    assert result.table.column(0)[0].as_py() == 2


def test_a_signal_with_the_number_of_a_broken_link_is_the_statement_s_error(mysql_engine):
    mysql_engine.run("SET @kept = 7")
    for number in (1045, 1040, 1053, 2006, 2013, 1927, 1251, 3159):
        signal = f"SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'told'"
        with pytest.raises(errors.QueryError, match="told") as caught:
            mysql_engine.run(f"BEGIN NOT ATOMIC {signal}; END")
        assert (caught.value.code, caught.value.scenario, caught.value.hint) == (str(number), None, None)
    assert mysql_engine.value("SELECT @kept") == 7


def test_a_code_that_looks_like_a_broken_link_s_is_the_statement_s_error(postgresql_engine):
    postgresql_engine.run("SET app.kept = '7'")
    codes = ("28P01", "28000", "08000", "08003", "08006", "08P01", "57P01", "57P02", "57P03", "53300", "3D000")
    raised = (f"DO $$BEGIN RAISE EXCEPTION 'nosuch' USING ERRCODE = '{code}'; END$$" for code in codes)
    for sql in (*raised, "DROP DATABASE nosuch"):
        with pytest.raises(errors.QueryError, match=r"(?i)nosuch") as caught:
            postgresql_engine.run(sql)
        assert (caught.value.scenario, caught.value.hint) == (None, None)
    assert postgresql_engine.value("SHOW app.kept") == "7"
