"""What the editor takes for SQL is what the magic takes for SQL: one rule in two languages, held together here."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tusk_jupyter import errors
from tusk_magics.errors import error_lines
from tusk_magics.line import parse_sql_line
from tusk_magics.place import place_in_cell

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "widgets" / "labextension"


def in_typescript(module: str, expression: str, argument: object) -> object:
    """Return what an expression of a module's functions gives; `m` is the module, `a` the argument."""
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    bundle = subprocess.run(
        [FRONTEND / "node_modules" / ".bin" / "esbuild", f"src/{module}.ts", "--bundle", "--format=cjs", "--platform=node"],
        cwd=FRONTEND, capture_output=True, text=True, check=True, env=environment,
    ).stdout  # fmt: skip
    script = (
        f"{bundle}\nconst m = module.exports, a = {json.dumps(argument)};\nconsole.log(JSON.stringify({expression}));"
    )
    done = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


LINES = (
    "",
    " prod",
    " prod --limit 5",
    " --limit=5 prod",
    " prod result <<",
    " result << ",
    " prod --param month=1 --param name='New York'",
    ' prod --params {"a": 1, "b": [2, 3]}',
    " --jinja --read-only prod --no-log",
    " SELECT 1",
    " prod SELECT 1 << 4",
    " -- only a comment",
    " with x as (select 1) select * from x",
    " prod --timeout 2.5 --into df SELECT ':x'",
)


def test_editor_and_magic_find_the_same_connection_and_the_same_sql():
    body = "SELECT a, ':b'\nFROM t -- it's\n"
    cells = [f"%%sql{line}\n{body}" for line in LINES]
    seen = in_typescript(
        "cells/magic", "a.map(x => m.cellMagic(x)).map((r, i) => [r.connection, a[i].slice(r.from)])", cells
    )
    for line, (connection, sql) in zip(LINES, seen, strict=True):
        parsed = parse_sql_line(line.strip(), body)
        assert connection == parsed.connection, line
        assert sql.strip() == parsed.sql.strip(), line


def test_editor_finds_sql_lines_and_only_those():
    cells = {
        "%sql prod SELECT 1": [("prod", "SELECT 1")],
        "x = 1\ndf = %sql prod SELECT 2\nprint(df)": [("prod", "SELECT 2")],
        "if x:\n    %sql SELECT 3": [(None, "SELECT 3")],
        "%sql a SELECT 1\n%sql b SELECT 2": [("a", "SELECT 1"), ("b", "SELECT 2")],
        "%sql prod SELECT 1, \\\n  2": [("prod", "SELECT 1, \\\n  2")],
        "# %sql prod SELECT 1": [],
        "text = '%sql'": [],
        "%%time\n%sql prod SELECT 1": [],
        "10 %sql": [],
        "%sqlcmd tables": [],
        "%%sqlx\nSELECT 1": [],
    }
    expression = "a.map(x => m.sqlRanges(x).map(r => [r.connection, x.slice(r.from, r.to)]))"
    seen = in_typescript("cells/magic", expression, list(cells))
    for (cell, expected), found in zip(cells.items(), seen, strict=True):
        assert [tuple(one) for one in found] == expected, cell


@pytest.mark.parametrize("before", ["", "é🦣 ", "\t"])
def test_squiggle_stands_where_the_error_says(before):
    cell = f"%%sql prod\nSELECT 1,\n{before}nosuch + 2"
    sql = cell.partition("\n")[2]
    error = errors.QueryError("There is no column nosuch.", position=sql.index("nosuch"))
    lines = error_lines(error, place_in_cell(cell, cell, sql))
    seen = in_typescript("cells/squiggle", "m.errorPlace(a)", lines)
    assert (seen["line"], seen["column"]) == (3, len(before) + 1)
    assert "nosuch" in seen["message"]
    assert seen["text"].endswith("nosuch + 2")


def test_other_errors_have_no_squiggle():
    assert in_typescript("cells/squiggle", "m.errorPlace(a)", ["ValueError: line 3, column 4"]) is None


def test_names_are_quoted_where_the_dialect_needs_it():
    names = [
        (["main", "flights"], "duckdb", "main.flights"),
        (["public", "Flights"], "postgresql", 'public."Flights"'),
        (["main", "Flights"], "sqlite", "main.Flights"),
        (["shop", "order"], "mysql", "shop.`order`"),
        (["a`b", "c"], "mysql", "`a``b`.c"),
        (['say "hi"', "1st"], "duckdb", '"say ""hi"""."1st"'),
    ]
    seen = in_typescript("sql", "a.map(([path, driver]) => m.qualifiedName(path, driver))", names)
    assert seen == [expected for _, _, expected in names]
