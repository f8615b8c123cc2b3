"""`--file PATH`: SQL from a file, read as UTF-8."""

from __future__ import annotations

import difflib
from pathlib import Path

from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.working_folder import absolute, expanded


def read_sql_file(name: str) -> str:
    """Return the text of a file; relative paths count from the kernel's working directory, as in Python.

    Raises:
        UsageError: it is not there, not readable or not text, no path, or relative to a folder that is gone.
    """
    path = absolute(expanded(name))
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", hint=_near(path)) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a file.", hint=_near(path / "x.sql")) from None
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"{path} is not UTF-8 text (byte {exc.start}).",
            hint="Save it as UTF-8, then run the cell again.",
        ) from None
    except OSError as exc:
        raise UsageError(
            f"{path} cannot be read: {exc.strerror or exc}.", hint="Check the file's permissions."
        ) from None


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() == ".sql")
    near = difflib.get_close_matches(path.name, names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"SQL files there: {', '.join(names[:8])}." if names else f"There are no .sql files in {folder}."
