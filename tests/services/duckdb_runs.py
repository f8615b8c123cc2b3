"""Statements run in a session of DuckDB's driver, without the kit around it."""

from __future__ import annotations

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter.driverkit.session import Rows
from tusk_jupyter.sqltext.statements import split


def run(session: DuckDBSession, sql: str, notes: list[str] | None = None) -> list[tuple[object, ...]]:
    """Run statements; return the rows of the last one that has some, and add all notes to `notes`."""
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, "duckdb"):
        outcome = session.execute(statement, {})
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
        if notes is not None:
            notes += outcome.notes() if isinstance(outcome, Rows) else outcome.notes
    return rows
