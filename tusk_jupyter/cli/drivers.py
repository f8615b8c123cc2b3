"""`drivers`: what is installed, and the fields of one."""

from __future__ import annotations

from typing import Any

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, pass_output, show
from tusk_jupyter.cli.output import Listing, Output
from tusk_jupyter.errors import DriverNotFound


@click.command()
@click.argument("name", required=False)
@click.option("--rescan", is_flag=True, help="Ask each driver again.")
@json_option
@pass_output
def drivers(output: Output, name: str | None, rescan: bool, as_json: bool) -> None:
    """List the drivers, or the fields of one: what `connect --set FIELD=VALUE` takes."""
    found = api.drivers(rescan=rescan)
    if name is None:
        rows = [
            (info.name, info.title, info.version, ", ".join(info.schemes), info.problem or "ready") for info in found
        ]
        columns = ("name", "database", "version", "URL schemes", "state")
        empty = "No driver is installed, which is odd: reinstall tusk-jupyter."
        return show(output, Listing(columns=columns, rows=rows, records=found, empty=empty), as_json=as_json)
    info = next((info for info in found if info.name == name or name in info.schemes), None)
    if info is None:
        raise DriverNotFound(
            f"There is no driver {name!r}. Installed: {', '.join(info.name for info in found)}.",
            hint="Packages add drivers through the entry point group `tusk_jupyter.drivers`.",
        )
    fields: dict[str, dict[str, Any]] = info.fields.get("properties", {})
    listing = Listing(
        columns=("field", "type", "default", "what it is"),
        rows=[_field(field, spec) for field, spec in fields.items()],
        records=info,
        empty=f"The driver {info.name} has no fields.",
        notes=tuple([f"Problem: {info.problem}"] if info.problem else []),
    )
    return show(output, listing, as_json=as_json)


def _field(name: str, spec: dict[str, Any]) -> tuple[str, ...]:
    kind = (
        "secret"
        if spec.get("secret")
        else "|".join(map(str, spec["enum"]))
        if "enum" in spec
        else str(spec.get("type", ""))
    )
    words = [str(spec[key]) for key in ("title", "description") if spec.get(key)]
    default = spec.get("default")
    return name, kind, "" if default is None else str(default), ": ".join(words)
