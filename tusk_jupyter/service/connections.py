"""Configured connections with their secrets: saved, tested, removed, each in an order that survives a crash in between.

Adding: the row as `pending`, then the secret, then the row as `stored` (QB-18). Removing: the row as `deleting`, every copy
of the secret, then the row (QB-20). What a crash leaves half done is finished at the next start.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Concatenate, ParamSpec, TypeVar

from tusk_jupyter import errors
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.scenarios import NAME_TAKEN, hint_for
from tusk_jupyter.service.connection_records import (
    check_name,
    check_options,
    checked_id,
    made,
    public,
    real_tier,
    ref_of,
    refs_of,
    same_account,
)
from tusk_jupyter.service.targets import MEMORY, Target, describe_target, read_target
from tusk_jupyter.service.trials import Trials
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.connections import Connections as Records
from tusk_jupyter.tiers.credentials import Credentials

P = ParamSpec("P")
R = TypeVar("R")


def _one_at_a_time(method: Callable[Concatenate[Connections, P], R]) -> Callable[Concatenate[Connections, P], R]:
    """Let rows and secrets be changed together by one caller at a time; a database is tried outside of it."""

    @functools.wraps(method)
    def exclusive(self: Connections, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.changing:
            return method(self, *args, **kwargs)

    return exclusive


@dataclass(slots=True)
class Connections:
    """What the core does with connections; rows are the store's, secrets the credential tiers'."""

    records: Records
    credentials: Credentials
    spares: Spares
    trials: Trials
    changing: threading.RLock = field(default_factory=threading.RLock)

    # --- finding ---

    def named(self, name: str) -> ConnectionRecord:
        """Return the connection of that name, any case.

        Raises:
            UsageError: there is none; the message lists what exists.
        """
        record = self.records.get(name)
        if record is None:
            known = [one.name for one in self.records.list()]
            near = get_close_matches(name, known, 1)
            raise errors.UsageError(
                f"There is no connection {name!r}; configured: {', '.join(known) or 'none'}.",
                hint=f"Did you mean {near[0]!r}?" if near else hint_for("no_connection"),
                scenario="no_connection",
            )
        return record

    def default(self, current: str | None) -> ConnectionRecord:
        """Return the connection for a run that names none: the client's current one, or the only one there is.

        A current one that was removed is not swapped for another: its SQL was meant for it.

        Raises:
            UsageError: there is nothing to go by.
        """
        record = self.records.get_by_id(current) if current else None
        known = self.records.list()
        if current is None and len(known) == 1:
            record = known[0]
        if record is None:
            names = ", ".join(one.name for one in known)
            raise errors.UsageError(
                f"No connection is chosen; configured: {names}." if names else "No connection is configured yet.",
                hint=f"Name it as `%%sql {known[0].name}`, or choose it with `%tusk use {known[0].name}`."
                if known
                else hint_for("no_connection"),
                scenario="no_connection",
            )
        return record

    def dialect_of(self, record: ConnectionRecord) -> str:
        """Return the name of the rules by which SQL for this connection is read."""
        manifest = self.spares.catalog.named(record.driver).manifest
        return manifest.dialect if manifest else "ansi"

    def lexical_dialect_of(self, record: ConnectionRecord) -> str:
        """Return the same, or `ansi` for a driver with a dialect of its own, whose rules only it knows."""
        name = self.dialect_of(record)
        return name if name in DIALECTS else "ansi"

    def is_private(self, record: ConnectionRecord) -> bool:
        """Return whether the database lives in memory, in the session that opened it."""
        manifest = self.spares.catalog.named(record.driver).manifest
        if manifest is None or "path" not in manifest.properties or "host" in manifest.properties:
            return False
        return record.config.get("path") in (None, "", MEMORY)

    def secrets_of(self, record: ConnectionRecord) -> dict[str, str]:
        """Return a connection's secrets, by field.

        Raises:
            CredentialError: one cannot be read.
        """
        if record.password_command:
            return {"password": self.credentials.run_password_command(record.password_command)}
        return self._stored(record)

    def _stored(self, record: ConnectionRecord) -> dict[str, str]:
        tier = record.credential_tier
        return {kind: self.credentials.get(ref, tier) for kind, ref in refs_of(record).items() if tier}

    def details(self, record: ConnectionRecord, shown: control.Connection) -> control.ConnectionDetails:
        """Return what a form needs to edit a connection; of its secrets only which there are."""
        return control.ConnectionDetails(
            connection=shown,
            secret_fields=tuple(refs_of(record)),
            password_command=record.password_command is not None,
        )

    # --- changing ---

    def save(self, request: control.SaveConnection) -> tuple[ConnectionRecord, control.ConnectionSaved]:
        """Check, test and store a connection.

        Raises:
            UsageError: something asked for makes no sense; ConnectError: the test failed. Nothing is stored then.
            CredentialError: the secret cannot be stored; the connection is not there then.
        """
        check_options(request)
        done = self._done(request.name, request.new_id)
        if done is not None:
            return done, control.ConnectionSaved(connection=public(done), replaced=request.replace)
        known = self._replaced_by(request)
        target = self._target(request)
        sign_in = self._sign_in(known, target, request.password_command)
        server = self._tested(target, request, sign_in) if request.test else None
        record = made(request, target, known, kept=sign_in.heir, password_command=sign_in.command)
        stored, notices = self._store(record, sign_in.new, request.tier, known)
        return stored, control.ConnectionSaved(
            connection=public(stored), replaced=known is not None, server=server, notices=notices
        )

    def _done(self, name: str, new_id: str) -> ConnectionRecord | None:
        """Return the connection that this very request has stored already, before its core died.

        Raises:
            ProtocolError: the id is none, or another connection's.
        """
        there = self.records.get_by_id(checked_id(new_id))
        if there is None or not there.live:
            return None
        if there.name != name:
            raise errors.ProtocolError(f"The id {new_id} is that of the connection {there.name!r}.")
        return there

    def _replaced_by(self, request: control.SaveConnection) -> ConnectionRecord | None:
        """Return the connection that a new one takes the place of.

        Raises:
            UsageError: the name is another one's, or nothing was said about replacing.
        """
        there = self.records.get(request.name)
        known = self.named(request.rename_from) if request.rename_from else there
        if there is not None and (not request.replace or known is None or there.id != known.id):
            raise _name_taken(there)
        return known

    def _target(self, request: control.SaveConnection | control.TryConnection) -> Target:
        return read_target(
            self.spares.catalog,
            url=request.url,
            driver=request.driver,
            config=request.config,
            secrets=request.secrets,
            base=request.base,
        )

    def _sign_in(self, known: ConnectionRecord | None, target: Target, command: str | None) -> _SignIn:
        """Return with what a connection signs in: what is given, and what is not given as it was, for the same account.

        A password is never handed to another host than the one it was given for.
        """
        heir = known if known is not None and not command and same_account(known, target) else None
        if heir is None:
            return _SignIn(new=target.secrets, command=command)
        if target.secrets:
            return _SignIn(new={**self._stored(heir), **target.secrets})
        return _SignIn(heir=heir if heir.credential_ref else None, command=heir.password_command)

    @_one_at_a_time
    def duplicate(self, name: str, new_name: str, new_id: str) -> control.ConnectionSaved:
        """Store a copy of a connection under another name and id, with copies of its secrets in the same tier.

        Raises:
            UsageError: there is no such connection, or the new name cannot be or is taken.
            CredentialError: a secret cannot be read or stored; there is no copy then.
        """
        record = self.named(name)
        check_name(new_name)
        done = self._done(new_name, new_id)
        if done is not None:
            return control.ConnectionSaved(connection=public(done))
        there = self.records.get(new_name)
        if there is not None:
            raise _name_taken(there)
        copy = dataclasses.replace(
            record,
            id=new_id,
            name=new_name,
            credential_ref=None,
            credential_tier="command" if record.password_command else None,
            credential_state="none",
            created_at="",
            updated_at="",
            last_used_at=None,
        )
        stored, notices = self._store(copy, self._stored(record), real_tier(record.credential_tier), None)
        return control.ConnectionSaved(connection=public(stored), notices=notices)

    @_one_at_a_time
    def set_secret(self, name: str, kind: str, secret: str, tier: str | None) -> control.CredentialStored:
        """Give a connection a new secret, or move it to another tier.

        Raises:
            UsageError: its driver knows no such secret; CredentialError: it cannot be stored, the old one stays.
        """
        record = self.named(name)
        manifest = self.spares.catalog.named(record.driver).manifest
        kinds = manifest.secret_fields if manifest else ()
        if kind not in kinds:
            raise errors.UsageError(
                f"The driver {record.driver!r} takes no secret {kind!r}; it takes: {', '.join(kinds) or 'none'}."
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
    def delete_secrets(self, name: str) -> control.CredentialDeleted:
        """Delete every copy of a connection's secrets."""
        record = self.named(name)
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
    def remove(self, name: str) -> tuple[ConnectionRecord, tuple[str, ...]]:
        """Delete a connection and every copy of its secrets; returns it and the tiers where copies were."""
        record = self.named(name)
        self.records.save(dataclasses.replace(record, credential_state="deleting"))
        tiers = self._purge(record)
        self.records.remove(record.id)
        return record, tiers

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

    def test(self, record: ConnectionRecord) -> control.ConnectionTested:
        """Sign in and out again in a process of its own."""
        return self.trials.attempt(record.driver, record.config, self.secrets_of(record), read_only=record.read_only)

    def attempt(self, request: control.TryConnection) -> control.ConnectionTested:
        """Sign in with what a form holds, and out again; nothing is stored.

        Raises:
            UsageError: a field makes no sense; CredentialError: a secret cannot be read.
        """
        target = self._target(request)
        known = self.named(request.name) if request.name else None
        sign_in = self._sign_in(known, target, request.password_command)
        return self.trials.attempt(target.driver.name, target.config, self._used(sign_in))

    @_one_at_a_time
    def _store(
        self, record: ConnectionRecord, secrets: dict[str, str], tier: str | None, known: ConnectionRecord | None
    ) -> tuple[ConnectionRecord, tuple[str, ...]]:
        """Store the record and its secrets; the connection that it replaces goes in the same step, or not at all."""
        if not secrets:
            saved = self.records.save(record)
            if known is not None and known.credential_ref and record.credential_ref is None:
                self._purge(known)
            return saved, ()
        self.records.save(dataclasses.replace(record, credential_state="pending"))
        try:
            stored = [self.credentials.store(f"conn:{record.id}:{kind}", one, tier) for kind, one in secrets.items()]
        except errors.TuskError:
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

    def _purge(self, record: ConnectionRecord) -> tuple[str, ...]:
        kinds = refs_of(record) or {"password": f"conn:{record.id}:password"}
        return tuple(sorted({tier for ref in kinds.values() for tier in self.credentials.delete(ref)}))

    def _tested(self, target: Target, request: control.SaveConnection, sign_in: _SignIn) -> str:
        tested = self.trials.attempt(
            target.driver.name, target.config, self._used(sign_in), read_only=request.read_only
        )
        if tested.error is not None:
            exc = tested.error.to_exception()
            exc.hint = f"{exc.hint or ''} Nothing was saved; `--no-test` saves without trying.".strip()
            raise exc
        return tested.server

    def _used(self, sign_in: _SignIn) -> dict[str, str]:
        """Return the secrets themselves."""
        if sign_in.command:
            return {**sign_in.new, "password": self.credentials.run_password_command(sign_in.command)}
        return self._stored(sign_in.heir) if sign_in.heir else dict(sign_in.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignIn:
    """With what a connection signs in."""

    new: dict[str, str] = field(default_factory=dict, repr=False)
    """Secrets that are to be stored."""
    heir: ConnectionRecord | None = None
    """The connection whose stored secrets go on being used."""
    command: str | None = None


def _name_taken(known: ConnectionRecord) -> errors.UsageError:
    return errors.UsageError(
        f"There is a connection {known.name!r} already; it points to {describe_target(known.config)}.",
        hint="Add `--replace` to change it, or take another name.",
        scenario=NAME_TAKEN,
    )
