"""The state of one user and state folder, as the core opens it: the one way into this package."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from tusk_jupyter.errors import StorageError
from tusk_jupyter.protocol import control
from tusk_jupyter.state import examination
from tusk_jupyter.state.connections import Connections
from tusk_jupyter.state.database import Database
from tusk_jupyter.state.journal import Journal
from tusk_jupyter.state.preferences import Preferences
from tusk_jupyter.state.query_log import QueryLog
from tusk_jupyter.state.saved_queries import SavedQueries
from tusk_jupyter.state.sessions import Sessions
from tusk_jupyter.system.locks import FileLock
from tusk_jupyter.system.private_files import make_private_directory

STATE_FILE = "state.duckdb"
JOURNAL_FOLDER = "journal"
LOCK_FILE = "state.lock"


class Store:
    """An open state folder. Belongs to the one core process of it; threads may use it at once.

    Attributes:
        connections: the configured connections.
        log: the query log.
        preferences: the user's settings.
        queries: the saved queries.
        sessions: the client sessions.
    """

    def __init__(self, home: Path, journal: Journal, database: Database) -> None:
        self.home = home
        self._closing = contextlib.ExitStack()
        self._journal = journal
        self._database = database
        self.connections = Connections(database, journal)
        self.preferences = Preferences(database, journal)
        self.queries = SavedQueries(database, journal)
        self.sessions = Sessions(database, journal)
        self.log = QueryLog(database, journal)

    @classmethod
    def open(cls, home: Path) -> Store:
        """Open the state in a folder, or begin it.

        Sets this process's umask to 077, because DuckDB makes its write-ahead log with the rights the umask leaves.

        Raises:
            StorageError: the state is a newer version's, another process holds it, or it cannot be read or written.
        """
        os.umask(0o077)
        lock = FileLock(home / LOCK_FILE)  # opening a journal that another process writes would cut its last record
        try:
            make_private_directory(home)
            free = lock.try_acquire()
        except OSError as exc:
            raise StorageError(
                f"The state folder {home} cannot be used: {exc.strerror or exc}.",
                hint="See that it is a folder, belongs to you and may be written; TUSK_HOME says where it is.",
            ) from exc
        with contextlib.ExitStack() as undo:
            if not free:
                raise StorageError(
                    f"The state in {home} is in use by another process.",
                    hint="`tusk core status` shows the running core.",
                )
            undo.callback(lock.release)
            journal = Journal(home / JOURNAL_FOLDER)
            undo.callback(journal.close)
            database = Database(home / STATE_FILE, journal)
            undo.callback(database.close)
            store = cls(home, journal, database)
            store._closing = undo.pop_all()
            return store

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user must hear: damage that was found, and what was done about it."""
        return tuple(dict.fromkeys(self._database.notices))

    def check(self) -> list[control.Check]:
        """Examine the state thoroughly, for the doctor: reads everything, about a second for a million log rows."""
        return examination.examine(self.home, self._journal, self._database)

    def close(self) -> None:
        """Bring everything into the state file and close it; again is fine."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
