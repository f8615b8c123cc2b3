"""The road of a user through everything that is to be seen, in a real JupyterLab on a real PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def shop(postgresql):
    """A database with a table; its password is a canary: whatever holds it has leaked it."""
    with psycopg.connect(postgresql.dsn, autocommit=True) as admin:
        admin.execute("DROP TABLE IF EXISTS parcels")
        admin.execute(
            "CREATE TABLE parcels (parcel_id int PRIMARY KEY, destination text, weight numeric(8,3), posted timestamptz)"
        )
        admin.execute(
            "INSERT INTO parcels SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE 'town ' || i % 50 END, i * 1.001,"
            " timestamptz '2026-01-01 00:00+00' + i * interval '1 hour' FROM generate_series(1, 5000) AS g(i)"
        )
    return postgresql


def test_from_a_new_connection_to_an_old_query(lab, window, shop):  # UX 2.1, 2.3, 2.6
    lab.write(
        "journey.ipynb",
        "%load_ext tusk_jupyter\n%tusk pick",
        "%%sql\nSELECT parcel_id, destination, weight, posted FROM parcels",
        "%%sql\nSELECT wei FROM parcels",
        "%%sql\nSELECT no_such_column FROM parcels",
        "",
    )
    page = window("journey.ipynb")
    picker = page.run_cell(0).locator("[data-tusk=picker]")

    add_connection(page, picker, shop)
    look_at_a_result(page)
    complete_a_column(page)
    find_an_error_in_the_log(page)
    bring_an_old_query_back(page)
    see_it_in_a_second_window(page, window)

    saved = page.save()
    assert "parcels" in saved
    leaks = [text[:200] for text in [saved, *page.received] if shop.password in text]
    assert leaks == []


def add_connection(page, picker, shop):
    """Fill in the form that the driver's manifest draws, see a wrong password named as such, then the right one."""
    picker.locator("[data-tusk=add]").click()
    picker.locator("[data-tusk=driver][data-driver=postgresql]").click()
    picker.locator("[data-tusk=name]").fill("shop")
    for field in ("host", "port", "database"):
        picker.locator(f"[data-field={field}]").fill(str(getattr(shop, field)))
    picker.locator("[data-field=user]").fill(shop.user)
    picker.locator("[data-field=password]").fill("wrong")
    picker.get_by_text("Production").click()
    page.picture("1 the form")
    picker.locator("[data-tusk=test]").click()
    expect(picker.locator("[data-tusk=result]")).to_contain_text("password")
    page.picture("2 the stage that failed")
    picker.locator("[data-field=password]").fill(shop.password)
    picker.locator("[data-tusk=test]").click()
    expect(picker.locator("[data-tusk=outcome]")).to_contain_text("PostgreSQL")
    page.picture("3 tested")
    picker.locator("[data-field=password]").fill(shop.password)
    picker.locator("[data-tusk=save]").click()
    row = picker.locator("[data-tusk=connections] [data-name=shop]")
    row.click()
    expect(picker.locator("[data-tusk=connections] [data-name=shop][aria-selected=true]")).to_be_visible()
    page.picture("4 picked")


def look_at_a_result(page):
    """All rows are there to be scrolled through; sorted and filtered in the kernel, with what is shown said plainly."""
    output = page.run_cell(1)
    expect(output).to_contain_text("5,000 rows")
    grid = output.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "5002")
    expect(grid.get_by_role("gridcell", name="1.001", exact=True)).to_be_visible()
    expect(page.cell(1).get_by_test_id("tusk-cell-mark")).to_contain_text("PRODUCTION", ignore_case=True)
    page.picture("5 the result")
    open_menu(grid, "weight")
    page.picture("6 a column's statistics")
    output.get_by_role("button", name="↓ Sort descending").click()
    expect(grid.get_by_role("gridcell", name="5005.000", exact=True)).to_be_visible()
    open_menu(grid, "destination")
    output.get_by_label("Condition", exact=True).select_option("contains")
    output.get_by_label("Value", exact=True).fill("town 49")
    output.get_by_role("button", name="Filter", exact=True).click()
    expect(grid).to_have_attribute("aria-rowcount", "87")
    expect(grid.get_by_role("gridcell", name="5003.999", exact=True)).to_be_visible()
    page.picture("7 sorted and filtered")


def open_menu(grid, column):
    grid.get_by_role("columnheader", name=column).locator(".tusk-menu").click()


def complete_a_column(page):
    cell = page.cell(2)
    cell.locator(".cm-line").nth(1).click()
    page.page.keyboard.press("Home")
    for _ in range(len("SELECT wei")):
        page.page.keyboard.press("ArrowRight")
    chosen = page.page.locator(".jp-Completer-item", has_text="weight").first
    while not chosen.is_visible():  # no key waits for a schema that is still on its way: then the next one has it
        page.page.keyboard.press("Tab")
        page.page.wait_for_timeout(1000)
    page.picture("8 completion")
    page.page.keyboard.press("Enter")
    expect(cell.locator(".cm-content")).to_contain_text("SELECT weight FROM parcels")


def find_an_error_in_the_log(page):
    expect(page.run_cell(3)).to_contain_text("no_such_column")
    expect(page.cell(3).get_by_test_id("tusk-squiggle")).to_be_visible()
    page.picture("9 the error, marked")
    page.page.get_by_role("tab", name="Tusk").click()
    page.page.get_by_role("button", name="Query Log").click()
    runs = page.page.get_by_test_id("tusk-log-list").locator("[data-run]")
    page.page.get_by_test_id("tusk-log-connection").select_option("shop")
    expect(runs).to_have_count(2)
    page.picture("10 the log")
    page.page.get_by_test_id("tusk-log-text").fill("no_such")
    expect(runs).to_have_count(1)
    page.page.get_by_test_id("tusk-log-text").fill("")
    page.page.get_by_test_id("tusk-log-status").select_option("failed")
    expect(runs).to_have_count(1)
    runs.first.click()
    expect(page.page.get_by_test_id("tusk-details")).to_contain_text("no_such_column")
    page.picture("10 the log, one run in full")


def bring_an_old_query_back(page):
    page.page.get_by_test_id("tusk-log-status").select_option("completed")
    runs = page.page.get_by_test_id("tusk-log-list").locator("[data-run]")
    expect(runs).to_have_count(1)
    runs.first.click()
    before = page.page.locator(".jp-Notebook:visible .jp-Cell").count()
    page.page.get_by_test_id("tusk-details").get_by_role("button", name="New cell below").click()
    expect(page.page.locator(".jp-Notebook:visible .jp-Cell")).to_have_count(before + 1)
    expect(page.page.locator(".jp-Notebook:visible")).to_contain_text("%%sql shop")
    page.picture("11 an old query in a new cell")


def see_it_in_a_second_window(page, window):
    other = window(workspace="second")
    other.page.get_by_role("tab", name="Tusk").click()
    expect(other.page.get_by_test_id("tusk-tree")).to_contain_text("shop")
    other.picture("a second window")


def test_a_query_of_another_notebook_is_cancelled_from_the_log(lab, window, shop):
    setup = f"%load_ext tusk_jupyter\nimport os\nos.environ['P'] = {shop.password!r}\n" + (
        f"%tusk connect slow postgresql://{shop.user}@{shop.host}:{shop.port}/{shop.database} --password-env P"
    )
    lab.write("slow.ipynb", setup, "%%sql slow\nSELECT count(*) FROM generate_series(1, 1000000000000) AS g(i)")
    slow = window("slow.ipynb", workspace="slow")
    slow.run_cell(0)
    slow.start_cell(1)
    other = window(workspace="watcher")
    other.page.get_by_role("tab", name="Tusk").click()
    other.page.get_by_role("button", name="Query Log").click()
    running = other.page.get_by_test_id("tusk-running")
    expect(running).to_contain_text("generate_series")
    other.picture("1 running, seen from another window")
    running.get_by_test_id("tusk-cancel").click()
    expect(slow.cell(1)).to_contain_text("Cancelled")
    expect(running).not_to_contain_text("generate_series")
    other.picture("2 cancelled")
    slow.picture("3 the cell")
