"""Where names stand: an error about a missing table is shown at its last part, one about a column at its use."""

import pytest

from tusk_jupyter.sqltext.lexer import Lexer
from tusk_jupyter.sqltext.names import last_part, place_of_name


@pytest.mark.parametrize(
    ("sql", "dialect", "part"),
    [
        ("select * from sales.orderz", "postgresql", "orderz"),
        ('select * from "a.b" . /* c */ "Or" x', "duckdb", '"Or"'),
        ("select * from `a`.`b`.`c`", "mysql", "`c`"),
        ("select * from orderz", "sqlite", "orderz"),
        ("select * from t.", "sqlite", "t"),
        ("select * from s.t, u.v", "ansi", "t"),
        ("select * from a.b", "a dialect of its own", "b"),
    ],
)
def test_the_last_part_of_a_qualified_name(sql, dialect, part):
    at = len("select * from ")
    assert sql[last_part(sql, at, dialect) :].startswith(part)


def test_where_no_name_begins_the_place_stays():
    assert last_part("select a.b", 8, "ansi") == 8


@pytest.mark.parametrize(
    ("sql", "name", "dialect", "marked"),
    [
        ("select 'nope', \"nope\", 1 -- nope\n, /* nope */ nope x", "nope", "mysql", "nope x"),
        ("select `No``pe`, 2", "no`pe", "mysql", "`No``pe`, 2"),
        ("select x, t.x from t", "t.x", "mysql", "t.x"),
        ("select 'orders', 1 from orders", "shop.orders", "mysql", "orders"),
        ("select 1 from shop . `orders` o", "shop.orders", "mysql", "shop . "),
        ("select `a.b`, 1", "a.b", "mysql", "`a.b`, 1"),
        ("select [no pe], 1", "no pe", "sqlite", "[no pe], 1"),
        ("select * from main.nowhere", "nowhere", "sqlite", "nowhere"),
        ("select 1 as a, 'nope'", "nope", "sqlite", "'nope'"),
        ("select 'x', \"X\" y", "x", "duckdb", '"X" y'),
    ],
)
def test_a_name_is_found_where_it_is_used(sql, name, dialect, marked):
    at = place_of_name(sql, name, dialect)
    assert at is not None
    assert sql[at:].startswith(marked)


def test_a_name_that_is_not_there_has_no_place():
    assert place_of_name("select 1, 'x nope'", "nope", "sqlite") is None


def test_of_a_long_statement_only_the_tokens_up_to_the_name_are_read(monkeypatch):
    """An INSERT of megabytes whose table is missing had all its tokens read, for seconds."""
    read = []
    scan = Lexer._scan
    monkeypatch.setattr(Lexer, "_scan", lambda self: (read.append(token) or token for token in scan(self)))
    sql = f"insert into nope values {'(1), ' * 10_000} (2)"
    assert place_of_name(sql, "shop.nope", "mysql") == last_part(sql, 12, "mysql") == 12
    assert len(read) < 5_000
