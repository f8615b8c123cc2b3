"""`core status|stop`, `doctor`, `info`."""

from __future__ import annotations

import platform
import sys

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, print_json, show
from tusk_jupyter.cli.output import Listing, Output, counted
from tusk_jupyter.cli.times import local
from tusk_jupyter.client import get_client
from tusk_jupyter.errors import CoreError, StorageError
from tusk_jupyter.protocol.message import fields_of


@click.group(invoke_without_command=True)
@click.pass_context
def core(ctx: click.Context) -> None:
    """The core service: one process per user that holds connections, passwords and the log. It starts on demand."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(status)


@core.command()
@json_option
@pass_output
def status(output: Output, as_json: bool = False) -> None:
    """Show the core and what it holds, without starting one."""
    found = api.info() if _runs() else None
    if found is None:
        _check_startable()
    if as_json:
        return print_json(found)
    if found is None:
        return output.say("No core is running; the next cell or verb that needs one starts it.")
    processes = counted(found.drivers, "driver process", "driver processes")
    facts = (
        ("version", f"{found.version}, protocol {found.protocol}, Python {found.python}, DuckDB {found.duckdb}"),
        ("process", f"{found.pid}, since {local(found.started_at)}"),
        ("home", found.home),
        (
            "clients",
            f"{found.clients}, with {counted(found.sessions, 'database session')} in {processes}",
        ),
        ("runs", f"{found.running} under way, {found.log_rows:,} in the log"),
        ("idle exit", f"after {found.idle_exit_s / 60:.0f} min without a client" if found.idle_exit_s else "never"),
    )
    notices = tuple(f"Note: {notice}" for notice in found.notices)
    return output.listing(Listing(columns=("core", ""), rows=facts, records=found, empty="", notes=notices))


@core.command()
@pass_output
def stop(output: Output) -> None:
    """Stop the core: runs are cancelled and sessions closed. One that does not answer is ended by signals."""
    from tusk_jupyter.client.ending import end_core

    client = get_client()
    ended = end_core(client.link.places)
    client.link.forget()
    if ended is None:
        return output.say("No core is running.")
    if ended.how == "asked":
        counts = f": {counted(ended.running or 0, 'run')} cancelled, {counted(ended.sessions or 0, 'session')} closed"
        return output.say(f"The core has stopped{counts}. The next cell or verb that needs one starts it again.")
    signal = "SIGTERM" if ended.how == "terminated" else "SIGKILL"
    return output.say(
        f"The core (process {ended.pid}) did not answer and was ended by {signal}; its runs and sessions ended with it. "
        "What was under way may have taken effect: check."
    )


def _runs() -> bool:
    """Return whether a core runs.

    Raises:
        CoreError: one does, and cannot be reached.
    """
    peer = get_client().link.running(patience_s=2.0)
    if peer is None:
        return False
    peer.close()
    return True


def _check_startable() -> None:
    """See that the state folder would be taken.

    Raises:
        CoreError: it is refused, so no core starts.
    """
    try:
        get_client().link.places.examine()
    except StorageError as exc:
        raise CoreError(f"No core is running, and none can be started: {exc.message}", hint=exc.hint) from exc


@click.command()
@json_option
@pass_output
def doctor(output: Output, as_json: bool) -> int:
    """Examine state folder, permissions, journal, keyring, vault and drivers; fails when something is wrong."""
    checks = api.doctor()
    bad = [check for check in checks if not check.ok]
    listing = Listing(
        columns=("", "check", "finding", "what to do"),
        rows=[("ok" if check.ok else "BAD", check.name, check.message, check.hint or "") for check in checks],
        records=checks,
        empty="There was nothing to examine.",
        notes=(f"{len(bad)} of {len(checks)} checks failed." if bad else f"All {len(checks)} checks passed.",),
    )
    show(output, listing, as_json=as_json)
    return 1 if bad else 0


@click.command()
@json_option
@pass_output
def info(output: Output, as_json: bool) -> None:
    """Show versions and places, for a bug report."""
    ours = {"tusk-jupyter": api.version(), "python": sys.version.split()[0], "platform": platform.platform()}
    try:
        found = api.info()
    except CoreError as exc:  # of another version, frozen, or not to be started: that is what the report is for
        facts = {**ours, "home": str(get_client().link.places.home), "core": exc.message}
        known: dict[str, object] = {"core": None, "problem": exc.message}
        notes = (f"Note: {exc.hint}",) if exc.hint else ()
    else:
        facts = {
            "tusk-jupyter": ours["tusk-jupyter"], "core": found.version, "protocol": str(found.protocol), **ours,
            "duckdb (core)": found.duckdb, "home": found.home,
        }  # fmt: skip
        known, notes = {"core": fields_of(found)}, ()
    if as_json:
        return print_json({**facts, **known})
    return output.listing(
        Listing(columns=("what", "which"), rows=list(facts.items()), records=facts, empty="", notes=notes)
    )
