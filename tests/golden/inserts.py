"""A result as INSERT statements, and the same values back from the engine that they were loaded into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tusk_jupyter.client import frames, texts
from tusk_jupyter.errors import UsageError
from tusk_magics.grid_display import nan_is_null
from tusk_widgets.export import Export, Facts, save
from tusk_widgets.grid_data import GridData, frame_of


def exported(table: pa.Table, dialect: str, folder: Path, *, name: str = "back") -> str:
    nulls = nan_is_null(table)
    value = frames.to_pandas(table)
    data = GridData(value, frame_of(value, table.schema, nulls))
    export = Export(format="insert", name="back.sql", overwrite=True, table=name)
    return save(data, None, export, Facts(connection="x", dialect=dialect), folder=folder).path.read_bytes().decode()


@dataclass(frozen=True)
class Dialect:
    """How a column of a type is made, filled and read in order of its rows."""

    make: str
    read: str


NUMBERED = "SELECT v FROM back ORDER BY n"
DIALECTS = {
    "duckdb": Dialect("CREATE OR REPLACE TEMP TABLE back (v {})", "SELECT v FROM back ORDER BY rowid"),
    "sqlite": Dialect("DROP TABLE IF EXISTS back; CREATE TABLE back (n INTEGER PRIMARY KEY, v {})", NUMBERED),
    "postgresql": Dialect("DROP TABLE IF EXISTS back; CREATE TEMP TABLE back (n serial, v {})", NUMBERED),
    "mysql": Dialect("CREATE OR REPLACE TEMPORARY TABLE back (n INT AUTO_INCREMENT PRIMARY KEY, v {} NULL)", NUMBERED),
}

REFUSED = {"duckdb": {"VARIANT"}}
"""Types of which no value has a literal."""


def shown(table: pa.Table) -> tuple[list[pa.DataType], list[str | None]]:
    return table.schema.types, [text for chunk in table.column(0).chunks for text in texts.to_text(chunk).to_pylist()]


def wrongs(engine: Any, type_: str, table: pa.Table, folder: Path, *, under: str = "", after: str = "") -> list[Any]:
    """Load a result of one column back into its engine, and return what differs.

    Args:
        engine: of the result, and named as its dialect.
        type_: of the column.
        table: the result.
        folder: for the file.
        under: settings of the session that reads the file.
        after: puts them back.
    """
    dialect = DIALECTS[engine.name]
    named = table.rename_columns(["v"]).replace_schema_metadata(table.schema.metadata)
    try:
        script = exported(named, engine.name, folder)
    except UsageError as exc:
        return [] if type_ in REFUSED.get(engine.name, ()) and "'v'" in exc.message else [(type_, exc)]
    make = f"{dialect.make.format(type_)}; "
    if under:
        engine.run(make + under)
        make = ""
    try:
        back = engine.run(f"{make}{script}{after}{dialect.read}").table
    except Exception as exc:
        return [(type_, exc, getattr(exc, "detail", ""), script[:300])]
    return [] if shown(back) == shown(named) else [(type_, shown(back), shown(named), script[:300])]


# --- the tables of docs/exports.md -------------------------------------------------------------------------------------

SHOWN = 60
"""Characters of a literal."""


def line(type_: str, table: pa.Table, dialect: str, folder: Path) -> str:
    """Return the line of a type in its engine's table: what is written for its first value."""
    kind = str(table.schema.field(0).type)
    place = next((n for n, value in enumerate(table.column(0).is_valid().to_pylist()) if value), None)
    if place is None:
        return f"| {_code(type_)} | {_code(kind)} | `NULL` | equal |"
    named = table.slice(place, 1).rename_columns(["v"]).replace_schema_metadata(table.schema.metadata)
    try:
        script = exported(named, dialect, folder)
    except UsageError:
        return f"| {_code(type_)} | {_code(kind)} | | refused |"
    literal = script.partition("VALUES\n(")[2].rpartition(");")[0].replace("\n", "\u21b5")
    return f"| {_code(type_)} | {_code(kind)} | {_code(literal)} | equal |"


def _code(text: str) -> str:
    cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return f"`{cut}`".replace("|", "\\|") if cut.strip() else ""


def page_lines(name: str) -> list[str]:
    """Return the lines of an engine's table in the page."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    return page.partition(f"<!-- inserts {name} -->")[2].strip().partition("\n\n")[0].splitlines()[2:]
