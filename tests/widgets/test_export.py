"""Exports of a whole result read back as the same values."""

import csv
import datetime as dt
import io
import json
import math
import sqlite3
from decimal import Decimal

import duckdb
import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from awkward_results import COLUMNS, ROWS, TABLE, TEXTS
from grids import Asking, grid_of
from openpyxl.utils.escape import unescape

from tusk_jupyter.client import texts
from tusk_jupyter.errors import UsageError
from tusk_widgets import export_excel
from tusk_widgets.export import FORMATS, Export, Facts, save
from tusk_widgets.grid_types import normal

SHOWN = {name: texts.to_text(normal(column)).to_pylist() for name, column in COLUMNS.items()}
IN_JSON = {"int", "unsigned", "small", "decimal", "large", "real", "flag"}


@pytest.fixture
def written(tmp_path):
    """Write a table in a format and return the path."""

    def write(result: pa.Table, format: str, kind: str = "arrow", dialect: str = "duckdb", rows=None, **options):
        value, data = grid_of(result, kind)
        export = Export(format=format, name=f"r{FORMATS[format].ending}", overwrite=True, **options)
        done = save(data, rows, export, Facts(connection="x", dialect=dialect), folder=tmp_path)
        assert done.rows == (len(value) if rows is None else len(rows))
        return done

    return write


# --- CSV and Parquet ---------------------------------------------------------------------------------------------------


def test_csv_keeps_null_apart_from_empty_and_every_text(written):
    path = written(TABLE.select(["text", "int"]), "csv").path
    back = pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={"text": pa.string(), "int": pa.int64()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    assert back.column("text").to_pylist() == TEXTS
    assert back.column("int").equals(TABLE.column("int"))


def test_csv_of_every_type_is_what_the_grid_shows(written):
    table = TABLE.drop_columns(["float", "nan", "real"])
    rows = list(csv.reader(io.StringIO(written(table, "csv", "pandas").path.read_bytes().decode(), newline="")))
    assert rows[0] == table.column_names
    for place, name in enumerate(table.column_names):
        assert [row[place] for row in rows[1:]] == ["" if text is None else text for text in SHOWN[name]], name


@pytest.mark.parametrize("kind", ["arrow", "pandas"])
def test_parquet_keeps_values_and_types(kind, written):
    names = [name for name in TABLE.column_names if name not in ("interval", "word", "float")]
    done = written(TABLE.select(names), "parquet", kind)
    back = pa.parquet.read_table(done.path)
    for name in names:
        assert texts.to_text(back.column(name).combine_chunks()).to_pylist() == SHOWN[name], name
    assert back.schema.field("decimal").type == pa.decimal128(38, 10)
    assert back.schema.field("zoned").type == pa.timestamp("us", "Europe/Berlin")
    assert not done.notes


def test_parquet_says_what_it_has_no_type_for(written):
    done = written(TABLE.select(["interval"]), "parquet")
    assert "Parquet has no type" in done.notes[0]


# --- JSON and Markdown -------------------------------------------------------------------------------------------------


def test_json_keeps_every_digit_and_null(written):
    path = written(TABLE, "json", "pandas").path
    rows = json.loads(path.read_text(), parse_float=Decimal)
    assert len(rows) == ROWS
    assert list(rows[0]) == TABLE.column_names
    assert [row["text"] for row in rows] == TEXTS
    for name in IN_JSON:
        back = [None if row[name] is None else str(row[name]).lower() for row in rows]
        expected = [
            None if text is None else str(json.loads(text, parse_float=Decimal)).lower() for text in SHOWN[name]
        ]
        assert back == expected, name
    assert [row["float"] for row in rows[:4]] == [Decimal("0.1"), "NaN", "Infinity", "-Infinity"]
    assert [row["list"] for row in rows[:3]] == [[1, None, 3], [], None]
    assert rows[0]["struct"] == {"a": 1, "b": 'x"y'}
    assert rows[0]["zoned"] == SHOWN["zoned"][0]


def test_json_of_names_twice_loses_no_column(written):
    table = pa.Table.from_arrays([pa.array([n]) for n in range(4)], names=["a", "a", "", "a_2"])
    done = written(table, "json")
    assert json.loads(done.path.read_bytes().decode()) == [{"a": 0, "a_3": 1, "column_3": 2, "a_2": 3}]
    assert "number behind" in done.notes[0]


def test_json_without_rows_is_an_empty_array(written):
    assert json.loads(written(TABLE.slice(0, 0), "json").path.read_bytes().decode()) == []


def test_markdown_is_one_line_a_row_and_no_value_is_markup(written):
    lines = written(TABLE.select(["text", "small"]), "markdown").path.read_bytes().decode().splitlines()
    assert lines[:2] == ["| text | small |", "| --- | ---: |"]
    assert len(lines) == 2 + ROWS
    assert lines[2].startswith("| *NULL* |")
    assert lines[3].startswith("|  |")
    assert lines[6] == "| two<br>lines<br>three | 4 |"
    pipes = next(line for line in lines if "star" in line)
    assert pipes.startswith(r"| \|pipe\| \*star\* \`tick\` &lt;b&gt;bold&lt;/b&gt; |")


# --- Excel -------------------------------------------------------------------------------------------------------------


def sheet_of(path) -> list[list]:
    return [list(row) for row in openpyxl.load_workbook(path).active.iter_rows()]


def test_excel_texts_stay_texts_and_no_formula_is_made(written):
    cells = [row[0] for row in sheet_of(written(TABLE.select(["text"]), "excel").path)[1:]]
    for cell, text in zip(cells, TEXTS, strict=True):
        assert cell.data_type != "f"
        assert (cell.value is None and not text) or unescape(cell.value).replace("\r\n", "\n") == text.replace(
            "\r\n", "\n"
        )


def test_excel_keeps_numbers_that_it_can_hold_and_writes_the_others_as_text(written):
    table = TABLE.select(["int", "decimal", "float", "flag", "small"])
    rows = sheet_of(written(table, "excel", "pandas").path)[1:]
    assert [rows[place][0].value for place in range(5)] == [0, -1, str(2**53 + 1), str(-(2**63)), str(2**63 - 1)]
    assert rows[0][1].value == "1234567890123456789012345678.0123456789"
    assert rows[2][1].value == 0
    assert [rows[place][2].value for place in range(5)] == [0.1, "NaN", "Infinity", "-Infinity", 1e300]
    assert [rows[place][3].value for place in range(3)] == [True, False, None]
    assert rows[0][4].data_type == "n"


def test_excel_times_are_times_where_nothing_is_lost(written):
    table = pa.table(
        {
            "day": pa.array(["2024-02-29", "1899-01-01"]).cast(pa.date32()),
            "moment": pa.array(["2024-01-02 03:04:05.678", "2024-01-02 03:04:05.678901"]).cast(pa.timestamp("us")),
            "zoned": pa.array([0, 1]).cast(pa.timestamp("s", "UTC")),
        }
    )
    first, second = sheet_of(written(table, "excel").path)[1:]
    assert first[0].is_date
    assert first[1].is_date
    assert first[1].value.isoformat(timespec="milliseconds") == "2024-01-02T03:04:05.678"
    assert [cell.value for cell in second] == ["1899-01-01", "2024-01-02 03:04:05.678901", "1970-01-01 00:00:01+00"]


BEYOND = "Column 'v': {} text in the sheet, "
LONG = "1.000000000000000000000000000001"
EPOCH = dt.datetime(1970, 1, 1)
CELLS = [
    (pa.decimal128(38, 30), [Decimal(LONG), Decimal("0.5")], [LONG, 0.5], "1 value is", "15 digits"),
    (
        pa.decimal256(60, 2),
        [Decimal("9" * 40 + ".25"), Decimal("-0.1")],
        ["9" * 40 + ".25", -0.1],
        "1 value is",
        "15 digits",
    ),
    (
        pa.decimal128(16, 0),
        [Decimal(10**15), Decimal(10**15 + 1)],
        [10**15, str(10**15 + 1)],
        "1 value is",
        "15 digits",
    ),
    (pa.int64(), [2**53 + 1, 10**18, -(2**63)], [str(2**53 + 1), 10**18, str(-(2**63))], "2 values are", "15 digits"),
    (pa.uint64(), [2**64 - 1, 0], [str(2**64 - 1), 0], "1 value is", "15 digits"),
    (pa.float64(), [0.1 + 0.2, 1 / 3, -1.7976931348623157e308, 123456789.12345679], None, None, None),
    (pa.float64(), [5e-324, 1.0], ["5e-324", 1.0], "1 value is", "so small"),
    (pa.float64(), [math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"], "3 values are", "no such number"),
    (pa.date32(), [-900_000, 4_000_000, 0], ["0496-11-20 BC", "12921-08-18", EPOCH], "2 values are", "1900"),
    (
        pa.timestamp("ns"),
        [1, 1_000_000],
        ["1970-01-01 00:00:00.000000001", EPOCH.replace(microsecond=1000)],
        "1 value is",
        "1900",
    ),
    (pa.time64("us"), [1, 3_723_004_000], ["00:00:00.000001", dt.time(1, 2, 3, 4000)], "1 value is", "millisecond"),
    (pa.timestamp("us", "Europe/Berlin"), [0], ["1970-01-01 01:00:00+01"], "1 value is", "time zones"),
    (pa.duration("us"), [-1, 90_000_000_000], ["-00:00:00.000001", "25:00:00"], "2 values are", "durations"),
    (pa.month_day_nano_interval(), [(1, 2, 3)], ["P1M2DT0.000000003S"], "1 value is", "intervals"),
    (pa.string(), ["=1+1", "+1", "\x00\x1f\r\n", "12345678901234567890", " x "], None, None, None),
    (pa.binary(), [b"\x00\xff"], ["\\x00ff"], None, None),
    (pa.list_(pa.timestamp("ns")), [[1, None]], ['["1970-01-01 00:00:00.000000001", null]'], None, None),
    (pa.bool_(), [True, False], None, None, None),
]


@pytest.mark.parametrize(("kind", "values", "cells", "count", "why"), CELLS, ids=lambda value: str(value)[:30])
def test_excel_keeps_every_digit_and_tells_what_is_text(written, kind, values, cells, count, why):
    done = written(
        pa.table({"v": pa.array([None, *values], pa.int32() if kind == pa.date32() else kind).cast(kind)}), "excel"
    )
    rows = sheet_of(done.path)[1:]
    read = [unescape(cell.value) if isinstance(cell.value, str) else cell.value for (cell,) in rows]
    assert read == [None, *(cells or values)]
    assert len(done.notes) == (count is not None)
    if count:
        assert done.notes[0].startswith(BEYOND.format(count))
        assert why in done.notes[0]


def test_excel_counts_characters_as_utf_16_does(written):
    assert written(pa.table({"v": ["🦣" * 16_383]}), "excel").rows == 1
    with pytest.raises(UsageError, match="32,768 characters in 'v'"):
        written(pa.table({"v": ["🦣" * 16_384]}), "excel")


def test_excel_refuses_more_rows_than_a_sheet_has(written, monkeypatch, tmp_path):
    monkeypatch.setattr(export_excel, "MOST_ROWS", 10)
    assert written(pa.table({"a": range(9)}), "excel").rows == 9
    (tmp_path / "r.xlsx").unlink()
    with pytest.raises(UsageError, match="has 10 rows; the result with its heading has more") as caught:
        written(pa.table({"a": range(10)}), "excel")
    assert "CSV or Parquet" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_sheet_has_the_rows_that_excel_says():
    assert (export_excel.MOST_ROWS, export_excel.MOST_COLUMNS) == (1_048_576, 16_384)


def test_excel_refuses_a_text_that_a_cell_cannot_hold(written):
    with pytest.raises(UsageError, match="does not fit into an Excel cell"):
        written(pa.table({"a": ["x" * 32_768]}), "excel")


# --- INSERT ------------------------------------------------------------------------------------------------------------

PLAIN = ["text", "int", "small", "decimal", "float", "flag", "day", "moment", "clock", "bytes"]
DUCKDB_TYPES = (
    "text TEXT, int BIGINT, small SMALLINT, decimal DECIMAL(38,10), float DOUBLE, flag BOOLEAN, day DATE,"
    " moment TIMESTAMP, clock TIME, bytes BLOB, zoned TIMESTAMPTZ, unsigned UBIGINT"
)


def shown(columns: dict[str, list]) -> dict[str, list]:
    """What was read back, as the grid shows the values."""
    return {
        name: texts.to_text(pa.array(values, normal(COLUMNS[name]).type)).to_pylist()
        for name, values in columns.items()
    }


def by_column(names: list[str], rows: list) -> dict[str, list]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def test_insert_statements_are_read_back_by_duckdb(written):
    names = [*PLAIN, "zoned", "unsigned"]
    sql = written(TABLE.select(names), "insert", "pandas", table="main.t").path.read_bytes().decode()
    assert sql.startswith('INSERT INTO "main"."t" ("text", "int"')
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({DUCKDB_TYPES})")
        connection.execute(sql)
        back = connection.sql("SELECT * FROM t").to_arrow_table()
        for name in names:
            column = back.column(name).combine_chunks().cast(normal(COLUMNS[name]).type)
            assert texts.to_text(column).to_pylist() == SHOWN[name], name


def test_insert_statements_are_read_back_by_sqlite(written):
    names = ["text", "int", "decimal", "bytes", "day"]
    sql = written(TABLE.select(names), "insert", dialect="sqlite", table="t").path.read_bytes().decode()
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (text TEXT, int INTEGER, decimal TEXT, bytes BLOB, day TEXT)")
        connection.executescript(sql)
        back = by_column(names, connection.execute("SELECT * FROM t ORDER BY rowid").fetchall())
    connection.close()
    assert back["text"] == TEXTS
    assert back["int"] == TABLE.column("int").to_pylist()
    assert back["decimal"] == SHOWN["decimal"]
    assert back["bytes"] == TABLE.column("bytes").to_pylist()
    assert back["day"] == SHOWN["day"]


def test_insert_statements_are_read_back_by_postgresql(written, postgresql):
    names = [*PLAIN, "zoned"]
    sql = written(TABLE.select(names), "insert", "pandas", dialect="postgresql", table="t").path.read_bytes().decode()
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        connection.execute(
            "CREATE TEMP TABLE t (place serial, text text, int bigint, small smallint, decimal numeric(38,10),"
            " float double precision, flag boolean, day date, moment timestamp, clock time, bytes bytea, zoned timestamptz)"
        )
        connection.execute(sql)
        rows = connection.execute(f"SELECT {', '.join(names)} FROM t ORDER BY place").fetchall()
    back = shown(by_column(names, rows))
    for name in names:
        assert back[name] == SHOWN[name], name


def test_insert_statements_are_read_back_by_mysql(written, mariadb):
    names = ["text", "int", "decimal", "flag", "day", "moment", "clock", "bytes"]
    sql = written(TABLE.select(names), "insert", dialect="mysql", table="awkward").path.read_bytes().decode()
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE awkward (place INT AUTO_INCREMENT PRIMARY KEY, `text` TEXT, `int` BIGINT,"
            " `decimal` DECIMAL(38,10), flag BOOLEAN, day DATE, moment DATETIME(6), clock TIME(6), bytes BLOB)"
            " CHARACTER SET utf8mb4"
        )
        cursor.execute(sql)
        cursor.execute(f"SELECT {', '.join(f'`{name}`' for name in names)} FROM awkward ORDER BY place")
        back = by_column(names, cursor.fetchall())
    assert back["text"] == TEXTS
    assert back["int"] == TABLE.column("int").to_pylist()
    assert back["decimal"] == TABLE.column("decimal").to_pylist()
    assert back["bytes"] == TABLE.column("bytes").to_pylist()
    assert back["moment"] == TABLE.column("moment").to_pylist()
    assert [None if each is None else bool(each) for each in back["flag"]] == TABLE.column("flag").to_pylist()


def test_doubles_are_read_back_bit_by_bit(written):
    values = [0.1, 1 / 3, 1e-320, 1.7976931348623157e308, -0.0, 123456789.123456789]
    values += [4.5054915549565, 1090272.24243518, -393237.7001082887, 2.856484755873107e-300]  # SQLite misreads these
    table = pa.table({"v": values})
    sql = written(table, "insert", dialect="sqlite", table="t").path.read_bytes().decode()
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (v REAL)")
        connection.executescript(sql)
        back = [row[0] for row in connection.execute("SELECT v FROM t ORDER BY rowid")]
    connection.close()
    assert back == values
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE t (v DOUBLE)")
        duck.execute(written(table, "insert", table="t").path.read_bytes().decode())
        assert [row[0] for row in duck.execute("SELECT v FROM t").fetchall()] == values


@pytest.mark.parametrize(("dialect", "value"), [("mysql", math.nan), ("mysql", math.inf), ("sqlite", math.nan)])
def test_a_value_without_a_literal_is_refused(dialect, value, written, tmp_path):
    with pytest.raises(UsageError, match="has no literal for"):
        written(pa.table({"v": [1.0, value]}), "insert", dialect=dialect)
    assert not list(tmp_path.iterdir())


def test_the_character_nul_goes_where_the_database_takes_it(written):
    table = pa.table({"v": ["a\0b"]})
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE t (v TEXT)")
        duck.execute(written(table, "insert", table="t").path.read_bytes().decode())
        assert duck.execute("SELECT v FROM t").fetchone() == ("a\0b",)
    with pytest.raises(UsageError, match="NUL"):
        written(table, "insert", dialect="postgresql")


def test_names_are_quoted_and_must_be_there_once(written):
    sql = written(pa.table({'a"b': [1], "select": [2]}), "insert", table='s.t"x').path.read_bytes().decode()
    assert sql.startswith('INSERT INTO "s"."t""x" ("a""b", "select") VALUES\n(1, 2);')
    assert "`a``b`" in written(pa.table({"a`b": [1]}), "insert", dialect="mysql").path.read_bytes().decode()
    with pytest.raises(UsageError, match="Two columns are called 'a'"):
        written(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "insert")
    with pytest.raises(UsageError, match="the character NUL"):
        written(pa.table({"a\0b": [1]}), "insert")
    dotted = written(pa.table({"a": [1]}), "insert", table='"my.schema"."t""x".y')
    assert dotted.path.read_bytes().decode().startswith('INSERT INTO "my.schema"."t""x"."y" (')
    with pytest.raises(UsageError, match="has no name"):
        written(pa.table({"": [1]}), "insert")


def test_statements_stay_within_a_server_s_packet(written):
    texts_of = ["x" * 400_000] * 5 + ["y"] * 300 + ["z" * 3_000_000]
    sql = written(pa.table({"v": texts_of}), "insert").path.read_text()
    statements = sql.split('INSERT INTO "result"')[1:]
    assert [statement.count("('") for statement in statements] == [2, 2, 200, 101, 1]
    assert sum(statement.count("('") for statement in statements) == len(texts_of)


# --- all formats -------------------------------------------------------------------------------------------------------


def test_the_rows_of_a_view_go_in_its_order_and_beyond_one_batch(written):
    table = pa.table({"n": range(100_000)})
    rows = pa.array(range(99_999, -1, -1), pa.uint32())
    back = pa.parquet.read_table(written(table, "parquet", "pandas", rows=rows).path)
    assert back.column("n").to_pylist() == list(range(99_999, -1, -1))


def test_the_browser_asks_for_the_view_or_for_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asking = Asking(pa.table({"n": [3, 1, 2]}))
    view = {"filters": [{"column": 0, "op": ">", "values": ["1"]}], "sort": [{"column": 0}]}
    asking.ask("export", export={"format": "csv", "name": "view.csv"}, view=view)
    asking.ask("export", export={"format": "csv", "name": "all.csv"})
    assert (tmp_path / "view.csv").read_text() == '"n"\n2\n3\n'
    assert (tmp_path / "all.csv").read_text() == '"n"\n3\n1\n2\n'


@pytest.mark.parametrize("format", ["csv", "parquet", "excel", "json", "markdown", "insert"])
def test_every_format_takes_a_result_without_rows(format, written):
    assert written(pa.table({"a": pa.array([], pa.int64())}), format).size_bytes >= 0
