"""The table functions that a statement really runs: behind views, macros and `query(...)` its text does not show them.

DuckDB's plan does. It costs a second planning (0.4 ms for one table), so it is asked for only where something may hide one,
and only in read-only sessions: in others DuckDB's log is looked at when the statement is over (`Instance.end_log`, 0.4 ms).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from tusk_drivers.duckdb.words import code, kept, texts, words
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.own_functions import READING

EXPLAIN = "EXPLAIN (FORMAT json) "
OWN = frozenset(name.lower() for name in READING["duckdb"])
"""Functions of DuckDB's that only read, unless a macro has taken the name."""
_RUN_OTHERS = frozenset({"call", "copy", "execute", "import", "pragma"})
NOT_CALLED = frozenset(
    {
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "between", "case", "cast",
        "check", "coalesce", "collate", "constraint", "create", "default", "deferrable", "desc", "distinct", "do",
        "else", "end", "except", "exists", "extract", "fetch", "for", "foreign", "from", "group", "grouping",
        "having", "in", "initially", "intersect", "interval", "into", "lambda", "lateral", "leading", "limit", "not",
        "null", "nullif", "offset", "on", "only", "or", "order", "out", "placing", "position", "primary", "qualify",
        "references", "returning", "select", "some", "symmetric", "table", "then", "to", "trailing", "union",
        "unique", "using", "values", "when", "where", "window", "with",
    }
)  # fmt: skip
"""Words of the grammar that may stand before a parenthesis; DuckDB takes none of them for a function's name."""
_SIZED_TYPES = frozenset({"bit", "char", "decimal", "numeric", "varchar"})


@kept
def calls_unknown(sql: str) -> bool:
    """Return whether a text calls a function that is not one of DuckDB's own that only read."""
    found = code(sql)
    spoken = texts(sql, found)
    return any(
        spoken[at + 1] == "(" and spoken[at] not in OWN and not _is_no_call(token.kind, spoken, at)
        for at, token in enumerate(found[:-1])
        if token.kind in (Kind.WORD, Kind.NAME)
    )


def _is_no_call(kind: Kind, spoken: Sequence[str], at: int) -> bool:
    """Return whether a name before a parenthesis is a word of the grammar, a type's, or that of a table to insert into."""
    before = spoken[at - 1] if at else ""
    if spoken[_first_part(spoken, at) - 1] == "into":
        return True
    return kind is Kind.WORD and (
        spoken[at] in NOT_CALLED
        or (spoken[at] in _SIZED_TYPES and before in ("as", "::"))
        or (spoken[at] == "over" and before == ")")
        or (spoken[at] == "by" and before in ("group", "order", "partition"))
    )


def _first_part(spoken: Sequence[str], at: int) -> int:
    while at > 2 and spoken[at - 1] == ".":
        at -= 2
    return at


@kept
def runs_others(sql: str) -> bool:
    """Return whether a statement runs a text that is not in it: one that was prepared, or a file's."""
    return not _RUN_OTHERS.isdisjoint(words(sql))


def functions_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> set[str]:
    """Return the table functions in a statement's plan, in lower case; nothing is run, and DuckDB's errors pass."""
    rows = connection.execute(f"{EXPLAIN}{sql}", dict(parameters) or None).fetchall()
    return set(_functions(json.loads(rows[0][1])))


def _functions(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        yield str(node.get("name", "")).strip().lower()
        yield str(node.get("extra_info", {}).get("Function", "")).lower()
        yield from _functions(node.get("children", []))
