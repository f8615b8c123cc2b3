"""Hints that name a connection have its name, and none where there is no connection yet."""

import pytest
from services.waiting import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


def test_a_hint_names_the_connection_that_it_is_about(client, core):
    with pytest.raises(errors.ConnectError) as caught:
        core.connect(client, "new", url="scripted://ann@host/db", secrets={"password": "wrong"}, tier="memory")
    assert "NAME" not in caught.value.hint and "credentials set" not in caught.value.hint
    core.connect(client, "shop", url="scripted://ann@host/db", secrets={"password": "wrong"}, tier="memory", test=False)
    tested = client.call(control.TestConnection(session=client.session, name="shop"))
    assert "`%tusk credentials set shop`" in tested.error.hint
    with pytest.raises(errors.ConnectError) as caught:
        core.run(client, "rows 1", on="shop")
    assert "`%tusk credentials set shop`" in caught.value.hint
    tried = client.call(
        control.TryConnection(session=client.session, url="scripted://ann@host/db", secrets={"password": "wrong"})
    )
    assert "NAME" not in tried.error.hint


def test_a_password_that_went_with_its_core_is_listed_as_lost(client, core):
    def lost():
        return {
            one.name: one.secret_lost
            for one in client.call(control.ListConnections(session=client.session)).connections
        }

    core.connect(client, "kept", url="scripted://ann@host/db", secrets={"password": "open sesame"}, tier="memory")
    assert lost() == {"kept": False, "s": False}
    client.call(control.StopCore())
    wait_until(lambda: client.link.running() is None, 15, "the core has gone")
    wait_until(lambda: lost() == {"kept": True, "s": False}, 10, "the new core has no such password")
    with pytest.raises(errors.CredentialError) as caught:
        core.run(client, "rows 1", on="kept")
    assert "`%tusk credentials set kept`" in caught.value.hint


def test_a_password_that_is_given_replaces_a_lost_one(client, core):
    """It is not read before: `connect --replace` and the form answered that it was to be set again."""
    url, secrets = "scripted://ann@host/db", {"password": "open sesame"}
    core.connect(client, "kept", url=url, secrets=secrets, tier="memory")
    client.call(control.StopCore())
    wait_until(lambda: client.link.running() is None, 15, "the core has gone")
    with pytest.raises(errors.CredentialError, match="kept in memory only"):
        core.connect(client, "kept", url=url, replace=True, timeout_s=5.0)
    core.connect(client, "kept", url=url, secrets=secrets, tier="memory", replace=True)
    assert core.run(client, "rows 1", on="kept").rows == 1
