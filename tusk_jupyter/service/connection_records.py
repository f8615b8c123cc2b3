"""Connection records: found, made from what was asked for, checked, and shown to clients."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.service.targets import Target, describe_target
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_jupyter.state.connections import ConnectionRecord, Connections

NAME = re.compile(r"[^\W\d][\w.-]{0,63}")
ENVIRONMENTS = ("production", "staging", "development")
ISOLATIONS = ("session", "statement")
ACCOUNT = ("host", "port", "unix_socket", "user")
"""The fields that say whose password it is."""


def named(records: Connections, name: str) -> ConnectionRecord:
    """Return the connection of that name, any case.

    Raises:
        UsageError: there is none; the message lists what exists.
    """
    record = records.get(name)
    if record is None:
        known = [one.name for one in records.list()]
        near = get_close_matches(name, known, 1)
        added = name if NAME.fullmatch(name) else "NAME"
        raise errors.UsageError(
            f"There is no connection {_shown(name)}; configured: {', '.join(known) or 'none'}.",
            hint=f"Did you mean {near[0]!r}?"
            if near
            else f"{'Take one of these, or add' if known else 'Add'} one with `%tusk connect {added} URL`.",
            scenario="no_connection",
        )
    return record


def default(records: Connections, current: str | None) -> ConnectionRecord:
    """Return the connection for a run that names none: the client's current one, or the only one there is.

    A current one that was removed is not swapped for another: its SQL was meant for it.

    Raises:
        UsageError: there is nothing to go by.
    """
    record = records.get_by_id(current) if current else None
    known = records.list()
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


def public(
    record: ConnectionRecord,
    *,
    state: str = "disconnected",
    others: tuple[str, ...] = (),
    current: bool = False,
    secret_lost: bool = False,
) -> control.Connection:
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
        others=others,
        current=current,
        secret_lost=secret_lost,
    )


def refs_of(record: ConnectionRecord) -> dict[str, str]:
    """Return the credential references of a connection by kind; `credential_ref` is conn:ID:KIND[+KIND...]."""
    kinds = record.credential_ref.rpartition(":")[2].split("+") if record.credential_ref else []
    return {kind: f"conn:{record.id}:{kind}" for kind in kinds}


def ref_of(connection_id: str, kinds: Iterable[str]) -> str:
    """Return the credential reference of a connection with secrets of these kinds."""
    return f"conn:{connection_id}:{'+'.join(sorted(kinds))}"


def real_tier(tier: str | None) -> str | None:
    """Return the tier if it is one that holds secrets."""
    return tier if tier in ("keyring", "vault", "memory") else None


def same_account(known: ConnectionRecord, target: Target) -> bool:
    """Return whether a connection's password may be used for a target: it is the same user's at the same server.

    Where a driver has no host among its fields, nobody can say which one names the server: all must be the same.
    """
    if known.driver != target.driver.name:
        return False
    manifest = target.driver.manifest
    if manifest is None or "host" not in manifest.properties:
        return known.config == target.config
    return all(known.config.get(field) == target.config.get(field) for field in ACCOUNT)


def made(
    request: control.SaveConnection,
    target: Target,
    known: ConnectionRecord | None,
    *,
    kept: ConnectionRecord | None,
    password_command: str | None,
    renewed: bool,
) -> ConnectionRecord:
    """Return the record to store; a connection that is replaced without a new secret keeps its id.

    Args:
        request: what was asked for.
        target: where it points.
        known: the connection that it replaces.
        kept: the same one, if its stored secrets go on being used.
        password_command: what prints the password.
        renewed: whether a secret is to be stored.
    """
    return ConnectionRecord(
        id=known.id if known is not None and not renewed else request.new_id,
        name=request.name,
        driver=target.driver.name,
        config=target.config,
        credential_ref=kept.credential_ref if kept else None,
        credential_tier="command" if password_command else kept.credential_tier if kept else None,
        credential_state="stored" if kept else "none",
        password_command=password_command,
        read_only=request.read_only,
        environment=request.environment,
        timeout_s=request.timeout_s,
        memory_limit_mb=request.memory_limit_mb,
        isolation=request.isolation,
        log=request.log,
        created_at=known.created_at if known else "",
        last_used_at=known.last_used_at if known else None,
    )


def is_as_before(record: ConnectionRecord, known: ConnectionRecord) -> bool:
    """Return whether nothing of a connection is changed; its times are no part of it, nor that its file is there now."""
    if known.file_seen and not record.file_seen:
        return False  # a new file may be begun in the place of the one that is gone
    unlike = ("fingerprint", "created_at", "updated_at", "last_used_at", "file_seen")
    return replace(record, **{name: getattr(known, name) for name in unlike}) == known


_SETTINGS = {
    "name": "name", "driver": "driver", "read_only": "read-only", "environment": "environment", "timeout_s": "timeout",
    "memory_limit_mb": "memory cap", "isolation": "isolation", "log": "log", "password_command": "password command",
}  # fmt: skip
"""What a connection has beside its driver's fields, as people call it."""


def differences(record: ConnectionRecord, known: ConnectionRecord) -> list[str]:
    """Return in which settings two records differ, as "path is a.duckdb, given: b.duckdb"; a password command is not shown."""
    fields = dict.fromkeys([*known.config, *record.config])
    pairs = [(field, known.config.get(field), record.config.get(field)) for field in fields]
    pairs += [(words, getattr(known, name), getattr(record, name)) for name, words in _SETTINGS.items()]
    return [
        words if words == _SETTINGS["password_command"] else f"{words} is {_told(old)}, given: {_told(new)}"
        for words, old, new in pairs
        if old != new
    ]


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value in (None, "") else str(value)


def checked_id(text: str) -> str:
    """Return a connection's id as it was given.

    Raises:
        ProtocolError: it is no UUID, or not in the plain form (a colon would end it in a credential's reference).
    """
    with contextlib.suppress(ValueError):
        if str(uuid.UUID(text)) == text:
            return text
    raise errors.ProtocolError(f"{text[:64]!r} is no UUID, so it cannot be a connection's id.")


def check_name(name: str) -> None:
    """Refuse what cannot be a connection's name.

    Raises:
        UsageError: it says what can.
    """
    if not NAME.fullmatch(name):
        raise errors.UsageError(
            f"{_shown(name, otherwise='What was given')} cannot be a connection's name.",
            hint="A name begins with a letter and goes on with letters, digits, _ . or -, 64 at most.",
        )
    if name.casefold() in STATEMENT_KEYWORDS:
        raise errors.UsageError(
            f"{name!r} begins SQL statements, so `%sql {name}` could not tell it from SQL.",
            hint="Take another name.",
        )


def _shown(name: str, otherwise: str = "of that name") -> str:
    """Return a name for a message; one with signs of a URL or a login may be somebody's password."""
    return otherwise if any(sign in name for sign in "@:/=") else repr(name)


def check_options(request: control.SaveConnection) -> None:
    """Refuse a request whose name or options make no sense.

    Raises:
        UsageError: the first of them.
    """
    check_name(request.name)
    for what, value, known in (
        ("environment", request.environment, (None, *ENVIRONMENTS)),
        ("isolation", request.isolation, ISOLATIONS),
        ("tier", request.tier, (None, "keyring", "vault", "memory")),
    ):
        if value not in known:
            raise errors.UsageError(f"{what} is one of {', '.join(filter(None, known))}, not {value!r}.")
    if request.password_command and request.secrets.get("password"):
        raise errors.UsageError("Give a password or a command that prints one, not both.")


def check_memory(request: control.SaveConnection, target: Target, known: ConnectionRecord | None) -> None:
    """Refuse a memory cap with which the driver's process does not live.

    One that is there already stays: its driver named less when it was chosen, and a new name has nothing to do with it.

    Raises:
        UsageError: it says the least.
    """
    cap = request.memory_limit_mb
    if known is None or (known.driver, known.memory_limit_mb) != (target.driver.name, cap):
        check_cap(target.driver.manifest, cap)


def check_cap(manifest: Manifest | None, cap: int | None) -> None:
    """Refuse to say of a connection with that memory cap, in MB, that it works where the driver's process does not live.

    Raises:
        UsageError: it says the least.
    """
    if cap is not None and manifest is not None and cap < manifest.least_memory_mb:
        raise errors.UsageError(
            f"memory_limit_mb is {cap}; a process of the driver {manifest.name!r} needs {manifest.least_memory_mb} MB to live.",
            hint=f"Give `--memory {manifest.least_memory_mb}` or more, or leave it out for the usual cap.",
        )
