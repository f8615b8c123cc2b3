"""The query log, runs under way, the core and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tusk_jupyter.api._session import call, client

if TYPE_CHECKING:
    from tusk_jupyter.protocol import control

DELETE_TIMEOUT_S = 600.0
"""All of the journal may have to be rewritten: a second for 40 MB."""


def log(
    *,
    limit: int = 20,
    offset: int = 0,
    text: str | None = None,
    status: str | None = None,
    connection: str | None = None,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    run: str | None = None,
    driver: str | None = None,
    kind: Literal["query", "upload", "tool"] | None = None,
    tools: bool = True,
    min_ms: float | None = None,
    max_ms: float | None = None,
) -> control.LogPage:
    """Return rows of the query log, newest first; every given condition must hold.

    Args:
        limit: rows at most.
        offset: rows to pass over.
        text: part of the SQL, any case.
        status: completed, failed, cancelled, timeout, running, skipped or interrupted.
        connection: name.
        source: part of the notebook's path.
        since: ISO 8601, UTC.
        until: ISO 8601, UTC.
        run: a run's id or its beginning.
        driver: name.
        kind: query, upload, or tool: what the product asked for itself, as for a plan.
        tools: whether runs of the kind tool are wanted.
        min_ms: shortest duration, in milliseconds.
        max_ms: longest duration, in milliseconds.
    """
    from tusk_jupyter.protocol.control import ReadLog

    reply: control.LogPage = call(
        ReadLog(
            limit=limit, offset=offset, text=text, status=status, connection=connection, source=source, since=since,
            until=until, run=run, driver=driver, kind=kind, tools=tools, min_ms=min_ms, max_ms=max_ms,
        )
    )  # fmt: skip
    return reply


def logged_run(run: str) -> control.LogEntry:
    """Return the run in the log whose id begins so.

    Raises:
        UsageError: there is none, or more than one.
    """
    from tusk_jupyter.errors import UsageError

    entries = log(run=run, limit=20).entries
    if not entries:
        raise UsageError(f"The log has no run {run!r}.", hint="`%tusk log` lists the newest.")
    if len(entries) > 1:
        ids = ", ".join(entry.run[:12] for entry in entries)
        raise UsageError(f"{len(entries)} runs begin with {run!r}: {ids}.", hint="Give more of the id.")
    return entries[0]


def delete_log(*runs: str, until: str | None = None, everything: bool = False) -> int:
    """Delete runs that have ended from the query log, with every trace of their text; return how many.

    Args:
        *runs: their ids.
        until: ISO 8601, UTC: those that began before.
        everything: all of them.
    """
    from tusk_jupyter.protocol.control import DeleteLog

    deleted: control.LogDeleted = client().call(
        DeleteLog(runs=runs, until=until, everything=everything), timeout_s=DELETE_TIMEOUT_S
    )
    return deleted.entries


def running() -> tuple[control.RunState, ...]:
    """Return the runs under way, of all notebooks, oldest first."""
    from tusk_jupyter.protocol.control import ListRuns

    found: control.RunList = call(ListRuns())
    return found.runs


def cancel(run: str | None = None, *, everything: bool = False) -> tuple[control.RunState, ...]:
    """Cancel a run by its id (or a unique beginning), the runs of this session, or all; return what was cancelled."""
    from tusk_jupyter.protocol.control import CancelRun

    session = None if run or everything else client().session
    found: control.RunList = call(CancelRun(run=run, session=session, everything=everything))
    return found.runs


def doctor() -> tuple[control.Check, ...]:
    """Examine state folder, permissions, journal, keyring, vault and drivers."""
    from tusk_jupyter.protocol.control import Doctor

    found: control.Checks = call(Doctor())
    return found.checks


def info() -> control.CoreStatus:
    """Return how the core service is."""
    from tusk_jupyter.protocol.control import GetCoreStatus
    from tusk_jupyter.protocol.version import PROTOCOL_VERSION

    reply: control.CoreStatus = call(GetCoreStatus(client_version=version(), protocol=PROTOCOL_VERSION))
    return reply


def preferences() -> tuple[control.Preference, ...]:
    """Return the settings that all notebooks share, by name."""
    from tusk_jupyter.protocol.control import ListPreferences

    found: control.PreferenceList = call(ListPreferences())
    return found.preferences


def set_preference(name: str, value: str | None) -> control.Preference:
    """Set a preference from text; None sets it back to its default."""
    from tusk_jupyter.protocol.control import SetPreference

    reply: control.Preference = call(SetPreference(name=name, value=value))
    return reply


def version() -> str:
    """Return the version of this package."""
    from tusk_jupyter.version import __version__

    return __version__
