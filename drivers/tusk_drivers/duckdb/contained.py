"""The statements that run when a statement runs: itself, that behind EXPLAIN, and the scripts of an IMPORT DATABASE."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tusk_drivers.duckdb.targets import literal
from tusk_drivers.duckdb.words import code, explained, kind_of, texts
from tusk_jupyter import errors
from tusk_jupyter.sqltext.lexer import Kind

_SCRIPTS = ("schema.sql", "load.sql")
_DEEP = 8
"""Imports within imports: one that imports itself has no end."""


@dataclass(frozen=True, slots=True)
class Contained:
    """One statement that runs."""

    kind: str
    sql: str


def contained(
    connection: duckdb.DuckDBPyConnection, parsed: Sequence[duckdb.Statement], depth: int = 0
) -> list[Contained]:
    """Return all that runs when `parsed` does.

    Raises:
        UsageError: scripts that would be run cannot be found.
    """
    found = []
    for statement in parsed:
        one = Contained(kind_of(statement), statement.query)
        found.append(one)
        if one.kind == "EXPLAIN":  # with ANALYZE, it runs
            texts_within = iter([explained(one.sql, code(one.sql))])
        elif one.kind == "PRAGMA" and "import" in one.sql.lower():
            texts_within = _scripts(connection, one.sql)
        else:
            continue
        for text in texts_within:
            if text and depth < _DEEP:
                found += contained(connection, connection.extract_statements(text), depth + 1)
    return found


def _scripts(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    """Yield the scripts of an IMPORT DATABASE or its pragma, as far as they are there: DuckDB says which are missing."""
    found = [token for token in code(sql) if sql[token.start : token.end] != ";"]
    if texts(sql, found)[:2] not in (["import", "database"], ["pragma", "import_database"]):
        return
    named = [token for token in found[2:] if token.kind not in (Kind.OPEN, Kind.CLOSE)]
    folder = literal(connection, sql, named)
    if folder is None:
        raise errors.UsageError(
            "The folder of this import cannot be read from the statement, so neither can its scripts, which may change "
            "what other notebooks see.",
            hint="Write the folder as one text: `IMPORT DATABASE 'FOLDER'`.",
        )
    seen = set()
    for name in _SCRIPTS:
        for text in _read(connection, folder, name):
            if text not in seen:
                seen.add(text)
                yield text


def _read(connection: duckdb.DuckDBPyConnection, folder: str, name: str) -> Iterator[str]:
    """Yield what is at a place as Python finds it, and as DuckDB does: it knows URLs and other file systems."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # no text, no home: IMPORT itself says why
        yield (Path(folder).expanduser() / name).read_text(encoding="utf-8")
    with contextlib.suppress(duckdb.Error), connection.cursor() as asked:
        place = f"{folder.rstrip('/')}/{name}"
        for (text,) in asked.execute("SELECT content FROM system.main.read_text($1)", [place]).fetchall():
            yield str(text)
