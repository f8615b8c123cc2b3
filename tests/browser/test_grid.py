"""The result grid in JupyterLab: a million rows, the keyboard, what is copied and exported, and after the kernel."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from playwright.sync_api import expect

ROWS = 1_000_000


@pytest.fixture(scope="module")
def book(lab):
    lab.write(
        "grid.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect ponds ponds.duckdb --replace",
        "%%sql ponds\nSELECT i, CASE WHEN i % 5 = 0 THEN NULL ELSE 'frog ' || i END AS frog, i * 1.5 AS x"
        f" FROM range({ROWS}) t(i)",
        "%%sql ponds --limit 500\nSELECT '<img src=x onerror=alert(1)>' AS \"<b>name</b>\", repeat('long ', 200) AS words,"
        " {'a': 1, 'b': [1, 2]} AS pair, 9007199254740993 AS big, 'tab\there\u202e' AS t FROM range(1000)",
        "%%sql ponds\nSELECT * FROM range(1000) t(i) WHERE false",
        "%%sql ponds\nSELECT " + ", ".join(f"{i} AS {'w' * 28}{i:02d}" for i in range(20)),
        "%%sql ponds\nSELECT 1 AS one",
    )
    return "grid.ipynb"


def grid_of(page, number):
    grid = page.run_cell(number).get_by_role("grid")
    expect(grid).to_be_visible()
    return grid


def cell(grid, row: int, column: int):
    return grid.locator(f"td[id$='-{row}-{column}']")


FAILS_AT_FIRST = """() => {
  const { prototype } = customElements.get('regular-table');
  const { draw } = prototype;
  let left = 40;
  prototype.draw = async function (...more) {
    left -= 1;
    if (left > 0) throw new Error(`not drawn, and ${left} times more`);
    prototype.draw = draw;
    await draw.apply(this, more);
  };
}"""


def test_a_grid_that_could_not_be_drawn_is_drawn_later(window, book):
    page = window(book)
    page.run_cell(0)
    expect(cell(grid_of(page, 2), 1, 0)).to_be_visible()  # the page has the table library now
    page.page.evaluate(FAILS_AT_FIRST)
    page.run_cell(2)
    expect(cell(grid_of(page, 2), 1, 0)).to_be_visible()


# virtual scrolling over 1,000,000 rows without copying them to the browser; keyboard
def test_a_million_rows_are_walked_by_keys(window, book):
    page = window(book, stays=True)
    page.run_cell(0)
    grid = grid_of(page, 1)
    expect(grid).to_have_attribute("aria-rowcount", str(ROWS + 2))
    expect(page.cell(1)).to_contain_text("1,000,000 rows fetched · 3 columns")
    expect(cell(grid, 0, 1)).to_have_class(re.compile("tusk-null"))
    keys = page.page.keyboard
    cell(grid, 0, 0).click()
    keys.press("Control+End")
    expect(cell(grid, ROWS - 1, 2)).to_have_class(re.compile("tusk-active"))
    expect(cell(grid, ROWS - 1, 0)).to_have_text(str(ROWS - 1))
    page.picture("1 the last row")
    keys.press("PageUp")
    keys.press("Home")
    expect(grid.locator("td.tusk-active")).to_have_attribute("aria-colindex", "2")
    keys.press("Control+Home")
    expect(cell(grid, 0, 0)).to_have_class(re.compile("tusk-active"))
    keys.press("ArrowUp")  # into the heading
    keys.press("Enter")
    keys.press("Enter")
    heading = grid.get_by_role("columnheader", name="i", exact=True)  # its arrow is no part of its name
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(cell(grid, 0, 0)).to_have_text(str(ROWS - 1))
    drawn = grid.locator("tbody tr").count()
    assert drawn < 40
    frames = [text for text in page.received if "999500" in text]
    assert not frames, "rows that nobody looked at went to the browser"


HIDDEN_WHILE_IT_DRAWS = """async cell => {
  const host = cell.querySelector('regular-table');
  const { draw } = host;
  const frame = host.parentElement;
  await new Promise(resolve => {
    host.draw = async (...more) => {
      host.draw = draw;
      frame.style.display = 'none';
      await draw.apply(host, more);
      frame.style.display = '';
      resolve();
    };
    frame.style.height = `${frame.clientHeight + 40}px`;
  });
}"""


def test_a_grid_that_is_moved_while_it_is_drawn_gets_its_rows(window, book):
    page = window(book, stays=True)
    page.run_cell(0)
    grid = grid_of(page, 2)
    expect(cell(grid, 1, 0)).to_be_visible()
    page.cell(2).evaluate(HIDDEN_WHILE_IT_DRAWS)
    expect(cell(grid, 1, 0)).to_be_visible()


def test_a_value_is_read_copied_and_exported(window, book, lab):
    page = window(book, stays=True)
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.run_cell(0)
    grid = grid_of(page, 2)
    output = page.cell(2).locator(".jp-Cell-outputArea")
    expect(output).to_contain_text("500 rows fetched · more exist (limit 500) · 5 columns")
    expect(cell(grid, 0, 0)).to_have_text("<img src=x onerror=alert(1)>")
    expect(cell(grid, 0, 3)).to_have_text("9007199254740993")
    expect(cell(grid, 0, 4)).to_have_text("tab⇥here\ufffd")
    cell(grid, 0, 4).click()
    page.page.keyboard.press("Control+c")
    expect(output.locator(".tusk-said")).to_have_text("Copied 1 cell.")
    assert "\u202e" in page.page.evaluate("navigator.clipboard.readText()")
    cell(grid, 0, 1).click()
    page.page.keyboard.press("Space")
    dialog = output.get_by_role("dialog", name="words")
    expect(dialog).to_contain_text("1,000 characters")
    page.picture("1 a whole value")
    page.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(grid).to_be_focused()
    cell(grid, 0, 3).click()
    page.page.keyboard.press("Shift+ArrowDown")
    page.page.keyboard.press("Control+c")
    expect(output.locator(".tusk-said")).to_have_text("Copied 2 cells.")
    assert page.page.evaluate("navigator.clipboard.readText()") == "9007199254740993\n9007199254740993"
    output.get_by_role("button", name="Export…").click()
    dialog = output.get_by_role("dialog", name="Export")
    dialog.get_by_label("Format").select_option("json")
    dialog.get_by_label("File name").fill("frogs.json")
    page.page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("500 rows written to")
    assert len(json.loads((lab.notebooks / "frogs.json").read_text())) == 500
    dialog.get_by_label("Format").select_option("csv")
    with page.page.expect_download() as coming:
        dialog.get_by_role("button", name="Download").click()
    assert coming.value.path().read_text().startswith('"<b>name</b>"')
    page.picture("2 exported")
    page.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_conditions_are_shown_and_removed(window, book):
    page = window(book, stays=True)
    page.run_cell(0)
    grid = grid_of(page, 1)
    output = page.cell(1).locator(".jp-Cell-outputArea")
    grid.get_by_role("columnheader", name=re.compile("^frog")).first.locator(".tusk-menu").click()
    dialog = output.get_by_role("dialog", name="frog")
    expect(dialog.get_by_label("Statistics")).to_contain_text("200,000 (20.0 %)")
    expect(dialog.get_by_label("Value", exact=True)).to_have_attribute("placeholder", "text")
    page.picture("1 statistics")
    dialog.get_by_label("Condition").select_option("is null")
    dialog.get_by_role("button", name="Filter", exact=True).click()
    expect(output).to_contain_text("200,000 shown of 1,000,000 fetched")
    grid.get_by_role("columnheader", name=re.compile("^i")).first.locator(".tusk-menu").click()
    dialog = output.get_by_role("dialog", name="i")
    expect(dialog.get_by_label("Value", exact=True)).to_have_attribute("placeholder", "12")  # a whole number
    dialog.get_by_label("Value", exact=True).fill("many")
    page.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("'many' is no value of the type int64")
    page.page.keyboard.press("Escape")
    remove = output.get_by_role("button", name="Remove the condition frog is null")
    remove.click()
    expect(output).to_contain_text("1,000,000 rows fetched")
    expect(grid).to_be_focused()
    wide = grid_of(page, 4)
    cell(wide, 0, 0).click()
    page.page.keyboard.press("End")
    expect(cell(wide, 0, 19)).to_be_in_viewport(ratio=0.9)  # though no width was known of what was not drawn
    grid.get_by_role("columnheader", name=re.compile("^frog")).first.locator(".tusk-menu").click()
    output.get_by_label("Condition", exact=True).select_option("is null")
    output.get_by_role("button", name="Filter", exact=True).click()
    expect(remove).to_be_enabled()
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(output).to_contain_text("200 of the 200,000 rows that match are kept")
    expect(remove).to_be_disabled()
    expect(remove).to_have_attribute("title", re.compile("cannot be filtered: The kernel was restarted"))
    page.picture("2 restarted")


def test_a_grid_of_one_row_takes_the_room_of_one(window, book):
    page = window(book)
    page.run_cell(0)
    grid = grid_of(page, 5)
    expect(cell(grid, 0, 0)).to_be_in_viewport(ratio=1)
    frame, table = page.cell(5).locator(".tusk-frame").bounding_box(), grid.bounding_box()
    assert table["height"] <= frame["height"] < table["height"] + 22
    page.picture("one row")


# without a kernel and without widgets a saved notebook is read
def test_a_notebook_that_is_opened_again_shows_the_table(window, book, lab):
    page = window(book, stays=True)
    page.run_cell(0)
    grid_of(page, 1)
    expect(grid_of(page, 3)).to_have_attribute("aria-rowcount", "2")
    page.save()
    for session in lab.get("/api/sessions"):
        head = {"Authorization": f"token {lab.token}"}
        urllib.request.urlopen(
            urllib.request.Request(f"{lab.url}/api/sessions/{session['id']}", method="DELETE", headers=head)
        )
    again = window(book)
    expect(again.cell(1)).to_contain_text("20 shown of 1,000,000 fetched")
    expect(again.cell(1).get_by_role("table")).to_be_visible()
    expect(again.cell(1)).not_to_contain_text("model not found")
    again.picture("1 opened again")
