"""A secret that must be nowhere, and everything that looks for it.

    canary = Canary.new()
    ... connect with canary.password, work, fail ...
    assert canary.hits_in_files(home) == []

It is searched as it is and as the usual encodings would leave it. What compresses its content (DuckDB, SQLite) is
searched as bytes and, through `texts_of_*`, value by value.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psutil


@dataclass(frozen=True)
class Hit:
    """Where the secret was found, and in which form."""

    place: str
    form: str


@dataclass(frozen=True)
class Canary:
    """A password with a core of plain letters, so that a part of it, or an unknown way of escaping, is found too."""

    core: str

    @classmethod
    def new(cls) -> Canary:
        return cls("Zq" + secrets.token_hex(6) + "Kw")

    @property
    def password(self) -> str:
        return f"p@:/%# {self.core}é'\"\\"

    @cached_property
    def forms(self) -> dict[str, bytes]:
        """Every byte string that gives it away, by name."""
        found: dict[str, bytes] = {}
        for name, text in (("password", self.password), ("core", self.core)):
            raw = text.encode()
            found |= {
                name: raw,
                f"{name} in a URL": quote(text, safe="").encode(),
                f"{name} in JSON": json.dumps(text)[1:-1].encode(),
                f"{name} in hex": raw.hex().encode(),
                f"{name} in HEX": raw.hex().upper().encode(),
                f"{name} in UTF-16-LE": text.encode("utf-16-le"),
                f"{name} in UTF-16-BE": text.encode("utf-16-be"),
            }
            for shift in range(3):
                found |= {f"{name} in base64+{shift}": _inner_base64(raw, shift)}
                found |= {f"{name} in base64url+{shift}": _inner_base64(raw, shift, b"-_")}
        return found

    def hits(self, place: str, content: bytes) -> list[Hit]:
        return [Hit(place, form) for form, needle in self.forms.items() if needle in content]

    def hits_in_texts(self, place: str, texts: Iterable[str]) -> list[Hit]:
        return self.hits(place, "\0".join(texts).encode("utf-8", "replace"))

    def hits_in_files(self, *roots: Path) -> list[Hit]:
        """Search files, their names and all below folders; sockets and pipes have no content."""
        found = []
        for root in roots:
            for path in [root, *(root.rglob("*") if root.is_dir() else ())]:
                found += self.hits(f"name of {path}", str(path).encode())
                if path.is_file():
                    found += self.hits(str(path), path.read_bytes())
        return found

    def hits_in_processes(self, processes: Iterable[psutil.Process]) -> list[Hit]:
        """Search command lines and environments; one that may not be read by us is not read by others of this user."""
        found = []
        for process in processes:
            for name in ("cmdline", "environ"):
                try:
                    content = Path(f"/proc/{process.pid}/{name}").read_bytes()
                except (PermissionError, FileNotFoundError, ProcessLookupError):
                    continue
                found += self.hits(f"{name} of {process.pid}", content)
        return found

    def hits_in_memory(self, pid: int) -> list[Hit]:
        """Search all that a process has written to its memory; every form of the password has one of its core in it."""
        needles = {needle: form for form, needle in self.forms.items() if form.startswith("core")}
        found: dict[Hit, None] = {}
        for content in _written(pid):
            found |= {Hit(f"memory of {pid}", form): None for needle, form in needles.items() if needle in content}
        return list(found)


def texts_of_sqlite(path: Path) -> Iterator[str]:
    """Yield every value of every table."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield from map(str, row)
    finally:
        connection.close()


def texts_of_duckdb(path: Path) -> Iterator[str]:
    """Yield every value of every table; nobody else may have the file open."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, table in tables:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                yield from map(str, row)


def _inner_base64(raw: bytes, shift: int, altchars: bytes | None = None) -> bytes:
    """The part of base64 text that is the same whatever stands before and after, at one of the three alignments."""
    text = base64.b64encode(b"\0" * shift + raw, altchars).rstrip(b"=")
    whole = (shift + len(raw)) * 8 // 6
    return text[-(-shift * 8 // 6) : whole]


CHUNK = 1 << 20
OVERLAP = 1 << 10
_ZEROS = bytes(CHUNK + OVERLAP)


def _written(pid: int) -> Iterator[bytes]:
    """Yield the memory that a process may write, in overlapping pieces; most of what is reserved was never touched."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _writable(pid):
            for place in range(start, end, CHUNK):
                size = min(CHUNK + OVERLAP, end - place)
                memory.seek(place)
                try:
                    content = memory.read(size)
                except OSError:  # a device's page
                    continue
                if content != _ZEROS[: len(content)]:
                    yield content


def _writable(pid: int) -> Iterator[tuple[int, int]]:
    """Yield the places that a process may write and has pages in."""
    start = end = 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first, *more = line.split()
        if "-" in first and not first.endswith(":"):
            start, end = (int(part, 16) for part in first.split("-"))
            if not more[0].startswith("rw"):
                end = start
        elif first == "Rss:" and int(more[0]) and end > start:
            yield start, end
