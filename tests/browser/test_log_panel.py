"""The query log where there is little room, sorted, with ways back to the cells; and in Notebook 7."""

import itertools

from playwright.sync_api import expect

CELLS = (
    "%load_ext tusk_jupyter\n%tusk connect walls walls.duckdb --environment development",
    "%%sql walls\nSELECT i AS number, 'a long text that does not fit into a narrow panel' AS words FROM range(1000000) r(i)",
    "%%sql walls\nSELECT 1",
    "%%sql walls\nSELECT nosuch",
)


def rows(page):
    return page.get_by_test_id("tusk-log-list").locator("[data-run]")


def is_whole(cell):
    return cell.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_in_400_pixels_numbers_are_whole_the_sql_is_seen_and_the_log_is_sorted_by_any_column(lab, window):
    lab.write("walls.ipynb", *CELLS, "", *["'far below'\n" * 20] * 5)
    opened = window("walls.ipynb", workspace="walls")
    for number in range(4):
        opened.run_cell(number)
    narrow = window("", workspace="narrow")
    page = narrow.page
    narrow.command("application:toggle-left-area")
    narrow.command("tusk:open-log")
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_test_id("tusk-details")).to_be_hidden()
    for width in (900, 400):
        page.set_viewport_size({"width": width + 36, "height": 600})
        big = rows(page).filter(has_text="range(1000000)")
        expect(big.locator(".tusk-LogRow-rows")).to_have_text("1.0 M")
        expect(big.locator(".tusk-LogRow-rows")).to_have_attribute("title", "1,000,000")
        assert all(
            is_whole(cell)
            for kind in ("time", "duration", "rows")
            for cell in rows(page).locator(f".tusk-LogRow-{kind}").all()
        )
        place = big.locator(".tusk-LogRow-sql").bounding_box()
        assert place["width"] > 150 and place["x"] + place["width"] <= width + 36
        more, filters = page.locator(".tusk-Filters-more"), page.get_by_test_id("tusk-log-status")
        if width == 400:
            expect(filters).to_be_hidden()  # they would take more room than the list
            more.click()
            expect(filters).to_be_visible()
            more.click()
            expect(filters).to_be_hidden()
        else:
            expect(filters).to_be_visible()
            expect(more).to_be_hidden()
        narrow.picture(f"{width} pixels")
    for order, first in (
        ("rows", "range(1000000)"),
        ("status", "SELECT"),
        ("duration", "range(1000000)"),
        ("connection", "nosuch"),
    ):
        page.locator(f"[data-order={order}]").click()
        expect(page.locator(f"[role=columnheader]:has([data-order={order}])")).to_have_attribute(
            "aria-sort", "ascending" if order in ("status", "connection") else "descending"
        )
        expect(rows(page).first).to_contain_text(first)
    page.locator("[data-order=rows]").click()
    page.locator("[data-order=rows]").click()
    expect(rows(page).first).to_contain_text("SELECT 1")
    rows(page).first.locator(".tusk-LogRow-sql").click()
    expect(page.get_by_test_id("tusk-details")).to_be_visible()
    narrow.picture("details below")
    page.set_viewport_size({"width": 236, "height": 600})
    expect(page.get_by_test_id("tusk-details").locator(".tusk-Badge")).to_be_in_viewport(ratio=1)
    narrow.picture("details in 200 pixels")
    page.set_viewport_size({"width": 436, "height": 600})
    page.get_by_test_id("tusk-details").get_by_role("button", name="Close").click()
    expect(page.get_by_test_id("tusk-details")).to_be_hidden()


KINDS = ("time", "duration", "rows", "connection", "sql", "origin")


PLACES = """(row, kinds) => Object.fromEntries(kinds.map(kind => {
  const { x, width } = row.querySelector(`.tusk-LogRow-${kind}`).getBoundingClientRect();
  return [kind, { x, width }];
}))"""


def places_in(row):
    """Return where the parts of a row stand, asked in one step: the rows are drawn anew where the list has another width."""
    return row.evaluate(PLACES, KINDS)


def test_in_219_pixels_every_part_of_a_row_is_seen_and_in_369_the_sql_takes_the_room_there_is(lab, window):
    narrow = window("", workspace="tiny")
    page = narrow.page
    narrow.command("application:toggle-left-area")
    narrow.command("tusk:open-log")
    big = rows(page).filter(has_text="range(1000000)")
    for width, row_height in ((369, 42), (219, 60), (178, 60)):
        page.set_viewport_size({"width": width + 77, "height": 600})
        expect(rows(page).nth(1)).to_have_css("top", f"{row_height}px")
        list_box = page.locator(".tusk-LogList").bounding_box()
        assert abs(list_box["width"] - width) < 5
        narrow.picture(f"{width} pixels")
        found = places_in(big)
        right = list_box["x"] + list_box["width"]
        assert all(box["width"] > 25 and box["x"] + box["width"] <= right for box in found.values()), found
        assert all(is_whole(big.locator(f".tusk-LogRow-{kind}")) for kind in ("time", "duration", "rows", "connection"))
        sql, origin = found["sql"], found["origin"]
        assert 0 <= origin["x"] - sql["x"] - sql["width"] <= 12  # nothing is left between them
        assert origin["width"] <= list_box["width"] / 2
        boxes = [one.bounding_box() for one in rows(page).all()]
        assert all(below["y"] >= above["y"] + above["height"] for above, below in itertools.pairwise(boxes))
        head = page.locator(".tusk-LogList-head").bounding_box()
        assert boxes[0]["y"] >= head["y"] + head["height"]


def test_a_run_leads_back_to_its_cell(lab, window):
    opened = window("", workspace="origin")
    opened.command("tusk:open-log")
    run = rows(opened.page).filter(has_text="nosuch")
    run.get_by_test_id("tusk-origin").click()
    active = opened.page.locator(".jp-Notebook:visible .jp-CodeCell.jp-mod-active")
    expect(active).to_contain_text("nosuch")
    expect(active).to_be_in_viewport()
    opened.picture("the cell of a run")


def test_notebook_7_opens_the_log_by_its_button_and_its_keys(lab, window):
    lab.write("seven.ipynb", *CELLS[:1], "%%sql walls\nSELECT 7")
    seven = window("seven.ipynb", in_notebook_7=True)
    page = seven.page
    for number in (0, 1):
        seven.run_cell(number)
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    page.keyboard.press("Alt+Shift+L")
    expect(rows(page).first).to_be_in_viewport()
    seven.picture("by its keys")
    assert page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == 0
    rows(page).filter(has_text="SELECT 7").get_by_test_id("tusk-origin").click()
    page.wait_for_function("() => jupyterapp.shell.currentWidget.content.activeCellIndex === 1")
    page.locator("#down-panel, .jp-NotebookDownPanel, .lm-TabPanel").locator(".lm-TabBar-tabCloseIcon").first.click()
    expect(rows(page)).to_have_count(0)
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    page.keyboard.press("Alt+Shift+T")
    panel = page.get_by_role("region", name="Tusk", exact=True)
    panel.locator("jp-button, button").filter(has_text="Query Log").click()
    expect(rows(page).first).to_be_in_viewport()
    seven.picture("by its button")


HEARD = """() => {
  window.heard = 0;
  document.querySelector('[data-testid=tusk-log-list]').addEventListener('click', () => { window.heard += 1; });
}"""


def test_no_row_moves_between_press_and_release(lab, window):
    """A browser gives no click where the pressed row was replaced."""
    lab.write(
        "pressed.ipynb",
        CELLS[0].replace("walls", "pressed"),
        "%%sql pressed\nSELECT 'the first'",
        "%%sql pressed\nSELECT 2",
    )
    writer = window("pressed.ipynb", workspace="writer")
    writer.run_cell(0)
    writer.run_cell(1)
    reader = window("", workspace="reader")
    page = reader.page
    reader.command("tusk:open-log")
    page.get_by_test_id("tusk-log-text").fill("SELECT")
    row = rows(page).filter(has_text="the first")
    expect(row).to_be_visible()
    page.get_by_test_id("tusk-log-list").evaluate(HEARD)
    row.locator(".tusk-LogRow-sql").hover()
    page.mouse.down()
    expect(row).to_have_attribute("aria-selected", "true")
    place = row.bounding_box()
    with page.expect_response(lambda answer: "/log?" in answer.url and "SELECT 2" in answer.text()):
        writer.run_cell(2)
    page.wait_for_timeout(300)  # what arrived is drawn within a frame where nothing holds it
    assert row.bounding_box() == place
    page.mouse.up()
    expect(rows(page).filter(has_text="SELECT 2")).to_be_visible()
    assert page.evaluate("window.heard") == 1
    expect(row).to_have_attribute("aria-selected", "true")
    row.locator(".tusk-LogRow-sql").evaluate("cell => getSelection().selectAllChildren(cell)")
    writer.run_cell(1)
    expect(row).to_have_count(2)
    assert page.evaluate("String(getSelection())") == "SELECT 'the first'"  # what is selected stays, as rows come
