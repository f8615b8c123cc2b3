"""The state file: a projection of the journal that can be thrown away, never trusted when damaged."""

# QB-03, QB-08, QB-09, TK-25, TK-26, TK-29, R-04, R-05, R-09, R-34, B-5, C-37

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tusk_jupyter.errors import StorageError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import database, migrations, statefile
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.frame import Record
from tusk_jupyter.state.migrations import Migration
from tusk_jupyter.state.query_log import RunEnd, RunStart
from tusk_jupyter.state.store import Store

Open = Callable[[], Store]


def a_run(n: int) -> RunStart:
    return RunStart(
        run=f"run-{n}",
        session="s",
        source="n.ipynb",
        connection="c",
        connection_id="i",
        driver="d",
        sql=f"select {n} -- ✓",
    )


def some_state(store: Store, runs: int = 40) -> None:
    """Do a bit of everything."""
    for n in range(runs):
        store.log.started(a_run(n))
        if n % 4:
            store.log.ended(
                RunEnd(run=f"run-{n}", status="failed" if n % 5 == 0 else "completed", rows=n, elapsed_ms=n / 7)
            )
    first = store.connections.save(ConnectionRecord(name="Shop", driver="mysql", config={"host": "db", "port": 3306}))
    second = store.connections.save(ConnectionRecord(name="old", driver="sqlite", config={"path": "/x"}))
    store.connections.save(ConnectionRecord(name="waits", driver="sqlite", credential_state="pending"))
    store.connections.touch(first.id)
    store.connections.remove(second.id)
    store.preferences.set("timeout_s", "12")
    store.preferences.set("session_wait_s", "7")
    store.preferences.set("session_wait_s", None)
    store.sessions.started("s", source="n.ipynb", pid=1)
    store.sessions.started("t", source="m.ipynb", pid=2)
    store.sessions.ended("s")


def everything(store: Store) -> tuple:
    return (
        store.log.read(control.ReadLog(limit=100_000)),
        store.log.count(),
        store.connections.list(),
        store.connections.unfinished(),
        store.preferences.list(),
        store.sessions.read(),
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_all_of_it_is_there_after_reopening(open_store: Open):
    with open_store() as store:
        some_state(store)
        before = everything(store)
    with open_store() as store:
        assert everything(store) == before
        assert store.notices == ()


def test_a_read_sees_every_change_that_was_acknowledged_before_it(store: Store):
    for n in range(30):
        store.log.started(a_run(n))
        assert store.log.read(control.ReadLog(limit=1)).entries[0].run == f"run-{n}"


@pytest.mark.parametrize("how", ["deleted", "garbage", "cut", "empty", "half migrated"])
def test_a_lost_or_damaged_state_file_is_drawn_anew_from_the_journal(open_store: Open, home: Path, how: str):
    with open_store() as store:
        some_state(store)
        before = everything(store)
    path = home / "state.duckdb"
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
    elif how == "half migrated":
        with duckdb.connect(str(path)) as con:
            con.execute("DROP TABLE query_log; ALTER TABLE projection RENAME TO projections")
    else:
        path.write_bytes({"garbage": b"x" * 40_000, "cut": content[: len(content) // 2], "empty": b""}[how])
    with open_store() as store:
        assert everything(store) == before
        aside = list(home.glob("state.duckdb.damaged-*"))
        if how == "deleted":
            assert not aside
        else:
            assert len(aside) == 1
            assert aside[0].name in store.notices[0]
            assert "rebuilt from" in store.notices[0]
    with open_store() as store:
        assert everything(store) == before
        assert store.notices == ()


@pytest.mark.parametrize("flips", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_flipped_bits_of_the_state_file_never_come_out_as_other_values(open_store: Open, home: Path, flips: int):
    with open_store() as store:
        some_state(store, runs=400)
        before = everything(store)
    path = home / "state.duckdb"
    whole, chance = path.read_bytes(), random.Random(3)
    for _ in range(flips):
        flipped = bytearray(whole)
        flipped[chance.randrange(4096 * 3, len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        with open_store() as store:
            assert everything(store) == before
            assert all(check.ok for check in store.check())
        path.unlink()
        for aside in home.glob("state.duckdb.damaged-*"):
            aside.unlink()


def test_a_truncated_write_ahead_log_is_made_good_from_the_journal(open_store: Open, home: Path):
    # DuckDB opens such a file short and says nothing
    script = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from tusk_jupyter.state.store import Store; from tusk_jupyter.state.query_log import RunStart\n"
        "store = Store.open(Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    store.log.started(RunStart(run=str(n), session='s', source='x', connection='c', connection_id='i',"
        " driver='d', sql='q'))\n"
        "    store._database.catch_up()\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(home), "."], check=False)
    wal = home / "state.duckdb.wal"
    whole, file = wal.read_bytes(), (home / "state.duckdb").read_bytes()
    for offset in random.Random(4).sample(range(len(whole)), 20):
        (home / "state.duckdb").write_bytes(file)
        wal.write_bytes(whole[:offset])
        with open_store() as store:
            assert [entry.run for entry in store.log.read(control.ReadLog(limit=50)).entries] == [
                str(n) for n in reversed(range(20))
            ]


def test_a_file_that_breaks_while_it_is_open_is_drawn_anew(open_store: Open, home: Path):
    store = open_store()
    some_state(store)
    before = everything(store)
    error = duckdb.FatalException("checksum of a block does not fit")
    (home / "state.duckdb").write_bytes(b"x" * 40_000)
    store._database._mend(error)
    assert everything(store) == before
    assert "rebuilt from" in store.notices[0]
    store.log.started(a_run(1000))
    assert store.log.read(control.ReadLog(limit=1)).entries[0].run == "run-1000"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to the file at its later openings, in turn: sound | damaged | refused. Few records lie between them."""
    plan: list[str] = []
    really = statefile.open_file

    def open_file(path: Path) -> tuple[duckdb.DuckDBPyConnection, str | None]:
        what = plan.pop(0) if plan else "sound"
        if what == "damaged":
            path.write_bytes(b"x" * 40_000)
        if what == "refused":
            raise StorageError("there is no room")
        return really(path)

    monkeypatch.setattr(statefile, "open_file", open_file)
    monkeypatch.setattr(database, "OPEN_ANEW_AFTER", 30)
    return plan


@pytest.mark.parametrize("what", ["sound", "damaged", "refused"])
def test_a_file_that_is_opened_anew_between_two_batches_loses_nothing(open_store: Open, opened: list[str], what: str):
    store = open_store()
    before = store._database._con
    opened.append(what)
    for n in range(100):
        store.log.started(a_run(n))
        if n % 10 == 0:
            store.log.count()
            store.log.read(control.ReadLog(limit=1))
    assert [entry.run for entry in store.log.read(control.ReadLog(limit=1000)).entries] == [
        f"run-{n}" for n in reversed(range(100))
    ]
    assert store._database._con is not before, "it was opened anew"
    assert opened == []
    assert [("rebuilt from" in notice) for notice in store.notices] == ([True] if what == "damaged" else [])


@pytest.mark.parametrize("what", ["sound", "damaged"])
def test_a_run_that_begins_while_the_file_is_opened_anew_is_in_the_log(
    open_store: Open, opened: list[str], monkeypatch: pytest.MonkeyPatch, what: str
):
    store = open_store()
    really, begun = database.Database._sound, []

    def sound(self: database.Database, after: int) -> Iterator[Record]:
        """Read the journal, at whose end another thread writes meanwhile."""
        yield from really(self, after)
        begun.append(f"run-{1000 + len(begun)}")
        store.log.started(a_run(999 + len(begun)))

    monkeypatch.setattr(database.Database, "_sound", sound)
    opened.append(what)
    for n in range(40):
        store.log.started(a_run(n))
    store._database.catch_up()
    runs = {entry.run for entry in store.log.read(control.ReadLog(limit=1000)).entries}
    assert runs == {*(f"run-{n}" for n in range(40)), *begun}
    assert bool(begun) == (what == "damaged"), "the journal of a sound file is not read again"
    assert opened == [], "the file was opened again"


def test_records_that_wait_while_the_file_is_drawn_anew_are_applied_once(
    open_store: Open, home: Path, monkeypatch: pytest.MonkeyPatch
):
    store = open_store()
    some_state(store)
    store._database.catch_up()
    monkeypatch.setattr(database, "LINGER_S", 60)  # what comes now waits for the next read
    for n in range(100, 110):
        store.log.started(a_run(n))
    (home / "state.duckdb").write_bytes(b"x" * 40_000)
    store._database._mend(duckdb.FatalException("checksum of a block does not fit"))
    store.log.started(a_run(110))
    runs = [entry.run for entry in store.log.read(control.ReadLog(limit=1000)).entries]
    assert runs == [f"run-{n}" for n in [*reversed(range(100, 111)), *reversed(range(40))]]


def test_damage_in_the_journal_is_told_and_the_rest_is_kept(open_store: Open, home: Path):
    with open_store() as store:
        some_state(store)
        before = everything(store)
    (segment,) = (home / "journal").glob("*.journal")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 4
    segment.write_bytes(content)
    with open_store() as store:  # the state file has all of it
        assert everything(store) == before
        assert [check.name for check in store.check() if not check.ok] == ["journal"]
    (home / "state.duckdb").unlink()
    with open_store() as store:  # drawn anew, one record is missing
        assert any("journal is damaged" in notice for notice in store.notices)
        assert store.log.count() in (39, 40)


def test_a_journal_cut_off_from_outside_is_told_and_no_number_is_given_twice(open_store: Open, home: Path):
    with open_store() as store:
        some_state(store)
        count, last = store.log.count(), store._journal.last_seq
    (segment,) = (home / "journal").glob("*.journal")
    segment.write_bytes(segment.read_bytes()[:3000])
    with open_store() as store:
        assert "cut off from outside" in store.notices[0]
        assert store.log.started(a_run(500)) == last + 1
        assert store.log.read(control.ReadLog(limit=1)).entries[0].run == "run-500"
        assert store.log.count() == count + 1
    with open_store() as store:
        assert store.log.count() == count + 1


@pytest.mark.parametrize("left", [None, 0, 10])
def test_a_journal_without_its_start_is_told_though_the_state_file_had_none_of_it(
    open_store: Open, home: Path, left: int | None
):
    open_store().close()
    (segment,) = (home / "journal").glob("*.journal")
    if left is None:
        segment.unlink()
    else:
        segment.write_bytes(segment.read_bytes()[:left])
    with open_store() as store:
        assert ["was cut off from outside: the start" in one for one in store.notices] == [True]
        store.log.started(a_run(1))
    with open_store() as store:
        assert (store.notices, store.log.count()) == ((), 1)


def test_records_that_are_gone_from_the_journals_end_hold_up_no_reader(open_store: Open, home: Path):
    path = home / "journal" / "00000000000000000007.journal"
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    with open_store() as store:
        assert any("records 1 to 6 are missing" in one for one in store.notices)
        assert store.log.started(a_run(1)) == 7
        assert store.log.count() == 1


def test_a_record_that_fits_no_table_holds_up_none_that_follow(open_store: Open):
    with open_store() as store:
        for n in range(5):
            store.log.started(a_run(n))
        store.log.started(RunStart(**{**dataclasses.asdict(a_run(5)), "started_at": "soon"}))
        for n in range(6, 9):
            store.log.started(a_run(n))
        runs = [entry.run for entry in store.log.read(control.ReadLog()).entries]
        assert runs == [f"run-{n}" for n in (8, 7, 6, 4, 3, 2, 1, 0)]
        assert "Record 6 of the journal fits no table" in store.notices[0]
    with open_store() as store:
        assert [entry.run for entry in store.log.read(control.ReadLog()).entries] == runs


# --- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crashed", [False, True], ids=["closed", "with a write-ahead log"])
def test_a_newer_state_file_is_refused_and_left_untouched(open_store: Open, home: Path, crashed: bool):
    with open_store() as store:
        some_state(store)
    newer = (
        "import duckdb, os, sys\n"
        "con = duckdb.connect(sys.argv[1])\n"
        "con.execute(\"INSERT INTO schema_migration VALUES (9999, 'later', 'x', TIMESTAMP '2030-01-01')\")\n"
    )
    subprocess.run(
        [sys.executable, "-c", newer + ("os._exit(9)" if crashed else "con.close()"), str(home / "state.duckdb")],
        check=False,
    )
    files = [path for path in home.iterdir() if path.name.startswith("state.duckdb")]
    assert len(files) == 1 + crashed
    before = {path: sha256(path) for path in files}
    with pytest.raises(StorageError, match=r"written by a newer version.*version 9999"):
        open_store()
    assert {path: sha256(path) for path in home.iterdir() if path.name.startswith("state.duckdb")} == before


def test_a_file_of_a_newer_duckdb_is_refused_and_left_untouched(open_store: Open, home: Path):
    with open_store() as store:
        some_state(store)
    path = home / "state.duckdb"
    content = bytearray(path.read_bytes())
    content[12:20] = (4000).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(StorageError, match="DuckDB storage version is newer"):
        open_store()
    assert path.read_bytes() == content
    assert not list(home.glob("*.damaged-*"))


def test_a_journal_with_records_of_a_newer_version_is_refused(open_store: Open):
    with open_store() as store:
        store._journal.on_durable(None)
        store._journal.append("teleport.start", {})
    with pytest.raises(StorageError, match=r"'teleport\.start', which this version of tusk does not know"):
        open_store()


def test_a_migration_with_another_text_than_the_one_that_was_run_is_an_error_naming_it(open_store: Open, home: Path):
    open_store().close()
    path = home / "state.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE schema_migration SET checksum = 'another' WHERE version = 1")
    with pytest.raises(StorageError, match="Migration 0001_first_tables of the state file was run with another text"):
        open_store()


def test_later_migrations_are_run_on_an_older_file_once(open_store: Open, home: Path, monkeypatch: pytest.MonkeyPatch):
    with open_store() as store:
        some_state(store)
        before = everything(store)
    known = migrations.known()
    later = [*known, Migration(known[-1].version + 1, "later", "ALTER TABLE query_log ADD COLUMN note VARCHAR")]
    monkeypatch.setattr(migrations, "known", lambda: later)
    for _ in range(2):
        with open_store() as store:
            assert everything(store) == before
            assert store._database.read("SELECT count(note) FROM query_log") == [(0,)]
            assert store._database.read("SELECT count(*) FROM schema_migration") == [(len(later),)]


def test_migrations_are_numbered_without_a_gap():
    assert [one.version for one in migrations.known()] == list(range(1, len(migrations.known()) + 1))


# --- the file and the process ----------------------------------------------------------------------------------------


def test_a_second_process_is_refused_and_changes_nothing(open_store: Open, home: Path):
    open_store()
    script = (
        "import sys; from pathlib import Path; from tusk_jupyter.state.store import Store\n"
        "Store.open(Path(sys.argv[1]))"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=False)
    assert "in use by another process" in ended.stderr
    assert not list(home.glob("*.damaged-*"))


def test_a_state_folder_that_is_none_is_an_error_that_names_it(home: Path, open_store: Open):
    home.write_text("mine")
    with pytest.raises(StorageError, match=r"The state folder .*home cannot be used: File exists"):
        open_store()
    assert home.read_text() == "mine"


def test_a_file_that_another_program_holds_is_not_taken_for_damaged(open_store: Open, home: Path):
    open_store().close()
    script = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home / "state.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match="could not be opened"):
            open_store()
        other.communicate()
    assert not list(home.glob("*.damaged-*"))
    assert open_store().notices == ()


def test_files_are_private_whatever_the_umask(open_store: Open, home: Path):
    os.umask(0)
    store = open_store()
    some_state(store)
    store.log.read(control.ReadLog())
    modes = {
        str(path.relative_to(home)): stat.S_IMODE(path.stat().st_mode) for path in home.rglob("*") if path.is_file()
    }
    assert {"state.duckdb", "state.duckdb.wal"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home, home / "journal")} == {0o700}


FULL = """
import resource, sys
from pathlib import Path
from tusk_jupyter.errors import StorageError
from tusk_jupyter.protocol.control import ReadLog
from tusk_jupyter.state.query_log import RunStart
from tusk_jupyter.state.store import Store

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

home = Path(sys.argv[1])
store = Store.open(home)
limit((home / "state.duckdb.wal").stat().st_size + 20_000 if (home / "state.duckdb.wal").exists() else 20_000)
said = []
for n in range(400):
    try:
        store.log.started(RunStart(
            run=str(n), session="s", source="x", connection="c", connection_id="i", driver="d", sql="q" * 50
        ))
        said.append(str(n))
    except StorageError:
        break
    if n % 10 == 0:
        try:
            store.log.read(ReadLog())
        except StorageError as exc:
            assert "nothing is lost" in str(exc).lower() or "could not be" in str(exc), exc
assert n < 399, "the disk was never full"
limit(resource.RLIM_INFINITY)
entries = store.log.read(ReadLog(limit=1000)).entries
assert [one.run for one in reversed(entries)] == said, (len(entries), len(said))
store.log.started(RunStart(
    run="after", session="s", source="x", connection="c", connection_id="i", driver="d", sql="q"
))
assert store.log.read(ReadLog()).entries[0].run == "after"
assert not list(home.glob("*.damaged-*")), store.notices
store.close()
print(len(said))
"""


def test_a_full_disk_costs_nothing_that_was_acknowledged_and_heals_by_itself(home: Path, open_store: Open):
    ended = subprocess.run([sys.executable, "-c", FULL, str(home)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert open_store().log.count() == int(ended.stdout) + 1


def test_duckdb_here_neither_loads_nor_installs_extensions(store: Store):
    settings = dict(
        store._database.read(
            "SELECT name, value FROM duckdb_settings() WHERE name IN"
            " ('autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions', 'threads')"
        )
    )
    assert settings == {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "threads": "1",
    }


def test_opening_and_using_the_store_imports_neither_pandas_nor_numpy(home: Path):
    script = (
        "import sys; from pathlib import Path; from tusk_jupyter.state.store import Store\n"
        "from tusk_jupyter.protocol.control import ReadLog\n"
        "with Store.open(Path(sys.argv[1])) as store:\n"
        "    store.sessions.started('s', source='x', pid=1); store.sessions.read(); store.log.read(ReadLog())\n"
        "print([name for name in ('pandas', 'numpy', 'IPython') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_tables_have_no_secret_no_blob_no_foreign_key_and_no_secondary_index(store: Store):
    columns = store._database.read("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
    assert {table for table, _, _ in columns} == set(statefile.TABLES)
    assert not [
        name for _, name, _ in columns if any(word in name for word in ("secret", "token", "passphrase", "cipher"))
    ]
    assert [name for _, name, _ in columns if "password" in name] == [
        "password_command"
    ]  # how to get it, not what it is
    assert not [name for _, name, kind in columns if kind in ("BLOB", "TIMESTAMP WITH TIME ZONE")]
    assert store._database.read("SELECT count(*) FROM duckdb_indexes()") == [(0,)]
    assert store._database.read("SELECT count(*) FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'") == [
        (0,)
    ]
