"""The value of a unique key that is taken: DuckDB quotes it without its column, so the catalog says whose it may be."""

from __future__ import annotations

import re

import duckdb

from tusk_jupyter.errors import TuskError
from tusk_jupyter.sqltext.secret_names import is_secret_parameter

_TAKEN = re.compile(r"(duplicate key \").*(\")", re.DOTALL)
_KEYS = """
    SELECT unnest(constraint_column_names) FROM system.main.duckdb_constraints()
        WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE')
    UNION SELECT expressions FROM system.main.duckdb_indexes() WHERE is_unique"""


def hide_secret(exc: TuskError, connection: duckdb.DuckDBPyConnection, *, can_ask: bool) -> None:
    """Take the value out of a message where a unique key of the databases at hand is a secret's.

    Args:
        exc: the error; its message is changed.
        connection: the session's.
        can_ask: whether a question disturbs nothing; in an open transaction it might, and the value is hidden.
    """
    if _TAKEN.search(exc.message) and not (can_ask and _are_open(connection)):
        exc.message = _TAKEN.sub(r"\1***\2", exc.message)


def _are_open(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        found = connection.execute(_KEYS).fetchall()
    except duckdb.Error:
        return False
    return not any(is_secret_parameter(word) for (text,) in found for word in re.findall(r"\w+", text))
