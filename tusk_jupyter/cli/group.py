"""The click group. Verbs are named here and loaded when used, so that `tusk --help` and `%tusk log` stay quick."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import click

from tusk_jupyter import errors
from tusk_jupyter.cli.output import Output
from tusk_jupyter.cli.passwords import behind_secret_verb
from tusk_jupyter.cli.refusals import WordsRefused, of_click
from tusk_jupyter.system import open_files

VERBS = {
    "connect": ("connect", "Add a connection: NAME URL."),
    "connections": ("connections", "List the connections."),
    "test": ("connections", "Sign in and out again, and show which stage failed."),
    "use": ("connections", "Choose the current connection."),
    "pick": ("pick", "Choose the current connection from a list."),
    "disconnect": ("connections", "Close this notebook's session on a connection."),
    "duplicate": ("connections", "Copy a connection: NAME NEW."),
    "remove": ("connections", "Delete a connection and its secrets."),
    "schema": ("schema", "Tables, views and columns of a connection."),
    "drivers": ("drivers", "List the drivers and their fields."),
    "credentials": ("credentials", "Where passwords are kept: list, set, delete, unlock."),
    "log": ("log", "Search the query log, delete from it."),
    "queries": ("queries", "Saved queries: list, show, save, delete."),
    "running": ("runs", "List the runs under way, of all notebooks."),
    "cancel": ("runs", "Stop a run on its server."),
    "core": ("core", "The core service: status, stop."),
    "doctor": ("core", "Examine the installation."),
    "info": ("core", "Versions and places."),
    "set": ("settings", "Show or change settings."),
}
"""Module and one-line help of each verb, in the order of the overview."""


class Verbs(click.Group):
    """A group that knows its verbs by name before it loads them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the overview's order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"tusk_jupyter.cli.{VERBS[cmd_name][0]}")
        command = getattr(module, cmd_name if cmd_name != "set" else "set_")
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say what there is."""
        if args and args[0] not in VERBS:
            raise _no_verb(args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table, without loading a verb."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


def _no_verb(words: list[str]) -> WordsRefused:
    """Return the error for a word that is no verb; what a misspelt `connect` was given stays in the history."""
    near = difflib.get_close_matches(words[0], VERBS, n=1, cutoff=0.5)
    known = difflib.get_close_matches(words[0], VERBS, n=1, cutoff=0.7)
    behind = behind_secret_verb(words)
    near = ["credentials"] if behind and near != ["credentials"] else near
    return WordsRefused(
        f"There is no verb {_shown(words[0])}. Verbs: {', '.join(VERBS)}.",
        words=behind or ([] if known else words[1:]),
        hint=f"Did you mean `{near[0]}`?" if near else "Without a verb, the overview is shown.",
    )


def _shown(word: str) -> str:
    return repr(word) if word.replace("-", "").isalpha() else "of that name"


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tusk-jupyter", message="tusk-jupyter %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """SQL in Jupyter: connections, credentials, the query log.

    \b
    Examples:
      tusk connect warehouse postgresql://ann@db.example.org/sales
      tusk connect lake ./lake.duckdb
      tusk log --text flights --since 2d

    In a notebook the same verbs are `%tusk VERB`, and `%%sql warehouse` runs SQL.
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run_verb(words: list[str], *, output: Output) -> int:
    """Run a verb and return its exit code.

    Raises:
        TuskError: it failed; a wrong word or option is a UsageError.
        KeyboardInterrupt: the user broke off.
    """
    try:
        with open_files.or_told():
            code: Any = root.main(args=words, prog_name=output.prefix, standalone_mode=False, obj=output)
    except click.Abort as exc:
        if isinstance(exc.__cause__, KeyboardInterrupt):
            raise errors.Cancelled("Interrupted; the core may still do what it was asked for.") from None
        raise errors.Cancelled("Nothing was changed.") from None
    except click.UsageError as exc:
        raise of_click(exc, words) from None
    except click.ClickException as exc:
        raise errors.UsageError(exc.format_message()) from None
    return code if isinstance(code, int) else 0
