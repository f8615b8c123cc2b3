"""Which database and which path an ATTACH, DETACH or ALTER DATABASE is about, in every form that DuckDB takes.

DuckDB itself reads the literals: `E'...'`, `$$...$$` and pieces on several lines are not read by rules of our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tusk_drivers.duckdb.words import code, texts
from tusk_jupyter.sqltext.lexer import Kind, Token

_MEMORY = ("", ":memory:")
_RESERVED = ("main", "system", "temp")
_ENGINE = re.compile(r"\w{2,}:(?!/)")
"""Before the path of another engine's database; DuckDB leaves it out of the name."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a statement is about."""

    names: frozenset[str]
    """The database's, in lower case: DuckDB's names do not differ by it. None where the text does not tell."""
    becomes: frozenset[str] = frozenset()
    """What it is called afterwards, in an ALTER."""
    path: str | None = None
    """In an ATTACH, if it is written as a literal or a name."""
    replaces: bool = False
    unless_there: bool = False
    is_of_type: bool = False
    """The ATTACH names an engine."""
    attaches: bool = False
    """Whoever runs it has attached it, unless it fails."""


def target_of(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> Target | None:
    """Return what a statement of this kind is about; None for one that attaches, detaches and renames nothing."""
    if kind not in ("ATTACH", "DETACH", "ALTER"):
        return None
    found = [token for token in code(sql) if sql[token.start : token.end] != ";"]
    spoken = texts(sql, found)
    if kind == "DETACH":
        return Target(frozenset(spoken[-1:]))
    if kind == "ALTER":
        return _renamed(spoken) if spoken[1:2] == ["database"] else None
    return _attached(connection, sql, found)


def schema_made(kind: str, sql: str) -> tuple[str, str] | None:
    """Return database ("" where none is named) and name of the schema that a statement creates; None for any other."""
    if kind != "CREATE":
        return None
    spoken = [text for text in texts(sql, code(sql)) if text != ";"]
    if "schema" not in spoken[1:4]:
        return None
    return (spoken[-3] if spoken[-2:-1] == ["."] else ""), spoken[-1]


def names_for(path: str) -> frozenset[str]:
    """Return what DuckDB may call the database at a path: its file's name up to the first dot that follows something."""
    if path in _MEMORY:
        return frozenset({"memory"})
    plain = _ENGINE.sub("", path, count=1)
    return frozenset(_first_part(one) for one in (path, plain, path.split("?")[0], plain.split("?")[0]))


def literal(connection: duckdb.DuckDBPyConnection, sql: str, found: Sequence[Token]) -> str | None:
    """Return the text that one literal stands for, also one in several pieces, or one name; None for all else."""
    if len(found) == 1 and found[0].kind in (Kind.WORD, Kind.NAME):
        return _as_written(sql, found[0])
    if not found or any(token.kind is not Kind.STRING for token in found):
        return None
    with connection.cursor() as asked:  # the session's transaction may be aborted
        try:
            ((value,),) = asked.execute(f"SELECT {sql[found[0].start : found[-1].end]}").fetchall()
        except duckdb.Error:  # DuckDB says what is wrong with it as it runs the statement
            return None
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _renamed(spoken: Sequence[str]) -> Target:
    at = 4 if spoken[2:4] == ["if", "exists"] else 2
    return Target(frozenset(spoken[at : at + 1]), becomes=frozenset(spoken[-1:]))


def _attached(connection: duckdb.DuckDBPyConnection, sql: str, found: Sequence[Token]) -> Target:
    spoken = texts(sql, found)
    begin, replaces, unless_there = 1, False, False
    while begin + 1 < len(found) and found[begin].kind is Kind.WORD and spoken[begin] in _BEFORE_PATH:
        replaces |= spoken[begin] == "replace"
        unless_there |= spoken[begin] == "exists"
        begin += 1
    named = _top_level_as(sql, found, begin)
    end = named if named is not None else _end_of_path(found, begin)
    path = literal(connection, sql, found[begin:end])
    if named is not None:
        names = frozenset(spoken[named + 1 : named + 2])
    else:
        names = names_for(path) if path is not None else frozenset()
    return Target(
        names,
        path=path,
        replaces=replaces,
        unless_there=unless_there,
        is_of_type="type" in spoken[end:],
        attaches=not unless_there,
    )


_BEFORE_PATH = frozenset({"or", "replace", "database", "if", "not", "exists"})


def _top_level_as(sql: str, found: Sequence[Token], begin: int) -> int | None:
    depth = 0
    for index in range(begin, len(found)):
        token = found[index]
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth == 0 and token.kind is Kind.WORD and sql[token.start : token.end].lower() == "as":
            return index
    return None


def _end_of_path(found: Sequence[Token], begin: int) -> int:
    """Return where the options begin: what stands in parentheses at the end, behind a literal or a name."""
    end = begin + 1
    while end < len(found) and found[end].kind is Kind.STRING and found[begin].kind is Kind.STRING:
        end += 1
    return end if end < len(found) and found[end].kind is Kind.OPEN else len(found)


def _first_part(path: str) -> str:
    last = re.split(r"[/\\]", path.rstrip("/"))[-1]
    name = next((part for part in last.split(".") if part), last).lower()
    return f"{name}_db" if name in _RESERVED else name


def _as_written(sql: str, token: Token) -> str:
    written = sql[token.start : token.end]
    return written[1:-1].replace('""', '"') if token.kind is Kind.NAME else written
