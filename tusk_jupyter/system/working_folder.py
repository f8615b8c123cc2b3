"""The folder where a relative path begins: this process's working directory, which may have been removed under it.

A notebook's folder is renamed or deleted while its kernel lives, and then whatever asks for it raises FileNotFoundError. It
is asked for here alone. What needs no folder, as plain SQL does, is not stopped by one that is gone.
"""

from __future__ import annotations

import os
from pathlib import Path

from tusk_jupyter.errors import UsageError


def working_folder() -> str:
    """Return where relative paths begin now (a notebook may change it between two runs), "" where it was removed."""
    try:
        return os.getcwd()  # noqa: PTH109  # on the way of every run, where Path costs as much again
    except OSError:
        return ""


def absolute(path: Path) -> Path:
    """Return a path as an absolute one; `..` and links stay in it.

    Raises:
        UsageError: it is relative, and the working folder is gone.
    """
    return path if path.is_absolute() else below(working_folder(), path)


def expanded(path: str | Path) -> Path:
    """Return a path that somebody wrote, with the home that a leading `~` or `~NAME` means.

    Raises:
        UsageError: that home is not known, or the path holds what no path can.
    """
    text = os.fspath(path)
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is no path: it holds half a character.") from None
    if "\0" in text:
        raise UsageError(f"{text!r} is no path: it holds a NUL character.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        name = text.partition("/")[0]
        raise UsageError(
            f"{text!r} begins at the home folder of {name[1:] or 'this user'}, which is not known.",
            hint=f"Write the folder out, or `./{name}` for a folder of that name.",
        ) from None


def below(base: str, path: Path) -> Path:
    """Return a path, absolute: a relative one begins at `base`.

    Raises:
        UsageError: it is relative, and there is no such folder ("").
    """
    if path.is_absolute():
        return path
    if not base:
        raise UsageError(
            f"{path} is a relative path, and the folder that it starts from is gone or was not named.",
            hint="Give an absolute path, or change to a folder that exists (`%cd FOLDER`).",
        )
    return Path(base) / path
