"""The types that a result's columns were declared with.

Python's sqlite3 does not tell them, but SQLite tells those of a view's columns: so a statement that selects is made a
temporary view for a moment (0.06 ms; nothing runs, no file is touched, `changes()` stays). What is no plain column has
no declared type, but that from SQLite 3.41 on a CAST has that of its affinity.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sqlite3

from tusk_drivers.sqlite.errors import code_of
from tusk_drivers.sqlite.parameters import without_values
from tusk_jupyter.sqltext.statements import Statement

_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT)
_SELECTS = frozenset({"SELECT", "WITH", "VALUES"})
_MAY_DECLARE = re.compile("from|cast", re.IGNORECASE)
"""Without a table and a CAST no column of a SELECT or VALUES has a type of its own."""


def declared_types(connection: sqlite3.Connection, statement: Statement) -> list[str] | None:
    """Return one type per column, "" where none was declared; none for columns that are all computed.

    None where the statement is no plain query.

    Raises:
        sqlite3.OperationalError: interrupted, or another program holds a lock.
    """
    command = statement.command.split(" ")[0]
    if command not in _SELECTS:
        return None
    if command != "WITH" and not _MAY_DECLARE.search(statement.text):
        return []
    if (
        not connection.in_transaction
    ):  # another program may have made the tables anew, and a view of them looks at no file
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 0")
    view = f"temp.tusk_{secrets.token_hex(8)}"
    sql = without_values(statement)
    try:
        connection.execute(f"CREATE TEMP VIEW {view.removeprefix('temp.')} AS {sql}")
    except (sqlite3.Error, ValueError) as exc:
        if code_of(exc) in _PASSING:
            raise
        return None  # it changes data, or is wrong: running it will tell
    try:
        rows = connection.execute(f"PRAGMA temp.table_info({view.removeprefix('temp.')})").fetchall()
        return [str(row[2]) for row in rows]
    except sqlite3.Error:  # the view refers to what does not exist: so does the statement
        return None
    finally:
        connection.execute(f"DROP VIEW {view}")
