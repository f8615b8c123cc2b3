"""A limit on a SELECT whose functions write: what they wrote stands, as in the engine's own client."""

from __future__ import annotations

import pytest

from tusk_jupyter import errors

pytestmark = pytest.mark.home("shared")


@pytest.fixture
def writer_of_postgresql(postgresql_engine):
    postgresql_engine.run(
        "CREATE TABLE marks (i int); CREATE FUNCTION mark(i int) RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO marks VALUES (i); PERFORM pg_sleep(CASE i WHEN 20 THEN 0.3 WHEN 70 THEN 1 ELSE 0.002 END); "
        "RETURN i; END $$"
    )  # the first pause lets rows out, the second one is longer than rows are read on for
    yield postgresql_engine
    postgresql_engine.run("DROP TABLE marks; DROP FUNCTION mark")


@pytest.fixture
def writer_of_mysql(mysql_engine):
    mysql_engine.run(
        "CREATE TABLE marks (i INT, t VARCHAR(10)) ENGINE InnoDB; CREATE FUNCTION mark(i INT) RETURNS VARCHAR(16000) "
        "BEGIN INSERT INTO marks VALUES (i, sleep(if(i = 79, 2, 0.002))); RETURN repeat('x', 16000); END"
    )
    yield mysql_engine
    mysql_engine.run("DROP TABLE marks; DROP FUNCTION mark")


@pytest.mark.parametrize("called", ["mark(i)", 'public . "mark" (i)'])
def test_what_functions_of_a_limited_select_wrote_stands_on_postgresql(writer_of_postgresql, called):
    engine = writer_of_postgresql
    result = engine.run(f"SELECT {called}, repeat('x', 9000) FROM generate_series(1, 80) i", limit=1)
    assert (result.rows, result.more) == (1, True)
    assert engine.value("SELECT count(*) FROM marks") == 80


def test_a_function_counts_as_what_it_is_now_on_postgresql(writer_of_postgresql):
    engine = writer_of_postgresql
    with pytest.raises(errors.QueryError, match="noted"):
        engine.run("SELECT noted(1)")
    engine.run("ALTER FUNCTION mark RENAME TO noted")
    try:
        assert engine.run("SELECT noted(i), repeat('x', 9000) FROM generate_series(1, 80) i", limit=1).more
        assert engine.value("SELECT count(*) FROM marks") == 80
    finally:
        engine.run("ALTER FUNCTION noted RENAME TO mark")


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM behind", "SELECT 1 #### i, repeat('x', 9000) FROM generate_series(1, 80) i"]
)
def test_what_views_and_operators_of_a_limited_select_wrote_stands_on_postgresql(writer_of_postgresql, sql):
    engine = writer_of_postgresql
    engine.run(
        "CREATE VIEW behind AS SELECT mark(i), repeat('x', 9000) FROM generate_series(1, 80) i;"
        "CREATE FUNCTION mark_second(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT mark($2)';"
        "CREATE OPERATOR #### (LEFTARG = int, RIGHTARG = int, FUNCTION = mark_second)"
    )
    try:
        result = engine.run(sql, limit=1)
        assert (result.rows, result.more) == (1, True)
        assert engine.value("SELECT count(*) FROM marks") == 80
    finally:
        engine.run("DROP VIEW behind; DROP OPERATOR #### (int, int); DROP FUNCTION mark_second")


def test_a_limited_select_that_only_reads_is_stopped_on_postgresql(writer_of_postgresql):
    endless = "SELECT upper(repeat('x', 1000)), random(), generate_series(1, 1000000000)"
    assert writer_of_postgresql.run(endless, limit=1, timeout_s=60).more


@pytest.mark.parametrize("called", ["mark(seq)", "tusk.`mark` (seq)"])
def test_what_functions_of_a_limited_select_wrote_stands_on_mysql(writer_of_mysql, called):
    engine = writer_of_mysql
    result = engine.run(f"SELECT {called}, date_add('2024-01-01', INTERVAL 1 DAY) FROM seq_1_to_80", limit=1)
    assert (result.rows, result.more) == (1, True)
    assert engine.value("SELECT count(*) FROM marks") == 80


def test_a_function_counts_as_what_it_is_now_on_mysql(mysql_engine, request):
    with pytest.raises(errors.QueryError, match="mark"):
        mysql_engine.run("SELECT mark(1)")
    engine = request.getfixturevalue("writer_of_mysql")
    assert engine.run("SELECT mark(seq) FROM seq_1_to_80", limit=1).more
    assert engine.value("SELECT count(*) FROM marks") == 80


def test_what_a_limited_select_says_of_the_statement_before_it_is_true_on_mysql(writer_of_mysql):
    engine = writer_of_mysql
    engine.run("INSERT INTO marks VALUES (1, ''), (2, '')")
    assert engine.value("SELECT row_count()", limit=1) == 2
    engine.run("SELECT SQL_CALC_FOUND_ROWS i FROM marks LIMIT 1")
    assert engine.value("SELECT found_rows()", limit=1) == 2
