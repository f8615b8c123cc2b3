"""No text at all makes completion or inspection raise, and what it replaces always ends at the cursor."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from completion.schemas import HOMES, INDEXES
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_magics.completion.candidates import candidates
from tusk_magics.completion.cell import place_at
from tusk_magics.completion.context import context_at
from tusk_magics.completion.head import read_head
from tusk_magics.completion.inspection import subject_at

WORDS = st.sampled_from(
    """
    SELECT FROM WHERE WITH RECURSIVE AS JOIN LEFT ON USING GROUP ORDER BY HAVING UNION EXCEPT INSERT INTO VALUES UPDATE SET
    DELETE MERGE CREATE TABLE ALTER DROP INDEX REFERENCES CASE WHEN THEN END OVER PARTITION FILTER LATERAL EXCLUDE CAST IS
    DISTINCT CONFLICT DO RETURNING EXPLAIN COPY USE BEGIN ( ) [ ] { } , . * ; : :: = - -- /* */ ' " ` $$ $a$ \\ \n # @ 1 1.5
    o orders c customers x "Mixed Case" `order` [order] :month id customer_id { } é %%sql %sql << --limit --format
    """.replace("\n   ", " ").split(" ")
)
TEXTS = st.one_of(
    st.text(max_size=80), st.lists(WORDS, max_size=25).map(" ".join), st.lists(WORDS, max_size=25).map("".join)
)
QUICK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(text: str, at: float) -> int:
    return int(at * len(text))


@QUICK
@given(TEXTS, st.floats(0, 1), st.sampled_from(sorted(DIALECTS)))
def test_no_sql_makes_completion_raise(text, at, dialect):
    cursor = places(text, at)
    index = INDEXES.get(dialect)
    context = context_at(text, cursor, dialect)
    if context is not None:
        assert 0 <= context.typed.start <= cursor
        for candidate in candidates(context, index, dialect, parameters=["month"]):
            assert candidate.text
    subject_at(text, cursor, index, dialect)


@QUICK
@given(TEXTS, st.floats(0, 1))
def test_no_cell_makes_the_magic_line_raise(text, at):
    for cell in (text, f"%%sql {text}", f"x = %sql {text}", f"%tusk {text}"):
        cursor = places(cell, at)
        place = place_at(cell, cursor)
        if place is not None:
            assert place.text == cell[place.start : place.start + len(place.text)]
            head = read_head(place.text, place.cursor)
            assert head.word is None or head.word[0] + len(head.word[1]) == place.cursor


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 5_000,
        "SELECT * FROM " + "(" * 5_000 + "orders",
        "SELECT * FROM " + "(SELECT * FROM " * 55 + "orders",
        "WITH " + ", ".join(f"a{n} AS (SELECT * FROM {f'a{n - 1} x, a{n - 1} y' if n else 'orders'})" for n in range(40))
        + " SELECT  FROM a39",
        "SELECT " + "CASE WHEN " * 3_000,
        "a." * 5_000,
        "'" * 9_999,
        "SELECT " + ", ".join(f"c{n}" for n in range(20_000)) + " FROM orders WHERE ",
    ],
)  # fmt: skip
def test_deep_and_long_texts_end_soon(text):
    for cursor in (len(text), len(text) - 10, len(text) // 2):
        context = context_at(text, cursor, "postgresql")
        if context is not None:
            candidates(context, INDEXES["postgresql"], "postgresql")


def test_the_dialects_of_the_drivers_have_a_schema_here():
    assert set(HOMES) == set(DIALECTS) - {"ansi"}
