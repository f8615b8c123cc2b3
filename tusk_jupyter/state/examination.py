"""What the doctor looks at in the state folder."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tusk_jupyter.errors import StorageError
from tusk_jupyter.protocol.control import Check
from tusk_jupyter.state import statefile
from tusk_jupyter.state.frame import Damage

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal

LEAST_FREE_BYTES = 200_000_000


def examine(home: Path, journal: Journal, database: Database) -> list[Check]:
    """Return the findings, in order."""
    return [
        _private(home),
        _tables(database),
        _journal(journal),
        _in_step(journal, database),
        _room(home),
    ]


def _private(home: Path) -> Check:
    """Nobody else may enter the folder or read a file of the state."""
    if os.name == "nt":
        return Check(name="state folder", ok=True, message=f"{home}; Windows keeps others out of the profile folder.")
    paths = [home, *home.glob("*.duckdb*"), home / "journal", *(home / "journal").glob("*")]
    open_ones = [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not open_ones:
        return Check(name="state folder", ok=True, message=f"{home} is yours alone.")
    names = ", ".join(str(path) for path in open_ones[:5])
    return Check(
        name="state folder", ok=False, message=f"Others have rights on {names}.", hint=f"chmod -R go= '{home}'"
    )


def _tables(database: Database) -> Check:
    try:
        for table in statefile.TABLES:
            database.read(statefile.sum_of(table))
        rows = database.read("SELECT count(*) FROM query_log")[0][0]
    except StorageError as exc:
        return Check(name="state file", ok=False, message=exc.message, hint=exc.hint)
    return Check(
        name="state file", ok=True, message=f"{database.path.name}: every block reads well; {rows:,} runs in the log."
    )


def _journal(journal: Journal) -> Check:
    count, damage = 0, []
    for found in journal.read():
        if isinstance(found, Damage):
            damage.append(found)
        else:
            count += 1
    size = f"{journal.size_bytes / 1e6:.1f} MB in {len(journal.segments())} files"
    if not damage:
        return Check(name="journal", ok=True, message=f"{count:,} records, {size}; every checksum fits.")
    return Check(
        name="journal",
        ok=False,
        message=f"{len(damage)} damaged places among {count:,} records, first: {damage[0]}.",
        hint="The state file is still right. Keep a copy of it: it could not be rebuilt from this journal in full.",
    )


def _in_step(journal: Journal, database: Database) -> Check:
    try:
        database.catch_up()
    except StorageError as exc:
        return Check(name="state in step", ok=False, message=exc.message, hint=exc.hint)
    return Check(name="state in step", ok=True, message=f"The state file has every record up to {journal.last_seq:,}.")


def _room(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    ok = free >= LEAST_FREE_BYTES
    hint = None if ok else "Make room: without it new runs cannot be logged."
    return Check(name="disk space", ok=ok, message=f"{free / 1e9:.1f} GB free for {home}.", hint=hint)
