"""What DuckDB answers to a statement: its columns under their own names, and a way to read its rows.

DuckDB's relations rename columns: a second `a` of what has run at once (RETURNING, EXECUTE, a SELECT that writes) is `a_1`. The
cursor's own description has the names as they are, but holds all rows of a SELECT before it hands out the first.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from tusk_drivers.duckdb import intervals, words

_READS = frozenset({"SELECT", "MULTI", "RELATION"})
_RENAMED = re.compile(r"(.*)_\d+", re.DOTALL)
_WRITES = frozenset({"copy", "delete", "insert", "merge", "update"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement's rows, not read yet.

    Attributes:
        names: the columns' own names.
        types: DuckDB's words for their types.
        read: makes the reader, given how many rows a piece may have.
        affected: how many rows the statement changed, if it answers with that number alone.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    read: Callable[[int], pa.RecordBatchReader]
    affected: int | None = None


def answer(
    connection: duckdb.DuckDBPyConnection, sql: str, kind: str, parameters: dict[str, object] | None
) -> Answer | None:
    """Run a statement, or prepare to, if it only reads; return None if it answers nothing."""
    if kind in _READS and not _writes_in_with(sql):
        relation = connection.sql(sql, params=parameters)
        return None if relation is None else _of_relation(connection, sql, relation, parameters)
    ran = connection.execute(sql, parameters)
    if not ran.description:
        return None
    names, types = (tuple(str(column[part]) for column in ran.description) for part in (0, 1))
    changed = ran.rowcount if ran.rowcount >= 0 and kind not in _READS else None
    return Answer(names, types, functools.partial(_read, ran), changed)


def _read(ran: duckdb.DuckDBPyConnection, piece_rows: int) -> pa.RecordBatchReader:
    """Return the rows of what ran at once; a relation would hold all of them, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Arrow output on a DB-API result makes an extra copy")
        return ran.to_arrow_reader(piece_rows)


def _of_relation(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    relation: duckdb.DuckDBPyRelation,
    parameters: dict[str, object] | None,
) -> Answer:
    names, types = tuple(relation.columns), tuple(str(type_) for type_ in relation.types)
    if _look_renamed(names):
        described = connection.execute(f"DESCRIBE {sql}", parameters).fetchall()
        names = tuple(str(row[0]) for row in described)
    if any("INTERVAL" in type_ for type_ in types):
        relation = relation.project(intervals.projection(names, types))
    return Answer(names, types, relation.to_arrow_reader)


def _look_renamed(names: tuple[str, ...]) -> bool:
    """Return whether a name may be another one's with a number behind; a SELECT that only reads has its own names anyway."""
    known = {name.lower() for name in names}
    found = (_RENAMED.fullmatch(name) for name in names)
    return any(match is not None and match[1].lower() in known for match in found)


def _writes_in_with(sql: str) -> bool:
    """Return whether a SELECT has a WITH that changes rows or writes a file, which DESCRIBE does not take."""
    if "(" not in sql or not any(word in sql.lower() for word in _WRITES):
        return False
    found = words.words(sql)
    return any(
        word in _WRITES and before == "(" and way in ("as", "materialized")
        for way, before, word in zip(found, found[1:], found[2:], strict=False)
    )
