"""Warm processes: one spare for a driver in use, and a head start for the one used last."""

from types import SimpleNamespace

import pytest
from services import processes_of, wait_until, words_of

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control
from tusk_jupyter.service import spare_upkeep
from tusk_jupyter.system.places import Places


def test_a_spare_is_kept_for_a_driver_in_use_and_serves_the_next_session(client, new_client, core, scripted_home):
    used = core.run(client, "pid").table.column(0)[0].as_py()

    def spare():  # not the process of the test that came with `connect`, which may just be ending
        began = {one.pid: one.create_time() for one in drivers_of(scripted_home)}
        return next((pid for pid in began if began[pid] > began[used]), None)

    waiting = wait_until(spare, 20.0, "a spare")
    wait_until(lambda: core.status(client).drivers == 2, 20.0, "it is ready")
    assert core.run(new_client(), "pid", on="s").table.column(0)[0].as_py() == waiting


def test_a_spare_that_died_while_it_waited_is_nobodys_error(client, new_client, core, scripted_home):
    core.connect(client, "mortal", "scripted://host/db?mood=mortal", test=False)
    core.run(client, "rows 1", on="s")
    wait_until(lambda: core.status(client).drivers == 2, 20.0, "a session's process and a spare")
    assert core.run(client, "rows 2", on="mortal").rows == 2
    assert [one.status for one in core.log(client)] == ["completed", "completed"]


def test_a_spare_that_died_while_it_waited_is_no_answer_to_a_test(client, core, scripted_home):
    core.connect(client, "mortal", "scripted://host/db?mood=mortal", test=False)
    core.run(client, "rows 1", on="s")
    wait_until(lambda: core.status(client).drivers == 2, 20.0, "a session's process and a spare")
    assert client.call(control.TestConnection(session=client.session, name="mortal")).ok


def test_a_fresh_driver_that_dies_as_it_signs_in_is_told(client, core):
    client.call(control.SetPreference(name="warm_spare", value="off"))
    core.connect(client, "mortal", "scripted://host/db?mood=mortal", test=False)
    with pytest.raises(errors.DriverCrashed, match="SIGKILL"):
        core.run(client, "rows 2", on="mortal")


@pytest.mark.parametrize("late", [False, True])
def test_a_spare_that_is_there_or_on_its_way_is_handed_out_only_while_spares_are_wanted(tmp_path, monkeypatch, late):
    made, spares = [], Spares(Catalog(Places(tmp_path)), on_exit=lambda _: None)

    def start(name, early=None):
        made.append(SimpleNamespace(ended=False, waited=False, stop=lambda: None))
        spares.enabled = spares.enabled and not late  # or unwanted while it starts
        return made[-1]

    monkeypatch.setattr(spares, "_start", start)
    spares.warm("scripted")
    spares.enabled = False
    spares.warm("scripted")
    assert len(made) == 1
    assert (spares.take("scripted"), made[0].waited, made[1].waited) == (made[1], False, False)
    assert (spares._shelves["scripted"].process is None) == late


def test_without_the_preference_there_is_no_spare(client, core):
    client.call(control.SetPreference(name="warm_spare", value="off"))
    core.run(client, "rows 1")
    wait_until(lambda: core.status(client).drivers == 1, 20.0, "the spare has gone, the session's process stays")


def test_the_next_core_starts_the_driver_used_last_before_anybody_asks(client, core, scripted_home):
    core.run(client, "SELECT rows 1")
    client.call(control.StopCore())
    wait_until(lambda: not client.link.places.address_file.exists(), 15.0, "the core has ended")
    wait_until(lambda: core.status(client).drivers == 1, 20.0, "a driver is up though nothing was run")
    assert core.run(client, "SELECT rows 2", on="s").rows == 2


def test_a_driver_that_has_gone_since_costs_the_head_start_and_nothing_else(client, core, scripted_home):
    core.run(client, "SELECT rows 1")
    client.call(control.StopCore())
    wait_until(lambda: not client.link.places.address_file.exists(), 15.0, "the core has ended")
    client.link.places.last_driver.write_text('{"name": "scripted", "command": ["/no/such/program"]}')
    assert core.run(client, "SELECT rows 2", on="s").rows == 2


def drivers_of(home):
    return [one for one in processes_of(home) if "serve" in words_of(one)]


@pytest.mark.parametrize(("rested_s", "patience_s", "starts"), [(0.1, 60.0, 0), (2.0, 60.0, 5), (0.1, 0.0, 5)])
def test_a_spare_is_started_in_a_rest_between_runs_or_when_there_is_none(monkeypatch, rested_s, patience_s, starts):
    looks, started = iter([False] * 5 + [True]), []
    spares = SimpleNamespace(refill=lambda: started.append(1))
    monkeypatch.setattr(spare_upkeep, "PATIENCE_S", patience_s)
    stopped = SimpleNamespace(wait=lambda _: next(looks))
    spare_upkeep.keep_spares(spares, lambda: rested_s, stopped)
    assert len(started) == starts
