"""Connections: unique names, crash-safe storing and deleting, answers from memory."""

# QB-04, QB-05, QB-10, QB-18, QB-20, QB-22, TK-02, TK-03, NL-09, C-04, XL-16

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tusk_jupyter.errors import StorageError, UsageError
from tusk_jupyter.state import connections
from tusk_jupyter.state.connections import ConnectionRecord, fingerprint
from tusk_jupyter.state.journal import Journal
from tusk_jupyter.state.store import Store

Open = Callable[[], Store]


def shop(**changes: object) -> ConnectionRecord:
    return ConnectionRecord(**{"name": "Shop", "driver": "mysql", "config": {"host": "db", "user": "ann"}, **changes})


def test_every_field_survives(open_store: Open):
    record = shop(
        credential_ref="conn:1:password",
        credential_tier="vault",
        credential_state="stored",
        password_command="pass show x",
        read_only=True,
        environment="production",
        timeout_s=1.5,
        memory_limit_mb=512,
        isolation="statement",
        log=False,
    )
    with open_store() as store:
        saved = store.connections.save(record)
        store.connections.touch(saved.id)
        used = store.connections.get("Shop")
    with open_store() as store:
        assert store.connections.get("Shop") == used
    assert used is not None
    assert used.last_used_at is not None
    for field in dataclasses.fields(record):
        if field.name not in ("fingerprint", "created_at", "updated_at", "last_used_at"):
            assert getattr(used, field.name) == getattr(record, field.name)
    assert used.created_at.endswith("Z")


def test_each_use_is_noted_to_the_second(store: Store, monkeypatch: pytest.MonkeyPatch):
    saved = store.connections.save(shop())
    now = [1000.0]
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(connections, "clock", SimpleNamespace(now=lambda: f"{now[0]}Z"))
    seen = []
    for later in (0.0, 0.5, 0.6):
        now[0] += later
        store.connections.touch(saved.id)
        seen.append(store.connections.get_by_id(saved.id))
    assert [one.last_used_at for one in seen] == ["1000.0Z", "1000.0Z", "1001.1Z"]


def test_a_name_is_found_in_any_case_and_belongs_to_one_connection(store: Store):
    saved = store.connections.save(shop())
    assert store.connections.get("sHOP") == saved
    assert store.connections.get("other") is None
    with pytest.raises(UsageError, match="There is a connection 'Shop' already"):
        store.connections.save(shop(name="SHOP"))
    assert store.connections.save(dataclasses.replace(saved, name="SHOP")).id == saved.id


@pytest.mark.parametrize("name", ["", "  "])
def test_a_connection_without_a_name_is_refused(store: Store, name: str):
    with pytest.raises(UsageError, match="needs a name"):
        store.connections.save(shop(name=name))


def test_they_are_listed_by_name(store: Store):
    for name in ("b", "C", "a"):
        store.connections.save(shop(name=name))
    assert [one.name for one in store.connections.list()] == ["a", "b", "C"]


def test_changing_one_keeps_its_birth_and_renews_its_change(store: Store):
    first = store.connections.save(shop())
    second = store.connections.save(dataclasses.replace(first, timeout_s=3.0))
    assert second.created_at == first.created_at
    assert second.updated_at >= first.updated_at
    assert store.connections.list() == (second,)


@pytest.mark.parametrize("state", ["pending", "deleting"])
def test_one_on_its_way_in_or_out_is_seen_by_the_sweeper_only(open_store: Open, state: str):
    with open_store() as store:
        saved = store.connections.save(shop(credential_state=state))
    with open_store() as store:
        assert store.connections.list() == ()
        assert store.connections.get("Shop") is None
        assert store.connections.get_by_id(saved.id) == saved
        assert store.connections.unfinished() == (saved,)
        store.connections.save(shop())  # the name is free
        assert store.connections.remove(saved.id)
    with open_store() as store:
        assert store.connections.unfinished() == ()


def test_replacing_one_leaves_the_old_secrets_to_be_cleared_away(open_store: Open):
    with open_store() as store:
        old = store.connections.save(shop(credential_state="stored", credential_ref="conn:old:password"))
        intent = store.connections.save(shop(credential_state="pending"))
        assert store.connections.get("Shop") == old
        new = store.connections.save(dataclasses.replace(intent, credential_state="stored"), replaces=old.id)
    with open_store() as store:
        assert store.connections.get("shop") == new
        assert [(one.id, one.credential_state, one.credential_ref) for one in store.connections.unfinished()] == [
            (old.id, "deleting", "conn:old:password")
        ]


def test_removing_what_is_not_there_says_so(store: Store):
    assert not store.connections.remove("00000000-0000-0000-0000-000000000000")


def test_what_cannot_be_written_is_not_changed(store: Store, monkeypatch: pytest.MonkeyPatch):
    saved = store.connections.save(shop())

    def refuse(self: Journal, kind: str, body: dict) -> int:
        raise StorageError("disk full")

    monkeypatch.setattr(Journal, "append", refuse)
    for change in (
        lambda: store.connections.save(shop(name="new")),
        lambda: store.connections.save(dataclasses.replace(saved, timeout_s=1.0)),
        lambda: store.connections.remove(saved.id),
    ):
        with pytest.raises(StorageError):
            change()
    assert store.connections.list() == (saved,)


def test_a_lookup_touches_no_disk(store: Store, monkeypatch: pytest.MonkeyPatch):
    saved = store.connections.save(shop())
    store._database.close()
    assert store.connections.get("Shop") == store.connections.get_by_id(saved.id) == saved


def test_fingerprints_are_of_what_is_meant_not_of_how_it_is_written():
    base = fingerprint("postgresql", {"host": "DB", "database": "d", "user": "u"}, default_port=5432)
    assert base == fingerprint(
        "postgresql", {"host": "db", "port": 5432, "database": "d", "user": "u", "sslmode": "require"}
    )
    others = [
        ("postgresql", {"host": "db", "database": "d", "user": "admin"}),
        ("mysql", {"host": "db", "port": 5432, "database": "d", "user": "u"}),
        ("postgresql", {"host": "db", "port": 5433, "database": "d", "user": "u"}),
    ]
    assert len({base, *(fingerprint(driver, config) for driver, config in others)}) == 4
    # XL-16: with the parts run together these two were one
    assert fingerprint("p", {"host": "db1", "port": 5432}) != fingerprint("p", {"host": "db", "port": 15432})


def test_the_journal_and_the_files_hold_the_config_but_no_field_for_a_secret(home: Path, open_store: Open):
    with open_store() as store:
        store.connections.save(shop())
    assert {field.name for field in dataclasses.fields(ConnectionRecord) if "password" in field.name} == {
        "password_command"
    }
    assert b'"config":"{\\"host\\": \\"db\\"' in b"".join(
        path.read_bytes() for path in (home / "journal").glob("*.journal")
    )
