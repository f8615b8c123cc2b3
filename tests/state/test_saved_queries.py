"""Saved queries: under a name in any case of letters, replaced only when asked, there after a restart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import DeleteQuery, SaveQuery
from tusk_jupyter.state.store import STATE_FILE, Store

Open = Callable[[], Store]


def test_a_query_is_there_after_a_restart_and_after_a_rebuild(open_store: Open, home):
    with open_store() as store:
        saved = store.queries.save(
            SaveQuery(name=" Daily ", sql="SELECT 1 -- été\n", connection="shop", description="for Ann")
        )
        store.queries.save(SaveQuery(name="a", sql="SELECT 2"))
    with open_store() as store:
        assert [one.name for one in store.queries.list()] == ["a", "Daily"]
        assert store.queries.list()[1] == saved
        assert (saved.sql, saved.connection, saved.description) == ("SELECT 1 -- été\n", "shop", "for Ann")
        store.queries.delete(DeleteQuery(name="A"))
    (home / STATE_FILE).unlink()
    with open_store() as store:
        assert store.queries.list() == (saved,)


def test_a_name_is_taken_until_it_is_to_be_replaced(store: Store):
    first = store.queries.save(SaveQuery(name="daily", sql="SELECT 1"))
    with pytest.raises(UsageError, match="'daily' already"):
        store.queries.save(SaveQuery(name="DAILY", sql="SELECT 2"))
    second = store.queries.save(SaveQuery(name="Daily", sql="SELECT 2", replace=True))
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert [(one.name, one.sql) for one in store.queries.list()] == [("Daily", "SELECT 2")]


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 201, "bell\x07"])
def test_a_name_is_one_printable_line(store: Store, name: str):
    with pytest.raises(UsageError, match="cannot be"):
        store.queries.save(SaveQuery(name=name, sql="SELECT 1"))


def test_nothing_is_not_saved_and_an_unknown_one_not_deleted(store: Store):
    with pytest.raises(UsageError, match="no SQL"):
        store.queries.save(SaveQuery(name="a", sql=" \n"))
    store.queries.save(SaveQuery(name="daily", sql="SELECT 1"))
    with pytest.raises(UsageError, match="no saved query 'dayly'") as caught:
        store.queries.delete(DeleteQuery(name="dayly"))
    assert "daily" in (caught.value.hint or "")
