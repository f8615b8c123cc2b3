"""A table's name as SQL writes it, in each engine's quotes."""

from __future__ import annotations

import pytest

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.table_names import name_parts

ENGINES = ("postgresql", "mysql", "duckdb", "sqlite", "ansi")


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("t", ("t",)),
        ("main.T", ("main", "T")),
        ("my table", ("my table",)),
        (' "My Table" ', ("My Table",)),
        ('lake . "a.b"', ("lake", "a.b")),
        ('"it ""is"" -- one"', ('it "is" -- one',)),
        ('"`[x]"', ("`[x]",)),
        ("größe.日本", ("größe", "日本")),
    ],
)
def test_a_name_is_taken_apart(dialect, text, parts):
    assert name_parts(text, dialect) == parts


@pytest.mark.parametrize(
    ("dialect", "text", "parts"),
    [
        ("mysql", "`a``b`.`c.d`", ("a`b", "c.d")),
        ("sqlite", "[a.b].`c`", ("a.b", "c")),
        ("duckdb", "`t`", ("t",)),
    ],
)
def test_an_engines_own_quotes_are_known(dialect, text, parts):
    assert name_parts(text, dialect) == parts


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", '""', '"open', 'a"b"', '"a"b', "'t'", "t;", "t]", '"a\0"']
)
def test_what_is_no_name_is_refused_with_the_way_to_write_it(dialect, text):
    with pytest.raises(UsageError, match="no table's name") as caught:
        name_parts(text, dialect)
    assert '"My table"' in (caught.value.hint or "")


@pytest.mark.parametrize(("dialect", "text"), [("postgresql", "`t`"), ("postgresql", "[t]"), ("mysql", "[t]")])
def test_quotes_of_another_engine_are_refused(dialect, text):
    with pytest.raises(UsageError, match="no table's name"):
        name_parts(text, dialect)
