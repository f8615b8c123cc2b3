"""Database sessions: sticky per client and connection, gone with their client, limited, without what is not theirs."""

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.protocol import control
from tusk_jupyter.service.sessions import Session, Sessions
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.system.keyed_locks import KeyedLocks
from tusk_jupyter.system.places import Places

pytestmark = pytest.mark.home("shared")


def test_a_session_keeps_its_state_from_run_to_run(client, core):  # C-03
    assert [core.run(client, "count").table.column(0)[0].as_py() for _ in range(3)] == [1, 2, 3]


def test_every_client_has_a_session_of_its_own(client, new_client, core):
    core.run(client, "count")
    assert core.run(new_client(), "count", on="s").table.column(0).to_pylist() == [1]


def test_isolation_statement_gives_each_run_a_fresh_process(client, core):  # QB-45
    core.connect(client, "strict", isolation="statement")
    pids = {core.run(client, "pid", on="strict").table.column(0)[0].as_py() for _ in range(3)}
    assert len(pids) == 3
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 10.0, "their processes have ended")


def test_a_large_result_under_isolation_statement_is_not_cut_off(client, core):
    core.connect(client, "strict", isolation="statement")
    assert core.run(client, "rows 3000000 65536", on="strict").rows == 3_000_000


@pytest.mark.home("own")
def test_a_driver_sees_a_scrubbed_environment_and_an_empty_folder_of_its_own(client, core, monkeypatch):  # QB-48, R-11
    names = core.run(client, "environ").table.column(0).to_pylist()
    assert "PATH" in names
    assert not [name for name in names if name.startswith(("PG", "MYSQL", "TUSK", "DBUS", "AWS"))]
    folder = Path(core.run(client, "cwd").table.column(0)[0].as_py())
    assert folder.parent == client.link.places.run
    assert list(folder.iterdir()) == []


@pytest.mark.home("own")
def test_a_password_is_in_no_command_line_and_no_environment(client, core):
    core.connect(client, "secret", url="scripted://u:open%20sesame@host/db", tier="memory")
    pid = core.run(client, "pid", on="secret").table.column(0)[0].as_py()
    for process in (psutil.Process(pid), psutil.Process(core.status(client).pid)):
        assert "open sesame" not in " ".join(process.cmdline())
        assert "open sesame" not in " ".join(process.environ().values())


@pytest.mark.home("own")
def test_a_crash_is_a_typed_error_and_the_next_run_works(client, core):
    core.run(client, "count")
    with pytest.raises(errors.DriverCrashed, match="exit code 3") as crashed:
        core.run(client, "crash")
    assert "temp tables" not in str(crashed.value)
    with pytest.raises(errors.SessionLost, match=r"exit code 3.*temp tables"):  # told once: here
        core.run(client, "count")
    assert core.run(client, "count").table.column(0).to_pylist() == [1]
    assert [one.status for one in core.log(client)] == ["completed", "failed", "failed", "completed"]


@pytest.mark.home("own")
def test_a_killed_driver_is_a_typed_error(client, core):
    with pytest.raises(errors.DriverCrashed, match="SIGKILL"):
        core.run(client, "kill")


@pytest.mark.home("own")
def test_a_memory_bomb_ends_at_the_cap_and_the_next_run_works(client, core):  # R-18, QB-38
    core.connect(client, "small", memory_limit_mb=600)
    core.run(client, "count", on="small")
    with pytest.raises(errors.DriverError) as caught:
        core.run(client, "grab 2000", on="small")
    assert caught.value.scenario == "memory_limit"
    assert core.run(client, "count", on="small").table.column(0).to_pylist() == [2]  # the session stands


@pytest.mark.home("own")
def test_what_went_with_a_process_that_its_cap_may_have_ended_is_told_once(client, core):
    core.connect(client, "small", memory_limit_mb=600)
    core.run(client, "count", on="small")
    with pytest.raises(errors.DriverCrashed, match="memory cap is 600 MB") as crashed:
        core.run(client, "kill", on="small")
    assert "temp tables" not in str(crashed.value)
    with pytest.raises(errors.SessionLost, match=r"memory cap is 600 MB.*temp tables"):
        core.run(client, "count", on="small")
    assert core.run(client, "count", on="small").table.column(0).to_pylist() == [1]


def test_an_idle_session_is_closed_and_its_loss_is_told(client, core):  # TK-35
    pid = core.run(client, "SELECT pid").table.column(0)[0].as_py()
    client.call(control.SetPreference(name="idle_session_s", value="1"))
    wait_until(lambda: not psutil.pid_exists(pid), 15.0, "the idle driver has ended")
    assert core.run(client, "SELECT rows 1").accepted.session_lost


def test_a_session_in_a_transaction_is_not_closed_for_idling(client, core):
    core.run(client, "begin")
    client.call(control.SetPreference(name="idle_session_s", value="1"))
    with pytest.raises(AssertionError):
        wait_until(lambda: core.status(client).sessions == 0, 3.0)
    core.run(client, "commit")
    wait_until(lambda: core.status(client).sessions == 0, 15.0, "the session is closed once the transaction is over")


@pytest.mark.home("own")
def test_the_sessions_of_a_killed_client_are_closed_and_its_run_is_completed_in_the_log(client, core, scripted_home):
    script = """
        import sys
        from tusk_jupyter.client import get_client
        from tusk_jupyter.protocol import control
        client = get_client("doomed.ipynb")
        client.run(control.RunRequest(session="", connection="s", sql="rows 1"))
        print("ready", flush=True)
        client.run(control.RunRequest(session="", connection="s", sql="wait 600"))
    """
    doomed = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    doomed.stdout.readline()
    wait_until(
        lambda: "wait 600" in [one.sql for one in client.call(control.ListRuns()).runs],
        10.0,
        "the long run is under way",
    )
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    doomed.stdout.close()
    wait_until(lambda: not client.call(control.ListRuns()).runs, 15.0, "its run has ended")
    entry = core.log(client, source="doomed.ipynb")[0]
    assert (entry.status, entry.sql) == ("cancelled", "wait 600")
    wait_until(lambda: core.status(client).sessions == 0, 15.0, "its session is closed")


def test_why_a_session_ended_is_known_to_whoever_finds_it_without_its_process():
    sessions = Sessions(SimpleNamespace(catalog=Catalog(Places(Path("/nowhere")))), lambda _: {})
    session = Session("notebook", ConnectionRecord(name="s", driver="sqlite"), holds=True)
    asked = []

    class Dead:
        """A process whose exit code takes its time, for the first who asks."""

        ended = True

        def ending(self):
            if not asked:
                asked.append(session.process)
                sessions.close(session)  # meanwhile, on another thread
                refused()
            return "it was killed"

        def stop(self, *, wait=False):
            pass

    def refused():
        claim = control.HeldSession(connection="s", connection_id=session.connection.id, session=session.id)
        with pytest.raises(errors.SessionLost, match="because it was killed"):
            sessions.endings.check(session.connection.id, "s", [claim], "", private=False)

    session.process = Dead()
    sessions.close(session)
    refused()


def test_nothing_is_kept_of_a_file_whose_sessions_are_closed(tmp_path):
    sessions = Sessions(SimpleNamespace(catalog=Catalog(Places(Path("/nowhere")))), lambda _: {})
    process = SimpleNamespace(ended=True, ending=lambda: "it was killed", stop=lambda *, wait=False: None)
    for number in range(3):
        record = ConnectionRecord(name="s", driver="duckdb", config={"path": str(tmp_path / f"{number}.duckdb")})
        session = Session("notebook", record, process=process)
        sessions.close(session)
    assert len(sessions._locks) == 0


def test_a_lock_that_somebody_waits_for_is_not_dropped():
    locks, order = KeyedLocks(), []

    def enter(name):
        with locks.held("file"):
            order.append(name)

    with locks.held("file"):
        others = [threading.Thread(target=enter, args=(name,)) for name in ("second", "third")]
        for one in others:
            one.start()
        wait_until(lambda: locks._used["file"][1] == 3, 5.0, "both wait for it")
        assert (len(locks), order) == (1, [])
    for one in others:
        one.join()
    assert (len(locks), sorted(order)) == (0, ["second", "third"])


def test_removing_a_connection_closes_its_sessions_and_keeps_its_log(client, core):  # QB-20, C-11
    pid = core.run(client, "pid").table.column(0)[0].as_py()
    removed = client.call(control.RemoveConnection(session=client.session, name="s"))
    assert removed.sessions == 1
    wait_until(lambda: not psutil.pid_exists(pid), 15.0, "its driver has ended")
    assert core.log(client)[0].connection == "s"


def test_changing_a_connection_makes_the_next_run_use_the_new_form(client, core):
    core.run(client, "count")
    core.connect(client, "s", url="scripted://elsewhere/db", replace=True)
    with pytest.raises(errors.SessionLost, match="connection was changed"):
        core.run(client, "count")
    assert core.run(client, "count").table.column(0).to_pylist() == [1]


@pytest.mark.parametrize("secrets", [{}, {"password": "open sesame"}])
@pytest.mark.parametrize("first", [{}, {"environment": "staging"}])
def test_a_connection_that_is_saved_as_it_was_keeps_the_sessions_of_all(client, new_client, core, secrets, first):
    form = {"url": "scripted://ann@host/db", "secrets": secrets, "tier": "memory" if secrets else None}
    id_ = core.connect(client, "shop", **form, **first).connection.id
    second = new_client()
    core.run(second, "count", on="shop")
    again = core.connect(client, "shop", replace=True, **form)
    if first:  # it was something else
        with pytest.raises(errors.SessionLost, match="connection was changed"):
            core.run(second, "count", on="shop")
    else:
        assert (again.unchanged, again.connection.id) == (True, id_)
        assert core.run(second, "count", on="shop").table.column(0).to_pylist() == [2]


def test_a_client_that_removed_a_connection_itself_counts_on_nothing_there(client, new_client, core):
    second = new_client()
    for one in (client, second):
        core.run(one, "count", on="s")
    client.call(control.RemoveConnection(session=client.session, name="s"))
    core.connect(client, "s")
    assert core.run(client, "count", on="s").table.column(0).to_pylist() == [1]
    with pytest.raises(errors.SessionLost, match="connection was removed"):
        core.run(second, "count", on="s")


def test_a_refused_run_under_isolation_statement_leaves_no_session(client, core):
    core.connect(client, "strict", isolation="statement")
    for _ in range(3):
        with pytest.raises(errors.UsageError):
            core.run(client, "echo :missing", on="strict")
    assert core.status(client).sessions == 0


def test_a_new_password_ends_the_old_sessions_and_other_notebooks_go_on(client, new_client, core):
    core.connect(client, "other")
    second = new_client()
    core.run(second, "count", on="s")
    core.connect(
        client, "s", url="scripted://host/db", secrets={"password": "open sesame"}, tier="memory", replace=True
    )
    with pytest.raises(errors.SessionLost, match="connection was changed"):
        core.run(second, "count")
    result = core.run(second, "count")
    assert (result.accepted.connection, result.table.column(0).to_pylist()) == ("s", [1])
