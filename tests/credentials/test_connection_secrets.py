"""Secrets of one connection are stored together, or none is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.service.connection_secrets import ConnectionSecrets
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.tiers.credentials import Stored


class Records(dict[str, ConnectionRecord]):
    def save(self, record: ConnectionRecord, replaces: str | None = None) -> ConnectionRecord:
        self[record.id] = record
        return record

    def remove(self, identity: str) -> None:
        del self[identity]

    def unfinished(self) -> list[ConnectionRecord]:
        return [record for record in self.values() if not record.live]


class Tiers:
    """A keyring that takes so many secrets and is locked then, with a vault behind it."""

    def __init__(self, takes: int) -> None:
        self.takes, self.held = takes, dict[str, str]()

    def store(self, ref: str, secret: str, tier: str | None) -> Stored:
        if self.takes == 0 and tier in ("keyring", "broken"):
            raise CredentialError("The keyring is locked.")
        chosen = tier or ("keyring" if self.takes else "vault")
        self.takes = max(0, self.takes - 1)
        self.held[ref] = chosen
        return Stored(chosen)

    def delete(self, ref: str) -> tuple[str, ...]:
        return (self.held.pop(ref),) if ref in self.held else ()


def store(takes: int, tier: str | None) -> tuple[Records, Tiers]:
    records, tiers = Records(), Tiers(takes)
    secrets = ConnectionSecrets(records, tiers, SimpleNamespace())  # type: ignore[arg-type]
    record = ConnectionRecord(name="pg", driver="postgresql")
    with pytest.raises(CredentialError, match="locked"):
        secrets.store(record, {"password": "one", "sslpassword": "two"}, tier, None)
    return records, tiers


@pytest.mark.parametrize("takes", [0, 1])
def test_a_second_secret_that_cannot_be_stored_takes_the_first_along(takes: int) -> None:
    records, tiers = store(takes, "keyring")
    assert (dict(records), tiers.held) == ({}, {})


def test_secrets_of_one_connection_are_in_one_tier() -> None:
    """The second one would go into the vault, where nobody looks for the first."""
    records, tiers = store(1, None)
    assert (dict(records), tiers.held) == ({}, {})


def test_what_a_crash_leaves_names_all_secrets_that_may_be_stored() -> None:
    records, tiers = Records(), Tiers(9)
    secrets = ConnectionSecrets(records, tiers, SimpleNamespace())  # type: ignore[arg-type]
    saved: list[ConnectionRecord] = []
    records.save = lambda record, replaces=None: saved.append(record) or record  # type: ignore[method-assign]
    secrets.store(ConnectionRecord(name="pg", driver="postgresql"), {"password": "1", "sslpassword": "2"}, None, None)
    assert saved[0].credential_state == "pending"
    records[saved[0].id] = saved[0]
    secrets.finish_unfinished()
    assert (dict(records), tiers.held) == ({}, {})
