"""What the views, triggers and macros of an instance may run beyond reading, as far as their names and texts tell.

Nearly no file has one that calls a function of unknown effect, or one with the name of DuckDB's own function; without such, no
statement on it needs a second planning or a look at DuckDB's log. Only statements of this process can define one, since DuckDB
lets one process write a file.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from tusk_drivers.duckdb.contained import Contained
from tusk_drivers.duckdb.plan import calls_unknown
from tusk_drivers.duckdb.words import called, words

_DEFINE_NOTHING = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "EXPLAIN", "SET", "DROP", "TRANSACTION"}
)
_DEFINED = frozenset({"function", "macro", "trigger", "view"})
_FOREIGN = "SELECT 1 FROM system.main.duckdb_databases() WHERE NOT internal AND type <> 'duckdb'"
_TEXTS = "SELECT sql FROM system.main.duckdb_views() WHERE NOT internal UNION ALL SELECT sql FROM system.main.duckdb_triggers()"
_MACROS = """
    SELECT 1 FROM system.main.duckdb_functions() WHERE function_type IN ('macro', 'table_macro') AND NOT internal
        AND (system.main.lower(function_name) IN (SELECT function_name FROM system.main.duckdb_functions() WHERE internal)
            OR NOT system.main.regexp_full_match(function_name, '[A-Za-z_][A-Za-z0-9_]*'))
    LIMIT 1"""
"""Of a name that is DuckDB's own, so that its calls look harmless, or that can stand for an operator."""
_SEQUENCES = "SELECT 1 FROM system.main.duckdb_sequences() LIMIT 1"
_NAMED = """
    SELECT view_name, sql, true FROM system.main.duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT function_name, macro_definition, system.main.regexp_full_match(function_name, '[A-Za-z_][A-Za-z0-9_]*')
        AND system.main.lower(function_name) NOT IN (SELECT function_name FROM system.main.duckdb_functions() WHERE internal)
    FROM system.main.duckdb_functions() WHERE function_type IN ('macro', 'table_macro') AND NOT internal"""
"""Names, texts, and whether a call of such a name is written with it: `[1]` calls list_value, and an operator its function."""
EVERYTHING = frozenset({""})
"""Stands for the names that a statement may reach without writing them."""
_UNREAD = 25
"""Statements after a change before the catalog is read: that takes as long (10 ms) as the planning or the look of so many."""


@dataclass(slots=True)
class Changes:
    """How often an instance's definitions may have changed, by any of its sessions."""

    count: int = 0


class Definitions:
    """The views, triggers and macros that one session sees."""

    def __init__(self, changes: Changes) -> None:
        """Count changes together with the other sessions of the instance."""
        self._changes = changes
        self._seen = changes.count
        self._asked = 0
        self._read: bool | None = None
        """What the catalog told; None before it is read."""
        self._moving: frozenset[str] | None = None
        self._uncommitted = False
        """The open transaction may have made some, which others see when it is committed."""

    def hide_calls(self, connection: duckdb.DuckDBPyConnection, *, at_once: bool = False) -> bool:
        """Return whether one may call a function of unknown effect; True where that is not known yet.

        Args:
            connection: the session's own, which sees what its transaction made.
            at_once: read the catalog if that is not known.
        """
        self._forget_if_changed()
        self._asked += 1
        if self._read is None and (at_once or self._asked >= _UNREAD):
            try:
                self._read = _hide_calls(connection)
            except duckdb.InterruptException:
                raise
            except duckdb.Error:  # the open transaction is aborted
                pass
        return self._read is not False

    def moving_sequences(self, connection: duckdb.DuckDBPyConnection, functions: Collection[str]) -> frozenset[str]:
        """Return the views and macros that run one of `functions`, which move sequences; `EVERYTHING` where names say nothing.

        DuckDB computes what is constant as it plans, in a read-only transaction too: `range(setval('s', 5))` has moved the
        sequence before the transaction refuses it. So no plan may be asked for.
        """
        self._forget_if_changed()
        if self._moving is None:
            found = connection.execute(_SEQUENCES).fetchall() and connection.execute(_NAMED).fetchall()
            self._moving = _reaching(found, functions)
        return self._moving

    def _forget_if_changed(self) -> None:
        if self._seen != self._changes.count:
            self._seen, self._asked, self._read, self._moving = self._changes.count, 0, None, None

    def note(self, effect: Effect, *, is_in_transaction: bool) -> None:
        """Take notice of a statement: before it runs, and when it is over."""
        if effect is Effect.NONE:
            return
        if effect is Effect.DEFINES:
            self._uncommitted = is_in_transaction
        elif not self._uncommitted:
            return
        self._changes.count += 1


class Effect(enum.Enum):
    """What a statement does to definitions, as far as its words tell."""

    NONE = enum.auto()
    DEFINES = enum.auto()
    """It may make one."""
    COMMITS = enum.auto()
    """It may end the transaction that made one."""


def effect_of(inside: Sequence[Contained]) -> Effect:
    """Return what a statement that consists of `inside` does."""
    found = Effect.NONE
    for one in inside:
        if _may_define(one):
            return Effect.DEFINES
        if one.kind == "TRANSACTION":
            found = Effect.COMMITS
    return found


def _may_define(one: Contained) -> bool:
    if one.kind == "CREATE" and _DEFINED.isdisjoint(words(one.sql)):
        return calls_unknown(one.sql)
    return one.kind not in _DEFINE_NOTHING or calls_unknown(one.sql)


def _hide_calls(connection: duckdb.DuckDBPyConnection) -> bool:
    if connection.execute(_FOREIGN).fetchall():
        return True  # listing its views would ask its server for each of them
    if connection.execute(_MACROS).fetchall():
        return True
    return any(text is None or calls_unknown(text) for (text,) in connection.execute(_TEXTS).fetchall())


def _reaching(found: Sequence[tuple[str, str | None, bool]], functions: Collection[str]) -> frozenset[str]:
    """Return which of these names lead to one of `functions`, some of them through others."""
    left = [(name.lower(), frozenset(words(text or "")), is_written) for name, text, is_written in found]
    reached = {name.lower() for name, text, _ in found if text is None or called(text, functions)}
    while more := {name for name, spoken, _ in left if not reached.isdisjoint(spoken)} - reached:
        reached |= more
    if any(name in reached and not is_written for name, _, is_written in left):
        return EVERYTHING
    return frozenset(reached)
