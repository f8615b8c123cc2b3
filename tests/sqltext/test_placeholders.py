"""Which colons are `:name` placeholders; the rest of the SQL is nobody's business."""

from __future__ import annotations

import pytest

from tusk_jupyter.sqltext.dialects import DIALECTS, dialect_named
from tusk_jupyter.sqltext.lexer import token_span
from tusk_jupyter.sqltext.statements import split

NAMES = sorted(DIALECTS)


def parameters(sql: str, dialect: str) -> tuple[str, ...]:
    (one,) = split(sql, dialect)
    return one.parameters


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT :a", ("a",)),
        ("SELECT * FROM t WHERE x=:a AND y>:b LIMIT:c", ("a", "b", "c")),
        ("SELECT :a, :b, :a", ("a", "b")),
        ("SELECT f(:a,:b)", ("a", "b")),
        ("SELECT ':a', \":b\" /* :c */ -- :d", ()),  # UX 3.6 line 2
        ("SELECT x FROM t WHERE a IN (:a)", ("a",)),
        ("SELECT -:a, +:b, (:c)", ("a", "b", "c")),
        ("SELECT :Größe, :_x1", ("Größe", "_x1")),
        ("SELECT : a, :1, ::b, a := 2", ()),
        ("SELECT x:y, f(x):z, 'k':v", ()),  # UX 3.6 line 2: Snowflake's payload:path
        ("SELECT CASE WHEN :a THEN:b ELSE:c END", ("a", "b", "c")),
    ],
)
def test_in_every_dialect(sql, names, dialect):
    assert parameters(sql, dialect) == names


@pytest.mark.parametrize(
    ("dialect", "sql", "names"),
    [
        ("postgresql", "SELECT :a::int, '1'::int, x::text", ("a",)),
        ("postgresql", "SELECT arr[1:2], arr[:n], arr[n:], arr[1:n], arr[a:b]", ()),
        ("postgresql", "SELECT arr[(:n)], arr[1: :m], arr[x + :k]", ("n", "m", "k")),
        ("postgresql", "SELECT ARRAY[:a, :b], ARRAY[[:c]]", ("a", "b", "c")),
        ("postgresql", "SELECT j ? :k, j ?| :ks, j->:p, j->>:q, j @> :r, j #> :s", ("k", "ks", "p", "q", "r", "s")),
        ("postgresql", "SELECT $1, $$ :a $$, $t$ :b $t$, E':c\\':d', U&':e'", ()),
        ("postgresql", "SELECT JSON_OBJECT('a':b, 'c': d, :k : :v)", ("k", "v")),
        ("postgresql", "SELECT f(a := :x, b => :y)", ("x", "y")),
        ("duckdb", "SELECT {'a': 1, 'b':x, c: :v, d::w}", ("v",)),
        ("duckdb", "SELECT {'a' :x, b :y, c : :z}", ("z",)),
        ("duckdb", "SELECT MAP {:k: :v}", ("k", "v")),
        ("duckdb", "SELECT [:a, :b], x[1:-1:2], x[:n], x[:-:2]", ("a", "b")),
        ("duckdb", "SELECT list_transform(l, lambda x :x + :n), list_filter(l, lambda a, b:b)", ("n",)),
        ("duckdb", "SELECT total:a + :b FROM t", ("b",)),
        ("duckdb", "SELECT $name, $1, ?", ()),
        ("mysql", "SET @a := :v", ("v",)),
        ("mysql", "SET @a:=:v", ("v",)),
        ("mysql", "SELECT \":x\", ':y', `:z` # :w\n, 'it\\':q'", ()),
        ("mysql", "SELECT /*! :a */ 1", ("a",)),
        ("mysql", "SELECT col->'$.a' FROM t WHERE b = :b", ("b",)),
        ("mysql", "SELECT 5--:a", ("a",)),
        ("mysql", "CREATE PROCEDURE p() BEGIN l1:LOOP LEAVE l1; END LOOP; END", ()),
        ("sqlite", "SELECT [:a], [b:c], @d, $e, ?1, :f", ("f",)),
        ("sqlite", "SELECT lambda FROM t LIMIT :n", ("n",)),
    ],
)
def test_in_one_dialect(dialect, sql, names):
    assert parameters(sql, dialect) == names


def test_a_list_subscript_needs_parentheses_for_its_first_index():
    """`a[:n]` is PostgreSQL's slice from the beginning to the column n."""
    assert parameters("SELECT a[:n]", "postgresql") == ()
    assert parameters("SELECT a[(:n)]", "postgresql") == ("n",)


def test_binding_replaces_placeholders_and_nothing_else():
    (one,) = split("  SELECT ':a', :a, :b /* :a */, :a", "postgresql")
    assert one.bind(lambda name, number: f"${number}") == "SELECT ':a', $1, $2 /* :a */, $1"


def test_positions_in_the_bound_text_lead_back_to_the_users():  # the marked token is the user's own
    def render(name: str, number: int) -> str:
        return f"%({name})s"

    (one,) = split("SELECT :long_name, x, :b, wrong", "mysql")
    bound = one.bind(render)
    for word in ("x", "wrong"):
        assert one.original_position(bound.index(word), render) == one.text.index(word)
    assert one.original_position(bound.index("%(b)") + 2, render) == one.text.index(":b")


@pytest.mark.parametrize(
    ("sql", "at", "marked"),
    [
        ("SELECT foo FROM t", 9, "foo"), ("SELECT foo FROM t", 7, "foo"), ("SELECT  foo", 7, "foo"), ("SELECT 'a b'", 9,
        "'a b'"),
        ("SELECT a /* x */ , b", 12, ","), ("SELECT 1", 8, ""), ("SELECT 1  ", 99, ""), ("", 0, ""), ("SELECT é.wrong",
        9, "wrong"),
        ("SELECT \U0001f600x", 8, "\U0001f600x"), ("a <=> b", 3, "<=>"),
    ],
)  # fmt: skip
def test_token_at_a_position_is_what_gets_underlined(sql, at, marked):
    start, end = token_span(sql, at, dialect_named("postgresql"))
    assert sql[start:end] == marked
    assert start <= end <= len(sql)
