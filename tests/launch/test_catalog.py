"""Which drivers are found, and where from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tusk_jupyter import errors
from tusk_jupyter.launch import catalog
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.system.places import Places

SCRIPTED = Path(__file__).parent.parent / "scripted_driver" / "__main__.py"


@pytest.fixture
def places(tusk_home) -> Places:
    places = Places(tusk_home.path)
    places.prepare()
    places.drivers.mkdir()
    return places


def install(places: Places, file: str, **said: object) -> None:
    (places.drivers / f"{file}.json").write_text(json.dumps(said))


def test_the_built_in_drivers_come_through_the_entry_points_of_everybody(places):  # QB-50
    found = {one.name: one for one in Catalog(places).drivers()}
    assert {"duckdb", "sqlite", "postgresql", "mysql"} <= set(found)
    assert found["sqlite"].origin.startswith("tusk-jupyter ")
    assert found["sqlite"].problem is None


def test_a_driver_in_the_users_folder_is_found_and_one_in_the_current_folder_is_not(places, tmp_path, monkeypatch):
    install(places, "mine", name="scripted", command=[sys.executable, str(SCRIPTED)])
    (tmp_path / "theirs.json").write_text(json.dumps({"name": "theirs", "command": [sys.executable, str(SCRIPTED)]}))
    monkeypatch.chdir(tmp_path)
    names = [one.name for one in Catalog(places).drivers()]
    assert "scripted" in names
    assert "theirs" not in names


def test_drivers_of_this_package_are_read_and_asked_only_anew(places, monkeypatch):
    read, asked = Catalog(places).drivers(), []
    ask = catalog._ask
    monkeypatch.setattr(catalog, "_ask", lambda one: asked.append(one.name) or ask(one))
    places.driver_cache.unlink()
    assert Catalog(places).drivers() == read
    assert asked == []
    anew = Catalog(places).drivers(rescan=True)
    assert set(asked) >= {"duckdb", "sqlite", "postgresql", "mysql"}
    assert anew == read  # what they answer is their file


def test_listing_imports_no_engine_and_asks_each_driver_once(places):
    before = set(sys.modules)
    catalog = Catalog(places)
    catalog.drivers()
    assert not {"psycopg", "pymysql", "tusk_drivers.postgresql"} & (set(sys.modules) - before)
    kept = places.driver_cache.read_text()
    assert Catalog(places).named("sqlite").manifest is not None
    assert places.driver_cache.read_text() == kept


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, 'needs a "command"'),
        ({"command": ["/no/such/program"]}, "could not be run"),
        ({"command": [sys.executable, "-c", "print('{}')"]}, "Manifest"),
        ({"command": [sys.executable, "-c", "raise SystemExit('no luck')"]}, "no luck"),
    ],
)
def test_a_broken_driver_is_listed_with_its_problem(places, said, problem):
    install(places, "broken", **said)
    found = {one.name: one for one in Catalog(places).drivers()}
    assert problem in found["broken"].problem
    assert found["sqlite"].problem is None
    with pytest.raises(errors.DriverStartError, match="broken"):
        Catalog(places).named("broken")


def test_an_unknown_driver_is_answered_with_what_there_is(places):
    with pytest.raises(errors.DriverNotFound, match=r"no driver 'postgres'.*duckdb.*sqlite") as caught:
        Catalog(places).named("postgres")
    assert "postgresql" in caught.value.hint


def test_an_unknown_scheme_is_answered_with_the_known_ones(places):
    with pytest.raises(errors.DriverNotFound, match=r"oracle://.*duckdb://") as caught:
        Catalog(places).for_scheme("oracle")
    assert caught.value.hint
    with pytest.raises(errors.DriverNotFound) as caught:
        Catalog(places).for_scheme("postgresq")
    assert "postgresql://" in caught.value.hint
