"""The panels and cells of the JupyterLab extension, on a real database."""

import contextlib
import json
import os
import re
import sqlite3

import pytest
from playwright.sync_api import expect

EVIL = "<img src=x onerror=alert(1)>"
ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b"


@pytest.fixture
def notebook(lab, window, request):
    """A window with a notebook on a database of its own."""
    name = re.sub(r"\W+", "_", request.node.name)[:40]
    write_notebook(lab, name)
    return prepared(window(f"{name}.ipynb", workspace=name), name)


@pytest.fixture
def shared_notebook(lab, window):
    """The same window for the tests that leave each other what they look at."""
    if not (lab.notebooks / "shared.ipynb").exists():
        write_notebook(lab, "shared")
    opened = window("shared.ipynb", workspace="shared", stays=True)
    return opened if hasattr(opened, "connection") else prepared(opened, "shared")


def write_notebook(lab, name):
    lab.write(
        f"{name}.ipynb",
        f"%load_ext tusk_jupyter\n%tusk connect {name} {name}.duckdb --environment production",
        f"%%sql {name}\nCREATE TABLE people AS SELECT 1 AS id, '{EVIL}' AS \"{EVIL}\"",
        f"%%sql {name}\nSELECT id,\n       nosuch\nFROM people",
        f"%%sql {name}\n{ENDLESS}",
        f"%%sql {name}\nselect id from people where id=1",
        "",
    )


def prepared(opened, name):
    opened.connection = name
    opened.run_cell(0)
    opened.run_cell(1)
    return opened


def tree_item(page, name):
    return page.get_by_test_id("tusk-tree").get_by_role("treeitem", name=name).first


def log_rows(page):
    return page.get_by_test_id("tusk-log-list").locator("[data-run]")


IS_RED = """one => {
  one.style.outlineColor = 'var(--jp-error-color0)';
  const { borderTopColor, outlineColor } = getComputedStyle(one);
  return borderTopColor === outlineColor;
}"""


IS_CUT = """one => {
  const text = document.createRange();
  text.selectNodeContents(one);
  return text.getBoundingClientRect().width > one.getBoundingClientRect().width;
}"""
"""By a fraction of a pixel, too: then there is an ellipsis, though `scrollWidth` and `clientWidth` are equal."""


HIDE = """() => {
  Object.defineProperty(document, 'hidden', { value: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


MISS_THE_START = """() => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  const update = kernel._updateStatus.bind(kernel);
  kernel._updateStatus = status => status === 'starting' || update(status);
}"""
"""A new kernel's first word passes while the page is not connected to it yet, now and then."""


def open_log(window):
    """Open the log, with only this notebook's runs in it."""
    window.command("tusk:open-log")
    window.page.get_by_test_id("tusk-log-connection").select_option(window.connection)
    expect(log_rows(window.page).filter(has_text="CREATE TABLE people")).to_have_count(1)


def active_cell(page):
    return page.locator(".jp-Notebook:visible .jp-CodeCell.jp-mod-active .cm-content")


def walk_to_a_table(notebook):
    """Go down the tree by keyboard, from the connection to its first table."""
    notebook.cell(5).locator(".cm-content").click()
    notebook.command("tusk:show-panel")
    page = notebook.page
    tree_item(page, f"{notebook.connection}, connection").focus()
    for name in ("catalog", "schema", "table"):
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"[role=treeitem][data-kind={name}]").first).to_be_visible()
        page.keyboard.press("ArrowRight")


def test_tree_by_keyboard_down_to_columns_and_a_select_into_the_notebook(notebook):
    page = notebook.page
    walk_to_a_table(notebook)
    page.keyboard.press("ArrowRight")
    expect(tree_item(page, "id, column, INTEGER")).to_be_visible()
    expect(tree_item(page, f"{EVIL}, column")).to_be_visible()
    root = tree_item(page, f"{notebook.connection}, connection")
    expect(root).to_have_attribute("aria-label", re.compile(rf"open in {notebook.connection}\.ipynb, "))
    expect(root.locator(".tusk-Dot").first).to_have_attribute("data-state", "connected")
    notebook.picture("tree")
    page.keyboard.press("Control+Enter")
    expect(active_cell(page)).to_contain_text(f"%%sql {notebook.connection}")
    expect(active_cell(page)).to_contain_text("people")


def test_the_name_of_a_connection_is_whole_beside_its_badges(lab, window):
    lab.write(
        "badges.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect ren7 ren7.sqlite\n%sql ren7 CREATE TABLE t (a int)",
        "%tusk connect ren7 ren7.sqlite --read-only --environment development --replace",
    )
    opened = window("badges.ipynb", workspace="badges")
    opened.run_cell(0)
    opened.run_cell(1)
    opened.command("tusk:show-panel")
    item = tree_item(opened.page, "ren7, connection")
    expect(item.locator(".tusk-Badge")).to_have_count(2)
    opened.picture("badges")
    name = item.locator(".tusk-TreeItem-name")
    assert name.evaluate(IS_CUT) is False
    for badge in item.locator(".tusk-Badge").all():
        expect(badge).to_be_in_viewport(ratio=1)


def test_run_is_saved_as_a_query_and_deleted_from_the_log(shared_notebook):
    page = shared_notebook.page
    open_log(shared_notebook)
    log_rows(page).first.click()
    details = page.get_by_test_id("tusk-details")
    details.get_by_role("button", name="Save as query").click()
    name = page.get_by_role("dialog").get_by_label("Name")
    assert not name.evaluate(IS_RED)  # nothing is wrong before anything is typed
    name.fill(f"{EVIL} {shared_notebook.connection}")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    shared_notebook.command("tusk:show-panel")
    expect(page.locator(".tusk-Queries")).to_contain_text(EVIL)
    shared_notebook.cell(5).locator(".cm-content").click()
    same = page.locator(".jp-Notebook:visible .jp-CodeCell .cm-content", has_text="CREATE TABLE people")
    page.locator(".tusk-Query", has_text=EVIL).dblclick()  # is one, and nothing goes before its magic
    expect(same).to_have_count(2)
    page.locator(".tusk-Query", has_text=EVIL).click()
    expect(same).to_have_count(3)
    details.get_by_role("button", name="Delete from the log").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(log_rows(page)).to_have_count(0)


def test_search_finds_a_column_that_nobody_expanded_and_describe_shows_its_table(shared_notebook):
    page = shared_notebook.page
    shared_notebook.command("tusk:show-panel")
    tree_item(page, f"{shared_notebook.connection}, connection").click()
    page.get_by_test_id("tusk-search").fill("img src")
    expect(tree_item(page, f"{EVIL}, column")).to_be_visible()
    tree_item(page, "people, table").focus()
    page.keyboard.press("Control+i")
    expect(page.get_by_test_id("tusk-describe")).to_contain_text(EVIL)
    shared_notebook.picture("describe")


def test_error_is_underlined_in_the_cell_until_the_cell_changes(shared_notebook):
    page = shared_notebook.page
    shared_notebook.run_cell(2)
    expect(page.get_by_test_id("tusk-squiggle")).to_have_text("nosuch")
    shared_notebook.picture("squiggle")
    shared_notebook.cell(2).locator(".cm-line").first.click()
    page.keyboard.press("End")
    page.keyboard.type(" ")
    expect(page.get_by_test_id("tusk-squiggle")).to_have_count(0)


def test_cells_of_production_say_so_in_words(shared_notebook):
    mark = shared_notebook.cell(4).get_by_test_id("tusk-cell-mark")
    expect(mark).to_have_text(f"PRODUCTION · {shared_notebook.connection}")


def test_sql_is_formatted_below_its_magic_line(shared_notebook):
    shared_notebook.cell(4).locator(".cm-content").click()
    shared_notebook.page.keyboard.press("Alt+Shift+f")
    expect(active_cell(shared_notebook.page)).to_contain_text("SELECT")
    assert active_cell(shared_notebook.page).inner_text().startswith(f"%%sql {shared_notebook.connection}\n")


def test_a_bare_cell_shows_what_it_would_run_on_now_and_never_what_a_saved_output_says(lab, window):
    path = lab.write(
        "saved.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect saved_prod saved.duckdb --environment production",
        "%%sql\nSELECT 1",
        "%%sql saved_dev\nSELECT 2",
        "%tusk connect saved_dev saved2.duckdb --environment development\n%tusk use saved_dev",
    )
    document = json.loads(path.read_text())
    for cell, environment in zip(document["cells"], ("development", "development", {"constructor": 1}, 7), strict=True):
        metadata = {"tusk": {"connection": "saved_prod", "environment": environment, "run": "r"}}
        data = {"text/plain": "1", "text/html": "<i>1</i>"}
        cell["outputs"] = [
            {"output_type": "execute_result", "execution_count": 9, "data": data, "metadata": metadata},
            {"output_type": "display_data", "data": data, "metadata": {"tusk": environment}},
        ]
    path.write_text(json.dumps(document))
    opened = window("saved.ipynb", workspace="saved")
    bare, named = (opened.cell(number).get_by_test_id("tusk-cell-mark") for number in (1, 2))
    expect(named).to_have_text("saved_dev: no such connection")
    expect(opened.page.locator(".jp-Cell[data-environment=development]")).to_have_count(0)
    opened.run_cell(0)
    expect(bare).to_have_text("PRODUCTION · saved_prod")
    expect(opened.cell(1)).to_have_attribute("data-environment", "production")
    opened.picture("before any run")
    opened.run_cell(3)
    expect(bare).to_have_text("DEVELOPMENT · saved_dev")
    expect(named).to_have_text("DEVELOPMENT · saved_dev")
    opened.page.evaluate(HIDE)  # the core's news do not come: the window has to see the restart itself
    opened.page.evaluate(MISS_THE_START)
    opened.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(bare).not_to_contain_text("saved")  # other tests' connections are there, too
    expect(opened.cell(1)).not_to_have_attribute("data-environment", "development")


def test_failed_run_is_found_in_the_log_and_comes_into_a_new_cell_unexecuted(notebook, lab):
    page = notebook.page
    notebook.run_cell(2)
    open_log(notebook)
    page.get_by_test_id("tusk-log-status").select_option("failed")
    expect(log_rows(page)).to_have_count(1)
    runs = log_rows(page).first.get_attribute("data-run")
    log_rows(page).first.click()
    details = page.get_by_test_id("tusk-details")
    expect(details).to_contain_text("line 2, column 8")
    expect(details.locator("pre .tusk-mod-error")).to_have_text("nosuch")
    notebook.picture("log")
    details.get_by_role("button", name="New cell below").click()
    expect(active_cell(page)).to_contain_text("nosuch")
    expect(page.locator(".jp-CodeCell.jp-mod-active .jp-InputPrompt")).to_have_text("[ ]:")
    assert log_rows(page).first.get_attribute("data-run") == runs
    with page.expect_response(lambda answer: "/tusk/current" in answer.url):
        page.evaluate("() => window.jupyterapp.shell.currentWidget.context.rename('renamed.ipynb')")
    lab.write(f"{notebook.connection}.ipynb", "'another one has the name of before'")
    notebook.run_cell(2)
    expect(log_rows(page)).to_have_count(2)
    expect(log_rows(page).first.get_by_test_id("tusk-origin")).to_contain_text("renamed")
    notebook.cell(0).locator(".cm-content").click()
    log_rows(page).last.get_by_test_id("tusk-origin").click()  # it ran before the notebook was renamed
    expect(active_cell(page)).to_contain_text("nosuch")
    expect(page.locator(".lm-TabBar-tab.lm-mod-current", has_text="renamed")).to_be_visible()
    notebook.picture("renamed")


def test_run_of_another_notebook_is_cancelled_and_the_log_follows(notebook, window):
    notebook.cell(3).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    other = window("", workspace="other")
    other.command("tusk:open-log")
    running = other.page.get_by_test_id("tusk-running")
    expect(running).to_contain_text(ENDLESS)
    other.picture("running")
    running.get_by_test_id("tusk-cancel").click()
    expect(running).to_be_hidden()
    expect(log_rows(other.page).filter(has_text=ENDLESS).first).to_have_attribute("data-status", "cancelled")
    expect(notebook.cell(3).locator(".jp-Cell-outputArea")).to_contain_text("Cancelled")


def test_a_run_that_waits_for_a_lock_says_whose_in_its_cell_and_in_the_list(lab, window):  # L9
    path = lab.write(
        "locked.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect locked locked.sqlite --set busy_timeout_s=600\n%tusk set lock_question_s 0.3",
        "%%sql locked\nCREATE TABLE held (n int)",
        "%%sql locked\nINSERT INTO held VALUES (1)",
    )
    opened = window("locked.ipynb", workspace="locked")
    opened.run_cell(0)
    opened.run_cell(1)
    with contextlib.closing(sqlite3.connect(path.with_name("locked.sqlite"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opened.start_cell(2)
        who = f"process id {os.getpid()}"
        expect(opened.cell(2).locator(".jp-Cell-outputArea")).to_contain_text(who)
        opened.command("tusk:open-log")
        expect(opened.page.get_by_test_id("tusk-running").get_by_test_id("tusk-waits")).to_contain_text(who)
        opened.picture("waits for a lock")
        other.execute("ROLLBACK")
        expect(opened.cell(2).locator(".jp-Cell-outputArea")).to_contain_text("1 row changed")


def set_in_the_editor(page, plugin: str, field: str, value: str | bool, *, is_default: bool) -> None:
    """Change a setting as a user does, in the form of the settings editor; Lab keeps it a moment later."""
    entry = page.locator(f".jp-PluginList-entry[data-id='tusk-jupyter:{plugin}']")
    entry.click()
    control = page.locator(f"[id='jp-SettingsEditor-tusk-jupyter:{plugin}_{field}']")
    control.set_checked(value) if isinstance(value, bool) else control.select_option(label=value)
    changed = page.locator("h1:has-text('Modified') + ul").locator(entry)
    expect(changed).to_have_count(0 if is_default else 1)


def test_settings_are_found_by_the_word_tusk_and_each_of_them_acts(notebook):
    page = notebook.page
    mark = notebook.cell(4).get_by_test_id("tusk-cell-mark")
    notebook.command("tusk:open-log")
    hides = page.get_by_role("checkbox", name="Hide what tools ran")
    expect(hides).to_be_checked()
    expect(mark).to_be_visible()
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=f"{notebook.connection[:20]}")

    def change(plugin, field, value, *, is_default=False):
        notebook.command("settingeditor:open")
        search = page.locator(".jp-PluginList input").first
        search.fill("tusk")
        for title in ("Tusk: connections", "Tusk: query log", "Tusk: SQL in cells"):
            expect(page.locator(".jp-PluginList-entry", has_text=title)).to_be_visible()
        set_in_the_editor(page, plugin, field, value, is_default=is_default)
        notebook.picture(f"settings {plugin}")
        tab.click()

    change("cells", "marks", "none")
    expect(mark).to_have_count(0)
    change("log", "hideTools", False)
    expect(hides).not_to_be_checked()
    change("panel", "tableInserts", "name")
    walk_to_a_table(notebook)
    page.keyboard.press("Enter")
    expect(active_cell(page)).to_contain_text("people")
    expect(active_cell(page)).not_to_contain_text("SELECT")
    for plugin, field, value in (
        ("cells", "marks", "all"),
        ("log", "hideTools", True),
        ("panel", "tableInserts", "select"),
    ):
        change(plugin, field, value, is_default=True)  # the next test has this server's settings, too
    expect(mark).to_be_visible()
