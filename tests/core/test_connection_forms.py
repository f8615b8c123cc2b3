"""What a form needs: one connection without its secrets, a try without storing, a copy, an edit, another name."""

from __future__ import annotations

import json

import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


@pytest.fixture
def vaulted(client, monkeypatch, scripted_home, core):
    """The connection `v` with a password, which is in the core's memory."""
    core.connect(client, "v", "scripted://ann@host/db", secrets={"password": "open sesame"}, tier="memory")
    return client


def attempt(client, **more) -> control.ConnectionTested:
    return client.call(control.TryConnection(session=client.session, **more))


def details(client, name: str) -> control.ConnectionDetails:
    return client.call(control.GetConnection(session=client.session, name=name))


def names(client) -> list[str]:
    return [one.name for one in client.call(control.ListConnections(session=client.session)).connections]


def works(client, name: str) -> bool:
    return client.call(control.TestConnection(session=client.session, name=name)).ok


def test_a_connections_details_name_its_secrets_and_hold_none(vaulted):
    found = details(vaulted, "v")
    assert (found.connection.name, found.secret_fields, found.password_command) == ("v", ("password",), False)
    assert "open sesame" not in repr(found)
    assert details(vaulted, "s").secret_fields == ()


def test_a_form_is_tried_and_nothing_is_stored(vaulted):
    assert attempt(vaulted, url="scripted://ann@host/db", secrets={"password": "open sesame"}).ok
    refused = attempt(vaulted, url="scripted://ann@host/db", secrets={"password": "wrong"})
    assert (refused.ok, refused.stage, refused.error.scenario) == (False, "sign-in", "bad_password")
    with pytest.raises(errors.UsageError, match="no field"):
        attempt(vaulted, driver="scripted", config={"colour": "red"})
    assert names(vaulted) == ["s", "v"]


@pytest.fixture
def wrong(client, core):
    """The connection `w` whose stored password is refused: whether it was used can be seen."""
    core.connect(client, "w", "scripted://ann@host/db", secrets={"password": "wrong"}, tier="memory", test=False)
    return client


@pytest.mark.parametrize(
    ("url", "is_used"),
    [
        ("scripted://ann@host/db", True),
        ("scripted://ann@host/another", True),
        ("scripted://ann@elsewhere/db", False),
        ("scripted://bob@host/db", False),
        ("scripted://ann@host:99/db", False),
    ],
)
def test_a_stored_password_is_only_tried_at_the_account_it_was_given_for(wrong, url, is_used):
    assert attempt(wrong, url=url).ok  # there is no password in it
    tested = attempt(wrong, url=url, name="w")
    assert (tested.error.scenario if tested.error else None) == ("bad_password" if is_used else None)


def test_a_copy_has_the_secret_and_lives_on_its_own(vaulted):
    saved = vaulted.call(control.DuplicateConnection(session=vaulted.session, name="v", new_name="twin"))
    assert (saved.connection.name, saved.connection.credential_tier) == ("twin", "memory")
    assert saved.connection.id != details(vaulted, "v").connection.id
    vaulted.call(control.RemoveConnection(session=vaulted.session, name="v"))
    assert details(vaulted, "twin").secret_fields == ("password",)
    assert works(vaulted, "twin")


@pytest.mark.parametrize(
    ("new", "why"), [("s", "already"), ("V", "already"), ("no blanks", "cannot be"), ("select", "SQL")]
)
def test_a_copy_needs_a_name_of_its_own(vaulted, new, why):
    with pytest.raises(errors.UsageError, match=why):
        vaulted.call(control.DuplicateConnection(session=vaulted.session, name="v", new_name=new))
    assert names(vaulted) == ["s", "v"]


def edit(client, core, name: str, **more) -> control.ConnectionSaved:
    return core.connect(client, name, **{"url": "scripted://ann@host/db", "replace": True, **more})


def test_an_edit_keeps_the_secret_that_is_not_given_anew_and_may_rename(vaulted, core):
    before = details(vaulted, "v").connection
    saved = edit(vaulted, core, "renamed", rename_from="v", timeout_s=7.0)
    assert (saved.replaced, saved.connection.id, saved.connection.timeout_s) == (True, before.id, 7.0)
    assert names(vaulted) == ["renamed", "s"]
    assert details(vaulted, "renamed").secret_fields == ("password",)
    assert works(vaulted, "renamed")


def test_an_edit_with_a_new_secret_replaces_it(wrong, core):
    edit(wrong, core, "w2", rename_from="w", secrets={"password": "open sesame"}, tier="memory")
    assert names(wrong) == ["s", "w2"]
    assert details(wrong, "w2").secret_fields == ("password",)
    assert works(wrong, "w2")


def test_an_edit_that_points_elsewhere_drops_the_secret(vaulted, core):
    edit(vaulted, core, "v", url="scripted://ann@elsewhere/db", rename_from="v")
    assert details(vaulted, "v").secret_fields == ()


def test_an_edit_keeps_the_password_command(client, core):
    edit(client, core, "c", password_command="echo open sesame")
    edit(client, core, "c2", rename_from="c", timeout_s=5.0)
    assert details(client, "c2").password_command
    assert works(client, "c2")
    edit(client, core, "c2", url="scripted://ann@elsewhere/db")
    assert not details(client, "c2").password_command


@pytest.mark.parametrize("replace", [True, False])
def test_a_connection_cannot_take_the_name_of_another_one(vaulted, core, replace):
    with pytest.raises(errors.UsageError, match="'s' already"):
        edit(vaulted, core, "s", rename_from="v", replace=replace)
    assert names(vaulted) == ["s", "v"]


def test_an_edit_of_what_is_not_there_stores_nothing(client, core):
    with pytest.raises(errors.UsageError, match="no connection 'x'"):
        edit(client, core, "y", rename_from="x")
    assert names(client) == ["s"]


@pytest.mark.parametrize("secrets", [{}, {"password": "open sesame"}])
def test_a_request_to_save_that_is_repeated_is_done_already(client, core, secrets):
    """As a client repeats it whose core died in the middle of it."""
    request = control.SaveConnection(
        session=client.session, name="n", url="scripted://ann@host/db", secrets=secrets, tier="memory", test=False
    )
    first, again = client.call(request), client.call(request)
    assert again.connection.id == first.connection.id == request.new_id
    assert names(client) == ["n", "s"]
    with pytest.raises(errors.UsageError, match="already"):  # another request for the same name
        core.connect(client, "n", test=False)


def test_a_new_password_that_is_given_twice_by_one_request_is_stored(vaulted):
    request = control.SaveConnection(
        session=vaulted.session,
        name="v",
        url="scripted://ann@host/db",
        secrets={"password": "open sesame"},
        tier="memory",
        replace=True,
        test=False,
    )
    assert [vaulted.call(request).replaced for _ in range(2)] == [True, True]
    assert works(vaulted, "v")


def test_a_request_to_copy_that_is_repeated_is_done_already(vaulted):
    request = control.DuplicateConnection(session=vaulted.session, name="v", new_name="twin")
    assert [vaulted.call(request).connection.id for _ in range(2)] == [request.new_id] * 2
    assert names(vaulted) == ["s", "twin", "v"]
    assert works(vaulted, "twin")


@pytest.mark.parametrize("wrong", ["", "conn:1:password", "x" * 100, "urn:uuid:12345678-1234-5678-1234-567812345678"])
def test_an_id_that_is_none_or_anothers_is_refused(client, wrong):
    taken = details(client, "s").connection.id
    for new_id in (wrong, taken):
        with pytest.raises(errors.ProtocolError, match=r"UUID|connection 's'"):
            client.call(
                control.SaveConnection(
                    session=client.session, name="n", url="scripted://host/db", test=False, new_id=new_id
                )
            )
    assert names(client) == ["s"]


def test_a_connection_with_less_memory_than_its_driver_names_today_can_still_be_renamed(client, core):
    """It was saved when the driver named less; a cap that somebody chooses now is refused."""
    core.connect(client, "small", memory_limit_mb=256)
    places = client.link.places
    client.call(control.StopCore())
    wait_until(lambda: not places.address_file.exists(), 10.0, "the core has ended")
    known = json.loads(places.driver_cache.read_text())
    known["scripted"]["manifest"]["least_memory_mb"] = 384
    places.driver_cache.write_text(json.dumps(known))
    assert core.connect(client, "smaller", rename_from="small", memory_limit_mb=256).connection.name == "smaller"
    assert core.connect(client, "smaller", replace=True, memory_limit_mb=256).unchanged
    with pytest.raises(errors.UsageError, match="needs 384 MB"):
        client.call(control.TestConnection(session=client.session, name="smaller"))
    for name, more in (("smaller", {"replace": True}), ("another", {})):
        with pytest.raises(errors.UsageError, match="needs 384 MB"):
            core.connect(client, name, memory_limit_mb=300, **more)


def test_the_same_line_again_changes_nothing(vaulted, core):
    """As a notebook is run a second time."""
    before = details(vaulted, "v").connection
    again = core.connect(vaulted, "v", "scripted://ann@host/db", secrets={"password": "open sesame"}, tier="memory")
    assert (again.unchanged, again.replaced, again.connection.id) == (True, False, before.id)
    without = core.connect(vaulted, "v", "scripted://ann@host/db")
    assert without.unchanged, "the stored password goes on being used"
    assert details(vaulted, "v").connection.updated_at == before.updated_at


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "scripted://ann@elsewhere/db"}, "host is host, given: elsewhere"),
        ({"read_only": True}, "read-only is off, given: on"),
        (
            {"environment": "production", "timeout_s": 5.0},
            "environment is none, given: production; timeout is none, given: 5.0",
        ),
        ({"secrets": {"password": "another-walnut"}}, "What differs: another password."),
    ],
)
def test_another_line_for_the_same_name_says_what_differs(vaulted, core, changed, words):
    with pytest.raises(errors.UsageError) as caught:
        core.connect(vaulted, "v", **{"url": "scripted://ann@host/db", **changed})
    assert words in caught.value.message
    assert "another-walnut" not in str(caught.value)
    assert "--replace" in (caught.value.hint or "")


@pytest.mark.parametrize("ending", ["duckdb", "sqlite"])
def test_a_try_makes_no_file(client, ending, tmp_path):
    tried = attempt(client, url=str(tmp_path / f"new.{ending}"))
    assert (tried.ok, tried.stage) == (True, "done")
    assert "new file" in tried.server
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["duckdb", "sqlite"])
def test_the_same_line_again_makes_no_file_in_the_place_of_one_that_is_gone(client, core, ending, tmp_path):
    path = tmp_path / f"shop.{ending}"
    core.connect(client, "shop", str(path))
    core.run(client, "CREATE TABLE t (a INTEGER)", on="shop")
    client.call(control.Disconnect(session=client.session, connection="shop"))
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(errors.ConnectError, match="no new one is made") as caught:
        core.connect(client, "shop", str(path))
    assert "--replace" in (caught.value.hint or "")
    assert not path.exists()
