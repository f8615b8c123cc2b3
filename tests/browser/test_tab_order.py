"""Everything in a widget that can be used is reached by Tab, in the order in which it stands, and by Shift+Tab in the other."""

import re

import pytest
from playwright.sync_api import expect

STOPS = """root => {
  const kinds = 'button, input, select, textarea, summary, a[href], jp-button, [role=grid], [role=listbox], [role=tree]';
  const isUsable = one => one.checkVisibility({ visibilityProperty: true }) && !one.matches(':disabled, [aria-disabled=true]');
  const found = [...root.querySelectorAll(kinds)].filter(isUsable);
  const roving = '[role=listbox] *, [role=tree] *, [role=menu] *, [role=columnheader] *';
  window.stops = found.filter(one => !one.matches(roving) || one.matches('[role=tree]'));
  return window.stops.map(nameOf);
  function nameOf(one) {
    const text = one.getAttribute('aria-label') ?? one.title ?? '';
    return `${one.localName} ${one.getAttribute('role') ?? ''} ${text || one.textContent.trim().slice(0, 30)}`;
  }
}"""
"""What can be used, and counts as one stop where arrows go on inside of it."""

STOP = """() => {
  let focused = document.activeElement;
  return window.stops.findIndex(one => one === focused || (one.matches('[role=tree]') && one.contains(focused)));
}"""


@pytest.fixture(scope="module")
def book(lab):
    lab.write(
        "tab.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect pond pond.duckdb --replace",
        "%%sql pond\nSELECT i, 'frog ' || i AS frog FROM range(30) t(i)",
        "%%sql pond\nSELECT i FROM range(1) t(i)",
        "%tusk pick",
        "after = 1",
    )
    return "tab.ipynb"


def walked(page, root, key: str) -> tuple[list[str], list[str]]:
    """Press a key until the focus has left the root; return its stops and those that were reached, in their orders."""
    stops = root.evaluate(STOPS)
    reached: list[int] = []
    for _ in range(3 * len(stops) + 10):
        page.keyboard.press(key)
        at = page.evaluate(STOP)
        if at >= 0 and (not reached or reached[-1] != at):
            reached.append(at)
        elif at < 0 and reached and not root.evaluate("root => root.contains(document.activeElement)"):
            break
    return stops, [stops[at] for at in reached]


def assert_walked_both_ways(page, root):
    root.evaluate("root => { root.tabIndex = -1; root.focus({ preventScroll: true }); }")
    stops, forwards = walked(page, root, "Tab")
    assert forwards == stops
    stops, backwards = walked(page, root, "Shift+Tab")
    assert backwards == stops[::-1]


def press_until_focused(page, key: str, wanted) -> None:
    for _ in range(15):
        page.keyboard.press(key)
        if wanted.evaluate("one => one === document.activeElement"):
            return
    expect(wanted).to_be_focused(timeout=1)


def test_a_grid_is_entered_by_tab_from_its_cell_and_by_shift_tab_from_the_next(window, book):
    opened = window(book)
    page = opened.page
    for number in range(3):
        opened.run_cell(number)
    grids = [opened.cell(number).get_by_role("grid") for number in (1, 2)]
    for grid in grids:
        expect(grid.locator("td[id$='-0-0']")).to_be_visible()
    opened.cell(1).locator(".cm-content").click()
    page.keyboard.press("Escape")
    expect(opened.cell(1)).to_be_focused()
    press_until_focused(page, "Tab", grids[0])
    page.keyboard.press("ArrowDown")
    expect(grids[0].locator("td[id$='-1-0']")).to_have_class(re.compile("tusk-active"))
    page.keyboard.press("Tab")
    expect(opened.cell(2).get_by_role("button", name="Export…")).to_be_focused()
    press_until_focused(page, "Shift+Tab", grids[0])  # past what Lab shows at the cell that is active now
    opened.picture("in the grid")


@pytest.mark.parametrize("widget", [".tusk-grid", ".tusk-picker"])
def test_every_control_of_a_widget_in_a_notebook_is_a_stop(window, book, widget):
    opened = window(book)
    for number in range(4):
        opened.run_cell(number)
    root = opened.page.locator(f".jp-Notebook:visible {widget}").first
    expect(root.locator("[role=option], td[id$='-0-0']").first).to_be_visible()
    assert_walked_both_ways(opened.page, root)


def test_every_control_of_the_panels_is_a_stop(window, book):
    opened = window(book)
    page = opened.page
    for number in range(2):
        opened.run_cell(number)
    opened.command("tusk:show-panel")
    expect(page.get_by_test_id("tusk-tree").get_by_role("treeitem", name="pond").first).to_be_visible()
    assert_walked_both_ways(page, page.locator(".tusk-Connections"))
    opened.command("tusk:open-log")
    run = page.get_by_test_id("tusk-log-list").locator("[data-run]").first
    run.click()
    expect(page.get_by_test_id("tusk-details")).to_be_visible()
    assert_walked_both_ways(page, page.locator(".tusk-Log"))
    opened.picture("the log")
