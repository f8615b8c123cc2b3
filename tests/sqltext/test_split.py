"""Where statements begin and end, under each engine's own lexical rules."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.growth import assert_one_pass

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext import statements
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_jupyter.sqltext.statements import split

NAMES = sorted(DIALECTS)


def texts(sql: str, dialect: str = "ansi") -> list[str]:
    return [one.text for one in split(sql, dialect)]


def commands(sql: str, dialect: str = "ansi") -> list[str]:
    return [one.command for one in split(sql, dialect)]


# --- what the incumbent gets wrong (UX 3.6, 3.7) ---


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 << 4",  # UX 3.6 line 1: `<<` anywhere was an assignment
        "SELECT 'b << c'",
        "SELECT 'a :foo b'",  # UX 3.6 line 2: a colon in a literal asked for a parameter
        "SELECT '{% x %}', '{{ y }}', '{#c#}'",  # UX 3.6 line 3: template signs in a literal
        "SELECT 'it''s'",  # UX 3.6 line 4: shlex re-tokenised the SQL
        "SELECT instr(' ', ' ')",
        "SELECT a FROM t WHERE b -> 'c' = -1",
        "SELECT 1 -- audit: tag",  # UX 3.6 line 7: comments were stripped before sending
        "SELECT /*+ hint */ 1 /* trailing */",
        "WITH\n x AS (SELECT 1) SELECT * FROM x",  # UX 3.7 line 1: newline after WITH
        "-- lead\nWITH x AS (SELECT 1) SELECT * FROM x",
    ],
)
def test_text_is_one_statement_exactly_as_written_and_names_no_parameter(sql, dialect):
    (one,) = split(sql, dialect)
    assert (one.text, one.start, one.parameters) == (sql, 0, ())


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize("sql", ["", "  \n\t", ";", ";;\n;", "-- only", "/* only */", "/* a */ ; -- b\n;", "-- c"])
def test_empty_and_comment_only_texts_have_no_statement(sql, dialect):  # UX 3.6 line 6: UnboundLocalError
    assert split(sql, dialect) == ()


def test_comment_behind_the_separator_is_no_statement():  # UX 3.6 line 6: J907
    assert texts("SELECT 1; -- done") == ["SELECT 1"]


def test_comment_before_a_statement_belongs_to_it():
    assert texts("SELECT 1; -- second\nSELECT 2") == ["SELECT 1", "-- second\nSELECT 2"]


def test_starts_count_from_the_submitted_text():
    sql = "  SELECT 1 ;\n\n /* b */ SELECT 2;SELECT 3"
    assert [(one.start, sql[one.start : one.start + len(one.text)]) for one in split(sql, "ansi")] == [
        (2, "SELECT 1"), (15, "/* b */ SELECT 2"), (32, "SELECT 3"),
    ]  # fmt: skip


# --- separators that are none ---

ROUTINES_OF_MARIADB = [
    "CREATE AGGREGATE FUNCTION f(x INT) RETURNS INT BEGIN DECLARE t INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND "
    "RETURN t; LOOP FETCH GROUP NEXT ROW; SET t = t + x; END LOOP; END",
    "CREATE DEFINER=user@localhost PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
    "CREATE DEFINER=role PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
    "CREATE OR REPLACE DEFINER = CURRENT_USER() FUNCTION f() RETURNS INT SQL SECURITY INVOKER BEGIN RETURN 1; END",
    "CREATE PROCEDURE IF NOT EXISTS p() WHILE @a < 3 DO SET @a = @a + 1; SET @b = 1; END WHILE",
    "CREATE FUNCTION IF NOT EXISTS f() RETURNS INT IF @a THEN RETURN 1; ELSE RETURN 2; END IF",
    "CREATE PROCEDURE IF NOT EXISTS p() REPEAT SET @a = @a + 1; UNTIL @a > 3 END REPEAT",
    "CREATE TRIGGER begin BEFORE INSERT ON begin FOR EACH ROW FOLLOWS begin BEGIN SET NEW.a = 1; SET @b = NEW.begin; END",
    "CREATE TRIGGER end BEFORE INSERT ON end FOR EACH ROW SET NEW.begin = NEW.end",
    "CREATE PROCEDURE begin() BEGIN DECLARE begin INT; SELECT t.begin begin FROM begin; UPDATE end SET end = 1; END",
    "CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 DAY DO IF 1 THEN SELECT 1; SELECT 2; END IF",
    "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR NOT FOUND, SQLSTATE '42000', 1051 BEGIN SELECT 1; END; SELECT 2; END",
]
TRIGGERS_OF_SQLITE = [
    "CREATE TRIGGER begin AFTER UPDATE OF begin, end ON end BEGIN SELECT begin, end FROM begin; DELETE FROM end; END",
    "CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT CASE a WHEN 1 THEN 2 END end; SELECT 1 AS end; /* ; */ END",
    "CREATE TEMP TRIGGER t AFTER INSERT ON x WHEN new.end > new.begin BEGIN UPDATE end SET end = 1; SELECT 2; END",
    "EXPLAIN CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; SELECT 2; END",
    "EXPLAIN QUERY PLAN CREATE TEMPORARY TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; SELECT 2; END",
]

ONE = {
    "all": [
        "SELECT ';'", "SELECT ';;' || ';'", "SELECT 'a''; b'", "SELECT 1 /* ; */", "SELECT 1 -- ;\n + 1",
        "SELECT 'a\n;\nb'",
        "SELECT '", "SELECT ';", "SELECT /* ;",
    ],
    "postgresql": [
        'SELECT 1 AS "a;b"', "SELECT $$;$$", "SELECT $tag$ ; $$ ; $other$ ; $tag$", "SELECT E'\\';'",
        "SELECT e'a\\\\' || ';'",
        "SELECT /* a /* ; */ ; */ 1", "SELECT U&'d;'", 'SELECT U&"d;"', "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$",
        "CREATE FUNCTION f() RETURNS int AS $f$ BEGIN RETURN 1; END; $f$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END",
        "CREATE OR REPLACE PROCEDURE p(a int) LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (a); DELETE FROM u; END",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b)",
        "SELECT a$b$c, 1 AS d$e$ ", "SELECT 'a\\'", "SELECT '\\' || ';'", "SELECT $é$;$é$",
    ],
    "duckdb": [
        "SELECT $$;$$", 'SELECT 1 AS "a;b"', "SELECT /* a /* ; */ ; */ 1", "SELECT E'\\';'", "SELECT `a;b` FROM t",
        "SELECT {'a': ';', b: [1, 2]}", "SELECT list_transform([1], lambda x: x + 1)",
    ],
    "mysql": [
        "SELECT `a;b`", 'SELECT "a;b"', "SELECT 'it\\'s;'", 'SELECT "a\\";"', "SELECT 1 # ;\n + 1", "SELECT 5--3",
        "SELECT 1 -- ;\n + 1", "/*!40101 SET @a = ';' */", "/*M!100200 SET @a = 1 */", "SELECT /*! ';', */ 1",
        "CREATE PROCEDURE p() BEGIN END", "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "CREATE DEFINER=`root`@`localhost` PROCEDURE p() SQL SECURITY INVOKER COMMENT 'x;y' BEGIN SELECT 1; END",
        "CREATE OR REPLACE FUNCTION f(a INT) RETURNS INT DETERMINISTIC BEGIN IF a THEN RETURN 1; ELSEIF (a > 1) "
        "THEN RETURN 2;"
        " ELSE RETURN IF(a, 1, 2); END IF; RETURN CASE a WHEN 1 THEN 2 ELSE 3 END; END",
        "CREATE FUNCTION f(a INT) RETURNS INT RETURN CASE WHEN a THEN 1 ELSE 2 END",
        "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = REPEAT('x', 3); END",
        "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW IF NEW.a > 5 THEN SET NEW.a = 5; SET NEW.b = 1; END IF",
        "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = IF(NEW.a > 5, 5, NEW.a)",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; DELETE FROM b; END",
        "CREATE PROCEDURE p() l: BEGIN outerloop: LOOP WHILE x < 1 DO SET x = x + 1; END WHILE; REPEAT SET x = "
        "1; UNTIL x > 2"
        " END REPEAT; IF x THEN LEAVE outerloop; END IF; END LOOP outerloop; END l",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; DECLARE c CURSOR "
        "FOR SELECT 1;"
        " SELECT 1 FOR UPDATE; CASE x WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END",
        "CREATE PROCEDURE p() BEGIN SELECT begin, t.end FROM t WHERE start > 1 AND end < 2; SELECT 3; END",
        "CREATE PROCEDURE p() BEGIN IF IF(a, b, c) THEN SELECT 1; END IF; IF CASE WHEN IF(a,b,c) THEN d END "
        "THEN SELECT 2;"
        " END IF; DROP TABLE IF EXISTS t; SELECT 3; END",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR 1051 DO SLEEP(0); SET @a = 1 + REPEAT('1', 2); END",
        "CREATE PROCEDURE p() FOR i IN 1..3 DO SELECT i; SELECT i + 1; END FOR",
        "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", "IF @a THEN SELECT 1; SELECT 2; END IF",
        *ROUTINES_OF_MARIADB,
    ],
    "sqlite": [
        "SELECT [a;b] FROM t", "SELECT `a;b`, \"c;d\"", "SELECT 'it\\'",
        "CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; UPDATE y SET a = CASE WHEN 1 THEN 2 END; END",
        "CREATE TEMP TRIGGER IF NOT EXISTS t AFTER UPDATE OF a ON x FOR EACH ROW WHEN new.a > 1 BEGIN DELETE "
        "FROM y; END",
        "CREATE TRIGGER [begin] AFTER INSERT ON \"end\" BEGIN SELECT 1; SELECT 2; END",
        *TRIGGERS_OF_SQLITE,
    ],
    "ansi": [
        "CREATE PROCEDURE p AS BEGIN INSERT INTO a VALUES (1); DELETE FROM b; END",
        # UX 3.6 last line: cut into 3 pieces
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [(name, sql) for name in NAMES for sql in [*ONE["all"], *ONE[name]]],
)
def test_one_statement_stays_whole(dialect, sql):  # QB-40, UX 3.6
    assert texts(f"{sql}", dialect) == [sql.strip()]
    if sql not in ("SELECT '", "SELECT ';", "SELECT /* ;"):  # these run to the end, whatever follows
        assert texts(f"{sql}\n;\nSELECT 99 ;", dialect) == [sql.strip(), "SELECT 99"]


@pytest.mark.parametrize(
    ("dialect", "sql", "found"),
    [
        ("postgresql", "BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
        ("mysql", "BEGIN; SELECT 1; COMMIT", ["BEGIN", "SELECT 1", "COMMIT"]),
        ("sqlite", "BEGIN IMMEDIATE; SELECT 1; END", ["BEGIN IMMEDIATE", "SELECT 1", "END"]),
        ("sqlite", "SELECT 'a\\'; SELECT 2", ["SELECT 'a\\'", "SELECT 2"]),
        ("postgresql", "SELECT 'a\\'; SELECT 2", ["SELECT 'a\\'", "SELECT 2"]),
        ("mysql", "SELECT 1 AS [it's];\nSELECT 2 AS [that's]", ["SELECT 1 AS [it's]", "SELECT 2 AS [that's]"]),
        ("mysql", "SELECT 1 AS [a]]b;]; SELECT 2", ["SELECT 1 AS [a]]b;]", "SELECT 2"]),
        ("mysql", "SELECT [ 1; SELECT 2", ["SELECT [ 1", "SELECT 2"]),
        ("mysql", "SELECT 1 --; SELECT 2", ["SELECT 1 --", "SELECT 2"]),
        ("postgresql", "SELECT 1 # 2; SELECT 3", ["SELECT 1 # 2", "SELECT 3"]),
        ("sqlite", "SELECT /* a /* b */ 1; SELECT 2", ["SELECT /* a /* b */ 1", "SELECT 2"]),
        ("mysql", "DROP PROCEDURE IF EXISTS p; SELECT 1", ["DROP PROCEDURE IF EXISTS p", "SELECT 1"]),
        ("mysql", "DROP TRIGGER t; CREATE TABLE begin_end (a INT); SELECT 1",
         ["DROP TRIGGER t", "CREATE TABLE begin_end (a INT)", "SELECT 1"]),
        ("postgresql", "CREATE TABLE a (b int); CREATE FUNCTION f() RETURNS int RETURN 1; SELECT 2",
         ["CREATE TABLE a (b int)", "CREATE FUNCTION f() RETURNS int RETURN 1", "SELECT 2"]),
        ("postgresql", "SELECT (1; SELECT 2", ["SELECT (1", "SELECT 2"]),
        ("sqlite", "SELECT $a$; SELECT 2", ["SELECT $a$", "SELECT 2"]),
        ("sqlite", "CREATE INDEX trigger ON t (a); SELECT 2", ["CREATE INDEX trigger ON t (a)", "SELECT 2"]),
        ("sqlite", "DROP TRIGGER t; SELECT 2", ["DROP TRIGGER t", "SELECT 2"]),
        ("mysql", "CREATE USER function@localhost; BEGIN; SELECT 2", ["CREATE USER function@localhost", "BEGIN", "SELECT 2"]),
        ("mysql", "CREATE DEFINER=procedure@localhost VIEW begin AS SELECT 1 begin; SELECT 2",
         ["CREATE DEFINER=procedure@localhost VIEW begin AS SELECT 1 begin", "SELECT 2"]),
        ("postgresql", "SELECT 1 -- a\r; SELECT 2", ["SELECT 1 -- a", "SELECT 2"]),
        ("duckdb", "SELECT 1 -- a\r; SELECT 2", ["SELECT 1 -- a", "SELECT 2"]),
        ("duckdb", "SELECT 1;\ufeff;SELECT 2;\u200b", ["SELECT 1", "SELECT 2"]),
        ("postgresql", "SELECT E'a' -- b\n'\\';c'; SELECT 2", ["SELECT E'a' -- b\n'\\';c'", "SELECT 2"]),
        ("postgresql", "SELECT $🦆$a;b$🦆$; SELECT 2", ["SELECT $🦆$a;b$🦆$", "SELECT 2"]),
    ],
)  # fmt: skip
def test_several_statements_are_cut_at_their_separators(dialect, sql, found):
    assert texts(sql, dialect) == found


def test_delimiter_lines_change_the_separator():
    sql = (
        "SELECT 1;\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END$$\n"
        "SELECT ';' $$\ndelimiter //\nSELECT 3; SELECT 4 //\nDELIMITER ;\nSELECT 5; SELECT 6"
    )
    assert texts(sql, "mysql") == [
        "SELECT 1", "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "SELECT ';'", "SELECT 3; SELECT 4",
        "SELECT 5",
        "SELECT 6",
    ]  # fmt: skip


def test_delimiter_in_the_middle_of_a_statement_is_a_word():
    assert texts("SELECT delimiter FROM t; SELECT 2", "mysql") == ["SELECT delimiter FROM t", "SELECT 2"]
    assert texts("DELIMITER //\nSELECT 1;//", "postgresql") == ["DELIMITER //\nSELECT 1", "//"]


def test_body_without_an_end_keeps_the_rest():
    """Cut at its semicolons, its statements would run as if they stood alone."""
    sql = "CREATE PROCEDURE p() BEGIN DELETE FROM a; DELETE FROM b"
    assert texts(sql, "mysql") == [sql]


def test_unknown_dialect_is_named():
    with pytest.raises(UsageError, match=r"'nosql'.*postgresql"):
        split("SELECT 1", "nosql")


# --- commands ---


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("select 1", "SELECT"), ("/* x */ -- y\n ((SELECT 1) UNION (SELECT 2))", "SELECT"),
        ("with a as (select 1) select 2", "WITH"),
        ("create table t (a int)", "CREATE TABLE"), ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE VIEW"),
        ("create unique index i on t (a)", "CREATE INDEX"), ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE VIEW"),
        ("drop table if exists t", "DROP TABLE"), ("ALTER TABLE t ADD COLUMN view int", "ALTER TABLE"), ("vacuum",
        "VACUUM"),
        ("INSERT INTO t VALUES (1)", "INSERT"), ("explain analyze delete from t", "EXPLAIN"), ("CREATE WIDGET w",
        "CREATE"),
        ("1 + 1", ""), ("'a'", ""), ("FROM t", "FROM"), ("CREATE USER x PASSWORD 'y'", "CREATE USER"),
    ],
)  # fmt: skip
def test_command_is_what_the_log_calls_it(sql, command):
    assert commands(sql) == [command]


def test_code_comment_has_the_command_of_its_code():
    assert commands("/*!40101 SET NAMES utf8 */;", "mysql") == ["SET"]


# --- invariants ---

PIECES = st.sampled_from(
    [
        ";", "'", '"', "`", "[", "]", "(", ")", "{", "}", "$$", "$a$", "--", "-- ", "/*", "*/", "/*!", "#", "\n", " ",
        ":", "::", ":=",
        ":x", "E'", "U&'", "\\", "\\'", "BEGIN", "END", "CREATE TRIGGER", "CREATE PROCEDURE p()", "CASE", "IF", "THEN",
        "LOOP",
        "ATOMIC", "DELIMITER //", "DELIMITER $$", "//", "SELECT", "1", "a", "é", "\U0001f600", "\x00", "\t", "0x",
        ".5e", "lambda x",
    ]
)  # fmt: skip
ANY_SQL = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join), st.lists(PIECES, max_size=30).map(" ".join)
)


@given(sql=ANY_SQL, dialect=st.sampled_from(NAMES))
@settings(max_examples=1500, deadline=None)
def test_statements_are_slices_and_gaps_hold_nothing_else(sql, dialect):
    """No text makes the splitter fail, lose a character or change one."""
    found = split(sql, dialect)
    at, gaps = 0, []
    for one in found:
        assert one.start >= at
        assert sql[one.start : one.start + len(one.text)] == one.text
        gaps.append((at, one.start))
        at = one.start + len(one.text)
    gaps.append((at, len(sql)))
    nothing = (Kind.SEPARATOR, Kind.COMMENT, Kind.DIRECTIVE)
    covered = tokens(sql, DIALECTS[dialect])
    for start, end in gaps:
        inside = [token for token in covered if start <= token.start < end]
        assert all(token.kind in nothing for token in inside)
        blank = "".join(
            sign
            for place, sign in enumerate(sql[start:end], start)
            if not any(t.start <= place < t.end for t in inside)
        )
        assert not blank.strip()


@given(sql=ANY_SQL, dialect=st.sampled_from(NAMES))
@settings(max_examples=800, deadline=None)
def test_tokens_are_in_order_and_between_them_is_blank(sql, dialect):
    at = 0
    for token in tokens(sql, DIALECTS[dialect]):
        assert token.start >= at
        assert token.end > token.start
        assert not sql[at : token.start].strip()
        at = token.end
    assert not sql[at:].strip()


@given(sql=ANY_SQL, dialect=st.sampled_from(NAMES))
@settings(max_examples=500, deadline=None)
def test_placeholders_lie_in_their_statement(sql, dialect):
    for one in split(sql, dialect):
        for place in one.placeholders:
            assert one.text[place.start : place.end] == f":{place.name}"
        bound = one.bind(lambda name, number: f":{name}")  # with a blank where a word stands before: CASE:a
        assert bound.replace(" ", "") == one.text.replace(" ", "")


def split_by_tokens(sql: str, dialect: str) -> tuple[statements.Statement, ...]:
    """Return what `split` returns where each statement is read token by token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "_READ", Everything())
        return split(sql, dialect)


class Everything:
    def __contains__(self, word: str) -> bool:
        return True


PARTS = st.sampled_from(
    [
        "SELECT 1;", "(SELECT", "INSERT INTO t VALUES ('a')", ";", ":::x", "::x", ":x", "\n", "\r",
        "-- ;\n", "/* ; */", "/* /* ;",
        "$$;$$", "$é$", "'", "E'\\'", "[a;]", "[", "]]", "`", "#", "\nDELIMITER //\n", "//",
        "\nDELIMITER ;\n", "CREATE TRIGGER", "BEGIN",
        "END", "/*!", "\xa0", "\u3000", "\ufeff", "\x1c", "\x85", "a$b",
    ]
)  # fmt: skip


@given(parts=st.lists(PARTS, max_size=14), glue=st.sampled_from(["", " "]), dialect=st.sampled_from(NAMES))
@settings(max_examples=800, deadline=None)
def test_statements_are_the_same_with_and_without_their_tokens(parts, glue, dialect):
    sql = glue.join(parts)
    assert split(sql, dialect) == split_by_tokens(sql, dialect)


@pytest.mark.parametrize("dialect", NAMES)
def test_plain_statements_of_a_script_are_cut_without_their_tokens(dialect, monkeypatch):
    """A script of 5 MB is cut in half a second so, and took three."""
    read = []
    monkeypatch.setattr(statements.Lexer, "__iter__", lambda self: read.append(self) or iter(()))
    rows = "INSERT INTO t VALUES (1, 'it''s', '{\"a\":1}', '12:30', $$;$$);\n-- done; not\nSELECT a::text FROM t;\n"
    script = ((rows if dialect in ("postgresql", "duckdb") else rows.replace("$$;$$", "'[;'")) * 500).rstrip()
    assert [one.command for one in split(script, dialect)] == ["INSERT", "SELECT"] * 500
    assert not read


# --- against the engines themselves ---


@given(
    parts=st.lists(st.sampled_from(["'", "''", "a", "--", "\n", "/*", "*/", '"', ";", "[", "]", "`", " "]), max_size=12)
)
@settings(max_examples=400, deadline=None)
def test_sqlite_agrees_where_a_statement_ends(parts):
    """sqlite3_complete says whether a text ends with a separator that is no part of a literal or comment."""
    sql = "SELECT 1 " + "".join(parts) + ";"
    found = tokens(sql, DIALECTS["sqlite"])
    last = [token for token in found if token.kind is not Kind.COMMENT][-1]
    final = sql[found[-1].start :]
    broken_off = final.startswith("/*") and (not final.endswith("*/") or final == "/*/")
    assert sqlite3.complete_statement(sql) == (last.kind is Kind.SEPARATOR and not broken_off)


def statements_of_sqlite(sql: str) -> list[str]:
    """Return what SQLite's own shell sends: it goes on reading until the text is complete."""
    found, begun = [""], 0
    for at, sign in enumerate(sql, 1):
        if sign == ";" and sqlite3.complete_statement(sql[begun:at]):
            found[-1] = sql[begun : at - 1]
            found.append("")
            begun = at
    return [*found[:-1], sql[begun:]]


@given(
    parts=st.lists(
        st.sampled_from(
            [
                "CREATE", "TEMP", "TRIGGER", "t", "BEGIN", "END", "; END", "; END;", ";", "CASE", "SELECT 1", "/* ; */",
                "-- ;\n", "'end;'", "[begin;]", *(f"{one};" for one in TRIGGERS_OF_SQLITE),
            ]
        ),
        max_size=8,
    )
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_sqlite_agrees_where_triggers_end(parts):
    sql = " ".join(parts)
    theirs = [part for part in statements_of_sqlite(sql) if texts(part, "sqlite")]
    found = split(sql, "sqlite")
    assert len(found) == len(theirs)
    assert all(one.text in whole for one, whole in zip(found, theirs, strict=True))


@given(
    parts=st.lists(
        st.sampled_from(
            [
                "'x'",
                "'a''b'",
                "E'\\''",
                "E'a'\n'b\\';'",
                "$$;$$",
                "$t$ ' $t$",
                "$🦆$;$🦆$",
                "/* /* ; */ */",
                "-- ;\n",
                "--;\r",
                '"q;"',
                "`a;`",
                ";",
                "1",
                ",",
                " ",
                "\ufeff",
                "\u3000",
                "a$b",
                "x'1f'",
                "[1]",
                "{'a': 1}",
                "; SELECT",
                "; COMMIT",
            ]
        ),
        max_size=10,
    )
)
@settings(max_examples=300, deadline=None)
def test_duckdb_agrees_how_many_statements_there_are(parts):
    sql = "SELECT 1, " + " ".join(parts)
    try:
        theirs = len(duckdb.extract_statements(sql))
    except duckdb.Error:  # not every order of the parts is SQL
        return
    assert len(split(sql, "duckdb")) == theirs


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    "sign", ["a''", "/*", "(", "x", "CASE ", ":a", "[", "[a]]", "IF(", "\\'", "-", "$", "DELIMITER //\n"], ids=repr
)
def test_many_of_one_sign_are_read_in_one_pass(sign, dialect):
    """A pattern that backtracks or a scan that restarts would take hours for a megabyte."""
    before = {"a''": "'", "x": "$$", "IF(": "CREATE PROCEDURE p() "}.get(sign, "")
    assert_one_pass(lambda sql: split(sql, dialect), sign, before=before)
