"""Running SQL and writing tables."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tusk_jupyter.api._session import client
from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.bare_frames import bare_frames
from tusk_jupyter.system.whole_imports import whole_imports

if TYPE_CHECKING:
    from tusk_jupyter.client import Client, RunResult
    from tusk_jupyter.protocol.values import Value

_PLACEHOLDER = re.compile(r":[^\W\d]")


@bare_frames
@whole_imports()
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
) -> Any:  # noqa: ANN401 - pandas, polars or Arrow, as asked
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
    from tusk_jupyter.client.tables import check_format, to_frame

    check_format(format)
    result = execute(
        sql, connection=connection, params=params, limit=limit, timeout_s=timeout_s, read_only=read_only, log=log
    )
    tables = [result.table]
    del result  # the table is handed over, so that its memory goes as the frame grows
    return to_frame(tables, format, decimal=decimal)


@bare_frames
@whole_imports()
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
    """Run SQL and return all that is known of the run: what each statement did, rows, notes, the last result in Arrow.

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
    from tusk_jupyter.protocol.control import RunRequest

    sink = None
    if to is not None:
        from tusk_jupyter.client.files import sink_for

        sink = sink_for(str(to), overwrite=overwrite)
    here = client()
    _check_parameters(here, sql, connection, params or {})
    request = RunRequest(
        session=here.session,
        connection=connection,
        sql=sql,
        parameters=pack_parameters(params or {}),
        timeout_s=timeout_s,
        limit=limit,
        read_only=read_only,
        log=log,
    )
    return here.run(request, sink=sink)


@bare_frames
@whole_imports()
def persist(
    data: object, table: str, *, connection: str | None = None, timeout_s: float | None = None, log: bool = True
) -> int:
    """Write a DataFrame into a new table and return the number of rows.

    A pandas index becomes columns, except for numbers of rows without a name. Where these are left out, or values get
    another form in the database, a warning says so.

    Raises:
        QueryError: the table exists.
    """
    return _upload(data, table, connection=connection, append=False, timeout_s=timeout_s, log=log)


@bare_frames
@whole_imports()
def append(
    data: object, table: str, *, connection: str | None = None, timeout_s: float | None = None, log: bool = True
) -> int:
    """Append a DataFrame to an existing table and return the number of rows; an index as in `persist`.

    Raises:
        QueryError: the table does not exist or takes no such rows.
    """
    return _upload(data, table, connection=connection, append=True, timeout_s=timeout_s, log=log)


def _upload(
    data: object, table: str, *, connection: str | None, append: bool, timeout_s: float | None, log: bool
) -> int:
    from tusk_jupyter.client.tables import index_notes, to_arrow
    from tusk_jupyter.protocol.control import UploadRequest

    rows = to_arrow(data)
    here = client()
    request = UploadRequest(
        session=here.session, connection=connection, table=table, append=append, timeout_s=timeout_s, log=log
    )
    result = here.upload(request, rows)
    for note in (*index_notes(data, only_lost=True), *result.notes):
        warnings.warn(note, stacklevel=2)
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


def _check_parameters(here: Client, sql: str, connection: str | None, params: Mapping[str, object]) -> None:
    """Refuse placeholders without a value and values without a placeholder, before anything runs."""
    if not params and not _PLACEHOLDER.search(sql):
        return
    split = here.split(sql, connection)
    wanted = list(dict.fromkeys(name for statement in split.statements for name in statement.parameters))
    missing = [name for name in wanted if name not in params]
    unused = [name for name in params if name not in wanted]
    if missing or unused:
        problem = (
            f"no value for {_colons(missing)}" if missing else f"a value for {_colons(unused)}, which it does not use"
        )
        raise UsageError(
            f"The parameters do not fit the SQL: {problem}.",
            hint=f"Its placeholders are {_colons(wanted)}." if wanted else "It has no placeholders.",
        )


def _colons(names: list[str]) -> str:
    return ", ".join(f":{name}" for name in names)
