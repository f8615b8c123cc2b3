"""Keys that are pressed in a widget of ours do nothing to the notebook; those of the whole application go on to work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

OF_NOTEBOOK = """() => window.jupyterapp.commands.keyBindings
  .filter(one => /jp-Notebook|jp-Cell|jp-kernel-user|jp-code-runner|jp-undoer/.test(one.selector))
  .map(one => one.keys.map(keys => keys.split(' ')))"""
"""Every key of Lab, and of whatever else is installed, that a notebook takes for a command."""

STATE = """within => {
  const panel = window.book;
  const cells = panel.content.model.toJSON().cells;
  const { kernel } = panel.sessionContext.session;
  const book = JSON.stringify([cells, kernel.id, document.querySelectorAll('.jp-Dialog').length]);
  const chosen = [panel.content.activeCellIndex, panel.content.selectedCells.length, panel.content.mode];
  return [book, chosen, document.activeElement?.closest(within) != null];
}"""
"""The notebook, what is chosen in it, and whether the focus is in the widget."""
HAS_FOCUS = "selector => document.activeElement?.closest(selector) != null"
PLAYWRIGHT = {"Accel": "Control", "Ctrl": "Control", "Cmd": "Meta"}
LEAVES = {"Escape", "Tab", "Shift+Tab"}
"""How a user leaves a widget; pressed last, for what comes after them is the notebook's."""
ALSO = (["Space"], ["Enter"], ["PageDown"], ["End"], ["0", "0"], ["i", "i"], ["d", "d"])


@dataclass
class Place:
    """Something of ours that can have the focus."""

    name: str
    within: str
    """The widget's own root."""
    open: Callable[[], None]
    """Put the focus there, by the pointer as far as a user would."""


@pytest.fixture(scope="module")
def book(lab):
    lab.write(
        "keys.ipynb",
        "before = 1",
        "%load_ext tusk_jupyter\n%tusk connect pond pond.duckdb --replace\n%tusk connect lake lake.duckdb --replace",
        "%%sql pond\nSELECT i, 'frog ' || i AS frog FROM range(300) t(i)",
        "%tusk pick",
        "after = 1",
    )
    return "keys.ipynb"


@pytest.fixture
def notebook(window, book):
    """One window for all tests, without what the one before opened in it."""
    page = window(book, stays=True)
    if not page.page.evaluate("() => Boolean(window.book)"):
        run_all(page)
    close_all(page)
    page.page.evaluate("() => { for (const one of [...jupyterapp.shell.widgets('down')]) one.close(); }")
    return page


def run_all(page) -> None:
    for number in range(5):
        page.run_cell(number)
    expect(page.cell(2).get_by_role("grid")).to_be_visible()
    expect(page.cell(3).locator("[role=option][data-name=pond]")).to_be_visible()
    page.page.evaluate("() => { window.book = window.jupyterapp.shell.currentWidget; }")


def close_all(page):
    """Leave menus, dialogs and forms as a user does, until none is open."""
    open_ones = page.page.locator(
        "dialog[open], .tusk-pick-menu, [data-tusk=chooser], [data-tusk=form], [data-tusk=dialog]"
    )
    while open_ones.count():
        open_ones.first.evaluate(
            "one => (one.querySelector('.tusk-close, [data-tusk=cancel], header button') ?? one).focus()"
        )
        page.page.keyboard.press("Escape")
        page.page.wait_for_timeout(20)


def places_of_the_grid(page) -> list[Place]:
    output = page.cell(2).locator(".jp-Cell-outputArea")
    grid = output.get_by_role("grid")
    cell = grid.locator("td[id$='-1-1']")
    menu = grid.get_by_role("columnheader", name="frog").first.locator(".tusk-menu")

    def then(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
        def both():
            close_all(page)
            first()
            second()

        return both

    return [
        Place("a cell", ".tusk-grid", then(cell.click, lambda: None)),
        Place("a heading", ".tusk-grid", then(cell.click, lambda: grid.get_by_role("columnheader").first.click())),
        Place("between the controls", ".tusk-grid", then(cell.click, output.locator(".tusk-toolbar").click)),
        Place("its footer", ".tusk-grid", then(cell.click, output.locator(".tusk-counted").click)),
        Place("export, a choice", ".tusk-grid", then(output.get_by_role("button", name="Export…").click, lambda: None)),
        Place(
            "export, a label", ".tusk-grid",
            then(output.get_by_role("button", name="Export…").click, output.locator(".tusk-dialog strong").click),
        ),
        Place("a column's menu", ".tusk-grid", then(menu.click, lambda: None)),
        Place("a column's menu, its text", ".tusk-grid", then(menu.click, output.locator(".tusk-dialog strong").click)),
        Place("a value", ".tusk-grid", then(cell.dblclick, output.locator(".tusk-dialog pre").wait_for)),
    ]  # fmt: skip


def places_of_the_picker(page) -> list[Place]:
    picker = page.cell(3).locator("[data-tusk=picker]")
    find = lambda name: picker.locator(f"[data-tusk={name}]")  # noqa: E731

    def after(*steps: Callable[[], None]) -> Callable[[], None]:
        def all_of_them():
            close_all(page)
            for step in steps:
                step()

        return all_of_them

    actions = picker.locator("[data-tusk=actions][data-name=pond]")
    form = (find("add").click, picker.locator("[data-tusk=driver][data-driver=duckdb]").click)
    return [
        Place("the list", ".tusk-picker", after(picker.locator("[role=option][data-name=lake]").click)),
        Place("its heading", ".tusk-picker", after(picker.locator("header strong").click)),
        Place("a connection's menu", ".tusk-picker", after(actions.click)),
        Place("the drivers", ".tusk-picker", after(find("add").click, lambda: picker.locator("h4").first.click())),
        Place("the form's title", ".tusk-picker", after(*form, picker.locator("h3").click)),
        Place(
            "the form's choice", ".tusk-picker", after(*form, lambda: picker.get_by_text("Staging").click())
        ),
        Place("the question", ".tusk-picker", after(actions.click, find("menu-delete").click)),
    ]  # fmt: skip


def places_of_the_panels(page) -> list[Place]:
    web = page.page
    page.command("tusk:show-panel")
    tree = web.get_by_test_id("tusk-tree")
    tree.get_by_role("treeitem", name="pond").first.wait_for()
    page.command("tusk:open-log")
    log = web.get_by_test_id("tusk-log-list")
    log.locator("[data-run]").first.wait_for()
    return [
        Place("the tree", ".tusk-Panel", lambda: tree.get_by_role("treeitem", name="lake").first.click()),
        Place("below the tree", ".tusk-Panel", lambda: web.locator(".tusk-Search").click(position={"x": 2, "y": 2})),
        Place("the log", ".tusk-Log", lambda: log.locator("[data-run]").first.click()),
        Place("a run", ".tusk-Log", lambda: web.get_by_test_id("tusk-details").click(position={"x": 40, "y": 6})),
        Place("the log's foot", ".tusk-Log", lambda: web.locator(".tusk-Log-foot").click(position={"x": 2, "y": 2})),
    ]  # fmt: skip


def keys_of(page) -> list[list[str]]:
    """Return what a notebook takes for commands, as Playwright's keys; what leaves a widget comes last."""
    found = [
        ["+".join(PLAYWRIGHT.get(one, one) for one in keys) for keys in binding]
        for binding in page.page.evaluate(OF_NOTEBOOK)
    ]
    pressable = [[_lower(key) for key in keys] for keys in found if all(keys) and keys != [""]]
    unique = list({tuple(keys): keys for keys in [*pressable, *ALSO]}.values())
    assert ["d", "d"] in unique, "the bindings of Lab were not read"
    assert len(unique) > 40
    return sorted(unique, key=lambda keys: keys[0] in LEAVES)


def _lower(key: str) -> str:
    """`D` is typed without Shift in Lab's settings."""
    *modifiers, last = key.split("+") if key != "+" else [key]
    return "+".join([*modifiers, last.lower() if len(last) == 1 else last])


def test_keys_of_the_whole_application_work_in_a_widget(notebook):
    cell = notebook.cell(2).get_by_role("grid").locator("td[id$='-1-1']")
    web = notebook.page
    web.evaluate("() => { window.book.content.model.dirty = true; }")
    for widget in (cell, notebook.cell(3).locator("[role=option][data-name=lake]")):
        web.evaluate("() => { window.book.content.model.dirty = true; }")
        widget.click()
        web.keyboard.press("Control+s")
        web.wait_for_function("() => !window.book.content.model.dirty")
        widget.click()
        web.keyboard.press("Control+Shift+c")
        expect(web.locator(".jp-ModalCommandPalette:visible")).to_be_visible()
        web.keyboard.press("Escape")
        widget.click()
        web.keyboard.press("Control+f")
        expect(web.locator(".jp-DocumentSearch-overlay")).to_be_visible()
        web.keyboard.press("Escape")
    cell.click()
    web.keyboard.press("Alt+Shift+l")
    expect(web.get_by_test_id("tusk-log-list")).to_be_visible()


def test_escape_leaves_to_the_cell_and_tab_goes_on(notebook):
    grid = notebook.cell(2).get_by_role("grid")
    grid.locator("td[id$='-1-1']").click()
    notebook.page.keyboard.press("Escape")
    expect(notebook.cell(2)).to_be_focused()
    grid.locator("td[id$='-1-1']").click()
    notebook.page.keyboard.press("Tab")
    expect(grid).not_to_be_focused()


SELECT_ACROSS = """() => {
  const at = selector => document.querySelector(selector).firstChild;
  document.getSelection().setBaseAndExtent(at('.tusk-counted'), 0, at('.tusk-picker header strong'), 6);
}"""


def test_a_press_within_a_selection_takes_the_focus_too_and_text_stays_selectable(notebook):
    web = notebook.page
    counted, heading = notebook.cell(2).locator(".tusk-counted"), notebook.cell(3).locator("header strong")
    for place, right, widget in (
        (counted, 10, ".tusk-grid"),
        (counted, 300, ".tusk-grid"),
        (heading, 10, ".tusk-picker"),
    ):
        notebook.cell(0).evaluate("cell => cell.focus({ preventScroll: true })")
        web.evaluate(SELECT_ACROSS)
        place.scroll_into_view_if_needed()
        before, box = web.evaluate(STATE, ".tusk-grid")[0], place.bounding_box()
        web.mouse.click(box["x"] + right, box["y"] + box["height"] / 2)
        assert web.evaluate(HAS_FOCUS, widget)
        for key in "dd":
            web.keyboard.press(key)
        assert web.evaluate(STATE, ".tusk-grid")[0] == before
    counted.dblclick(position={"x": 4, "y": 6})
    assert web.evaluate("() => document.getSelection().toString().trim()") == "300"


def test_the_right_button_opens_no_menu_of_the_cell(notebook):
    web, grid = notebook.page, notebook.cell(2).get_by_role("grid")
    before = web.evaluate(STATE, ".tusk-grid")[0]
    places = [grid.locator("td[id$='-1-1']"), notebook.cell(2).locator(".tusk-counted"), picker_head(notebook)]
    for place in places:
        place.click(button="right")
        expect(web.locator(".lm-Menu")).to_have_count(0)
        for key in ("Shift+m", "x", "Enter"):
            web.keyboard.press(key)
        assert web.evaluate(STATE, ".tusk-grid")[0] == before
        close_all(notebook)
    grid.locator("td[id$='-2-0']").click(button="right")
    expect(notebook.cell(2).locator("dialog[open] strong")).to_have_text("i")
    expect(grid.locator("td.tusk-selected")).to_have_text("2")


def picker_head(page):
    return page.cell(3).locator(".tusk-picker header strong")


@pytest.mark.timeout(600)  # some 60 keys in each of 30 places
def test_no_key_in_a_widget_changes_the_notebook(notebook):
    reached = []
    for places in (places_of_the_grid, places_of_the_picker, places_of_the_panels):
        reached += reached_from(notebook, places(notebook))
    assert reached == []


def reached_from(notebook, places: list[Place]) -> list[str]:
    """Press every key in every place; return those that changed the notebook."""
    keyboard, bindings, reached = notebook.page.keyboard, keys_of(notebook), []
    for place in places:
        place.open()
        assert notebook.page.evaluate(HAS_FOCUS, place.within), f"the focus is not in {place.name}"
        before = pressed = None
        for keys in [*bindings, []]:
            book, chosen, has_focus = notebook.page.evaluate(STATE, place.within)
            if pressed and before != (book, chosen if pressed[0] not in LEAVES else None):
                reached.append(f"{place.name}: {' '.join(pressed)}")
            if keys and not has_focus:  # a key of before closed or left it
                place.open()
                book, chosen, _ = notebook.page.evaluate(STATE, place.within)
            before, pressed = (book, chosen if keys and keys[0] not in LEAVES else None), keys
            for key in keys:
                keyboard.press(key)
    return reached


IN_NOTEBOOK_7 = {"a cell", "a column's menu", "the list", "the form's choice"}


def test_no_key_in_a_widget_changes_a_notebook_in_notebook_7(window, book):
    """It takes keys earlier than Lab does, before they are at the widget."""
    seven = window(book, in_notebook_7=True)
    run_all(seven)
    places = [*places_of_the_grid(seven), *places_of_the_picker(seven)]
    assert reached_from(seven, [place for place in places if place.name in IN_NOTEBOOK_7]) == []
    seven.picture("after all keys")
