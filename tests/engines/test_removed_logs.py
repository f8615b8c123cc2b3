"""The write-ahead log of an open DuckDB or SQLite file that another program removes: no row goes with it in silence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import pytest
from services import processes_of

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_drivers.sqlite.opened import OpenedFiles
from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol import control
from tusk_jupyter.sqltext.statements import split

pytestmark = pytest.mark.home("own", spares=False)

REMOVED = "log of .* was removed by another program"
SAVED = "has been written into the file"


def make(kind, path):
    """Make a file with the table `t` of the row 'old'; SQLite's writes a log."""
    with closing(duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path)) as made:
        if kind == "sqlite":
            made.execute("PRAGMA journal_mode = wal")
        made.execute("CREATE TABLE t (w TEXT)")
        made.execute("INSERT INTO t VALUES ('old')")
        made.commit()


@pytest.fixture(params=["duckdb", "sqlite"])
def engine(request):
    found = request.getfixturevalue(f"{request.param}_engine")
    make(found.name, found.file)
    return found


def kill_drivers(engine):
    for one in processes_of(engine.client.link.places.home):
        if f"tusk_drivers.{engine.name}" in one.cmdline():
            one.kill()
            one.wait()


def written(engine, path=None):
    """Return the table's rows as another program finds them."""
    path = path or engine.file
    with closing(duckdb.connect(str(path)) if engine.name == "duckdb" else sqlite3.connect(path)) as opened:
        return [word for (word,) in opened.execute("SELECT w FROM t ORDER BY 1").fetchall()]


def test_rows_whose_log_another_program_has_removed_are_saved_and_that_is_told_before_more_are_written(
    engine, tmp_path
):
    engine.run("INSERT INTO t VALUES ('logged')")
    (log,) = [*tmp_path.glob("*.wal"), *tmp_path.glob("*-wal")]
    assert log.stat().st_size
    log.unlink()
    with pytest.raises(errors.ConnectError, match=f"{log.name}, the {REMOVED}.*{SAVED}"):
        engine.run("INSERT INTO t VALUES ('nowhere')")
    engine.run("INSERT INTO t VALUES ('next')")
    kill_drivers(engine)
    assert written(engine) == ["logged", "next", "old"]


@pytest.fixture
def logged(duckdb_engine):
    """DuckDB's engine with 'logged' in the log of its file only."""
    for sql in ("CREATE TABLE t (w TEXT)", "CHECKPOINT", "INSERT INTO t VALUES ('logged')"):
        duckdb_engine.run(sql)
    return duckdb_engine


@pytest.mark.parametrize(
    ("change", "before_commit", "after_commit"),
    [
        ("INSERT INTO t VALUES ('open')", SAVED, ["logged", "open"]),
        ("UPDATE t SET w = 'changed'", "is not in the file: .*other write transactions", ["changed"]),
    ],
)
def test_an_open_transaction_can_be_committed_after_the_log_was_removed(
    logged, second_client, tmp_path, change, before_commit, after_commit
):
    """DuckDB writes a checkpoint beside an open INSERT, and refuses it beside an open UPDATE."""
    logged.value("SELECT 1", client=second_client)
    logged.run("BEGIN")
    logged.run(change)
    (tmp_path / "lake.duckdb.wal").unlink()
    with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*{before_commit}") as caught:
        logged.run("SELECT w FROM t")
    assert ("COMMIT" in caught.value.hint) == (before_commit != SAVED)
    logged.run("COMMIT")
    with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*{SAVED}"):
        logged.run("SELECT w FROM t", client=second_client)
    assert logged.run("SELECT w FROM t", client=second_client).rows == logged.run("SELECT w FROM t").rows
    kill_drivers(logged)
    assert written(logged) == after_commit


def test_a_removed_log_is_told_to_who_runs_something_though_the_tree_was_there_first(logged, tmp_path):
    (tmp_path / "lake.duckdb.wal").unlink()
    tree = control.ListBranch(session=logged.client.session, connection="duckdb")
    assert logged.client.call(tree).nodes
    with pytest.raises(errors.ConnectError, match=REMOVED):
        logged.run("SELECT w FROM t")


def test_each_removal_is_told_and_what_lay_in_the_log_s_place_is_kept(logged, tmp_path):
    for how in ("removed", "replaced"):
        log = tmp_path / "lake.duckdb.wal"
        if how == "removed":
            log.unlink()
        else:
            (tmp_path / "precious").write_text("somebody's")
            (tmp_path / "precious").replace(log)
        with pytest.raises(errors.ConnectError, match=f"log of .* was {how} by another program.*{SAVED}"):
            logged.run("SELECT w FROM t")
        logged.run(f"INSERT INTO t VALUES ('{how}')")
    assert (tmp_path / "lake.duckdb.wal.of-others").read_text() == "somebody's"
    kill_drivers(logged)
    assert written(logged) == ["logged", "removed", "replaced"]


def test_a_log_that_another_program_has_cut_or_written_over_is_lost_too(logged, tmp_path):
    """DuckDB would write on behind the gap, and nobody could open the file after a crash."""
    log = tmp_path / "lake.duckdb.wal"
    for how in ("cut", "emptied", "longer"):
        whole = log.read_bytes()
        log.write_bytes({"cut": whole[:-3], "emptied": b"", "longer": whole + whole}[how])
        with pytest.raises(errors.ConnectError, match=f"log of .* was replaced by another program.*{SAVED}"):
            logged.run("SELECT w FROM t")
        logged.run(f"INSERT INTO t VALUES ('{how}')")
    kill_drivers(logged)
    assert written(logged) == ["cut", "emptied", "logged", "longer"]


def test_rows_of_a_removed_log_that_cannot_be_written_are_not_called_saved(logged, second_client, tmp_path):
    """DuckDB's CHECKPOINT of a file that is open for reading does nothing, without an error."""
    other = tmp_path / "other.duckdb"
    kill_drivers(logged)  # its log stays
    for name in ("lake.duckdb", "lake.duckdb.wal"):
        shutil.copyfile(tmp_path / name, tmp_path / name.replace("lake", "other"))
    logged.run(f"ATTACH '{other}' AS o (READ_ONLY)", client=second_client)
    assert logged.value("SELECT w FROM o.t", client=second_client) == "logged"
    (tmp_path / "other.duckdb.wal").unlink()
    with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*is not in the file: it is open for reading") as caught:
        logged.run("SELECT w FROM o.t", client=second_client)
    assert "COPY" in caught.value.hint
    assert logged.value("SELECT w FROM o.t", client=second_client) == "logged"


def test_two_notebooks_are_told_that_rows_of_a_removed_sqlite_log_are_saved(sqlite_engine, second_client, tmp_path):
    make("sqlite", sqlite_engine.file)
    for client in (sqlite_engine.client, second_client):
        sqlite_engine.run("INSERT INTO t VALUES ('logged')", client=client)
    (tmp_path / "shop.sqlite-wal").unlink()
    for client in (sqlite_engine.client, second_client):
        with pytest.raises(errors.ConnectError, match=f"log of .* by another program.*{SAVED}"):
            sqlite_engine.run("SELECT w FROM t", client=client)
        sqlite_engine.run("INSERT INTO t VALUES ('next')", client=client)
    kill_drivers(sqlite_engine)
    assert written(sqlite_engine) == ["logged", "logged", "next", "next", "old"]


def test_the_log_of_an_attached_sqlite_file_is_written_at_the_transaction_s_end(sqlite_engine, tmp_path):
    other = tmp_path / "other"
    make("sqlite", other)
    sqlite_engine.run("CREATE TABLE t (w TEXT)")
    sqlite_engine.run(f"ATTACH '{other}' AS o")
    sqlite_engine.run("INSERT INTO o.t VALUES ('logged')")
    sqlite_engine.run("BEGIN")
    sqlite_engine.run("INSERT INTO t VALUES ('open')")
    (tmp_path / "other-wal").unlink()
    with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*is not in the file yet"):
        sqlite_engine.run("INSERT INTO o.t VALUES ('nowhere')")
    sqlite_engine.run("ROLLBACK")
    for sql in ("DETACH o", "SELECT w FROM t"):
        with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*{SAVED}") as caught:
            sqlite_engine.run(sql)
        assert "`DETACH o`" in caught.value.hint
    sqlite_engine.run("DETACH o")
    assert sqlite_engine.run("SELECT w FROM t").rows == 0
    sqlite_engine.run(f"ATTACH '{other}' AS o")
    sqlite_engine.run("INSERT INTO o.t VALUES ('next')")
    kill_drivers(sqlite_engine)
    assert written(sqlite_engine, other) == ["logged", "next", "old"]


@pytest.mark.parametrize("kind", [DuckDBSession, SQLiteSession])
def test_a_log_that_was_removed_while_a_result_is_read_is_told_after_it(kind, tmp_path):
    path, name = tmp_path / "shop", kind.dialect
    make(name, path)
    with closing(kind.connect(Settings(config={"path": str(path)}))) as session:

        def run(sql):
            return session.execute(split(sql, name)[0], {})

        run("INSERT INTO t VALUES ('logged')")
        result = run("SELECT w FROM t")
        next(iter(result.batches))
        (log,) = [*tmp_path.glob("*.wal"), *tmp_path.glob("*-wal")]
        log.unlink()
        with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*{SAVED}"):
            run("INSERT INTO t VALUES ('nowhere')")
        shutil.copyfile(path, tmp_path / "copy")
    with closing((duckdb if name == "duckdb" else sqlite3).connect(str(tmp_path / "copy"))) as copy:
        assert copy.execute("SELECT w FROM t").fetchall() == [("old",), ("logged",)]


def test_a_log_that_was_removed_while_sqlite_writes_is_told_after_it(tmp_path):
    make("sqlite", tmp_path / "shop")
    with closing(sqlite3.connect(tmp_path / "shop", isolation_level=None)) as connection:
        files = OpenedFiles(tmp_path / "shop")
        connection.execute("INSERT INTO t VALUES ('logged')")
        files.look(connection, "INSERT")
        (tmp_path / "shop-wal").unlink()
        files.look(connection, "INSERT")  # after a run in which that happened
        with pytest.raises(errors.ConnectError, match=f"{REMOVED}.*{SAVED}"):
            files.check(connection, "SELECT")


def test_a_log_that_another_program_removes_as_it_closes_the_file_is_none_of_ours(sqlite_engine, tmp_path):
    sqlite_engine.run("CREATE TABLE t (w TEXT)")
    with closing(sqlite3.connect(sqlite_engine.file)) as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("INSERT INTO t VALUES ('others')")
        other.commit()
        assert sqlite_engine.value("SELECT 42") == 42  # has not read the file since, nor opened the log
    assert not (tmp_path / "shop.sqlite-wal").exists()
    assert sqlite_engine.run("SELECT w FROM t").rows == 1


OTHER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as other:
    other.executemany("INSERT INTO t VALUES (?)", [(f"others {n} " + "x" * 500,) for n in range(300)])
other.close()
"""


@pytest.mark.parametrize("removed", [("-wal", "-shm"), ("-shm",)])
def test_what_another_program_committed_to_a_log_of_its_own_stays(sqlite_engine, tmp_path, removed):
    """SQLite, closing the file, would write the removed log into it and remove the others' log with all that is in it."""
    make("sqlite", sqlite_engine.file)
    sqlite_engine.run("INSERT INTO t VALUES ('logged')")
    for ending in removed:
        (tmp_path / f"shop.sqlite{ending}").unlink()
    subprocess.run([sys.executable, "-c", OTHER, str(sqlite_engine.file)], check=True)
    with pytest.raises(errors.ConnectError, match="by another program while this session had it open") as caught:
        sqlite_engine.run("INSERT INTO t VALUES ('nowhere')")
    assert ("could not be written" in caught.value.message) == ("-wal" in removed)
    sqlite_engine.run("INSERT INTO t VALUES ('next')")
    kill_drivers(sqlite_engine)
    found = written(sqlite_engine)
    assert len([word for word in found if word.startswith("others")]) == 300
    assert [word for word in found if not word.startswith("others")] == (
        ["next", "old"] if "-wal" in removed else ["logged", "next", "old"]
    )
