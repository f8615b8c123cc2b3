"""Relative paths in SQL: which statements may open some, and how a session finds its own notebook's files.

While all sessions of the process are in one folder, that is the working directory and DuckDB does as it always does. When
they are not, the working directory is nowhere (`driverkit.folders`); what reads is then given the session's own folder as
`file_search_path`, which DuckDB keeps per connection, and what writes or attaches is refused by the system.
"""

from __future__ import annotations

import re
import threading

import duckdb

from tusk_drivers.duckdb.words import words
from tusk_jupyter.driverkit.folders import FOLDERS, NOWHERE, Place
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, tokens

_DIALECT = dialect_named("duckdb")
_OPENS_FILES = frozenset({"ATTACH", "COPY", "EXPORT", "LOAD", "PRAGMA"})
_LONG = 100_000
"""Characters from which a statement is not read for this: it counts as one with paths."""

_NAMED = re.compile(r'(?:pattern|file) "([^"]+)"')
"""Where DuckDB names the file that it did not find."""
_UNSPEAKABLE = frozenset(",*?[]\\'\"")
"""In a folder's name, what `file_search_path` would read as something else: its separator, patterns, quotes."""


def may_open(sql: str, kind: str) -> bool:
    """Return whether the statement itself names what may be a relative path; a view's or variable's is not seen."""
    if kind in _OPENS_FILES or len(sql) > _LONG:
        return True
    if "'" not in sql and '"' not in sql and "$" not in sql:
        return False
    literals = (sql[t.start : t.end] for t in tokens(sql, _DIALECT) if t.kind in (Kind.STRING, Kind.NAME))
    return any(_looks_relative(text.strip("'\"")) for text in literals)


def _looks_relative(text: str) -> bool:
    return _is_relative(text) and any(mark in text for mark in "./*")


def _is_relative(path: str) -> bool:
    return not path.startswith(("/", "~")) and "://" not in path


class Paths:
    """One session's relative paths."""

    def __init__(self) -> None:
        """Begin with no folder."""
        self._folder: str | None = None
        self._told = False
        self.place: Place = NOWHERE
        self.stopped = threading.Event()
        self._opens = False
        self._searched: str | None = None
        self._users_own = False

    def begin_at(self, folder: str | None) -> None:
        """Begin relative paths at `folder` from the next statement on."""
        self._folder, self._told = folder, True

    def enter(self, connection: duckdb.DuckDBPyConnection, sql: str, kind: str) -> None:
        """Prepare for a statement; `leave` ends it.

        Raises:
            TimeoutExceeded, Cancelled: as `Folders.enter`.
        """
        self.stopped.clear()
        self._opens = may_open(sql, kind)
        if not self._told:  # nobody's notebook: the process stays where it is
            return
        self.place = FOLDERS.enter(self, self._folder, holds=self._opens, stopped=self.stopped)
        folder = self._folder if self.place.shared and not _UNSPEAKABLE & set(self._folder or "") else None
        if folder != self._searched and not self._users_own:
            connection.execute(
                f"SET SESSION file_search_path = '{folder}'" if folder else "RESET SESSION file_search_path"
            )
            self._searched = folder

    def note_setting(self, sql: str) -> None:
        """Leave the search path alone once the user has set it, until it is reset."""
        found = words(sql)
        if "file_search_path" in found[:4]:
            self._users_own, self._searched = found[0] != "reset", None

    def leave(self) -> None:
        """End the statement; idempotent."""
        FOLDERS.leave(self)

    def forget_settings(self) -> None:
        """Begin anew on another connection."""
        self._searched, self._users_own = None, False

    def close(self) -> None:
        """Have no folder any more."""
        FOLDERS.forget(self)

    def hint(self, message: str, usual: str | None) -> str | None:
        """Return what to do about a file that the statement under way did not find, by DuckDB's words for it."""
        found = _NAMED.search(message)
        if found is None or _is_relative(found[1]):
            return self.place.hint(usual) if self._opens or self.place.problem else self._of_another(found, usual)
        return "Check the path." if usual == hint_for("no_such_file") else usual

    def _of_another(self, found: re.Match[str] | None, usual: str | None) -> str | None:
        """Return the hint for a path that does not stand in the statement: who made a view may have been in another folder."""
        if found is None or not self._folder:
            return usual
        return (
            f"{found[1]} is a relative path in a view, a macro or a variable: it begins at the folder of the notebook that "
            f"runs it, here {self._folder}. Write the absolute path there, so that it means the same in every folder."
        )
