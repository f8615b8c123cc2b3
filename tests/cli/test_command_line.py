"""`tusk VERB` as a process of its own: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from services.homes import make_home

TUSK = str(Path(sys.executable).with_name("tusk"))


@pytest.fixture(scope="module")
def home():
    """A private home with a DuckDB connection `lake` and three rows in the log."""
    home = make_home()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUSK_HOME", str(home))
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={home / 'no-bus'}")
        patch.setenv("TUSK_MASTER_KEY", "5e" * 32)
        patch.chdir(home.path)
        assert tusk("connect", "lake", "lake.duckdb").returncode == 0
        import tusk_jupyter

        tusk_jupyter.query("CREATE TABLE t AS SELECT 1 AS a", connection="lake")
        tusk_jupyter.query("SELECT\n  * FROM t", connection="lake")
        with pytest.raises(tusk_jupyter.errors.QueryError):
            tusk_jupyter.query("SELECT nope", connection="lake")
        yield home
        home.close()


def tusk(*words, **more):
    """Run a verb without a terminal."""
    return subprocess.run(
        [TUSK, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False, **more
    )


def fails(*words, code, message, hint=""):
    done = tusk(*words)
    assert done.returncode == code, done
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    return done


def test_connections_are_listed_as_aligned_text_and_as_json(home):
    text = tusk("connections").stdout.splitlines()
    assert text[0].split() == ["name", "driver", "target", "open", "in", "password", "rules", "last", "used"]
    assert text[1].index("duckdb") == text[0].index("driver")
    (record,) = json.loads(tusk("connections", "--json").stdout)
    assert record["name"] == "lake"
    assert record["config"]["path"] == str(home / "lake.duckdb")


def test_a_pipe_gets_whole_lines(home):
    long = "x" * 300
    tusk("connect", "deep", f"{long[:200]}.duckdb", "--no-test")
    assert long[:200] in tusk("connections").stdout
    assert tusk("remove", "deep", "--yes").returncode == 0


def test_the_log_is_searched(home):
    assert len(tusk("log").stdout.splitlines()) == 4
    (failed,) = json.loads(tusk("log", "--status", "failed", "--json").stdout)["entries"]
    assert failed["sql"] == "SELECT nope"
    assert "Showing 1 of 3 runs" in tusk("log", "-n", "1").stdout
    assert "SELECT * FROM t" in tusk("log", "--text", "from T", "--since", "1h", "-n", "1").stdout
    assert "No run matches these conditions" in tusk("log", "--text", "nothing of the kind").stdout
    assert tusk("log", "--until", "2001-01-01").returncode == 0


def test_one_run_is_shown_in_full(home):
    run = json.loads(tusk("log", "--text", "from t", "--json").stdout)["entries"][0]["run"]
    shown = tusk("log", run[:10]).stdout
    assert f"run:        {run}" in shown
    assert shown.endswith("SELECT\n  * FROM t\n")
    fails("log", "ffffffffff", code=2, message="has no run 'ffffffffff'", hint="tusk log")


def test_where_several_are_configured_the_hint_names_one_for_the_very_verb(home):
    tusk("connect", "pond", "pond.duckdb", "--no-test")
    fails("schema", code=2, message="No connection is chosen; configured: lake, pond", hint="as `tusk schema lake`.")
    fails("disconnect", code=2, message="No connection is chosen", hint="as `tusk disconnect lake`.")
    assert tusk("remove", "pond", "--yes").returncode == 0


def test_empty_listings_say_what_to_do_next(tusk_home):
    assert "Add one with `tusk connect NAME URL`" in tusk("connections").stdout
    assert "run a `%%sql` cell first" in tusk("log").stdout
    assert "Nothing is running." in tusk("running").stdout
    assert "No secret is stored." in tusk("credentials").stdout
    assert "Nothing is running." in tusk("cancel").stdout


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (("xyzzy",), 2, "There is no verb 'xyzzy'. Verbs: connect,", "overview"),
        (("conect", "x"), 2, "There is no verb 'conect'", "`connect`"),
        (("log", "--sttus", "x"), 2, "No such option", "--status"),
        (("use",), 2, "Missing argument", "--help"),
        (("use", "nosuch"), 2, "There is no connection 'nosuch'; configured: lake", "`tusk connect nosuch URL`"),
        (
            ("pick",),
            2,
            "A current connection belongs to a notebook",
            "`tusk schema lake`; `tusk connections` lists them",
        ),
        (("use", "lake"), 2, "A current connection belongs to a notebook", "`tusk schema lake`"),
        (("duplicate", "lake", "lake"), 2, "There is a connection 'lake' already", "Take another name"),
        (("connect", "x", "mssql://host/x"), 1, "No installed driver reads mssql://", "`tusk drivers` lists"),
        (("connect", "x", "postgres://h/d", "--password-env", "NOSUCH"), 2, "is not set", "Export it in this shell"),
        (("credentials", "set", "nosuch"), 2, "There is no connection 'nosuch'", ""),
        (("test", "nosuch"), 2, "There is no connection 'nosuch'", ""),
        (("drivers", "nosuch"), 1, "There is no driver 'nosuch'. Installed: duckdb, mysql", "entry point"),
        (("connect", "lake", "other.duckdb"), 2, "lake", "--replace"),
        (("connect", "x", "postgresql://ann@127.0.0.1:1/x"), 1, "", ""),
        (("connect", "x", "nosuch://host/x"), 1, "nosuch", ""),
        (("connect", "x", "y.duckdb", "--set", "color=red"), 2, "color", ""),
        (("connect", "x", "y.duckdb", "--set", "color"), 2, "--set takes NAME=VALUE", "sslmode"),
        (("remove", "lake"), 2, "Nobody can be asked", "--yes"),
        (("credentials", "set", "lake"), 2, "Nobody can be asked", "--password-env"),
        (("set", "nosuch", "1"), 2, "nosuch", ""),
        (("set", "nosuch"), 2, "There is no setting 'nosuch'", ""),
        (("set", "timeout_s", "soon"), 2, "timeout_s", ""),
        (("cancel", "ffff"), 2, "ffff", ""),
    ],
)
def test_a_failure_is_one_paragraph_on_standard_error_and_an_exit_code(home, words, code, message, hint):
    before = tusk("connections", "--json").stdout
    fails(*words, code=code, message=message, hint=hint)
    assert tusk("connections", "--json").stdout == before


def test_a_password_on_the_command_line_is_refused_without_repeating_it(home):
    done = fails(
        "connect", "pg", "postgresql://ann:Geheim-17@db/x", code=2, message="does not belong on a command line"
    )
    assert "Geheim" not in done.stderr
    assert "history" in done.stderr
    done = fails("connect", "pg", "mysql://ann@db/x", "--set", "password=Geheim-17", code=2, message="does not belong")
    assert "Geheim" not in done.stderr


def test_a_url_with_its_password_comes_from_the_environment(home, monkeypatch):
    monkeypatch.setenv("SHOP_URL", "mysql://ann:Geheim-17@127.0.0.1:1/shop")
    done = tusk("connect", "shop", "--url-env", "SHOP_URL", "--no-test")
    assert done.returncode == 0, done
    assert "password in: vault" in done.stdout
    assert "Geheim" not in done.stdout + tusk("connections", "--json").stdout + tusk("credentials", "--json").stdout
    assert "from: vault" in tusk("remove", "shop", "--yes").stdout


def test_a_password_is_stored_listed_and_deleted(home, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "Geheim-17")
    assert (
        tusk(
            "connect", "shop", "mysql://ann@127.0.0.1:1/shop", "--no-test", "--password-env", "SHOP_PASSWORD"
        ).returncode
        == 0
    )
    assert "vault" in tusk("credentials").stdout
    assert (
        "is in: memory"
        in tusk("credentials", "set", "shop", "--password-env", "SHOP_PASSWORD", "--tier", "memory").stdout
    )
    assert "memory" in tusk("credentials", "delete", "shop").stdout
    assert tusk("remove", "shop", "--yes").returncode == 0


def test_a_terminal_is_asked_without_an_echo(home):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [TUSK, "connect", "asked", "mysql://ann@127.0.0.1:1/x", "--no-test"],
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True, close_fds=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(follower)
    seen = b""
    while b"Password for asked" not in seen:
        seen += os.read(leader, 1000)
    os.write(leader, b"Eichhorn-4711\n")
    while True:
        try:
            seen += os.read(leader, 1000)
        except OSError:  # EIO: the other side is closed
            break
    assert process.wait(30) == 0, seen
    os.close(leader)
    assert b"Eichhorn" not in seen
    assert b"password in: vault" in seen
    assert tusk("remove", "asked", "--yes").returncode == 0


def test_every_verb_has_help_with_one_sentence_at_least(home):
    overview = tusk("--help").stdout
    from tusk_jupyter.cli.group import VERBS

    for verb in VERBS:
        assert f"  {verb} " in overview
        done = tusk(verb, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith(f"Usage: tusk {verb}")
    assert tusk().stdout == overview
    assert tusk("--version").stdout.startswith("tusk-jupyter ")


def test_the_core_is_shown_stopped_and_starts_again(tusk_home):
    assert "No core is running" in tusk("core", "status").stdout
    assert "No core is running" in tusk("core", "stop").stdout
    assert tusk("connections").returncode == 0
    assert json.loads(tusk("core", "status", "--json").stdout)["home"] == str(tusk_home)
    assert "The core has stopped" in tusk("core", "stop").stdout
    assert str(tusk_home) in tusk("info").stdout
    assert tusk("info", "--json").stdout.startswith("{")


def test_the_doctor_says_what_it_examined(home):
    done = tusk("doctor")
    assert "state folder" in done.stdout
    assert done.returncode == (1 if "checks failed" in done.stdout else 0)


def test_settings_are_shown_changed_and_set_back(home):
    assert "timeout_s is 120" in tusk("set", "timeout_s", "120").stdout
    assert "120" in tusk("set", "timeout_s").stdout
    assert tusk("set", "timeout_s", "--reset").returncode == 0
    assert "120" not in tusk("set", "timeout_s").stdout


def test_a_connection_is_tested_by_stage(home):
    assert "DuckDB" in tusk("test", "lake").stdout
    tusk("connect", "gone", "mysql://ann@127.0.0.1:1/x", "--no-test", "--no-password")
    fails("test", "gone", code=1, message="Failed at: reaching the host and port")
    assert json.loads(tusk("test", "gone", "--json").stdout)["ok"] is False
    assert tusk("remove", "gone", "--yes").returncode == 0


def test_a_run_of_another_process_is_listed_and_cancelled(home):
    script = (
        "import tusk_jupyter as tusk\n"
        "tusk.query('SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)', connection='lake')"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while "lake" not in tusk("running").stdout:
        assert time.monotonic() < deadline
    assert "Stopping" in tusk("cancel").stdout
    _, error = process.communicate(timeout=60)
    assert "Cancelled" in error
    assert process.returncode == 1


def test_ctrl_c_ends_with_130(home):
    process = subprocess.Popen([TUSK, "connections"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT, 0)  # before Python could listen, or after it had done


def test_a_reader_that_had_enough_is_no_error(home):
    done = subprocess.run(
        f"{TUSK} log --json | head -1", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "{\n"
    assert not done.stderr


def test_a_schema_is_listed_and_a_table_described(home):
    done = tusk("schema", "lake")
    assert done.stdout.splitlines()[1].split() == ["lake.main", "t", "table", "a"]
    assert "1 table of lake, read " in done.stdout
    assert json.loads(tusk("schema", "lake", "--json").stdout)["snapshot"]["tables"][0]["path"] == ["lake", "main", "t"]
    assert tusk("schema", "lake", "main.t").stdout.splitlines()[1].split()[:2] == ["a", "INTEGER"]
    fails("schema", "lake", "nope", code=1, message="no table or view nope")
    fails("schema", "lakes", code=2, message="no connection 'lakes'", hint="lake")


def test_queries_are_saved_shown_listed_and_deleted(home, tmp_path):
    assert tusk("queries").stdout.startswith("No query is saved.")
    assert tusk("queries", "save", "daily", "SELECT\n  1", "--connection", "lake").stdout == "Saved daily for lake.\n"
    assert tusk("queries", "show", "DAILY").stdout == "SELECT\n  1\n"
    fails("queries", "save", "daily", "SELECT 2", code=2, message="'daily' already", hint="--replace")
    (tmp_path / "q.sql").write_text("SELECT 2")
    tusk("queries", "save", "daily", "--file", str(tmp_path / "q.sql"), "--replace")
    assert [one["sql"] for one in json.loads(tusk("queries", "--json").stdout)] == ["SELECT 2"]
    run = json.loads(tusk("log", "--text", "FROM t", "--json").stdout)["entries"][0]
    assert tusk("queries", "save", "again", "--run", run["run"][:10]).stdout == "Saved again for lake.\n"
    assert tusk("queries", "show", "again").stdout == "SELECT\n  * FROM t\n"
    fails("queries", "save", "x", code=2, message="one of them")
    for name in ("daily", "again"):
        assert tusk("queries", "delete", name).stdout == f"Deleted {name}.\n"
    fails("queries", "show", "daily", code=2, message="no saved query 'daily'")


def test_a_connection_is_copied(home):
    assert tusk("duplicate", "lake", "pond").stdout.startswith("pond is a copy of lake: ")
    fails("duplicate", "lake", "pond", code=2, message="'pond' already")
    assert tusk("remove", "pond", "--yes").returncode == 0


def test_the_log_is_filtered_by_duration_and_driver(home):
    assert tusk("log", "--min-ms", "3600000").stdout.startswith("No run matches")
    assert tusk("log", "--driver", "duckdb", "--no-tools", "-n", "1").stdout.splitlines()[1]
    assert tusk("log", "--driver", "sqlite").stdout.startswith("No run matches")


def test_runs_are_deleted_from_the_log_and_nothing_goes_without_a_word(home):
    import tusk_jupyter

    tusk_jupyter.query("SELECT 'one'", connection="lake")
    tusk_jupyter.query("SELECT 'two'", connection="lake")
    two, one = (entry["run"] for entry in json.loads(tusk("log", "-n", "2", "--json").stdout)["entries"])
    assert tusk("log", "--delete", one[:10], two[:10]).stdout == "Deleted 2 runs from the query log, with their text.\n"
    assert json.loads(tusk("log", one, "--json").stdout)["total"] == 0
    fails("log", "--delete", one[:10], code=2, message="no run")
    fails("log", "--delete", code=2, message="Nothing was named")
    fails("log", "--clear", code=2, message="Nobody can be asked", hint="--yes")
    fails("log", "--clear", "--text", "x", code=2, message="all by --clear")
    for other in (("-n", "1"), ("--limit", "20"), ("--offset", "8"), ("--no-tools",)):
        for what in (("--clear",), ("--delete", "--until", "0d")):
            fails("log", *what, *other, "--yes", code=2, message="all by --clear")
    assert tusk("log", "--delete", "--until", "10w", "--yes").stdout.startswith("Deleted 0 runs")
