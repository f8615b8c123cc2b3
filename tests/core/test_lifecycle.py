"""The core as a process: exactly one, reachable by its user only, started when needed, gone when not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pyarrow.flight as flight
import pytest
from services import freeze, processes_of, wait_until, words_of

from tusk_jupyter import errors
from tusk_jupyter.client import Client, ending, link
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Peer, PeerLost
from tusk_jupyter.system import sockets
from tusk_jupyter.system.places import Places

ASKS_FOR_THE_PID = """
    from tusk_jupyter.client import get_client
    from tusk_jupyter.protocol import control
    print(get_client().call(control.GetCoreStatus(client_version="t", protocol=1)).pid)
"""


def cores_of(home) -> list[psutil.Process]:
    return [one for one in processes_of(home) if "tusk_jupyter.service" in words_of(one)]


@pytest.mark.parametrize("starts", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_simultaneous_cold_starts_leave_exactly_one_core(scripted_home, starts):
    def ask(_):
        command = [sys.executable, "-c", textwrap.dedent(ASKS_FOR_THE_PID)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(starts) as pool:
        pids = set(pool.map(ask, range(starts)))
    assert len(pids) == 1
    assert [str(one.pid) for one in cores_of(scripted_home)] == list(pids)


@pytest.mark.parametrize("starts", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_cores_started_by_hand_leave_exactly_one(scripted_home, starts):
    command = [sys.executable, "-m", "tusk_jupyter.service"]
    started = [subprocess.Popen(command) for _ in range(starts)]
    wait_until(lambda: sum(one.poll() is None for one in started) == 1, 60.0, "all but one have left")
    assert {one.poll() for one in started} == {0, None}
    survivor = next(one for one in started if one.poll() is None)
    survivor.terminate()
    assert survivor.wait(15) == 0


def test_everything_in_the_state_folder_is_for_its_user_alone(client, core, scripted_home):  # B-7
    core.run(client, "rows 1")
    core.log(client)
    wrong = []
    for folder, _, files in os.walk(scripted_home.path):
        for path in (Path(folder), *(Path(folder) / name for name in files)):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & 0o077 and "drivers" not in str(path):
                wrong.append((path, oct(mode)))
    assert wrong == []


def test_a_call_without_the_token_is_refused(client, core):
    core.run(client, "rows 1")
    said = json.loads(client.link.places.address_file.read_text())
    with flight.FlightClient(said["address"]) as stranger:
        for options in (None, flight.FlightCallOptions(headers=[(b"authorization", b"Bearer guess")])):
            with pytest.raises(flight.FlightUnauthenticatedError):
                list(stranger.do_action(flight.Action("run.list", b"{}"), options))


def test_a_driver_takes_no_action_from_a_client(client, core):  # QB-42: a ticket fetches one result and nothing else
    from tusk_jupyter.protocol import codec

    peer = client.link.peer()
    command = control.RunCommand(run=control.RunRequest(session="x", connection="s", sql="rows 1"))
    info = peer.flight.get_flight_info(flight.FlightDescriptor.for_command(codec.encode(command)), peer.options())
    with (
        flight.FlightClient(info.endpoints[0].locations[0]) as driver,
        pytest.raises(flight.FlightUnauthenticatedError),
    ):
        list(driver.do_action(flight.Action("close", b"{}")))


def test_an_unknown_action_names_both_versions(client):  # HOUSE_STYLE 11
    from tusk_jupyter.protocol.calls import translated

    peer = client.link.peer()
    with pytest.raises(flight.FlightError) as caught:
        list(peer.flight.do_action(flight.Action("no.such", b"{}"), peer.options()))
    assert "protocol 1" in translated(caught.value).message


def test_a_client_of_another_protocol_gets_a_clear_message(client):
    with pytest.raises(errors.VersionMismatch, match=r"tusk-jupyter 0\.0\.9 \(protocol 99\)") as caught:
        client.call(control.GetCoreStatus(client_version="0.0.9", protocol=99))
    assert "tusk core stop" in caught.value.hint


def test_a_core_of_another_protocol_is_told_before_it_is_called(new_client, client):
    path = client.link.places.address_file
    said = json.loads(path.read_text())
    freeze(said["pid"])  # else it writes its own words again
    path.write_text(json.dumps({**said, "protocol": 99, "version": "9.9"}))
    with pytest.raises(errors.VersionMismatch, match=r"running core is 9\.9"):
        new_client().call(control.ListRuns())
    os.kill(said["pid"], signal.SIGCONT)


def test_the_core_ends_when_idle_and_starts_again_at_the_next_call(new_client, core, scripted_home):
    client = new_client(
        stays=False
    )  # as a server that only asks: a notebook that has chosen a connection holds the core
    core.connect(client, "s")
    pid = core.status(client).pid
    client.call(control.SetPreference(name="idle_core_s", value="1"))
    wait_until(lambda: not cores_of(scripted_home), 30.0, "the core has ended")
    assert core.run(client, "rows 2").rows == 2
    assert core.status(client).pid != pid


def test_an_attached_client_keeps_the_core(client, core, scripted_home):
    core.run(client, "rows 1")
    client.call(control.SetPreference(name="idle_core_s", value="1"))
    with pytest.raises(AssertionError):
        wait_until(lambda: not cores_of(scripted_home), 4.0)
    client.call(control.SetPreference(name="idle_core_s", value=None))


def test_stop_ends_runs_sessions_and_processes(client, core, scripted_home):
    core.run(client, "rows 1")
    stopped = client.call(control.StopCore())
    assert stopped.sessions == 1
    wait_until(lambda: not processes_of(scripted_home), 15.0, "the core and its drivers have ended")
    assert not client.link.places.address_file.exists()
    assert list(client.link.places.run.iterdir()) == []


@pytest.mark.parametrize("left", [None, "", '{"a": 1}', "[]"])
def test_a_core_whose_address_was_deleted_or_damaged_is_found_all_the_same(client, new_client, core, left):  # R14
    """Nobody found it, and its lock kept every other from starting: the next cell failed after 30 s."""
    pid = core.status(client).pid
    file = client.link.places.address_file
    file.unlink() if left is None else file.write_text(left)
    assert core.status(new_client()).pid == pid
    assert "was deleted, damaged or replaced" in client.link.places.log_file.read_text()


def test_a_core_whose_address_others_could_read_is_found_all_the_same(client, new_client, core):
    """Clients believe no file that others may write, and the core was not to be reached any more."""
    pid = core.status(client).pid
    file = client.link.places.address_file
    file.chmod(0o666)
    wait_until(lambda: file.stat().st_mode & 0o777 == 0o600, 5.0, "the core has written it again")
    assert core.status(new_client()).pid == pid


def test_a_core_whose_lock_file_was_removed_can_be_stopped(client, core, scripted_home):
    pid = core.status(client).pid
    client.link.places.core_lock.unlink()
    ended = ending.end_core(client.link.places)
    assert (ended.pid, ended.how) == (pid, "asked")
    wait_until(lambda: not processes_of(scripted_home), 15.0, "the core has ended")


ELSEWHERE = "grpc+unix:///tmp/c-0123456789abcdef.sock"


@pytest.mark.parametrize(
    "left",
    [
        {"address": ELSEWHERE, "token": "of-a-copy", "pid": 4_000_000},
        {"address": ELSEWHERE, "token": "of-a-copy"},
        {"token": "of-a-copy"},
        {"address": "unix:///tmp/nosuch.sock"},
        {"address": ""},
    ],
)
def test_a_core_whose_address_was_put_back_from_a_copy_is_found_all_the_same(client, new_client, core, left):
    """The next one could not start for its lock, and everything failed after 31 s for as long as it ran."""
    pid = core.status(client).pid
    file = client.link.places.address_file
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, **left}))
    assert core.status(new_client()).pid == pid
    wait_until(lambda: json.loads(file.read_text()) == said, 5.0, "the file is the core's own again")


def test_a_core_whose_socket_was_removed_listens_at_another_one(client, new_client, core):
    pid = core.status(client).pid
    core.run(client, "rows 1")
    file = client.link.places.address_file
    said = json.loads(file.read_text())
    sockets.socket_path(said["address"]).unlink()
    assert core.status(new_client()).pid == pid
    assert json.loads(file.read_text())["address"] != said["address"]
    assert core.run(client, "rows 2").rows == 2, "whoever has a link keeps it, and the session"
    shutil.rmtree(client.link.places.run)
    assert core.status(new_client()).pid == pid


def test_a_core_that_cannot_listen_anew_says_so_once_and_tries_on(client, new_client, core):
    pid = core.status(client).pid
    run, aside = client.link.places.run, client.link.places.home / "aside"
    run.rename(aside)
    run.write_text("not a folder")

    def complaints():
        return client.link.places.log_file.read_text().count("cannot listen at another one")

    wait_until(complaints, 5.0, "the core has found out")
    with pytest.raises(AssertionError):
        wait_until(lambda: complaints() > 1, 2.5)
    run.unlink()
    aside.rename(run)
    sockets.socket_path(json.loads(client.link.places.address_file.read_text())["address"]).unlink()
    wait_until(lambda: "it listens at another one" in client.link.places.log_file.read_text(), 5.0, "it can again")
    assert core.status(new_client()).pid == pid


def test_a_core_behind_a_folder_is_told_as_one_that_runs(client, new_client, core, monkeypatch):
    pid = core.status(client).pid
    monkeypatch.setattr(link, "LOST_S", 0.3)
    file = client.link.places.address_file
    file.unlink()
    file.mkdir()
    with pytest.raises(errors.CoreError, match=f"runs \\(process {pid}\\), and cannot be reached") as caught:
        new_client().call(control.ListRuns())
    assert "core.json is a folder: move it away" in caught.value.hint
    with pytest.raises(errors.CoreError, match="cannot be reached"):
        new_client().link.running(patience_s=0.3)
    file.rmdir()
    assert core.status(new_client()).pid == pid


@pytest.mark.parametrize("address", ["", "unix:///tmp/nosuch.sock", "nonsense"])
def test_what_is_no_address_leads_to_nobody(address):
    with pytest.raises(PeerLost):
        list(Peer(address, "token").stream(control.ListRuns()))


def test_a_killed_core_leaves_no_driver_and_the_next_cell_works(client, core, scripted_home):
    core.run(client, "count")
    core.connect(client, "other")
    os.kill(core.status(client).pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(scripted_home), 10.0, "the drivers have ended with their core")
    with pytest.raises(errors.SessionLost, match="core service that had it has ended"):
        core.run(client, "count", on="s")
    assert core.run(client, "count", on="s").table.column(0).to_pylist() == [1]
    assert core.run(client, "count").accepted.connection == "s"


def test_a_core_that_crashes_leaves_its_stacks_in_the_log_of_the_next(client, core, scripted_home):
    core.run(client, "SELECT count")
    os.kill(core.status(client).pid, signal.SIGSEGV)
    wait_until(lambda: not processes_of(scripted_home), 10.0, "the drivers have ended with their core")
    assert core.run(client, "count", on="s").rows == 1
    said = (scripted_home / "core.log").read_text()
    assert "the core before this one crashed:\n    Fatal Python error: Segmentation fault" in said
    assert re.search(r'File ".*tusk_jupyter', said), "of whichever thread took the signal"
    assert (scripted_home / "core.crash").stat().st_size == 0


def test_a_notebook_keeps_its_current_connection_across_cores(client, core):
    core.connect(client, "other")
    core.run(client, "SELECT count", on="s")
    os.kill(core.status(client).pid, signal.SIGKILL)
    assert core.run(client, "SELECT count").accepted.connection == "s"


def test_a_run_that_the_core_did_not_survive_is_interrupted_in_the_log(client, core):  # C-13
    import threading

    failures = []

    def work():
        try:
            core.run(client, "wait 600")
        except errors.TuskError as exc:
            failures.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    core.await_running(client)
    os.kill(core.status(client).pid, signal.SIGKILL)
    thread.join(30)
    assert isinstance(failures[0], errors.CoreError)
    assert [(one.sql, one.status) for one in core.log(client)] == [("wait 600", "interrupted")]


def test_a_core_that_cannot_start_says_why(tusk_home):
    (tusk_home / "state.duckdb").mkdir()
    with pytest.raises(errors.CoreError) as caught:
        Client(Places(tusk_home.path), source="t").call(control.ListRuns())
    assert "state.duckdb" in (caught.value.detail or "")


def test_a_core_that_ends_erases_what_a_removed_connection_left(tusk_home):  # S13
    client = Client(Places(tusk_home.path), source="t")
    client.call(control.SaveConnection(session=client.session, name="zebra", url="sqlite:///:memory:"))
    client.call(control.RemoveConnection(session=client.session, name="zebra"))
    client.call(control.StopCore())
    wait_until(lambda: not processes_of(tusk_home), 30.0, "the core has ended")
    files = [path for path in tusk_home.path.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"zebra" in path.read_bytes()] == []


def test_a_core_that_fails_in_an_unforeseen_way_says_so(tusk_home):
    code = "from tusk_jupyter.service import lifecycle as l; l.home.mark = lambda _: 1 / 0; print(l.run(report=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=tusk_home.environment(), capture_output=True, text=True, check=False
    )
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert done.stdout.endswith("\n1\n")


def test_a_planted_link_in_place_of_the_socket_folder_is_refused(tusk_home, tmp_path):
    (tusk_home / "run").symlink_to(tmp_path)
    with pytest.raises(errors.StorageError, match="is a link"):
        Client(Places(tusk_home.path), source="t").call(control.ListRuns())


def test_a_home_with_a_long_path_works(tmp_path, monkeypatch):  # sockets take 104 bytes
    from services.homes import TuskHome

    home = TuskHome(tmp_path / ("long" * 30))
    monkeypatch.setenv("TUSK_HOME", str(home))
    client = Client(Places(home.path), source="t")
    try:
        assert client.call(control.ListRuns()).runs == ()
        assert len(str(client.link.places.run)) < 80
    finally:
        client.link.forget()
        home.close()


def test_a_forked_child_is_told_to_use_spawn_instead_of_hanging(client, core, scripted_home):
    script = """
        import os
        from tusk_jupyter import errors
        from tusk_jupyter.client import get_client
        from tusk_jupyter.protocol import control
        def count():
            request = control.RunRequest(session="", connection="s", sql="count")
            return get_client().run(request).table.column(0)[0].as_py()
        count(), count()
        child = os.fork()
        if child == 0:
            try:
                count()
            except errors.UsageError as exc:
                os._exit(77 if "spawn" in exc.hint else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), count())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["77", "3"], done.stderr


def test_a_child_forked_before_the_first_call_has_a_client_of_its_own(client, core, scripted_home):
    script = """
        import os
        from tusk_jupyter.client import get_client
        from tusk_jupyter.protocol import control
        get_client()
        child = os.fork()
        request = control.RunRequest(session="", connection="s", sql="count")
        value = get_client().run(request).table.column(0)[0].as_py()
        if child == 0:
            os._exit(value)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), value)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_a_notebook_is_attached_to_the_core_that_its_run_started(client, core):
    core.run(client, "SELECT rows 1")
    wait_until(lambda: core.status(client).clients == 1, 10.0, "attached")
    os.kill(core.status(client).pid, signal.SIGKILL)
    core.run(client, "SELECT rows 1")
    wait_until(lambda: core.status(client).clients == 1, 10.0, "attached to the new core")


@pytest.mark.parametrize("way", ["core stop", "SIGTERM"])
def test_a_run_that_ends_with_its_core_says_so(client, new_client, core, scripted_home, way):
    core.run(client, "rows 1")
    other = new_client()

    def stop():
        wait_until(lambda: "wait 600" in [one.sql for one in other.call(control.ListRuns()).runs], 15.0, "it runs")
        if way == "SIGTERM":
            os.kill(core.status(other).pid, signal.SIGTERM)
        else:
            other.call(control.StopCore())

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(errors.TuskError) as caught:
        core.run(client, "wait 600")
    thread.join()
    assert "core service was stopped" in caught.value.message  # by the core itself, or by the client that saw it go
    assert "still there" not in caught.value.hint
    entry = next(one for one in core.log(client) if one.sql == "wait 600")
    assert entry.status == "cancelled"
    assert "as the core service was stopped" in entry.error
