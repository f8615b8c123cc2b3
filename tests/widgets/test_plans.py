"""Plans as one text, as each engine gives its rows."""

import pytest

from tusk_widgets.plans import is_plan, joined, plan_html


@pytest.mark.parametrize(
    ("command", "columns", "expected"),
    [
        ("EXPLAIN", ["QUERY PLAN"], True),
        ("EXPLAIN", ["explain_key", "explain_value"], True),
        ("EXPLAIN QUERY PLAN", ["id", "parent", "notused", "detail"], True),
        ("ANALYZE", ["id", "select_type", "table"], True),
        ("SHOW", ["Table", "Create Table"], True),
        ("SHOW", ["Tables_in_shop"], False),
        ("SELECT", ["QUERY PLAN"], False),
    ],
)
def test_what_is_a_plan(command, columns, expected):
    assert is_plan(command, columns, 3) is expected
    assert not is_plan(command, columns, 1_000_000)


def test_each_engine_s_rows_are_joined_as_it_means_them():
    assert (
        joined(["QUERY PLAN"], [["Seq Scan on t"], ["  Filter: (a > 1)"]], "postgresql")
        == "Seq Scan on t\n  Filter: (a > 1)"
    )
    assert joined(["k", "v"], [["physical_plan", "┌─┐\n└─┘"]], "duckdb") == "┌─┐\n└─┘"
    sqlite = [["2", "0", "0", "SCAN t"], ["5", "2", "0", "SUBQUERY"]]
    assert joined(["id", "parent", "notused", "detail"], sqlite, "sqlite") == "SCAN t\n  SUBQUERY"
    table = joined(["id", "table"], [["1", "x" * 80], [None, "y"]], "mysql")
    assert table.split("\n") == ["id  table", f"1   {'x' * 80}", "    y"]
    assert joined(["Table", "Create Table"], [["t", "CREATE TABLE t (\n  a int\n)"]], "mysql").startswith(
        "CREATE TABLE t (\n"
    )


@pytest.mark.parametrize("dialect", ["postgresql", "duckdb", "sqlite", "mysql"])
def test_what_a_terminal_would_obey_is_visible_in_a_plan(dialect):
    columns, row = {"sqlite": (["id", "parent", "notused", "detail"], ["2", "0", "0"])}.get(
        dialect, (["a", "b"], ["1"])
    )
    text = joined(columns, [[*row, "x\x1b]52;c;QUJD\x07"]] * 2, dialect)
    assert "␛]52;c;QUJD␇" in text
    assert "\x1b" not in text


def test_a_plan_s_text_is_escaped():
    assert "<b>" not in plan_html("<b>")
