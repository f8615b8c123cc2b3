"""What grids and the picker are after a reload, a lost connection, a restart and a killed kernel."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import expect

GRIDS = 8
TOADS = 2
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


@pytest.fixture(scope="module")
def book(lab):
    one = """get_ipython().run_cell_magic('sql', 'pond', f"SELECT i, 'frog {n}/' || i AS frog FROM range(1000) t(i)")"""
    lab.write(
        "states.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect pond pond.duckdb --replace\n%tusk connect lake lake.duckdb --replace",
        "%tusk pick",
        "%%sql pond\nSELECT i, 'toad ' || i AS toad FROM range(5000) t(i)",
        "import os\nprint('pid', os.getpid())",
        "%config TuskMagics.widgets = 'anywidget'\nget_ipython().run_cell_magic('sql', 'pond', 'SELECT 42 AS answer')",
        f"for n in range({GRIDS}):\n    display({one})",
        "frame = get_ipython().run_cell_magic('sql', 'pond', 'SELECT i FROM range(9000) t(i)')\ndisplay(frame)",
        "import gc\ndel frame\n_ = gc.collect()",
    )
    return "states.ipynb"


def output(page, number):
    return page.cell(number).locator(".jp-Cell-outputArea")


def cell(grid, row: int, column: int):
    return grid.locator(f"td[id$='-{row}-{column}']")


def look_at(page, *, row: str) -> None:
    """Scroll the grid of toads to its end: the kernel is asked."""
    grid = output(page, TOADS).get_by_role("grid")
    grid.scroll_into_view_if_needed()
    grid.locator("td").first.click()
    page.page.keyboard.press("Control+End" if row == "4999" else "Control+Home")
    expect(grid.locator("td.tusk-active")).to_have_text(f"toad {row}" if row == "4999" else row)


def test_grids_and_picker_are_live_again_and_say_what_became_of_their_kernel(window, book):
    page = window(book)
    for number in (0, 1, 2, 3, 5):
        page.run_cell(number)
    pid = int(re.search(r"pid (\d+)", output(page, 3).inner_text()).group(1))
    expect(output(page, 5).get_by_role("grid")).to_have_count(GRIDS)
    page.save()

    for again in (reloaded(page), window(book, workspace="second")):
        expect(output(again, 5).get_by_role("grid")).to_have_count(GRIDS)
        look_at(again, row="4999")
        output(again, 1).locator("[role=option][data-name=pond]").click()
        expect(output(again, 1).locator("[data-name=pond][aria-selected=true]")).to_be_visible()
    page.picture("1 reloaded")

    gone = "The result is gone"
    sorted_again(page)
    page.run_cell(TOADS)  # the frame of before is the second view's, and freed
    look_at(page, row="4999")
    assert gone not in output(page, 3).inner_text()

    lose_the_connection(page)
    look_at(page, row="0")

    free_the_frame(page)

    page.run_cell(4)
    expect(output(page, 4).get_by_role("grid")).to_contain_text("42")  # drawn by anywidget, which is an extra

    restart(page)
    kept = output(again, TOADS).locator(".tusk-kept")
    expect(kept).to_contain_text("The kernel was restarted")  # in the window that did not ask for it, too
    kill_after_running_again(page, pid)


def reloaded(page):
    page.page.reload()
    page.page.locator(".jp-Notebook:visible .jp-CodeCell").first.wait_for()
    return page


def sorted_again(page):
    """A grid keeps how it was sorted and filtered."""
    grid = output(page, TOADS).get_by_role("grid")
    heading = grid.get_by_role("columnheader", name="i").first
    grid.locator("td").first.click()
    page.page.keyboard.press("Control+Home")
    for wanted in ("ascending", "descending"):
        heading.click()
        expect(heading).to_have_attribute("aria-sort", wanted)
    reloaded(page)
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(cell(grid, 0, 1)).to_have_text("toad 4999")


def lose_the_connection(page):
    # Lab's own dialog, which may come late, and more than once.
    seen = page.page.locator(".jp-Dialog", has_text="Server Connection Error").locator("button.jp-mod-accept").first
    page.page.add_locator_handler(seen, lambda button: button.click(), no_wait_after=True)
    page.page.context.set_offline(True)
    page.page.evaluate(f"() => {KERNEL}._ws.close()")
    kept = output(page, TOADS).locator(".tusk-kept")
    expect(kept).to_contain_text("connection to the kernel is lost")
    expect(output(page, 1).locator("[data-tusk=status]")).to_contain_text("connection to the kernel is lost")
    page.picture("2 the connection is lost")
    page.page.context.set_offline(False)
    expect(kept).to_be_hidden()


def free_the_frame(page):
    grid = page.run_cell(6).get_by_role("grid")
    grid.locator("td").first.click()
    page.run_cell(7)
    grid.locator("td").first.click()
    page.page.keyboard.press("Control+End")
    kept = output(page, 6).locator(".tusk-kept")
    expect(kept).to_contain_text("The result is gone")
    expect(kept).to_contain_text("of 9,000 stay readable here")
    expect(output(page, 6).get_by_role("button", name="Export…")).to_be_disabled()
    expect(grid.locator("td.tusk-pending")).to_have_count(0)
    page.picture("2 the frame is freed")


def restart(page):
    grid = output(page, TOADS).get_by_role("grid")
    look_at(page, row="4999")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    picker = output(page, 1)
    expect(picker.locator("[data-state=open]")).not_to_have_count(0)
    page.page.evaluate(f"() => {KERNEL}.restart()")
    kept = output(page, TOADS).locator(".tusk-kept")
    words = "The kernel was restarted. Run `%load_ext tusk_jupyter`, then the cell again."  # `%%sql` went with it
    expect(kept).to_contain_text(words)
    expect(picker.locator("[data-tusk=status]")).to_contain_text(words)
    expect(picker.locator("[data-state=open]")).to_have_count(0)
    expect(picker.locator("[data-tusk=add]")).to_be_disabled()
    expect(output(page, TOADS).get_by_role("button", name="Export…")).to_be_disabled()
    grid.locator("td").first.click()
    page.page.keyboard.press("Control+End")
    expect(grid.locator("td.tusk-active")).to_have_text("toad 4999")
    expect(grid.locator("td.tusk-pending")).to_have_count(0)
    page.page.keyboard.press("Control+c")
    expect(output(page, TOADS).locator(".tusk-said")).to_contain_text("Copied 1 row")
    assert page.page.evaluate("navigator.clipboard.readText()") == "toad 4999"
    page.page.keyboard.press("Control+Home")
    expect(grid.locator("td.tusk-active")).to_have_text("0")
    grid.get_by_role("columnheader", name="toad").first.click()
    expect(output(page, TOADS).locator(".tusk-said")).to_contain_text("cannot be sorted: The kernel was restarted")
    expect(output(page, 5).get_by_role("grid")).to_have_count(GRIDS)
    assert "Cannot send" not in page.page.locator(".jp-Notebook").inner_text()
    page.picture("3 restarted")


def kill_after_running_again(page, pid: int):
    for number in (3, 0, 1, TOADS):  # each with another number than it had
        page.run_cell(number)
    look_at(page, row="4999")
    expect(output(page, 1).locator("[role=option][data-name=lake]")).to_be_visible()
    again = int(re.search(r"pid (\d+)", output(page, 3).inner_text()).group(1))
    assert again != pid
    os.kill(again, signal.SIGKILL)
    expect(output(page, TOADS).locator(".tusk-kept")).to_contain_text(re.compile("kernel (was restarted|has ended)"))
    expect(output(page, 1).locator("[data-tusk=status]")).to_contain_text(
        re.compile("kernel (was restarted|has ended)")
    )
    page.picture("4 killed")


WATCH_THE_MARK = """() => {
  window.seen = [];
  const look = () => {
    const said = document.querySelector('[data-tusk=status]').textContent;
    if (said.startsWith("pick_prod is this notebook's")) {
      window.seen.push(document.querySelector('[data-testid=tusk-cell-mark]').textContent);
    }
  };
  setInterval(look, 5);
}"""


def test_no_mark_is_surer_than_what_was_just_chosen_though_the_core_was_killed(lab, window):
    lab.write(
        "chosen.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect pick_prod a.sqlite --environment production\n"
        "%tusk connect pick_dev b.sqlite --environment development\n%tusk use pick_dev",
        "%tusk pick",
        "%%sql\nSELECT 1",
        "from tusk_jupyter.client import get_client\nprint('core', get_client().link.address.pid)",
    )
    page = window("chosen.ipynb", workspace="chosen")
    for number in (0, 1, 3):
        page.run_cell(number)
    mark = page.cell(2).get_by_test_id("tusk-cell-mark")
    expect(mark).to_have_text("DEVELOPMENT · pick_dev")
    page.page.evaluate(WATCH_THE_MARK)
    os.kill(int(re.search(r"core (\d+)", output(page, 3).inner_text()).group(1)), signal.SIGKILL)
    output(page, 1).locator("[role=option][data-name=pick_prod]").click()
    expect(mark).to_have_text("PRODUCTION · pick_prod")
    expect(output(page, 1).locator("[data-tusk=status]")).to_contain_text("pick_prod is this notebook's connection")
    seen = page.page.evaluate("window.seen")
    assert set(seen) <= {"connection not known yet", "PRODUCTION · pick_prod"}
