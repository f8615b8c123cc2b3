"""Paths that DuckDB does not take as they stand, for its databases here and the state file alike."""

from __future__ import annotations

import os
from pathlib import Path


def problem(path: Path | str) -> str | None:
    r"""Return why DuckDB keeps no database at a path, in a sentence that begins with the path; None where it does.

    Tried with DuckDB 2.0: it follows links and completes relative paths first; the log of `/a?b/d.duckdb` is then
    `/a.wal?b/d.duckdb`, and `/a\b/d.duckdb` is `/a/b/d.duckdb`, both in folders that do not exist.
    """
    try:
        absolute, real = str(Path(path).absolute()), os.path.realpath(path)
    except OSError:  # there is no current folder, perhaps by intent: a relative path leads nowhere, which DuckDB says
        absolute = real = os.fspath(path)
    if "?" in real:
        why = "has a question mark in its path: DuckDB takes what follows for a query and writes beside it"
    elif os.sep == "/" and "\\" in real:
        why = "has a backslash in its path: DuckDB takes it for a slash and writes into another folder"
    elif not _is_utf8(real):
        why = "has a path that is no UTF-8, and DuckDB takes no other"
    else:
        return None
    return f"{os.fsencode(absolute).decode('utf-8', 'backslashreplace')} {why}."


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # what `os.fsdecode` makes of other bytes
        return False
    return True
