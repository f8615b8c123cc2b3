"""Preferences: one table of what there is; text in, a checked value out."""

# TK-28, C-19

from __future__ import annotations

from collections.abc import Callable

import pytest

from tusk_jupyter.errors import UsageError
from tusk_jupyter.state.preferences import KNOWN
from tusk_jupyter.state.store import Store


def test_every_preference_has_its_default_a_description_and_a_value_that_can_be_set(store: Store):
    listed = store.preferences.list()
    assert [one.name for one in listed] == sorted(KNOWN)
    for one in listed:
        assert one.value == one.default == store.preferences.get(one.name)
        assert one.description.endswith(".")
        assert store.preferences.set(one.name, str(one.default)).value == one.default


def test_what_was_set_survives_and_goes_back(open_store: Callable[[], Store]):
    with open_store() as store:
        assert store.preferences.set("timeout_s", "12.5").value == 12.5
        store.preferences.set("warm_spare", "OFF")
        store.preferences.set("log", "off")
        store.preferences.set("session_wait_s", "3")
        store.preferences.set("session_wait_s", None)
    with open_store() as store:
        assert {one.name: one.value for one in store.preferences.list() if one.value != one.default} == {
            "timeout_s": 12.5, "warm_spare": False, "log": False,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("timeout_s", "soon", "a number from 0 on"),
        ("timeout_s", "-1", "a number from 0 on"),
        ("timeout_s", "nan", "a number from 0 on"),
        ("timeout_s", "inf", "a number from 0 on"),
        ("connect_timeout_s", "0", "a number from 0.1 to 600"),
        ("memory_limit_mb", "1.5", "a whole number from 0"),
        ("memory_limit_mb", "", "a whole number from 0"),
        ("warm_spare", "maybe", "on or off"),
    ],
)
def test_a_value_that_makes_no_sense_says_what_would(store: Store, name: str, text: str, words: str):
    with pytest.raises(UsageError, match=words):
        store.preferences.set(name, text)
    assert store.preferences.get(name) == KNOWN[name].default


def test_an_unknown_name_says_what_there_is(store: Store):
    for ask in (store.preferences.get, lambda name: store.preferences.set(name, "1")):
        with pytest.raises(UsageError, match="There is no preference 'tiemout'") as caught:
            ask("tiemout")
        assert "timeout_s" in str(caught.value.hint)
