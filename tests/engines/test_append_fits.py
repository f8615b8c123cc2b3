"""Rows appended to narrower columns: each value is in the table as it was sent, or nothing is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D
from typing import Any

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")

ALL = ("postgresql", "mysql", "duckdb", "sqlite")
STRICT = ("postgresql", "mysql", "duckdb")
"""Engines whose columns have types; SQLite's keep most values as they are."""
SERVERS = ("postgresql", "mysql")
S, F, I64, US, NS = pa.string(), pa.float64(), pa.int64(), pa.timestamp("us"), pa.timestamp("ns")
MONTHS = pa.month_day_nano_interval()

REFUSED: list[tuple[tuple[str, ...], str, pa.DataType, Any]] = [
    (STRICT, "INTEGER", F, 1.5),
    (STRICT, "INTEGER", F, 3e9),
    (STRICT, "INTEGER", pa.decimal128(5, 2), D("1.50")),
    (STRICT, "SMALLINT", I64, 40_000),
    (ALL, "INTEGER", S, "007"),
    (ALL, "INTEGER", S, " 7"),
    (ALL, "INTEGER", S, "abc"),
    (ALL, "INTEGER", S, "1.0"),
    (STRICT, "DECIMAL(5,2)", pa.decimal128(6, 3), D("1.239")),
    (STRICT, "DECIMAL(5,2)", F, 1.239),
    (STRICT, "DECIMAL(5,2)", F, 1000.0),
    (STRICT, "DECIMAL(5,2)", I64, 1000),
    (ALL, "DECIMAL(5,2)", S, "1.239e0"),
    (ALL, "DECIMAL(5,2)", S, "007"),
    (STRICT, "REAL", I64, 2**53 + 1),
    (("postgresql", "duckdb"), "REAL", F, 0.1),
    (("mysql",), "FLOAT", F, 0.1),
    (("mysql",), "FLOAT(7,2)", F, 1.239),
    (ALL, "DOUBLE PRECISION", I64, 2**53 + 1),
    (STRICT, "DOUBLE PRECISION", pa.decimal128(30, 20), D("0.12345678901234567890")),
    (ALL, "DOUBLE PRECISION", S, "007"),
    (("postgresql", "mysql"), "VARCHAR(3)", S, "abc "),
    (("postgresql", "mysql"), "VARCHAR(3)", S, "abcd"),
    (("postgresql", "mysql"), "CHAR(5)", S, "ab "),
    (("mysql",), "BINARY(5)", pa.binary(), b"ab"),
    (("mysql",), "VARBINARY(2)", pa.binary(), b"abc"),
    (("mysql",), "ENUM('red','blue')", S, "RED"),
    (("mysql",), "SET('a','b')", S, "b,a"),
    (("mysql",), "YEAR", I64, 5),
    (("mysql",), "YEAR", pa.bool_(), True),
    (("mysql",), "INT AUTO_INCREMENT PRIMARY KEY", pa.bool_(), False),
    (("postgresql",), "MONEY", S, ""),
    (("postgresql",), "MONEY", S, "$"),
    (("duckdb",), "BIT", S, ""),
    (("mysql",), "TINYINT UNSIGNED", I64, -1),
    (("mysql",), "DATETIME", US, datetime(2024, 1, 1, 0, 0, 0, 500_000)),
    (("mysql",), "TIME", pa.time64("us"), time(1, 2, 3, 5)),
    (("mysql",), "TIME", pa.duration("ms"), timedelta(milliseconds=5)),
    (("mysql",), "JSON", pa.list_(pa.list_(I64)), [[5], [6]]),
    (("mysql",), "TIMESTAMP NULL", pa.timestamp("us", "UTC"), datetime(2024, 1, 1, tzinfo=UTC)),
    (("postgresql",), "TIMESTAMP(0)", US, datetime(2024, 1, 1, 0, 0, 0, 500_000)),
    (("postgresql",), "TIMESTAMP(0)", S, "2024-01-01 00:00:00.5"),
    (("postgresql",), "TIME(2)", pa.time64("us"), time(1, 2, 3, 5)),
    (("postgresql",), "INTERVAL(0)", pa.duration("ms"), timedelta(milliseconds=5)),
    (("postgresql",), "NUMERIC(5,2)[]", pa.list_(F), [1.239]),
    (("postgresql",), "VARCHAR(3)[]", pa.list_(S), ["abc "]),
    (("postgresql",), "SMALLINT[]", pa.list_(pa.list_(I64)), [[1, 2], [3, 40_000]]),
    (("postgresql",), "INTEGER[]", pa.list_(pa.list_(I64)), [[1], [2, 3]]),
    (("postgresql",), "JSONB", pa.list_(pa.binary()), [b"x"]),
    (("postgresql",), "JSONB", pa.list_(F), [float("nan")]),
    (("postgresql",), "NAME", S, "x" * 64),
    (("postgresql",), '"char"', S, "xy"),
    (("postgresql",), "NAME", S, "é" * 40),
    (("postgresql",), '"char"', S, "é"),
    (("postgresql",), "INTERVAL(0)", MONTHS, pa.MonthDayNano([0, 0, 1_700_000_000])),
    (("postgresql",), "INTERVAL(0)", S, "1.7 secs"),
    (("postgresql",), "INTERVAL(0)[]", pa.list_(S), ["1 sec", "1500 milliseconds"]),
    (("postgresql", "duckdb"), "INTERVAL", S, "0.0000001 seconds"),
    (("postgresql",), "INTERVAL YEAR TO MONTH", S, "1 mon 5 days"),
    (("postgresql", "duckdb"), "TIME WITH TIME ZONE", S, "12:00:00.1234567+00"),
    (("postgresql",), "TIME(0) WITH TIME ZONE", S, "12:00:00.7+00"),
    (("postgresql",), "MONEY", F, 1.239),
    (("postgresql",), "MONEY", S, "1.239"),
    (("duckdb",), "BIGNUM", S, "1.5"),
    (("postgresql", "duckdb"), "JSON", pa.list_(pa.binary()), [b"x"]),
    (("postgresql", "duckdb"), "JSON", pa.list_(F), [float("nan")]),
    (("mysql",), "INT AUTO_INCREMENT PRIMARY KEY", I64, 0),
    (("mysql",), "ENUM('b\\\\c')", S, "b"),
    (("postgresql",), "BYTEA", S, "\\x00"),
    (("postgresql",), "JSONB", I64, 5),
    (("duckdb",), "TIMESTAMP_S", US, datetime(2024, 1, 1, 0, 0, 0, 500_000)),
    (("duckdb",), "TIMESTAMP", NS, 1),
    (("duckdb",), "TIME", pa.time64("ns"), 1),
    (("duckdb",), "DECIMAL(5,2)[]", pa.list_(F), [1.239]),
    (("duckdb",), "STRUCT(a INTEGER)", pa.struct([("a", F)]), {"a": 1.5}),
    (("duckdb",), "ENUM('red')", S, "RED"),
    (("duckdb",), "VARCHAR", pa.binary(), b"\\x00"),
    (("postgresql", "duckdb"), "BLOB|BYTEA", S, "a\\x00"),
    (("postgresql", "duckdb"), "TIMESTAMP", pa.timestamp("us", "UTC"), datetime(2024, 1, 1, tzinfo=UTC)),
    (("postgresql", "duckdb"), "TIMESTAMP WITH TIME ZONE", US, datetime(2024, 1, 1)),
    (("postgresql", "duckdb"), "TIMESTAMP WITH TIME ZONE", S, "2024-01-01 00:00:00"),
    (STRICT, "DATE", US, datetime(2024, 1, 1, 1)),
    (STRICT, "DATE", S, "2024-1-1"),
    (("postgresql", "duckdb"), "BOOLEAN", I64, 5),
    (("postgresql", "duckdb"), "VARCHAR", pa.bool_(), True),
    (("sqlite",), "TEXT", pa.bool_(), True),
    (("sqlite",), "INTEGER PRIMARY KEY", F, 1.5),
    (("sqlite",), "NUMERIC", S, "1e3"),
    (("sqlite",), "DATE", S, "2024"),
]
KEPT: list[tuple[tuple[str, ...], str, pa.DataType, Any, Any]] = [
    (ALL, "INTEGER", F, 2.0, 2),
    (ALL, "INTEGER", S, "-7", -7),
    (ALL, "INTEGER", pa.decimal128(5, 2), D("2.00"), 2),
    (STRICT, "DECIMAL(5,2)", F, 0.1, D("0.10")),
    (STRICT, "DECIMAL(5,2)", S, "1.5", D("1.50")),
    (STRICT, "DECIMAL(5,2)", pa.decimal256(50, 20), D("1.50"), D("1.50")),
    (STRICT, "DECIMAL(30,2)", F, 1e20, D("100000000000000000000.00")),
    (("postgresql", "duckdb"), "REAL", F, 0.5, 0.5),
    (ALL, "DOUBLE PRECISION", I64, 2**53, 2.0**53),
    (ALL, "DOUBLE PRECISION", S, "0.1", 0.1),
    (STRICT, "DOUBLE PRECISION", pa.decimal128(5, 2), D("1.10"), 1.1),
    (ALL, "VARCHAR(3)", S, "ab ", "ab "),
    (ALL, "VARCHAR(30)", F, 0.1 + 0.2, "0.30000000000000004"),
    (ALL, "VARCHAR(30)", I64, 5, "5"),
    (ALL, "VARCHAR(30)", pa.date32(), date(2024, 2, 29), "2024-02-29"),
    (ALL, "VARCHAR(30)", US, datetime(2024, 2, 29, 1, 2, 3, 5), "2024-02-29 01:02:03.000005"),
    (("mysql",), "CHAR(5)", S, "ab", "ab"),
    (("mysql",), "SET('a','b')", S, "a,b", "a,b"),
    (("mysql",), "DATETIME", US, datetime(2024, 1, 1, 0, 0, 5), datetime(2024, 1, 1, 0, 0, 5)),
    (("mysql",), "TIMESTAMP NULL", US, datetime(2024, 1, 1, 0, 0, 5), datetime(2024, 1, 1, 0, 0, 5)),
    (("postgresql", "duckdb"), "BOOLEAN", I64, 1, True),
    (("postgresql", "duckdb"), "TIMESTAMP", pa.date32(), date(2024, 1, 1), datetime(2024, 1, 1)),
    (("postgresql", "duckdb"), "TIMESTAMP", S, "2024-01-01 00:00:00.5", datetime(2024, 1, 1, 0, 0, 0, 500_000)),
    (STRICT, "DATE", US, datetime(2024, 1, 1), date(2024, 1, 1)),
    (("postgresql", "duckdb"), "INTEGER[]", pa.list_(I64), [1, None], [1, None]),
    (("postgresql", "duckdb"), "UUID", S, "00000000-0000-0000-0000-000000000005", "00000000-0000-0000-0000-000000000005"),
    (("postgresql",), "INTEGER[]", pa.list_(pa.list_(I64)), [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
    (("postgresql",), "VARCHAR(2)[]", pa.list_(pa.list_(S)), [["a"], ["bc"]], [["a"], ["bc"]]),
    (("postgresql",), "JSONB", pa.list_(I64), [], "[]"),
    (("postgresql",), "JSON", pa.list_(I64), [1, None], "[1, null]"),
    (("postgresql",), "JSONB", pa.list_(pa.list_(S)), [['a"\\'], []], '[["a\\"\\\\"], []]'),
    (("postgresql",), "JSONB[]", pa.list_(pa.list_(I64)), [[1, 2], [3]], ["[1, 2]", "[3]"]),
    (("postgresql",), "INET", S, "10.0.0.1", "10.0.0.1"),
    (("postgresql",), "NAME", S, "é" * 31, "é" * 31),
    (("postgresql",), "INTERVAL(0)", MONTHS, pa.MonthDayNano([1, 2, 3 * 10**9]), pa.MonthDayNano([1, 2, 3 * 10**9])),
    (("postgresql",), "INTERVAL(0)", S, "1 day 00:00:02.0", pa.MonthDayNano([0, 1, 2 * 10**9])),
    (("postgresql", "duckdb"), "INTERVAL", S, "1.5 days", pa.MonthDayNano([0, 1, 43_200 * 10**9])),
    (("postgresql",), "INTERVAL DAY TO SECOND", S, "1 day 00:00:01.5", pa.MonthDayNano([0, 1, 1_500_000_000])),
    (("postgresql",), "MONEY", S, "$1,234.50", "$1,234.50"),
    (("postgresql", "duckdb"), "JSON|JSONB", pa.list_(I64), [], "[]"),
    (("postgresql", "duckdb"), "JSON|JSONB", pa.list_(pa.struct([("a", I64)])), [{"a": 1}, None], '[{"a": 1}, null]'),
    (("postgresql", "duckdb"), "JSON", pa.list_(pa.decimal128(3, 2)), [D("1.50")], "[1.50]"),
    (("mysql",), "ENUM('b\\\\c','it''s')", S, "b\\c", "b\\c"),
    (("postgresql",), "NUMERIC", F, 0.1, D("0.1")),
    (("duckdb",), "HUGEINT", pa.decimal256(39, 0), D(2**100), D(2**100)),
    (("duckdb",), "STRUCT(a BIGINT)", pa.struct([("a", I64)]), {"a": 1}, {"a": 1}),
    (("duckdb",), "TIMESTAMP_NS", US, datetime(2024, 1, 1), datetime(2024, 1, 1)),
    (("sqlite",), "INTEGER", F, 1.5, 1.5),
    (("sqlite",), "NUMERIC", S, "abc", "abc"),
]  # fmt: skip


def append(engine, array: pa.Array) -> Any:
    request = control.UploadRequest(session="", connection=engine.name, table="fits", append=True)
    return engine.client.upload(request, pa.table({"v": array}))


def declared(engine, kind: str) -> str:
    return kind.split("|")[engine.name == "postgresql"] if "|" in kind else kind


def test_a_value_that_the_table_would_change_is_refused(engine):
    wrong = []
    for engines, kind, type_, value in REFUSED:
        if engine.name not in engines:
            continue
        engine.run("DROP TABLE IF EXISTS fits")
        engine.run(f"CREATE TABLE fits (v {declared(engine, kind)})")
        try:
            append(engine, pa.array([None, value], type_))
        except errors.UsageError as exc:
            if "'v'" not in exc.message or not exc.hint or engine.value("SELECT count(*) FROM fits"):
                wrong.append(f"{kind} <- {value!r}: {exc}")
        except errors.TuskError as exc:
            wrong.append(f"{kind} <- {value!r}: {type(exc).__name__}: {exc}")
        else:
            wrong.append(f"{kind} <- {value!r}: {engine.run('SELECT v FROM fits').table.column(0).to_pylist()}")
    assert not wrong, "\n".join(wrong)


def test_a_value_that_the_table_keeps_is_taken(engine):
    wrong = []
    for engines, kind, type_, value, meant in KEPT:
        if engine.name not in engines:
            continue
        engine.run("DROP TABLE IF EXISTS fits")
        engine.run(f"CREATE TABLE fits (v {declared(engine, kind)})")
        try:
            append(engine, pa.array([None, value], type_))
            got = [one for one in engine.run("SELECT v FROM fits").table.column(0).to_pylist() if one is not None]
        except errors.TuskError as exc:
            got = [f"{type(exc).__name__}: {exc}"]
        if got != [meant]:
            wrong.append(f"{kind} <- {value!r}: {got}")
    assert not wrong, "\n".join(wrong)


def test_values_are_refused_where_the_server_fits_in_silence(mysql_engine):
    mysql_engine.run("SET sql_mode = ''")
    test_a_value_that_the_table_would_change_is_refused(mysql_engine)


def test_what_the_server_cuts_or_fills_in_by_itself_is_refused_or_noted(mysql_engine, sqlite_engine):
    mysql_engine.run("DROP TABLE IF EXISTS fits; CREATE TABLE fits (v TINYTEXT)")
    with pytest.raises(errors.QueryError, match="'v'"):
        append(mysql_engine, pa.array(["a" * 255 + " "]))
    assert mysql_engine.value("SELECT count(*) FROM fits") == 0
    noted = [
        (
            mysql_engine,
            "INT AUTO_INCREMENT PRIMARY KEY",
            pa.array([None, 7, None]),
            "numbers its rows itself",
            "2 NULLs",
        ),
        (mysql_engine, "TIMESTAMP NOT NULL DEFAULT now()", pa.array([None], US), "puts the present moment", "1 NULL"),
        (sqlite_engine, "INTEGER PRIMARY KEY", pa.array([None, 7]), "is the number of the row", "1 NULL"),
    ]
    for engine, kind, array, words, count in noted:
        engine.run("DROP TABLE IF EXISTS fits")
        engine.run(f"CREATE TABLE fits (v {kind})")
        (note,) = append(engine, array).notes
        assert f"Column 'v' {words}" in note and f"that is so of {count}." in note
        assert (
            append(
                engine, pa.array([123 if pa.types.is_integer(array.type) else datetime(2024, 1, 1)], array.type)
            ).notes
            == ()
        )


def test_a_domain_is_what_it_limits_and_blanks_that_are_filled_up_are_noted(postgresql_engine):
    postgresql_engine.run(
        "DROP DOMAIN IF EXISTS price CASCADE; CREATE DOMAIN price AS numeric(5,2) CHECK (value > 0); "
        "CREATE TABLE priced (p price, code character(5), codes character(2)[])"
    )
    request = control.UploadRequest(session="", connection="postgresql", table="priced", append=True)
    with pytest.raises(errors.UsageError, match=r"'p' holds 1\.239"):
        postgresql_engine.client.upload(request, pa.table({"p": [1.239]}))
    result = postgresql_engine.client.upload(request, pa.table({"p": [1.25], "code": ["ab"], "codes": [["a"]]}))
    assert result.notes == (
        "Column 'code' is character(5), which fills values up with blanks.",
        "Column 'codes' is character(2)[], which fills values up with blanks.",
    )
    postgresql_engine.run("DROP TABLE priced; DROP DOMAIN price")


def test_a_temporary_table_and_one_elsewhere_are_looked_at_too(engine, tmp_path):
    temporary = "TEMPORARY" if engine.name == "mysql" else "TEMP"
    engine.run(f"CREATE {temporary} TABLE brief (v DECIMAL(5,2))")
    names = ["brief"]
    if engine.name in ("duckdb", "sqlite"):
        engine.run(f"ATTACH '{tmp_path / 'more.db'}' AS more; CREATE TABLE more.brief (v DECIMAL(5,2))")
        names.append("more.brief")
    for name in names:
        request = control.UploadRequest(session="", connection=engine.name, table=name, append=True)
        engine.client.upload(request, pa.table({"v": [1.25]}))
        with pytest.raises(errors.UsageError, match="'v' holds"):
            engine.client.upload(request, pa.table({"v": ["007"]}))
        assert float(engine.value(f"SELECT sum(v) FROM {name}")) == 1.25


def test_a_refused_append_leaves_an_open_transaction_as_it_was(engine):
    engine.run("DROP TABLE IF EXISTS fits; CREATE TABLE fits (v INTEGER)")
    engine.run("BEGIN")
    engine.run("INSERT INTO fits VALUES (1)")
    late = pa.array(["2"] * 100_000 + ["007"])
    for array in (late, pa.array(["x"])):
        with pytest.raises(errors.UsageError, match="would change"):
            append(engine, array)
    with pytest.raises(errors.TuskError):
        engine.client.upload(
            control.UploadRequest(session="", connection=engine.name, table="nowhere", append=True),
            pa.table({"v": late}),
        )
    append(engine, pa.array([3] * 100_000))
    engine.run("COMMIT")
    assert engine.run("SELECT v, count(*) FROM fits GROUP BY v ORDER BY v").table.column(1).to_pylist() == [1, 100_000]
    engine.run("DROP TABLE fits")


def test_a_secret_that_does_not_fit_is_not_repeated(duckdb_engine):
    duckdb_engine.run("CREATE TABLE fits (password DECIMAL(5,2), v DECIMAL(5,2))")
    request = control.UploadRequest(session="", connection="duckdb", table="fits", append=True)
    for table in (pa.table({"password": [1.23987]}), pa.table({"password": ["1.23987"], "v": [1.0]})):
        with pytest.raises(errors.UsageError, match="'password' holds a value, which its place in the table") as caught:
            duckdb_engine.client.upload(request, table)
        assert "1.23987" not in f"{caught.value} {caught.value.hint}"


def test_without_the_table_the_hint_names_persist(engine):
    with pytest.raises(errors.QueryError) as caught:
        request = control.UploadRequest(session="", connection=engine.name, table="no_such_table", append=True)
        engine.client.upload(request, pa.table({"a": [1]}))
    assert "`--persist DF AS no_such_table`" in (caught.value.hint or "")
