"""The secrets of connections: changed together with their rows, in an order that survives a crash in between.

Adding: the row as `pending`, then the secret, then the row as `stored` (QB-18). Removing: the row as `deleting`, every copy
of the secret, then the row (QB-20). What a crash leaves half done is finished at the next start.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.scenarios import hint_about
from tusk_jupyter.service.connection_records import named, real_tier, ref_of, refs_of
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.connections import Connections as Records
from tusk_jupyter.tiers.credentials import Credentials, Stored
from tusk_jupyter.tiers.memory import MemoryTier

P = ParamSpec("P")
R = TypeVar("R")


def _one_at_a_time(
    method: Callable[Concatenate[ConnectionSecrets, P], R],
) -> Callable[Concatenate[ConnectionSecrets, P], R]:
    """Let rows and secrets be changed together by one caller at a time."""

    @functools.wraps(method)
    def exclusive(self: ConnectionSecrets, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.changing:
            return method(self, *args, **kwargs)

    return exclusive


@dataclass(slots=True)
class ConnectionSecrets:
    """What is done with the secrets of connections; rows are the store's, the secrets themselves the tiers'."""

    records: Records
    credentials: Credentials
    catalog: Catalog
    changing: threading.RLock = field(default_factory=threading.RLock)

    # --- reading ---

    def of(self, record: ConnectionRecord) -> dict[str, str]:
        """Return a connection's secrets, by field.

        Raises:
            CredentialError: one cannot be read.
        """
        if record.password_command:
            return {"password": self.credentials.run_password_command(record.password_command)}
        return self.stored(record)

    def stored(self, record: ConnectionRecord, kinds: Collection[str] | None = None) -> dict[str, str]:
        """Return those that the tiers hold, or those of certain fields; raises as `of`."""
        tier, refs = record.credential_tier, refs_of(record)
        try:
            return {kind: self.credentials.get(refs[kind], tier) for kind in (kinds or refs) if tier}
        except errors.CredentialError as exc:
            exc.hint = hint_about(exc.hint, record.name)
            raise

    def beside(self, record: ConnectionRecord, given: Collection[str]) -> dict[str, str]:
        """Return the stored ones to which those fields are given anew; one of these need not be readable any more.

        Raises:
            CredentialError: one that is not given cannot be read.
        """
        found: dict[str, str] = {}
        for kind in refs_of(record):
            try:
                found |= self.stored(record, (kind,))
            except errors.CredentialError:
                if kind not in given:
                    raise
        return found

    def lost(self, record: ConnectionRecord) -> bool:
        """Return whether a secret was in the memory of a core that has ended. Other tiers are not asked: that takes time."""
        if record.credential_tier != MemoryTier.name or record.password_command:
            return False
        return not all(self._present(record, ref) for ref in refs_of(record).values())

    def recorded(self) -> list[control.CredentialInfo]:
        """Return what secrets are recorded and whether they are there; never their values."""
        return [
            control.CredentialInfo(
                connection=record.name,
                kind=kind,
                tier=record.credential_tier or "",
                present=self._present(record, ref),
                stored_at=record.updated_at,
            )
            for record in self.records.list()
            for kind, ref in (refs_of(record) or ({"password": ""} if record.password_command else {})).items()
        ]

    def _present(self, record: ConnectionRecord, ref: str) -> bool:
        if record.password_command:
            return True
        try:
            return bool(record.credential_tier and self.credentials.get(ref, record.credential_tier))
        except errors.CredentialError:
            return False

    # --- changing ---

    @_one_at_a_time
    def store(
        self, record: ConnectionRecord, secrets: dict[str, str], tier: str | None, known: ConnectionRecord | None
    ) -> tuple[ConnectionRecord, tuple[str, ...]]:
        """Store a record and its secrets; the connection that it replaces goes in the same step, or not at all.

        Returns the record as it is now, and what the user should hear.

        Raises:
            CredentialError: a secret cannot be stored; the record is not there then.
        """
        if not secrets:
            saved = self.records.save(record)
            if known is not None and known.credential_ref and record.credential_ref is None:
                self._purge(known)
            return saved, ()
        self.records.save(
            dataclasses.replace(record, credential_ref=ref_of(record.id, secrets), credential_state="pending")
        )
        stored: list[Stored] = []
        try:
            for kind, one in secrets.items():  # all in one tier
                chosen = stored[0].tier if stored else tier
                stored.append(self.credentials.store(f"conn:{record.id}:{kind}", one, chosen))
        except errors.TuskError:
            if stored:
                self.finish_unfinished()
            else:
                self.records.remove(record.id)
            raise
        whole = dataclasses.replace(
            record,
            credential_ref=ref_of(record.id, secrets),
            credential_tier=stored[-1].tier,
            credential_state="stored",
        )
        saved = self.records.save(whole, replaces=known.id if known else None)
        notices = dict.fromkeys(notice for one in stored for notice in one.notices)
        return saved, (*notices, *self.finish_unfinished())

    @_one_at_a_time
    def set(self, name: str, kind: str, secret: str, tier: str | None) -> control.CredentialStored:
        """Give a connection a new secret, or move it to another tier.

        Raises:
            UsageError: its driver knows no such secret; CredentialError: it cannot be stored, the old one stays.
        """
        record = named(self.records, name)
        manifest = self.catalog.named(record.driver).manifest
        kinds = manifest.secret_fields if manifest else ()
        if kind not in kinds:
            raise errors.UsageError(
                f"The driver {record.driver!r} takes no secret of that kind; it takes: {', '.join(kinds) or 'none'}."
            )
        before = real_tier(record.credential_tier)
        stored = self.credentials.store(f"conn:{record.id}:{kind}", secret, tier or before)
        for other, ref in refs_of(record).items():  # a connection's secrets live in one tier
            if other != kind and before and stored.tier != before:
                self.credentials.store(ref, self.credentials.get(ref, before), stored.tier)
        self.records.save(
            dataclasses.replace(
                record,
                credential_ref=ref_of(record.id, {*refs_of(record), kind}),
                credential_tier=stored.tier,
                credential_state="stored",
                password_command=None,
            )
        )
        return control.CredentialStored(tier=stored.tier, notices=stored.notices)

    @_one_at_a_time
    def delete(self, name: str) -> control.CredentialDeleted:
        """Delete every copy of a connection's secrets."""
        record = named(self.records, name)
        tiers = self._purge(record)
        self.records.save(
            dataclasses.replace(
                record,
                credential_ref=None,
                credential_tier=None,
                credential_state="none",
                password_command=None,
            )
        )
        return control.CredentialDeleted(tiers=tiers)

    @_one_at_a_time
    def remove(self, record: ConnectionRecord) -> tuple[str, ...]:
        """Delete a connection and every copy of its secrets; returns the tiers where copies were."""
        self.records.save(dataclasses.replace(record, credential_state="deleting"))
        tiers = self._purge(record)
        self.records.remove(record.id)
        return tiers

    @_one_at_a_time
    def finish_unfinished(self) -> tuple[str, ...]:
        """Carry on what a crash left half done; returns what the user should hear."""
        notices = []
        for record in self.records.unfinished():
            try:
                self._purge(record)
            except errors.CredentialError as exc:
                notices.append(f"The removal of the connection {record.name!r} waits for its keyring: {exc.message}")
                continue
            self.records.remove(record.id)
            if record.credential_state == "pending":
                notices.append(
                    f"The connection {record.name!r} was only half saved when the core was stopped: save it again."
                )
        return tuple(notices)

    def _purge(self, record: ConnectionRecord) -> tuple[str, ...]:
        kinds = refs_of(record) or {"password": f"conn:{record.id}:password"}
        return tuple(sorted({tier for ref in kinds.values() for tier in self.credentials.delete(ref)}))
