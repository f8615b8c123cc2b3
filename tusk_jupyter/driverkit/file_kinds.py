"""What a file is by its first bytes, told where it is not the database that a connection expected.

An engine says of such a file that it is none of its own; whoever has taken the wrong driver, or wants to query a CSV file,
needs to know what it is and how one gets at it.
"""

from __future__ import annotations

import codecs
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HEAD_BYTES = 512
_TEXTS = {
    ".csv": "a CSV file", ".tsv": "a CSV file", ".json": "a JSON file", ".jsonl": "a JSON file", ".ndjson": "a JSON file",
}  # fmt: skip


class FileKind(NamedTuple):
    """What a file is, as "a Parquet file", and what to do with it."""

    what: str
    advice: str


def kind_of(path: Path) -> FileKind | None:
    """Return what a file is, by its first bytes and, for text, its ending; None where they tell nothing.

    Closing any handle on a file drops the POSIX locks that this process holds on it: not for a file that is open here.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if not head:
        return FileKind("an empty file", "Remove it to have a new database made in its place, or check the path.")
    for offset, mark, what, advise in _MARKS:
        if head.startswith(mark, offset):
            return FileKind(what, advise(path))
    return named(path) or FileKind("a text file", _from_duckdb(path)) if _is_text(head) else None


def named(path: Path) -> FileKind | None:
    """Return what a file that is no database is by its name alone; None where that tells nothing."""
    ending = path.suffix.lower()
    if ending == ".sql":
        return FileKind("a file of SQL", f"Run it on a connection: `%sql CONNECTION --file {shlex.quote(str(path))}`.")
    if ending in (".parquet", ".pq"):
        return FileKind("a Parquet file", _from_duckdb(path))
    if ending in (".xlsx", ".xls", ".ods"):
        return FileKind("a spreadsheet", _through_a_frame(path))
    return FileKind(_TEXTS[ending], _from_duckdb(path)) if ending in _TEXTS else None


def encrypted(path: Path, engine: str) -> FileKind:
    """Return the words for a DuckDB file that asks for a key."""
    return FileKind(
        f"an encrypted {engine} database",
        "Connect to memory (`%tusk connect NAME :memory: --driver duckdb`) and run "
        f"`ATTACH {_literal(path)} AS db (ENCRYPTION_KEY '...', READ_ONLY)`; the query log hides the key. "
        "To write, `LOAD httpfs` first and leave READ_ONLY out.",
    )


def _is_text(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()  # a sign may be cut off at the end
    try:
        return not any(ord(sign) < 32 and sign not in "\t\n\r\f\x1b" for sign in decoder.decode(head))
    except UnicodeDecodeError:
        return False


def _with(driver: str) -> Callable[[Path], str]:
    return lambda path: f"Connect with its own driver: `%tusk connect NAME {shlex.quote(str(path))} --driver {driver}`."


def _from_duckdb(path: Path) -> str:
    read = f"`SELECT * FROM {_literal(path)}`"  # noqa: S608  # for people
    return f"DuckDB reads such files where they are: `%tusk connect NAME :memory: --driver duckdb`, then {read}."


def _through_a_frame(path: Path) -> str:
    return (
        "Read it into a frame (pandas, pyarrow), and write that into a database with `%sql CONNECTION --persist FRAME`."
    )


def _unpacked(path: Path) -> str:
    return f"Unpack it first, unless it holds CSV or JSON. {_from_duckdb(path)}"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


_MARKS: tuple[tuple[int, bytes, str, Callable[[Path], str]], ...] = (
    (0, b"SQLite format 3\0", "a SQLite database", _with("sqlite")),
    (8, b"DUCK", "a DuckDB database", _with("duckdb")),
    (0, b"PAR1", "a Parquet file", _from_duckdb),
    (0, b"PARE", "an encrypted Parquet file", _from_duckdb),
    (0, b"ARROW1", "an Arrow file", _through_a_frame),
    (0, b"PK\x03\x04", "a ZIP archive or a spreadsheet", _through_a_frame),
    (0, b"\x1f\x8b", "a compressed file (gzip)", _unpacked),
    (0, b"\x28\xb5\x2f\xfd", "a compressed file (zstd)", _unpacked),
    (0, b"PGDMP", "a dump of PostgreSQL", lambda _: "Bring it into a server with `pg_restore`, and connect to that."),
)
"""Where the mark of a kind stands, and which; SQLite's and DuckDB's are those of their file formats."""
