"""What leaves something in a session: a mistake towards `state` costs an idle connection, the other way a table."""

import pytest

from tusk_jupyter.sqltext import effects
from tusk_jupyter.sqltext.effects import LONGEST, Effect, effect_of

NAMES = ("temp", "session", "lock", "next", "copy", "load", "global", "call", '"set"')
"""Columns that are called as a statement is."""
STATE = {
    "ansi": ["", " ; ", "anything at all", "INSERT INTO t VALUES (1)", "SELECT 1; SET x = 1"],
    "postgresql": [
        "SELECT set_config('a', 'b', false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT nextval('s')",
        "SELECT currval('s')",
        "SELECT my_own()",
        "SELECT public.count(1)",
        'SELECT "count"(1)',
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "SELECT * INTO TEMP x FROM t",
        "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
        "BEGIN; CREATE TEMP TABLE x (a int); COMMIT",
        "CREATE TABLE pg_temp.x (a int)",
        'CREATE TABLE "pg_temp".x (a int)',
        "PREPARE TRANSACTION 'x'",
        "PREPARE p AS SELECT 1",
        "SET search_path = x",
        "SET ROLE r",
        "DO $$ BEGIN END $$",
        "LISTEN x",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "COPY t FROM stdin",
        "CALL p()",
        "SELECT 1 -- ;\n; LOAD 'x'",
        "SELECT * FROM v",
        "TABLE v",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "CREATE TABLE t AS SELECT 1",
        "DROP TABLE t",
        "SELECT hash('a')",
        "SELECT count(1)",
        "SELECT sha1 ('a'), list(1)",
        "SELECT explain('a')",
        "SELECT explain 'a'",
        "SELECT 1 + 1",
        "SELECT -1",
        "SELECT 'a'::anything",
        "SELECT anything 'a'",
        "SELECT 1 AS a, anything 'a'",
        "SELECT ARRAY[1]",
        "SELECT (a).b",
        "SELECT '\\', f(), '\\'",
    ],
    "mysql": [
        "SELECT @a := 1",
        "SELECT last_insert_id()",
        "SELECT get_lock('a', 1)",
        "SELECT 1 INTO @x",
        "USE db",
        "SELECT /*! SQL_CALC_FOUND_ROWS */ 1",
        "BEGIN NOT ATOMIC SET @a = 1; END",
        "LOCK TABLES t READ",
        "START SLAVE",
        "CREATE TEMPORARY TABLE x (a int)",
        "SELECT * FROM v",
        "TABLE v",
        "CREATE TABLE t (a int)",
        "SELECT if(a, b, c) FROM t",
        "EXPLAIN SELECT * FROM v",
        "SHOW TABLES WHERE f(1)",
        "SHOW COLUMNS FROM t WHERE 1 IN (SELECT 1)",
        "SELECT list(1)",
        "SELECT hash('a')",
        "SELECT top(1)",
        "SELECT count (1)",
        "SELECT now/**/()",
        "SELECT db.now()",
        "SELECT 'db'.left(1, 2)",
        'SELECT "f"(1)',
        "SELECT `now`()",
        "SELECT NEXT VALUE FOR s",
        "SELECT /*!999999 ' */ f(), /*!999999 ' */ 1",
        "SELECT '\\', f(), '\\''",
        "SELECT 1 AS a INTO @x",
        "SELECT @@session.sql_mode INTO @x",
    ],
    "sqlite": [
        "EXPLAIN ATTACH 'x' AS y",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "WITH x(a) AS (SELECT 1) REPLACE INTO t SELECT * FROM x",
        "WITH x AS (SELECT 1) UPDATE OR IGNORE 't' SET a = 1",
        "PRAGMA main.cache_size = 1",
        "PRAGMA main.cache_size(1)",
        "CREATE TABLE main.temp.x (a)",
        "SELECT mine(1)",
        'SELECT "mine"(1)',
        "SELECT last_insert_rowid()",
        "PRAGMA cache_size = 1",
        "PRAGMA foreign_keys(1)",
        "SELECT load_extension('x')",
        "SELECT changes()",
        "CREATE TABLE temp.x (a)",
        "CREATE TABLE [temp].x (a)",
        "ATTACH 'x' AS y",
        "CREATE TABLE 'temp'.orders AS SELECT 1",
        "CREATE TABLE 'temp' . 'orders' (a)",
        "CREATE TABLE IF NOT EXISTS 'TEMP'.x (a)",
        "CREATE VIEW 'temp'.v AS SELECT 1",
        "CREATE UNIQUE INDEX 'temp'.i ON x (a)",
        "ALTER TABLE 'temp'.x RENAME TO y",
        "DROP TABLE 'temp'.x",
        "CREATE TABLE `temp`.x (a)",
        "SELECT * FROM a JOIN b ON load_extension('x')",
        "SELECT hash('a')",
    ],
    "duckdb": [
        "PRAGMA enable_profiling",
        "LOAD json",
        "USE x",
        "SET VARIABLE a = 1",
        "CREATE SECRET s (TYPE s3)",
        "CREATE MACRO f(x) AS x",
        "SELECT nextval('s')",
        "CREATE TABLE 'temp'.x (a int)",
        'CREATE TABLE U&"t\\0065mp".x (a int)',
        "SELECT * FROM a JOIN b ON setseed(0.5) IS NULL",
        "SELECT 's'.nextval()",
        "SELECT main.nextval('s')",
        "SELECT \"nextval\"('s')",
        "SELECT list_transform([1], x -> nextval('s'))",
        "SELECT my_macro(1)",
        "FROM my_macro(1)",
        "FROM t JOIN LATERAL my_macro(1)",
        "FROM enable_logging()",
        "FROM query('SELECT nextval(''s'')')",
        "PIVOT t ON a USING my_macro(b)",
        "EXPLAIN ANALYZE SET threads = 1",
        "EXPLAIN ANALYZE CREATE TEMP TABLE x (a int)",
        "EXPLAIN (ANALYZE, FORMAT json) CREATE TEMP TABLE x (a int)",
        "EXPLAIN ANALYZE SELECT nextval('s')",
        "EXPLAIN",
        "WITH x AS (DELETE FROM t RETURNING *) FROM x",
        "WITH x AS NOT MATERIALIZED (UPDATE t SET a = 1 RETURNING a) FROM x",
        "WITH x AS (WITH y AS (SELECT 1) DELETE FROM t RETURNING *) FROM x",
        "WITH x AS (COPY t TO 'f') FROM x",
        "WITH x AS (SELECT 1) MERGE INTO t USING x ON (true) WHEN MATCHED THEN DELETE",
        "CREATE OR REPLACE TEMP TABLE x (a int)",
        "CREATE TEMPORARY VIEW x AS SELECT 1",
        "CREATE TABLE temp.main.x (a int)",
        "CREATE TABLE x AS SELECT nextval('s') AS temp",
    ],
}
READS = {
    "postgresql": [
        "SELECT 1",
        "SELECT 'set_config(', 'insert into' AS \"set\" -- SET x\n",
        "/* SET */ (SELECT 1) UNION ALL (SELECT 2 AS two);",
        "SELECT 1 AS one, NULL AS nothing, true",
        "EXPLAIN ANALYZE SELECT 1",
        "SHOW search_path",
        "VALUES (1), (2)",
    ],
    "mysql": [
        "SELECT @a",
        "SHOW TABLES FROM db",
        "DESC t",
        "EXPLAIN FORMAT=JSON SELECT 1",
        "SELECT 1 + 1, if(1, 2, 3), now(), count(*), 'a' IN ('a', 'b')",
        "SELECT 1 AS next, 2 AS `load`, @@session.sql_mode, @@global.time_zone",
        "SHOW GLOBAL STATUS",
        "SHOW SESSION VARIABLES",
    ],
    "sqlite": [
        "PRAGMA table_info(t)",
        "PRAGMA cache_size",
        "SELECT iif(a, b, c), json_extract(d, '$.e') FROM t",
        "SELECT count(*) FROM t WHERE a IN (1, 2)",
        *(f"SELECT max({name}), {name}, w.{name} AS {name} FROM w WHERE {name} > 1" for name in NAMES),
        "SELECT json_set('{}', '$.a', 1), json_patch(a, b), json_insert(a, '$.b', 1), json_quote(a) FROM t",
        "SELECT json_remove(a, '$.b') FROM t",
        "SELECT string_agg(a, ','), concat(a, b), octet_length(a), unhex(a), timediff(a, b), soundex(a) FROM t",
        'SELECT randomblob(1), likely(a), "max"(a) FROM t',
        "SELECT name FROM pragma_table_info('w') JOIN pragma_user_version",
        "PRAGMA main.user_version",
        "PRAGMA main.table_info(t)",
        "EXPLAIN QUERY PLAN SELECT temp FROM w",
        "WITH t(n) AS (SELECT 1) SELECT n FROM t",
        "WITH x AS (SELECT 1) SELECT * FROM x JOIN y ON (x.a = y.a)",
    ],
    "duckdb": [
        "FROM t",
        "TABLE t",
        "SUMMARIZE t",
        "SELECT * FROM read_parquet('x')",
        "SELECT unnest([1, 2]), {'a': 1}",
        "SELECT sum(a) OVER (PARTITION BY b ORDER BY c), x::numeric(10, 2) FROM (VALUES (1)) v(x)",
        *(f"SELECT max({name}), {name}, w.{name} AS {name} FROM w WHERE {name} > 1" for name in NAMES),
        "SELECT list_transform(l, x -> x + 1), list_filter(l, lambda x: x > 1), l[1] FROM t",
        "SELECT arg_max(a, b), max_by(a, b), histogram(a), approx_quantile(a, 0.5), skewness(a), corr(a, b) FROM t",
        "SELECT list_sort(l), list_distinct(l), strlen(s), contains(s, 'a'), starts_with(s, 'a'), suffix(s, 'a') FROM t",
        "SELECT levenshtein(a, b), isnan(c), century(d), isodow(d) FROM t",
        "FROM duckdb_tables() SELECT table_name",
        "FROM duckdb_settings()",
        "FROM pragma_table_info('w')",
        "FROM read_text('x') JOIN sniff_csv('y') ON true",
        "PIVOT w ON a USING sum(temp)",
        "UNPIVOT w ON a, b INTO NAME x VALUE y",
        "FROM t PIVOT (sum(a) FOR b IN ('x')) UNPIVOT (v FOR n IN (a))",
        "SELECT columns('a.*') FROM t",
        "SELECT * RENAME (a AS b) FROM t",
        "SELECT * FROM t TABLESAMPLE reservoir(20 ROWS)",
        "SELECT * FROM t USING SAMPLE bernoulli(10%)",
        "SELECT main.max(a), 'a'.upper(), s.upper(), \"max\"(a), struct_pack(a := 1) FROM t AS t",
        "WITH t(n) AS (SELECT 1), u(m) AS MATERIALIZED (SELECT 2) FROM t, u",
        "WITH RECURSIVE t(n) USING KEY (n) AS (SELECT 1 UNION SELECT 2) FROM t w(a)",
        "WITH x AS (SELECT max(delete) AS copy, (update) FROM t) (SELECT * FROM x)",
        "EXPLAIN ANALYZE SELECT max(load) FROM t",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN (SELECT 1)",
    ],
}
OTHERS = [
    ("postgresql", "BEGIN", Effect.TRANSACTION),
    ("postgresql", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; ROLLBACK TO SAVEPOINT a; COMMIT", Effect.TRANSACTION),
    ("mysql", "START TRANSACTION WITH CONSISTENT SNAPSHOT", Effect.TRANSACTION),
    ("sqlite", "BEGIN IMMEDIATE", Effect.TRANSACTION),
    ("duckdb", "CREATE TABLE t AS SELECT 1 AS n", Effect.SHARED),
    ("duckdb", "CREATE TABLE IF NOT EXISTS t (a int)", Effect.SHARED),
    ("duckdb", "CREATE TABLE log AS SELECT temp, max(load) AS lock FROM w GROUP BY temp", Effect.SHARED),
    ("duckdb", "ALTER TABLE w ALTER temp SET DEFAULT 1", Effect.SHARED),
    ("sqlite", "CREATE TABLE w (temp int, session text(10))", Effect.SHARED),
    ("sqlite", "CREATE UNIQUE INDEX main.i ON t (a)", Effect.SHARED),
    ("sqlite", 'BEGIN; DROP TABLE "t"; COMMIT', Effect.TRANSACTION | Effect.SHARED),
]


@pytest.mark.parametrize(("dialect", "sql"), [(dialect, sql) for dialect, texts in STATE.items() for sql in texts])
def test_it_leaves_something(dialect, sql):
    assert Effect.STATE in effect_of(sql, dialect)


@pytest.mark.parametrize(("dialect", "sql"), [(dialect, sql) for dialect, texts in READS.items() for sql in texts])
def test_it_only_reads(dialect, sql):
    assert effect_of(sql, dialect) is Effect.READS


@pytest.mark.parametrize(("dialect", "sql", "effect"), OTHERS)
def test_it_does_what_every_session_sees(dialect, sql, effect):
    assert effect_of(sql, dialect) == effect


def test_what_nobody_looks_through_counts_as_state():
    assert effect_of(f"SELECT '{'x' * LONGEST}'", "sqlite") is Effect.STATE
    assert effect_of("SELECT 1", "a dialect of its driver's own") is Effect.STATE
    assert effect_of("SELECT * FROM t", "ansi") is Effect.STATE


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'hunter2'", 'SELECT "hunter2"', "SELECT $q$hunter2$q$", "SELECT `hunter2`", "SELECT 1 -- hunter2",
        "SELECT 1 /* hunter2", "SELECT 1 # hunter2", "PRAGMA key = hunter2", "SHOW hunter2", "SELECT 1 " * 200,
    ],
)  # fmt: skip
def test_a_text_in_which_a_secret_could_be_is_not_remembered(sql):
    effect_of("SELECT 1", "sqlite")
    before = effects._remembered.cache_info().currsize
    effect_of(sql, "sqlite")
    assert effects._remembered.cache_info().currsize == before > 0


def test_calls_within_calls_are_read_once():
    """Each of 4,000 was read to its end: 20 s for 20 kB."""
    deep = 12_000
    assert effect_of(f"SELECT {'abs(' * deep}1{')' * deep}", "duckdb") is Effect.READS
