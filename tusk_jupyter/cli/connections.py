"""`connections`, `test`, `use`, `disconnect`, `duplicate`, `remove`."""

from __future__ import annotations

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import NO_CURRENT, in_terminal, json_option, naming, pass_output, show
from tusk_jupyter.cli.output import Listing, Output, counted
from tusk_jupyter.cli.times import ago
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import Connection, Disconnected
from tusk_jupyter.protocol.control.connections import rights_note


@click.command()
@json_option
@pass_output
def connections(output: Output, as_json: bool) -> None:
    """List the connections; the current one has a star."""
    found = api.connections()
    listing = Listing(
        columns=("", "name", "driver", "target", "open in", "password", "rules", "last used"),
        rows=[_row(connection) for connection in found],
        records=found,
        empty=f"No connection yet. Add one with `{output.prefix} connect NAME URL`, as `connect lake ./lake.duckdb`.",
    )
    show(output, listing, as_json=as_json)


def _row(connection: Connection) -> tuple[str, ...]:
    rules = [
        *([connection.environment] if connection.environment else []),
        *(["read-only"] if connection.read_only else []),
        *([f"timeout {connection.timeout_s:g} s"] if connection.timeout_s else []),
        *([f"{connection.memory_limit_mb} MB"] if connection.memory_limit_mb else []),
        *(["fresh process per run"] if connection.isolation == "statement" else []),
        *([] if connection.log else ["not logged"]),
    ]
    return (
        "*" if connection.current else "",
        connection.name,
        connection.driver,
        connection.target,
        ", ".join(_open_in(connection)),
        f"{connection.credential_tier or 'none'}{': MISSING' if connection.secret_lost else ''}",
        ", ".join(rules),
        ago(connection.last_used_at),
    )


def _open_in(connection: Connection) -> list[str]:
    """Name who has a session on the connection, this notebook first."""
    own = {"disconnected": [], "connected": ["here"]}.get(connection.state, [f"here ({connection.state})"])
    return [*own, *(source.rsplit("/", 1)[-1] for source in connection.others)]


@click.command()
@click.argument("name")
@json_option
@pass_output
def test(output: Output, name: str, as_json: bool) -> int:
    """Sign in and out again, and show which stage failed."""
    from tusk_jupyter.cli.options import print_json

    tested = api.test(name)
    if as_json:
        print_json(tested)
        return 0 if tested.ok else 1
    if tested.error is not None:
        raise tested.error.to_exception()
    link = f" ({tested.link})" if tested.link else ""
    output.say(f"{name}: {tested.server} answered in {tested.elapsed_s:.2f} s{link}.")
    if tested.rights:
        output.say(f"Note: {rights_note(tested.rights)}")
    return 0


@click.command()
@click.argument("name")
@pass_output
def use(output: Output, name: str) -> None:
    """Choose the current connection of a notebook: `%%sql` without a name uses it until another is chosen."""
    connection = api.use(name)
    if in_terminal():
        raise UsageError(
            f"{NO_CURRENT} {connection.name} is there: {connection.target} ({connection.driver}).",
            hint=f"Name it in each command, as `%tusk schema {connection.name}`.",
        )
    output.say(f"{connection.name} is the current connection: {connection.target} ({connection.driver}).")


@click.command()
@click.argument("name", required=False)
@pass_output
def disconnect(output: Output, name: str | None) -> None:
    """Close this notebook's session on the connection NAME (without one: the current connection).

    An open transaction is rolled back; temp tables and settings go. The next run opens a new session. A database file is free
    for other programs once no notebook has a session on it.
    """
    with naming("disconnect", name):
        done = api.disconnect(name)
    where = "; ".join(source.rsplit("/", 1)[-1] for source in done.others)
    if not done.session:
        here = [one.name for one in api.connections() if one.state != "disconnected"] if name is None else []
        elsewhere = f" It has sessions on: {', '.join(here)}; name the one to close." if here else ""
        output.say(f"There was no session of this {_own(output)} on {done.connection}.{elsewhere}")
    else:
        output.say(f"Closed the session on {done.connection}.{_gone_with(done)} The next run opens a new one.")
    if done.others:
        output.say(f"Other sessions stay open on it: {where}. `%tusk disconnect {done.connection}` there closes each.")


def _own(output: Output) -> str:
    return "notebook" if output.prefix.startswith("%") else "command line, whose sessions end with each command,"


def _gone_with(done: Disconnected) -> str:
    rolled_back = " Its open transaction was rolled back." if done.transaction != "idle" else ""
    if done.private:
        return f"{rolled_back} The database in memory is gone with it."
    return f"{rolled_back}{' Its temp tables and settings (SET, USE, ...) are gone.' if done.held else ''}"


@click.command()
@click.argument("name")
@click.argument("new")
@pass_output
def duplicate(output: Output, name: str, new: str) -> None:
    """Store a copy of the connection NAME as NEW, with a copy of its password in the same tier."""
    saved = api.duplicate(name, new)
    output.say(f"{saved.connection.name} is a copy of {name}: {saved.connection.target} ({saved.connection.driver}).")
    for notice in saved.notices:
        output.say(f"Note: {notice}")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_output
def remove(output: Output, name: str, yes: bool) -> None:
    """Delete a connection, every copy of its password and its sessions. The query log keeps its rows."""
    if not yes:
        known = {connection.name.casefold() for connection in api.connections()}
        if name.casefold() in known:
            _ask(output, name)
    gone = api.remove(name)
    tiers = f", its password (from: {', '.join(gone.tiers)})" if gone.tiers else ""
    sessions = f", {counted(gone.sessions, 'open session')}" if gone.sessions else ""
    output.say(f"Removed {gone.name}{tiers}{sessions}. The query log keeps its rows.")


def _ask(output: Output, name: str) -> None:
    if not output.can_ask:
        raise UsageError(
            f"Nobody can be asked whether {name} is to be removed; nothing was changed.",
            hint="Add --yes if you mean it.",
        )
    if not output.confirm(f"Remove the connection {name} and its password?"):
        raise click.Abort
