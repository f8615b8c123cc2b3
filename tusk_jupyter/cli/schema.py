"""`schema`: what is in a database."""

from __future__ import annotations

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import json_option, naming, pass_output, show
from tusk_jupyter.cli.output import Listing, Output, one_line
from tusk_jupyter.cli.times import duration
from tusk_jupyter.protocol.control import SchemaSnapshot, TableDescription
from tusk_jupyter.protocol.driver import SnapshotTable

_COLUMNS_WIDTH = 80


@click.command()
@click.argument("connection", required=False)
@click.argument("table", required=False)
@click.option(
    "--refresh", is_flag=True, help="Read it again; otherwise it is from the last hour, or from the last DDL seen."
)
@json_option
@pass_output
def schema(output: Output, connection: str | None, table: str | None, refresh: bool, as_json: bool) -> None:
    """List a connection's tables and views with their columns; with TABLE, describe that one.

    \b
    Examples:
      schema warehouse
      schema warehouse sales.orders
      schema lake --refresh
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if table is not None:
        show(output, _description(api.describe(table, connection)), as_json=as_json)
        return
    with naming("schema", connection):
        found = api.schema(connection, refresh=refresh)
    show(output, _tables(found, output.prefix), as_json=as_json)


def _tables(found: SchemaSnapshot, prefix: str) -> Listing:
    tables = found.snapshot.tables if found.snapshot else ()
    age = f", read {duration(found.age_s * 1000)} ago" if found.age_s is not None else ""
    reading = found.state in ("taking", "stale")
    return Listing(
        columns=("schema", "name", "kind", "columns"),
        rows=[_table(one) for one in tables],
        records=found,
        empty=f"The schema of {found.connection} is being read: try again in a moment."
        if found.snapshot is None
        else f"{found.connection} has no tables."
        + (
            " They are being read again."
            if reading
            else f" `{prefix} schema {found.connection} --refresh` looks again."
        ),
        notes=(f"{len(tables):,} table{'' if len(tables) == 1 else 's and views'} of {found.connection}{age}.",)
        if tables
        else (),
    )


def _table(table: SnapshotTable) -> tuple[str, ...]:
    columns = ", ".join(column.name + (" (key)" if column.primary_key else "") for column in table.columns)
    return ".".join(table.path[:-1]), table.path[-1], table.kind, one_line(columns, width=_COLUMNS_WIDTH)


def _description(found: TableDescription) -> Listing:
    described = found.description
    notes = [
        f"Index {index.name}: {', '.join(index.columns)}{' (unique)' if index.unique and not index.primary else ''}"
        f"{' (primary key)' if index.primary else ''}"
        for index in described.indexes
    ]
    return Listing(
        columns=("column", "type", "null", "key", "default", "comment"),
        rows=[
            (
                column.name,
                column.type,
                "" if column.nullable else "NOT NULL",
                "key" if column.primary_key else "",
                column.default or "",
                column.comment or "",
            )
            for column in described.columns
        ],
        records=found,
        empty=f"The {described.kind} {'.'.join(found.path)} has no columns.",
        notes=(*([described.comment] if described.comment else []), *notes),
    )
