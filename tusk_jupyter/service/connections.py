"""Configured connections with their secrets: saved, tested, removed, each in an order that survives a crash in between.

Adding: the row as `pending`, then the secret, then the row as `stored` (QB-18). Removing: the row as `deleting`, every copy
of the secret, then the row (QB-20). What a crash leaves half done is finished at the next start.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Concatenate, ParamSpec, TypeVar

from tusk_jupyter import errors
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.service.targets import Target, describe_target, read_target
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_jupyter.state.connections import ConnectionRecord
from tusk_jupyter.state.connections import Connections as Records
from tusk_jupyter.tiers.credentials import Credentials

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
ENVIRONMENTS = ("production", "staging", "development")
ISOLATIONS = ("session", "statement")
ACCOUNT = ("host", "port", "unix_socket", "user")
"""The fields that say whose password it is."""

TEST_MARGIN_S = 5.0


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
    connect_timeout_s: Callable[[], float]
    changing: threading.RLock = field(default_factory=threading.RLock)
    serving: Callable[[str, dict[str, object]], DriverProcess | None] = lambda name, config: None
    """The process that has a file open which only one process can have, if that is what the configuration names."""

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

        Raises:
            UsageError: there is nothing to go by.
        """
        record = self.records.get_by_id(current) if current else None
        known = self.records.list()
        if record is None and len(known) == 1:
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

    def secrets_of(self, record: ConnectionRecord) -> dict[str, str]:
        """Return a connection's secrets, by field.

        Raises:
            CredentialError: one cannot be read.
        """
        if record.password_command:
            return {"password": self.credentials.run_password_command(record.password_command)}
        tier = record.credential_tier
        return {kind: self.credentials.get(ref, tier) for kind, ref in refs_of(record).items() if tier}

    # --- changing ---

    def save(self, request: control.SaveConnection) -> tuple[ConnectionRecord, control.ConnectionSaved]:
        """Check, test and store a connection.

        Raises:
            UsageError: something asked for makes no sense; ConnectError: the test failed. Nothing is stored then.
            CredentialError: the secret cannot be stored; the connection is not there then.
        """
        _check_options(request)
        known = self.records.get(request.name)
        if known is not None and not request.replace:
            raise errors.UsageError(
                f"There is a connection {known.name!r} already; it points to {describe_target(known.config)}.",
                hint="Add `--replace` to change it, or take another name.",
            )
        target = read_target(
            self.spares.catalog,
            url=request.url,
            driver=request.driver,
            config=request.config,
            secrets=request.secrets,
            base=request.base,
        )
        heir = known if known is not None and _keeps_its_secret(known, target, request) else None
        server = self._tested(target, request, heir) if request.test else None
        stored, notices = self._store(_record(request, target, known, heir), target.secrets, request.tier, known)
        return stored, control.ConnectionSaved(
            connection=public(stored), replaced=known is not None, server=server, notices=notices
        )

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
        before = _real(record.credential_tier)
        stored = self.credentials.store(f"conn:{record.id}:{kind}", secret, tier or before)
        for other, ref in refs_of(record).items():  # a connection's secrets live in one tier
            if other != kind and before and stored.tier != before:
                self.credentials.store(ref, self.credentials.get(ref, before), stored.tier)
        self.records.save(
            dataclasses.replace(
                record,
                credential_ref=_ref(record.id, {*refs_of(record), kind}),
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
        return self._try(record.driver, record.config, self.secrets_of(record), record.read_only)

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
            credential_ref=_ref(record.id, secrets),
            credential_tier=stored[-1].tier,
            credential_state="stored",
        )
        saved = self.records.save(whole, replaces=known.id if known else None)
        notices = dict.fromkeys(notice for one in stored for notice in one.notices)
        return saved, (*notices, *self.finish_unfinished())

    def _purge(self, record: ConnectionRecord) -> tuple[str, ...]:
        kinds = refs_of(record) or {"password": f"conn:{record.id}:password"}
        return tuple(sorted({tier for ref in kinds.values() for tier in self.credentials.delete(ref)}))

    def _tested(self, target: Target, request: control.SaveConnection, heir: ConnectionRecord | None) -> str:
        secrets = self.secrets_of(heir) if heir else dict(target.secrets)
        if request.password_command:
            secrets["password"] = self.credentials.run_password_command(request.password_command)
        tested = self._try(target.driver.name, target.config, secrets, request.read_only)
        if tested.error is not None:
            exc = tested.error.to_exception()
            exc.hint = f"{exc.hint or ''} Nothing was saved; `--no-test` saves without trying.".strip()
            raise exc
        return tested.server

    def _try(
        self, name: str, config: dict[str, object], secrets: dict[str, str], read_only: bool
    ) -> control.ConnectionTested:
        # A file that our own process holds is tried there: any other would find it locked, by us.
        holder = self.serving(name, config)
        process = holder or self.spares.take(name)
        limit_s = self.connect_timeout_s()
        try:
            tested: driver.Tested = process.call(
                driver.Test(config=config, secrets=secrets, read_only=read_only, connect_timeout_s=limit_s),
                timeout_s=limit_s + TEST_MARGIN_S,
            )
        finally:
            if holder is None:
                process.stop()  # it has seen a secret: it is no spare any more
        return control.ConnectionTested(
            ok=tested.ok, stage=tested.stage, server=tested.server, elapsed_s=tested.elapsed_s, error=tested.error
        )


def public(record: ConnectionRecord, *, state: str = "disconnected", current: bool = False) -> control.Connection:
    """Return a record as clients see it."""
    return control.Connection(
        id=record.id,
        name=record.name,
        driver=record.driver,
        config=dict(record.config),
        target=describe_target(record.config),
        credential_tier=record.credential_tier,
        read_only=record.read_only,
        environment=record.environment,
        timeout_s=record.timeout_s,
        memory_limit_mb=record.memory_limit_mb,
        isolation=record.isolation,
        log=record.log,
        created_at=record.created_at,
        updated_at=record.updated_at,
        last_used_at=record.last_used_at,
        state=state,
        current=current,
    )


def refs_of(record: ConnectionRecord) -> dict[str, str]:
    """Return the credential references of a connection by kind; `credential_ref` is conn:ID:KIND[+KIND...]."""
    kinds = record.credential_ref.rpartition(":")[2].split("+") if record.credential_ref else []
    return {kind: f"conn:{record.id}:{kind}" for kind in kinds}


def _ref(connection_id: str, kinds: set[str] | dict[str, str]) -> str:
    return f"conn:{connection_id}:{'+'.join(sorted(kinds))}"


def _real(tier: str | None) -> str | None:
    """Return the tier if it is one that holds secrets."""
    return tier if tier in ("keyring", "vault", "memory") else None


def _keeps_its_secret(known: ConnectionRecord, target: Target, request: control.SaveConnection) -> bool:
    """Return whether a connection that is replaced without a new secret goes on with its own.

    Only for the same account: a password is never handed to another host than the one it was given for.
    """
    if target.secrets or request.password_command or known.credential_ref is None or known.driver != target.driver.name:
        return False
    return all(known.config.get(field) == target.config.get(field) for field in ACCOUNT)


def _record(
    request: control.SaveConnection,
    target: Target,
    known: ConnectionRecord | None,
    kept: ConnectionRecord | None,
) -> ConnectionRecord:
    """Return the record to store; a connection that is replaced without a new secret keeps its id."""
    return ConnectionRecord(
        id=known.id if known is not None and not target.secrets else str(uuid.uuid4()),
        name=request.name,
        driver=target.driver.name,
        config=target.config,
        credential_ref=kept.credential_ref if kept else None,
        credential_tier="command" if request.password_command else kept.credential_tier if kept else None,
        credential_state="stored" if kept else "none",
        password_command=request.password_command,
        read_only=request.read_only,
        environment=request.environment,
        timeout_s=request.timeout_s,
        memory_limit_mb=request.memory_limit_mb,
        isolation=request.isolation,
        log=request.log,
        created_at=known.created_at if known else "",
        last_used_at=known.last_used_at if known else None,
    )


def _check_options(request: control.SaveConnection) -> None:
    if not NAME.fullmatch(request.name):
        raise errors.UsageError(
            f"{request.name!r} cannot be a connection's name.",
            hint="A name begins with a letter and goes on with letters, digits, _ . or -, 64 at most.",
        )
    if request.name.casefold() in STATEMENT_KEYWORDS:
        raise errors.UsageError(
            f"{request.name!r} begins SQL statements, so `%sql {request.name}` could not tell it from SQL.",
            hint="Take another name.",
        )
    for what, value, known in (
        ("environment", request.environment, (None, *ENVIRONMENTS)),
        ("isolation", request.isolation, ISOLATIONS),
        ("tier", request.tier, (None, "keyring", "vault", "memory")),
    ):
        if value not in known:
            raise errors.UsageError(f"{what} is one of {', '.join(filter(None, known))}, not {value!r}.")
    if request.password_command and request.secrets.get("password"):
        raise errors.UsageError("Give a password or a command that prints one, not both.")
