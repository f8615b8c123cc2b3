"""`queries`: saved SQL."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, print_json, show
from tusk_jupyter.cli.output import Listing, Output, one_line
from tusk_jupyter.cli.times import ago
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import SavedQuery

_SQL_WIDTH = 80


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def queries(ctx: click.Context, as_json: bool) -> None:
    """Saved queries: list, show, save, delete.

    \b
    Examples:
      queries                              the same as `queries list`
      queries save daily "SELECT ..." --connection warehouse
      queries save daily --run 3f2a        from the query log
      queries show daily
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json=as_json)


@queries.command("list")
@json_option
@pass_output
def list_(output: Output, as_json: bool) -> None:
    """List the saved queries."""
    _list(output, as_json=as_json)


def _list(output: Output, *, as_json: bool) -> None:
    found = api.saved_queries()
    listing = Listing(
        columns=("name", "connection", "changed", "description", "SQL"),
        rows=[
            (one.name, one.connection or "", ago(one.updated_at), one.description, one_line(one.sql, width=_SQL_WIDTH))
            for one in found
        ],
        records=found,
        empty=f'No query is saved. Save one with `{output.prefix} queries save NAME "SELECT ..."`.',
    )
    show(output, listing, as_json=as_json)


@queries.command("show")
@click.argument("name")
@json_option
@pass_output
def show_(output: Output, name: str, as_json: bool) -> None:
    """Print a saved query's SQL, as it was saved."""
    found = _named(output, name)
    if as_json:
        return print_json(found)
    return output.say(found.sql)


@queries.command("save")
@click.argument("name")
@click.argument("sql", required=False)
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="Read the SQL from a file.")
@click.option("--run", metavar="RUN", help="Take the SQL and the connection of a run in the query log.")
@click.option("--connection", metavar="NAME", help="The connection that it is for.")
@click.option("--description", metavar="TEXT", default="", help="A description for people.")
@click.option("--replace", is_flag=True, help="Replace the query of that name.")
@pass_output
def save(
    output: Output, name: str, sql: str | None, path: Path | None, run: str | None, connection: str | None,
    description: str, replace: bool,
) -> None:  # fmt: skip
    """Save SQL under NAME: the text itself, a file, a run of the log, or `-` for standard input."""
    if sum(given is not None for given in (sql, path, run)) != 1:
        raise UsageError(
            "Give the SQL, or --file, or --run: one of them.", hint=f"`{output.prefix} queries save --help`"
        )
    if run is not None:
        entry = api.logged_run(run)
        sql, connection = entry.sql, connection or entry.connection
    elif path is not None:
        sql = _text_of(path)
    elif sql == "-":
        sql = sys.stdin.read()
    saved = api.save_query(name, sql or "", connection=connection, description=description, replace=replace)
    output.say(f"Saved {saved.name}{f' for {saved.connection}' if saved.connection else ''}.")


@queries.command("delete")
@click.argument("name")
@pass_output
def delete(output: Output, name: str) -> None:
    """Delete a saved query."""
    api.delete_query(name)
    output.say(f"Deleted {name}.")


def _named(output: Output, name: str) -> SavedQuery:
    found = [one for one in api.saved_queries() if one.name.casefold() == name.casefold()]
    if not found:
        raise UsageError(f"There is no saved query {name!r}.", hint=f"`{output.prefix} queries` lists them.")
    return found[0]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}.") from None
