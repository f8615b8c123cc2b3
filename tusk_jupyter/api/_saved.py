"""Saved queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tusk_jupyter.api._session import call

if TYPE_CHECKING:
    from tusk_jupyter.protocol import control


def saved_queries() -> tuple[control.SavedQuery, ...]:
    """Return the saved queries, by name."""
    from tusk_jupyter.protocol.control import ListQueries

    found: control.SavedQueryList = call(ListQueries())
    return found.queries


def save_query(
    name: str, sql: str, *, connection: str | None = None, description: str = "", replace: bool = False
) -> control.SavedQuery:
    """Save SQL under a name.

    Args:
        name: one line.
        sql: kept as it is.
        connection: name of the connection that it is for.
        description: for people.
        replace: whether a query of that name may be replaced.
    """
    from tusk_jupyter.protocol.control import SaveQuery

    saved: control.SavedQuery = call(
        SaveQuery(name=name, sql=sql, connection=connection, description=description, replace=replace)
    )
    return saved


def delete_query(name: str) -> None:
    """Delete a saved query."""
    from tusk_jupyter.protocol.control import DeleteQuery

    call(DeleteQuery(name=name))
