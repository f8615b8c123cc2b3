"""`log`: search the query log."""

from __future__ import annotations

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, show
from tusk_jupyter.cli.output import Listing, Output, one_line
from tusk_jupyter.cli.times import duration, local, since
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import LogEntry

STATUSES = ["running", "completed", "cancelled", "timeout", "failed", "skipped", "interrupted"]
_SQL_WIDTH = 80


@click.command()
@click.argument("run", required=False)
@click.option("-n", "--limit", type=click.IntRange(0), default=20, show_default=True, help="Rows at most.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to pass over.")
@click.option("--text", metavar="TEXT", help="Part of the SQL, any case.")
@click.option("--status", type=click.Choice(STATUSES), help="How the run ended.")
@click.option("--connection", metavar="NAME", help="Runs on this connection.")
@click.option("--source", metavar="TEXT", help="Part of the notebook's path.")
@click.option("--since", "since_", metavar="TIME", help="30m, 2h, 3d, 1w, today, or a date.")
@click.option("--until", metavar="TIME", help="As --since.")
@json_option
@pass_output
def log(
    output: Output, run: str | None, limit: int, offset: int, text: str | None, status: str | None,
    connection: str | None, source: str | None, since_: str | None, until: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Search the query log, newest first; every condition must hold. With RUN, show that run in full.

    \b
    Examples:
      log --text flights --since 2d
      log --status failed --connection warehouse -n 5
      log 3f2a
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    page = api.log(
        limit=limit, offset=offset, text=text, status=status, connection=connection, source=source,
        since=since(since_, option="--since"), until=since(until, option="--until"), run=run,
    )  # fmt: skip
    if run is not None and not as_json:
        return _show_one(output, run, page.entries)
    shown = f"Showing {len(page.entries):,} of {page.total:,} runs; --limit and --offset show more."
    filtered = any((text, status, connection, source, since_, until))
    listing = Listing(
        columns=("run", "started", "status", "connection", "rows", "time", "source", "SQL"),
        rows=[_row(entry) for entry in page.entries],
        records=page,
        empty="No run fits these conditions; fewer of them find more."
        if filtered
        else "The query log is empty: run a `%%sql` cell first.",
        right=frozenset({"rows", "time"}),
        notes=(shown,) if page.total > len(page.entries) else (),
    )
    return show(output, listing, as_json=as_json)


def _row(entry: LogEntry) -> tuple[str, ...]:
    return (
        entry.run[:8],
        local(entry.started_at),
        entry.status,
        entry.connection,
        _rows(entry),
        duration(entry.elapsed_ms),
        entry.source.rsplit("/", 1)[-1],
        one_line(entry.sql, width=_SQL_WIDTH),
    )


def _rows(entry: LogEntry) -> str:
    if entry.affected is not None and not entry.rows:
        return f"{entry.affected:,} changed"
    return "" if entry.rows is None else f"{entry.rows:,}"


def _show_one(output: Output, run: str, entries: tuple[LogEntry, ...]) -> None:
    if not entries:
        raise UsageError(f"The log has no run {run!r}.", hint=f"`{output.prefix} log` lists the newest.")
    if len(entries) > 1:
        ids = ", ".join(entry.run[:12] for entry in entries)
        raise UsageError(f"{len(entries)} runs begin with {run!r}: {ids}.", hint="Give more of the id.")
    entry = entries[0]
    facts = {
        "run": entry.run, "status": entry.status, "connection": f"{entry.connection} ({entry.driver})",
        "started": local(entry.started_at), "time": duration(entry.elapsed_ms), "rows": _rows(entry),
        "source": entry.source + (f", cell {entry.cell}" if entry.cell else ""), "error": entry.error or "",
        "code": entry.code or "",
    }  # fmt: skip
    output.say("\n".join(f"{name + ':':<12}{value}" for name, value in facts.items() if value))
    output.say(f"\n{entry.sql}")
