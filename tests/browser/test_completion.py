"""What completion shows in a cell: at the first Tab, in a schema of thousands, and while one types on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

DRIVER = Path(__file__).parent.parent / "scripted_driver"
READING = "reading the schema…"
TABLES = 2000


@pytest.fixture(scope="module")
def gate(lab):
    """The schema of `slow` is not read before this file is there."""
    return lab.notebooks / "gate"


@pytest.fixture
def notebook(lab, window, gate):
    manifest = {"name": "scripted", "command": [sys.executable, str(DRIVER / "__main__.py")]}
    lab.write(
        "completion.ipynb",
        "import os, pathlib\nfolder = pathlib.Path(os.environ['TUSK_HOME'], 'drivers')\nfolder.mkdir(exist_ok=True)\n"
        f"(folder / 'scripted.json').write_text({json.dumps(manifest)!r})\n%load_ext tusk_jupyter\n"
        f"%tusk connect slow scripted://host/db --set gate={gate} --replace",
        "%tusk connect pond pond.duckdb --replace\n"
        f"sql = ';'.join(f'CREATE TABLE many.table_{{n:04d}} (i INT)' for n in range(1, {TABLES + 1}))\n"
        "sql += '; CREATE TABLE pairs (tz INT, tb INT, zt INT)'\n"
        "get_ipython().run_cell_magic('sql', 'pond', 'BEGIN; CREATE SCHEMA many;' + sql + ';COMMIT')\n"
        "from IPython.display import clear_output\nclear_output()",
        "%%sql slow\nSELECT * FROM ",
        "%%sql pond\nSELECT * FROM many.table_19",
        "%%sql pond\nSELECT * FROM many.",
        "%%sql pond\nSELECT * FROM pairs WHERE pairs.",
    )
    return window("completion.ipynb", workspace="completion", stays=True)


def go_to_end(page, number):
    page.cell(number).locator(".cm-content").click()
    page.page.keyboard.press("Control+End")


def entries(page):
    return page.page.locator(".jp-Completer:visible .jp-Completer-item")


def test_the_first_tab_says_that_the_schema_is_read_and_shows_it_when_it_is_there(notebook, gate):
    notebook.run_cell(0)
    go_to_end(notebook, 2)
    notebook.page.keyboard.press("Tab")
    expect(entries(notebook).first).to_contain_text(READING)
    notebook.picture("1 reading")
    notebook.page.keyboard.type("to")
    expect(entries(notebook).first).to_contain_text(READING)
    notebook.page.keyboard.press("Enter")
    expect(notebook.cell(2).locator(".cm-content")).to_have_text("%%sql slowSELECT * FROM to")
    notebook.page.keyboard.press("Tab")
    expect(entries(notebook).first).to_contain_text(READING)
    gate.touch()
    expect(entries(notebook).first).to_contain_text("toads")
    notebook.picture("2 read")
    notebook.page.keyboard.press("Enter")
    expect(notebook.cell(2).locator(".cm-content")).to_have_text("%%sql slowSELECT * FROM toads")


def test_what_begins_as_typed_comes_first_in_a_schema_of_thousands(notebook):
    for number in (0, 1):
        notebook.run_cell(number)
    go_to_end(notebook, 3)
    notebook.page.keyboard.press("Tab")
    assert_first(notebook, "table_1900")
    notebook.picture("1 opened behind table_19")
    notebook.page.keyboard.press("Tab")  # takes nothing of what is typed back
    expect(notebook.cell(3).locator(".cm-content")).to_contain_text("many.table_19")
    notebook.page.keyboard.press("Escape")
    go_to_end(notebook, 4)
    notebook.page.keyboard.press("Tab")
    assert_first(notebook, "table_0001")
    notebook.page.keyboard.type("table_19")
    assert_first(notebook, "table_1900")
    notebook.picture("2 typed table_19 in the open list")
    notebook.page.keyboard.type("99")
    expect(entries(notebook).first).to_contain_text("table_1999")
    notebook.page.keyboard.press("Enter")
    expect(notebook.cell(4).locator(".cm-content")).to_have_text("%%sql pondSELECT * FROM many.table_1999")
    go_to_end(notebook, 5)  # what is typed in the open list leaves the table's own order, and puts what begins so first
    for typed, names in (("t", ["tz", "tb", "zt"]), ("z", ["zt", "tz"])):
        notebook.page.keyboard.press("Tab")
        expect(entries(notebook)).to_have_count(3)
        notebook.page.keyboard.type(typed)
        expect(entries(notebook).locator("mark")).to_have_count(len(names))  # what is typed, in each name that has it
        assert entries(notebook).evaluate_all("all => all.map(one => one.dataset.value)") == names
        notebook.page.keyboard.press("Escape")
        notebook.page.keyboard.press("Backspace")


def assert_first(page, name):
    """All that begin as typed come first, in their order."""
    expect(entries(page).first).to_have_attribute("data-value", name)
    begin = name[:8]
    expect(entries(page).locator(f"xpath=self::*[starts-with(@data-value, '{begin}')]").nth(98)).to_be_attached()
    shown = entries(page).evaluate_all("all => all.map(one => one.dataset.value)")
    assert [text.startswith(begin) for text in shown[:99]] == [True] * 99, shown[:99]
