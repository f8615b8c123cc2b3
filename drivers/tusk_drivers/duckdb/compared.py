"""The types with which long lists of texts are compared.

A list of texts that goes as an array is VARCHAR[], and DuckDB compares that with no DATE and no UUID, while it reads the text
of a single value as one. So DuckDB is asked to prepare the statement, and its error names the column's type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import duckdb

from tusk_drivers.duckdb.errors import report_of
from tusk_jupyter.sqltext.replaced import Replaced

TEXT = "VARCHAR"
_NAME = "tusk_compared"
_PREPARE = f"PREPARE {_NAME} AS "
_CANNOT = re.compile(rf"Cannot compare values of type (.+?) and (?:type )?{TEXT} in IN/ANY/ALL")


class TextList(NamedTuple):
    """A list of texts in IN."""

    start: int
    """Where its parenthesis opens, in characters of the user's text."""
    name: str


def types_of(
    connection: duckdb.DuckDBPyConnection,
    lists: Sequence[TextList],
    written: Callable[[dict[str, str]], Replaced],
    *,
    in_transaction: bool,
) -> dict[str, str] | None:
    """Return the types other than VARCHAR that lists are compared with, by the lists' names; or None if DuckDB does not say.

    Runs nothing.

    Args:
        connection: runs the statement afterwards.
        lists: in the order of the text.
        written: returns the statement, given the types known so far.
        in_transaction: an error would abort the open transaction, so another connection is asked, which does not see what
            this one made in it, nor its temporary tables.
    """
    if not in_transaction:
        return _asked(connection, lists, written)
    with _sibling(connection) as sibling:
        return _asked(sibling, lists, written)


def _asked(
    connection: duckdb.DuckDBPyConnection, lists: Sequence[TextList], written: Callable[[dict[str, str]], Replaced]
) -> dict[str, str] | None:
    found: dict[str, str] = {}
    while True:  # each error names a type of one list
        sent = written(found)
        try:
            connection.execute(f"{_PREPARE}{sent.text}")
        except duckdb.Error as exc:
            report = report_of(exc)
            match, at = _CANNOT.search(report.message), report.byte_position
            if match is None or at is None:
                return None
            place = sent.original(len(sent.text.encode()[: max(0, at - len(_PREPARE))].decode(errors="replace")))
            name = next((one.name for one in lists if one.start >= place and one.name not in found), None)
            if name is None:
                return None
            found[name] = match[1]
        else:
            connection.execute(f"DEALLOCATE {_NAME}")
            return found


def _sibling(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return another connection that looks names up where this one does."""
    sibling = connection.cursor()
    path = connection.execute("SELECT current_setting('search_path')").fetchall()[0][0]
    if path:
        sibling.execute("SET search_path = ?", (path,))
    return sibling
