"""Deleting from the query log: the rows go, their text goes from every file, and nothing else does."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tusk_jupyter.errors import StorageError, UsageError
from tusk_jupyter.protocol.control import DeleteLog, ReadLog
from tusk_jupyter.state import statefile
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.database import Database
from tusk_jupyter.state.frame import Damage, Record
from tusk_jupyter.state.journal import Journal
from tusk_jupyter.state.query_log import QueryLog, RunEnd, RunStart
from tusk_jupyter.state.store import JOURNAL_FOLDER, STATE_FILE, Store

Open = Callable[[], Store]
SECRETIVE = "SELECT 'swordfish' FROM diary"


def begin(log: QueryLog, name: str, sql: str) -> None:
    log.started(
        RunStart(run=name, session="s", source="n.ipynb", connection="c", connection_id="i", driver="d", sql=sql)
    )


def run(store: Store, name: str, sql: str, *, error: str | None = None, end: bool = True) -> None:
    begin(store.log, name, sql)
    if end:
        store.log.ended(RunEnd(run=name, status="failed" if error else "completed", error=error))


def names(store: Store) -> list[str]:
    return [entry.run for entry in store.log.read(ReadLog(limit=1000)).entries]


def files_with(home: Path, text: str) -> list[str]:
    """Search every file of the state folder, as grep would."""
    return sorted(path.name for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes())


def test_a_deleted_runs_text_is_in_no_file_and_the_other_runs_are(open_store: Open, home: Path):
    with open_store() as store:
        run(store, "kept", "SELECT 'kept text'")
        run(store, "gone", SECRETIVE, error="no such table: swordfish")
        run(store, "later", "SELECT 'later text'")
    assert STATE_FILE in files_with(home, "swordfish")
    with open_store() as store:
        assert len(files_with(home, "swordfish")) == 2  # the journal's segment and the state file
        assert store.log.delete(DeleteLog(runs=("gone", "no such run"))) == 1
        assert files_with(home, "swordfish") == []
        assert names(store) == ["later", "kept"]
        assert store.log.count() == 2
    with open_store() as store:
        assert store.notices == ()
        assert all(check.ok for check in store.check())
        assert [one.sql for one in store.log.read(ReadLog()).entries] == ["SELECT 'later text'", "SELECT 'kept text'"]


def test_a_state_file_drawn_anew_from_the_journal_does_not_bring_deleted_runs_back(open_store: Open, home: Path):
    with open_store() as store:
        run(store, "kept", "SELECT 1")
        run(store, "gone", SECRETIVE)
        store.connections.save(ConnectionRecord(name="shop", driver="d"))
        store.log.delete(DeleteLog(runs=("gone",)))
        run(store, "later", "SELECT 2")
    (home / STATE_FILE).unlink()
    with open_store() as store:
        assert store.notices == ()
        assert names(store) == ["later", "kept"]
        assert [one.name for one in store.connections.list()] == ["shop"]


def test_clear_keeps_what_still_runs(store: Store):
    run(store, "done", SECRETIVE)
    run(store, "running", "SELECT 'slow'", end=False)
    run(store, "done too", SECRETIVE)
    assert store.log.delete(DeleteLog(everything=True)) == 2
    assert names(store) == ["running"]
    assert store.log.ended(RunEnd(run="running", status="completed"))
    assert store.log.read(ReadLog()).entries[0].status == "completed"


def test_old_runs_are_deleted_up_to_a_time_and_the_newest_are_kept_by_number(store: Store):
    for day in range(1, 10):
        store.log.started(
            RunStart(
                run=f"r{day}", session="s", source="n", connection="c", connection_id="i", driver="d", sql="x",
                started_at=f"2026-01-0{day}T00:00:00.000Z",
            )
        )  # fmt: skip
        store.log.ended(RunEnd(run=f"r{day}", status="completed"))
    assert store.log.delete(DeleteLog(until="2026-01-04")) == 3
    assert names(store) == ["r9", "r8", "r7", "r6", "r5", "r4"]
    assert store.log.keep_newest(10) == 0
    assert store.log.keep_newest(2) == 4
    assert names(store) == ["r9", "r8"]


def test_something_must_be_named(store: Store):
    with pytest.raises(UsageError, match="Name the runs"):
        store.log.delete(DeleteLog())


def test_runs_across_segments_go_and_damage_between_them_stays_as_it_was(home: Path):
    home.mkdir(mode=0o700)
    journal = Journal(home / JOURNAL_FOLDER, segment_bytes=2000)
    database = Database(home / STATE_FILE, journal)
    log = QueryLog(database, journal)
    begin(log, "long", SECRETIVE)
    for n in range(40):
        begin(log, f"r{n}", f"SELECT {n}")
        log.ended(RunEnd(run=f"r{n}", status="completed"))
    log.ended(RunEnd(run="long", status="failed", error="swordfish"))
    segments = journal.segments()
    assert len(segments) > 5
    with segments[2].open("rb+") as file:
        file.seek(200)
        file.write(b"?")
    before = list(journal.read())
    assert log.delete(DeleteLog(runs=("long",))) == 1
    after = list(journal.read())
    assert [one for one in after if isinstance(one, Damage)] == [one for one in before if isinstance(one, Damage)] != []
    kept = [one for one in before if isinstance(one, Record) and b"swordfish" not in one.raw]
    assert len([one for one in before if isinstance(one, Record)]) - len(kept) == 2
    assert set(kept) < set(after)
    assert files_with(home, "swordfish") == []
    database.close()
    journal.close()


def test_a_full_disk_is_told_and_finished_later(open_store: Open, home: Path, monkeypatch):
    with open_store() as store:
        run(store, "gone", SECRETIVE)
        run(store, "kept", "SELECT 1")
    with open_store() as store:
        with monkeypatch.context() as patch:
            patch.setattr(statefile, "_open_and_migrate", _no_room)
            with pytest.raises(StorageError, match="could not be rewritten"):
                store.log.delete(DeleteLog(runs=("gone",)))
        assert names(store) == ["kept"]
        assert files_with(home, "swordfish") == [STATE_FILE]
        store.log.finish_deletions()
        assert files_with(home, "swordfish") == []


def _no_room(path: Path) -> None:
    raise OSError(28, "No space left on device")


KILLED = """
import os, signal, sys
from pathlib import Path
from tusk_jupyter.protocol.control import DeleteLog
from tusk_jupyter.state import database, journal, statefile
from tusk_jupyter.state.store import Store

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

owner, name = {
    "before the journal": (journal.Journal, "close_segment"),
    "in a segment": (journal, "write_private"),
    "before the state file": (database.Database, "rebuild"),
    "before the new file is the one": (statefile, "_sync"),
    "after the files": (journal.Journal, "append"),
}[sys.argv[2]]
store = Store.open(Path(sys.argv[1]))
if sys.argv[2] == "after the files":
    real, calls = journal.Journal.append, []
    def die(self, kind, *more, **words):
        if kind == "log.scrubbed":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, kind, *more, **words)
setattr(owner, name, die)
store.log.delete(DeleteLog(runs=("gone",)))
"""


@pytest.mark.parametrize(
    "when",
    [
        "before the journal",
        "in a segment",
        "before the state file",
        "before the new file is the one",
        "after the files",
    ],
)
def test_a_kill_in_the_middle_loses_nothing_else_and_the_next_start_finishes_it(
    open_store: Open, home: Path, when: str
):
    with open_store() as store:
        run(store, "kept", "SELECT 'kept text'")
        run(store, "gone", SECRETIVE, error="swordfish")
        run(store, "later", "SELECT 'later text'")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(home), when], check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_store() as store:
        assert store.notices == ()
        assert names(store) == ["later", "kept"]
        store.log.finish_deletions()
        assert files_with(home, "swordfish") == []
        assert [one.sql for one in store.log.read(ReadLog()).entries] == ["SELECT 'later text'", "SELECT 'kept text'"]
        assert all(check.ok for check in store.check())
    (home / STATE_FILE).unlink()
    with open_store() as store:
        assert (store.notices, names(store)) == ((), ["later", "kept"])


def test_a_run_that_starts_during_a_deletion_is_counted_once(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Between its record's being on the disk and its being counted, that is."""
    run(store, "old", SECRETIVE)
    on_disk, go_on, append = threading.Event(), threading.Event(), Journal.append

    def slow(journal: Journal, kind: str, body: dict, **more: float) -> int:
        seq = append(journal, kind, body, **more)
        if kind == "run.start":
            on_disk.set()
            assert go_on.wait(30)
        return seq

    monkeypatch.setattr(Journal, "append", slow)
    thread = threading.Thread(target=run, args=(store, "new", "SELECT 1"))
    thread.start()
    assert on_disk.wait(30)
    assert store.log.delete(DeleteLog(runs=("old",))) == 1
    go_on.set()
    thread.join()
    assert [entry.run for entry in store.log.read(ReadLog()).entries] == ["new"]
    assert store.log.count() == 1


def test_a_deletion_meanwhile_costs_no_run_its_row(store: Store):
    """Runs are logged while segments are rewritten and the state file is replaced."""
    for n in range(300):
        run(store, f"old{n}", SECRETIVE)
    stop = threading.Event()
    written: list[str] = []

    def work() -> None:
        n = 0
        while not stop.is_set():
            run(store, f"new{n}", "SELECT 1")
            written.append(f"new{n}")
            n += 1

    threads = [threading.Thread(target=work)]
    threads[0].start()
    for n in range(0, 300, 100):
        assert store.log.delete(DeleteLog(runs=tuple(f"old{n + k}" for k in range(100)))) == 100
    stop.set()
    threads[0].join()
    found = [entry.run for entry in store.log.read(ReadLog(limit=100_000)).entries]
    assert sorted(found) == sorted(written)
    assert store.log.count() == len(written)
