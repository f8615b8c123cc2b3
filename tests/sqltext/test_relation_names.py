"""Where a name's last part is: an error about a missing table stands there, not at its schema."""

import pytest

from tusk_jupyter.sqltext.names import last_part


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
