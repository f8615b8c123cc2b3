"""The golden cases of each engine as statements, of which the last one selects the values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from golden import duckdb, mysql, postgresql, sqlite

Case = tuple[str, str, str, list[Any]]
"""What it is of, its statements, the Arrow type and the values of the last one's column."""


def of_duckdb() -> Iterator[Case]:
    for type_, literals, arrow, values in duckdb.GOLDEN:
        casts = ", ".join(f"({n}, ({literal})::{type_})" for n, literal in enumerate([*literals, "NULL"]))
        yield type_, f"SELECT x FROM (VALUES {casts}) AS v(n, x) ORDER BY n", arrow, [*values, None]


def of_postgresql() -> Iterator[Case]:
    for type_, literals, arrow, values in postgresql.GOLDEN:
        yield type_, postgresql.selected(type_, literals), str(arrow), [None, *values]


def of_mysql() -> Iterator[Case]:
    for type_, arrow, values in mysql.GOLDEN:
        rows = ", ".join(f"({literal})" for literal in ["NULL", *values])
        sql = (
            f"CREATE OR REPLACE TEMPORARY TABLE golden (n INT AUTO_INCREMENT PRIMARY KEY, v {type_} NULL);"
            f"INSERT INTO golden (v) VALUES {rows}; SELECT v FROM golden ORDER BY n"
        )
        yield type_, sql, str(arrow), [None, *values.values()]


def of_sqlite() -> Iterator[Case]:
    for declared, literals, arrow, values in sqlite.GOLDEN:
        rows = ", ".join(f"({literal})" for literal in [*literals, "NULL"])
        sql = (
            f"DROP TABLE IF EXISTS x; CREATE TABLE x (n INTEGER PRIMARY KEY, c {declared}); "
            f"INSERT INTO x (c) VALUES {rows}; SELECT c FROM x ORDER BY n"
        )
        yield declared, sql, arrow, [*values, None]
