"""SQLite's errors as ours: by its result code; its generic SQLITE_ERROR, which has no finer one, by its words.

The place of an error is in SQLite's C interface only, so it is found by the token that the message names: for a syntax
error exactly, by compiling the text up to each place where the token stands.
"""

from __future__ import annotations

import bisect
import re
import sqlite3
from collections.abc import Callable

from tusk_jupyter import errors
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.names import place_of_name

_PRIMARY = {
    sqlite3.SQLITE_BUSY: "lock_timeout",
    sqlite3.SQLITE_LOCKED: "lock_timeout",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_AUTH: "read_only",
    sqlite3.SQLITE_CONSTRAINT: "constraint",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_NOMEM: "memory_limit",
    sqlite3.SQLITE_CANTOPEN: "no_such_file",
    sqlite3.SQLITE_PERM: "permission",
}
_SYNTAX = re.compile(
    r'near "(?P<near>.+)": syntax error|unrecognized token: "(?P<token>.+)"|incomplete input', re.DOTALL
)
_TABLE = re.compile(r"no such (?:table|view): (?P<name>.+)")
_COLUMN = re.compile(r"no such column: (?P<name>.+)|table \S+ has no column named (?P<other>.+)")
_EXISTS = re.compile(r"(?:table|view) .+ already exists|there is already a(?:n index| table) named .+", re.DOTALL)
_NAMED = re.compile(
    r"(?:no such (?:function|index|trigger|collation sequence|module)|ambiguous column name): (?P<name>.+)"
)

_EXTENSION = re.compile(r"not authorized(?: to use function: load_extension)?")
"""What SQLite says where extensions are switched off, and where our authorizer has refused the function before that; whatever
else the authorizer refuses has a code or a name of its own."""

USAGE = (sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError, UnicodeEncodeError)
"""What the sqlite3 module refuses before SQLite sees it: wrong parameters, several statements, a NUL in the text."""

ENGINE_ERRORS = (sqlite3.Error, OverflowError, UnicodeEncodeError)


def code_of(exc: BaseException) -> int:
    """Return SQLite's primary result code, 0 where there is none."""
    return int(getattr(exc, "sqlite_errorcode", 0)) & 0xFF


def is_interrupt(exc: BaseException) -> bool:
    """Return whether the statement was interrupted."""
    return code_of(exc) == sqlite3.SQLITE_INTERRUPT


def translate(
    exc: BaseException, sql: str = "", *, compiles: Callable[[str], str] | None = None, holder: str | None = None
) -> errors.TuskError:
    """Return `exc` as the error to raise.

    Args:
        exc: from the sqlite3 module.
        sql: the text that ran.
        compiles: returns the message with which SQLite refuses to compile a text, "" where it compiles.
        holder: the program that holds the file, for a lock.
    """
    if is_interrupt(exc):
        return errors.Cancelled("The statement was cancelled.", scenario="cancelled_by_user", code="SQLITE_INTERRUPT")
    if isinstance(exc, USAGE):
        return errors.UsageError(f"{exc}", hint="Check the statement's parameters." if "indin" in str(exc) else None)
    message = str(exc)
    if code_of(exc) == sqlite3.SQLITE_ERROR and _EXTENSION.fullmatch(message):
        return errors.QueryError(
            "load_extension() is switched off: this driver never loads extensions into SQLite.",
            hint="Do that step in Python, or on a DuckDB connection, where `INSTALL` and `LOAD` add extensions.",
            position=place_of_name(sql, "load_extension", "sqlite"),
            code=getattr(exc, "sqlite_errorname", None),
        )
    if getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return errors.QueryError(
            "The file that this writes to was deleted, moved or replaced while it was open, so nothing was written.",
            hint="Run the cell again: it names the file.",
            code=getattr(exc, "sqlite_errorname", None),
        )
    scenario = _scenario(exc, message)
    if scenario == "lock_timeout":
        message = f"{message}: {holder} holds the file" if holder else f"{message} by another program or session"
    return errors.QueryError(
        message,
        hint=hint_for(scenario),
        position=_place(sql, message, compiles) if sql else None,
        code=getattr(exc, "sqlite_errorname", None),
        scenario=scenario,
    )


def _scenario(exc: BaseException, message: str) -> str | None:
    if named := _PRIMARY.get(code_of(exc)):
        return named
    if _SYNTAX.search(message):
        return "syntax"
    if _TABLE.match(message):
        return "undefined_table"
    if _COLUMN.match(message):
        return "undefined_column"
    if _EXISTS.fullmatch(message):
        return "table_exists"
    return "read_only" if message.startswith("not authorized") else None


def _place(sql: str, message: str, compiles: Callable[[str], str] | None) -> int | None:
    found = _SYNTAX.search(message)
    if found:
        wanted = found["near"] or found["token"]
        return _syntax_place(sql, wanted, message, compiles) if wanted else len(sql.rstrip())
    named = _TABLE.match(message) or _COLUMN.match(message) or _NAMED.match(message)
    return place_of_name(sql, next(filter(None, named.groups())), "sqlite") if named else None


def _syntax_place(sql: str, wanted: str, message: str, compiles: Callable[[str], str] | None) -> int | None:
    """Return the first place of `wanted` up to which the text has this very error already.

    SQLite stops at it, so the text up to each later place has it too: a script's statement may have 100,000 commas.
    """
    places = [found.start() for found in re.finditer(f"(?={re.escape(wanted)})", sql)]
    if compiles is None or len(places) < 2:
        return places[0] if places else None
    first = bisect.bisect_left(places, True, key=lambda at: compiles(sql[: at + len(wanted)]) == message)
    return places[min(first, len(places) - 1)]
