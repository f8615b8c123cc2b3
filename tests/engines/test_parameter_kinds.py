"""Values as notebooks have them (numpy, pandas, enums) in conditions, through core and driver: they find the rows meant."""

from __future__ import annotations

import enum
import json
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from tusk_jupyter import errors

pytestmark = pytest.mark.home("shared")


class Colour(str, enum.Enum):  # noqa: UP042  # its str() is "Colour.RED"
    RED = "red"


class Level(int, enum.Enum):
    HIGH = 2


NANOSECOND = "2024-03-01 00:00:00.000000001"
KINDS = {"duckdb": "TIMESTAMP_NS", "sqlite": "TEXT"}
"""Where a column keeps nanoseconds."""


def test_conditions_find_the_rows_that_are_meant(engine):
    engine.run("CREATE TABLE sold (n integer, ts timestamp, colour varchar(9), price double precision)")
    engine.run(
        "INSERT INTO sold VALUES (1, '2024-02-01 00:00:00', 'red', 0.5), (2, '2024-03-01 12:00:00', 'blue', 1.5), "
        "(3, '2024-04-01 00:00:00', 'red', 2.5)"
    )
    asked = [
        ("ts > :v", np.datetime64("2024-03-01", "ns"), [2, 3]),
        ("ts > :v", np.datetime64("2024-03-01T13", "h"), [3]),
        ("ts >= :v", np.array("2024-03-01T12:00", "datetime64[ns]"), [2, 3]),
        ("ts = :v", pd.Timestamp("2024-03-01 12:00"), [2]),
        ("colour = :v", Colour.RED, [1, 3]),
        ("colour = :v", np.str_("blue"), [2]),
        ("n = :v", Level.HIGH, [2]),
        ("n > :v", np.int8(2), [3]),
        ("price = :v", np.longdouble(0.5), [1]),
        ("price > :v", np.float32(0.5), [2, 3]),
    ]
    got = [
        engine.run(f"SELECT n FROM sold WHERE {where} ORDER BY n", parameters={"v": value}).table.column(0).to_pylist()
        for where, value, _ in asked
    ]
    assert got == [rows for _, _, rows in asked]


BACK: dict[str, tuple[object, object]] = {
    "null": (None, None), "na": (pd.NA, None), "nat": (pd.NaT, None), "np_nat": (np.datetime64("NaT"), None),
    "masked": (np.ma.masked, None), "yes": (True, True), "np_yes": (np.bool_(True), True), "small": (np.int8(-5), -5),
    "large": (np.uint64(2**63 - 1), 2**63 - 1), "enum": (Level.HIGH, 2), "text_enum": (Colour.RED, "red"),
    "single": (np.float32(0.1), 0.10000000149011612), "double": (np.float64(0.1), 0.1), "np_text": (np.str_("é"), "é"),
    "bytes": (np.bytes_(b"\x00x"), b"\x00x"), "array": (bytearray(b"y"), b"y"), "view": (memoryview(b"z"), b"z"),
    "decimal": (Decimal("12.50"), Decimal("12.50")), "day": (np.datetime64("2024-03-01"), date(2024, 3, 1)),
    "moment": (pd.Timestamp("2024-03-01 12:30:00.25"), datetime(2024, 3, 1, 12, 30, 0, 250000)),
    "np_moment": (np.datetime64("2024-03-01T12:30", "m"), datetime(2024, 3, 1, 12, 30)), "at": (time(1, 2, 3), time(1, 2, 3)),
    "uuid": (UUID(int=7), UUID(int=7)), "zero": (np.array(5), 5),
}  # fmt: skip
"""Values, and what comes back as `SELECT :name`."""


def as_stored(engine: str, value: object) -> object:
    """Return what an engine has for a value that it has no type for."""
    if isinstance(value, bool):
        return value if engine in ("duckdb", "postgresql") else int(value)
    if isinstance(value, UUID):
        return str(value)
    if engine == "sqlite" and isinstance(value, date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return float(value) if engine == "sqlite" and isinstance(value, Decimal) else value


def as_arrived(value: object) -> object:
    """Return what came back with one spelling: a TIME of MariaDB is a length."""
    if isinstance(value, timedelta):
        return (datetime.min + value).time()
    return str(value) if isinstance(value, UUID) else value


def test_each_kind_of_value_comes_back_as_what_it_holds(engine):
    columns = ", ".join(f":{name} AS {name}_1" for name in BACK)
    table = engine.run(f"SELECT {columns}", parameters={name: value for name, (value, _) in BACK.items()}).table
    got = {name: as_arrived(table.column(index)[0].as_py()) for index, name in enumerate(BACK)}
    assert got == {name: as_stored(engine.name, value) for name, (_, value) in BACK.items()}


ONES = "1" * 72
TOO_MUCH: dict[str, tuple[object, str]] = {
    "digits_91": (2**300, "mysql duckdb sqlite"), "digits_82": (Decimal("1" * 82), "mysql duckdb sqlite"),
    "digits_81": (Decimal("1" * 81), "duckdb sqlite"), "bits_200": (2**200, "duckdb sqlite"),
    "bits_128": (2**128 - 1, "sqlite"), "bits_129": (-(2**127) - 1, "duckdb sqlite"), "bits_64": (2**63, "sqlite"),
    "minus_64": (-(2**63) - 1, "sqlite"), "small": (Decimal("1e-75"), "mysql duckdb"),
    "fine": (Decimal(f"0.{ONES}"), "duckdb sqlite"), "finer": (Decimal(f"0.{ONES}1"), "mysql duckdb sqlite"),
    "both": (Decimal(f"1234567890.{ONES[:64]}"), "mysql duckdb sqlite"), "nan": (Decimal("NaN"), "mysql duckdb sqlite"),
    "nan_listed": ([1.5, np.nan], "mysql sqlite"), "inf_within": ([[float("inf")]], "mysql sqlite"),
    "blobs": ([b"x"], "mysql sqlite"), "ragged": ([[1], [2, 3]], "postgresql"), "hollow": ([[1], None], "postgresql"),
    "mixed": ([1, "a", {"b": 1}], "postgresql duckdb"), "mixed_within": ({"a": [1, {"b": 1}]}, "duckdb"),
    "text_beside": ([1, "a"], "postgresql duckdb"), "float_beside": ([2**53 + 1, 0.5], "postgresql duckdb"),
    "text_within": ({"a": [1, "x"]}, "duckdb"), "wide": ([Decimal("9" * 30), Decimal("0." + "9" * 20)], "mysql duckdb sqlite"),
    "zones": ([datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)], "postgresql duckdb"),
    "clocks": ([time(1), time(1, tzinfo=UTC)], "postgresql duckdb"), "keys": ([{"a": 1}, {"b": 2}], "duckdb"),
    "beside_lists": ([1, [2]], "postgresql duckdb"), "beside_list": ({"a": [[1], 2]}, "duckdb"),
    "no_name": ({"": 1}, "duckdb"), "map_within": ({"a": {"key": [1], "value": [2]}}, "duckdb"),
    "within": ({"a": [2**300]}, "duckdb"), "long": (timedelta(hours=839), "mysql sqlite"),
    "first": (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "mysql"),
    "last": (datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-24, minutes=1))), "mysql"),
}  # fmt: skip
"""Values, and the engines that would make another one of them, or have none for it."""


def test_what_an_engine_would_change_is_refused_by_the_parameters_name(engine):
    refused = {}
    for name, (value, _) in TOO_MUCH.items():
        try:
            got = engine.value(f"SELECT :{name} AS v", parameters={name: value})
        except (errors.UsageError, errors.QueryError) as exc:
            assert re.search(rf":{name}\b", exc.message), exc.message
            refused[name] = bool(exc.hint)
        else:
            assert not isinstance(value, int | Decimal) or str(Decimal(str(got))) == str(value), name
    assert refused == {name: True for name, (_, engines) in TOO_MUCH.items() if engine.name in engines}


def test_lengths_are_added_to_moments_and_lists_mix_zones_in_a_condition(request):
    asked = [
        ("ts + :length", "2024-01-03 00:00:00.000005"),
        ("ts - :length", "2023-12-30 23:59:59.999995"),
        (":length + ts", "2024-01-03 00:00:00.000005"),
        ("(ts) -/* ends */ :length", "2023-12-30 23:59:59.999995"),
        ("CASE WHEN 1 = 1 THEN ts + :back END", "2024-01-01 10:30:00.000000"),
    ]
    given = {"length": timedelta(hours=36, microseconds=5), "back": timedelta(minutes=-90)}
    for name in ("mysql", "duckdb", "postgresql"):
        engine = request.getfixturevalue(f"{name}_engine")
        engine.run("CREATE TABLE added (ts timestamp)")
        engine.run("INSERT INTO added VALUES ('2024-01-01 12:00:00')")
        got = [engine.value(f"SELECT {sql} AS v FROM added", parameters=given) for sql, _ in asked]
        assert [one.isoformat(" ", "microseconds") for one in got] == [meant for _, meant in asked]
        if name != "mysql":
            engine.run("SET TimeZone = 'America/New_York'")  # where a moment without a zone would be another one in UTC
        mixed = [datetime(2024, 1, 1, 12), datetime(2024, 1, 1, tzinfo=UTC)]
        for moments in (mixed, mixed * 300):
            assert (
                engine.value("SELECT count(*) FROM added WHERE ts IN (:moments)", parameters={"moments": moments}) == 1
            )
        if name != "mysql":
            engine.run("SET TimeZone = 'UTC'")
        engine.run("DROP TABLE added")


def test_a_dict_of_two_lists_is_a_dict_on_duckdb(duckdb_engine):
    for value in (
        {"key": ["a"], "value": [1]},
        {"key": [], "value": []},
        {"key": [1], "value": [1, 2]},
        {"key": 1, "value": 2},
    ):
        assert duckdb_engine.value("SELECT :v AS v", parameters={"v": value}) == value


def test_nanoseconds_are_kept_or_refused(engine):
    engine.run(f"CREATE TABLE ticks (moment {KINDS.get(engine.name, 'timestamp')})")
    for moment in (pd.Timestamp(NANOSECOND), np.datetime64(NANOSECOND, "ns")):
        if engine.name in KINDS:
            engine.run("INSERT INTO ticks VALUES (:at)", parameters={"at": moment})
        else:
            with pytest.raises(
                errors.UsageError, match=r":at has nanoseconds \(.*000000001\), and \w+.* keeps microseconds"
            ):
                engine.run("INSERT INTO ticks VALUES (:at)", parameters={"at": moment})
            with pytest.raises(errors.UsageError, match=":at has nanoseconds"):
                engine.run("SELECT :at", parameters={"at": [[moment]]})
    found = engine.value("SELECT count(*) FROM ticks WHERE moment = :at", parameters={"at": pd.Timestamp("2024-03-01")})
    assert found == 0
    if engine.name in KINDS:
        asked = {"parameters": {"at": np.datetime64(NANOSECOND, "ns")}}
        assert engine.value("SELECT count(*) FROM ticks WHERE moment = :at", **asked) == 2
        text = engine.value("SELECT CAST(moment AS varchar) FROM ticks")
        assert text == NANOSECOND


def test_a_list_says_which_rows_are_deleted(engine):
    engine.run("CREATE TABLE listed (id integer)")
    engine.run("INSERT INTO listed VALUES (1), (2), (3), (NULL)")
    engine.run("DELETE FROM listed WHERE id NOT IN (:keep)", parameters={"keep": [1, 3, None]})
    assert engine.value("SELECT count(*) FROM listed") == 4
    engine.run("DELETE FROM listed WHERE id NOT IN (:keep)", parameters={"keep": (1, 3)})
    assert (
        engine.value("SELECT count(*) FROM listed WHERE id IN (:keep) OR id IS NULL", parameters={"keep": {1, 3}}) == 3
    )
    engine.run("DELETE FROM listed WHERE id NOT IN (:keep)", parameters={"keep": []})
    assert engine.value("SELECT count(*) FROM listed") == 0


def test_lists_are_as_long_as_notebooks_have_them(engine):
    engine.run("CREATE TABLE long_lists (id integer, code varchar(20), size double precision)")
    engine.run("INSERT INTO long_lists VALUES (1, '1', 0.1), (2, 'it''s', 0.3), (3, NULL, NULL)")
    count = 33_000 if engine.name == "sqlite" else 6_000  # SQLite takes 32,766 values in a statement
    asked = [
        ("id IN (:v)", range(2, count), [2, 3]),
        ("id NOT IN (:v)", range(2, 6_000), [1]),
        ("code IN (:v)", [*map(str, range(6_000)), "it's"], [1, 2]),
        ("size IN (:v)", [n + 0.1 for n in range(6_000)], [1]),
    ]
    got = [
        engine.run(f"SELECT id FROM long_lists WHERE {where} ORDER BY id", parameters={"v": value})
        .table.column(0)
        .to_pylist()
        for where, value, _ in asked
    ]
    assert got == [rows for _, _, rows in asked]


def test_an_error_behind_a_list_is_marked_in_the_users_own_text(engine):
    engine.run("CREATE TABLE marked (id integer)")
    sql = "SELECT id FROM marked WHERE id NOT IN (:ids)\n  AND id IN (:none, 1)\n  AND nosuch = 1"
    for ids in ([1, 2], [], list(range(6000))):
        with pytest.raises(errors.QueryError) as caught:
            engine.run(sql, parameters={"ids": ids, "none": []})
        assert caught.value.position == sql.index("nosuch")
        assert "nosuch" in caught.value.message


def test_a_list_where_none_can_be_is_refused_with_the_right_spelling(sqlite_engine, mysql_engine):
    for one in (sqlite_engine, mysql_engine):
        one.run("CREATE TABLE tagged (id integer, tags varchar(99))")
        for where in (
            "id = ANY (:ids)",
            "id = :ids",
            ":ids <> id",
            "COALESCE(:ids, 1) = id",
            "id LIKE :ids",
            "id + (:ids) > 0",
            "CAST(:ids AS DECIMAL) = id",
        ):
            with pytest.raises(errors.UsageError) as caught:
                one.run(f"SELECT 1 FROM tagged WHERE {where}", parameters={"ids": [1, 2]})
            assert "IN (:ids)" in caught.value.hint
        with pytest.raises(errors.UsageError, match="is a dict") as caught:
            one.run("SELECT 1 FROM tagged WHERE id IN (:ids)", parameters={"ids": {1: "a"}})
        assert "list(ids)" in caught.value.hint
        one.run("INSERT INTO tagged VALUES (1, :ids)", parameters={"ids": [1, 2]})
        one.run("UPDATE tagged SET tags = :ids WHERE id = 1", parameters={"ids": ["x", 5]})
        assert one.value("SELECT CAST(:ids AS CHAR(9)) FROM tagged", parameters={"ids": [1, 2]}) == "[1, 2]"
        assert one.value("SELECT tags FROM tagged") == '["x", 5]'


def test_decimals_are_numbers_on_sqlite(sqlite_engine):
    sqlite_engine.run("CREATE TABLE sold (price DEC(10, 2), note TEXT)")
    sqlite_engine.run(
        "INSERT INTO sold VALUES (:a, 'x'), (:b, 'y')", parameters={"a": Decimal("9.50"), "b": Decimal("10.00")}
    )
    for sql, value, found in (
        ("SELECT count(*) FROM sold WHERE price * 1 > :p", "9.49", 2),
        ("SELECT count(*) FROM sold GROUP BY 1 = 1 HAVING sum(price) = :p", "19.50", 2),
        ("SELECT typeof(:p) FROM sold", "19.50", "real"),
        ("SELECT max(price, :p) FROM sold LIMIT 1", "9.6", 9.6),
        ("SELECT CAST(:p AS INTEGER) + 1", "9.50", 10),
        ("SELECT :p", "9223372036854775807", 2**63 - 1),
    ):
        assert sqlite_engine.value(sql, parameters={"p": Decimal(value)}) == found, sql
    for beyond in ("0.12345678901234567890", "9223372036854775808.5", "NaN"):
        with pytest.raises(errors.UsageError, match=rf":p, {beyond}, is none of SQLite's numbers"):
            sqlite_engine.run("SELECT :p", parameters={"p": Decimal(beyond)})


def test_postgresql_finds_a_type_for_each_place_and_names_parameters(postgresql_engine):
    one = postgresql_engine
    one.run(
        "CREATE TABLE counted AS SELECT :n AS n, :big AS big, :l AS l", parameters={"n": 300, "big": 2**40, "l": [1]}
    )
    assert (
        one.value("SELECT pg_typeof(n)::text || pg_typeof(big) || pg_typeof(l) FROM counted")
        == "integerbigintinteger[]"
    )
    for sql, value in (
        ("SELECT concat(:s, :n, :z)", "a5"),
        ("SELECT json_build_object('k', :s, 'd', :d)::text", '{"k" : "a", "d" : {"b": 1}}'),
        ("SELECT to_json(:s)::text", '"a"'),
        ("SELECT format('%s-%s', :s, :z)", "a-"),
        ("SELECT count(*) FROM unnest(:names)", 2),
        ("SELECT array_agg(:s)::text", "{a}"),
        ("SELECT count(*) FROM counted WHERE :day = '2024-03-01'::date AND :day <> 'a'::text", 1),
        ("SELECT count(*) FROM counted WHERE :s IS NOT NULL AND (:z IS NULL OR n = :z)", 1),
        ("SELECT (ARRAY[1::bigint] @> :l)::text", "true"),
        ("SELECT (now() - :span < now())::text", "true"),
        ("SELECT count(*) FROM counted WHERE now() > now() - INTERVAL :n DAY AND n > :text::int", 1),
        ("SELECT cardinality(:none::int[])", 0),
        ("SELECT date_trunc(:unit, now()) IS NULL FROM counted GROUP BY date_trunc(:unit, now())", False),
    ):
        values = {
            "s": "a", "n": 5, "z": None, "d": {"b": 1}, "day": "2024-03-01", "l": [1], "span": pd.Timedelta("1h"), "text": "7",
            "none": [], "unit": "year", "names": ["x", "y"],
        }  # fmt: skip
        assert one.value(sql, parameters=values) == value, sql
    for sql, words in (
        ("CREATE VIEW w AS SELECT :n AS n", "parameter :n"),
        ("SELECT n FROM counted WHERE n = :s", 'integer: "a"'),
        ("ALTER ROLE nobody CONNECTION LIMIT :n", 'near ":n"'),
        ("SELECT 1 WHERE 5 == IN (:l)", 'near "IN"'),
    ):
        with pytest.raises(errors.QueryError) as caught:
            one.run(sql, parameters={"n": 5, "s": "a", "l": [1]})
        assert words in caught.value.message
        assert "$" not in f"{caught.value.message}{caught.value.detail}"


def test_a_list_in_in_is_of_arrays_where_the_column_is_one_on_postgresql(postgresql_engine):
    run = postgresql_engine.run
    run(
        "CREATE TEMP TABLE arrayed (n int, a int[], v varchar(9)[], t timestamptz[]);"
        "INSERT INTO arrayed VALUES (1, '{1,2}', '{x}', '{now}'), (2, NULL, NULL, NULL)"
    )
    asked: list[tuple[str, list[object], list[int]]] = [
        *((f"{column} IN (:v)", [], []) for column in "avt"),
        *((f"{column} NOT IN (:v) AND n IN (:n)", [], [1, 2]) for column in "avt"),
        ("a IN (:v) OR t IN (:v) OR n IN (:v)", [], []),
        ("a IN (:v)", [None], []),
        ("a IN (:v)", [[1, 2], [3]], [1]),
        ("a IN (:v)", [[1, 2], None], [1]),
        ("v IN (:v)", [["x"]], [1]),
    ]
    run("BEGIN")
    for where, value, rows in asked:
        found = run(f"SELECT n FROM arrayed WHERE {where} ORDER BY n", parameters={"v": value, "n": [1, 2]})
        assert found.table.column(0).to_pylist() == rows, where
    run("COMMIT")


def test_a_list_is_json_where_postgresql_has_json(postgresql_engine):
    one = postgresql_engine
    one.run("CREATE TABLE sheets (a jsonb, c json, d text[], e int[], b text)")
    kept: list[object] = [
        [], [1], ["x"], [None], [1.5, 2.0], [True], [{"k": 1}], [[]], [[1], [2, 3]], [1, "x", {"k": [1]}], [date(2024, 3, 1)],
    ]  # fmt: skip
    for value in kept:
        one.run("DELETE FROM sheets; INSERT INTO sheets (a, c) VALUES (:v, :v)", parameters={"v": value})
        meant = ["2024-03-01"] if value == kept[-1] else value
        for sql in (
            "SELECT a::text FROM sheets WHERE a = :v AND a <@ :v AND (:v IS NULL OR a = :v)", "SELECT c::text FROM sheets",
            "SELECT (:v::jsonb)::text", "SELECT CAST(:v AS json)::text", "SELECT COALESCE(:v, '1'::jsonb)::text",
            "SELECT to_jsonb(:v)::text", "SELECT (jsonb_set('{}', '{k}', :v) -> 'k')::text",
        ):  # fmt: skip
            assert json.loads(one.value(sql, parameters={"v": value})) == meant, (sql, value)
    one.run("INSERT INTO sheets (a, d, e) VALUES (:v, :v, :w)", parameters={"v": [], "w": [7]})
    assert (
        one.value("SELECT concat(a, d, e) FROM sheets WHERE e = :w AND a = :v", parameters={"v": [], "w": [7]})
        == "[]{}{7}"
    )
    one.run("BEGIN")
    with pytest.raises(errors.UsageError, match=r":v cannot be sent .* JSON, which has no NaN"):
        one.run("INSERT INTO sheets (a) VALUES (:v)", parameters={"v": [1.5, np.nan]})
    assert one.value("SELECT count(*) FROM sheets") == 2  # the transaction goes on
    one.run("ROLLBACK")
    for where, value in (("b = :v", [1]), ("e = :v", [[1], [2, 3]]), ("e = :v", [1, "x"])):
        with pytest.raises((errors.QueryError, errors.UsageError), match=r"text = integer\[\]|:v"):
            one.run(f"SELECT 1 FROM sheets WHERE {where}", parameters={"v": value})


def test_postgresql_takes_no_number_for_a_name(postgresql_engine):
    with pytest.raises(errors.UsageError, match="either") as caught:
        postgresql_engine.run("SELECT '$1', $1 + :n", parameters={"n": 5})
    assert caught.value.position == len("SELECT '$1', ")
    with pytest.raises(errors.UsageError, match="PREPARE takes no values"):
        postgresql_engine.run("PREPARE p AS SELECT :n", parameters={"n": 5})
    for value, words in ((["x", "a\x00b"], "NUL"), ([date(2024, 3, 1), datetime(2024, 3, 1)], "mixed types")):
        with pytest.raises(errors.UsageError, match=f"value of :v cannot be sent to PostgreSQL: .*{words}"):
            postgresql_engine.run("SELECT :n, :v", parameters={"n": 5, "v": value})


def test_postgresql_asks_for_types_without_harm_to_an_open_transaction(postgresql_engine):
    one = postgresql_engine
    one.run("BEGIN; CREATE TABLE t (s text); INSERT INTO t VALUES ('a')")
    assert one.value("SELECT count(*) FROM t WHERE concat(:s, :s) = 'aa' AND s = :s", parameters={"s": "a"}) == 1
    one.run("INSERT INTO t SELECT concat(:s)", parameters={"s": "b"})
    with pytest.raises(errors.QueryError, match="nosuch"):
        one.run("SELECT concat(:s), nosuch", parameters={"s": "b"})
    with pytest.raises(errors.QueryError, match="aborted"):
        one.run("SELECT 1")
    one.run("ROLLBACK")
    one.run("SELECT concat(:s)", parameters={"s": "b"}, read_only=True)


def test_duckdb_reads_a_long_list_of_texts_as_dates_or_says_why_not(duckdb_engine):
    sql = "SELECT count(*) FROM (VALUES (DATE '2024-03-01')) AS t(day) WHERE day IN (:days)"
    for count in (499, 600, 20_000):
        assert duckdb_engine.value(sql, parameters={"days": ["2024-03-01"] * count}) == 1
        assert duckdb_engine.value(sql, parameters={"days": [date(2024, 3, 1)] * count}) == 1
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run(f"EXPLAIN {sql}", parameters={"days": ["2024-03-01"] * 10_000})
    assert "dates for dates" in caught.value.hint


def test_duckdb_has_its_variables_beside_parameters(duckdb_engine):
    one = duckdb_engine
    one.run("SET VARIABLE animal = 'cat'; SET VARIABLE n = 2")
    assert one.value("SELECT $animal") == "cat"
    assert one.value("SELECT $Animal || :animal || getvariable('animal')", parameters={"animal": "dog"}) == "catdogcat"
    assert one.value("SELECT count(*) FROM (FROM range(9) LIMIT $n)") == 2
    assert one.run("SELECT $animal").table.column_names == ["$animal"]
    assert one.run("SELECT 1 IN (:l)", parameters={"l": [1, 2, 3]}).table.column_names == ["(1 IN ($l))"]
    one.run("PREPARE p AS SELECT $animal || '!'")
    assert one.value("EXECUTE p(animal := 'cow')") == "cow!"
    with pytest.raises(errors.QueryError, match="nosuch"):
        one.run("SELECT $nosuch, :x", parameters={"x": 1})


def test_values_of_a_prepared_statement_are_given_to_execute(postgresql_engine):
    """PREPARE's own refusal says so."""
    one = postgresql_engine
    one.run("PREPARE given AS SELECT $1::int + 1, $2::text, $3::date, $4::int[]")
    values = {"n": -2, "s": "it's \\ :n", "d": date(2024, 3, 1), "l": [1, None]}
    result = one.run("EXECUTE given(:n, :s, :d, :l)", parameters=values)
    assert [column[0].as_py() for column in result.table.columns] == [-1, "it's \\ :n", date(2024, 3, 1), [1, None]]
    with pytest.raises(errors.QueryError, match="date") as caught:
        one.run("EXECUTE given(:n, :s, :s, :n)", parameters=values)
    assert caught.value.position == len("EXECUTE given(:n, :s, ")
    one.run("DEALLOCATE given")


def test_a_statement_that_takes_no_values_says_where_they_may_stand(duckdb_engine):
    one = duckdb_engine
    one.run("CREATE TABLE taken AS SELECT [1, 2] AS a; PREPARE p AS SELECT $1")
    for sql in ("CREATE VIEW v AS SELECT :x", "EXECUTE p(:x)", "COMMENT ON TABLE taken IS :x"):
        with pytest.raises(errors.QueryError) as caught:
            one.run(sql, parameters={"x": 1})
        assert "takes values in queries" in caught.value.hint
        assert "$" not in caught.value.message


def test_a_slice_says_how_a_value_is_bound_in_it(duckdb_engine, postgresql_engine):
    for one in (duckdb_engine, postgresql_engine):
        with pytest.raises(errors.QueryError) as caught:
            one.run("SELECT a[:n] FROM (SELECT ARRAY[1, 2] AS a) AS t", parameters={"n": 1})
        assert "`(:n)`" in caught.value.hint
        with pytest.raises(errors.QueryError) as caught:
            one.run("SELECT 1::int, nosuch FROM (SELECT 1 AS a) AS t")
        assert "colon" not in (caught.value.hint or "")


def test_a_hint_that_speaks_of_a_mark_needs_one(duckdb_engine):
    with pytest.raises(errors.QueryError, match="selection list") as caught:
        duckdb_engine.run("SELECT")
    assert caught.value.position is not None or "marked" not in (caught.value.hint or "")
