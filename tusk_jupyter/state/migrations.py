"""Forward-only changes of the tables: `migrations/NNNN_what.sql`, each run once in a transaction, then CHECKPOINT.

The CHECKPOINT is there because DuckDB's log does not survive every DDL statement that a kill follows (REQUIREMENTS
B-3).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version BIGINT PRIMARY KEY, name VARCHAR NOT NULL, checksum VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, which must not change once it was run anywhere."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known() -> list[Migration]:
    """Return the migrations of this version of tusk, in order."""
    folder = resources.files("tusk_jupyter.state") / "migrations"
    found = []
    for entry in folder.iterdir():
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(number), name, entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


def applied(con: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, str]]:
    """Return name and checksum by version of what was run on this file; empty for a new one."""
    there = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migration'").fetchone()
    if not there or not there[0]:
        return {}
    rows = con.execute("SELECT version, name, checksum FROM schema_migration").fetchall()
    return {version: (name, checksum) for version, name, checksum in rows}


def is_newer(done: dict[int, tuple[str, str]], migrations: Sequence[Migration]) -> bool:
    """Return whether a file was changed by a newer version of tusk."""
    return bool(done) and max(done) > migrations[-1].version


def check(done: dict[int, tuple[str, str]], migrations: Sequence[Migration]) -> None:
    """Compare what was run with what this version would run.

    Raises:
        StorageError: a migration's text is not the one that was run.
    """
    for migration in migrations:
        was = done.get(migration.version)
        if was is not None and was[1] != migration.checksum:
            raise StorageError(
                f"Migration {migration.version:04d}_{migration.name} of the state file was run with another text"
                f" (checksum {was[1][:12]}, now {migration.checksum[:12]}).",
                hint="The installation of tusk-jupyter was altered: reinstall it.",
            )


def migrate(con: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]) -> int:
    """Run what was not run yet; return how many that were.

    Raises:
        StorageError: a migration's text is not the one that was run.
    """
    done = applied(con)
    check(done, migrations)
    todo = [migration for migration in migrations if migration.version not in done]
    for migration in todo:
        con.execute("BEGIN")
        con.execute(_TABLE)
        con.execute(migration.sql)
        con.execute(
            "INSERT INTO schema_migration VALUES (?, ?, ?, ?)",
            [migration.version, migration.name, migration.checksum, clock.parse(clock.now())],
        )
        con.execute("COMMIT")
        con.execute("CHECKPOINT")
    return len(todo)
