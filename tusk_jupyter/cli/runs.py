"""`running` and `cancel`."""

from __future__ import annotations

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, show
from tusk_jupyter.cli.output import Listing, Output, one_line
from tusk_jupyter.cli.times import duration
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import RunState

_SQL_WIDTH = 80


@click.command()
@json_option
@pass_output
def running(output: Output, as_json: bool) -> None:
    """List the runs under way, of all notebooks, oldest first."""
    found = api.running()
    listing = Listing(
        columns=("run", "connection", "time", "rows", "source", "SQL"),
        rows=[_row(state) for state in found],
        records=found,
        empty=f"Nothing is running. `{output.prefix} log` shows what ran.",
        right=frozenset({"time", "rows"}),
        notes=tuple(_waiting(state, output) for state in found if state.waits_for),
    )
    show(output, listing, as_json=as_json)


def _row(state: RunState) -> tuple[str, ...]:
    return (
        state.run[:8],
        state.connection,
        duration(state.elapsed_s * 1000),
        f"{state.rows:,}",
        state.source.rsplit("/", 1)[-1] + _doing(state),
        one_line(state.sql, width=_SQL_WIDTH),
    )


def _doing(state: RunState) -> str:
    return " (stopping)" if state.cancelling else " (waits for a lock)" if state.waits_for else ""


def _waiting(state: RunState, output: Output) -> str:
    way_out = state.way_out.replace("`%tusk ", f"`{output.prefix} ")
    return one_line(f"{state.run[:8]} waits for {state.waits_for}. {way_out}")


@click.command()
@click.argument("run", required=False)
@click.option("--all", "everything", is_flag=True, help="All runs, of all notebooks.")
@pass_output
def cancel(output: Output, run: str | None, everything: bool) -> None:
    """Stop a run on its server: RUN is the beginning of its id. Without one, the only run under way."""
    if run is None and not everything:
        under_way = api.running()
        if len(under_way) > 1:
            ids = ", ".join(f"{state.run[:8]} ({state.connection})" for state in under_way)
            raise UsageError(f"{len(under_way)} runs are under way: {ids}.", hint="Name one of them, or give --all.")
        if not under_way:
            return output.say("Nothing is running.")
        run = under_way[0].run
    stopped = api.cancel(run, everything=everything)
    names = ", ".join(f"{state.run[:8]} ({state.connection})" for state in stopped)
    return output.say(f"Stopping {names}." if stopped else "Nothing is running.")
