"""This project's own processes in the benchmarks: connections, the core and its drivers, their memory, a large log."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import psutil
from services.homes import processes_of
from services.waiting import wait_until

from benchmarks.databases import Database
from benchmarks.measure import ROOT, Failed, what_failed

LOG_ROWS = 1_000_000
SCHEMES = {"postgresql": "postgresql", "mariadb": "mysql", "sqlite": "sqlite", "duckdb": "duckdb"}


def connect(database: Database, environment: Mapping[str, str]) -> None:
    """Store the connection that the magics use; its name is the engine's.

    Raises:
        Failed: it could not be stored.
    """
    if database.path:
        path = f"{database.path}.tusk"  # DuckDB files are one process's at a time, and ours may still hold its own
        shutil.copyfile(database.path, path)
        target, options = f"{SCHEMES[database.engine]}:///{path}", []
    else:
        target = f"{SCHEMES[database.engine]}://{database.user}@{database.host}:{database.port}/{database.name}"
        options = ["--password-env", "BENCH_PASSWORD"]
    tusk(["connect", database.engine, target, *options], dict(environment) | {"BENCH_PASSWORD": database.password})


def tusk(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run a `tusk` command and return its output.

    Raises:
        Failed: it failed.
    """
    done = subprocess.run(
        [Path(sys.executable).with_name("tusk"), *arguments], env=environment, cwd=ROOT, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Failed(f"tusk {arguments[0]} (status {done.returncode}): {what_failed(done.stderr or done.stdout)}")
    return done.stdout


def stop_core(environment: Mapping[str, str]) -> None:
    """Stop the core and wait until no process of its home is left."""
    tusk(["core", "stop"], environment)
    wait_until(lambda: not processes_of(environment["TUSK_HOME"]), 15, "the core and its drivers have ended")


def peaks(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the most resident bytes that the core and each kind of driver process have had so far."""
    found: dict[str, int] = {}
    for process in processes_of(environment["TUSK_HOME"]):
        try:
            name, size = role(process), status("VmHWM", process.pid)
        except (psutil.NoSuchProcess, FileNotFoundError):
            continue
        if name:
            found[name] = max(size, found.get(name, 0))
    return found


def status(name: str, pid: int | str = "self") -> int:
    """Return a line of /proc/PID/status in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def role(process: psutil.Process) -> str | None:
    """Return what a process of the home is, from its command line."""
    line = " ".join(process.cmdline())
    if "tusk_jupyter.service" in line:
        return "core"
    for engine in ("duckdb", "sqlite", "postgresql", "mysql"):
        if f"tusk_drivers.{engine}" in line:
            return f"driver {engine}"
    return None


def fill_log(environment: Mapping[str, str]) -> None:
    """Put a million runs into the state file of a stopped core, older than all that are there.

    Raises:
        Failed: the state file does not take them.
    """
    try:
        with duckdb.connect(str(Path(environment["TUSK_HOME"]) / "state.duckdb")) as state:
            state.execute(f"""
                INSERT INTO query_log BY NAME SELECT
                    i - {LOG_ROWS} AS seq, md5(i::VARCHAR) AS run, 'query' AS kind, 'completed' AS status,
                    'session ' || (i % 997) AS session, '/home/ann/notebook_' || (i % 311) || '.ipynb' AS source,
                    'warehouse' AS connection, '' AS connection_id, 'postgresql' AS driver,
                    'SELECT * FROM orders WHERE customer = customer_' || (i % 10000) || ' AND amount > 0' AS sql,
                    TIMESTAMP '2025-01-01' + to_seconds(i) AS started_at, 12.5 AS elapsed_ms, 100 AS rows,
                    1 AS statements
                FROM range({LOG_ROWS}) AS g(i)""")
            state.execute("CHECKPOINT")
    except duckdb.Error as exc:
        raise Failed(f"the query log could not be filled: {exc}") from exc
