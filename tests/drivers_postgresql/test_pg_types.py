"""Golden values per type: NULL, smallest, largest, the awkward ones; the same on both roads to a result.

R-31, DESIGN section 5.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from golden.postgresql import GOLDEN, MDN, NINES_60, OWN_TYPES, TZ, D, S, T, selected

from tusk_drivers.postgresql.decimals import NumericReader
from tusk_jupyter.errors import QueryError


@pytest.fixture
def typed(db):
    db.do(OWN_TYPES)
    return db


def plain(values: list[Any]) -> str:
    """Text in which 1 is not 1.0 and -0.0 is not 0.0, and one UTC is the other."""
    return repr(values).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc")


@pytest.mark.parametrize(
    ("type_", "literals", "arrow", "values"), GOLDEN, ids=[f"{n}-{case[0]}" for n, case in enumerate(GOLDEN)]
)
def test_a_type_arrives_exactly_by_both_roads(typed, type_, literals, arrow, values):
    fast = typed.table(selected(type_, literals))
    notes = typed.notes
    slow = typed.table(selected(type_, literals) + " WHERE :one = 1", one=1)
    assert fast.schema.field("x").type == arrow
    assert plain(fast.column("x").to_pylist()) == plain([None, *values])
    assert slow == fast
    assert typed.notes == notes


def test_the_golden_table_covers_many_types():
    assert len({case[0] for case in GOLDEN}) >= 60


def test_nan_is_nan_and_not_null(db):
    table = db.table("SELECT 'NaN'::float8 AS a, 'NaN'::float4 AS b, NULL::float8 AS c")
    assert [repr(column[0].as_py()) for column in table.columns] == ["nan", "nan", "None"]


def test_what_widened_says_so(db):
    db.table("SELECT 'infinity'::date AS due, 1 AS a")
    assert db.notes == [
        "Column 'due' holds dates that are infinite, before Christ or after the year 9999; shown as text."
    ]


@pytest.mark.parametrize(
    ("late", "early", "type_", "arrow", "first", "last"),
    [
        ("'infinity'", "'2024-01-02'", "date", S, "2024-01-02", "infinity"),
        ("1.12345", "1.5", "numeric", pa.decimal128(38, 5), D("1.50000"), D("1.12345")),
        (NINES_60, "1.5", "numeric", pa.decimal256(76, 1), D("1.5"), D(NINES_60)),
        ("'NaN'", "1.5", "numeric", S, "1.5", "NaN"),
        ("'{infinity}'", "'{2024-01-02}'", "date[]", T(S), ["2024-01-02"], ["infinity"]),
        ("'{1.25}'", "'{1}'", "numeric[]", T(pa.decimal128(38, 2)), [D("1.00")], [D("1.25")]),
    ],
)
@pytest.mark.parametrize("bound", [False, True], ids=["copy", "bound"])
def test_a_late_value_widens_the_column(db, late, early, type_, arrow, first, last, bound):
    sql = f"SELECT CASE WHEN g = 40000 THEN {late}::{type_} ELSE {early}::{type_} END AS x FROM generate_series(1, 40000) g"
    table = db.table(sql + " WHERE :one = 1", one=1) if bound else db.table(sql)
    assert table.schema.field("x").type == arrow
    assert (table["x"][0].as_py(), table["x"][-1].as_py(), len(table)) == (first, last, 40000)


@pytest.mark.parametrize(
    ("late", "early", "why"),
    [
        ("'{{1}}'::int[]", "'{1}'", "different numbers of dimensions"),
        ("'2562048:00:00'::interval", "'1 day'", "292 years of hours"),
    ],
)
def test_a_late_value_that_cannot_be_brought_over_is_a_clear_error_and_the_session_goes_on(db, late, early, why):
    with pytest.raises(QueryError, match=why) as caught:
        db.table(f"SELECT CASE WHEN g = 40000 THEN {late} ELSE {early} END AS x FROM generate_series(1, 40000) g")
    assert "::text" in (caught.value.hint or "")
    assert db.one("SELECT 1") == 1


def test_a_libpq_without_chunks_gives_the_same_rows(db, monkeypatch):
    """Before version 17 libpq hands out single rows."""
    query = "SELECT g, g::text || :x AS t FROM generate_series(1, 5000) g"
    chunked = db.table(query, x="x")
    monkeypatch.setattr("tusk_drivers.postgresql.rows.pq.version", lambda: 160000)
    assert db.table(query, x="x") == chunked


def test_sixteen_hundred_columns(db):
    table = db.table("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1600)))
    assert [column[0].as_py() for column in table.columns] == list(range(1600))


def test_instants_are_shown_in_the_sessions_zone(db):
    db.do("SET timezone = 'Europe/Berlin'")
    table = db.table("SELECT '2024-07-02 12:00+00'::timestamptz AS a, '1890-01-01 00:00+00'::timestamptz AS lmt")
    assert table.schema.field("a").type == pa.timestamp("us", tz="Europe/Berlin")
    assert table["a"][0].as_py() == datetime(2024, 7, 2, 14, tzinfo=ZoneInfo("Europe/Berlin"))
    assert table["lmt"].cast(TZ)[0].as_py() == datetime(1890, 1, 1, tzinfo=UTC)  # +00:53:28 there and then


def test_a_zone_that_only_the_server_knows_is_shown_as_utc_with_a_note(db):
    db.do("SET timezone = '<+03>-03'")
    table = db.table("SELECT '2024-07-02 12:00+00'::timestamptz AS a, array['2024-07-02 12:00+00'::timestamptz] AS b")
    assert [field.type for field in table.schema] == [TZ, pa.list_(TZ)]
    assert table["a"][0].as_py() == table["b"][0].as_py()[0] == datetime(2024, 7, 2, 12, tzinfo=UTC)
    assert db.notes == [f"Column {name!r} is in UTC: only the server knows the time zone '<+03>-03'." for name in "ab"]
    db.do("SET timezone = 'Etc/UTC'")
    assert db.table("SELECT now()") and not db.notes


@pytest.mark.parametrize("bound", [False, True], ids=["copy", "bound"])
def test_names_may_be_twice_the_same_or_none_at_all(db, bound):
    table = db.table("SELECT 1 AS a, 'x' AS a, 3" + (" WHERE :n = 1" if bound else ""), n=1)
    assert table.column_names == ["a", "a", "?column?"]
    assert [column[0].as_py() for column in table.columns] == [1, "x", 3]


def test_one_column_keeps_null_rows_and_empty_texts_apart(db):
    assert db.rows("SELECT * FROM (VALUES (1, NULL), (2, ''), (3, NULL), (4, 'x')) v(n, t) ORDER BY n")
    assert db.rows("SELECT t FROM (VALUES (1, NULL), (2, ''), (3, NULL), (4, 'x')) v(n, t) ORDER BY n") == [
        (None,), ("",), (None,), ("x",),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["\ufeff", "\ufeffa", "\ufeff\ufeff"])
def test_a_text_may_begin_with_what_looks_like_a_byte_order_mark(db, text):
    assert db.rows("SELECT t FROM (VALUES (1, U&'" + text + "'), (2, 'b')) v(n, t) ORDER BY n") == [(text,), ("b",)]


def test_a_statement_without_columns_keeps_its_rows(db):
    result = db.batches("SELECT FROM generate_series(1, 3)")
    assert [batch.num_rows for batch in result.batches] == [3]


def test_no_rows_have_their_types(db):
    table = db.table(
        "SELECT 1::int8 a, 'x' b, 1.5::numeric(5,1) c, '{1}'::int[] d, now() e, interval '1 day' f LIMIT 0"
    )
    assert table.num_rows == 0
    assert table.schema.types == [pa.int64(), S, pa.decimal128(5, 1), T(pa.int32()), TZ, MDN]


def test_types_are_named_in_the_databases_words(typed):
    typed.table(
        "SELECT 1::numeric(12,2), 'a'::varchar(10), B'1'::bit(3), now()::timestamp(3), '{a}'::varchar(5)[], 'sad'::mood,"
        " '{sad}'::mood[], ROW(1, 2), 1::numeric, 'x'::char(2)"
    )
    assert typed.types == [
        "numeric(12,2)", "character varying(10)", "bit(3)", "timestamp(3) without time zone", "character varying(5)[]",
        "mood", "mood[]", "record", "numeric", "character(2)",
    ]  # fmt: skip


@pytest.mark.parametrize("bound", [False, True], ids=["copy", "bound"])
@pytest.mark.parametrize("place", ["session", "transaction"])
def test_the_users_text_formats_change_no_value_and_stay(db, place, bound):
    """DateStyle and the like decide how text is written; results are right under all, and the user's choice is kept."""
    query = (
        "SELECT '2024-03-04'::date d, '2024-03-04 05:06:07'::timestamp ts, '2024-03-04 05:06+00'::timestamptz tz,"
        " interval '1 mon -2 days' i, '\\x00ff'::bytea b, 0.1::float8 + 0.2::float8 f, '{2024-03-04}'::date[] a"
    )
    plain = db.table(query)
    if place == "transaction":
        db.do("BEGIN")
    wanted = {
        "DateStyle": "German, DMY",
        "IntervalStyle": "iso_8601",
        "bytea_output": "escape",
        "extra_float_digits": "-5",
    }
    for name, value in wanted.items():
        db.do(f"SET {name} = {value if ',' in value else repr(value)}")
    assert (db.table(query + " WHERE :n = 1", n=1) if bound else db.table(query)) == plain
    assert {name: db.one(f"SHOW {name}") for name in wanted} == wanted
    assert db.one("SELECT '2024-03-04'::date::text") == "04.03.2024"
    assert db.one("SELECT ROW('2024-03-04'::date, 0.1::float8)") == "(2024-03-04,0.1)"


def test_the_client_encoding_is_put_back_and_said(db):
    db.do("SET client_encoding = 'LATIN1'")
    assert db.one("SELECT 'é🐘'") == "é🐘"
    assert db.notes == ["client_encoding was put back to UTF8: text travels as UTF-8 between here and the server."]


def test_bytes_that_are_no_text_are_a_clear_error(admin, connect):
    """A database with the encoding SQL_ASCII may hold anything."""
    admin.do("CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        raw = connect(admin=True, database="raw")
        for sql in ("SELECT chr(255)", "SELECT chr(255) WHERE :n = 1"):
            with pytest.raises(QueryError, match="UTF8") as caught:
                raw.table(sql, n=1)
            assert caught.value.code == "22021"
            assert raw.one("SELECT 1") == 1
        raw.session.close()
    finally:
        admin.do("DROP DATABASE raw WITH (FORCE)")


def test_parameters_keep_their_types(db):
    values = {
        "i": 5, "big": 2**62, "f": 0.1, "s": "it's; DROP TABLE x --", "n": None, "b": b"\x00\xff", "d": D("1.10"),
        "day": date(2024, 1, 2), "ts": datetime(2024, 1, 2, 3),
        "tz": datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        "t": time(1, 2), "td": timedelta(days=1, seconds=2), "yes": True, "l": [1, 2, 3], "j": {"a": [1]},
    }  # fmt: skip
    row = db.rows(
        "SELECT :i + 1, :big, :f, :s::text, :n::text, :b, :d, :day, :ts, :tz, :t, :td, :yes, 2 = ANY(:l), :j::jsonb -> 'a'",
        **values,
    )[0]
    assert row == (
        6, 2**62, 0.1, "it's; DROP TABLE x --", None, b"\x00\xff", D("1.10"), date(2024, 1, 2), datetime(2024, 1, 2, 3),
        datetime(2024, 1, 2, 2, tzinfo=UTC), time(1, 2), pa.MonthDayNano([0, 1, 2000000000]), True, True, "[1]",
    )  # fmt: skip


def test_a_percent_sign_is_a_percent_sign(db):
    assert db.one("SELECT '50%s' || 7 % 4 || '%(x)s' WHERE 'abc' LIKE '%b%'") == "50%s3%(x)s"
    assert db.one("SELECT '%s' || :x", x="y") == "%sy"


def test_an_undeclared_numeric_never_goes_through_a_cast_that_overflows():
    reader = NumericReader(None)
    few, many = ["0.12345678901234567890", "-1.5"], ["987654321098765432109876543210", None]
    for texts in (few, many, few):
        assert reader.csv_type is None
        read = reader.read(pa.array(texts, pa.string()))
        assert read.to_pylist() == [None if one is None else Decimal(one) for one in texts]
        reader.started = True
    assert reader.type == pa.decimal256(76, 20)


def test_a_minus_is_no_digit_of_an_undeclared_numeric():
    reader = NumericReader(None)
    assert reader.read(pa.array(["-" + "9" * 38], pa.string())).to_pylist() == [Decimal("-" + "9" * 38)]
    assert reader.type == pa.decimal128(38, 0)
