"""A form against the manifest: what is wrong, and what it becomes."""

from __future__ import annotations

from typing import Any

import pytest

from tusk_jupyter.driverkit.cli import read_manifest
from tusk_jupyter.protocol.control import Connection, ConnectionDetails, DriverInfo
from tusk_jupyter.protocol.message import replace
from tusk_widgets.picker_form import Filled, problems, to_save, to_try
from tusk_widgets.picker_messages import Form, Source

CANARY = "walnut-c4nary"


def driver(name: str) -> DriverInfo:
    manifest = read_manifest(f"tusk_drivers.{name}")
    return DriverInfo(
        name=name, title=manifest.title, version="1", origin="here", schemes=manifest.schemes, fields=manifest.fields,
        sign_in=manifest.sign_in, least_memory_mb=manifest.least_memory_mb,
    )  # fmt: skip


def filled(
    engine: str = "postgresql", /, *, typed: dict[str, str] | None = None, environ=None, details=None, taken=(), **form
):
    said: dict[str, Any] = {"id": "v/1", "driver": engine, "way": "password", "name": "shop", **form}
    return Filled(
        form=Form(**said), driver=driver(engine), typed=typed or {}, environ=environ or {}, details=details, taken=taken
    )


GOOD = {"host": "db1", "port": 5432, "database": "shop", "user": "ann"}


def stored(config=GOOD, **more) -> ConnectionDetails:
    connection = Connection(
        id="1", name="shop", driver="postgresql", config=config, target="t", credential_tier="vault"
    )
    return ConnectionDetails(connection=connection, secret_fields=("password",), **more)


def test_a_good_form_has_no_problem():
    assert problems(filled(config=GOOD)) == {}


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"name": ""}, "name", "needed"),
        ({"name": "2x"}, "name", "begins with a letter"),
        ({"name": "1größe"}, "name", "begins with a letter"),
        ({"name": "select"}, "name", "begins SQL"),
        ({"name": "Lake"}, "name", "already"),
        ({"config": {**GOOD, "port": 70000}}, "port", "between 1 and 65535"),
        ({"config": {**GOOD, "port": "x"}}, "port", "whole number"),
        ({"config": {**GOOD, "sslmode": "maybe"}}, "sslmode", "one of"),
        ({"config": {**GOOD, "host": "/tmp"}}, "host", "does not fit"),
        ({"config": {"user": "ann"}}, "database", "needed"),
        ({"timeout_s": -1.0}, "timeout_s", "above zero"),
        ({"memory_limit_mb": 0}, "memory_limit_mb", "above zero"),
        ({"memory_limit_mb": 8}, "memory_limit_mb", "MB to live"),
        ({"secrets": {"password": Source(source="environment", variable="NOPE")}}, "password", "$NOPE is not set"),
        ({"secrets": {"password": Source(source="command", command=" ")}}, "password", "command"),
        ({"way": "certificate"}, "sslcert", "needed"),
        ({"way": "url", "secrets": {"url": Source(source="typed")}}, "url", "URL is needed"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(changed, field, words):
    found = problems(filled(**{"config": GOOD, "taken": ["lake", "shop_old"], **changed}))
    assert words in found[field]


def test_a_cap_that_was_stored_when_the_driver_named_less_may_stay():
    """Saving the form would not refuse it either."""
    details = stored()
    details = replace(details, connection=replace(details.connection, memory_limit_mb=8))
    assert problems(filled(config=GOOD, details=details, memory_limit_mb=8)) == {}
    assert "memory_limit_mb" in problems(filled(config=GOOD, details=details, memory_limit_mb=9))


def test_fields_of_other_ways_are_left_out_and_a_const_is_set():
    socket = filled(way="socket", config={**GOOD, "host": "/run/pg", "sslcert": "/x.pem", "sslmode": "require"})
    assert problems(socket) == {}
    assert socket.config() == {**GOOD, "host": "/run/pg"}
    assert filled("duckdb", way="memory", config={"threads": 2}).config() == {"path": ":memory:", "threads": 2}
    assert "path" in problems(filled("duckdb", way="file", config={}))
    assert "path" in problems(filled("duckdb", way="file", config={"path": ":memory:"}))


def test_a_driver_that_declares_no_ways_shows_all_fields():
    plain = DriverInfo(
        name="mine", title="Mine", version="1", origin="x",
        fields={"required": ["key"], "properties": {"host": {"type": "string"}, "key": {"type": "string", "secret": True}}},
    )  # fmt: skip
    form = Form(id="v/1", driver="mine", name="m", config={"host": "h", "bogus": "x"})
    empty = Filled(form=form, driver=plain, typed={}, environ={})
    assert empty.config() == {"host": "h"}
    assert "key" in problems(empty)


def test_secrets_come_typed_from_the_environment_or_from_a_command():
    typed = filled(config=GOOD, typed={"password": CANARY}, secrets={"password": Source(source="typed")})
    assert to_try(typed, session="s", base="/x").secrets == {"password": CANARY}
    environment = filled(
        config=GOOD,
        environ={"PGPASSWORD": CANARY},
        secrets={"password": Source(source="environment", variable="PGPASSWORD")},
    )
    assert to_save(environment, session="s", base="/x").secrets == {"password": CANARY}
    command = filled(config=GOOD, secrets={"password": Source(source="command", command="pass show x")})
    request = to_save(command, session="s", base="/x")
    assert (request.secrets, request.password_command, request.tier) == ({}, "pass show x", None)
    assert CANARY not in repr(typed) + repr(environment) + repr(to_try(typed, session="s", base="/x"))


def test_what_was_typed_counts_only_while_typing_is_the_source():
    changed = filled(config=GOOD, typed={"password": CANARY}, secrets={"password": Source(source="none")})
    assert to_save(changed, session="s", base="/").secrets == {}


def test_a_stored_secret_stays_with_its_account_only():  # REQUIREMENTS C-18: never handed to another host
    kept = {"secrets": {"password": Source(source="kept")}, "original": "shop", "details": stored()}
    same = filled(config=GOOD, taken=["shop"], **kept)
    assert problems(same) == {}
    assert to_try(same, session="s", base="/").name == "shop"
    moved = filled(config={**GOOD, "host": "evil"}, taken=["shop"], **kept)
    assert "another account" in problems(moved)["password"]


def test_renaming_and_giving_a_secret_up():
    renamed = filled(
        config=GOOD, name="store", original="shop", details=stored(), secrets={"password": Source(source="none")}
    )
    request = to_save(renamed, session="s", base="/")
    assert (request.name, request.rename_from, request.replace) == ("store", "shop", True)
    assert renamed.gives_secrets_up
    same = filled(
        config=GOOD, name="shop", original="shop", details=stored(), secrets={"password": Source(source="kept")}
    )
    assert to_save(same, session="s", base="/").rename_from is None
    assert not same.gives_secrets_up


def test_a_url_stands_for_all_fields_and_counts_as_a_secret():
    url = f"postgresql://ann:{CANARY}@db1/shop"
    by_url = filled(way="url", config=GOOD, typed={"url": url}, secrets={"url": Source(source="typed")}, tier="vault")
    request = to_save(by_url, session="s", base="/")
    assert (request.url, request.config, request.secrets, request.tier) == (url, {}, {}, "vault")
    assert CANARY not in repr(request)
