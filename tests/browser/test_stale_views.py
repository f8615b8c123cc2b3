"""The panels while the core is stopped: what they show is marked as old, and is live again once the core is."""

import os
import signal

from playwright.sync_api import expect
from services import freeze

DOUBT = "not up to date: the core does not answer"


def test_log_and_tree_say_that_they_are_old_and_become_live_again(lab, window):
    lab.write(
        "stale.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect pond pond.duckdb",
        "%%sql pond\nSELECT 1 AS frogs",
        "%%sql pond\nSELECT 2 AS toads",
    )
    opened = window("stale.ipynb", workspace="stale")
    page = opened.page
    for number in range(3):
        opened.run_cell(number)
    opened.command("tusk:show-panel")
    item = page.get_by_test_id("tusk-tree").get_by_role("treeitem", name="pond").first
    expect(item).to_be_visible()
    opened.command("tusk:open-log")
    rows = page.get_by_test_id("tusk-log-list").locator("[data-run]")
    shown, doubt = page.get_by_test_id("tusk-log-shown"), page.get_by_test_id("tusk-tree-doubt")
    expect(shown).to_have_text("2 of 2 runs")
    expect(doubt).to_be_hidden()
    error = page.locator(".tusk-LogList .tusk-Error")
    core = lab.get("/tusk/info")["pid"]
    freeze(core)
    try:
        expect(shown).to_have_text(f"2 of 2 runs · {DOUBT}")
        expect(doubt).to_have_text(f"{DOUBT.capitalize()}.")
        opened.picture("1 the core is stopped")
        page.get_by_test_id("tusk-log-text").fill("toads")
        expect(error).to_contain_text("does not answer")
        opened.picture("2 a filter")
    finally:
        os.kill(core, signal.SIGCONT)
    expect(shown).to_have_text("1 of 1 runs")
    expect(doubt).to_be_hidden()
    expect(error).to_be_hidden()
    expect(rows).to_have_count(1)
    opened.picture("3 live again")
