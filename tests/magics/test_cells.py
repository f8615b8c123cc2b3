"""Cells in a real IPython, through a real core and driver process, on a DuckDB file."""

import re

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tusk_jupyter.errors import TuskError, UsageError
from tusk_magics.template import render


@pytest.fixture(autouse=True)
def a_table(cells):
    cells.value("%sql lake CREATE OR REPLACE TABLE t AS SELECT i, i % 7 AS g, 'n' || i AS name FROM range(100) r(i)")


def test_the_value_of_a_cell_is_a_dataframe(cells):
    ran = cells.run("%%sql lake\nSELECT g, count(*) AS n FROM t GROUP BY g ORDER BY g")
    assert isinstance(ran.value, pd.DataFrame)
    assert list(ran.value["n"]) == [15, 15, 14, 14, 14, 14, 14]
    assert "7 rows · 2 columns" in ran.out
    assert "lake (duckdb)" in ran.out


def test_a_line_is_an_expression(cells):
    assert cells.value("n = %sql SELECT count(*) AS n FROM t\nn['n'][0] + 1") == 101


def test_the_connection_used_last_is_meant_when_none_is_named(cells):
    cells.value(f"%tusk connect other {cells.folder / 'other.duckdb'}")
    assert cells.value("%%sql other\nSELECT 1 AS a").shape == (1, 1)
    assert "other (duckdb)" in cells.run("%sql SELECT 1").out
    cells.value("%tusk use lake")
    assert "lake (duckdb)" in cells.run("%sql SELECT 1").out
    cells.value("%tusk remove other --yes")


@pytest.mark.parametrize(
    "cell", ["%%sql lake x <<\nSELECT 1 AS a", "%sql --into x lake SELECT 1 AS a", "%%sql\nx << SELECT 1 AS a"]
)
def test_an_assignment_prints_a_line_and_has_no_value(cells, cell):
    ran = cells.run(cell)
    assert ran.value is None
    assert ran.out.startswith("x ← 1 row · 1 column")
    assert list(cells.variables["x"]["a"]) == [1]


def test_the_result_s_kind_is_an_option_and_a_setting(cells):
    assert isinstance(cells.value("%sql --format polars SELECT 1 AS a"), pl.DataFrame)
    assert isinstance(cells.value("%sql --format arrow SELECT 1 AS a"), pa.Table)
    cells.value("%config TuskMagics.format = 'arrow'")
    try:
        assert isinstance(cells.value("%sql SELECT 1 AS a"), pa.Table)
    finally:
        cells.value("%config TuskMagics.format = 'pandas'")


def test_a_decimal_is_exact_unless_asked_otherwise(cells):
    assert str(cells.value("%sql SELECT 1.10::DECIMAL(9,2) AS d")["d"][0]) == "1.10"
    assert cells.value("%sql --decimal float SELECT 1.10::DECIMAL(9,2) AS d")["d"].dtype == "float64"


# "n of m rows" with the number fetched, shown and known kept apart
def test_rows_shown_fetched_and_known_are_told_apart(cells):
    assert "Showing 10 of 100 rows · 3 columns" in cells.run("%%sql\nSELECT * FROM t").out
    assert "20 rows fetched, more exist (limit 20) · 1 column" in cells.run("%%sql --limit 20\nSELECT i FROM t").out
    assert "80 rows fetched, more exist (limit 80) · showing 10" in cells.run("%%sql --limit 80\nSELECT i FROM t").out
    out = cells.run("%%sql --limit 100\nSELECT * FROM t").out
    assert "more exist" not in out
    assert "0 rows fetched, more exist" in cells.run("%%sql --limit 0\nSELECT * FROM t").out


def test_a_result_without_rows_still_has_its_columns(cells):
    ran = cells.run("%%sql\nSELECT * FROM t WHERE i < 0")
    assert list(ran.value.columns) == ["i", "g", "name"]
    assert "3 columns" in ran.out


def test_a_statement_without_rows_says_what_it_changed(cells):
    ran = cells.run("%%sql\nINSERT INTO t VALUES (1, 2, 'x'), (3, 4, 'y')")
    assert ran.value is None
    assert ran.out.startswith("INSERT: 2 rows changed")


def test_several_statements_are_listed_and_the_last_result_is_the_value(cells):
    ran = cells.run("%%sql\nSELECT 1 AS a;\nDELETE FROM t WHERE i < 10;\nSELECT 2 AS b;")
    assert list(ran.value["b"]) == [2]
    assert ran.out.splitlines()[:3] == ["1. SELECT: 1 row", "2. DELETE: 10 rows changed", "3. SELECT: 1 row"]


def test_an_error_stops_the_cell_and_says_which_statement_it_was(cells):
    ran = cells.run("%%sql\nINSERT INTO t VALUES (1000, 1, 'x');\nSELECT nope FROM t;\nDELETE FROM t;")
    assert ran.refused.statement == 1
    assert "statement 2 of 3; 1 was run before it" in ran.out
    assert list(cells.value("%sql SELECT count(*) AS n FROM t")["n"]) == [101]


# no Python traceback; counted from their own cell
def test_an_error_is_shown_without_a_traceback_at_its_place_in_the_cell(cells):
    ran = cells.run("%%sql lake\n-- by group\nSELECT g,\n       cout(*)\nFROM t GROUP BY g")
    assert "Traceback" not in ran.out
    assert 'File "' not in ran.out
    assert "line 4, column 8 of the cell" in ran.out
    assert "    4 |        cout(*)\n      |        ^^^^\n" in ran.out


@pytest.mark.parametrize(
    "cell", ["%%sql 'LAKE'\nSELECT 1", "%%sql lake;\nSELECT 1", "%%sql\nlake\nSELECT 1", '%sql "lake" SELECT 1']
)
def test_a_connection_in_quotes_or_before_a_sign_is_named_in_the_hint(cells, cell):
    magic = "%%sql" if cell.startswith("%%") else "%sql"
    assert cells.run(cell).refused.hint == f"To run on the connection lake, write its name alone: `{magic} lake`."
    assert "connection" not in cells.run(cell.replace("lake", "pond").replace("LAKE", "pond")).refused.hint


def test_an_error_of_a_line_magic_is_at_its_line(cells):
    ran = cells.run("a = 1\nb = %sql lake SELECT nope FROM t")
    assert "line 2, column 22 of the cell" in ran.out


def test_a_caller_of_the_python_functions_gets_the_same_error_with_a_traceback(cells):
    ran = cells.run("import tusk_jupyter as tusk\ntusk.query('SELECT nope FROM t', connection='lake')")
    assert type(ran.refused).__name__ == "QueryError"
    assert "Traceback" in ran.out


# NL-28: bound, never pasted
def test_names_of_placeholders_are_written_in_any_language(cells):
    cells.value("größe = 3\n名 = 'n4'")
    assert list(cells.value("%sql SELECT name FROM t WHERE i = :größe")["name"]) == ["n3"]
    assert list(cells.value("%sql SELECT i FROM t WHERE name = :名")["i"]) == [4]
    two_characters = "gro\u0308\u00dfe"  # as macOS writes it
    assert list(
        cells.value(f"%sql --param {two_characters}=5 SELECT i FROM t WHERE i = :größe".replace("ö", "o\u0308"))["i"]
    ) == [5]
    assert (
        cells.value(
            f"import tusk_jupyter as tusk\ntusk.query('SELECT :{two_characters} AS a', params={{'{two_characters}': 6}})"
        )["a"][0]
        == 6
    )
    assert ":ß has no value" in cells.run("%sql SELECT :ß").out


def test_lists_of_a_notebook_are_members_of_in(cells):
    frame = "import pandas as pd, numpy as np\nframe = pd.DataFrame({'i': [1, 3]}, index=[2, 4])\nseries = frame['i']\n"
    cells.value(f"{frame}index = frame.index\nspan = range(1, 3)\nempty = set()\nkeys = {{5: 'a'}}.keys()")
    for name, found in {"series": [1, 3], "index": [2, 4], "span": [1, 2], "empty": [], "keys": [5]}.items():
        assert list(cells.value(f"%sql SELECT i FROM t WHERE i IN (:{name}) ORDER BY i")["i"]) == found
    assert list(
        cells.value("%sql --param ids=[1,3] SELECT i FROM t WHERE i < 4 AND i NOT IN (:ids) ORDER BY i")["i"]
    ) == [0, 2]


def test_parameters_come_from_the_option_the_dictionary_and_the_notebook(cells):
    cells.variables.update(low=3, high=98, given={"low": 90})
    assert len(cells.value("%%sql\nSELECT * FROM t WHERE i > :low AND i < :high")) == 94
    assert len(cells.value("%%sql --params given\nSELECT * FROM t WHERE i > :low AND i < :high")) == 7
    assert (
        len(cells.value('%%sql --params {"low": 95} --param high=97\nSELECT * FROM t WHERE i > :low AND i < :high'))
        == 1
    )


def test_a_value_is_data_whatever_it_holds(cells):
    hostile = "'; DROP TABLE t; --"
    cells.variables["x"] = hostile
    assert list(cells.value("%sql SELECT :x AS x")["x"]) == [hostile]
    assert len(cells.value("%sql SELECT * FROM t")) == 100


def test_colons_that_are_no_placeholders_are_left_alone(cells):
    frame = cells.value("%%sql\nSELECT 'a :foo b' AS a, '12'::INT AS b, [1,2,3][1:2] AS c, {'k': 1} AS d -- :bar\n")
    assert frame["a"][0] == "a :foo b"
    assert frame["b"][0] == 12


def test_what_ipython_would_expand_arrives_as_written(cells):
    cells.variables.update(x="expanded", i=5)
    for text in ("{x}", "$x", "{x} and $x", "{{x}}"):
        assert list(cells.value(f"%sql SELECT '{text}' AS s")["s"]) == [text]
    assert list(cells.value("%sql SELECT '{x} $x {{x}} {#c#} {% x %}' AS s")["s"]) == ["{x} $x {{x}} {#c#} {% x %}"]


def test_a_template_is_rendered_only_when_asked(cells):
    cells.variables.update(table="t", few=[1, 2, 3])
    frame = cells.value("%%sql --jinja\nSELECT * FROM {{ table }} WHERE i IN ({{ few | join(', ') }})")
    assert len(frame) == 3
    ran = cells.run("%%sql --jinja\nSELECT {{ tabel }}")
    assert "'tabel' is undefined" in ran.refused.message
    assert "`table`" in ran.refused.hint
    ran = cells.run("%%sql --jinja\nSELECT {{ few.__class__.__mro__ }}")
    assert "sandbox" in ran.refused.message
    ran = cells.run("%%sql --jinja\nSELECT 1,\n  {{ table }}.nope FROM {{ table }}")
    assert "of the rendered SQL" in ran.out
    assert "  t.nope FROM t" in ran.out


@pytest.mark.parametrize(
    ("template", "text"),
    [("SELECT 'a\r\nb\rc\n' AS v", "a\r\nb\rc\n"), ("SELECT '{{ given }}\r' AS v", "x\r\ny\r"),
     ("{% if 1 %}\r\nSELECT '\r\n' AS v\r{% endif %}\r\n", "\r\n"),
     ("SELECT '{% raw %}{{\r}}\r\n{% endraw %}' AS v", "{{\r}}\r\n"),
     ("SELECT '\r\n {{- given -}} \r' AS v", "x\r\ny"), ("SELECT '{{ '\r\n' }}' AS v", "\r\n"),
     ("SELECT '\x1c\r\x1d\r\n' AS v", "\x1c\r\x1d\r\n"), ("{% set w %}\r{% endset %}SELECT '{{ w }}' AS v", "\r")],
)  # fmt: skip
def test_line_endings_of_a_template_are_the_users(cells, template, text):
    cells.variables["given"] = "x\r\ny"
    (cells.folder / "t.sql").write_bytes(template.encode())
    assert cells.value("%sql lake --jinja --file t.sql")["v"][0] == text


@pytest.mark.parametrize(
    ("before", "line"), [("a\r\nb\r\n", 3), ("a\rb\r", 3), ("a\nb\n", 3), ("'\r\r\r\n'", 4), ("a\n\r", 3)]
)
def test_lines_of_a_template_are_counted_whatever_ends_them(before, line):
    with pytest.raises(UsageError, match=rf"expected '\)' \(line {line} of the SQL\)"):
        render(f"{before}SELECT {{{{ ( }}}}", {})


@pytest.mark.parametrize(
    "expression",
    ["password", "password | upper", "config.password", "config['password']", "config.get('password')", "passwords[0]",
     "creds.value", "rows | map(attribute='password') | first", "key_of('db_password')", "get_password()", "kennwort ~ 'x'"],
)  # fmt: skip
def test_a_secret_that_a_template_puts_in_is_hidden_as_one_that_is_bound(cells, module_home, expression):
    word = "Zx8q-Geheim"
    cells.variables.update(
        password=word, config={"password": word}, passwords=[word], creds={"value": word}, rows=[{"password": word}],
        key_of=lambda name: word, get_password=lambda: word, kennwort=word,
    )  # fmt: skip
    ran = cells.run(f"%%sql lake --jinja\nSELECT 1 AS table_of_it;\nSELECT CAST('{{{{ {expression} }}}}' AS INT)")
    assert "Could not convert string '***" in ran.refused.message
    assert "SELECT CAST('***" in ran.out
    entry = cells.log()[0]
    assert "CAST('***" in entry.sql
    assert "zx8q" not in f"{ran.out} {ran.error} {ran.error.args} {entry!r}".lower()
    for file in module_home.path.rglob("*"):
        assert not file.is_file() or b"Zx8q" not in file.read_bytes(), file


@pytest.mark.parametrize(
    "given",
    ["{% set password = 'Zx8q-Geheim' %}", "{% set password %}Zx8q-Geheim{% endset %}",
     "{% set u, password = 'a', 'Zx8q-Geheim' %}",
     "{% set creds = {'password': 'Zx8q-Geheim'} %}{% set password = creds.password %}"],
)  # fmt: skip
def test_a_secret_that_a_template_itself_sets_is_hidden(cells, given):
    ran = cells.run(f"%%sql lake --jinja\n{given}SELECT CAST('{{{{ password }}}}' AS INT)")
    assert "Zx8q" not in f"{ran.out} {ran.refused.message} {cells.log()[0]!r}"


def test_a_secret_is_in_no_error_of_a_template(cells):
    cells.variables.update(password="Zx8q-Geheim", table={"a": 1})
    ran = cells.run("%%sql lake --jinja\nSELECT {{ table[password] }}")
    assert "Zx8q" not in f"{ran.out} {ran.refused.message} {ran.error.__cause__}"


def test_a_template_s_other_values_are_shown(cells):
    cells.variables.update(conn="lake", creds={"user": "walrus", "password": "Zx8q-Geheim"}, password_count=7)
    ran = cells.run(
        "%%sql lake --jinja\nSELECT '{{ creds.user }}' AS u, {{ password_count }} AS n, '{{ creds.password }}' "
        "FROM {{ conn }}.main.nosuch"
    )
    assert "nosuch" in ran.refused.message
    assert cells.log()[0].sql.strip() == "SELECT 'walrus' AS u, 7 AS n, '***' FROM lake.main.nosuch"


def test_sql_comes_from_a_file_and_its_errors_point_there(cells):
    (cells.folder / "q.sql").write_text("SELECT i\nFROM t WHERE i < :n")
    cells.variables["n"] = 5
    assert len(cells.value("%sql --file q.sql")) == 5
    (cells.folder / "bad.sql").write_text("SELECT i,\n nope FROM t")
    assert "line 2, column 2 of bad.sql" in cells.run("%sql --file bad.sql").out


def test_a_result_goes_into_a_file(cells):
    ran = cells.run("%%sql --to out.parquet\nSELECT * FROM t")
    assert ran.value is None
    assert "100 rows written to" in ran.out
    assert pq.read_table(cells.folder / "out.parquet").num_rows == 100
    cells.value("%sql --to out.csv SELECT 1 AS a, 'x' AS b")
    assert (cells.folder / "out.csv").read_text().splitlines()[0].replace('"', "") == "a,b"


def test_a_frame_is_written_into_a_new_table_and_appended(cells):
    cells.variables["df"] = pd.DataFrame({"a": [1, None, 3], "b": ["x", None, "z"]}).astype({"a": "Int64"})
    cells.value("%sql DROP TABLE IF EXISTS planes")
    assert "3 rows written into the new table planes" in cells.run("%sql lake --persist df AS planes").out
    assert "3 rows appended to planes" in cells.run("%sql --append df AS planes").out
    frame = cells.value("%sql SELECT count(*) AS n, count(a) AS a, sum(a) AS s FROM planes")
    assert [int(frame[name][0]) for name in ("n", "a", "s")] == [6, 4, 8]
    refused = cells.run("%sql --persist df AS planes").refused
    assert (refused.scenario, "planes" in refused.message) == ("table_exists", True)
    for way_out in ("`--append DF AS planes`", "another name", "`DROP TABLE planes`"):
        assert way_out in (refused.hint or "")


@pytest.mark.parametrize(
    ("index", "note", "columns"),
    [
        (None, "", ["a"]),
        (pd.Index([7, 9]), "Note: The frame's index has no name and was left out", ["a"]),
        (pd.RangeIndex(1, 3), "Note: The frame's index has no name and was left out", ["a"]),
        (pd.Index(["x", "y"], name="key"), "Note: The frame's index became the column 'key'", ["key", "a"]),
        (
            pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["k", "l"]),
            "Note: The frame's index became the columns 'k', 'l'",
            ["k", "l", "a"],
        ),
        (pd.Index(["x", "y"]), "Note: The frame's index became the column 'index'", ["index", "a"]),
        (pd.to_datetime(["2024-01-01", "2024-02-01"]), "became the column 'index'", ["index", "a"]),
        (
            pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["k", None]),
            "became the columns 'k', 'level_1'",
            ["k", "level_1", "a"],
        ),
    ],
)
def test_what_becomes_of_the_index_is_said(cells, index, note, columns):
    cells.variables["df"] = pd.DataFrame({"a": [1, 2]}, index=index)
    cells.value("%sql DROP TABLE IF EXISTS indexed")
    out = cells.run("%sql lake --persist df AS indexed").out
    assert note in out
    assert note or "Note" not in out
    assert list(cells.value("%sql lake SELECT * FROM indexed").columns) == columns


def test_a_number_is_not_broken_from_its_unit(cells):
    assert re.search("\\d\u00a0m?s · lake", cells.run("%sql lake SELECT 1").out)


def test_a_connect_line_that_is_run_again_succeeds(cells):
    connect = f"%tusk connect again {cells.folder / 'again.duckdb'}"
    assert "Added again" in cells.run(connect).out
    assert "Already there, nothing changed: again" in cells.run(connect).out
    refused = cells.run(f"{connect} --read-only").refused
    assert "read-only is off, given: on" in refused.message
    assert "--replace" in (refused.hint or "")
    cells.run("%tusk remove again --yes")


def test_temp_tables_and_transactions_live_from_cell_to_cell(cells):
    cells.value("%sql CREATE OR REPLACE TEMP TABLE mine AS SELECT 1 AS a")
    assert "transaction open" in cells.run("%sql BEGIN").out
    cells.value("%sql DELETE FROM t")
    cells.value("%sql ROLLBACK")
    assert list(cells.value("%sql SELECT count(*) AS n FROM t, mine")["n"]) == [100]


def test_read_only_lets_the_database_refuse(cells):
    assert cells.run("%sql --read-only DELETE FROM t").error is not None
    assert len(cells.value("%sql SELECT * FROM t")) == 100


def test_a_run_is_logged_with_its_text_and_cell_unless_asked_not_to(cells):
    before = len(cells.log())
    cells.value("%sql SELECT 'logged' AS a")
    cells.value("%sql --no-log SELECT 'not logged' AS a")
    newest = cells.log()[0]
    assert len(cells.log()) == before + 1
    assert (newest.sql, newest.status, newest.rows, newest.source) == (
        "SELECT 'logged' AS a",
        "completed",
        1,
        "ipython",
    )
    assert newest.cell.isdigit()


def test_a_timeout_ends_the_run_and_leaves_the_session(cells):
    cells.value("%sql CREATE OR REPLACE TEMP TABLE kept AS SELECT 1 AS a")
    ran = cells.run("%%sql --timeout 0.5\nSELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)")
    assert type(ran.refused).__name__ == "TimeoutExceeded"
    assert len(cells.value("%sql SELECT * FROM kept")) == 1


def test_production_is_visible_at_each_run(cells):
    cells.value(f"%tusk connect prod {cells.folder / 'prod.duckdb'} --environment production")
    assert "PRODUCTION" in cells.run("%sql prod SELECT 1").out
    cells.value("%tusk remove prod --yes")
    cells.value("%tusk use lake")


def test_help_is_there_three_ways(cells):
    for text in ("%sql --help", "%%sql --help", "%%sql lake --help\nSELECT 1"):
        out = cells.run(text).out
        assert "--limit ROWS" in out
        assert "Examples" in out
    assert "--limit ROWS" in cells.shell.find_line_magic("sql").__doc__


def test_the_footer_can_be_turned_off(cells):
    cells.value("%config TuskMagics.footer = False")
    try:
        assert "rows" not in cells.run("x = %sql SELECT * FROM t").out
    finally:
        cells.value("%config TuskMagics.footer = True")


def test_a_connect_cell_runs_again_while_its_file_is_in_use(cells):
    cells.run("%tusk disconnect lake")  # a session that earlier tests left something in is another story
    cells.value("%sql lake CREATE TABLE beside AS SELECT 1 AS a")
    connect = f"%tusk connect lake {cells.folder / 'lake.duckdb'} --replace"
    assert "Already there, nothing changed: lake" in cells.run(connect).out
    assert "new session" not in cells.run("%sql lake SELECT 1").out
    assert "Replaced lake" in cells.run(f"{connect} --timeout 60").out
    assert "answered in" in cells.run("%tusk test lake").out
    said = cells.run("%sql lake SELECT 1").out
    assert (
        "This is a new session: the one before has ended. It had no temp tables, settings or open transaction." in said
    )
    assert "reads" not in said, "a table was made"
    assert "gone" not in cells.run("%sql lake SELECT 1").out


def test_a_line_in_a_function_sees_the_function_s_variables(cells):
    cells.value("def upto(low):\n    frame = %sql lake SELECT * FROM t WHERE i < :low\n    return frame")
    assert len(cells.value("upto(7)")) == 7


def test_decimal_float_means_the_same_in_every_format(cells):
    sql = "SELECT 1.10::DECIMAL(9,2) AS d"
    assert cells.value(f"%sql --format polars --decimal float {sql}")["d"].dtype == pl.Float64
    assert cells.value(f"%sql --format arrow --decimal float {sql}")["d"].type == pa.float64()
    assert cells.value(f"%sql --format arrow {sql}")["d"].type == pa.decimal128(9, 2)


def test_a_result_without_rows_says_so_in_words(cells):
    assert "0 rows: the statement ran and matched none" in cells.run("%sql SELECT * FROM t WHERE i < 0").out


def test_settings_are_shown_by_ipython_s_own_magic(cells):
    out = cells.run("%config TuskMagics").out
    for name in ("format", "decimal", "limit", "timeout", "progress", "footer"):
        assert f"TuskMagics.{name}" in out
    cells.value("%config TuskMagics.limit = 3")
    try:
        assert "3 rows fetched, more exist (limit 3)" in cells.run("%sql SELECT * FROM t").out
        assert len(cells.value("%sql --limit 5 SELECT * FROM t")) == 5
    finally:
        cells.value("%config TuskMagics.limit = None")


def test_disconnect_closes_this_notebooks_session_and_says_what_went_with_it(cells):
    cells.run("%sql lake CREATE TEMP TABLE mine AS SELECT 1 AS a")
    cells.run("%sql lake BEGIN")
    out = cells.run("%tusk disconnect lake").out
    assert "Closed the session on lake. Its open transaction was rolled back." in out
    assert "temp tables and settings (SET, USE, ...) are gone" in out
    after = cells.run("%sql lake SELECT 1 AS a")
    assert after.error is None, "the next run is not refused"
    assert "new session" not in after.out, "and tells nothing that its user knows"
    cells.run("%tusk disconnect")
    assert "There was no session of this notebook on lake." in cells.run("%tusk disconnect lake").out
    cells.run("%sql lake SELECT 1 AS a")
    cells.run("%tusk connect pond pond.duckdb")
    cells.run("%tusk use pond")
    cells.run("%tusk disconnect")
    assert "on pond. It has sessions on: lake; name the one to close." in cells.run("%tusk disconnect").out


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("%sql lake --param password=Zx9q-1 SELECT :password AS a", "Zx9q-1"),
        ("%sql lake --param token='Zx9q 2' SELECT :token AS a", "Zx9q 2"),
        ("%sql lake --param pasword=Zx9q-3 SELECT :pasword AS a", "Zx9q-3"),
        ('%%sql lake --params {"password": "Zx9q-4", "b": 1}\nSELECT :password AS a, :b AS b', "Zx9q-4"),
        (
            "%sql lake --param x=Zx9q-5 SELECT :x FROM (SELECT 'p' || i AS password FROM range(1) t(i)) WHERE password <> :x",
            "Zx9q-5",
        ),
        ("%sql lake SELECT 'postgresql://ann:Zx9q-6@db/x' AS a", "postgresql://ann:Zx9q-6@db/x"),
    ],
)
def test_a_secret_that_is_typed_as_a_value_runs_and_leaves_the_history(cells, cell, value):
    cells.run("before = 'kept'")
    ran = cells.run(cell)
    assert ran.error is None
    assert ran.value.iloc[0, 0] == value
    assert "stands in this cell" in ran.out
    assert "delete it from the cell" in ran.out
    history = cells.shell.history_manager
    assert "before = 'kept'" in cells.variables["In"]
    assert not [text for text in (*cells.variables["In"], *history.input_hist_parsed) if "Zx9q" in text]
    assert "Zx9q" not in repr(cells.log()[0])


def test_a_value_that_is_no_secret_stays(cells):
    ran = cells.run("%sql lake --param month=walrus SELECT :month AS a")
    assert "stands in this cell" not in ran.out
    assert any("walrus" in text for text in cells.variables["In"])


@pytest.mark.parametrize(
    "cell",
    [
        'tusk.query("SELECT cast(:password AS INT)", params={"password": made()})',
        'tusk.execute("SELECT :q", params={"p": made()})',
        'tusk.query("SELECT :p", params={"p": [object(), made()]})',
        'tusk.query("SELECT :p", connection="nosuch", params={"p": made()})',
        'tusk.query("SELECT :p", params={"p": made()}, format="nosuch")',
        'tusk.connect("x", made(), password=made())',
        'tusk.connect("x", None, driver="nosuch", secrets={"password": made()})',
    ],
)
def test_a_verbose_traceback_shows_no_values_of_ours(cells, cell):
    cells.run("import tusk_jupyter as tusk\ndef made(): return 'Geh' + 'eim-23'")
    cells.run("%xmode Verbose")
    try:
        ran = cells.run(cell)
    finally:
        cells.run("%xmode Context")
    assert ran.error is not None
    assert "tusk_jupyter/api" in ran.out, "the frames stay"
    assert "Geheim" not in ran.out


def test_an_error_that_the_caller_handles_keeps_its_variables():
    import tusk_jupyter as tusk

    def failing():
        kept = "here"
        raise ValueError(kept)

    try:
        failing()
    except ValueError as earlier:
        with pytest.raises(TuskError):
            tusk.query("SELECT :p", params={"q": 1}, format="nosuch")
        assert earlier.__traceback__.tb_next.tb_frame.f_locals == {"kept": "here"}


def test_line_ends_of_a_file_are_the_users(cells):
    (cells.folder / "dos.sql").write_bytes(b"SELECT 'a\r\nb' AS two\r\n")
    assert cells.run("x = %sql --file dos.sql").error is None
    assert cells.variables["x"].two[0] == "a\r\nb"


def test_an_interrupt_before_a_cell_began_shows_no_error_of_ours(cells, capsys):
    """IPython ends such a cell without a result; our callbacks said "Error in callback ... AttributeError"."""
    cells.shell.events.trigger("post_run_cell", None)
    assert capsys.readouterr() == ("", "")
