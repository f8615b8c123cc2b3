"""What verbs have in common: where they write, `--json`, NAME=VALUE pairs, secrets from the environment."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from tusk_jupyter import api
from tusk_jupyter.cli.output import Listing, Output
from tusk_jupyter.cli.refusals import WordsRefused, shown_variable
from tusk_jupyter.errors import UsageError
from tusk_jupyter.system import plain_text
from tusk_jupyter.visible import in_json

F = TypeVar("F", bound=Callable[..., Any])

pass_output = click.pass_obj
"""Gives a verb its `Output` as first argument."""


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


NO_CURRENT = "A current connection belongs to a notebook; in a terminal it would end with this command."


def in_terminal() -> bool:
    """Return whether the verb that runs was typed in a shell, not in a notebook or IPython."""
    context = click.get_current_context(silent=True)
    output = context.find_root().obj if context else None
    return output is not None and not output.prefix.startswith("%")


@contextlib.contextmanager
def naming(verb: str, name: str | None) -> Iterator[None]:
    """Where a verb needs a connection and none was named, tell how this very verb names one.

    Raises:
        UsageError: there are connections, and nothing says which one is meant.
    """
    try:
        yield
    except UsageError as exc:
        known = api.connections() if exc.scenario == "no_connection" and name is None else ()
        if not known:
            raise
        first = known[0].name
        hint = f"Name it, as `%tusk {verb} {first}`"
        exc.hint = f"{hint}." if in_terminal() else f"{hint}, or choose it with `%tusk use {first}`."
        raise


def secret_variable_option(name: str, *, help: str) -> Callable[[F], F]:
    """Add an option that names an environment variable with a secret; a core that the verb starts goes without it."""

    def withhold(_: click.Context, __: click.Parameter, variable: str | None) -> str | None:
        if variable:
            from tusk_jupyter.client.boot import withheld

            withheld.add(variable)
        return variable

    return click.option(name, metavar="VAR", help=help, callback=withhold)


def show(output: Output, listing: Listing, *, as_json: bool) -> None:
    """Show a listing as a table or as JSON."""
    if as_json:
        print_json(listing.records)
    else:
        output.listing(listing)


def print_json(records: object) -> None:
    """Print protocol messages, or plain values, as indented JSON."""
    import msgspec

    text = in_json(msgspec.json.format(msgspec.json.encode(records), indent=2).decode())
    if plain_text.fitted(text) != text:  # escaped as JSON escapes, for a stream that cannot show it
        text = json.dumps(json.loads(text), indent=2)
    print(text)  # noqa: T201


def pairs(given: tuple[str, ...], *, option: str) -> dict[str, Any]:
    """Return NAME=VALUE pairs as a dictionary; values that are numbers or booleans become them.

    Raises:
        WordsRefused: one has no equals sign.
    """
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise WordsRefused(
                f"{option} takes NAME=VALUE; a word without an equals sign was given.",
                words=[pair],
                hint=f"As `{option} sslmode=require`.",
            )
        found[name] = _plain(value)
    return found


def _plain(value: str) -> str | int | bool:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 and str(int(value)) == value else value


def from_environment(variable: str, *, what: str) -> str:
    """Return a variable of the environment.

    Raises:
        WordsRefused: it is not set or empty.
    """
    value = os.environ.get(variable)
    if not value:
        state = "empty" if value is not None else "not set"
        raise WordsRefused(
            f"The environment variable {shown_variable(variable)}, which should hold {what}, is {state}.",
            words=[variable] if value is None and shown_variable(variable) != variable else [],
            hint="Export it in this shell; the option takes a variable's name, as `DB_PASSWORD`, never the secret itself."
            if in_terminal()
            else "Set it before Jupyter starts; `%env` shows what the kernel sees.",
        )
    return value
