"""What a cell says: of many statements, of names that are frames, of other libraries' placeholders, of unseen signs."""

from __future__ import annotations

import pandas as pd
import pytest
from magics.conftest import Cells

from tusk_jupyter.protocol.stream import StatementReport
from tusk_magics.display import _list


def test_ten_thousand_statements_are_a_few_lines():
    reports = [StatementReport(index=0, command="CREATE TABLE", elapsed_s=0)]
    reports += [StatementReport(index=i, command="INSERT", affected=2, elapsed_s=0) for i in range(1, 10_000)]
    lines = _list(reports)
    assert lines[0] == "1. CREATE TABLE: done"
    assert lines[8] == "… 9,990 statements more: 9,990 INSERT (19,980 rows changed)"
    assert lines[-1] == "10,000. INSERT: 2 rows changed"
    assert len(lines) == 11
    assert len(_list(reports[:24])) == 24


def test_a_frame_in_the_place_of_a_table_is_told(cells: Cells):
    cells.variables["Sales"] = pd.DataFrame({"a": [1]})
    ran = cells.run("%sql lake SELECT * FROM sales")
    assert ran.refused.hint.startswith("`Sales` is a DataFrame of this notebook, and no table of the database")
    assert "`%sql lake --persist Sales`" in ran.refused.hint


def test_a_missing_table_of_a_database_with_tables_is_not_the_path_s_fault(cells: Cells):
    cells.run("%sql lake CREATE TABLE orders (a INT)")
    hint = cells.run("%sql lake SELECT * FROM ordesr").refused.hint
    assert "orders" in hint
    assert "check its path" not in hint
    assert "pragma_" not in (cells.run("%sql lake SELECT * FROM prama_list").refused.hint or "")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT ?", "?"), ("SELECT 1 WHERE 1=$1", "$1"), ("SELECT $day", "$day"), ("SELECT 1 LIMIT %s", "%s"),
        ("SELECT %(x)s", "%(x)s"), ("SELECT * FROM {tbl}", "{tbl}"), ("SELECT :kind, ?", "?"), ("SELECT $day, :kind", "$day"),
    ],
)  # fmt: skip
def test_a_placeholder_of_another_library_is_answered_with_ours(cells: Cells, sql, found):
    cells.variables["kind"] = "x"
    hint = cells.run(f"%%sql lake\n{sql}").refused.hint
    assert hint.startswith(f"`{found}` is another library's placeholder. Write `:")


def test_sql_without_blanks_is_sql(cells: Cells):
    assert cells.value("%sql lake SELECT 1 AS a").shape == (1, 1)
    cells.run("%tusk use lake")
    assert cells.value("%sql select*from(select 7 as a)").iat[0, 0] == 7


@pytest.mark.parametrize(
    ("sign", "name"), [("\xa0", "no-break space (U+00A0)"), ("\u200d", "zero width joiner (U+200D)")], ids=repr
)
def test_a_sign_that_cannot_be_seen_is_named(cells: Cells, sign, name):
    ran = cells.run(f"%%sql lake\nSELECT nosuch{sign}x FROM range(3)")
    assert f"This line has a sign that cannot be seen: {name}." in "\n".join(ran.refused._render_traceback_())


def test_a_name_has_letters_of_any_script(cells: Cells, tmp_path):
    for name in ("größe", "日本"):
        assert cells.run(f"%tusk connect {name} duckdb:///{tmp_path}/{name}.duckdb").error is None
        assert cells.value(f"%sql {name} SELECT 5 AS a").iat[0, 0] == 5
    assert "begins with a letter" in cells.run(f"%tusk connect 1x duckdb:///{tmp_path}/x.duckdb").refused.hint
