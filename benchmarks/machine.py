"""What the numbers were taken on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from services.postgresql import BIN_FOLDERS
from services.processes import find_program

PACKAGES = (
    "tusk-jupyter", "jupysql", "pandas", "pyarrow", "connectorx", "SQLAlchemy", "psycopg", "PyMySQL", "duckdb",
    "duckdb-engine", "ipython", "ipykernel",
)  # fmt: skip


def description(engines: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return what to know about machine, software and date, as pairs of name and value."""
    facts = [
        ("Date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Commit", _output(["git", "describe", "--always", "--dirty"]) or "unknown"),
        (
            "Machine",
            f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        ),
        ("Load at the start", f"{os.getloadavg()[0]:.1f} (1 minute)"),
        ("System", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
    ]
    if "postgresql" in engines:
        postgres = find_program("postgres", package="postgresql", folders=BIN_FOLDERS)
        facts.append(("PostgreSQL", _output([str(postgres), "--version"])))
    if "mariadb" in engines:
        facts.append(("MariaDB", _output([str(find_program("mariadbd", package="mariadb-server")), "--version"])))
    facts.append(("Packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)))
    return facts


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""
