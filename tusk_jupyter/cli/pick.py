"""`pick`: the connections with numbers, and a question. In a notebook, `%tusk pick` shows the picker instead."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import NO_CURRENT, in_terminal, pass_output
from tusk_jupyter.cli.output import Listing, Output
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import Connection


@click.command()
@pass_output
def pick(output: Output) -> None:
    """Choose the current connection from a list: by a number or by name."""
    found = api.connections()
    if found and in_terminal():
        hint = f"Name one in each command, as `%tusk schema {found[0].name}`; `%tusk connections` lists them."
        raise UsageError(NO_CURRENT, hint=hint)
    output.listing(
        Listing(
            columns=("no.", "", "name", "driver", "target", "rules"),
            rows=[_row(number, connection) for number, connection in enumerate(found, 1)],
            records=found,
            empty=f"No connection yet. Add one with `{output.prefix} connect NAME URL`, as `connect lake ./lake.duckdb`.",
            right=frozenset({"no."}),
        )
    )
    if not found:
        return
    if not output.can_ask:
        output.say(f"Choose one with `{output.prefix} use NAME`.")
        return
    answer = input("Number or name (empty: leave it): ").strip()
    if answer:
        chosen = api.use(_meant(answer, found))
        output.say(f"{chosen.name} is the current connection: {chosen.target} ({chosen.driver}).")


def _row(number: int, connection: Connection) -> tuple[str, ...]:
    marks = [
        *([connection.environment] if connection.environment else []),
        *(["read-only"] if connection.read_only else []),
    ]
    star = "*" if connection.current else ""
    return str(number), star, connection.name, connection.driver, connection.target, ", ".join(marks)


def _meant(answer: str, found: Sequence[Connection]) -> str:
    """Return the name that an answer means.

    Raises:
        UsageError: it is a number that is not in the list.
    """
    if not answer.isdigit():
        return answer
    if not 1 <= int(answer) <= len(found):
        raise UsageError(f"The list has the numbers 1 to {len(found)}, not {answer}. Nothing was changed.")
    return found[int(answer) - 1].name
