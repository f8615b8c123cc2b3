"""What is wrong with a cell before anything is asked of the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tusk_jupyter.errors import UsageError
from tusk_magics.line import SqlLine

FRAMES = frozenset({"DataFrame", "LazyFrame", "Table", "RecordBatch"})
"""Classes of pandas, polars and Arrow that `--persist` takes."""
USAGE_HINT = "Write the statement below `%%sql`, or behind `%sql` on one line; `%sql --help` shows how."


def emptiness(sql: str) -> str:
    """Return in which way a text without SQL is empty."""
    return "only comments" if sql.strip(" \t\r\n;") else "the cell is empty" if "\n" in sql else "nothing was written"


def check_options(parsed: SqlLine) -> None:
    """Refuse options that contradict each other."""
    options = parsed.options
    if options.to and parsed.into:
        raise UsageError(
            f"--to {options.to} writes the result into a file, so there is nothing to assign to {parsed.into}.",
            hint="Leave one of them out.",
        )
    if options.overwrite and not options.to:
        raise UsageError(
            "--overwrite says what --to may do, and there is no --to.", hint="Leave it out, or add --to FILE."
        )
    if parsed.table is not None:
        _check_upload(parsed)


def _check_upload(parsed: SqlLine) -> None:
    """Refuse what --persist and --append would only ignore."""
    named = {name for name, value in dataclasses.asdict(parsed.options).items() if value}
    idle = sorted(named - {"persist", "append", "timeout", "no_log"})
    if parsed.into or idle:
        word = f"--{idle[0].replace('_', '-')}" if idle else f"{parsed.into} <<"
        raise UsageError(
            f"{word} means nothing beside --persist or --append, which write a table and yield no result.",
            hint="Leave it out.",
        )


def table_variable(name: str, namespace: Mapping[str, Any]) -> object:
    """Return the variable that is to be written into a table.

    Raises:
        UsageError: there is none of that name; names the DataFrames there are.
    """
    if name in namespace:
        return namespace[name]
    frames = [
        key for key, value in namespace.items() if type(value).__name__ == "DataFrame" and not key.startswith("_")
    ]
    exists = f"DataFrames there are: {', '.join(frames[:8])}" if frames else "there is no DataFrame in this notebook"
    raise UsageError(
        f"There is no variable `{name}` to write into a table; {exists}.", hint="Give the variable's name."
    )
