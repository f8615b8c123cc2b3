"""The picker as its user meets it: a browser, a core, databases."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from ipywidgets import Widget
from playwright.sync_api import expect
from security.canary import Canary
from services import freeze, wait_until
from services.homes import processes_of
from widgets.picker_pages import Shown, browser, show  # noqa: TID251 - tests/widgets, not the product's folder

import tusk_jupyter as tusk
from tusk_jupyter import errors
from tusk_jupyter.client import get_client, pulse
from tusk_jupyter.protocol import calls, control
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_widgets.picker_desk import Desk

__all__ = ["browser", "show"]
pytestmark = pytest.mark.home("shared")

SCRIPTED = Path(__file__).parent.parent / "scripted_driver" / "__main__.py"
DONE = {"name": "done", "tcp": "done", "tls": "done", "sign-in": "done", "database": "done"}


def fill_in(shown: Shown, server, **changed: object) -> None:
    """Fill the form of a PostgreSQL connection."""
    said = {"name": "shop", "host": server.host, "port": server.port, "database": server.database, "user": server.user}
    shown.fill(**{**said, "password": server.password, **changed})


def failing_at(stage: str) -> dict[str, str]:
    names = list(DONE)
    at = names.index(stage)
    return {name: "done" if i < at else "failed" if i == at else "open" for i, name in enumerate(names)}


def test_a_connection_is_added_tested_picked_and_used(show, postgresql):
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql)
    assert shown.test() == DONE
    assert "PostgreSQL" in shown.find("outcome").inner_text()
    assert tusk.connections() == ()
    shown.page.get_by_text("Production").click()
    shown.save()
    expect(shown.option("shop")).to_have_attribute("aria-selected", "true")
    expect(shown.option("shop").locator("[data-environment=production]")).to_have_text("production")
    assert shown.picker.value == "shop"
    assert tusk.query("SELECT 41 + 1 AS n").n[0] == 42


def test_a_test_names_the_stage_that_failed_with_its_hint(show, postgresql):
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, host="no-such-host.invalid")
    assert shown.test() == failing_at("name")
    assert "spelling" in shown.find("result").inner_text()
    shown.fill(host=postgresql.host, port=1)
    assert shown.test() == failing_at("tcp")
    shown.fill(port=postgresql.port, password="wrong")
    assert shown.test() == failing_at("sign-in")
    hint = shown.find("result").inner_text()
    assert "give the password again" in hint
    assert "credentials set" not in hint  # there is no connection yet that the verb could name
    shown.fill(password=postgresql.password, database="nowhere")
    assert shown.test() == failing_at("database")
    assert tusk.connections() == ()


def test_what_was_said_of_other_entries_goes_and_what_is_wrong_is_said_beside_the_buttons(show, postgresql, tmp_path):
    tusk.connect("pg", str(tmp_path / "pg.duckdb"))
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, password="wrong")
    assert shown.test() == failing_at("sign-in")
    result = shown.find("result")
    shown.fill(password=postgresql.password)
    expect(result).to_be_empty()
    assert shown.test() == DONE
    shown.page.get_by_text("Staging").click()
    expect(result).to_be_empty()
    shown.fill(name="PG")
    shown.find("save").click()
    expect(result).to_have_text("There is a connection PG already.")
    expect(result).to_be_in_viewport()
    expect(shown.find("name")).to_be_focused()


def test_what_does_not_sign_in_is_saved_only_when_that_is_meant(show, postgresql):
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, password="wrong")
    shown.find("save").click()
    expect(shown.find("save-untested")).to_be_visible(timeout=30_000)
    assert tusk.connections() == ()
    shown.find("save-untested").click()
    expect(shown.option("shop")).to_be_visible()


def test_a_click_picks_and_the_next_query_uses_it(show, tmp_path):
    for name in ("one", "two"):
        tusk.connect(name, str(tmp_path / f"{name}.duckdb"))
        tusk.execute(f"CREATE TABLE here AS SELECT '{name}' AS name", connection=name)
    shown = show()
    expect(shown.option("two")).to_have_attribute("aria-selected", "true")
    shown.option("one").click()
    expect(shown.option("one")).to_have_attribute("aria-selected", "true")
    assert tusk.query("SELECT name FROM here").name[0] == "one"
    assert shown.picker.value == "one"
    shown.picker.value = "two"
    expect(shown.option("two")).to_have_attribute("aria-selected", "true")
    with pytest.raises(errors.UsageError):
        shown.picker.value = "three"
    assert shown.picker.value == "two"


def test_the_list_is_live_and_a_removed_choice_stays_greyed(show, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    shown = show()
    expect(shown.option("lake")).to_be_visible()
    tusk.connect("other", str(tmp_path / "other.duckdb"))
    tusk.use("lake")
    expect(shown.option("other")).to_be_visible(timeout=15_000)
    tusk.remove("lake")
    expect(shown.option("lake")).to_have_attribute("aria-disabled", "true", timeout=15_000)
    expect(shown.option("lake")).to_contain_text("removed")
    expect(shown.option("other")).to_have_attribute("aria-selected", "false")
    shown.option("lake").click(force=True)
    assert shown.picker.value == "lake"
    with pytest.raises(errors.UsageError):
        tusk.query("SELECT 1")


def test_the_thread_ends_with_the_view(show):
    shown = show()
    wait_until(lambda: shown.picker._watch.running, 10, "somebody watches")
    shown.page.evaluate("window.closeView()")
    shown.page.wait_for_timeout(50)  # Playwright serves the page's calls only while it is asked something
    wait_until(lambda: not shown.picker._watch.running, 20, "nobody watches")


def test_everything_is_reached_by_the_keyboard(show, tmp_path):
    for name in ("ape", "bee", "cat"):
        tusk.connect(name, str(tmp_path / f"{name}.duckdb"))
    shown = show()
    keys = shown.page.keyboard
    shown.find("connections").focus()
    keys.press("b")
    keys.press("Enter")
    expect(shown.option("bee")).to_have_attribute("aria-selected", "true")
    active = shown.find("connections").get_attribute("aria-activedescendant")
    assert shown.option("bee").get_attribute("id") == active  # ids stay when the list is drawn anew
    keys.press("Shift+F10")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(shown.find("copy-name")).to_be_focused()
    keys.press("Enter")
    expect(shown.option("bee_copy")).to_be_visible()
    keys.press("End")
    keys.press("Delete")
    expect(shown.page.get_by_role("alertdialog")).to_be_visible()
    keys.press("Escape")
    expect(shown.find("connections")).to_be_focused()
    keys.press("F2")
    expect(shown.find("name")).to_be_focused()
    keys.press("Escape")
    expect(shown.find("connections")).to_be_focused()


def test_deleting_asks_and_says_what_goes_with_it(show, postgresql):
    tusk.connect("shop", postgresql.url_without_password, password=postgresql.password)
    tusk.query("SELECT 1", connection="shop")
    shown = show()
    shown.menu("shop", "delete")
    expect(shown.find("dialog")).to_contain_text("stored secret (vault)")
    shown.find("dialog").locator("[data-tusk=cancel]").click()
    assert len(tusk.connections()) == 1
    shown.menu("shop", "delete")
    shown.find("confirm-delete").click()
    expect(shown.find("status")).to_contain_text("its secret (vault) and 1 open session")
    assert tusk.connections() == ()


def test_a_copy_and_a_renamed_connection_keep_the_secret(show, postgresql):
    tusk.connect("shop", postgresql.url_without_password, password=postgresql.password)
    shown = show()
    shown.menu("shop", "duplicate")
    shown.find("copy-name").fill("store")
    shown.find("confirm-duplicate").click()
    expect(shown.option("store")).to_be_visible()
    assert tusk.query("SELECT 1 AS n", connection="store").n[0] == 1
    shown.menu("store", "edit")
    expect(shown.field("password")).to_have_value("The stored one stays (vault)")
    shown.fill(name="branch")
    shown.field("read_only").check()
    shown.save()
    assert "store" not in shown.names()
    branch = next(one for one in tusk.connections() if one.name == "branch")
    assert branch.read_only
    assert tusk.query("SELECT 1 AS n", connection="branch").n[0] == 1


@pytest.mark.parametrize("is_answered_first", [False, True])
def test_a_renamed_connection_is_one_row_in_its_old_place(show, tmp_path, is_answered_first):
    for name in ("ape", "bee", "cat"):
        tusk.connect(name, driver="sqlite", path=str(tmp_path / name), test=False)
    tusk.use("bee")
    shown = show()
    shown.says_answers_first = is_answered_first
    places = shown.ids()
    shown.menu("bee", "edit")
    shown.fill(name="dog")
    shown.save()
    expect(shown.find("status")).to_contain_text("dog is saved. Cells with %%sql use it.")
    assert (shown.names(), shown.ids()) == (["dog", "ape", "cat"], places)
    expect(shown.page.locator("[aria-selected=true]")).to_have_attribute("data-name", "dog")
    tusk.remove("ape")
    expect(shown.option("ape")).to_have_attribute("aria-disabled", "true", timeout=15_000)
    shown.menu("cat", "edit")
    shown.fill(name="ape")  # which was that of the removed row
    shown.save()
    expect(shown.find("status")).to_contain_text("ape is saved")
    assert (shown.names(), shown.ids()) == (["dog", "ape"], [places[0], places[2]])
    tusk.remove("ape")
    expect(shown.option("ape")).to_have_attribute("aria-disabled", "true", timeout=15_000)
    tusk.connect("ape", driver="sqlite", path=str(tmp_path / "ape"), test=False)
    expect(shown.option("ape")).not_to_have_attribute("aria-disabled", "true", timeout=15_000)
    assert shown.names() == ["dog", "ape"]


@pytest.mark.home("own")
def test_a_password_that_went_with_its_core_is_typed_anew(show, postgresql):
    tusk.connect("shop", postgresql.url_without_password, password=postgresql.password, tier="memory")
    get_client().call(control.StopCore())
    shown = show()
    expect(shown.option("shop")).to_contain_text("memory: missing")
    shown.menu("shop", "edit")
    shown.fill(password=postgresql.password)
    assert shown.test() == DONE
    shown.save()
    assert tusk.query("SELECT 1 AS n", connection="shop").n[0] == 1


def test_a_core_that_was_stopped_stays_stopped_under_a_picker(show, tusk_home, postgresql):
    tusk.connect("shop", postgresql.url)
    shown = show()
    tusk.query("SELECT 1", connection="shop")
    watch = next(one for one in shown.heard if json.loads(one)["kind"] == "watch")
    shown.repeat(watch)
    assert "connected" in shown.answers()[-1]["ok"]["lines"][0]["state"]
    get_client().call(control.StopCore())
    wait_until(lambda: not processes_of(tusk_home), 15, "the core has ended")
    shown.repeat(watch)  # as a page says every minute
    assert shown.answers()[-1]["ok"]["lines"][0]["state"] == "disconnected"
    shown.picker._follow()  # as it does when a change was reported just before the core went
    expect(shown.option("shop")).to_be_visible()
    assert not processes_of(tusk_home)


def test_a_form_does_not_undo_what_was_changed_elsewhere(show, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    shown = show()
    shown.menu("lake", "edit")
    expect(shown.find("name")).to_have_value("lake")
    shown.find("more").locator("summary").click()
    shown.fill(timeout_s=33, threads=2)
    tusk.connect("lake", str(tmp_path / "sea.duckdb"), environment="production", timeout_s=20, replace=True)
    shown.find("save").click()
    expect(shown.find("result")).to_contain_text("was changed elsewhere")
    expect(shown.find("result")).to_contain_text("As stored now: Database file, Environment. What you entered stays")
    lake = tusk.connections()[0]
    assert (lake.environment, lake.target.endswith("sea.duckdb"), lake.timeout_s) == ("production", True, 20)
    shown.save()
    lake = tusk.connections()[0]
    assert (lake.environment, lake.target.endswith("sea.duckdb")) == ("production", True)
    assert (lake.timeout_s, lake.config["threads"]) == (33, 2)


def test_a_form_outlives_that_its_connection_is_renamed_or_removed_elsewhere(show, postgresql):
    tusk.connect("shop", postgresql.url_without_password, password=postgresql.password)
    shown, other = show(), show()
    shown.menu("shop", "edit")
    shown.find("more").locator("summary").click()
    shown.fill(timeout_s=33)
    other.menu("shop", "edit")
    other.fill(name="store")
    other.save()
    shown.find("save").click()
    expect(shown.find("result")).to_contain_text("As stored now: Name. What you entered stays")
    shown.save()
    (store,) = tusk.connections()
    assert (store.name, store.timeout_s) == ("store", 33)
    shown.menu("store", "edit")
    shown.source("password").select_option("typed")
    shown.fill(password=postgresql.password)
    tusk.remove("store")
    shown.find("save").click()
    expect(shown.find("result")).to_contain_text("store was removed, elsewhere")
    shown.save()
    assert tusk.connections()[0].timeout_s == 33


def test_a_stored_secret_is_not_tried_at_another_host(show, postgresql):
    tusk.connect("shop", postgresql.url_without_password, password=postgresql.password)
    shown = show()
    shown.menu("shop", "edit")
    shown.fill(host="localhost")
    shown.find("test").click()
    expect(shown.page.locator("[data-field-row=password] .tusk-pick-problem")).to_contain_text("another account")
    assert shown.find("outcome").count() == 0


def test_editing_another_connection_does_not_pick_it(show, tmp_path):
    for name in ("one", "two"):
        tusk.connect(name, str(tmp_path / f"{name}.duckdb"))
    shown = show()
    shown.menu("one", "edit")
    shown.field("read_only").check()
    shown.save()
    expect(shown.option("two")).to_have_attribute("aria-selected", "true")
    assert next(one for one in tusk.connections() if one.current).name == "two"


def test_quick_add_takes_the_secret_from_the_environment_and_never_shows_it(show, postgresql, monkeypatch):
    for name, value in {
        "PGHOST": postgresql.host, "PGPORT": str(postgresql.port), "PGUSER": postgresql.user,
        "PGDATABASE": postgresql.database, "PGPASSWORD": postgresql.password,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    shown = show()
    shown.find("add").click()
    shown.find("suggestion", name="postgresql").click()
    expect(shown.field("password")).to_have_value("PGPASSWORD")
    assert shown.test() == DONE
    shown.save()
    assert tusk.query("SELECT 1 AS n", connection="postgresql").n[0] == 1
    assert postgresql.password not in json.dumps(shown.heard) + json.dumps([one["data"] for one in shown.said])
    assert shown.buffers == []


def test_a_password_command_is_a_way_too(show, postgresql, tmp_path):
    (tmp_path / "pw").write_text(postgresql.password)
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, password="")
    shown.source("password").select_option("command")
    shown.field("password").fill(f"cat {tmp_path / 'pw'}")
    assert shown.test() == DONE
    shown.save()
    assert tusk.connections()[0].credential_tier == "command"
    shown.menu("shop", "edit")
    shown.page.get_by_text("Staging").click()
    shown.save()
    assert tusk.query("SELECT 1 AS n", connection="shop").n[0] == 1


def test_a_typed_password_outlives_other_ways_and_other_sources(show, postgresql):
    shown = show()
    shown.add("postgresql")
    for way in ("Local socket", "User and password"):
        shown.page.locator("[data-tusk=way] label", has_text=way).click()
    expect(shown.field("host")).to_have_value("")  # which is localhost, and not the socket's folder
    fill_in(shown, postgresql)
    for way in ("Connection URL", "Local socket", "Connection URL", "User and password"):
        shown.page.locator("[data-tusk=way] label", has_text=way).click()
    for kind in ("command", "environment", "none"):
        shown.source("password").select_option(kind)
        if kind != "none":
            shown.field("password").fill(f"of {kind}")
    for kind in ("command", "environment"):
        shown.source("password").select_option(kind)
        expect(shown.field("password")).to_have_value(f"of {kind}")
    shown.source("password").select_option("typed")
    assert shown.test() == DONE
    shown.page.locator("[data-tusk=way] label", has_text="Local socket").click()
    shown.page.locator("[data-tusk=way] label", has_text="User and password").click()
    expect(shown.field("password")).to_have_attribute("placeholder", re.compile("the kernel holds it"))
    assert shown.test() == DONE
    assert shown.buffers == [postgresql.password.encode()]


def test_a_url_stands_for_the_fields(show, postgresql):
    shown = show()
    shown.add("postgresql")
    shown.fill(name="shop")
    shown.page.get_by_text("Connection URL").first.click()
    shown.field("url").fill(postgresql.url)
    shown.save()
    assert tusk.query("SELECT 1 AS n", connection="shop").n[0] == 1
    assert tusk.connections()[0].credential_tier == "vault"


@pytest.mark.home("own")
def test_a_third_partys_driver_has_its_form_for_free(show, tusk_home):
    folder = tusk_home / "drivers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.json").write_text(json.dumps({"name": "scripted", "command": [sys.executable, str(SCRIPTED)]}))
    shown = show()
    shown.add("scripted")
    assert shown.field("mood").locator("option").all_inner_texts() == ["kind (default)", "stubborn", "slow", "mortal"]
    shown.fill(name="mine", host="h")
    shown.save()
    assert tusk.connections()[0].config == {"host": "h"}


def test_what_is_wrong_is_said_beside_the_field(show):
    shown = show()
    shown.add("postgresql")
    shown.fill(name="select", port=70000)
    shown.find("save").click()
    expect(shown.field("port")).to_have_attribute("aria-invalid", "true")
    expect(shown.page.locator("[data-field-row=database] .tusk-pick-problem")).to_have_text("Database is needed.")
    assert shown.field("port").evaluate("e => e.closest('.tusk-control').innerText").count("between 1 and 65535") == 1
    shown.fill(port=5432, database="d", user="u")
    shown.find("save").click()
    expect(shown.page.locator("[data-field-row=name] .tusk-pick-problem")).to_contain_text("begins SQL")


def test_where_there_are_no_widgets_its_text_says_how_to_choose(show, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    data = show().picker._repr_mimebundle_()
    assert data["text/plain"].startswith("Current connection: lake. Choose one with `%tusk use NAME`")


# --- nothing moves below the pointer ---

BOXES = """() => [...document.querySelectorAll('.tusk-picker :is(input, select, button, label, summary)')]
  .filter(one => one.offsetParent).map(one => {
    const [box, home] = [one, document.querySelector('.tusk-picker')].map(each => each.getBoundingClientRect());
    const place = [box.x - home.x, box.y - home.y, box.width, box.height].map(Math.round);
    return [one.dataset.field ?? one.dataset.tusk ?? one.textContent, ...place].join(' ');
  }).join('\\n')"""
MOVED = """async boxes => {
  const measure = eval(boxes), moved = [];
  const note = (name, what, before) => { if (measure() !== before) moved.push(`${name}: ${what}`); };
  for (const field of document.querySelectorAll('[data-tusk=form] :is(input, select)')) {
    if (!field.offsetParent) continue;
    const name = field.dataset.field ?? field.dataset.tusk ?? field.value, had = field.value;
    let before = measure();
    field.focus();
    note(name, 'focus', before);
    before = measure();
    field.blur();
    note(name, 'blur', before);
    if (field.type !== 'text' || field.readOnly || field.dataset.tusk === 'name') continue;
    for (const text of ['x!', '99999999', 'a long text '.repeat(20)]) {
      field.focus();
      field.value = text;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      before = measure();
      field.blur();
      note(name, `left with ${text}`, before);
    }
    field.value = had;
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }
  return moved;
}"""


@pytest.mark.parametrize("width", [1200, 440])
def test_nothing_moves_when_a_field_has_or_loses_the_focus(show, width):
    shown = show()
    shown.page.set_viewport_size({"width": width, "height": 900})
    moved = []
    for driver in ("duckdb", "sqlite", "postgresql", "mysql"):
        shown.add(driver)
        shown.page.locator("[data-tusk=more] summary").click()
        for way in range(max(1, shown.page.locator("[data-tusk=way] label").count())):
            if shown.page.locator("[data-tusk=way]").count():
                shown.page.locator("[data-tusk=way] label").nth(way).click()
            moved += [f"{driver}: {each}" for each in shown.page.evaluate(MOVED, BOXES)]
        shown.find("cancel").click()
    assert moved == []


def test_a_button_that_is_pressed_from_the_last_field_does_what_it_says(show, tmp_path):
    shown = show()
    shown.page.set_viewport_size({"width": 440, "height": 1600})
    shown.add("duckdb")
    shown.page.locator("[data-tusk=more] summary").click()
    shown.fill(name="lake", path=str(tmp_path / "lake.duckdb"))
    for button, seen in (("test", "outcome"), ("save", "connections")):
        shown.field("threads").focus()  # its hint takes more than a line
        box = shown.find(button).bounding_box()
        shown.page.mouse.move(box["x"] + 10, box["y"] + box["height"] - 2)
        shown.page.mouse.down()
        shown.page.mouse.up()
        expect(shown.find(seen)).to_be_visible(timeout=30_000)
    assert shown.names() == ["lake"]


def test_lines_keep_their_places_while_the_list_is_open(show, tmp_path):
    for name in ("ape", "bee", "cat"):
        tusk.connect(name, str(tmp_path / f"{name}.duckdb"))
    shown = show()
    assert shown.names() == ["cat", "ape", "bee"]
    shown.option("bee").dblclick()
    expect(shown.option("bee")).to_have_attribute("aria-selected", "true")
    assert shown.names() == ["cat", "ape", "bee"]
    tusk.connect("ant", str(tmp_path / "ant.duckdb"))
    expect(shown.option("ant")).to_contain_text("new", timeout=15_000)
    assert shown.names() == ["cat", "ape", "bee", "ant"]
    press(shown, "ape")
    tusk.remove("cat")  # would move `bee` below the pointer
    tusk.connect("owl", str(tmp_path / "owl.duckdb"))
    wait_until(lambda: lists(shown, "owl"), 15, "the page has a list with the new connection")
    assert shown.names() == ["cat", "ape", "bee", "ant"]
    shown.page.mouse.up()
    expect(shown.option("ape")).to_have_attribute("aria-selected", "true")
    assert shown.names() == ["cat", "ape", "bee", "ant", "owl"]  # what is removed keeps its place, too
    press(shown, "bee")
    shown.page.mouse.move(*middle(shown, "ant"))
    shown.page.mouse.up()  # on another row, which is no click
    shown.option("owl").click()
    expect(shown.option("owl")).to_have_attribute("aria-selected", "true")
    picked = [said["name"] for said in map(json.loads, shown.heard) if said["kind"] == "pick"]
    assert list(dict.fromkeys(picked)) == ["bee", "ape", "owl"]


def test_what_is_removed_elsewhere_keeps_its_place_until_the_list_is_opened_again(show, tmp_path):
    names = [f"lake{n}" for n in range(8)]
    for name in names:
        tusk.connect(name, driver="sqlite", path=str(tmp_path / name), test=False)
    tusk.use("lake0")
    shown = show()
    expect(shown.option("lake7")).to_be_visible()
    before = middle(shown, "lake3")
    for name in ("lake2", "lake0"):  # the second one is the chosen one
        tusk.remove(name)
        expect(shown.option(name)).to_have_attribute("aria-disabled", "true", timeout=15_000)
    assert (shown.names(), middle(shown, "lake3")) == (names, before)
    shown.option("lake2").click(force=True)
    shown.option("lake3").click()
    expect(shown.option("lake3")).to_have_attribute("aria-selected", "true")
    assert (shown.names(), shown.picker.value) == (names, "lake3")
    shown.menu("lake4", "delete")
    shown.find("confirm-delete").click()
    expect(shown.option("lake4")).to_have_attribute("aria-disabled", "true")
    assert shown.names() == [name for name in names if name not in ("lake0", "lake2")]
    shown.find("add").click()
    shown.page.get_by_label("Back to the list").click()
    expect(shown.option("lake3")).to_be_visible()
    assert shown.names() == ["lake1", "lake3", "lake5", "lake6", "lake7"]


def test_the_filter_is_left_by_the_keys_of_a_search_and_stands_within_the_frame(show, tmp_path):
    for name in (f"lake{n}" for n in range(8)):
        tusk.connect(name, driver="sqlite", path=str(tmp_path / name), test=False)
    shown = show()
    boxes = [shown.find(what).bounding_box() for what in ("filter", "picker")]
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"] + boxes[1]["width"]
    shown.find("filter").fill("e5")
    assert shown.names() == ["lake5"]
    shown.page.keyboard.press("Enter")
    expect(shown.option("lake5")).to_have_attribute("aria-selected", "true")
    shown.find("filter").fill("lake")
    shown.page.keyboard.press("ArrowDown")
    expect(shown.find("connections")).to_be_focused()


def test_a_list_is_drawn_again_after_a_release_that_the_page_never_receives(show, tmp_path):
    """Over a frame of the page the release is the frame's."""
    tusk.connect("ape", str(tmp_path / "ape.duckdb"))
    shown = show()
    press(shown, "ape")
    tusk.connect("owl", str(tmp_path / "owl.duckdb"))
    wait_until(lambda: lists(shown, "owl"), 15, "the page has a list with the new connection")
    assert shown.names() == ["ape"]
    shown.page.evaluate("window.dispatchEvent(new PointerEvent('pointermove', { buttons: 0 }))")
    expect(shown.option("owl")).to_be_visible()
    shown.page.mouse.up()


MIDDLE = """name => {
  const { x, y, width, height } = document.querySelector(`[role=option][data-name=${name}]`).getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


def press(shown: Shown, name: str) -> None:
    """Press the mouse on a row, and hold it."""
    shown.page.mouse.move(*middle(shown, name))
    shown.page.mouse.down()


def middle(shown: Shown, name: str) -> tuple[float, float]:
    """Where the middle of a row is; asked in one step, as rows are drawn again when something has become of one."""
    x, y = shown.page.evaluate(MIDDLE, name)
    return x, y


def lists(shown: Shown, name: str) -> bool:
    """Whether the page was given a list with a connection."""
    shown.page.evaluate("1")  # Playwright serves the page's calls only while it is asked something
    told = [
        one["data"].get("content", {}).get("lines", [])
        for one in shown.said[: shown._told]
        if one["type"] == "comm_msg"
    ]
    return any(line["name"] == name for lines in told for line in lines)


LONG_PAGE = """() => {
  document.body.insertAdjacentHTML('beforeend', '<p style="height: 3000px"></p><input id="elsewhere">');
  window.scrollTo(0, document.body.scrollHeight);
  return window.scrollY;
}"""
LIST_PLACE = "() => [window.scrollY, document.querySelector('.tusk-rows').scrollTop]"
SAVE_AND_GO = """() => {
  document.querySelector('[data-tusk=save]').click();
  document.getElementById('elsewhere').focus();
}"""


def test_only_keys_scroll_and_only_the_list(show, tmp_path):
    for number in range(12):
        tusk.connect(f"pond{number}", str(tmp_path / "pond.duckdb"))
    shown = show()
    place = shown.page.evaluate(LONG_PAGE)
    assert place > 2000
    shown.find("connections").evaluate("list => list.focus({ preventScroll: true })")
    shown.page.keyboard.press("End")
    at, row = shown.page.evaluate(LIST_PLACE)
    assert at == place and row > 0
    shown.page.evaluate("document.querySelector('.tusk-rows').scrollTop = 0")
    tusk.connect("news", str(tmp_path / "pond.duckdb"))
    expect(shown.option("news")).to_be_attached(timeout=15_000)
    assert shown.page.evaluate(LIST_PLACE) == [place, 0]


def test_an_answer_takes_the_focus_from_nothing_else(show, tmp_path):
    shown = show()
    place = shown.page.evaluate(LONG_PAGE)
    elsewhere = shown.page.locator("#elsewhere")
    shown.add("duckdb")
    shown.fill(name="lake", path=str(tmp_path / "lake.duckdb"))
    shown.page.evaluate(SAVE_AND_GO)
    expect(shown.option("lake")).to_be_visible(timeout=30_000)
    expect(elsewhere).to_be_focused()
    assert shown.page.evaluate("window.scrollY") >= place
    shown.menu("lake", "edit")
    shown.save()
    expect(shown.find("connections")).to_be_focused()


# --- what is said belongs to what it is said of ---


def test_words_about_a_connection_go_when_another_one_is_looked_at(show, tmp_path):
    for name in ("one", "two"):
        tusk.connect(name, str(tmp_path / f"{name}.duckdb"))
    shown = show()
    shown.menu("one", "test")
    expect(shown.find("status")).to_contain_text("answered in", timeout=30_000)
    shown.find("connections").focus()
    shown.page.keyboard.press("Home")
    expect(shown.find("status")).to_be_empty()
    shown.option("one").click()
    expect(shown.find("status")).to_contain_text("one is this notebook's connection")
    tusk.use("two")
    expect(shown.option("two")).to_have_attribute("aria-selected", "true", timeout=15_000)
    expect(shown.find("status")).to_be_empty()
    shown.option("one").click()
    expect(shown.find("status")).to_contain_text("one is this notebook's connection")
    tusk.remove("one")
    expect(shown.find("current")).to_have_text("one (removed)", timeout=15_000)
    expect(shown.find("status")).to_be_empty()


SAID = """() => {
  const status = document.querySelector('[data-tusk=status]');
  window.said = [];
  new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true });
}"""


@pytest.mark.home("own")
@pytest.mark.parametrize("is_in_time", [True, False])
def test_a_choice_that_waits_says_so_and_one_that_failed_is_not_made_later_without_a_word(
    show, tmp_path, monkeypatch, is_in_time
):
    for name in ("one", "two"):
        tusk.connect(name, driver="sqlite", path=str(tmp_path / name), test=False)
    shown = show()
    shown.page.evaluate(SAID)
    monkeypatch.setattr(pulse, "QUIET_S", 1.0)
    monkeypatch.setattr(pulse, "PATIENCE_S", 1.5)
    expect(shown.option("one")).to_be_visible()
    asked = get_client().call(control.GetCoreStatus(client_version="test", protocol=PROTOCOL_VERSION))
    monkeypatch.setattr(Desk, "_name_of", lambda _, ask: ask.name)  # the core stands still after it was asked for that
    age_s = 0.0 if is_in_time else 8.0
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: time.monotonic() - age_s))
    freeze(asked.pid)
    try:
        shown.option("one").click()
        expect(shown.find("status")).to_contain_text("does not answer")
    finally:
        psutil.Process(asked.pid).resume()
    monkeypatch.setattr(calls, "time", time)
    assert "Waiting for the core to choose one …" in shown.page.evaluate("window.said")
    if is_in_time:  # as for a core that stood still after it had heard of the choice
        expect(shown.find("status")).to_contain_text("one is this notebook's connection", timeout=15_000)
        expect(shown.find("current")).to_have_text("one")
    else:
        tusk.connect("three", driver="sqlite", path=str(tmp_path / "three"), test=False)
        tusk.use("two")
        expect(shown.option("three")).to_be_visible(timeout=15_000)
        expect(shown.find("status")).to_contain_text("does not answer")
        expect(shown.find("current")).to_have_text("two")


def test_the_bar_of_production_is_that_of_what_is_open(show, tmp_path):
    tusk.connect("live", str(tmp_path / "live.duckdb"), environment="production")
    shown = show()
    expect(shown.find("picker")).to_have_attribute("data-environment", "production")
    shown.add("duckdb")
    expect(shown.find("picker")).to_have_attribute("data-environment", "")
    shown.page.get_by_text("Production").click()
    expect(shown.find("picker")).to_have_attribute("data-environment", "production")
    shown.page.get_by_text("Not said").click()
    expect(shown.find("picker")).to_have_attribute("data-environment", "")
    shown.find("cancel").click()
    expect(shown.find("picker")).to_have_attribute("data-environment", "production")


# --- secrets ---


def test_a_typed_secret_goes_once_and_stays_nowhere(show, postgresql, tusk_home):  # REQUIREMENTS R-11
    canary = Canary.new()
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, password=canary.password)
    shown.test()
    shown.test()
    assert shown.buffers == [canary.password.encode()]
    assert shown.field("password").input_value() == ""
    shown.find("save").click()
    expect(shown.find("save-untested")).to_be_visible(timeout=30_000)
    shown.find("save-untested").click()
    expect(shown.option("shop")).to_be_visible()
    assert shown.buffers == [canary.password.encode()]
    assert shown.picker._desk.held._forms == {}
    tusk.credentials()
    typed = shown.page.evaluate("[...document.querySelectorAll('input')].map(e => e.value).join()")
    state = json.dumps([Widget.get_manager_state(), shown.picker.get_state()], default=str)
    said = json.dumps(shown.said, default=str)
    for place, text in {
        "page": shown.page.content(), "inputs": typed, "state": state, "messages of the page": json.dumps(shown.heard),
        "messages of the kernel": said, "repr": repr(shown.picker.__dict__) + repr(vars(shown.picker._desk)),
    }.items():  # fmt: skip
        assert canary.hits_in_texts(place, [text]) == []
    assert canary.hits_in_files(tusk_home.path) == []


def test_the_widgets_state_is_the_chosen_name_and_nothing_else(show, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    shown = show()
    state = shown.picker.get_state()
    ours = {name: value for name, value in state.items() if not name.startswith("_")}
    assert ours == {"value": "lake", "layout": state["layout"], "tabbable": None, "tooltip": None}


def test_a_cancelled_form_leaves_nothing_in_the_kernel(show, postgresql):
    shown = show()
    shown.add("postgresql")
    fill_in(shown, postgresql, password="wrong")
    shown.test()
    assert shown.picker._desk.held._forms
    shown.find("cancel").click()
    shown.page.wait_for_timeout(50)
    wait_until(lambda: not shown.picker._desk.held._forms, 10, "nothing is held")


# --- hostile texts ---

PAYLOADS = [
    "<img src=x onerror=hit()>",
    "<script>hit()</script>",
    '"><svg onload=hit()>',
    "<iframe srcdoc='<script>parent.hit()</script>'>",
    "javascript:hit()",
    "<details open ontoggle=hit()>",
    "'-hit()-'",
    "${hit()}",
    "<b style=x>bold</b>",
]


def test_no_text_becomes_markup(show, tusk_home, tmp_path, monkeypatch):
    for at, payload in enumerate(PAYLOADS):
        tusk.connect(f"c{at}", driver="sqlite", path=str(tmp_path / payload.replace("/", "∕")), test=False)
    manifest = json.loads((SCRIPTED.parent / "manifest.json").read_text())
    hostile = PAYLOADS[0]
    manifest |= {"name": "evil", "title": hostile, "schemes": [], "suffixes": [".evil"]}
    manifest["fields"]["properties"] = {
        "host": {"type": "string", "title": hostile, "description": hostile, "default": hostile},
        "mode": {"type": "string", "title": PAYLOADS[1], "enum": [hostile]},
    }
    manifest["sign_in"] = [{"name": hostile, "title": hostile, "fields": ["host"]}, {"name": "b", "title": hostile}]
    program = tmp_path / "evil.py"
    program.write_text(f"import json; print(json.dumps(json.loads({json.dumps(json.dumps(manifest))})))")
    (tusk_home / "drivers").mkdir(parents=True, exist_ok=True)
    (tusk_home / "drivers" / "evil.json").write_text(
        json.dumps({"name": "evil", "command": [sys.executable, str(program)]})
    )
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u@{'h'}/d?options=<img src=x onerror=hit()>")
    shown = show()
    shown.page.evaluate("() => { window.hits = 0; window.hit = () => { window.hits += 1 } }")
    assert len(shown.names()) == len(PAYLOADS)
    for payload in PAYLOADS:
        assert payload.replace("/", "∕") in shown.find("connections").inner_text()
    shown.find("add").click()
    shown.find("suggestion").first.click()
    shown.find("cancel").click()
    shown.add("evil")
    shown.fill(name="x", host=hostile)
    shown.find("test").click()
    expect(shown.find("trouble")).to_be_visible(timeout=30_000)
    shown.page.wait_for_timeout(200)  # for what would be loaded or run by now
    foreign = shown.page.evaluate(
        "document.querySelectorAll('.tusk-picker :is(img, script, iframe, b, [onerror], [onload], [ontoggle])').length"
    )
    assert (foreign, shown.page.evaluate("window.hits")) == (0, 0)


def rename(before: str, after: str) -> None:
    """As another window does it."""
    client = get_client()
    known = client.call(control.GetConnection(session=client.session, name=before)).connection
    client.call(
        control.SaveConnection(
            session=client.session,
            name=after,
            driver=known.driver,
            config=known.config,
            replace=True,
            rename_from=before,
            use=False,
            test=False,
        )
    )


def test_a_row_is_the_connection_that_it_showed_though_another_one_has_its_name_by_now(show, tmp_path):
    for name in ("dev", "prod"):
        tusk.connect(name, driver="sqlite", path=str(tmp_path / name), test=False)
    shown = show()
    press(shown, "dev")
    rename("dev", "old")
    rename("prod", "dev")
    wait_until(lambda: lists(shown, "old"), 15, "the page has a list with the new name")
    shown.page.mouse.up()
    expect(shown.find("status")).to_contain_text("old is this notebook's connection")
    assert next(one for one in tusk.connections() if one.current).target.endswith("/dev")
    shown.menu("dev", "delete")
    rename("dev", "prod")
    rename("old", "dev")
    shown.find("confirm-delete").click()
    expect(shown.find("status")).to_contain_text("Deleted prod")
    (left,) = tusk.connections()
    assert (left.name, left.target.endswith("/dev")) == ("dev", True)
    shown.menu("dev", "delete")
    tusk.remove("dev")
    tusk.connect("dev", driver="sqlite", path=str(tmp_path / "another"), test=False)
    shown.find("confirm-delete").click()
    expect(shown.find("status")).to_contain_text("dev is not the connection any more that the list showed")
    assert [one.name for one in tusk.connections()] == ["dev"]
