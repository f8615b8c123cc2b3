"""`docs/parameters.md` is true: each row of its tables is run on each engine, with the values that it gives."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tusk_jupyter import errors

PAGE = (Path(__file__).parents[2] / "docs" / "parameters.md").read_text()
NAMES: dict[str, Any] = {
    "np": np, "pd": pd, "date": date, "datetime": datetime, "timedelta": timedelta, "Decimal": Decimal,
}  # fmt: skip
COLUMNS = {"duckdb": "DuckDB", "postgresql": "PostgreSQL", "mysql": "MariaDB", "sqlite": "SQLite"}
PLACEHOLDER = re.compile(r"(?<!:):(\w+)")

pytestmark = pytest.mark.home("shared")


def values() -> dict[str, Any]:
    """Return the page's values."""
    found: dict[str, Any] = {}
    exec(PAGE.partition("```python\n")[2].partition("```")[0], dict(NAMES), found)
    return found


def table(heading: str) -> list[dict[str, str]]:
    """Return the rows of the table that begins with a column."""
    lines = PAGE[PAGE.index(f"\n| {heading} |") + 1 :].split("\n\n")[0].splitlines()
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def asked(row: dict[str, str], first: str, engine: str) -> str:
    """Return the SQL of a row for an engine, without its backticks."""
    cell = row[COLUMNS[engine]]
    return (row[first] if cell in ("yes", "refused") else cell).strip("`")


def comparable(value: Any) -> Any:
    """Return a value whose spelling is that of the page: engines give decimals and JSON with other blanks and zeros."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date()
    if isinstance(value, str) and value.startswith("{"):
        return value.replace(" ", "")
    if hasattr(value, "months"):  # an interval of Arrow's
        return timedelta(days=value.days, microseconds=value.nanoseconds // 1000)
    return value


@pytest.fixture
def ask(engine):
    engine.run("CREATE TABLE products (id integer, name varchar(20), price decimal(9, 2), made date, stock bigint)")
    for row in ((1, "pen", "1.50", "2024-01-01", 10), (2, "ink", "15.00", "2024-03-01", 20), (3, *[None] * 4)):
        engine.run("INSERT INTO products VALUES (:a, :b, :c, :d, :e)", parameters=dict(zip("abcde", row, strict=True)))
    known = values()

    def ask(sql: str) -> list[Any]:
        used = {name: known[name] for name in PLACEHOLDER.findall(sql)}
        return [comparable(value) for value in engine.run(sql, parameters=used).table.column(0).to_pylist()]

    return ask


def test_each_row_of_the_page_is_true(engine, ask):
    wrong = []

    def check(row: dict[str, str], sql: str, expected: list[Any]) -> None:
        try:
            got: object = ask(sql)
        except (errors.QueryError, errors.UsageError) as exc:
            got = "refused"
            assert not re.search(r"\$\d", exc.message), exc.message
            if ":ids" in sql:
                assert re.search(r"IN \(:ids\)|Each item must be", f"{exc.hint}"), (sql, exc.message, exc.hint)
        if got != ("refused" if row[COLUMNS[engine.name]] == "refused" else expected):
            wrong.append((sql, got))

    for row in table("condition"):
        rows = [int(number) for number in re.findall(r"\d+", row["rows"])]
        check(row, f"SELECT id FROM products WHERE {asked(row, 'condition', engine.name)} ORDER BY id", rows)
    for row in table("expression"):
        expected = comparable(eval(row["value"], dict(NAMES)))
        is_text = engine.name == "sqlite" and isinstance(expected, date)
        check(row, f"SELECT {asked(row, 'expression', engine.name)}", [str(expected) if is_text else expected])
    for row in table("value"):
        cell = row[COLUMNS[engine.name]]
        expected = None if cell == "refused" else comparable(eval(cell, NAMES | values()))
        check(row, f"SELECT :{row['value'].strip('`')} AS v", [expected])
    assert not wrong
