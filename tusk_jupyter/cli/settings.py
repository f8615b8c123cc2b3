"""`set`: settings that all notebooks share. `%config TuskMagics` are those of one notebook."""

from __future__ import annotations

import difflib

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, show
from tusk_jupyter.cli.output import Listing, Output
from tusk_jupyter.cli.refusals import WordsRefused
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import Preference


@click.command("set")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.option("--reset", is_flag=True, help="Set NAME back to its default.")
@json_option
@pass_output
def set_(output: Output, name: str | None, value: str | None, reset: bool, as_json: bool) -> None:
    """Show the settings, or change one: NAME VALUE.

    \b
    Examples:
      set                      all settings
      set timeout_s 300
      set timeout_s --reset
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if reset and (name is None or value is not None):
        raise UsageError("--reset takes the name of one setting and no value.", hint="As `set timeout_s --reset`.")
    if name is not None and (reset or value is not None):
        if name not in (known := [item.name for item in api.preferences()]):
            raise _unknown(name, known, words=[value] if value else [])
        changed = api.set_preference(name, None if reset else value)
        return output.say(
            f"{changed.name} is {_shown(changed.value, changed.unit)} (default {_shown(changed.default, '')})."
        )
    found = api.preferences()
    if name is not None:
        found = _named(found, name)
    listing = Listing(
        columns=("name", "value", "default", "what it does"),
        rows=[
            (item.name, _shown(item.value, item.unit), _shown(item.default, item.unit), item.description)
            for item in found
        ],
        records=found,
        empty="There are no settings.",
    )
    return show(output, listing, as_json=as_json)


def _named(found: tuple[Preference, ...], name: str) -> tuple[Preference, ...]:
    chosen = tuple(item for item in found if item.name == name)
    if not chosen:
        raise _unknown(name, [item.name for item in found], words=[name])
    return chosen


def _unknown(name: str, known: list[str], *, words: list[str]) -> WordsRefused:
    near = difflib.get_close_matches(name, known, n=1)
    shown = f" {name!r}" if name.replace("_", "").isalpha() else " of that name"
    return WordsRefused(
        f"There is no setting{shown}. Settings: {', '.join(known)}.",
        words=words,
        hint=f"Did you mean {near[0]}?" if near else None,
    )


def _shown(value: object, unit: str) -> str:
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{text} {unit}".rstrip()
