"""The table functions that a statement really runs: behind views, macros and `query(...)` its text does not show them.

DuckDB's plan does. It costs a second planning (0.3 ms for one table), so it is asked for only where the text names what may
hide one, and only in read-only sessions: in others DuckDB's log is looked at when the statement is
over (`Instance.end_log`, 0.3 ms).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from tusk_drivers.duckdb.words import code, texts
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.own_functions import READING

EXPLAIN = "EXPLAIN (FORMAT json) "
_OWN = frozenset(name.lower() for name in READING["duckdb"])
_READ_RELATIONS = frozenset(
    {"call", "copy", "execute", "from", "import", "join", "pivot", "pragma", "summarize", "table", "unpivot", "using"}
)
"""Words that come before a relation's name."""


def may_hide_calls(sql: str) -> bool:
    """Return whether a statement names a relation or a function that is not DuckDB's own: `SELECT 1` does not."""
    found = code(sql)
    before = ""
    for token, text in zip(found, texts(sql, found), strict=True):
        if token.kind is Kind.WORD and text in _READ_RELATIONS:
            return True
        if token.kind is Kind.OPEN and before and before not in _OWN:
            return True
        before = text if token.kind in (Kind.WORD, Kind.NAME) else ""
    return False


def functions_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> set[str]:
    """Return the table functions in a statement's plan, in lower case; nothing is run, and DuckDB's errors pass."""
    rows = connection.execute(f"{EXPLAIN}{sql}", dict(parameters) or None).fetchall()
    return set(_functions(json.loads(rows[0][1])))


def _functions(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        yield str(node.get("name", "")).strip().lower()
        yield str(node.get("extra_info", {}).get("Function", "")).lower()
        yield from _functions(node.get("children", []))
