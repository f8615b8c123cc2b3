"""The Python functions: what `%sql` and `tusk` do, for scripts and modules.

    import tusk_jupyter as tusk

    flights = tusk.query("SELECT * FROM flights WHERE month = :month", connection="warehouse", params={"month": 1})

They raise `tusk_jupyter.errors` and print nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    from tusk_jupyter.client import Client, RunResult
    from tusk_jupyter.protocol import control
    from tusk_jupyter.protocol.values import Value

__all__ = [
    "append",
    "cancel",
    "connect",
    "connections",
    "credentials",
    "doctor",
    "drivers",
    "execute",
    "info",
    "log",
    "persist",
    "preferences",
    "query",
    "remove",
    "running",
    "set_preference",
    "test",
    "use",
]

_PLACEHOLDER = re.compile(r":[A-Za-z_]")


# --- running SQL -------------------------------------------------------------------------------------------------------


def query(
    sql: str,
    *,
    connection: str | None = None,
    params: Mapping[str, object] | None = None,
    limit: int | None = None,
    timeout_s: float | None = None,
    read_only: bool = False,
    format: Literal["pandas", "polars", "arrow"] = "pandas",
    decimal: Literal["exact", "float"] = "exact",
    log: bool = True,
) -> Any:
    """Run SQL and return its last result as a DataFrame, or None when no statement yields rows.

    Args:
        sql: one or more statements.
        connection: name; None: the session's current one.
        params: values of the `:name` placeholders.
        limit: rows to fetch at most of each result; None: all.
        timeout_s: seconds after which the run is stopped.
        read_only: let the server refuse changes.
        format: kind of the result.
        decimal: whether DECIMAL stays exact or becomes float.
        log: whether the run is in the query log.

    Raises:
        TuskError: see `tusk_jupyter.errors`.
    """
    if format not in ("pandas", "polars", "arrow"):
        raise UsageError(f"There is no format {format!r}.", hint="Use pandas, polars or arrow.")
    result = execute(
        sql, connection=connection, params=params, limit=limit, timeout_s=timeout_s, read_only=read_only, log=log
    )
    if result.table is None or format == "arrow":
        return result.table
    from tusk_jupyter.client import frames

    return frames.to_polars(result.table) if format == "polars" else frames.to_pandas(result.table, decimal=decimal)


def execute(
    sql: str,
    *,
    connection: str | None = None,
    params: Mapping[str, object] | None = None,
    limit: int | None = None,
    timeout_s: float | None = None,
    read_only: bool = False,
    log: bool = True,
    to: str | Path | None = None,
    overwrite: bool = False,
) -> RunResult:
    """Run SQL and return all that is known of the run: reports of its statements, rows, notes, the last result in Arrow.

    Args:
        sql: one or more statements.
        connection: name; None: the session's current one.
        params: values of the `:name` placeholders.
        limit: rows to fetch at most of each result; None: all.
        timeout_s: seconds after which the run is stopped.
        read_only: let the server refuse changes.
        log: whether the run is in the query log.
        to: a .parquet, .csv or .arrow file that takes the result, batch by batch.
        overwrite: whether `to` may exist.

    Raises:
        TuskError: see `tusk_jupyter.errors`.
    """
    from tusk_jupyter.client.files import sink_for
    from tusk_jupyter.protocol.control import RunRequest

    sink = sink_for(str(to), overwrite=overwrite) if to is not None else None
    client = _client()
    _check_parameters(client, sql, connection, params or {})
    request = RunRequest(
        session=client.session,
        connection=connection,
        sql=sql,
        parameters=pack_parameters(params or {}),
        timeout_s=timeout_s,
        limit=limit,
        read_only=read_only,
        log=log,
    )
    return client.run(request, sink=sink)


def persist(
    data: Any, table: str, *, connection: str | None = None, timeout_s: float | None = None, log: bool = True
) -> int:
    """Write a DataFrame into a new table and return the number of rows.

    Raises:
        QueryError: the table exists.
    """
    return _upload(data, table, connection=connection, append=False, timeout_s=timeout_s, log=log)


def append(
    data: Any, table: str, *, connection: str | None = None, timeout_s: float | None = None, log: bool = True
) -> int:
    """Append a DataFrame to an existing table and return the number of rows.

    Raises:
        QueryError: the table does not exist or takes no such rows.
    """
    return _upload(data, table, connection=connection, append=True, timeout_s=timeout_s, log=log)


def _upload(
    data: Any, table: str, *, connection: str | None, append: bool, timeout_s: float | None, log: bool
) -> int:
    from tusk_jupyter.client.tables import to_arrow
    from tusk_jupyter.protocol.control import UploadRequest

    rows = to_arrow(data)
    client = _client()
    request = UploadRequest(
        session=client.session, connection=connection, table=table, append=append, timeout_s=timeout_s, log=log
    )
    client.upload(request, rows)
    return int(rows.num_rows)


def pack_parameters(params: Mapping[str, object]) -> dict[str, Value]:
    """Return values for the wire.

    Raises:
        UsageError: one of them is of a type that SQL has no parameter for; names it.
    """
    from tusk_jupyter.protocol.values import pack

    packed = {}
    for name, value in params.items():
        try:
            packed[name] = pack(value)
        except UsageError as exc:
            raise UsageError(f"The value of :{name} cannot be sent: {exc.message}", hint=exc.hint) from exc
    return packed


def _check_parameters(client: Client, sql: str, connection: str | None, params: Mapping[str, object]) -> None:
    """Refuse placeholders without a value and values without a placeholder, before anything runs."""
    if not params and not _PLACEHOLDER.search(sql):
        return
    split = client.split(sql, connection)
    wanted = list(dict.fromkeys(name for statement in split.statements for name in statement.parameters))
    missing = [name for name in wanted if name not in params]
    unused = [name for name in params if name not in wanted]
    if missing or unused:
        problem = f"no value for {_colons(missing)}" if missing else f"a value for {_colons(unused)}, which it does not use"
        raise UsageError(
            f"The parameters do not fit the SQL: {problem}.",
            hint=f"Its placeholders are {_colons(wanted)}." if wanted else "It has no placeholders.",
        )


def _colons(names: list[str]) -> str:
    return ", ".join(f":{name}" for name in names)


# --- connections -------------------------------------------------------------------------------------------------------


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
    **fields: Any,
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

    client = _client()
    given = {**(secrets or {}), **({"password": password} if password is not None else {})}
    return _call(
        SaveConnection(
            session=client.session, name=name, url=url, driver=driver, config=fields, secrets=given,
            password_command=password_command, tier=tier, read_only=read_only, environment=environment,
            timeout_s=timeout_s, memory_limit_mb=memory_limit_mb, isolation=isolation, log=log, replace=replace, test=test,
            base=str(Path.cwd()),
        )
    )  # fmt: skip


def connections() -> tuple[control.Connection, ...]:
    """Return the configured connections, by name."""
    from tusk_jupyter.protocol.control import ListConnections

    found: control.ConnectionList = _call(ListConnections(session=_client().session))
    return found.connections


def test(name: str) -> control.ConnectionTested:
    """Sign in and out again; the answer says which stage failed."""
    from tusk_jupyter.protocol.control import TestConnection

    return _call(TestConnection(session=_client().session, name=name))


def use(name: str) -> control.Connection:
    """Make a connection the current one of this session."""
    from tusk_jupyter.protocol.control import UseConnection

    return _call(UseConnection(session=_client().session, name=name))


def remove(name: str) -> control.ConnectionRemoved:
    """Delete a connection, its secrets and its sessions; the query log keeps its rows."""
    from tusk_jupyter.protocol.control import RemoveConnection

    return _call(RemoveConnection(session=_client().session, name=name))


def drivers(*, rescan: bool = False) -> tuple[control.DriverInfo, ...]:
    """Return the installed drivers; `rescan` asks each anew."""
    from tusk_jupyter.protocol.control import ListDrivers

    found: control.DriverList = _call(ListDrivers(rescan=rescan))
    return found.drivers


def credentials() -> control.CredentialList:
    """Return the credential tiers and what is stored in them, never a secret."""
    from tusk_jupyter.protocol.control import ListCredentials

    return _call(ListCredentials())


# --- the log, the core, settings ---------------------------------------------------------------------------------------


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
    """
    from tusk_jupyter.protocol.control import ReadLog

    return _call(
        ReadLog(
            limit=limit, offset=offset, text=text, status=status, connection=connection, source=source, since=since,
            until=until, run=run,
        )
    )  # fmt: skip


def running() -> tuple[control.RunState, ...]:
    """Return the runs under way, of all notebooks, oldest first."""
    from tusk_jupyter.protocol.control import ListRuns

    found: control.RunList = _call(ListRuns())
    return found.runs


def cancel(run: str | None = None, *, everything: bool = False) -> tuple[control.RunState, ...]:
    """Cancel a run by its id (or a unique beginning), the runs of this session, or all; return what was cancelled."""
    from tusk_jupyter.protocol.control import CancelRun

    session = None if run or everything else _client().session
    found: control.RunList = _call(CancelRun(run=run, session=session, everything=everything))
    return found.runs


def doctor() -> tuple[control.Check, ...]:
    """Examine state folder, permissions, journal, keyring, vault and drivers."""
    from tusk_jupyter.protocol.control import Doctor

    found: control.Checks = _call(Doctor())
    return found.checks


def info() -> control.CoreStatus:
    """Return how the core service is."""
    from tusk_jupyter.protocol.control import GetCoreStatus
    from tusk_jupyter.protocol.version import PROTOCOL_VERSION

    return _call(GetCoreStatus(client_version=version(), protocol=PROTOCOL_VERSION))


def preferences() -> tuple[control.Preference, ...]:
    """Return the settings that all notebooks share, by name."""
    from tusk_jupyter.protocol.control import ListPreferences

    found: control.PreferenceList = _call(ListPreferences())
    return found.preferences


def set_preference(name: str, value: str | None) -> control.Preference:
    """Set a preference from text; None sets it back to its default."""
    from tusk_jupyter.protocol.control import SetPreference

    return _call(SetPreference(name=name, value=value))


def version() -> str:
    """Return the version of this package."""
    from importlib.metadata import version as installed

    return installed("tusk-jupyter")


def _call(request: Any) -> Any:
    return _client().call(request)


def _client() -> Client:
    from tusk_jupyter.client import get_client

    return get_client(_source())


def _source() -> str | None:
    """Return where the runs of this process come from: the notebook's path, the script's path, or `python`."""
    notebook = os.environ.get("JPY_SESSION_NAME")
    if notebook and "ipykernel" in sys.modules:
        return notebook
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return str(Path(script).resolve()) if script else "python"
