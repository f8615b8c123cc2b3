"""The servers' own parsers say how many statements a text has; the splitter must agree."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.constants import CLIENT

from tusk_jupyter.sqltext.statements import split

COMMON = ["'x'", "'a''b'", "';'", "1", "'--'", "'/*'", "'*/'", "'a\n;b'", "(SELECT ';')"]
NOISE = [" ", "/* ; */", "-- ;\n", "-- '\n", "/* ' */", "\n", "/* -- */", "--\n;", ";", ";;", "/**/", "/***/"]
POSTGRESQL = [
    *COMMON, "E'\\''", "E'\\\\'", "$$;$$", "$t$ ' $t$", "$t$ $$ ; $t$", '1 AS "a;b"', "U&'\\0041;'", "1 AS x$y$z",
    "'\\'",
    "b'01'", "X'1F'", "1::int", "'{1;2}'::text", "E'a''b\\\\\\';'", "$_1$;$_1$", "1 AS \"a\"\"b;\"",
]  # fmt: skip
MARIADB = [
    *COMMON, "'\\''", "'\\\\'", '";"', '"a\\";"', '"a"";"', "1 AS `;`", "1 AS `a``;`", "5--3", "/*! ';', */ 2",
    "/*M! ';', */ 2",
    "N';'", "X'1F'", "_utf8mb4';'", "@`;`", "@';'", "'a' ';' 'b'", "1 --1",
]  # fmt: skip


def scripts(expressions: list[str], noise: list[str]) -> st.SearchStrategy[str]:
    """Statements that are valid SQL, with comments and separators strewn between their parts."""
    part = st.tuples(st.sampled_from(expressions), st.sampled_from(noise)).map(" ".join)
    statement = st.lists(st.sampled_from(expressions), min_size=1, max_size=4).map(
        lambda found: "SELECT " + ", ".join(found)
    )
    strewn = st.tuples(statement, st.lists(st.sampled_from(noise), max_size=3)).map(
        lambda two: two[0] + " " + " ".join(two[1])
    )
    return st.lists(st.one_of(strewn, part.map(lambda one: f"SELECT {one}")), min_size=1, max_size=4).map(" ; ".join)


KEEP = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def pg(postgresql) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def maria(mariadb) -> Iterator[pymysql.Connection]:
    connection = pymysql.connect(
        host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password, database=mariadb.database,
        client_flag=CLIENT.MULTI_STATEMENTS, charset="utf8mb4",
    )  # fmt: skip
    yield connection
    connection.close()


@given(sql=scripts(POSTGRESQL, [*NOISE, "/* /* ; */ ; */"]))
@KEEP
def test_postgresql_agrees_how_many_statements_there_are(pg, sql):
    cursor = pg.execute(sql)
    theirs = 1
    while cursor.nextset():
        theirs += 1
    assert len(split(sql, "postgresql")) == theirs


@given(sql=scripts(MARIADB, [*NOISE, "# ;\n", "# '\n"]))
@KEEP
def test_mariadb_agrees_how_many_statements_there_are(maria, sql):
    found = split(sql, "mysql")
    # MariaDB takes no empty statement in the middle, which is what the splitter leaves out.
    with maria.cursor() as cursor:
        cursor.execute(";".join(f"{one.text}\n" for one in found))
        theirs = 1
        while cursor.nextset():
            theirs += 1
    assert len(found) == theirs


@pytest.mark.parametrize("name", ["it's", ";", "-- ", "/*", '"', "#", "`", "a]];"])
def test_mariadb_agrees_on_names_in_brackets(maria, name):
    sql = f"SELECT 1 AS [{name}];\nSELECT 2 AS [{name}]"
    with maria.cursor() as cursor:
        cursor.execute("SET sql_mode = 'MSSQL'")
        try:
            headings = [cursor.execute(one.text) and cursor.description[0][0] for one in split(sql, "mysql")]
        finally:
            cursor.execute("SET sql_mode = DEFAULT")
    assert headings == [name.replace("]]", "]")] * 2


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE PROCEDURE p_split() BEGIN DECLARE x INT DEFAULT 0; outerloop: LOOP WHILE x < 1 DO SET x = x + "
        "1; END WHILE;"
        " REPEAT SET x = x + 1; UNTIL x > 2 END REPEAT; IF x THEN LEAVE outerloop; END IF; END LOOP outerloop; END",
        "CREATE PROCEDURE p_split() FOR i IN 1..3 DO SELECT i; SELECT i + 1; END FOR",
        "CREATE FUNCTION p_split(a INT) RETURNS INT RETURN CASE WHEN a THEN 1 ELSE 2 END",
        "BEGIN NOT ATOMIC IF IF(1, 2, 3) THEN SELECT 1; END IF; SELECT REPEAT('a', 2); END",
        "CREATE PROCEDURE p_split() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END;"
        " CASE 1 WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END",
        "CREATE AGGREGATE FUNCTION p_split(x INT) RETURNS INT BEGIN DECLARE t INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT"
        " FOUND RETURN t; LOOP FETCH GROUP NEXT ROW; SET t = t + x; END LOOP; END",
        "CREATE DEFINER=tusk@`%` PROCEDURE p_split() BEGIN SELECT 1; SELECT 2; END",
        "CREATE PROCEDURE IF NOT EXISTS p_split() WHILE @a < 3 DO SET @a = @a + 1; SET @b = 1; END WHILE",
        "CREATE FUNCTION IF NOT EXISTS p_split() RETURNS INT IF @a THEN RETURN 1; ELSE RETURN 2; END IF",
        "CREATE PROCEDURE p_split() BEGIN DECLARE begin INT; SELECT t.begin begin FROM begin t; UPDATE end SET end = 1; END",
    ],
)
def test_routine_is_cut_where_mariadb_takes_it_whole(maria, sql):
    """Sent alone the routine is accepted, so nothing was cut off and nothing was glued to it."""
    (routine, after) = split(f"{sql};\nSELECT 42;", "mysql")
    assert (routine.text, after.text) == (sql, "SELECT 42")
    with maria.cursor() as cursor:
        for kind in ("PROCEDURE", "FUNCTION"):
            cursor.execute(f"DROP {kind} IF EXISTS p_split")
        cursor.execute(routine.text)
        while cursor.nextset():
            pass


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE OR REPLACE FUNCTION f_split() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END",
        "CREATE OR REPLACE FUNCTION f_split() RETURNS int AS $f$ BEGIN RETURN 1; END; $f$ LANGUAGE plpgsql",
        "DO $$ BEGIN PERFORM 1; PERFORM $q$;$q$; END $$",
    ],
)
def test_routine_is_cut_where_postgresql_takes_it_whole(pg, sql):
    (routine, after) = split(f"{sql};\nSELECT 42;", "postgresql")
    assert (routine.text, after.text) == (sql, "SELECT 42")
    with pg.transaction(force_rollback=True):
        pg.execute("DROP FUNCTION IF EXISTS f_split")
        pg.execute(routine.text)
