"""What a read-only session may run: SQLite's authorizer sees each thing that a statement would do, before it runs.

`PRAGMA query_only` stands behind it, set anew before each statement. Alone it would not do: under it ATTACH still makes
files and `PRAGMA journal_mode` still changes the database (tried with SQLite 3.40).
"""

from __future__ import annotations

import sqlite3

from tusk_jupyter import errors
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, tokens

_DIALECT = dialect_named("sqlite")
_COMMANDS = frozenset(
    {"select", "with", "values", "explain", "pragma", "begin", "commit", "end", "rollback", "savepoint", "release"}
)
_READ = frozenset(
    {
        sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)  # fmt: skip
_PRAGMAS = frozenset(
    {
        "collation_list", "compile_options", "database_list", "foreign_key_check", "foreign_key_list", "function_list",
        "index_info", "index_list", "index_xinfo", "integrity_check", "module_list", "pragma_list", "quick_check",
        "table_info", "table_list", "table_xinfo",
    }
)  # fmt: skip
_SHOWN = frozenset(
    {
        "application_id", "auto_vacuum", "busy_timeout", "cache_size", "data_version", "encoding", "foreign_keys",
        "freelist_count", "journal_mode", "max_page_count", "mmap_size", "page_count", "page_size", "query_only",
        "schema_version", "synchronous", "temp_store", "user_version", "wal_autocheckpoint",
    }
)  # fmt: skip
"""Pragmas that only show their value when they are given none."""
_EFFECTS = frozenset({"load_extension", "writefile", "edit", "fts3_tokenizer", "sqlite_rename_table"})


def check_command(sql: str) -> None:
    """Refuse a statement whose first word is none that reads, and a transaction that locks writers out.

    Raises:
        QueryError: scenario read_only.
    """
    words = [sql[t.start : t.end].lower() for t in tokens(sql, _DIALECT) if t.kind is not Kind.COMMENT][:2]
    first = words[0] if words else ""
    locks = first == "begin" and words[1:] in (["immediate"], ["exclusive"])
    if locks or (first not in _COMMANDS and first not in ("", "(")):
        raise errors.QueryError(
            f"{' '.join(words).upper() if locks else first.upper()} is not allowed in a read-only session.",
            hint=hint_for("read_only"),
            code="SQLITE_READONLY",
            scenario="read_only",
        )


def authorize(action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    """Return SQLITE_OK for what reads, SQLITE_DENY for all else."""
    return sqlite3.SQLITE_OK if _reads(action, first, second) else sqlite3.SQLITE_DENY


def _reads(action: int, first: str | None, second: str | None) -> bool:
    if action in _READ:
        return True
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _EFFECTS
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        return name in _PRAGMAS or (name in _SHOWN and second is None)
    # A table-valued function declares itself by an update of the schema that touches no file; query_only stands too.
    return action == sqlite3.SQLITE_UPDATE and first in ("sqlite_master", "sqlite_temp_master")
