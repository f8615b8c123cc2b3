"""A database file that is deleted, moved or replaced while it is open: nothing is run on it, and that is said."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap

import duckdb
import pytest
from services.homes import short_folder
from services.waiting import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


def make(kind, path, word):
    with duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (w TEXT)")
        made.execute(f"INSERT INTO t VALUES ('{word}')")
    made.close()


def anew(engine, sql, **more):
    """Return the first column of a run in a new session; one that held something is told to be lost, once."""
    try:
        found = engine.run(sql, **more)
    except errors.SessionLost:
        found = engine.run(sql, **more)
    return found.table.column(0).to_pylist()


@pytest.fixture(params=["duckdb", "sqlite"])
def engine(request):
    found = request.getfixturevalue(f"{request.param}_engine")
    found.run("CREATE TABLE t (w TEXT)")
    found.run("INSERT INTO t VALUES ('old')")
    return found


def test_a_replaced_file_takes_no_write_and_the_next_run_sees_the_new_one(engine, second_client, tmp_path):  # R21
    assert engine.value("SELECT w FROM t", client=second_client) == "old"
    make(engine.name, tmp_path / "new", "new")
    (tmp_path / "new").replace(engine.file)
    for client in (engine.client, second_client):
        with pytest.raises(errors.ConnectError, match="was replaced") as caught:
            engine.run("INSERT INTO t VALUES ('nowhere')", client=client)
        assert "Run the cell again" in caught.value.hint
        assert anew(engine, "SELECT w FROM t", client=client) == ["new"]
    engine.run("INSERT INTO t VALUES ('kept')")
    assert engine.run("SELECT w FROM t", client=second_client).rows == 2


def test_a_replaced_file_is_opened_anew_though_an_idle_notebook_has_the_old_one(duckdb_engine, second_client, tmp_path):
    duckdb_engine.run("CREATE TABLE t AS SELECT 'old' AS w")
    assert duckdb_engine.value("SELECT w FROM t", client=second_client) == "old"
    make("duckdb", tmp_path / "new", "new")
    (tmp_path / "new").replace(duckdb_engine.file)
    with pytest.raises(errors.ConnectError):
        duckdb_engine.run("SELECT w FROM t")
    assert anew(duckdb_engine, "SELECT w FROM t") == ["new"]
    with pytest.raises(errors.ConnectError, match="was replaced"):
        duckdb_engine.run("SELECT w FROM t", client=second_client)
    assert anew(duckdb_engine, "SELECT w FROM t", client=second_client) == ["new"]


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_vanished_file_takes_no_write(engine, how, tmp_path):  # R21
    if how == "deleted":
        engine.file.unlink()
    else:
        engine.file.rename(tmp_path / "elsewhere")
    with pytest.raises(errors.ConnectError, match="was deleted or moved"):
        engine.run("INSERT INTO t VALUES ('nowhere')")
    if how == "moved":
        (tmp_path / "elsewhere").rename(engine.file)
        assert anew(engine, "SELECT w FROM t") == ["old"]


def test_the_schema_of_a_replaced_file_is_the_new_ones(engine, tmp_path):
    engine.client.call(control.ListBranch(session=engine.client.session, connection=engine.name, path=()))
    make(engine.name, tmp_path / "new", "new")
    (tmp_path / "new").replace(engine.file)
    with pytest.raises(errors.ConnectError):
        engine.run("SELECT 1")
    assert anew(engine, "SELECT w FROM t") == ["new"]


AS_ORDINARY_USER = """
    import importlib, os, sys
    from tusk_jupyter.driverkit.session import Rows, Settings
    from tusk_jupyter.sqltext.statements import split
    from tusk_jupyter import errors
    kind, path, read_only, sql = sys.argv[1:]
    session = importlib.import_module(f"tusk_drivers.{kind}.session").SESSION
    first = session.connect(Settings(config={}))
    list(first.execute(split("SELECT 1", kind)[0], {}).batches)
    try:
        first.execute(split("nonsense", kind)[0], {})
    except errors.TuskError:
        first.close()
    if os.geteuid() == 0:  # only now, for what is imported may lie in the home of root
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    try:
        opened = session.connect(Settings(config={"path": path}, read_only=read_only == "yes"))
        for statement in split(sql, kind):
            outcome = opened.execute(statement, {})
            if isinstance(outcome, Rows):
                list(outcome.batches)
        print("done", opened.server)
    except errors.TuskError as exc:
        print(type(exc).__name__, exc.message, exc.hint)
"""


def as_ordinary_user(kind, path, sql, *, read_only=False):
    """Run SQL as a user whom the modes bind: oneself, or nobody in the place of root, who may write everywhere."""
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(AS_ORDINARY_USER),
        kind,
        str(path),
        "yes" if read_only else "no",
        sql,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def open_folder():
    """A folder that everybody may enter; pytest's own are closed to others."""
    with short_folder("tusk-o-") as folder:
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def closed(folder):
    """Take the right to write away from all, its owner included, but for root."""
    folder.chmod(0o555)


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_new_file_in_a_folder_that_takes_none_is_no_connection(kind, open_folder):  # R21
    closed(open_folder)
    said = as_ordinary_user(kind, open_folder / "new.db", "SELECT 1")
    assert said.startswith("ConnectError"), said
    assert "Permission denied" in said
    assert list(open_folder.iterdir()) == []


def test_sqlite_says_why_it_does_not_write(open_folder):
    make("sqlite", open_folder / "a.db", "x")
    (open_folder / "a.db").chmod(0o444)
    closed(open_folder)
    assert "is write-protected" in as_ordinary_user("sqlite", open_folder / "a.db", "INSERT INTO t VALUES ('y')")
    (open_folder / "a.db").chmod(0o666)
    assert "makes a journal beside the file" in as_ordinary_user(
        "sqlite", open_folder / "a.db", "INSERT INTO t VALUES ('y')"
    )


def test_duckdb_says_why_it_does_not_write(open_folder):
    make("duckdb", open_folder / "a.duckdb", "x")
    (open_folder / "a.duckdb").chmod(0o444)
    closed(open_folder)
    assert "write-protected" in as_ordinary_user("duckdb", open_folder / "a.duckdb", "INSERT INTO t VALUES ('y')")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_wal_file_on_a_medium_that_takes_no_file_says_the_way(open_folder, read_only):  # R21
    path = open_folder / "wal.db"
    make("sqlite", path, "x")
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode = wal")
    made.close()
    path.chmod(0o444)
    closed(open_folder)
    said = as_ordinary_user("sqlite", path, "SELECT * FROM t", read_only=read_only)
    assert "immutable=1" in said, said
    assert "done" in as_ordinary_user("sqlite", ":memory:", f"ATTACH 'file:{path}?immutable=1' AS w; SELECT * FROM w.t")


def test_a_new_sqlite_file_is_not_made_by_connecting(client, tmp_path):
    client.call(control.SaveConnection(session=client.session, name="fresh", url=str(tmp_path / "fresh.db")))
    assert not (tmp_path / "fresh.db").exists()


def saved(engine, **more):
    return engine.client.call(
        control.SaveConnection(session=engine.client.session, name=engine.name, url=str(engine.file), **more)
    )


@pytest.mark.parametrize("used", [True, False])
def test_only_connect_makes_a_file_where_one_has_been(request, engine, used, tmp_path):
    """The file is moved while nothing has it open: neither a run nor a question makes an empty one in its place."""
    if not used:  # added to a file that is there, and not used since
        saved(engine, replace=True)
    engine.client.call(control.StopCore())
    wait_until(lambda: not engine.client.link.places.address_file.exists(), 15.0, "the core has ended")
    engine.file.rename(tmp_path / "elsewhere")
    session, name = engine.client.session, engine.name
    for attempt in (
        lambda: anew(engine, "CREATE TABLE IF NOT EXISTS t (w TEXT)"),
        lambda: engine.client.call(control.ListBranch(session=session, connection=name, path=())),
    ):
        with pytest.raises(errors.ConnectError, match="was there when this connection was added") as caught:
            attempt()
        assert f"%tusk connect {name} " in caught.value.hint
    tested = engine.client.call(control.TestConnection(session=session, name=name))
    assert "no new one is made" in tested.error.message
    assert not engine.file.exists()
    assert "new file" in saved(engine, replace=True).server
    engine.run("CREATE TABLE u AS SELECT 1 AS a")
    assert engine.value("SELECT a FROM u") == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_question_about_a_new_file_makes_none(engine, tmp_path):
    fresh = tmp_path / "fresh.db"
    session = engine.client.session
    engine.client.call(control.SaveConnection(session=session, name="fresh", url=str(fresh)))
    engine.client.call(control.ListBranch(session=session, connection="fresh", path=()))
    assert not fresh.exists()


@pytest.mark.parametrize("ending", ["duckdb", "sqlite"])
def test_a_link_that_leads_nowhere_is_no_new_file(client, ending, tmp_path):
    link = tmp_path / f"dangling.{ending}"
    link.symlink_to(tmp_path / "nowhere" / "x")
    with pytest.raises(errors.ConnectError, match=r"is a link to .*nowhere/x, where nothing is"):
        client.call(control.SaveConnection(session=client.session, name="dangling", url=str(link)))
