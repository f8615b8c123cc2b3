"""From what people type to a driver and its fields."""

from __future__ import annotations

import pytest

from tusk_jupyter import errors
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.service.targets import describe_target, read_target
from tusk_jupyter.system.places import Places


@pytest.fixture
def read(tusk_home, tmp_path):
    places = Places(tusk_home.path)
    places.prepare()
    catalog = Catalog(places)

    def read(url=None, *, driver=None, secrets=None, **config):
        return read_target(catalog, url=url, driver=driver, config=config, secrets=secrets or {}, base=str(tmp_path))

    return read


def test_a_server_url_is_read_into_fields_and_its_password_into_the_secrets(read):  # C-07
    target = read("postgresql://an%40a:p%2Fw0rd%3A%25@db.example.org:6432/my%20shop?sslmode=require")
    assert target.driver.name == "postgresql"
    assert target.config | {"sslmode": "require"} == target.config
    assert {name: target.config[name] for name in ("host", "port", "user", "database")} == {
        "host": "db.example.org", "port": 6432, "user": "an@a", "database": "my shop",
    }  # fmt: skip
    assert target.secrets == {"password": "p/w0rd:%"}
    assert "p/w0rd" not in repr(target)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb://", ":memory:"),
        ("duckdb:///:memory:", ":memory:"),
        ("duckdb:///lake.duckdb", "{base}/lake.duckdb"),
        ("duckdb:////data/lake.duckdb", "/data/lake.duckdb"),
        ("lake.duckdb", "{base}/lake.duckdb"),
        ("./sub dir/shop.sqlite", "{base}/sub dir/shop.sqlite"),
        ("sqlite:////data/a%20b.db", "/data/a b.db"),
    ],
)
def test_a_file_is_made_absolute_against_the_folder_of_the_one_who_typed_it(read, tmp_path, url, path):
    assert read(url).config["path"] == path.format(base=tmp_path)


def test_single_fields_win_over_the_url(read):
    assert read("postgresql://ana@db.example.org/shop", port="6543").config["port"] == 6543


def test_schemes_of_sqlalchemy_with_a_driver_are_understood(read):
    assert read("postgresql+psycopg://ana@db.example.org/shop").driver.name == "postgresql"


@pytest.mark.parametrize(
    ("url", "config", "words"),
    [
        ("postgresql://db.example.org:99999/shop", {}, "cannot be read"),
        ("postgresql://db.example.org:port/shop", {}, "cannot be read"),
        ("postgresql://ana@db.example.org/shop", {"port": "0"}, "port lies between 1 and 65535"),
        ("postgresql://ana@db.example.org/shop", {"port": "many"}, "port must be of type integer"),
        ("postgresql://ana@db.example.org/shop", {"hots": "x"}, "no field 'hots'; it has: host, port"),
        ("postgresql://ana@db.example.org/shop?sslmode=maybe", {}, "sslmode is one of"),
        ("notes.txt", {}, "neither a URL nor a database file"),
        ("/data/it's.csv", {}, r"`SELECT \* FROM '/data/it''s.csv'`"),
        ("/data/load.sql", {}, "--file /data/load.sql"),
        (None, {}, "needs a URL, a file, or a driver"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_exists(read, url, config, words):
    with pytest.raises(errors.UsageError, match=words):
        read(url, **config)


@pytest.mark.parametrize(
    "url", ["postgresql://ana:se#cret@h/db", "mysql://ana:12/cret@h/db", "mysql://ana:a?cret@h/db"]
)
def test_a_url_with_an_unencoded_password_is_refused_without_repeating_it(read, url):
    with pytest.raises(errors.UsageError, match="cannot be read") as caught:
        read(url)
    assert "%2F" in caught.value.hint
    assert "cret" not in str(caught.value)


def test_a_target_is_described_without_its_secret(read):
    assert describe_target(read("mysql://ana:secret@localhost:3307/shop").config) == "ana@localhost:3307/shop"
