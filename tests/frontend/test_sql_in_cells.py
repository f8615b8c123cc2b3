"""What the editor takes for SQL is what the magic takes for SQL: one rule in two languages, held together here."""

from fnmatch import fnmatchcase

import pytest
from services.typescript import in_typescript

from tusk_jupyter import errors
from tusk_magics.errors import error_lines
from tusk_magics.line import parse_sql_line
from tusk_magics.place import place_in_cell

LINES = (
    "",
    " prod",
    " prod --limit 5",
    " --limit=5 prod",
    " prod result <<",
    " result << ",
    " result << prod --limit 5",
    " result << --limit 5 prod",
    " result << y << prod",
    " prod result << SELECT 1",
    " prod --param month=1 --param name='New York'",
    ' prod --params {"a": 1, "b": [2, 3]}',
    " --jinja prod --no-log",
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
        "%%time\n%sql prod SELECT 1": [("prod", "SELECT 1")],
        "%%capture out\n%%time\n%%sql prod\nSELECT 1": [("prod", "\nSELECT 1")],
        "%timeit -n1 %sql prod SELECT 1": [("prod", "SELECT 1")],
        "%prun -q %sql prod SELECT 1": [("prod", "SELECT 1")],
        "x = %time %prun -q %sql prod SELECT 1": [("prod", "SELECT 1")],
        "%%bash\n%sql prod SELECT 1": [],
        "%sql --persist df as t": [(None, "as t")],
        "%sql postgresql://u:pw@h/d SELECT 1": [(None, "postgresql://u:pw@h/d SELECT 1")],
        "10 %sql": [],
        "%sqlcmd tables": [],
        "%%sqlx\nSELECT 1": [],
        "s = '''\n%sql prod SELECT 1\n'''\n%sql dev SELECT 2": [("dev", "SELECT 2")],
        'f("""a \\"""\n%sql prod SELECT 1\n""")\n%sql dev SELECT 2': [("dev", "SELECT 2")],
        "# it is '''\n%sql prod SELECT 1": [("prod", "SELECT 1")],
        "s = 'a \\\n%sql prod SELECT 1'\n%sql dev SELECT 2": [("dev", "SELECT 2")],
        "s = 'a \\\\'\n%sql dev SELECT 2": [("dev", "SELECT 2")],
        "x = 1 + \\\n  2  # it's \\\n%sql dev SELECT 2": [("dev", "SELECT 2")],
        "s = \"'''\"\n%sql prod SELECT 1": [("prod", "SELECT 1")],
        "df = %sql prod SELECT '''a\n%sql dev SELECT 2": [("prod", "SELECT '''a"), ("dev", "SELECT 2")],
        "größe = %sql prod SELECT 1": [("prod", "SELECT 1")],
        "größe = %time %sql prod SELECT 1": [("prod", "SELECT 1")],
        "d['a-b'][f(1)] = %sql prod SELECT '''": [("prod", "SELECT '''")],
        "日本: int = %sql prod SELECT '''a\n%sql dev SELECT 2": [("prod", "SELECT '''a"), ("dev", "SELECT 2")],
        "größe = !echo '''\n%sql dev SELECT 2": [("dev", "SELECT 2")],
        "print('a=%sql prod SELECT 1')": [],
        "sql prod SELECT 1": [("prod", "SELECT 1")],  # IPython's automagic
        "\n  sql --limit 5 prod SELECT 1\n": [("prod", "SELECT 1")],
        "sql SELECT 1": [(None, "SELECT 1")],
        "sql": [],
        "sql = 'SELECT 1'": [],
        "sql += ' WHERE i'": [],
        "sql in texts": [],
        "sqlite prod SELECT 1": [],
        "sql prod SELECT 1\nprint(1)": [],
        "%sql prod SELECT \\\n  '''a\n%sql dev SELECT 2": [("prod", "SELECT \\\n  '''a"), ("dev", "SELECT 2")],
    }
    expression = "a.map(x => m.sqlRanges(x).map(r => [r.connection, x.slice(r.from, r.to)]))"
    seen = in_typescript("cells/magic", expression, list(cells))
    for (cell, expected), found in zip(cells.items(), seen, strict=True):
        assert [tuple(one) for one in found] == expected, cell


def test_a_cell_runs_on_what_its_lines_name_or_choose_and_else_on_what_is_current():
    cells = [
        ("print(1)", []),
        ("%%sql\nSELECT 1", ["now"]),
        ("%%sql prod --file x.sql", ["prod"]),
        ("%%sql {x}\nSELECT 1", ["{x}"]),
        ("%%sql __proto__\nSELECT 1", ["__proto__"]),
        ("%sql dev SELECT 1\n%sql prod DELETE FROM t", ["dev", "prod"]),
        ("%sql SELECT 1\n%tusk use prod\n%sql SELECT 1", ["now", "prod"]),
        ("%tusk connect new x.db\n%sql SELECT 1", ["new"]),
        ("%sql pg SELECT 1\n%sql PG SELECT 1", ["pg"]),
        # None: what a choice that cannot be read here leaves of what is current, which may be harmless.
        ("tusk.use('prod')\n%sql DELETE FROM t", [None]),
        ("from tusk_jupyter import use\nif x: use(name)\n%sql DELETE FROM t\n%sql dev SELECT 1", [None, "dev"]),
        ("tusk use prod\n%sql DELETE FROM t", [None]),  # IPython's automagic
        ("_ = %tusk use prod\n%sql DELETE FROM t", [None]),
        ("%tusk use 'prod'\n%sql DELETE FROM t", [None]),
        ("%tusk use $name\n%sql DELETE FROM t", [None]),
        ("%tusk connect --tier memory prod x.db\n%sql DELETE FROM t", [None]),
        ("get_ipython().run_line_magic('tusk', 'use prod')\n%sql DELETE FROM t", [None]),
        ("get_ipython().run_line_magic(\n    'tusk', 'use prod'\n)\n%sql DELETE FROM t", ["now", None]),
        ("helpers.use_prod()\n%sql DELETE FROM t", [None]),
        ("%run setup.ipynb\n%sql DELETE FROM t", ["now", None]),
        ("exec(text)\n%sql DELETE FROM t", ["now", None]),
        ("tusk.query('SELECT 1', connection='prod')\n%sql DELETE FROM t", ["now", "prod"]),
        ("tusk.query(\n    sql,\n    connection=name,\n)\n%sql DELETE FROM t", ["now", None]),
        ("connection = sqlite3.connect('x')\n%sql DELETE FROM t WHERE f(connection='a')", ["now"]),
        ("%sql a SELECT 'tusk', \\\n  use(connection='b')\n%sql SELECT 1", ["a"]),
        ("# tusk.use('prod')\nplt.style.use('dark')\nsqlite3.connect('x')\n%sql SELECT 1", ["now"]),
        # What need not happen, or not in this order, leaves all that the SQL may run on.
        ("if x:\n    %tusk use dev\n%sql DELETE FROM t", ["now", "dev"]),
        ("try:\n  %tusk use dev\nexcept E:\n  pass\n%sql DELETE FROM t", ["now", "dev"]),
        ("def f():\n\t%tusk use dev\n%sql DELETE FROM t\n%tusk use prod\n%sql SELECT 1", ["now", "dev", "prod"]),
        ("if x:\n    %sql dev SELECT 1\n%sql DELETE FROM t", ["dev", "now"]),
        ("if x:\n    tusk.use(name)\n%sql DELETE FROM t", ["now", None]),
        ("for _ in x:\n    %sql DELETE FROM t\n    %tusk use prod", ["now", "prod"]),
        ("def f():\n    %sql DELETE FROM t\n%tusk use prod\nf()", ["now", "prod"]),
        ("%%timeit\n%sql DELETE FROM t\n%tusk use prod", ["now", "prod"]),
        ("s = 'a \\\n%tusk use dev'\n%sql DELETE FROM t", ["now"]),
        ("%tusk use dev --help\n%sql DELETE FROM t", ["now", "dev"]),
        ("%tusk use dev -h\n%sql DELETE FROM t", ["now", "dev"]),
        ("%tusk use dev \\\n  --help\n%sql DELETE FROM t", ["now", "dev"]),
        ("%tusk use \\\n  prod\n%sql DELETE FROM t", ["prod"]),
        ("  %tusk use dev\n  %sql SELECT 1", ["dev"]),  # IPython takes away what all of a cell is indented by
        (
            "".join(f"if x:\n  %tusk use c{n}\n" for n in range(60)) + "%tusk connect dev d.db\n%sql DELETE FROM t",
            ["dev", *(f"c{n}" for n in range(19)), None],
        ),
        ("'''\n%tusk use prod\n'''\n%sql SELECT 1", ["now"]),
        ("%sql a SELECT 1\n%sql SELECT 1", ["a"]),
    ]
    expression = "a[0].map(x => m.connectionsOf(x, a[1]))"
    used = in_typescript(
        "cells/connection", expression, [[cell for cell, _ in cells], {"name": "now", "chosen": False}]
    )
    assert used == [found for _, found in cells]
    chosen = in_typescript(
        "cells/connection", expression, [[cell for cell, _ in cells[-2:]], {"name": "now", "chosen": True}]
    )
    assert chosen == [["now"], ["a", "now"]]


def test_a_cell_that_may_itself_change_what_it_runs_on_is_doubted():
    changes, calls = "This cell may change the connection itself.", "What this cell calls before its SQL may choose*"
    cells = [
        ("%tusk connect dev d.db --environment production --replace\n%sql dev DELETE FROM t", changes),
        ("tusk.connect(\n    'dev', url, replace=True\n)\n%sql dev DELETE FROM t", changes),
        ("%tusk remove dev\n%tusk connect dev d.db\n%sql dev DELETE FROM t", changes),
        ("%tusk connect dev d.db --replace", None),  # without SQL there is no mark
        ("to_production()\n%sql DELETE FROM t", calls),
        ("if x: y = go(1)\n%sql DELETE FROM t", calls),
        ("to_production()\n%sql dev DELETE FROM t", None),
        ("%sql SELECT 1\nplot(1)", None),
        ("%%sql\nSELECT f(1)", None),
        ("def f(x):\n    print('go()', len(x))  # go()\n    %sql SELECT g(1)", None),
        ("p = Path(df.head(1))\nfor n in range(3):\n    df = %sql SELECT 1", None),
    ]
    seen = in_typescript("cells/connection", "a.map(x => m.doubtOf(x))", [cell for cell, _ in cells])
    for (cell, expected), found in zip(cells, seen, strict=True):
        assert found == expected if expected is None else fnmatchcase(found or "", expected), cell


def test_marks_show_the_most_alarming_environment_and_never_a_harmless_one_for_what_is_not_known():
    environments = {
        "prod": {"environment": "production"},
        "dev": {"environment": "development"},
        "plain": {"environment": None},
        "old": {"environment": "development", "isOld": True},
        "odd": {"environment": 7},
        "called": {"environment": "development", "doubt": "What it calls may choose."},
        "PG": {"environment": "production", "name": "pg"},
    }
    none = "There is no connection"
    runs = "This cell runs on"
    marks = [
        ([], None),
        (["prod"], ("production", "PRODUCTION · prod", f"{runs} prod, which is production.")),
        (["PG"], ("production", "PRODUCTION · pg", f"{runs} pg, which is production.")),
        (
            ["dev", "prod"],
            ("production", "PRODUCTION · dev (development), prod", f"{runs} dev, which is development.\n*"),
        ),
        (["prod", "plain"], ("production", "PRODUCTION · prod, plain (no environment)", "*")),
        (["dev"], ("development", "DEVELOPMENT · dev", f"{runs} dev, which is development.")),
        (["dev", "plain"], (None, "dev (development), plain", f"*\n{runs} plain, which has no environment.")),
        (["old"], (None, "old: not confirmed", f"{runs} old, which is development. This is not confirmed:*")),
        (["odd"], (None, "odd", "*")),
        (["called"], (None, "called", f"{runs} called, which is development. What it calls may choose.")),
        (["__proto__"], (None, "__proto__: no such connection", f"{none} __proto__.")),
        (["{x}"], (None, "{x}: no such connection", f"{none} {{x}}. A name is read as it is written:*")),
        ([None], (None, "no connection chosen", "This cell names no connection, and none is chosen.")),
        (["a\u202eb"], (None, "a\ufffdb: no such connection", f"{none} a\ufffdb.")),
    ]
    expression = (
        "a[0].map(n => m.markOf(n, x => Object.hasOwn(a[1], x) ? a[1][x] : undefined))"
        ".map(x => x && [x.environment, x.label, x.title])"
    )
    seen = in_typescript("cells/mark", expression, [[names for names, _ in marks], environments])
    for (names, expected), found in zip(marks, seen, strict=True):
        assert (found and tuple(found[:2])) == (expected and expected[:2]), names
        assert expected is None or fnmatchcase(found[2], expected[2]), names
    unknown = in_typescript("cells/mark", "m.markOf([undefined])", None)
    assert (unknown["label"], unknown["title"]) == (
        "connection not known yet",
        "Which connection this cell runs on is not known yet.",
    )


def test_a_name_is_the_same_in_whatever_letters_by_the_rule_of_the_core():
    names = ["pg", "PG", "Pg", "\u212ag", "\u017ftore", "\u0131d", "\u0130d", "stra\xdfe", "\ufb01ne", "__PROTO__"]
    assert in_typescript("names", "a.map(m.folded)", names) == [name.casefold() for name in names]


def test_a_hostile_cell_does_not_hold_up_the_page():
    cells = [" " * 300_000 + "%sql", "\n" * 100_000 + "%sql", "x" * 400_000 + "=%sql a", "%%time" * 50_000 + "%sql"]
    cells += ["".join(f"if x:\n  %sql c{n} SELECT 1\n  %sql SELECT 1\n" for n in range(5_000))]
    cells += ["x = '(?connection=\\" + "%tusk connect " * 30_000 + "\n%sql DELETE FROM t"]
    expression = "a.map(x => [m.connectionsOf(x, {name: 'n'}).length, m.doubtOf(x)][0])"
    assert in_typescript("cells/connection", expression, cells) == [0, 0, 0, 0, 5_002, 1]


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
