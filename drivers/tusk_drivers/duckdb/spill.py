"""A private folder for what DuckDB spills to disk, which goes with the process.

A driver may be killed at any instant, so a folder's name carries its process id and each new driver removes the folders
of processes that are gone.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import psutil

_PREFIX = "tusk-duckdb-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-[a-z0-9_]{{3,8}}")


def make_folder() -> Path:
    """Return a new folder that only this user may read."""
    _sweep(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours; what another process holds open in it stays until the next driver's start."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        found = _NAME.fullmatch(folder.name)
        if found and not psutil.pid_exists(int(found[1])) and _ours(folder):
            remove_folder(folder)


def _ours(folder: Path) -> bool:
    """Return whether it is a folder, no link, and this user's."""
    try:
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
    except FileNotFoundError:  # another driver swept it a moment ago
        return False
