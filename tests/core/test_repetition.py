"""A core that goes after it has done what was asked, and before it has said so: the client asks again, and that is no error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Peer, PeerLost


@pytest.fixture
def lose_next_answer(monkeypatch) -> Callable[[], None]:
    """Has the next request carried out and its answer lost."""

    def lose() -> None:
        whole = Peer.call

        def call(self, request, **more):
            monkeypatch.setattr(Peer, "call", whole)
            whole(self, request, **more)
            raise PeerLost("The core is gone.")

        monkeypatch.setattr(Peer, "call", call)

    return lose


def names(client) -> list[str]:
    return [one.name for one in client.call(control.ListConnections(session=client.session)).connections]


def queries(client) -> dict[str, str]:
    return {one.name: one.sql for one in client.call(control.ListQueries()).queries}


def saving(client, name: str, **more: object) -> control.SaveConnection:
    return control.SaveConnection(session=client.session, name=name, url="scripted://host/db", test=False, **more)


def test_a_connection_is_saved_once(client, lose_next_answer):
    lose_next_answer()
    assert client.call(saving(client, "n")).connection.name == "n"
    assert names(client) == ["n", "s"]


def test_a_connection_is_renamed_once(client, lose_next_answer):
    lose_next_answer()
    renamed = client.call(saving(client, "t", rename_from="s", replace=True))
    assert (renamed.connection.name, names(client)) == ("t", ["t"])


def test_a_connection_is_copied_once(client, lose_next_answer):
    lose_next_answer()
    client.call(control.DuplicateConnection(session=client.session, name="s", new_name="twin"))
    assert names(client) == ["s", "twin"]


def test_a_connection_is_removed_once(client, lose_next_answer):
    lose_next_answer()
    assert client.call(control.RemoveConnection(session=client.session, name="s")).name == "s"
    assert names(client) == []


def test_a_query_is_saved_and_deleted_once(client, lose_next_answer):
    lose_next_answer()
    client.call(control.SaveQuery(name="daily", sql="SELECT 1"))
    assert queries(client) == {"daily": "SELECT 1"}
    lose_next_answer()
    assert client.call(control.DeleteQuery(name=" Daily ")).name == "Daily"
    assert queries(client) == {}


def test_what_was_not_done_is_still_refused(client, core):
    """A repetition is no licence: another one's name stays taken, and what is not as asked for is not called so."""
    core.connect(client, "n", "scripted://elsewhere/db", test=False)
    client.call(control.SaveQuery(name="daily", sql="SELECT 1"))
    for request, said in (
        (saving(client, "n", again=True), "'n' already"),
        (saving(client, "n", rename_from="gone", replace=True, again=True), "no connection 'gone'"),
        (control.SaveQuery(name="daily", sql="SELECT 2", again=True), "'daily' already"),
    ):
        with pytest.raises(errors.UsageError, match=said):
            client.call(request)
    assert (names(client), queries(client)) == (["n", "s"], {"daily": "SELECT 1"})
