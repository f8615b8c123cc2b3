"""A database file that is deleted, moved or replaced while it is open: nothing is run on it, and that is said."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing

import duckdb
import pytest
from services.homes import short_folder
from services.waiting import wait_until

from tusk_drivers.sqlite.errors import translate
from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


def make(kind, path, word):
    with duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (w TEXT)")
        made.execute(f"INSERT INTO t VALUES ('{word}')")
    made.close()


def anew(engine, sql, **more):
    """Return the first column of a run in a new session; the refusal before it has told what went with the old one."""
    return engine.run(sql, **more).table.column(0).to_pylist()


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


def test_what_went_with_a_replaced_file_is_refused_once(engine, tmp_path):
    engine.run("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    make(engine.name, tmp_path / "new", "new")
    (tmp_path / "new").replace(engine.file)
    with pytest.raises(errors.ConnectError, match="nothing was run") as caught:
        engine.run("SELECT * FROM mine")
    assert "temp tables" in caught.value.hint
    with pytest.raises(errors.QueryError, match="mine"):
        engine.run("SELECT * FROM mine")
    engine.run("INSERT INTO t VALUES ('kept')")


def make_wal(path, *words):
    make("sqlite", path, words[0])
    with sqlite3.connect(path) as made:
        made.executemany("INSERT INTO t VALUES (?)", [(word,) for word in words[1:]])
        made.commit()
        made.execute("PRAGMA journal_mode = wal")
    made.close()


def rows_of(path):
    with closing(sqlite3.connect(path)) as opened:
        return [word for (word,) in opened.execute("SELECT w FROM t")]


@pytest.mark.home("own")
@pytest.mark.parametrize("how", ["run", "closed"])
def test_the_log_of_a_replaced_sqlite_file_does_not_get_into_the_new_one(sqlite_engine, second_client, how, tmp_path):
    """SQLite leaves the -wal of the old file at the path, and would show its rows in the new file, and lose the new ones."""
    make_wal(sqlite_engine.file, "old")
    for client in (sqlite_engine.client, second_client):
        sqlite_engine.run("INSERT INTO t VALUES ('logged')", client=client)
    assert tmp_path.joinpath("shop.sqlite-wal").stat().st_size > 0
    (tmp_path / "kept").hardlink_to(sqlite_engine.file)
    make_wal(tmp_path / "new", "new")
    (tmp_path / "new").replace(sqlite_engine.file)
    if how == "closed":
        sqlite_engine.client.call(control.StopCore())
        wait_until(lambda: not tmp_path.joinpath("shop.sqlite-wal").exists(), 15.0, "the drivers have closed the file")
    else:
        for client in (sqlite_engine.client, second_client):
            with pytest.raises(errors.ConnectError, match="was replaced") as caught:
                sqlite_engine.run("INSERT INTO t VALUES ('nowhere')", client=client)
            assert ("was written into the file that was there" in caught.value.message) == (client is not second_client)
        assert anew(sqlite_engine, "SELECT w FROM t") == ["new"]
        sqlite_engine.run("INSERT INTO t VALUES ('added')")
    assert rows_of(sqlite_engine.file) == (["new"] if how == "closed" else ["new", "added"])
    assert rows_of(tmp_path / "kept") == ["old", "logged", "logged"]


@pytest.mark.home("own")
@pytest.mark.parametrize("how", ["run", "closed", "with its log"])
def test_what_is_copied_over_an_open_sqlite_file_is_not_mixed_with_the_old_log(
    sqlite_engine, second_client, how, tmp_path
):
    """SQLite reads the log of the old content into the new one, writes that into the file, and both are gone."""
    make_wal(sqlite_engine.file, "old")
    for client in (sqlite_engine.client, second_client):
        sqlite_engine.run("INSERT INTO t VALUES ('logged')", client=client)
    log, backup = tmp_path / "shop.sqlite-wal", tmp_path / "backup"
    if how == "with its log":
        shutil.copyfile(sqlite_engine.file, backup)
        shutil.copyfile(log, tmp_path / "log")
        sqlite_engine.run("INSERT INTO t SELECT hex(zeroblob(300)) FROM t, t, t; PRAGMA wal_checkpoint(TRUNCATE)")
        sqlite_engine.run("INSERT INTO t VALUES ('later')")
        shutil.copyfile(tmp_path / "log", log)
    else:
        make_wal(backup, *(f"backup {number}" for number in range(3000)))
        sqlite_engine.run("PRAGMA wal_checkpoint; INSERT INTO t VALUES ('later')")  # the other notebook has not seen
    shutil.copyfile(backup, sqlite_engine.file)
    if how == "closed":
        sqlite_engine.client.call(control.StopCore())
        wait_until(lambda: not log.exists(), 15.0, "the drivers have closed it")
        assert sqlite_engine.file.read_bytes() == backup.read_bytes()
        return
    for client in (sqlite_engine.client, second_client):
        with pytest.raises(errors.ConnectError, match="was written over by another program") as caught:
            sqlite_engine.run("INSERT INTO t VALUES ('nowhere')", client=client)
        kept = "shop.sqlite-wal.of-old-content" in caught.value.message
        assert kept == (how == "run" and client is not second_client)
    if how == "run":
        assert sqlite_engine.file.read_bytes() == backup.read_bytes()
    for client in (sqlite_engine.client, second_client):
        sqlite_engine.run("INSERT INTO t VALUES ('added')", client=client)
    restored = ["old", "logged", "logged"] if how == "with its log" else [f"backup {n}" for n in range(3000)]
    assert rows_of(sqlite_engine.file) == [*restored, "added", "added"]


def test_a_sqlite_file_that_another_program_checkpoints_or_touches_is_the_same(sqlite_engine):
    make_wal(sqlite_engine.file, "old")
    sqlite_engine.run("INSERT INTO t VALUES ('logged'); CREATE TEMP TABLE mine AS SELECT 1 AS a")
    with closing(sqlite3.connect(sqlite_engine.file, isolation_level=None)) as other:
        for kind in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
            other.execute("INSERT INTO t VALUES (hex(zeroblob(9000)))")
            other.execute(f"PRAGMA wal_checkpoint({kind})")
            assert sqlite_engine.run("SELECT w FROM mine, t").rows
            os.utime(sqlite_engine.file, (1, 1))
            assert sqlite_engine.run("SELECT w FROM mine, t").rows


def test_an_attached_sqlite_file_that_was_written_over_is_left_as_it_is(sqlite_engine, tmp_path):
    other, backup = tmp_path / "other", tmp_path / "backup"
    make_wal(backup, *(f"backup {number}" for number in range(3000)))
    for refuses in (True, False):
        make_wal(other, "old")
        sqlite_engine.run(f"ATTACH '{other}' AS o")
        sqlite_engine.run("INSERT INTO o.t VALUES ('logged')")
        shutil.copyfile(backup, other)
        if refuses:
            with pytest.raises(
                errors.ConnectError, match="was written over by another program while it was attached as o"
            ):
                sqlite_engine.run("INSERT INTO o.t VALUES ('nowhere')")
        sqlite_engine.run("DETACH o")
        assert other.read_bytes() == backup.read_bytes()
        other.unlink()
        for ending in ("-wal", "-shm"):
            other.with_name(f"other{ending}").unlink(missing_ok=True)


def test_a_log_that_the_new_file_has_written_to_is_left_and_named(sqlite_engine, tmp_path):
    make_wal(sqlite_engine.file, "old")
    sqlite_engine.run("INSERT INTO t VALUES ('logged')")
    make_wal(tmp_path / "new", "new")
    (tmp_path / "new").replace(sqlite_engine.file)
    with closing(sqlite3.connect(sqlite_engine.file)) as other:
        other.execute("INSERT INTO t VALUES ('others')")
        other.commit()
        with pytest.raises(errors.ConnectError, match=r"shop\.sqlite-wal, the log of the file that was there: move it"):
            sqlite_engine.run("SELECT w FROM t")
        assert "others" in [word for (word,) in other.execute("SELECT w FROM t")]


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_an_attached_file_that_vanished_takes_no_write(engine, how, tmp_path):
    other = tmp_path / "other"
    make(engine.name, other, "old")
    engine.run(f"ATTACH '{other}' AS o")
    engine.run("INSERT INTO o.t VALUES ('second')")
    other.unlink()
    if how == "replaced":
        make(engine.name, other, "new")
    for sql in ("INSERT INTO o.t VALUES ('nowhere')", "SELECT w FROM o.t", "SELECT w FROM t"):
        with pytest.raises(errors.ConnectError, match="while it was attached as o, so nothing was run") as caught:
            engine.run(sql)
        assert "`DETACH o`" in caught.value.hint
    engine.run("DETACH o")
    assert engine.run("SELECT w FROM t").table.column(0).to_pylist() == ["old"]
    if how == "replaced":
        engine.run(f"ATTACH '{other}' AS o")
        assert engine.run("SELECT w FROM o.t").table.column(0).to_pylist() == ["new"]


def test_an_attached_file_that_vanished_is_the_matter_of_who_uses_it(duckdb_engine, second_client, tmp_path):
    """DuckDB's attached files are the whole process's; the other notebook neither attached this one nor can detach it."""
    duckdb_engine.run("CREATE TABLE t (w TEXT)")
    make("duckdb", tmp_path / "other", "old")
    duckdb_engine.run(f"ATTACH '{tmp_path / 'other'}' AS o")
    assert duckdb_engine.run("FROM t", client=second_client).rows == 0
    (tmp_path / "other").unlink()
    duckdb_engine.run("INSERT INTO t VALUES ('kept')", client=second_client)
    for sql in ('INSERT INTO "O".t VALUES (1)', "USE o"):
        with pytest.raises(errors.ConnectError, match="attached as o"):
            duckdb_engine.run(sql, client=second_client)


@pytest.fixture
def backup(tmp_path):
    """A DuckDB file with one table, `t`, of one row: 'backup'."""
    made = tmp_path / "backup.duckdb"
    make("duckdb", made, "backup")
    return made


@pytest.fixture
def shop(duckdb_engine):
    """The engine's file, with a table of some size in it and a row of it only in the log beside."""
    duckdb_engine.run("CREATE TABLE t AS SELECT 'old ' || i AS w FROM range(50000) r(i)")
    duckdb_engine.run("CHECKPOINT")
    duckdb_engine.run("INSERT INTO t VALUES ('in the log')")
    return duckdb_engine


def test_what_is_copied_over_an_open_file_is_neither_mixed_nor_written_over(shop, second_client, backup):  # R21
    """`cp` keeps the file and changes its content; DuckDB wrote its next checkpoint into it."""
    assert shop.value("SELECT count(*) FROM t", client=second_client) == 50_001
    shutil.copyfile(backup, shop.file)
    for client in (shop.client, second_client):
        with pytest.raises(errors.ConnectError, match="was written over by another program") as caught:
            shop.run("INSERT INTO t VALUES ('nowhere')", client=client)
    assert "lake.duckdb.wal.of-old-content" in caught.value.message
    assert shop.file.read_bytes() == backup.read_bytes()
    assert anew(shop, "SELECT w FROM t") == ["backup"]
    shop.run("INSERT INTO t VALUES ('kept')", client=second_client)
    assert shop.run("SELECT w FROM t").rows == 2


@pytest.mark.parametrize("last", ["BEGIN", "COMMIT"])
def test_a_notebook_that_began_or_ended_a_transaction_does_not_hide_what_is_copied_over(
    shop, second_client, backup, last
):
    assert shop.value("SELECT count(*) FROM t", client=second_client) == 50_001
    shop.run("BEGIN")
    if last == "COMMIT":
        shop.run("COMMIT")
    shutil.copyfile(backup, shop.file)
    with pytest.raises(errors.ConnectError, match="was written over by another program"):
        shop.run("INSERT INTO t VALUES ('nowhere')", client=second_client)
    assert shop.file.read_bytes() == backup.read_bytes()


@pytest.mark.parametrize("how", ["disconnect", "open it in another notebook"])
def test_what_is_copied_over_stays_though_nothing_is_run_after_it(shop, second_client, backup, how):
    shutil.copyfile(backup, shop.file)
    if how == "disconnect":
        shop.client.disconnect("duckdb")
        assert shop.file.read_bytes() == backup.read_bytes()
    assert shop.value("SELECT w FROM t", client=second_client) == "backup"


def test_a_pair_of_file_and_log_that_is_copied_over_comes_back_whole(shop, tmp_path):
    for one in (shop.file, shop.file.with_name("lake.duckdb.wal")):
        shutil.copyfile(one, tmp_path / f"copy of {one.name}")
    shop.run("INSERT INTO t SELECT 'later' FROM range(1000)")
    shop.run("CHECKPOINT")
    shop.run("INSERT INTO t VALUES ('latest')")
    for one in (shop.file, shop.file.with_name("lake.duckdb.wal")):
        shutil.copyfile(tmp_path / f"copy of {one.name}", one)
    with pytest.raises(errors.ConnectError, match="was written over"):
        shop.run("SELECT 1")
    assert anew(shop, "SELECT count(*) FROM t WHERE w = 'in the log'") == [1]
    assert anew(shop, "SELECT count(*) FROM t") == [50_001]


def test_a_log_left_beside_another_file_is_named(shop, backup):
    """So it is after a driver was killed, its file written over meanwhile."""
    shutil.copyfile(shop.file.with_name("lake.duckdb.wal"), backup.with_name("backup.duckdb.wal"))
    saving = control.SaveConnection(session=shop.client.session, name="restored", url=str(backup))
    with pytest.raises(errors.ConnectError, match="is the log of another database") as caught:
        shop.client.call(saving)
    subprocess.run(caught.value.hint.split("`")[1], shell=True, check=True)  # the command of the hint
    shop.client.call(saving)
    found = shop.client.run(control.RunRequest(session="", connection="restored", sql="FROM t"))
    assert found.table.column(0).to_pylist() == ["backup"]


def test_an_emptied_file_takes_no_write(shop):
    shop.file.write_bytes(b"")
    with pytest.raises(errors.ConnectError, match="was written over"):
        shop.run("INSERT INTO t VALUES ('nowhere')")
    assert shop.file.stat().st_size == 0


def test_a_file_that_only_looks_changed_is_the_same(shop):
    """Times change without content: by `touch`, or when a file server sets its own."""
    shop.run("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    os.utime(shop.file, (1, 1))
    assert shop.run("SELECT * FROM mine").rows == 1
    shop.run("INSERT INTO t SELECT 'much' FROM range(300000)")
    shop.run("CHECKPOINT")
    assert shop.run("SELECT * FROM mine").rows == 1


def test_an_attached_file_that_was_written_over_is_left_as_it_is(shop, backup, tmp_path):
    other = tmp_path / "other.duckdb"
    make("duckdb", other, "old")
    for way in ("ATTACH", "ATTACH OR REPLACE"):
        shop.run(f"{way} '{other}' AS o")
    shop.run("INSERT INTO o.t SELECT 'old' FROM range(50000)")
    shutil.copyfile(backup, other)
    for sql in ("INSERT INTO o.t VALUES ('nowhere')", "SELECT w FROM t"):
        with pytest.raises(errors.ConnectError, match="was written over by another program while it was attached as o"):
            shop.run(sql)
    shop.run("DETACH o")
    assert other.read_bytes() == backup.read_bytes()
    shop.run(f"ATTACH '{other}' AS o")
    assert anew(shop, "SELECT w FROM o.t") == ["backup"]
    held = [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])", str(other)]
    refused = subprocess.run(held, capture_output=True, text=True, check=False)
    assert "Could not set lock" in refused.stderr, "the lock was lost"


def test_sqlite_says_that_a_file_has_moved_where_it_finds_that_out_itself():
    moved = sqlite3.OperationalError("attempt to write a readonly database")
    moved.sqlite_errorcode, moved.sqlite_errorname = sqlite3.SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"
    told = translate(moved)
    assert "was deleted, moved or replaced" in told.message
    assert told.scenario is None


def test_duckdb_takes_no_path_with_a_question_mark(client, tmp_path):
    """DuckDB takes what follows for a query, and looks for the log in another folder: nothing could be written."""
    (tmp_path / "a?b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a?b")
    session = client.session
    for folder in ("a?b", "link"):
        with pytest.raises(errors.ConnectError, match="question mark in its path"):
            client.call(control.SaveConnection(session=session, name="m", url=str(tmp_path / folder / "d.duckdb")))
    client.call(control.SaveConnection(session=session, name="m", url="duckdb:///:memory:"))
    with pytest.raises(errors.UsageError, match="question mark in its path"):
        client.run(control.RunRequest(session="", connection="m", sql=f"ATTACH '{tmp_path}/a?b/d.duckdb'"))
    assert list((tmp_path / "a?b").iterdir()) == []


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


@pytest.mark.home("own")
@pytest.mark.parametrize("used", [True, False])
def test_only_connect_makes_a_file_where_one_has_been(request, engine, used, tmp_path):
    """The file is moved while nothing has it open: neither a run nor a question makes an empty one in its place."""
    if not used:  # added to a file that is there, and not used since
        saved(engine, replace=True)
    engine.client.call(control.StopCore())
    wait_until(lambda: not engine.client.link.places.address_file.exists(), 15.0, "the core has ended")
    engine.file.rename(tmp_path / "elsewhere")
    with pytest.raises(errors.SessionLost):  # of the core that was stopped
        engine.run("SELECT 1")
    session, name = engine.client.session, engine.name
    for attempt in (
        lambda: engine.run("CREATE TABLE IF NOT EXISTS t (w TEXT)"),
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
