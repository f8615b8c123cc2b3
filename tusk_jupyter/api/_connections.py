"""Connections, drivers, credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from tusk_jupyter.api._session import call, client
from tusk_jupyter.protocol.message import replace as replace_fields
from tusk_jupyter.system.bare_frames import bare_frames
from tusk_jupyter.system.working_folder import working_folder

if TYPE_CHECKING:
    from tusk_jupyter.protocol import control


@bare_frames
def connect(
    name: str,
    url: str | None = None,
    *,
    driver: str | None = None,
    password: str | None = None,
    secrets: Mapping[str, str] | None = None,
    password_command: str | None = None,
    tier: Literal["keyring", "vault", "memory"] | None = None,
    read_only: bool = False,
    environment: Literal["production", "staging", "development"] | None = None,
    timeout_s: float | None = None,
    memory_limit_mb: int | None = None,
    isolation: Literal["session", "statement"] = "session",
    log: bool = True,
    replace: bool = False,
    test: bool = True,
    **fields: Any,  # noqa: ANN401 - a driver's fields are texts, numbers and booleans
) -> control.ConnectionSaved:
    """Add a connection; it is tested before anything is stored.

    Args:
        name: by which cells name it.
        url: a URL or a file path; or give `driver` and fields.
        driver: name of an installed driver.
        password: stored in the credential tier, never in the state file.
        secrets: further secret fields of the driver.
        password_command: shell command that prints the password, run at each sign-in.
        tier: where the secret goes; None: the first that is there.
        read_only: let the server refuse changes.
        environment: shown at each run.
        timeout_s: statement timeout of its runs, in seconds.
        memory_limit_mb: cap of its driver process, in MB.
        isolation: "statement": a fresh process for each run.
        log: whether its runs are in the query log.
        replace: whether a connection of that name may be replaced.
        test: sign in before storing.
        **fields: fields of the driver, as host="..." or database="..."; they win over the URL's.

    Raises:
        TuskError: see `tusk_jupyter.errors`.
    """
    from tusk_jupyter.protocol.control import SaveConnection

    given = {**(secrets or {}), **({"password": password} if password is not None else {})}
    request = SaveConnection(
        session="", name=name, url=url, driver=driver, config=fields, secrets=given,
        password_command=password_command, tier=tier, read_only=read_only, environment=environment,
        timeout_s=timeout_s, memory_limit_mb=memory_limit_mb, isolation=isolation, log=log, replace=replace,
        test=test, base=working_folder(),
    )  # fmt: skip
    del password, secrets, given, url  # `%xmode Verbose` and error reporters print the locals of every frame
    reply: control.ConnectionSaved = call(replace_fields(request, session=client().session))
    return reply


def connections() -> tuple[control.Connection, ...]:
    """Return the configured connections, by name."""
    from tusk_jupyter.protocol.control import ListConnections

    found: control.ConnectionList = call(ListConnections(session=client().session))
    return found.connections


def test(name: str) -> control.ConnectionTested:
    """Sign in and out again; the answer says which stage failed."""
    from tusk_jupyter.protocol.control import TestConnection

    reply: control.ConnectionTested = call(TestConnection(session=client().session, name=name))
    return reply


def use(name: str) -> control.Connection:
    """Make a connection the current one of this session."""
    from tusk_jupyter.protocol.control import UseConnection

    reply: control.Connection = call(UseConnection(session=client().session, name=name))
    return reply


def disconnect(name: str | None = None) -> control.Disconnected:
    """Close this session's database session on a connection; the next run opens a new one.

    An open transaction is rolled back, temp tables and settings go, and a database file is free for other programs once nobody
    has it open.

    Args:
        name: the connection; None: the current one.

    Raises:
        UsageError: a run is under way in it.
    """
    return client().disconnect(name)


def duplicate(name: str, new_name: str) -> control.ConnectionSaved:
    """Store a copy of a connection under another name, with a copy of its password in the same tier."""
    from tusk_jupyter.protocol.control import DuplicateConnection

    reply: control.ConnectionSaved = call(DuplicateConnection(session=client().session, name=name, new_name=new_name))
    return reply


def remove(name: str) -> control.ConnectionRemoved:
    """Delete a connection, its secrets and its sessions; the query log keeps its rows."""
    from tusk_jupyter.protocol.control import RemoveConnection

    reply: control.ConnectionRemoved = call(RemoveConnection(session=client().session, name=name))
    return reply


def drivers(*, rescan: bool = False) -> tuple[control.DriverInfo, ...]:
    """Return the installed drivers; `rescan` asks each anew."""
    from tusk_jupyter.protocol.control import ListDrivers

    found: control.DriverList = call(ListDrivers(rescan=rescan))
    return found.drivers


def credentials() -> control.CredentialList:
    """Return the credential tiers and what is stored in them, never a secret."""
    from tusk_jupyter.protocol.control import ListCredentials

    reply: control.CredentialList = call(ListCredentials())
    return reply
