"""Saved queries: SQL under a name, with the connection that it is for."""

from __future__ import annotations

from typing import ClassVar

from tusk_jupyter.protocol.message import Change, Message


class SavedQuery(Message, frozen=True, kw_only=True):
    """A saved query."""

    id: str
    name: str
    sql: str
    connection: str | None = None
    description: str = ""
    created_at: str = ""
    updated_at: str = ""


class SavedQueryList(Message, frozen=True, kw_only=True):
    """All saved queries, by name."""

    queries: tuple[SavedQuery, ...]


class ListQueries(Message, frozen=True, kw_only=True):
    """List the saved queries."""

    ACTION: ClassVar[str] = "query.list"
    REPLY: ClassVar[type] = SavedQueryList


class SaveQuery(Change, frozen=True, kw_only=True):
    """Save SQL under a name; an existing one is replaced only on `replace`."""

    ACTION: ClassVar[str] = "query.save"
    REPLY: ClassVar[type] = SavedQuery
    name: str
    sql: str
    connection: str | None = None
    description: str = ""
    replace: bool = False


class QueryDeleted(Message, frozen=True, kw_only=True):
    """It is gone."""

    name: str


class DeleteQuery(Change, frozen=True, kw_only=True):
    """Delete a saved query."""

    ACTION: ClassVar[str] = "query.delete"
    REPLY: ClassVar[type] = QueryDeleted
    name: str
