"""Connections that the environment describes: found, mapped to fields, and without their secrets."""

from __future__ import annotations

import json

import msgspec
import pytest

from tusk_jupyter.api._environment import secret_from, suggestions
from tusk_jupyter.driverkit.cli import read_manifest
from tusk_jupyter.protocol.control import DriverInfo

SECRET = "c4n:ary/p@ss"
QUOTED = "c4n%3Aary%2Fp%40ss"


def info(name: str, **changed) -> DriverInfo:
    manifest = read_manifest(f"tusk_drivers.{name}")
    said = {"name": name, "title": manifest.title, "version": "1", "origin": "here", "schemes": manifest.schemes}
    return DriverInfo(**{**said, "fields": manifest.fields, **changed})


DRIVERS = [info(name) for name in ("duckdb", "mysql", "postgresql", "sqlite")]


def one(environ: dict[str, str]):
    (found,) = suggestions(environ, DRIVERS)
    return found


def test_libpqs_variables_are_one_connection():
    found = one({"PGHOST": "db1", "PGPORT": "6432", "PGDATABASE": "shop", "PGUSER": "ann", "PGPASSWORD": SECRET})
    assert (found.driver, found.name) == ("postgresql", "postgresql")
    assert found.config == {"host": "db1", "port": 6432, "database": "shop", "user": "ann"}
    assert found.variables == {
        "host": "PGHOST", "port": "PGPORT", "database": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
    }  # fmt: skip
    assert found.has_secret


def test_a_password_or_a_user_alone_is_no_connection():
    assert suggestions({"PGPASSWORD": SECRET, "PGUSER": "ann", "MYSQL_PWD": SECRET}, DRIVERS) == []


@pytest.mark.parametrize(
    ("environ", "driver", "name", "config"),
    [
        ({"DATABASE_URL": "postgresql+psycopg://ann@db1:6432/shop"}, "postgresql", "shop",
         {"host": "db1", "port": 6432, "database": "shop", "user": "ann"}),
        ({"SALES_DATABASE_URL": "mysql://ann@db2/sales?sslmode=require"}, "mysql", "sales",
         {"host": "db2", "database": "sales", "user": "ann", "sslmode": "require"}),
        ({"DATABASE_URL": "sqlite:////srv/data/x.db"}, "sqlite", "sqlite", {"path": "/srv/data/x.db"}),
        ({"CACHE_DATABASE_URL": "duckdb:///lake.duckdb"}, "duckdb", "cache", {"path": "lake.duckdb"}),
        ({"MYSQL_HOST": "db3", "MYSQL_PORT": "tcp://10.0.0.1:3306", "MYSQL_USER": "bo"}, "mysql", "mysql",
         {"host": "db3", "user": "bo"}),
        ({"MARIADB_HOST": "db4", "MARIADB_DATABASE": "m"}, "mysql", "mariadb", {"host": "db4", "database": "m"}),
        ({"DUCKDB_PATH": "/srv/lake.duckdb"}, "duckdb", "duckdb", {"path": "/srv/lake.duckdb"}),
        ({"POSTGRES_HOST": "db5", "POSTGRES_DB": "d"}, "postgresql", "postgres", {"host": "db5", "database": "d"}),
    ],
)  # fmt: skip
def test_what_is_found(environ, driver, name, config):
    found = one(environ)
    assert (found.driver, found.name, found.config, found.has_secret) == (driver, name, config, False)
    assert set(found.variables) == set(config)


def test_names_are_unique_and_the_same_target_comes_once():
    url = "postgresql://ann@db1/shop"
    found = suggestions(
        {"DATABASE_URL": url, "DB_URL": url, "A_DATABASE_URL": "mysql://x@h/shop", "B_DATABASE_URL": "mysql://y@h/shop",
         "SHOP_DATABASE_URL": "mysql://z@h/t"}, DRIVERS,
    )  # fmt: skip
    assert [one.name for one in found] == ["a", "b", "shop", "shop_2"]
    assert len({one.name for one in found}) == 4


def test_what_is_no_url_and_what_no_driver_reads_is_left_out():
    environ = {
        "DATABASE_URL": "not a url",
        "OTHER_DATABASE_URL": "oracle://x@h/d",
        "BAD_DATABASE_URL": "mysql://h:port/d",
    }
    assert suggestions(environ, DRIVERS) == []
    assert suggestions({"PGHOST": "db1"}, [info("postgresql", problem="pip install it")]) == []


def test_a_service_of_libpqs_file(tmp_path):
    (tmp_path / ".pg_service.conf").write_text(
        f"[billing]\nhost=db9\nport=5433\ndbname=bill\nuser=eve\npassword={SECRET}\n"
    )
    environ = {"PGSERVICE": "billing", "HOME": str(tmp_path)}
    found = one(environ)
    assert found.name == "billing"
    assert found.config == {"host": "db9", "port": 5433, "database": "bill", "user": "eve"}
    assert found.has_secret
    assert secret_from(environ, "PGSERVICE") == SECRET


def test_no_suggestion_holds_a_secret_and_the_variable_gives_it():  # REQUIREMENTS R-11
    environ = {
        "PGHOST": "h", "PGPASSWORD": SECRET, "DATABASE_URL": f"postgresql://ann:{QUOTED}@db1/shop",
        "B_DATABASE_URL": f"mysql://db1/x?user=ann&password={QUOTED}",
    }  # fmt: skip
    found = suggestions(environ, DRIVERS)
    said = json.dumps(msgspec.to_builtins(found)) + repr(found)
    assert len(found) == 3
    assert all(one.has_secret for one in found)
    assert "c4n" not in said
    for one in found:
        assert secret_from(environ, one.variables["password"]) == SECRET
    assert secret_from({}, "PGPASSWORD") is None
    assert secret_from({"X": "postgresql://ann@h/d"}, "X") is None


def test_a_url_that_cannot_be_read_says_nothing_of_itself():
    assert suggestions({"DATABASE_URL": f"postgresql://ann:{SECRET}@h:1/d"}, DRIVERS) == []
