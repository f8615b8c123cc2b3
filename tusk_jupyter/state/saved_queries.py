"""Saved queries: SQL under a name. Served from memory; only changes touch the disk."""

from __future__ import annotations

import threading
import uuid
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import fields_of
from tusk_jupyter.protocol.scenarios import NAME_TAKEN, NO_SUCH_NAME
from tusk_jupyter.state import clock
from tusk_jupyter.state.erasure import Erasure
from tusk_jupyter.state.tables import ERASES

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal

LONGEST_NAME = 200
COLUMNS = ("id", "name", "sql", "connection", "description", "created_at", "updated_at")


class SavedQueries:
    """All saved queries; threads may call at once."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Load them from the state file."""
        self._journal = journal
        self._erasure = Erasure(database, journal)
        self._lock = threading.Lock()
        rows = database.read(f"SELECT {', '.join(COLUMNS)} FROM saved_query")  # noqa: S608
        self._by_id = {query.id: query for query in map(_from_row, rows)}

    def list(self) -> tuple[control.SavedQuery, ...]:
        """Return all, by name."""
        with self._lock:
            return tuple(sorted(self._by_id.values(), key=lambda one: one.name.casefold()))

    def save(self, request: control.SaveQuery) -> control.SavedQuery:
        """Store a query under its name, in any case of letters.

        Raises:
            UsageError: the name is taken and `replace` is off, or there is nothing to save.
            StorageError: it could not be written, and nothing is changed; or the text that it replaces is not out of the files
                yet: that is tried again within the hour.
        """
        name = request.name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageError(
                f"{request.name!r} cannot be a saved query's name.",
                hint=f"A name is one line of 1 to {LONGEST_NAME} characters.",
            )
        if not request.sql.strip():
            raise UsageError("There is no SQL to save.")
        with self._lock:
            known = self._find(name)
            if known is not None and request.again and _holds(known, request):
                return known
            if known is not None and not request.replace:
                raise UsageError(
                    f"There is a saved query {known.name!r} already.",
                    hint="Take another name, or replace it (`--replace`).",
                    scenario=NAME_TAKEN,
                )
            now = clock.now()
            query = control.SavedQuery(
                id=known.id if known else str(uuid.uuid4()),
                name=name,
                sql=request.sql,
                connection=request.connection,
                description=request.description,
                created_at=known.created_at if known else now,
                updated_at=now,
            )
            replaces_text = known is not None and not _holds(known, request)
            self._journal.append("query.put", fields_of(query) | (ERASES if replaces_text else {}))
            self._by_id[query.id] = query
        if replaces_text:
            self._erasure.finish()
        return query

    def delete(self, request: control.DeleteQuery) -> str:
        """Delete a query and return its name; a request that comes again may find it gone.

        Raises:
            UsageError: there is none of that name.
            StorageError: it could not be written, and nothing is changed; or its text is not out of the files yet: that
                is tried again within the hour.
        """
        with self._lock:
            name = request.name.strip()
            known = self._find(name)
            if known is None and request.again:
                return name
            if known is None:
                names = [one.name for one in self._by_id.values()]
                near = get_close_matches(name, names, 1)
                raise UsageError(
                    f"There is no saved query {name!r}.",
                    hint=f"Did you mean {near[0]!r}?" if near else None,
                    scenario=NO_SUCH_NAME,
                )
            self._journal.append("query.delete", {"id": known.id} | ERASES)
            del self._by_id[known.id]
        self._erasure.finish()
        return known.name

    def _find(self, name: str) -> control.SavedQuery | None:
        wanted = name.casefold()
        return next((one for one in self._by_id.values() if one.name.casefold() == wanted), None)


def _holds(known: control.SavedQuery, request: control.SaveQuery) -> bool:
    """Return whether a saved query is what a request asks to save."""
    return (known.sql, known.connection, known.description) == (request.sql, request.connection, request.description)


def _from_row(row: tuple[Any, ...]) -> control.SavedQuery:
    values = dict(zip(COLUMNS, row, strict=True))
    for name in ("created_at", "updated_at"):
        values[name] = clock.text(values[name])
    return control.SavedQuery(**values)
