"""What a server, a file or a notebook says cannot steer a terminal; what it says stays readable."""

from __future__ import annotations

import io
import json
import logging

import pytest

from tusk_jupyter.cli.options import print_json
from tusk_jupyter.cli.output import Listing, one_line
from tusk_jupyter.cli.terminal import TerminalOutput, print_table, run_command_line
from tusk_jupyter.errors import QueryError
from tusk_jupyter.visible import visible, visible_line

STEERING = ["\x1b[2J", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "a\rb", "\x08\x08", "\x7f", "\x00",
            "x\u202etxt.exe", "\u2066a\u2069", "\x85", "\u2028", "\x1bP+q\x1b\\",
            "a\u200eb", "مرحبا \u200fשלום", "\u061ca", "\u206a", "\udc80"]  # fmt: skip
PLAIN = [
    "ü 日本語 한국어",
    "\U0001f469\U0001f3fd\u200d\U0001f4bb",
    "e\u0301 नमस्ते",
    "مرحبا שלום",
    "می\u200cخواهم",
    "tab\tand\nline",
    "",
]
MARKS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070))
OBEYED = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *MARKS)} - {
    "\n",
    "\t",
}


@pytest.mark.parametrize("text", STEERING)
def test_what_would_be_obeyed_is_made_visible(text):
    assert not OBEYED & set(visible(text))
    assert len(visible(text)) == len(text)
    visible(text).encode()


@pytest.mark.parametrize("text", PLAIN)
def test_everything_else_stays(text):
    assert visible(text) == text


def test_an_escape_can_be_read():
    assert visible("\x1b[31mred\x07") == "␛[31mred␇"
    assert visible("a\r\nb") == "a\nb"
    assert visible_line("a\r\n\tb\x1b") == "a b␛"


@pytest.mark.parametrize("text", STEERING)
def test_no_output_of_the_command_line_lets_it_through(text, capsys):
    output = TerminalOutput()
    output.say(f"a {text}")
    output.listing(Listing(columns=("a", text), rows=[(text, "b")], records=None, empty="", notes=(f"note {text}",)))
    output.listing(Listing(columns=("a",), rows=[], records=None, empty=f"nothing {text}"))
    said = capsys.readouterr().out
    assert not OBEYED & set(said)
    table = io.StringIO()
    print_table(Listing(columns=("a",), rows=[(text,)], records=None, empty=""), to=table, width=80)
    assert not OBEYED & set(table.getvalue())
    assert not OBEYED & set(one_line(text))


@pytest.mark.parametrize("text", STEERING)
def test_no_error_of_the_command_line_lets_it_through(text, capsys, monkeypatch):
    def refused(words, *, output):
        raise QueryError(f"m {text}", hint=f"h {text}", detail=f"d {text}")

    monkeypatch.setattr("tusk_jupyter.cli.group.run_verb", refused)
    assert run_command_line(["info"]) == 1
    said = capsys.readouterr().err
    assert "tusk: m " in said
    assert not OBEYED & set(said)


@pytest.mark.parametrize("text", STEERING[:-1])
def test_json_is_exact_and_escaped(text, capsys):
    print_json({"a": text})
    said = capsys.readouterr().out
    assert not OBEYED & set(said)
    assert json.loads(said) == {"a": text}


@pytest.mark.parametrize("text", STEERING)
def test_no_error_and_no_page_lets_it_through(text):
    from tusk_magics.completion.describing import words_bundle
    from tusk_magics.errors import error_lines
    from tusk_magics.place import Place
    from tusk_widgets.listing import listing_html

    exc = QueryError(f"m {text}", hint=f"h {text}", detail=f"d {text}", code=f"c{text}", position=3)
    shown = [str(exc), *error_lines(exc, Place(text=f"ab {text} cd"))]
    shown += [listing_html([f"a{text}"], [[text]], notes=[text]), *words_bundle(text, [text]).values()]
    for one in shown:
        assert not OBEYED & set(one)


def test_the_diagnostic_log_takes_no_entry_of_others():
    from tusk_jupyter.service.lifecycle import _Lines

    record = logging.LogRecord(
        "x", logging.ERROR, "", 0, "it said: %s", ("a\n2026-01-01 INFO core forged\x1b[2J",), None
    )
    lines = _Lines("%(levelname)s %(message)s").format(record).split("\n")
    assert lines[0] == "ERROR it said: a"
    assert all(line.startswith("    ") for line in lines[1:])
    assert not OBEYED & set("".join(lines))
