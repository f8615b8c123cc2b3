"""The searcher finds what it must: a test that finds nothing proves nothing otherwise. # R-11"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import psutil
import pytest
from security.canary import Canary, texts_of_duckdb, texts_of_sqlite

WAYS = {
    "as it is": lambda text: text.encode(),
    "in a URL": lambda text: f"postgresql://ann:{quote(text, safe='')}@host/db".encode(),
    "in a form": lambda text: quote_plus(text).encode(),
    "in JSON": lambda text: json.dumps({"password": text}).encode(),
    "in repr": lambda text: repr({"password": text}).encode(),
    "in hex": lambda text: f"0x{text.encode().hex()}".encode(),
    "in upper hex": lambda text: text.encode().hex().upper().encode(),
    "in UTF-16": lambda text: text.encode("utf-16"),
    "in base64": lambda text: base64.b64encode(text.encode()),
    "in base64 behind one": lambda text: base64.b64encode(b":" + text.encode() + b"!"),
    "in base64 behind two": lambda text: base64.b64encode(b"u:" + text.encode() + b"!!"),
    "in url-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_it_is_found(way) -> None:
    canary = Canary.new()
    assert canary.hits("here", b"before " + way(canary.password) + b" after")
    assert canary.hits("here", way(canary.core))


def test_another_one_is_not_found() -> None:
    canary, other = Canary.new(), Canary.new()
    assert not any(canary.hits("here", way(other.password)) for way in WAYS.values())


def test_files_their_names_and_what_lies_below(tmp_path: Path) -> None:
    canary = Canary.new()
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_text(f"password={canary.password}")
    (tmp_path / f"{canary.core}.txt").touch()
    assert {Path(hit.place.removeprefix("name of ")).name for hit in canary.hits_in_files(tmp_path)} == {
        "log",
        f"{canary.core}.txt",
    }


def test_values_in_databases(tmp_path: Path) -> None:
    canary = Canary.new()
    lite = sqlite3.connect(tmp_path / "history.sqlite")
    lite.execute("CREATE TABLE history (source TEXT)")
    lite.execute("INSERT INTO history VALUES (?)", [f"connect {canary.password}"])
    lite.commit()
    lite.close()
    with duckdb.connect(str(tmp_path / "state.duckdb")) as duck:
        duck.execute("CREATE TABLE log AS SELECT repeat('x', 5000) || ? AS sql FROM range(1000)", [canary.core])
    assert canary.hits_in_texts("sqlite", texts_of_sqlite(tmp_path / "history.sqlite"))
    assert canary.hits_in_texts("duckdb", texts_of_duckdb(tmp_path / "state.duckdb"))


def test_command_lines_environments_and_memory() -> None:
    canary = Canary.new()
    script = (
        "import base64, sys; held = base64.b64decode(sys.stdin.readline()).decode();"
        "print('.', flush=True); sys.stdin.read()"
    )
    for argument, environ in ((canary.core, {}), ("nothing", {"PGPASSWORD": canary.core}), ("nothing", {})):
        process = subprocess.Popen(
            [sys.executable, "-c", script, argument],
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        process.stdin.write(base64.b64encode(b"?" + canary.password.encode()) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        seen = canary.hits_in_processes([psutil.Process(process.pid)])
        assert bool(seen) == (argument != "nothing" or bool(environ))
        assert canary.hits_in_memory(process.pid)
        process.communicate()
