"""Which words and calls of a text are code, by the rules of its engine."""

from __future__ import annotations

import dataclasses

import pytest

from tusk_jupyter.sqltext.code import Code
from tusk_jupyter.sqltext.dialects import dialect_named

CALLED = [
    ("postgresql", "SELECT '--', f(1)", ["f"]),
    ("postgresql", "SELECT '/*', f(1), '*/'", ["f"]),
    ("postgresql", "SELECT 'f(1)', \"f(1)\", $$f(1)$$ -- f(1)\n /* f(1) /* */ f(1) */", []),
    ("postgresql", 'SELECT s . /* ( */ "f" -- x\n (1)', ["f"]),
    ("postgresql", 'SELECT U&"\\0066\\+00006f"(1)', ["fo"]),
    ("postgresql", "SELECT E'a'\n'\\'', f() --'", ["f"]),
    ("postgresql", "SELECT 1 -- x\r, f()", ["f"]),
    ("postgresql", "SELECT a🦆$$, f() AS b🦆$$", ["f"]),
    ("postgresql", "SELECT $🦆$ ' $🦆$, f(), '", ["f"]),
    ("duckdb", "SELECT 1 -- x\r, f()", ["f"]),
    ("duckdb", "SELECT\u00a0f(1)", ["f"]),
    ("mysql", "SELECT 1 --\u00a0, f()", ["f"]),
    ("mysql", "SELECT '\\'', f() -- '", ["f"]),
    ("mysql", "SELECT `f`(1), /*! g(1) */ 1 # h(1)", ["f", "g"]),
    ("mysql", "SELECT 1 AS ['], f(), [g](1) AS ['], [h]]'](1) AS [']", ["f", "g", "h]'"]),
    ("mysql", "SELECT [1, f()", ["f"]),
    ("sqlite", "SELECT [f(1)], `f(1)`, \"f\" (1)", ["f"]),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "names"), CALLED)
def test_calls_are_found_where_the_engine_sees_them(dialect, sql, names):
    assert [call.name for call in Code(sql, dialect_named(dialect)).calls()] == names


def test_a_dialect_with_other_modes_reads_otherwise():
    old = dataclasses.replace(dialect_named("postgresql"), backslash_escapes=True)
    assert [call.name for call in Code("SELECT '\\'', f() --'", old).calls()] == ["f"]
    ansi = dataclasses.replace(dialect_named("mysql"), double_quoted_strings=False)
    assert [call.name for call in Code('SELECT 1 AS "\\", f() -- "', ansi).calls()] == ["f"]


def test_an_escape_character_of_ones_own_is_told():
    assert Code("SELECT U&\"!0066\" UESCAPE '!' (1)", dialect_named("postgresql")).changes_its_escape()
    assert not Code("SELECT U&'!0066' UESCAPE '!'", dialect_named("postgresql")).changes_its_escape()
