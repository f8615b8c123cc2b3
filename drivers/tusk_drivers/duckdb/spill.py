"""A private folder for what DuckDB spills to disk, which goes with the process.

A driver may be killed at any instant, so each new driver removes the folders of processes that are gone: no process has the
id in the name, and none holds the lock in it. The id alone proves nothing where containers share the folder for temporary
files: each counts its own processes. DuckDB spills one folder deeper, since it makes its folder again, readable by all, when a
cleaner has removed it; it makes none above it, so without the outer one it fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import psutil

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system.locks import FileLock

_PREFIX = "tusk-duckdb-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-[a-z0-9_]{{3,8}}")


_LOCK, _SPILL = "lock", "spill"
_locks: dict[Path, FileLock] = {}
"""Held ones, by the folder that `make_folder` returned."""


def make_folder() -> Path:
    """Return a new folder that only this user may read; give it back with `remove_folder`."""
    _sweep(Path(tempfile.gettempdir()))
    while True:
        outer = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        lock = FileLock(outer / _LOCK)
        try:
            if not lock.try_acquire():
                continue  # a driver in another container took it for left behind: it removes it
        except StorageError:
            if not outer.exists():
                continue  # likewise
            # a file system without locks: no driver removes it but by its lock
        folder = outer / _SPILL
        folder.mkdir(mode=0o700)
        _locks[folder] = lock
        return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours; what another process holds open in it stays until the next driver's start."""
    if (lock := _locks.pop(folder, None)) is not None:
        lock.release()
    shutil.rmtree(folder.parent, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        found = _NAME.fullmatch(folder.name)
        if found and not psutil.pid_exists(int(found[1])) and _ours(folder):
            _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    lock = FileLock(folder / _LOCK)
    with contextlib.suppress(StorageError):  # swept a moment ago, or no lock can be had: left where it is
        if lock.try_acquire():
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()


def _ours(folder: Path) -> bool:
    """Return whether it is a folder, no link, and this user's."""
    try:
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
    except FileNotFoundError:  # another driver swept it a moment ago
        return False
