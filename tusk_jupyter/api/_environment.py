"""Connections that the environment already describes: PGHOST, DATABASE_URL, MYSQL_HOST, DUCKDB_PATH and their kin.

What is suggested holds no secret, only the name of the variable that has one: `secret_from` reads it at the moment when it
is needed, in the process whose environment it is.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from tusk_jupyter.protocol.control import DriverInfo
from tusk_jupyter.protocol.message import Message, replace


class Suggestion(Message, frozen=True, kw_only=True):
    """A connection that the environment describes; holds no secret."""

    driver: str
    name: str
    """A proposal, unique among the suggestions."""
    config: dict[str, Any]
    variables: dict[str, str]
    """Field to the variable that fills it, secret fields too."""
    has_secret: bool


@dataclass(frozen=True, slots=True)
class _Family:
    """Variables that describe one connection together; it is there when one of `anchors` is filled."""

    driver: str
    name: str
    variables: Mapping[str, tuple[str, ...]]
    """Field to variables, the first one that is set wins."""
    anchors: tuple[str, ...] = ("host", "database", "unix_socket", "path")


_FAMILIES = (
    _Family("postgresql", "postgresql", {
        "host": ("PGHOST", "PGHOSTADDR"), "port": ("PGPORT",), "database": ("PGDATABASE",), "user": ("PGUSER",),
        "password": ("PGPASSWORD",), "sslmode": ("PGSSLMODE",), "sslrootcert": ("PGSSLROOTCERT",),
        "sslcert": ("PGSSLCERT",), "sslkey": ("PGSSLKEY",), "options": ("PGOPTIONS",),
    }),
    _Family("postgresql", "postgres", {
        "host": ("POSTGRES_HOST",), "port": ("POSTGRES_PORT",), "database": ("POSTGRES_DB", "POSTGRES_DATABASE"),
        "user": ("POSTGRES_USER",), "password": ("POSTGRES_PASSWORD",),
    }),
    _Family("mysql", "mysql", {
        "host": ("MYSQL_HOST",), "port": ("MYSQL_TCP_PORT", "MYSQL_PORT"), "database": ("MYSQL_DATABASE", "MYSQL_DB"),
        "user": ("MYSQL_USER",), "password": ("MYSQL_PASSWORD", "MYSQL_PWD"), "unix_socket": ("MYSQL_UNIX_PORT",),
    }),
    _Family("mysql", "mariadb", {
        "host": ("MARIADB_HOST",), "port": ("MARIADB_PORT",), "database": ("MARIADB_DATABASE",),
        "user": ("MARIADB_USER",), "password": ("MARIADB_PASSWORD",),
    }),
    _Family("duckdb", "duckdb", {"path": ("DUCKDB_PATH", "DUCKDB_DATABASE", "DUCKDB_FILE")}),
    _Family("sqlite", "sqlite", {"path": ("SQLITE_PATH", "SQLITE_DATABASE", "SQLITE_DB", "SQLITE_FILE")}),
)  # fmt: skip
_URL_VARIABLE = re.compile(r"(?:(\w+?)_)?(?:DATABASE|DB|POSTGRES|POSTGRESQL|MYSQL|MARIADB)_UR[IL]")
_SERVICE_FIELDS = {"dbname": "database", "hostaddr": "host"}
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


def suggestions(environ: Mapping[str, str], drivers: Iterable[DriverInfo]) -> list[Suggestion]:
    """Return the connections that an environment describes for the drivers that can be used.

    Args:
        environ: variables by name.
        drivers: the installed drivers; what their manifests do not know is left out.
    """
    usable = {one.name: one for one in drivers if one.problem is None}
    found = [*_services(environ, usable), *_families(environ, usable), *_urls(environ, usable)]
    kept: list[Suggestion] = []
    taken: set[str] = set()
    for one in found:
        if any(one.driver == other.driver and one.config == other.config for other in kept):
            continue
        name = next(name for name in _names(one.name) if name not in taken)
        taken.add(name)
        kept.append(replace(one, name=name))
    return kept


def secret_from(environ: Mapping[str, str], variable: str) -> str | None:
    """Return the secret that a variable holds: its value; of a URL the password in it; of PGSERVICE its service's.

    Returns:
        None where there is none.
    """
    value = environ.get(variable) or None
    if value is None:
        return None
    if variable == "PGSERVICE":
        return _service(environ, value).get("password") or None
    if "://" in value:
        parts = _split(value)
        if parts is not None and parts.scheme and (parts.hostname or parts.password):
            return _password(parts)
    return value


def _families(environ: Mapping[str, str], usable: Mapping[str, DriverInfo]) -> list[Suggestion]:
    found = []
    for family in _FAMILIES:
        filled = {
            name: variable
            for name, variables in family.variables.items()
            if (variable := next((one for one in variables if environ.get(one)), None))
        }
        if family.driver in usable and any(name in filled for name in family.anchors):
            values = {name: environ[variable] for name, variable in filled.items()}
            found.append(_suggestion(usable[family.driver], family.name, values, filled))
    return [one for one in found if one is not None]


def _urls(environ: Mapping[str, str], usable: Mapping[str, DriverInfo]) -> list[Suggestion]:
    found = []
    for variable in sorted(environ):
        match = _URL_VARIABLE.fullmatch(variable)
        parts = _split(environ[variable]) if match and "://" in environ[variable] else None
        driver = _for_scheme(parts.scheme, usable) if parts else None
        if not (match and parts and driver):
            continue
        values = _file_values(environ[variable]) if "path" in _properties(driver) else _server_values(parts)
        name = (match[1] or values.get("database") or driver.name).lower()
        found.append(_suggestion(driver, name, values, dict.fromkeys(values, variable)))
    return [one for one in found if one is not None]


def _services(environ: Mapping[str, str], usable: Mapping[str, DriverInfo]) -> list[Suggestion]:
    """PGSERVICE names a section of libpq's service file, whose other PG variables are then of no account here."""
    service, driver = environ.get("PGSERVICE"), usable.get("postgresql")
    if not service or driver is None:
        return []
    values = {_SERVICE_FIELDS.get(key, key): value for key, value in _service(environ, service).items()}
    found = _suggestion(driver, service, values, dict.fromkeys(values, "PGSERVICE"))
    return [found] if found is not None and found.config else []


def _suggestion(
    driver: DriverInfo, name: str, values: Mapping[str, str], variables: Mapping[str, str]
) -> Suggestion | None:
    """Return a suggestion of the fields that the driver knows and whose values fit it; None when none is left."""
    config: dict[str, Any] = {}
    kept: dict[str, str] = {}
    secret = False
    for key, value in values.items():
        spec = _properties(driver).get(key)
        if spec is None:
            continue
        if spec.get("secret"):
            secret = True
        elif spec.get("type") == "integer":
            if not value.isdigit():  # as MYSQL_PORT=tcp://..., which container links set
                continue
            config[key] = int(value)
        elif "enum" in spec and value not in spec["enum"]:
            continue
        else:
            config[key] = value
        kept[key] = variables[key]
    if not config:
        return None
    fitting = _UNFIT.sub("_", name).strip("_.-")
    fitting = fitting if fitting[:1].isalpha() else f"db_{fitting}".rstrip("_")
    return Suggestion(driver=driver.name, name=fitting[:60], config=config, variables=kept, has_secret=secret)


def _properties(driver: DriverInfo) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = driver.fields.get("properties", {})
    return found


def _for_scheme(scheme: str, usable: Mapping[str, DriverInfo]) -> DriverInfo | None:
    plain = scheme.partition("+")[0].lower()  # SQLAlchemy's postgresql+psycopg2
    return next((one for one in usable.values() if plain in one.schemes), None)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None  # its message may hold part of a password
    return None if "@" in parts.path + parts.query + parts.fragment else parts


def _server_values(parts: SplitResult) -> dict[str, str]:
    values = {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or ""),
        "database": unquote(parts.path.removeprefix("/")),
        "user": unquote(parts.username or ""),
        "password": _password(parts) or "",
        **{key: value for key, value in parse_qsl(parts.query) if "password" not in key},
    }
    return {key: value for key, value in values.items() if value}


def _file_values(url: str) -> dict[str, str]:
    """`scheme:///x` is a relative path and `scheme:////x` an absolute one, as `connect` reads it."""
    path, _, query = url.partition("://")[2].partition("?")
    return {"path": unquote(path.removeprefix("/")) or ":memory:", **dict(parse_qsl(query))}


def _password(parts: SplitResult) -> str | None:
    return unquote(parts.password) if parts.password else dict(parse_qsl(parts.query)).get("password")


def _service(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a section of libpq's service file; {} when there is none."""
    home = Path(environ.get("HOME") or Path.home())
    folder = environ.get("PGSYSCONFDIR")
    own = environ.get("PGSERVICEFILE") or home / ".pg_service.conf"
    for place in (own, *([Path(folder) / "pg_service.conf"] if folder else [])):
        reader = configparser.RawConfigParser(strict=False, delimiters=("=",))
        try:
            reader.read_string(Path(place).read_text(encoding="utf-8"))
        except (OSError, UnicodeError, configparser.Error):
            continue
        if reader.has_section(name):
            return dict(reader.items(name))
    return {}


def _names(name: str) -> Iterable[str]:
    yield name
    yield from (f"{name}_{number}" for number in range(2, 1000))
