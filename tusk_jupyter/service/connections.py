"""Configured connections: checked and tested before they are stored, copied, removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from tusk_jupyter import errors
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.control.connections import rights_note
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.protocol.scenarios import NAME_TAKEN, hint_about
from tusk_jupyter.service import connection_records
from tusk_jupyter.service.connection_records import (
    check_cap,
    check_memory,
    check_name,
    check_options,
    checked_id,
    differences,
    is_as_before,
    made,
    public,
    real_tier,
    refs_of,
    same_account,
)
from tusk_jupyter.service.connection_secrets import ConnectionSecrets
from tusk_jupyter.service.targets import MEMORY, Target, describe_target, read_target
from tusk_jupyter.service.trials import Trials
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.connections import Connections as Records
from tusk_jupyter.system.working_folder import expanded


@dataclass(slots=True)
class Connections:
    """What the core does with connections; rows are the store's."""

    records: Records
    secrets: ConnectionSecrets
    spares: Spares
    trials: Trials

    # --- finding ---

    def named(self, name: str) -> ConnectionRecord:
        """Return the connection of that name; raises as `connection_records.named`."""
        return connection_records.named(self.records, name)

    def default(self, current: str | None) -> ConnectionRecord:
        """Return the connection for a run that names none; raises as `connection_records.default`."""
        return connection_records.default(self.records, current)

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

    def has_file(self, record: ConnectionRecord) -> bool:
        """Return whether the connection's database is a file and is there."""
        path = record.config.get("path")
        if path in (None, "", MEMORY):
            return False
        manifest = self.spares.catalog.named(record.driver).manifest
        return manifest is not None and "path" in manifest.properties and expanded(str(path)).is_file()

    def note_file(self, record: ConnectionRecord) -> None:
        """Note that the connection's file is there, if it is: from then on no run makes a new one at its path."""
        now = self.records.get_by_id(record.id)  # a session keeps the record with which it was opened
        if now is not None and not now.file_seen and self.has_file(now):
            self.records.note_file(record.id)

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
        target = self._target(request)
        done = self._done(request.name, request.new_id) or self._renamed(request, target)
        if done is not None:
            return done, control.ConnectionSaved(connection=public(done), replaced=request.replace)
        known = self._replaced_by(request, target)
        if known is not None and request.seen not in (None, known.updated_at) and not request.again:
            raise errors.UsageError(
                f"The connection {known.name!r} was changed elsewhere after this form was opened; nothing was saved.",
                hint="Open it again: the form then shows what is stored now.",
                scenario="changed_elsewhere",
            )
        check_memory(request, target, known)
        sign_in = self._sign_in(known, target, request.password_command, request.tier)
        as_asked = None if request.replace or request.rename_from else known
        may_create = as_asked is None or not as_asked.file_seen
        tested = self._tested(target, request, sign_in, may_create=may_create) if request.test else None
        record = made(
            request, target, known, kept=sign_in.heir, password_command=sign_in.command, renewed=bool(sign_in.new)
        )
        record = dataclasses.replace(record, file_seen=self.has_file(record))
        same = as_asked or (known if known is not None and not sign_in.new and is_as_before(record, known) else None)
        stored, notices = (same, ()) if same else self.secrets.store(record, sign_in.new, request.tier, known)
        return stored, control.ConnectionSaved(
            connection=public(stored),
            replaced=known is not None and as_asked is None,
            unchanged=same is not None,
            server=tested.server if tested else None,
            link=tested.link if tested else "",
            notices=(*notices, *([rights_note(tested.rights)] if tested and tested.rights else [])),
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

    def _renamed(self, request: control.SaveConnection, target: Target) -> ConnectionRecord | None:
        """Return the connection that this very request, which comes again, has given its new name already."""
        if not request.again or not request.rename_from or self.records.get(request.rename_from) is not None:
            return None
        there = self.records.get(request.name)
        same = there is not None and (there.driver, there.config) == (target.driver.name, target.config)
        return there if same else None

    def _replaced_by(self, request: control.SaveConnection, target: Target) -> ConnectionRecord | None:
        """Return the connection that a new one takes the place of, or is once more: then nothing need be said about replacing.

        Raises:
            UsageError: the name is another one's, or that of one with other settings, and nothing was said about replacing.
        """
        there = self.records.get(request.name)
        known = self.named(request.rename_from) if request.rename_from else there
        if there is None or (request.replace and known is not None and there.id == known.id):
            return known
        unlike = self._unlike(request, target, there)
        if request.replace or request.rename_from or unlike:
            raise _name_taken(there, unlike=unlike)
        return there

    def _unlike(self, request: control.SaveConnection, target: Target, known: ConnectionRecord) -> list[str]:
        """Return in which settings what is asked for is unlike a connection that there is, for people."""
        sign_in = self._sign_in(known, target, request.password_command, request.tier)
        record = made(
            request, target, known, kept=sign_in.heir, password_command=sign_in.command, renewed=bool(sign_in.new)
        )
        return [*differences(record, known), *(["another password"] if sign_in.new else [])]

    def _target(self, request: control.SaveConnection | control.TryConnection) -> Target:
        return read_target(
            self.spares.catalog,
            url=request.url,
            driver=request.driver,
            config=request.config,
            secrets=request.secrets,
            base=request.base,
        )

    def _sign_in(
        self, known: ConnectionRecord | None, target: Target, command: str | None, tier: str | None = None
    ) -> _SignIn:
        """Return with what a connection signs in: what is given, and what is not given as it was, for the same account.

        A password is never handed to another host than the one it was given for; one that is given as it is stored is not
        stored anew, unless another tier is asked for.
        """
        heir = known if known is not None and not command and same_account(known, target) else None
        if heir is None:
            return _SignIn(new=target.secrets, command=command)
        if target.secrets:
            before = self.secrets.beside(heir, target.secrets)
            new = {**before, **target.secrets}
            if new != before or tier not in (None, heir.credential_tier):
                return _SignIn(new=new)
        return _SignIn(heir=heir if heir.credential_ref else None, command=heir.password_command)

    def duplicate(self, request: control.DuplicateConnection) -> control.ConnectionSaved:
        """Store a copy of a connection under another name and id, with copies of its secrets in the same tier.

        Raises:
            UsageError: there is no such connection, or the new name cannot be or is taken.
            CredentialError: a secret cannot be read or stored; there is no copy then.
        """
        with self.secrets.changing:
            record = self.named(request.name)
            check_name(request.new_name)
            done = self._done(request.new_name, request.new_id)
            if done is not None:
                return control.ConnectionSaved(connection=public(done))
            there = self.records.get(request.new_name)
            if there is not None:
                raise _name_taken(there, replaceable=False)
            copy = _copied(record, request.new_name, request.new_id)
            secrets, tier = self.secrets.stored(record), real_tier(record.credential_tier)
            stored, notices = self.secrets.store(copy, secrets, tier, None)
        return control.ConnectionSaved(connection=public(stored), notices=notices)

    def remove(self, request: control.RemoveConnection) -> tuple[ConnectionRecord | None, tuple[str, ...]]:
        """Delete a connection and every copy of its secrets; returns it and the tiers where copies were.

        A request that comes again finds nothing to delete where the core that went had done it: no connection is returned.

        Raises:
            UsageError: there is no such connection.
            CredentialError: a tier would not let go of its copy; the removal is carried on at the next start.
        """
        with self.secrets.changing:
            if request.again and self.records.get(request.name) is None:
                return None, ()
            record = self.named(request.name)
            return record, self.secrets.remove(record)

    def test(self, record: ConnectionRecord) -> control.ConnectionTested:
        """Sign in and out again in a process of its own.

        Raises:
            UsageError: its memory cap is less than the driver's process needs.
        """
        check_cap(self.spares.catalog.named(record.driver).manifest, record.memory_limit_mb)
        tested = self.trials.attempt(
            record.driver,
            record.config,
            self.secrets.of(record),
            read_only=record.read_only,
            may_create=not record.file_seen,
        )
        return _about(tested, record.name)

    def attempt(self, request: control.TryConnection) -> control.ConnectionTested:
        """Sign in with what a form holds, and out again; nothing is stored.

        Raises:
            UsageError: a field makes no sense; CredentialError: a secret cannot be read.
        """
        target = self._target(request)
        known = self.named(request.name) if request.name else None
        sign_in = self._sign_in(known, target, request.password_command)
        same = known is not None and known.config.get("path") == target.config.get("path")
        tested = self.trials.attempt(
            target.driver.name,
            target.config,
            self._used(sign_in),
            may_create=not (same and known is not None and known.file_seen),
        )
        return _about(tested, None)

    def _tested(
        self, target: Target, request: control.SaveConnection, sign_in: _SignIn, *, may_create: bool
    ) -> control.ConnectionTested:
        tested = _about(
            self.trials.attempt(
                target.driver.name,
                target.config,
                self._used(sign_in),
                read_only=request.read_only,
                may_create=may_create,
            ),
            None,
        )
        if tested.error is not None:
            exc = tested.error.to_exception()
            exc.hint = f"{exc.hint or ''} Nothing was saved; `--no-test` saves without trying.".strip()
            raise exc
        return tested

    def _used(self, sign_in: _SignIn) -> dict[str, str]:
        """Return the secrets themselves."""
        if sign_in.command:
            return {**sign_in.new, "password": self.secrets.credentials.run_password_command(sign_in.command)}
        return self.secrets.stored(sign_in.heir) if sign_in.heir else dict(sign_in.new)


def _about(tested: control.ConnectionTested, name: str | None) -> control.ConnectionTested:
    """Return a test's outcome with hints for the connection of that name; None: it is not stored yet."""
    if tested.error is None:
        return tested
    return replace(tested, error=replace(tested.error, hint=hint_about(tested.error.hint, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignIn:
    """With what a connection signs in."""

    new: dict[str, str] = field(default_factory=dict, repr=False)
    """Secrets that are to be stored."""
    heir: ConnectionRecord | None = None
    """The connection whose stored secrets go on being used."""
    command: str | None = None


def _copied(record: ConnectionRecord, name: str, new_id: str) -> ConnectionRecord:
    """Return a copy of a record, without its secrets."""
    return dataclasses.replace(
        record,
        id=new_id,
        name=name,
        credential_ref=None,
        credential_tier="command" if record.password_command else None,
        credential_state="none",
        created_at="",
        updated_at="",
        last_used_at=None,
    )


def _name_taken(known: ConnectionRecord, *, replaceable: bool = True, unlike: Sequence[str] = ()) -> errors.UsageError:
    other = f" What differs: {'; '.join(unlike)}." if unlike else ""
    return errors.UsageError(
        f"There is a connection {known.name!r} already; it points to {describe_target(known.config)}.{other}",
        hint="Add `--replace` to change it, or take another name."
        if replaceable
        else f"Take another name; `%tusk remove {known.name}` would free this one.",
        scenario=NAME_TAKEN,
    )
