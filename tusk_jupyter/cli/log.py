"""`log`: search the query log."""

from __future__ import annotations

import click
from click.core import ParameterSource

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, show
from tusk_jupyter.cli.output import Listing, Output, one_line
from tusk_jupyter.cli.times import duration, local, since
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import LogEntry

STATUSES = ["running", "completed", "cancelled", "timeout", "failed", "skipped", "interrupted"]
_SQL_WIDTH = 80


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("-n", "--limit", type=click.IntRange(0), default=20, show_default=True, help="At most this many rows.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to skip.")
@click.option("--text", metavar="TEXT", help="Part of the SQL, any case.")
@click.option("--status", type=click.Choice(STATUSES), help="How the run ended.")
@click.option("--connection", metavar="NAME", help="Runs on this connection.")
@click.option("--source", metavar="TEXT", help="Part of the notebook's path.")
@click.option("--since", "since_", metavar="TIME", help="30m, 2h, 3d, 1w, today, or a date.")
@click.option("--until", metavar="TIME", help="As --since.")
@click.option("--driver", metavar="NAME", help="Runs by this driver.")
@click.option("--min-ms", type=click.FloatRange(0), metavar="MS", help="Runs that took at least this long.")
@click.option("--max-ms", type=click.FloatRange(0), metavar="MS", help="Runs that took at most this long.")
@click.option("--no-tools", is_flag=True, help="Leave out what tools ran, such as plans.")
@click.option(
    "--delete", is_flag=True, help="Delete the runs RUN..., or those before --until; with every trace of their text."
)
@click.option("--clear", is_flag=True, help="Delete all runs that have ended.")
@click.option("--yes", is_flag=True, help="Do not ask before --delete --until and --clear.")
@json_option
@pass_output
def log(
    output: Output, runs: tuple[str, ...], limit: int, offset: int, text: str | None, status: str | None,
    connection: str | None, source: str | None, since_: str | None, until: str | None, driver: str | None,
    min_ms: float | None, max_ms: float | None, no_tools: bool, delete: bool, clear: bool, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Search the query log, newest first; every condition must hold. With RUN, show that run in full.

    \b
    Examples:
      log --text flights --since 2d
      log --status failed --connection warehouse -n 5
      log --min-ms 5000 --no-tools
      log 3f2a
      log --delete 3f2a 9c01
      log --delete --until 90d
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if delete or clear:
        others = (text, status, connection, source, since_, driver, min_ms, max_ms)
        a_page = _was_given("limit") or _was_given("offset") or no_tools
        if (
            any(one is not None for one in others)
            or a_page
            or (clear and (runs or until))
            or (delete and runs and until)
        ):
            raise UsageError("Runs are deleted by their ids, before --until, or all by --clear.")
        return _delete(output, runs, since(until, option="--until"), clear=clear, yes=yes)
    if len(runs) > 1:
        raise UsageError("One run can be shown at a time.", hint="Give one id; --delete takes several.")
    run = runs[0] if runs else None
    page = api.log(
        limit=limit, offset=offset, text=text, status=status, connection=connection, source=source,
        since=since(since_, option="--since"), until=since(until, option="--until"), run=run,
        driver=driver, min_ms=min_ms, max_ms=max_ms, tools=not no_tools,
    )  # fmt: skip
    if run is not None and not as_json:
        return _show_one(output, api.logged_run(run))
    shown = f"Showing {len(page.entries):,} of {page.total:,} runs; --limit and --offset show more."
    filtered = no_tools or any((text, status, connection, source, since_, until, driver, min_ms, max_ms))
    listing = Listing(
        columns=("run", "started", "status", "connection", "rows", "time", "source", "SQL"),
        rows=[_row(entry) for entry in page.entries],
        records=page,
        empty="No run matches these conditions; try fewer of them."
        if filtered
        else "The query log is empty: run a `%%sql` cell first.",
        right=frozenset({"rows", "time"}),
        notes=(shown,) if page.total > len(page.entries) else (),
    )
    return show(output, listing, as_json=as_json)


def _was_given(option: str) -> bool:
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


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


def _show_one(output: Output, entry: LogEntry) -> None:
    facts = {
        "run": entry.run, "status": entry.status, "connection": f"{entry.connection} ({entry.driver})",
        "started": local(entry.started_at), "time": duration(entry.elapsed_ms), "rows": _rows(entry),
        "source": entry.source + (f", cell {entry.cell}" if entry.cell else ""), "error": entry.error or "",
        "code": entry.code or "",
        **{f":{name}": value for name, value in entry.parameters.items()},
    }  # fmt: skip
    output.say("\n".join(f"{name + ':':<12}{value}" for name, value in facts.items() if value))
    output.say(f"\n{entry.sql}")


def _delete(output: Output, runs: tuple[str, ...], until: str | None, *, clear: bool, yes: bool) -> None:
    """Delete what was named, or after a question all of it or all that is old."""
    if runs:
        ids = tuple(api.logged_run(run).run for run in runs)
    elif clear or until:
        ids = ()
        _ask(output, "all runs" if clear else f"the runs before {local(until or '')}", yes=yes)
    else:
        raise UsageError("Nothing was named.", hint="Give ids of runs, or --until TIME; --clear deletes all.")
    deleted = api.delete_log(*ids, until=until, everything=clear)
    output.say(f"Deleted {deleted:,} run{'' if deleted == 1 else 's'} from the query log, with their text.")


def _ask(output: Output, what: str, *, yes: bool) -> None:
    if yes:
        return
    if not output.can_ask:
        raise UsageError(
            f"Nobody can be asked whether {what} are to be deleted; nothing was changed.",
            hint="Add --yes if you mean it.",
        )
    if not output.confirm(f"Delete {what} from the query log?"):
        raise click.Abort
