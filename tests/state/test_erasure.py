"""What is deleted, or replaced, is in no file of the state folder: saved queries and what connections had."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tusk_jupyter.protocol.control import DeleteQuery, SaveQuery
from tusk_jupyter.state import journal
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.store import STATE_FILE, Store

Open = Callable[[], Store]
CANARY = "swordfish"
COMMAND = f"echo {CANARY}"


def files_with(home: Path, text: str) -> list[str]:
    return sorted(path.name for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes())


def save(store: Store, name: str, sql: str) -> None:
    store.queries.save(SaveQuery(name=name, sql=sql, replace=True))


def delete_query(store: Store) -> None:
    store.queries.delete(DeleteQuery(name="q"))


def replace_query(store: Store) -> None:
    save(store, "q", "SELECT 'kept'")


def remove_connection(store: Store) -> None:
    record = store.connections.get("shop")
    store.connections.save(replace(record, credential_state="deleting"))
    store.connections.remove(record.id)


def replace_command(store: Store) -> None:
    store.connections.save(replace(store.connections.get("shop"), password_command="echo other"))


def forget_command(store: Store) -> None:
    store.connections.save(replace(store.connections.get("shop"), password_command=None))


def take_its_place(store: Store) -> None:
    old = store.connections.get("shop")
    store.connections.save(ConnectionRecord(name="shop", driver="d"), replaces=old.id)
    store.connections.remove(old.id)


WAYS = (delete_query, replace_query, remove_connection, replace_command, forget_command, take_its_place)


def fill(store: Store, act: Callable[[Store], None]) -> None:
    save(store, "other", "SELECT 'kept'")
    store.connections.save(ConnectionRecord(name="kept", driver="d", password_command="echo kept"))
    if "query" in act.__name__:
        save(store, "q", f"SELECT '{CANARY}'")
    else:
        record = store.connections.save(ConnectionRecord(name="shop", driver="d", password_command=COMMAND))
        store.connections.touch(record.id)


@pytest.mark.parametrize("act", WAYS, ids=lambda one: one.__name__)
def test_it_is_in_no_file_and_all_else_is_as_it_was(open_store: Open, home: Path, act):  # S13
    with open_store() as store:
        fill(store, act)
    with open_store() as store:
        assert len(files_with(home, CANARY)) == 2
        act(store)
        assert files_with(home, CANARY) == []
        queries, connections = store.queries.list(), store.connections.list()
    (home / STATE_FILE).unlink()
    with open_store() as store:
        assert store.notices == ()
        assert (store.queries.list(), store.connections.list()) == (queries, connections)
        assert {one.name for one in connections} >= {"kept"}
        assert files_with(home, CANARY) == []


def test_a_kill_in_the_middle_is_finished_by_the_next_start(open_store: Open, home: Path):
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_erasure import delete_query, fill
from tusk_jupyter.state import database
from tusk_jupyter.state.store import Store
store = Store.open(Path(sys.argv[1]))
fill(store, delete_query)
database.Database.rebuild = lambda self: os.kill(os.getpid(), signal.SIGKILL)
delete_query(store)
"""
    killed = subprocess.run([sys.executable, "-c", script, str(home)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_store() as store:
        assert [one.name for one in store.queries.list()] == ["other"]
        store.log.finish_deletions()
        assert files_with(home, CANARY) == []


def test_a_record_that_held_two_connections_keeps_the_other_one(open_store: Open, home: Path):
    """The one that took a place, and the one whose place it took, are one record: either may be deleted first."""
    with open_store() as store:
        old = store.connections.save(ConnectionRecord(name="shop", driver="d", password_command=COMMAND))
        new = store.connections.save(
            ConnectionRecord(name="shop", driver="d", password_command="echo new"),
            replaces=old.id,
        )
        store.connections.remove(new.id)  # before the old one, whose keyring may be away
    (home / STATE_FILE).unlink()
    with open_store() as store:
        (left,) = store.connections.unfinished()
        assert (left.id, left.credential_state) == (old.id, "deleting")
        store.connections.remove(old.id)
        assert files_with(home, CANARY) == []
        assert store.notices == ()


def test_an_erasure_that_fails_is_told_and_done_later(open_store: Open, home: Path, monkeypatch):
    with open_store() as store:
        fill(store, remove_connection)
        with monkeypatch.context() as patch:
            patch.setattr(journal, "write_private", _no_room)
            remove_connection(store)
        assert store.connections.get("shop") is None
        assert "still in a file" in store.notices[0]
        store.log.finish_deletions()
        assert files_with(home, CANARY) == []


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")
