"""What `%sql?` and `%sql --help` print, drawn from the one table of options."""

from __future__ import annotations

from tusk_magics.options import OPTIONS

_HEAD = """Run SQL on a configured connection; the value is a DataFrame.

    %%sql [CONNECTION] [options] [NAME <<]
    SELECT ...

    %sql [CONNECTION] [options] [NAME <<] SELECT ...

Without CONNECTION, the notebook's current one: the one chosen with `%tusk use NAME` or the picker, until another is chosen;
where none was chosen, the one used last, or the only one there is.
Several statements run in order and stop at the first error; the last result is the value.
:name is a parameter, bound by the database itself, from --param, --params or the variable of that name.

Options
"""
_TAIL = """
Examples
    %%sql warehouse                          the value is a pandas DataFrame
    SELECT * FROM flights WHERE month = :month

    %%sql warehouse --limit 1000 late <<     at most 1,000 rows, into the variable `late`
    SELECT * FROM flights WHERE dep_delay > 60

    n = %sql SELECT count(*) FROM flights    a line is an expression, too

    %sql --to flights.parquet SELECT * FROM flights      streamed into a file, never whole in memory
    %sql warehouse --persist df AS main.planes           a DataFrame into a new table

`%tusk` lists connections, the log and everything else; `%config TuskMagics` the defaults.
"""


def help_text() -> str:
    """Return the help of `%sql`."""
    width = max(len(_signature(option.name, option.value)) for option in OPTIONS) + 2
    lines = [f"    {_signature(option.name, option.value):<{width}}{option.help}" for option in OPTIONS]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _signature(name: str, value: str | None) -> str:
    return f"{name} {value}" if value else name
