"""The DuckDB file as a file: opened small and without the network, refused when newer, set aside when damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state import migrations
from tusk_jupyter.system import belongings
from tusk_jupyter.system.private_files import open_own, sync_directory

if TYPE_CHECKING:
    import duckdb

# One thread and a small cache: a million log rows are searched in well under 0.2 s with them, and the core stays small.
SETTINGS: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "256MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}
ALLOCATOR = "dirty_decay_ms:0,muzzy_decay_ms:0"
"""DuckDB's allocator gives pages back when something is allocated later, so that after a batch of rows nothing came back:
50,000 runs took 33 MB for good, with this 18 MB, for 50 us more each."""

TABLES = (
    "projection",
    "schema_migration",
    "connection",
    "preference",
    "client_session",
    "saved_query",
    "query_log",
    "log_scrub",
)
ROOM_BYTES = 1_000_000  # with less than that free, an error says nothing about the file


def open_file(path: Path) -> tuple[duckdb.DuckDBPyConnection, str | None]:
    """Open the state file, make it if there is none, and bring its tables to this version.

    Returns:
        The connection, and what the user must hear: that the file was damaged and set aside.

    Raises:
        StorageError: the file is a newer version's, another process holds it, or it cannot be read or written.
    """
    os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", ALLOCATOR)  # read as the library is loaded
    import duckdb

    fresh = not _is_there(path)
    belongings.remove_working_folder(path.with_name(f"{path.name}.tmp"))
    _discard(path.with_name(f"{path.name}.new"))  # of a copy that a crash broke off
    if _wal(path).exists():
        _look_first(path)
    try:
        return _open_and_migrate(path), None
    except duckdb.Error as exc:
        if not fresh:
            _refuse_newer_format(path)
        if fresh or _is_held(path) or not _has_room(path):
            raise _not_opened(path, exc) from exc
        notice = set_aside(path, exc)
    try:
        return _open_and_migrate(path), notice
    except duckdb.Error as exc:
        raise _not_opened(path, exc) from exc


def _is_there(path: Path) -> bool:
    """Return whether there is a state file, and see that neither it nor its log could have been written by others.

    Raises:
        StorageError: one could, or it is a link or no file at all.
    """
    there = False
    for one in (_wal(path), path):
        try:
            os.close(open_own(one, os.O_RDONLY))
        except FileNotFoundError:
            there = False
        except StorageError as exc:
            raise StorageError(f"The state file {path} cannot be used.", hint=exc.hint, detail=exc.message) from exc
        except OSError as exc:
            raise _not_opened(path, exc) from exc
        else:
            there = True
    return there


def _open_and_migrate(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    con = duckdb.connect(str(path), config=SETTINGS)
    try:
        _refuse_newer_tables(path, con)
        _refuse_foreign(path, con)
        migrations.migrate(con, migrations.known())
        con.execute("SELECT applied_seq FROM projection").fetchall()
    except BaseException:
        con.close()
        raise
    belongings.close_to_others(path)  # the folder is 0700 already; this is the second fence
    return con


def verify(con: duckdb.DuckDBPyConnection) -> None:
    """Read every value of every table; each block's checksum is compared on the way.

    Raises:
        duckdb.Error: something cannot be read.
    """
    for table in TABLES:
        con.execute(sum_of(table)).fetchall()


def sum_of(table: str) -> str:
    """Return a SELECT that needs every value of a table."""
    return f"SELECT count(*), bit_xor(hash({table})) FROM {table}"  # noqa: S608


def reopen(
    con: duckdb.DuckDBPyConnection, path: Path, cause: Exception
) -> tuple[duckdb.DuckDBPyConnection, str | None]:
    """Open the file anew after an error; set it aside when it turns out to be damaged.

    Returns:
        The new connection, and a notice if the file was damaged.

    Raises:
        StorageError: the disk is full, or the file cannot be opened at all.
    """
    import duckdb

    if not _has_room(path):
        raise StorageError(
            f"The state file {path} could not be read or written: the disk is full.",
            hint="Nothing is lost: it is in the journal. Make room on the disk and try again.",
        ) from cause
    con.close()
    new, notice = open_file(path)
    try:
        verify(new)
    except duckdb.Error as exc:
        new.close()
        notice = set_aside(path, exc)
        new = _open_and_migrate(path)
    return new, notice


def rebuilt(con: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyConnection:
    """Copy the tables into a new file and put it in the old one's place; after a crash there is either of the two.

    Returns:
        A connection to the new file; the old one is closed.

    Raises:
        StorageError: it could not be written; `con` is still good.
    """
    import duckdb

    fresh = path.with_name(f"{path.name}.new")
    try:
        _discard(fresh)
        _open_and_migrate(fresh).close()
        con.execute(f"ATTACH '{str(fresh).replace(chr(39), chr(39) * 2)}' AS fresh")
        try:
            for table in TABLES:
                con.execute(f"DELETE FROM fresh.{table}")  # noqa: S608
                con.execute(f"INSERT INTO fresh.{table} BY NAME SELECT * FROM {table}")  # noqa: S608
            con.execute("CHECKPOINT fresh")
        finally:
            con.execute("DETACH fresh")
        _sync(fresh)
    except (duckdb.Error, OSError) as exc:
        _discard(fresh)
        raise StorageError(
            f"The state file {path} could not be rewritten: {_first_line(exc)}",
            hint="Make room on the disk; it is tried again within the hour.",
        ) from exc
    con.close()
    if _wal(path).exists():  # the old file's end is only in there: it stays the one
        _discard(fresh)
    else:
        belongings.put_in_place(fresh, path)
        sync_directory(path.parent)
    return _open_and_migrate(path)


def _discard(path: Path) -> None:
    belongings.discard(path)
    belongings.discard(_wal(path))


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def set_aside(path: Path, cause: Exception) -> str:
    """Rename a damaged file and its write-ahead log; return what the user must hear."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    belongings.set_aside(path, aside)
    if _wal(path).exists():
        belongings.set_aside(_wal(path), _wal(aside))
    return (
        f"The state file {path} could not be read ({_first_line(cause)}). It was set aside as {aside.name}"
        " and rebuilt from the journal."
    )


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def roll_back(con: duckdb.DuckDBPyConnection) -> None:
    """End a transaction that failed; that it is gone already is fine."""
    import duckdb

    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return


def _look_first(path: Path) -> None:
    """Look before opening for writing, which alone would fold a write-ahead log into a file that is to stay untouched.

    Raises:
        StorageError: the tables are of a newer tusk.
    """
    import duckdb

    try:
        with duckdb.connect(str(path), config=SETTINGS, read_only=True) as con:
            _refuse_newer_tables(path, con)
    except duckdb.Error:
        return  # held by another process, or damaged, or of a newer DuckDB: opening it for writing tells


def _refuse_newer_tables(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    done, known = migrations.applied(con), migrations.known()
    if migrations.is_newer(done, known):
        raise _newer(path, f"its tables are of version {max(done)}, this tusk knows up to {known[-1].version}")


_ANYTHING = """
    SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT sequence_name FROM duckdb_sequences() UNION ALL SELECT schema_name FROM duckdb_schemas() WHERE NOT internal
    UNION ALL SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal
    UNION ALL SELECT type_name FROM duckdb_types() WHERE NOT internal
    ORDER BY 1 LIMIT 3"""
"""Names of up to three things that somebody made in a database: tables, views, sequences, schemas, macros, types."""


def _refuse_foreign(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    if migrations.applied(con):
        return
    found = con.execute(_ANYTHING).fetchall()
    if found:
        raise StorageError(
            f"{path} is a DuckDB file, but no state file of tusk: it holds {', '.join(name for (name,) in found)}."
            " It was left untouched.",
            hint="Set TUSK_HOME to a folder of its own, or move this file away.",
        )


def _refuse_newer_format(path: Path) -> None:
    if _storage_version(path) > _own_storage_version():
        raise _newer(path, "its DuckDB storage version is newer")


def _storage_version(path: Path) -> int:
    """Return the format number that DuckDB wrote into the file's head; 0 if that is not there."""
    with path.open("rb") as file:
        head = file.read(20)
    return int.from_bytes(head[12:20], "little") if head[8:12] == b"DUCK" else 0


def _own_storage_version() -> int:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "version.duckdb"
        duckdb.connect(str(path), config=SETTINGS).close()
        return _storage_version(path)


def _newer(path: Path, why: str) -> StorageError:
    return StorageError(
        f"The state file {path} was written by a newer version: {why}. It was left untouched.",
        hint="Install the newer tusk-jupyter (`pip install -U tusk-jupyter`), or set TUSK_HOME to another folder.",
    )


def _is_held(path: Path) -> bool:
    """Whether another process has the file open; asked of the system, because DuckDB has no code for it."""
    try:
        import fcntl
    except ImportError:  # Windows: opening fails for us as it did for DuckDB
        return _cannot_open(path)
    try:
        with path.open("rb+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _cannot_open(path: Path) -> bool:
    try:
        path.open("rb+").close()
    except OSError:
        return True
    return False


def _has_room(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free > ROOM_BYTES


def _not_opened(path: Path, exc: Exception) -> StorageError:
    return StorageError(
        f"The state file {path} could not be opened.",
        hint="See that the folder belongs to you, has room, and that no other program has the file open.",
        detail=_first_line(exc),
    )


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n")[0]
