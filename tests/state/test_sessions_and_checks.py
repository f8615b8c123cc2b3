"""Client sessions, and what the doctor finds."""

# NL-10, TK-25, R-16

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tusk_jupyter.service import doctor
from tusk_jupyter.state import examination
from tusk_jupyter.state.store import Store

Open = Callable[[], Store]


def test_a_session_is_open_until_it_ends_and_ends_once(open_store: Open):
    with open_store() as store:
        store.sessions.started("a", source="n.ipynb", pid=11)
        store.sessions.started("b", source="cli", pid=12)
        assert store.sessions.ended("a")
        assert not store.sessions.ended("a")
    with open_store() as store:
        assert store.sessions.close_open() == 1
        assert store.sessions.close_open() == 0
        sessions = {one.id: one for one in store.sessions.read()}
        assert (sessions["a"].source, sessions["a"].pid) == ("n.ipynb", 11)
        assert all(one.ended_at is not None and one.ended_at >= one.started_at for one in sessions.values())


def test_a_session_that_attaches_again_is_open_again(store: Store):
    for _ in range(2):
        store.sessions.started("a", source="n.ipynb", pid=11)
        store._database.catch_up()
        assert store.sessions.ended("a")
        store._database.catch_up()
    store.sessions.started("a", source="n.ipynb", pid=11)
    assert [(one.id, one.ended_at) for one in store.sessions.read()] == [("a", None)]


def test_a_sound_store_passes_every_check(store: Store):
    store.preferences.set("timeout_s", "1")
    checks = store.check()
    assert [check.name for check in checks] == ["state folder", "state file", "journal", "state in step", "disk space"]
    assert all(check.ok for check in checks)


def test_others_rights_are_found(store: Store, home: Path):
    (home / "state.duckdb").chmod(0o640)
    (check,) = [check for check in store.check() if not check.ok]
    assert check.name == "state folder"
    assert "state.duckdb" in check.message
    assert check.hint is not None


def test_too_little_room_is_found(store: Store, monkeypatch):
    monkeypatch.setattr(examination, "LEAST_FREE_BYTES", 1 << 60)
    assert [check.name for check in store.check() if not check.ok] == ["disk space"]


@pytest.mark.parametrize(("vault", "faults"), [(True, []), (False, ["keyring", "vault", ""])])
def test_a_missing_keyring_is_no_fault_where_the_vault_keeps_secrets(vault: bool, faults: list[str]):
    usable = {"keyring": False, "vault": vault, "memory": True}
    tiers = [SimpleNamespace(name=name, usable=is_usable, reason="") for name, is_usable in usable.items()]
    credentials: Any = SimpleNamespace(tiers=lambda: tiers)
    found = [check.name for check in doctor._tiers(credentials) if not check.ok]
    assert found == [f"credentials: {name}" if name else "credentials" for name in faults]
