r"""Commands of shells (`\dt`, `.tables`, `\G`, `SOURCE x.sql`), which are no SQL: what to write here in their place.

They are only looked for where an engine has refused the text already, and the text stays as it is: what a server takes, as
MySQL takes `SHOW TABLES` and DuckDB `DESCRIBE`, never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens

_SCHEMA = "`%tusk schema CONNECTION` lists tables and views, `%tusk schema CONNECTION TABLE` describes one."
_FILE = "`%sql CONNECTION --file PATH` runs the SQL of a file."
_OUTPUT = "`--to FILE` behind `%%sql CONNECTION` writes a result into a file."
_DATA = f"`%sql --append FRAME AS TABLE` writes a frame into a table. {_OUTPUT}"
_SWITCH = "`%tusk use NAME` chooses another connection, `%tusk connect NAME URL` adds one."
_END = "Leave it out: `;` or the end of the cell ends a statement, and a result is shown as a table."
_LOOK = "Leave it out: how a result is shown is up to the grid, and to pandas' options for a frame."
_VALUES = "`:name` in the SQL is bound to the notebook's variable of that name, or to `--param NAME=VALUE`."
_LEAVE = "`%tusk disconnect` closes the session of this notebook."
_SHELL = "`!command`, in a cell without `%%sql`, runs a program of the system."
_HELP = "`%tusk` shows the verbs, `%sql --help` the options of a cell."
_STATE = "`%tusk connections` shows where a connection leads, `%tusk test NAME` whether its server answers."
_DELIMITER = "Leave it out: where the body of a routine ends is found without it."
_TIME = "Leave it out: the line above a result says how long it took."
_CATALOG = (
    "The engine's own catalog has it: `information_schema`, `pg_catalog`, `duckdb_functions()`, `pragma_database_list`."
)
_EDIT = "Edit the cell."

_BY_COMMAND: Mapping[str, tuple[str, ...]] = {
    _FILE: ("i", "ir", "include", "include_relative", ".", "source", "read"),
    _DATA: ("copy", "import"),
    _OUTPUT: ("o", "out", "output", "once", "excel", "tee", "notee", "t", "w", "write"),
    _SWITCH: ("c", "connect", "u", "use", "open", "r"),
    _END: ("g", "gx", "ego", "go", "crosstabview", "gdesc"),
    _LOOK: ("x", "a", "pset", "f", "mode", "headers", "header", "width", "separator", "nullvalue", "null", "pager",
            "nopager", "p", "n", "maxrows", "prompt", "columns", "rows", "explain"),
    _VALUES: ("set", "unset", "gset", "bind", "parameter", "getenv", "setenv"),
    _LEAVE: ("q", "quit", "exit", "close"),
    _SHELL: ("!", "shell", "system", "cd"),
    _EDIT: ("e", "edit", "ef", "ev"),
    _HELP: ("?", "h", "help"),
    _STATE: ("conninfo", "s", "status"),
    _TIME: ("timing", "timer", "stats"),
    _DELIMITER: ("delimiter",),
    _SCHEMA: ("tables", "schema", "fullschema", "indexes", "indices", "show", "describe", "desc"),
    _CATALOG: ("l", "list", "databases", "z", "sf", "sv", "load"),
}  # fmt: skip
_ADVICE = {command: advice for advice, commands in _BY_COMMAND.items() for command in commands}
_TABLES = re.compile(r"d[tvmsE]*S?[+]?")
_LISTS = re.compile(r"d\w*[+]?")
"""psql's family of `\\d`, of which the first are about tables and views."""
_OF_MYSQL = frozenset({"show", "describe", "desc", "use"})
"""MySQL's own SQL, which people try elsewhere."""

_WORDS = frozenset(
    {
        "source", "delimiter", "help", "exit", "quit", "status", "tee", "notee", "pager", "nopager", "prompt", "connect", "go",
        "show", "describe", "desc", "use",
    }
)  # fmt: skip
"""Commands without a mark before them; only at the beginning of a statement."""
_OWN = {
    "mysql": frozenset({"show", "describe", "desc", "use", "help"}),
    "duckdb": frozenset({"show", "describe", "desc", "use"}),
    "postgresql": frozenset({"show"}),
}
"""Words that an engine knows as its own."""
_SHOWN = frozenset({"tables", "databases", "schemas", "columns", "create", "index", "indexes", "full", "processlist"})
"""What MySQL shows and PostgreSQL takes for the name of a setting."""
_LOOKED_AT = 4_096
"""Characters that are read for the first words."""
_MARKED = re.compile(r"([\\.])([A-Za-z_]+[+]?|[!?.])")


def advice(sql: str, dialect: str, position: int | None, *, syntax: bool) -> str | None:
    """Return what to write in place of a shell's command; None where there is none.

    Args:
        sql: a statement that its engine has refused.
        dialect: the engine's.
        position: where it found the mistake, if it said so.
        syntax: whether it called it a mistake of syntax.
    """
    found = _shown(sql, dialect) or (_at(sql, dialect, position) if syntax else None)
    if found is None:
        return None
    command = found.lstrip("\\.").lower().partition(" ")[0] or "."
    whose = "is MySQL's, and this engine has no such statement"
    if command not in _OF_MYSQL or not found[0].isalpha():
        whose = "is a command of a shell (psql, mysql, sqlite3, duckdb), and no SQL"
    return f"`{found}` {whose}. {_ADVICE.get(command.rstrip('+')) or _of_family(found)}"


def _of_family(found: str) -> str:
    if found[0] != "\\" or not _LISTS.fullmatch(found[1:]):
        return _HELP
    return _SCHEMA if _TABLES.fullmatch(found[1:]) else _CATALOG


def _shown(sql: str, dialect: str) -> str | None:
    """Return MySQL's SHOW where the engine has one of its own, for its settings."""
    if dialect != "postgresql":
        return None
    words = [sql[one.start : one.end] for one in _code(sql, dialect)][:2]
    is_of_mysql = len(words) == 2 and words[0].lower() == "show" and words[1].lower() in _SHOWN
    return " ".join(words).upper() if is_of_mysql else None


def _code(sql: str, dialect: str) -> list[Token]:
    return [one for one in tokens(sql[:_LOOKED_AT], DIALECTS[dialect]) if one.kind is not Kind.COMMENT]


def _at(sql: str, dialect: str, position: int | None) -> str | None:
    """Return the command that the engine stumbled over."""
    first = next(iter(_code(sql, dialect)), None)
    if first is None:
        return None
    for place in (position, first.start):
        marked = _MARKED.match(sql, place) if place is not None else None
        if marked and (marked[1] == "\\" or place == first.start):  # a dot elsewhere is between two names
            return marked[0]
    word = sql[first.start : first.end]
    is_command = first.kind is Kind.WORD and word.lower() in _WORDS - _OWN.get(dialect, frozenset())
    return word if is_command else None
