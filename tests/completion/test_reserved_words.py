"""Which names need quotes, asked of the servers themselves: a completed name must always mean the table or column."""

from __future__ import annotations

import sqlite3

import duckdb
import psycopg
import pymysql
import pytest

from tusk_magics.completion.names import folded, quoted
from tusk_magics.completion.reserved import RESERVED

SQLITE_WORDS = """
abort action add after all alter always analyze and as asc attach autoincrement before begin between by cascade case cast
check collate column commit conflict constraint create cross current current_date current_time current_timestamp database
default deferrable deferred delete desc detach distinct do drop each else end escape except exclude exclusive exists explain
fail filter first following for foreign from full generated glob group groups having if ignore immediate in index indexed
initially inner insert instead intersect into is isnull join key last left like limit match materialized natural no not
nothing notnull null nulls of offset on or order others outer over partition plan pragma preceding primary query raise range
recursive references regexp reindex release rename replace restrict returning right rollback row rows savepoint select set
table temp temporary then ties to transaction trigger unbounded union unique update using vacuum values view virtual when
where window with without
""".split()  # noqa: SIM905 - one word a line would hide the list
ODD = [
    "Total",
    "UPPER",
    "mixedCase",
    "with blank",
    "a-b",
    "1st",
    "größe",
    "ÄÖ",
    "città",
    "a.b",
    "it's",
    'a"b',
    "a`b",
    "x$y",
    "_u",
]


def fails(execute, word: str, dialect: str) -> bool:
    """Whether a completed name does not mean the column and the CTE that are called so."""
    quote = "`" if dialect == "mysql" else '"'
    exact = f"{quote}{word.replace(quote, quote * 2)}{quote}"
    written = quoted(word, dialect)
    try:
        assert execute(f"SELECT t.x FROM (SELECT 1 AS x, 2 AS {exact}) t WHERE {written} = 2") == 1
        assert execute(f"WITH {exact} AS (SELECT 1 AS x) SELECT {written}.x FROM {written}") == 1
    except (psycopg.Error, duckdb.Error, pymysql.Error, sqlite3.Error):
        return True
    return False


def test_duckdb_takes_every_completed_name():
    with duckdb.connect() as con:
        words = [row[0] for row in con.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
        execute = lambda sql: con.execute(sql).fetchone()[0]  # noqa: E731
        assert [word for word in [*words, *ODD] if fails(execute, word, "duckdb")] == []


def test_sqlite_takes_every_completed_name():
    con = sqlite3.connect(":memory:")
    execute = lambda sql: con.execute(sql).fetchone()[0]  # noqa: E731
    assert [word for word in [*SQLITE_WORDS, *ODD] if fails(execute, word, "sqlite")] == []
    con.close()


def test_postgresql_takes_every_completed_name(postgresql):
    with psycopg.connect(postgresql.url, autocommit=True) as con:
        words = [row[0] for row in con.execute("SELECT word FROM pg_get_keywords()").fetchall()]
        execute = lambda sql: con.execute(sql).fetchone()[0]  # noqa: E731
        assert [word for word in [*words, *ODD] if fails(execute, word, "postgresql")] == []


def test_mysql_takes_every_completed_name(mariadb):
    with pymysql.connect(
        host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password, database=mariadb.database
    ) as con:
        cursor = con.cursor()

        def execute(sql: str) -> object:
            cursor.execute(sql)
            return cursor.fetchone()[0]

        cursor.execute("SELECT word FROM information_schema.keywords")
        words = [row[0].lower() for row in cursor.fetchall() if row[0].replace("_", "").isalnum()]
        assert [word for word in [*words, *ODD] if fails(execute, word, "mysql")] == []


@pytest.mark.parametrize(
    ("name", "dialect", "written"),
    [
        ("orders", "postgresql", "orders"),
        ("Orders", "postgresql", '"Orders"'),
        ("Orders", "duckdb", "Orders"),
        ("order", "mysql", "`order`"),
        ("a`b", "mysql", "`a``b`"),
        ("name", "postgresql", "name"),
        ("date", "duckdb", "date"),
        ("größe", "postgresql", "größe"),
        ("GRÖSSE", "postgresql", '"GRÖSSE"'),
    ],
)
def test_only_names_that_need_quotes_get_them(name, dialect, written):
    assert quoted(name, dialect) == written


def test_only_ascii_is_folded_and_only_by_postgresql():
    assert folded("GRÖSSE", "postgresql") == "grÖsse"
    assert folded("GRÖSSE", "duckdb") == "GRÖSSE"
    assert set(RESERVED) == {"postgresql", "duckdb", "sqlite", "mysql"}
