"""PostgreSQL's settings of how text looks: a result is right under all, and each ends when and where the user's own would."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")

THEIRS = {"datestyle": "SQL, DMY", "intervalstyle": "iso_8601", "bytea_output": "escape", "extra_float_digits": "-5"}
OTHERS = {
    "datestyle": "German, DMY",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "0",
}
SHOW = "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in THEIRS)
VALUES = (
    "SELECT '2024-03-04'::date d, '2024-03-04 05:06:07'::timestamp ts, '2024-03-04 05:06+00'::timestamptz tz, "
    "interval '1 mon -2 days' i, '\\x00ff'::bytea b, 0.1::float8 + 0.2::float8 f"
)


def setting(values: dict[str, str], how: str) -> str:
    return "; ".join(how.format(name=name, value=value) for name, value in values.items())


LOCAL, SESSION = "SET LOCAL {name} = '{value}'", "SET {name} = '{value}'"
CALL = "SELECT set_config('{name}', '{value}', true)"
CASES = [
    (f"BEGIN; {setting(THEIRS, LOCAL)}", THEIRS, "COMMIT", {}),
    (f"BEGIN; {setting(THEIRS, LOCAL)}", THEIRS, "ROLLBACK", {}),
    (f"BEGIN; {setting(THEIRS, CALL)}", THEIRS, "COMMIT", {}),
    (f"BEGIN; {setting(THEIRS, SESSION)}", THEIRS, "COMMIT", THEIRS),
    (f"BEGIN; {setting(THEIRS, SESSION)}", THEIRS, "ROLLBACK", {}),
    (f"BEGIN; {setting(THEIRS, SESSION)}; {setting(OTHERS, LOCAL)}", OTHERS, "COMMIT", THEIRS),
    (f"BEGIN; SAVEPOINT p; {setting(THEIRS, LOCAL)}", THEIRS, "ROLLBACK TO SAVEPOINT p", {}),
    (f"BEGIN; SAVEPOINT p; {setting(THEIRS, LOCAL)}", THEIRS, "RELEASE SAVEPOINT p; COMMIT", {}),
    (f"BEGIN; {setting(THEIRS, SESSION)}; SAVEPOINT p; {setting(OTHERS, SESSION)}", OTHERS, "ROLLBACK TO p", THEIRS),
    (setting(THEIRS, SESSION), THEIRS, "RESET ALL", {}),
    (setting(THEIRS, SESSION), THEIRS, "DISCARD ALL", {}),
    (f"{setting(THEIRS, SESSION)}; BEGIN; {setting(OTHERS, LOCAL)}", OTHERS, "COMMIT", THEIRS),
    (f"BEGIN; {setting(THEIRS, LOCAL)}", THEIRS, "SELECT 1/0", {}),
]


def test_settings_end_where_the_user_has_set_them(postgresql_engine):
    run = postgresql_engine.run
    usual, plain = run(SHOW).table.to_pylist()[0], run(VALUES).table
    for begin, within, end, after in CASES:
        run(begin)
        assert run(VALUES).table == plain, begin
        assert run(VALUES + " WHERE :n = 1", parameters={"n": 1}).table == plain, begin
        assert run(SHOW).table.to_pylist() == [within], begin
        if end.startswith("SELECT"):
            with pytest.raises(Exception, match="zero"):
                run(end)
            end = "ROLLBACK"
        run(end)
        assert run(SHOW).table.to_pylist() == [usual | after], (begin, end)
        run("ROLLBACK; DISCARD ALL" if run("SELECT 1").transaction == "idle" else "ROLLBACK")
        run("RESET ALL")


def test_a_date_is_read_in_the_order_that_holds_again(postgresql_engine):
    postgresql_engine.run("BEGIN; SET LOCAL datestyle = 'SQL, DMY'; SELECT now()::timestamp(0); COMMIT")
    assert postgresql_engine.value("SELECT '01/02/2024'::date") == date(2024, 1, 2)


def test_a_function_keeps_its_own_settings_to_itself_and_one_that_sets_some_sets_them(postgresql_engine):
    run = postgresql_engine.run
    run(
        "CREATE FUNCTION own() RETURNS text LANGUAGE sql SET datestyle = 'SQL, DMY' AS $$SELECT '2024-03-04'::date::text$$;"
        "CREATE FUNCTION sets() RETURNS int LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM set_config('datestyle', 'German, DMY', false); RETURN 1; END$$"
    )
    for before in ("ISO, MDY", "SQL, DMY"):
        run(f"SET datestyle = '{before}'")
        assert run("SELECT own(), '2024-03-04'::date AS d").table.to_pylist() == [
            {"own": "04/03/2024", "d": date(2024, 3, 4)}
        ]
        assert postgresql_engine.value("SHOW datestyle") == before
        run("SELECT '2024-03-04'::date AS d, sets()")
        assert postgresql_engine.value("SHOW datestyle") == "German, DMY"


def test_a_statement_that_sets_how_its_own_rows_look_loses_nothing_in_silence(postgresql_engine):
    run = postgresql_engine.run
    values = (
        "'abc\\\\'::bytea AS b, 0.1::float8 + 0.2::float8 AS f, interval '-1 day 2 hours' AS i, '2024-03-04'::date AS d"
    )
    cases = [
        ("bytea_output", "escape", {}, []),
        ("extra_float_digits", "0", {"f": 0.3}, ["Column 'f' may lack digits of its floats: "]),
        ("IntervalStyle", "iso_8601", {"i": "P-1DT2H"}, ["Column 'i' is text: "]),
        ("DateStyle", "SQL, DMY", {"d": "04/03/2024"}, ["Column 'd' is text: "]),
    ]
    usual = run(f"SELECT {values}").table.to_pylist()[0]
    assert (usual["b"], usual["f"]) == (b"abc\\", 0.1 + 0.2)
    for name, value, others, notes in cases:
        for more in ("", " WHERE :n = 1"):
            sets = f"set_config('{name}', '{value}', false) AS s"
            found = run(f"SELECT {sets}, {values}{more}", parameters={"n": 1} if more else {})
            assert found.table.to_pylist() == [{"s": value, **usual, **others}], name
            assert list(found.notes) == [f"{n}the statement itself set {name} to {value!r} as it ran." for n in notes]
            assert postgresql_engine.value(f"SHOW {name}") == value
            run("RESET ALL")


def test_intervals_go_up_as_they_are_under_every_style(postgresql_engine):
    values = [
        pa.MonthDayNano(parts) for parts in ([-1, 2, 0], [-1, 0, 5 * 10**9], [0, -1, 5000], [0, 1, -5000], [5, 0, 0])
    ]
    kind = pa.month_day_nano_interval()
    data = pa.table({"i": pa.array(values, kind), "l": pa.array([[one] for one in values], pa.list_(kind))})
    for style in ("sql_standard", "iso_8601", "postgres_verbose"):
        postgresql_engine.run(f"SET intervalstyle = '{style}'")
        request = control.UploadRequest(session="", connection="postgresql", table="lengths")
        postgresql_engine.client.upload(request, data)
        back = postgresql_engine.run("SELECT i, l[1] FROM lengths").table
        assert [column.to_pylist() for column in back.columns] == [values, values], style
        postgresql_engine.run("DROP TABLE lengths; RESET ALL")


def test_what_yields_rows_does_not_say_that_it_changed_some(postgresql_engine):
    result = postgresql_engine.run(
        "CREATE TABLE seen (i int); PREPARE r AS SELECT 1 AS x; PREPARE i AS INSERT INTO seen VALUES (1), (2); "
        "PREPARE u AS UPDATE seen SET i = 2 RETURNING i; BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 3) g;"
        "FETCH 2 FROM c; MOVE 1 IN c; COMMIT; EXECUTE r; EXECUTE i; EXECUTE u; CREATE TABLE copied AS SELECT * FROM seen;"
        "SHOW datestyle; EXPLAIN SELECT 1; SELECT 1; INSERT INTO seen SELECT 5; DROP TABLE seen, copied"
    )
    told = [(one.command.split()[0], one.rows, one.affected) for one in result.statements]
    assert [one for one in told if one[1:] != (None, None)] == [
        ("FETCH", 2, None), ("EXECUTE", 1, None), ("EXECUTE", None, 2), ("EXECUTE", 2, 2), ("CREATE", None, 2),
        ("SHOW", 1, None), ("EXPLAIN", 1, None), ("SELECT", 1, None), ("INSERT", None, 1),
    ]  # fmt: skip
