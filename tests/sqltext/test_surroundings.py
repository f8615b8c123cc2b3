"""What a placeholder is to the SQL around it, and texts with replacements."""

from __future__ import annotations

import pytest

from tusk_jupyter.sqltext.replaced import Replaced, Replacement
from tusk_jupyter.sqltext.statements import split
from tusk_jupyter.sqltext.surroundings import Use


@pytest.mark.parametrize(
    ("sql", "use"),
    [
        ("x IN (:a)", Use.MEMBER), ("x IN :a", Use.MEMBER), ("x not in ( /* c */ (:a), 2)", Use.MEMBER),
        ("x IN (:a + 1)", Use.OPERAND), ("x IN (lower(:a))", Use.ARGUMENT), ("x = any (:a)", Use.ANY),
        ("x = ANY (SELECT :a)", Use.OTHER), ("(:a) IS NOT NULL", Use.NULL_TEST), (":a ISNULL", Use.NULL_TEST),
        (":a IS NOT DISTINCT FROM x", Use.OPERAND), ("x = (:a)", Use.OPERAND), (":a NOT LIKE 'x'", Use.OPERAND),
        ("coalesce(1, (:a))", Use.ARGUMENT), ("\"f\"(:a)", Use.ARGUMENT), (":a -> 'k'", Use.OTHER), (":a::int[]", Use.OTHER),
        ("x AND :a", Use.OTHER), ("x IN (SELECT y, :a)", Use.OTHER), ("x IN (VALUES (1), (:a))", Use.OTHER),
        ("position('x' IN :a)", Use.MEMBER),
    ],
)  # fmt: skip
def test_use_of_a_placeholder(sql, use):
    (one,) = split(f"SELECT 1 FROM t WHERE {sql}", "postgresql")
    assert one.placeholders[0].around.use is use


@pytest.mark.parametrize(
    ("sql", "uses"),
    [
        ("UPDATE t SET a = :a, b = (:b) WHERE c = :c", [Use.OTHER, Use.OTHER, Use.OPERAND]),
        ("INSERT INTO t VALUES (:a, f(:b)) ON CONFLICT (a) DO UPDATE SET a = :c", [Use.OTHER, Use.ARGUMENT, Use.OTHER]),
        ("SELECT (SELECT :a), :b", [Use.OTHER, Use.OTHER]),
    ],
)
def test_uses_in_other_statements(sql, uses):
    (one,) = split(sql, "postgresql")
    assert [place.around.use for place in one.placeholders] == uses


@pytest.mark.parametrize(
    ("left", "width"),
    [
        ("x", 1), ("(a, b)", 2), ("ROW(a, f(b, c), d)", 3), ("f(a, b)", 1), ("(SELECT a, b FROM t)", 1), ("(a)", 1),
        ("WHERE (a, (b, c))", 2),
    ],
)  # fmt: skip
def test_columns_before_in(left, width):
    (one,) = split(f"SELECT 1 WHERE {left} NOT IN (:a, (1, 2), :b)", "postgresql")
    first, second = (place.around.members for place in one.placeholders)
    assert (first.width, first.count, first.negated, second.index) == (width, 3, True, 2)


def test_many_items_take_no_time():
    (one,) = split(f"SELECT 1 WHERE x IN ({', '.join(f':a{n}' for n in range(20_000))})", "postgresql")
    assert one.placeholders[-1].around.members.index == 19_999


def test_what_touches_a_replacement_is_kept_off_it():
    text = "SELECT 1 LIMIT:n'x'"
    sent = Replaced(text, [Replacement(text.index(":n"), text.index("'x'"), "$1")])
    assert sent.text == "SELECT 1 LIMIT $1 'x'"
    assert [sent.original(sent.text.index(sign)) for sign in ("LIMIT", "$1", "'x'")] == [9, 14, 16]
