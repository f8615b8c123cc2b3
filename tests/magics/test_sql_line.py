"""What `%sql` and `%%sql` read, and above all what they leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusk_jupyter.errors import UsageError
from tusk_magics.line import is_blank, parse_sql_line


# UX 3.6, NL-28: every one of these was cut, re-quoted or expanded by other tools
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 << 4",
        "SELECT 'b << c'",
        "CREATE TABLE t (a INT); SELECT 1 << 4; SELECT 2",
        "SELECT 'a :foo b'",
        "SELECT x:path FROM t",
        "SELECT '{% x %}', '{#c#}', '{{ y }}', {x}, $x, $$body$$",
        "SELECT 'it''s'",
        "SELECT instr(' ', ' ')",
        "SELECT data -> 'k' ->> 'v' FROM t",
        "SELECT * FROM t WHERE a starts with 'x'",
        "SELECT -1, - 1, --1\n 2",
        r"SELECT 'C:\temp\new', '\n', E'\\x'",
        "SELECT 1; -- after the end",
        "/*+ hint */ SELECT 1 -- trailing tag",
        "SELECT 'unclosed",
        'SELECT "a  b",\t1   ',
        "SELECT 1 -- --limit 10 --jinja",
        "(SELECT 1) UNION (SELECT 2)",
        "WITH\nx AS (SELECT 1) SELECT * FROM x",
        "FROM t SELECT a",
        "$$ not ours $$",
        "",
    ],
)
def test_the_sql_arrives_as_it_was_written(sql):
    first, newline, rest = sql.partition("\n")
    assert parse_sql_line("", sql).sql == sql
    assert parse_sql_line("warehouse --limit 5 df <<", sql).sql == sql
    assert parse_sql_line(f"warehouse {first}", rest if newline else None).sql == sql
    assert parse_sql_line(f"warehouse {first}", rest if newline else None).connection == "warehouse"


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), st.text())
def test_whatever_follows_a_statement_s_first_word_is_left_alone(tail, body):
    assert parse_sql_line(f"SELECT {tail}").sql == f"SELECT {tail}"
    assert parse_sql_line("SELECT " + tail, body).sql == f"SELECT {tail}\n{body}"
    assert parse_sql_line("wh --limit 1", f"SELECT {body}").sql == f"SELECT {body}"


def test_the_first_word_that_begins_no_statement_is_the_connection():
    assert parse_sql_line("warehouse SELECT 1").connection == "warehouse"
    assert parse_sql_line("select 1").connection is None
    assert parse_sql_line("prod.eu-1 SELECT 1").connection == "prod.eu-1"
    assert parse_sql_line("--limit 1 warehouse SELECT 1").connection == "warehouse"
    assert parse_sql_line("warehouse other SELECT 1").sql == "other SELECT 1"


def test_an_assignment_stands_before_the_sql_and_nowhere_else():
    for line, body in [
        ("x << SELECT 1", None),
        ("wh x <<", "SELECT 1"),
        ("wh x<<", "SELECT 1"),
        ("wh", "x << SELECT 1"),
    ]:
        parsed = parse_sql_line(line, body)
        assert (parsed.into, parsed.sql) == ("x", "SELECT 1")
    assert parse_sql_line("--into x SELECT 1").into == "x"
    assert parse_sql_line("SELECT a << b FROM t").into is None


@pytest.mark.parametrize(
    "line", ["x << --limit 1 wh", "x << wh --limit 1", "--limit 1 x << wh", "wh x << --limit 1", "wh --limit 1 x <<"]
)
def test_what_stands_before_the_sql_may_stand_in_any_order(line):
    """Behind `x <<` an option was a comment of SQL: `--read-only` was passed over without a word."""
    for parsed in (parse_sql_line(line, "SELECT 1"), parse_sql_line(f"{line} SELECT 1")):
        assert (parsed.connection, parsed.into, parsed.sql) == ("wh", "x", "SELECT 1")
        assert parsed.options.limit == 1


@pytest.mark.parametrize("body", [None, "WHERE 1"])
@pytest.mark.parametrize("option", ["--read-only", "--limit 5", "--to=x.csv", "--param a=1", "--help"])
def test_an_option_behind_the_sql_is_refused(option, body):
    with pytest.raises(UsageError, match="behind the SQL") as caught:
        parse_sql_line(f"wh DELETE FROM t {option}", body)
    assert "before the SQL" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("SELECT 1 --limits", None),
        ("SELECT 1 -- --limit 5", None),
        ("SELECT ' --limit 5'", None),
        (r"SELECT 'it\'s --limit 5'", None),
        ("SELECT $$ ' --limit 5 $$", None),
        ("SELECT 1 /* --limit 5 */", None),
        ('SELECT " --to x"', None),
        ("wh", "SELECT 1\n--limit 5"),
        ("SELECT 1", "--limit 5"),
    ],
)
def test_what_only_looks_like_an_option_is_sql(line, body):
    assert "--limit" in parse_sql_line(line, body).sql or "--to" in parse_sql_line(line, body).sql


@pytest.mark.parametrize(
    "line", ["2x << SELECT 1", "my-df << SELECT 1", "class << SELECT 1", "--into 2x SELECT 1", "--into a.b SELECT 1"]
)
def test_what_python_cannot_assign_to_is_refused(line):
    with pytest.raises(UsageError, match="cannot be assigned to") as caught:
        parse_sql_line(line)
    assert "letters, digits and underscores" in caught.value.hint


def test_options_are_read_with_their_values():
    options = parse_sql_line(
        "wh --limit 1_000 --timeout=2.5 --read-only --no-log --jinja --format polars --decimal float "
        "--to 'my file.parquet' --overwrite --file a\\b.sql SELECT 1"
    ).options
    assert (options.limit, options.timeout, options.read_only, options.no_log, options.jinja) == (
        1000,
        2.5,
        True,
        True,
        True,
    )
    assert (options.format, options.decimal, options.overwrite) == ("polars", "float", True)
    assert (options.to, options.file) == ("my file.parquet", "a\\b.sql")


def test_a_text_between_quotes_is_as_written():
    parsed = parse_sql_line(
        r"""--param a='C:\new\table' --param b="\d{2}" --param c="it's" --param d='C:\tmp\' --param e=r'C:\new' """
        r"""--param f="'quoted'" --param g='it''s' --param h='''' --param i="a "" b" --param j='' SELECT 1"""
    )
    assert parsed.options.param == {
        "a": r"C:\new\table", "b": r"\d{2}", "c": "it's", "d": "C:\\tmp\\", "e": r"C:\new", "f": "'quoted'",
        "g": "it's", "h": "'", "i": 'a " b', "j": "",
    }  # fmt: skip


def test_parameter_values_are_python_literals_or_else_text():
    parsed = parse_sql_line(
        "--param a=1 --param b=2013-10-11 --param c='New York' --param d=01234 --param e=None --param f=x=y "
        "--param g=[1, 2] --param h= --param i=it's SELECT 1".replace("--param i=it's ", "")
    )
    assert parsed.options.param == {
        "a": 1, "b": "2013-10-11", "c": "New York", "d": "01234", "e": None, "f": "x=y", "g": [1, 2], "h": "",
    }  # fmt: skip
    assert parse_sql_line('--params {"a": 1, "b": [1, 2]} SELECT 1').options.params == '{"a": 1, "b": [1, 2]}'


# bad input: what exists and what to do
@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--limt 5 SELECT 1", "There is no option --limt. Known options: --into, --param,", "Did you mean --limit?"),
        ("--frobnicate SELECT 1", "There is no option --frobnicate", "--help"),
        ("--limit", "--limit needs a value: --limit ROWS", "at most this many rows"),
        ("--limit --jinja SELECT 1", "--limit needs a value", "at most this many rows"),
        ("--limit ten SELECT 1", "--limit takes a number of rows", "at most this many rows"),
        ("--limit -1 SELECT 1", "--limit takes a number of rows", "at most this many rows"),
        ("--limit 1 --limit 2 SELECT 1", "--limit was given twice", "at most this many rows"),
        ("--timeout 0 SELECT 1", "--timeout takes a number of seconds above 0", "stop the run"),
        ("--timeout nan SELECT 1", "--timeout takes a number of seconds above 0", "stop the run"),
        ("--format excel SELECT 1", "--format takes one of pandas, polars, arrow", "kind of the result"),
        ("--jinja=yes SELECT 1", "--jinja takes no value", "Write `--jinja` alone"),
        ("--param month SELECT 1", "--param takes NAME=VALUE", "--param NAME=VALUE"),
        ("--param 'a=1 SELECT 1", "not closed", "Close it on the same line"),
        ("x << --into y SELECT 1".replace("x << --into y", "--into y x <<"), "two names", "Leave one of them out"),
        ("--persist df SELECT 1", "--persist takes no SQL", "--persist df AS TABLE"),
        ("--persist df --append df", "exclude each other", "--persist makes the table"),
        (
            "postgresql://host/db SELECT 1",
            "takes the name of a configured connection, not a URL",
            "%tusk connect NAME URL",
        ),
    ],
)
def test_a_wrong_option_says_what_there_is(line, message, hint):
    with pytest.raises(UsageError) as caught:
        parse_sql_line(line)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_an_upload_names_its_table_or_takes_the_variable_s_name():
    assert parse_sql_line("wh --persist df").table == "df"
    assert parse_sql_line("wh --append df AS main.planes").table == "main.planes"
    assert parse_sql_line('wh --persist df as "my table"').table == '"my table"'
    assert parse_sql_line("--persist df AS t").connection is None


@pytest.mark.parametrize("name", ["t", '"My Table"', "`t`", "[t]", 'lake."a.b -- c"', "größe", "a-b", 'main . "t"'])
@pytest.mark.parametrize("behind", ["", ";", " -- note", " /* note */ ;", "\n# note\n"])
def test_what_stands_behind_the_table_of_an_upload_is_no_part_of_its_name(name, behind):
    assert parse_sql_line(f"wh --persist df AS {name}{behind}").table == name


@pytest.mark.parametrize("text", ["my table", '"a" b', "a, b", '"open', "a SELECT 1"])
def test_more_than_one_name_behind_as_is_refused(text):
    with pytest.raises(UsageError, match="one table's name is expected") as caught:
        parse_sql_line(f"--persist df AS {text}")
    assert '"My table"' in (caught.value.hint or "")


@pytest.mark.parametrize("sql", ["", "  \n\t", "-- a", "/* a\n b */ ;; -- c", "# a", ";"])
def test_a_cell_of_comments_is_blank(sql):
    assert is_blank(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "-- a\nSELECT 1", "/* a */ x", "'--'", "/* open", "/*!40101 SET @a = 1 */;", "/*M! SELECT 1 */"]
)
def test_anything_else_is_not(sql):
    assert not is_blank(sql)


def test_a_long_run_of_blanks_is_read_in_no_time():
    assert not is_blank(" \n" * 200_000 + "x")
