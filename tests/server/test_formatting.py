"""Formatted SQL reads well and is the same SQL: every sign that is no blank stays, and what it answers stays too."""

from __future__ import annotations

import logging
import sqlite3

import duckdb
import pytest

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_widgets import formatting
from tusk_widgets.formatting import format_sql

SHOWN = [
    (
        "postgresql",
        "-- head\nselect a::int x, count(*), now(), b /* bb */ from t1 join t2 on t1.a=t2.b -- hello\n"
        " where a is not null and b not in (1,2) and c != :name group by a, b -- tail\n order by 1 limit :n;select 2 -- end",
        """-- head
SELECT
  a::int x,
  count(*),
  now(),
  b /* bb */
FROM t1
JOIN t2
  ON t1.a=t2.b -- hello
WHERE
  a IS NOT NULL AND b NOT IN (1,2) AND c != :name
GROUP BY
  a,
  b -- tail
ORDER BY
  1
LIMIT :n;

SELECT
  2 -- end""",
    ),
    (
        "duckdb",
        "with x as (select i, sum(v) over (partition by g order by d desc) s from read_parquet('a.parquet') where i>5)\n"
        "-- the second\n, y as (from x where i < 3) select * exclude (i), {'a': {'b': 1}} from x left join y using (i)",
        """WITH x AS (
  SELECT
    i,
    sum(v) OVER (PARTITION BY g ORDER BY d DESC) s
  FROM read_parquet('a.parquet')
  WHERE
    i>5
)
-- the second
, y AS (
  FROM x
  WHERE
    i < 3
)
SELECT
  *
  exclude (i),
  {'a': {'b': 1}}
FROM x
LEFT JOIN y
  USING (i)""",
    ),
    (
        "sqlite",
        "select a+  b, sum( c ) total, (select  max(x) from u) from t, u where a=1 or b=2 order by a desc",
        """SELECT
  a+  b,
  sum( c ) total,
  (select  max(x) from u)
FROM t, u
WHERE
  a=1 OR b=2
ORDER BY
  a DESC""",
    ),
    (
        "mysql",
        "select count (*), `a b`, # c\n 'it\\'s' from t where a <=> b limit 5, 10",
        """SELECT
  count (*),
  `a b`, # c
  'it\\'s'
FROM t
WHERE
  a <=> b
LIMIT 5, 10""",
    ),
]


@pytest.mark.parametrize(("dialect", "sql", "expected"), SHOWN)
def test_it_looks_as_one_expects(dialect: str, sql: str, expected: str):
    assert format_sql(sql, dialect) == expected


TEXTS = {
    "postgresql": [
        "create table if not exists s.t (a varchar(10) not null default 'x', b timestamptz, c int[], primary key (a))",
        "insert into t(a,b) values (1,2),(3,4) on conflict (a) do update set b = excluded.b returning *",
        "update t set a = 1, b = :b from u where t.id = u.id and u.x ->> 'k' = 'v'", "delete from t where a ~* '^x' -- all",
        "select 'a'\n'b', E'\\n', $$ d $$, U&'\\0441', x'ff', \"Q\"\"q\", a[1:2], a @> b, (now() at time zone 'utc')::date",
        "select distinct on (a) a, b from t order by a, b desc nulls last offset 5 fetch first 3 rows only",
        "select * from a natural join b cross join lateral (select 1) c full outer join d on true",
        "select sum(x) filter (where y > 0), row_number() over w from t window w as (partition by a order by b)",
        "(select 1) union all (select 2) intersect select 3 except select 4", "select date '2020-01-01', interval '1 day'",
        "with recursive r as (select 1 union all select n+1 from r) select * from r for update skip locked",
        "select case when a then 1 else case when b then 2 end end, coalesce(a,b), x is distinct from y from t",
        "select * from {{ schema }}.t where d > '{{ day }}' and a = {{ \"x\" | upper }} and b = :b", "select /*+ hint */ 1",
        "select a--1\n,b/*2*//*3*/-- 4\n-- 5\n/* 6\n  7 */ from t;;-- 8\n;select 2", "select 1;\n\n\n", "-- only a comment",
        "select a from t where x in (select y from u where u.k = t.k) and exists (select 1) or not (b and c)",
        "select grouping(a), count(*) from t group by grouping sets ((a), (b), ()) having count(*) > 1",
    ],
    "mysql": [
        "select `a`, \"text\", 'x\\'y', # c\n -- d\n /*! straight_join */ b from `t x` use index (i) where a xor b",
        "select a div b, a mod b, !a, a && b, @v := 1, @@version from t lock in share mode", "select 5--3, 5 -- 3\n from t",
        "insert into t set a = 1", "insert into t values (1) on duplicate key update a = values(a)", "select count (a) from t",
        "update t join u on t.a = u.a set t.b = u.b where u.c limit 5", "select left(a, 2), right(b, 3), if(a, b, c) from t",
        "create table t (a int unsigned auto_increment, b enum('x','y'), key k (a)) engine=innodb",
    ],
    "sqlite": [
        "select [a b], \"c\", `d`, x'00', :p, @q, $r, ?1 from t where a glob '*' collate nocase",
        "create table t (a boolean, b datetime, c varying character(5), d double  precision) strict",
        "insert or replace into t values (1)", "select null, true, case a when 1 then 2 end , a is not b from t",
    ],
    "duckdb": [
        "select * replace (a as b), columns('x.*'), list_transform(l, x -> x + 1), [x for x in l if x > 1], m['k'] from t",
        "from t", "from t where a > 1", "select a, b from t qualify row_number() over (partition by a) = 1 limit 10%",
        "select {'a': 1, 'b': [1,2]}, a::decimal(10,2), try_cast(b as int), 1_000, 'x'::varchar from 'f.parquet'",
        "pivot t on a using sum(b)", "select * from a asof join b using (t)", "select #1, t.* exclude (a) from t group by all",
        "create or replace table t as select 1", "copy (select 1) to 'x.csv' (header)", "select a, from t",
    ],
    "ansi": ["select a, b from t where c = :c", "merge into t using u on t.a = u.a when matched then delete"],
}  # fmt: skip
EVERY = [(dialect, sql) for dialect, texts in TEXTS.items() for sql in texts] + [(d, s) for d, s, _ in SHOWN]


@pytest.mark.parametrize(("dialect", "sql"), EVERY)
def test_every_sign_stays_or_nothing_is_changed(dialect: str, sql: str):
    try:
        formatted = format_sql(sql, dialect)
    except UsageError as exc:
        assert "sqlglot cannot" in exc.message or "not formatted" in exc.message
        return
    assert "".join(formatted.split()).casefold() == "".join(sql.split()).casefold()
    assert format_sql(formatted, dialect) == formatted


def test_most_of_them_are_formatted():
    refused = []
    for dialect, sql in EVERY:
        try:
            format_sql(sql, dialect)
        except UsageError as exc:
            refused.append((dialect, sql, exc.message))
    assert len(refused) <= 5, refused


RUN = [
    "select a+  b, sum( c ) , sum(c) total, count ( * ) from t group by a, b order by 1",
    "select case when a>1\nthen 'x\n  y' else b end , (select  max( a ) from t), a from t order by a -- c\n limit 2",
    "select a as A, b B, c \"c  d\", 'text', 1+ 1, null from (select  a+0 , * from t) where a in (1,2) or (b and not c)",
    "select t.a, u.* from t left join (select a, sum(c)  from t group by a) u on u.a = t.a where 1 order by t.a",
    "with x as (select a, row_number() over (partition by b order by c desc, a) from t) select * from x order by 1",
    "select 'a -- b', \"a\" /* ; */ from t where a = 1 -- ; select 2\n union all select 'x', 2; ",
]


@pytest.mark.parametrize("sql", RUN)
@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_the_answer_stays_the_same_to_the_names_of_its_columns(dialect: str, sql: str):
    connection = sqlite3.connect(":memory:") if dialect == "sqlite" else duckdb.connect()
    try:
        connection.execute("CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)")
        connection.execute("INSERT INTO t VALUES (1, 2, 3), (2, 0, 5), (3, 2, NULL)")
        if dialect == "duckdb":
            sql = sql.replace("where 1 ", "where true ").replace("'x\n  y' else b", "'x\n  y' else 'b'")

        def answer(text: str) -> tuple[object, ...]:
            found = connection.execute(text)
            rows = found.fetchall()
            return [column[0] for column in found.description], rows

        assert answer(format_sql(sql, dialect)) == answer(sql)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("dialect", "sql", "why"),
    [
        ("postgresql", "select from where", "line 1, column"), ("postgresql", "select 'abc", "no end"),
        ("postgresql", "select /* abc", "no end"), ("postgresql", "vacuum t", "cannot parse"),
        ("postgresql", "do $$ begin perform 1; end $$", "cannot parse"), ("duckdb", "select (", "cannot parse"),
        ("duckdb", "{% if x %} select 1 {% endif %}", "Jinja"), ("duckdb", "{# c #} select 1", "Jinja"),
        ("duckdb", "from t select a", "FROM before SELECT"), ("mysql", "DELIMITER //\nselect 1//", "DELIMITER"),
        ("oracle", "select 1 from dual", "Unknown SQL dialect"), ("duckdb", "select tusk_jinja_0_", "tusk_jinja"),
        ("duckdb", "select " + "(" * 5000 + "1" + ")" * 5000, "too deeply"), ("duckdb", "select 1 " * 20_000, "at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_formatted_is_refused_with_the_reason(dialect: str, sql: str, why: str):
    with pytest.raises(UsageError, match=why):
        format_sql(sql, dialect)


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text.replace("-- why", ""), lambda text: text.replace("'a b'", "'a  b'"), lambda text: text + ";",
        lambda text: text.replace(":id", "%(id)s"), lambda text: text.replace("-- why\n", "-- why "),
        lambda text: text.replace("Tbl", "TBL"), lambda text: text.replace("5 - -3", "5 --3"),
    ],
)  # fmt: skip
def test_a_layout_that_changes_anything_is_not_given_out(monkeypatch: pytest.MonkeyPatch, broken):
    sql = "select 'a b', 5 - -3 -- why\n from Tbl where id = :id"
    lay_out = formatting.lay_out
    assert format_sql(sql, "postgresql")
    monkeypatch.setattr(formatting, "lay_out", lambda *given: broken(lay_out(*given)))
    with pytest.raises(UsageError, match="nothing was changed"):
        format_sql(sql, "postgresql")


def test_nothing_of_the_sql_gets_into_a_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        for dialect in DIALECTS:
            with pytest.raises(UsageError):
                format_sql("ALTER ROLE joe PASSWORD 'hunter2'; GRANT 'hunter2' +", dialect)
    assert "hunter2" not in caplog.text


def test_blank_text_stays():
    assert [format_sql(text, "duckdb") for text in ("", " \n")] == ["", " \n"]
