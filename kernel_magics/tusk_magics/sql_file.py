"""`--file PATH`: SQL from a file, read as UTF-8."""

from __future__ import annotations

import difflib
import os
import re
import stat
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
        return _text_of(path)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", hint=_near(path)) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a file.", hint=_near(path / "x.sql")) from None
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"{path} is not UTF-8 text (byte {exc.start}).",
            hint=_in_utf8(exc.object),
        ) from None
    except OSError as exc:
        raise UsageError(
            f"{path} cannot be read: {exc.strerror or exc}.", hint="Check the file's permissions."
        ) from None


def _text_of(path: Path) -> str:
    """Return a regular file's text: a pipe may never end, nor may a device."""
    with open(path, "rb", opener=_without_waiting) as file:  # `Path.open` takes no opener
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UsageError(f"{path} is no regular file.", hint="Write the SQL into a file, then name that.")
        return file.read().decode("utf-8-sig")


def _without_waiting(path: str, flags: int) -> int:
    """Open a file without waiting for somebody who writes into it, if it is a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


_SCRIPTS_OF_MYSQL = re.compile(rb"-- (?:MySQL|MariaDB) dump |/\*M?!\d{5,6}[ \\]|DELIMITER ", re.IGNORECASE)
_OTHER_NAMES = re.compile(rb"SET NAMES (?!utf8|binary)(\w{1,40})", re.IGNORECASE)
_OTHER_ENCODING = re.compile(rb"SET client_encoding = '(?!UTF8)([\w-]{1,40})'")


def _in_utf8(content: bytes) -> str:
    """Return how a file becomes UTF-8: bytes of BLOBs in a dump would be damaged by an editor that saves them as text."""
    head = content[:4_000]
    if _SCRIPTS_OF_MYSQL.search(head) and (other := _OTHER_NAMES.search(head)):
        return (
            f"Its text is in {other[1].decode()}: dump anew with `--default-character-set=utf8mb4 --hex-blob`, or run this "
            "file with `mariadb` or `mysql` itself."
        )
    if _SCRIPTS_OF_MYSQL.search(head):
        return (
            "A dump without --hex-blob has the bytes of BINARY and BLOB columns as they are. Do not save it in another "
            "encoding, which would damage them: dump anew with `mysqldump --hex-blob` (`mariadb-dump --hex-blob`), or run "
            "this file with `mariadb` or `mysql` itself."
        )
    if other := _OTHER_ENCODING.search(head):
        return f"Its text is in {other[1].decode()}: dump anew with `pg_dump --encoding=UTF8`, or run it with `psql` itself."
    return "If it is text in another encoding, save it as UTF-8, then run the cell again."


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either."
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() == ".sql")
    near = difflib.get_close_matches(path.name, names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"SQL files there: {', '.join(names[:8])}." if names else f"There are no .sql files in {folder}."
