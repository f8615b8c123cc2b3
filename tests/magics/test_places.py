"""Errors point into the user's own cell: its lines, its columns, its token."""

import pytest

from tusk_jupyter.errors import Cancelled, ConnectError, QueryError
from tusk_magics.errors import error_lines
from tusk_magics.place import Place, place_in_cell


def test_lines_and_columns_are_counted_from_the_top_of_the_cell():
    raw = "%%sql warehouse\n-- late flights\nSELECT *\nFROM fligths"
    place = place_in_cell(raw, "%sql warehouse\n-- late…", "-- late flights\nSELECT *\nFROM fligths\n")
    position = "-- late flights\nSELECT *\nFROM fligths".index("fligths")
    assert place.line_and_column(position) == (4, 6)
    assert place.excerpt(position) == ["    4 | FROM fligths", "      |      ^^^^^^^"]


def test_a_line_magic_is_found_on_its_own_line_also_when_it_stands_there_twice():
    raw = "x = 1\n%sql SELECT nope\ny = 2\n%sql SELECT nope"
    assert place_in_cell(raw, "%sql SELECT nope", "SELECT nope", 2).line_and_column(7) == (2, 13)
    assert place_in_cell(raw, "%sql SELECT nope", "SELECT nope", 4).line_and_column(7) == (4, 13)


def test_without_the_cell_the_magic_s_own_text_is_shown():
    place = place_in_cell(None, "%sql wh SELECT nope", "SELECT nope")
    assert place.line_and_column(7) == (1, 16)


@pytest.mark.parametrize(
    ("text", "position", "mark"),
    [
        ('SELECT "no such" FROM t', 7, "^" * 9),
        ("SELECT 'open", 7, "^"),
        ("SELECT a b", 10, "^"),
        ("SELECT )", 7, "^"),
        ("SELECT cafés", 7, "^" * 5),
        ("SELECT 名前", 7, "^" * 4),
    ],
)
def test_the_whole_token_is_underlined(text, position, mark):
    line, under = Place(text=text).excerpt(position)
    assert line.endswith(text)
    assert under.endswith((" " + mark, "|" + mark))
    assert under.count("^") == len(mark)


def test_the_mark_stands_below_its_token_behind_wide_and_combining_characters():
    _, under = Place(text="SELECT '名前', cafe\u0301, x").excerpt(20)
    # 名前 takes four columns, e + accent one
    assert under.index("^") - len("      | ") == len("SELECT 'xxxx', cafe, ")


def test_a_long_line_is_cut_around_the_mark():
    text = "SELECT " + "a, " * 200 + "nope, " + "b, " * 200
    line, under = Place(text=text).excerpt(text.index("nope"))
    assert len(line) < 120
    assert line[under.index("^") :].startswith("nope")


def test_a_position_behind_the_end_still_has_a_place():
    line, under = Place(text="SELECT (1").excerpt(99)
    assert line.endswith("SELECT (1")
    assert under.endswith("^")


# TK-21
def test_an_error_shows_kind_message_place_detail_hint_and_code():
    exc = QueryError(
        'column "dep" does not exist', hint='Perhaps "dep_delay".', detail="d", position=7, code="42703", statement=1
    )
    lines = error_lines(exc, Place(text="SELECT dep\nFROM t"), statements=3)
    assert lines == [
        'Query error: column "dep" does not exist',
        "  line 1, column 8 of the cell · statement 2 of 3; 1 was run before it",
        "",
        "    1 | SELECT dep",
        "      |        ^^^",
        "",
        "Detail: d",
        'Hint: Perhaps "dep_delay".',
        "Code: 42703",
    ]


def test_a_message_that_begins_with_its_kind_does_not_say_it_twice():
    assert error_lines(Cancelled("Cancelled after 2.1 s; the statement was stopped."), None) == [
        "Cancelled after 2.1 s; the statement was stopped."
    ]
    assert error_lines(Cancelled("Stopped."), None) == ["Cancelled: Stopped."]


# scenarios: which stage of a sign-in failed
def test_the_stage_of_a_failed_sign_in_is_told_in_words():
    assert error_lines(ConnectError("Refused.", detail="stage=tcp"), None)[1] == "Failed at: reaching the host and port"
    lines = error_lines(ConnectError("Refused.", detail="stage=sign-in\nsaid the server"), None)
    assert lines[1:] == ["Failed at: signing in", "Detail: said the server"]
    assert error_lines(ConnectError("Locked.", detail="stage=file since noon"), None)[2] == "Detail: since noon"


def test_a_server_s_message_cannot_move_the_cursor():
    lines = error_lines(Cancelled("\x1b[2J\x07gone\x1b]0;title\x07"), None)
    assert "\x1b" not in "".join(lines)
    assert "\x07" not in "".join(lines)


# an error is an output, which is saved and shared with a notebook whose cell was mended
def test_a_password_is_not_in_the_excerpt():
    sql = "CREATE ROLE ann PASSWORD 'walnut' BOGUS"
    place = Place(text=sql, name="the rendered SQL")
    line, mark = place.excerpt(sql.index("BOGUS"))
    assert line.endswith("CREATE ROLE ann PASSWORD '***' BOGUS")
    assert line[mark.index("^") : mark.rindex("^") + 1] == "BOGUS"
    assert place.without_secrets("near 'walnut'") == "near '***'"
    assert "walnut" not in Place(text="%%sql a\n" + sql, start=8).excerpt(sql.index("BOGUS"))[0]
