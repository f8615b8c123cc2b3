"""From what people type (a URL, a path, single fields) to a driver and its checked fields.

The reading is the same for every driver: names and types come from its manifest. A URL is `scheme://user@host:port/database`
for servers; for file databases SQLAlchemy's form, three slashes for a relative path and four for an absolute one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tusk_jupyter.driverkit import file_kinds
from tusk_jupyter.errors import UsageError
from tusk_jupyter.launch.catalog import Catalog, Driver
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.system import working_folder

MEMORY = ":memory:"
_SERVER_PARTS = ("host", "port", "user", "database")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A driver and the fields with which it finds a database."""

    driver: Driver
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def read_target(
    catalog: Catalog,
    *,
    url: str | None,
    driver: str | None,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    base: str,
) -> Target:
    """Return what was meant.

    Args:
        catalog: the installed drivers.
        url: a URL or a file's path, or None.
        driver: a driver's name, needed without a URL.
        config: single fields; they win over the URL's.
        secrets: secret fields.
        base: folder against which relative paths are read.

    Raises:
        UsageError: something is missing, unknown or of the wrong type; the message says what exists.
        DriverNotFound: no driver of that name, scheme or file ending.
    """
    found, parts = _from_url(catalog, url, driver) if url else (_named(catalog, driver), {})
    manifest = _manifest_of(found)
    given = {**parts, **config, **secrets}
    _refuse_unknown(given, manifest)
    checked = {name: _coerce(name, given[name], manifest.properties[name], manifest) for name in given}
    checked = {name: value for name, value in checked.items() if value is not None}
    _refuse_missing(checked, manifest)
    for name, spec in manifest.properties.items():
        if spec.get("format") == "path" and checked.get(name) not in (None, MEMORY, *spec.get("words", ())):
            checked[name] = str(_absolute(str(checked[name]), base))
    return Target(
        driver=found,
        config={name: value for name, value in checked.items() if name not in manifest.secret_fields},
        secrets={name: str(value) for name, value in checked.items() if name in manifest.secret_fields},
    )


def describe_target(config: Mapping[str, Any]) -> str:
    """Return where a connection points, for people: user@host:port/database, or a path."""
    if "path" in config:
        return str(config["path"])
    if "host" not in config and "database" not in config:
        return ", ".join(f"{name}={value}" for name, value in config.items()) or "in memory"
    user = f"{config['user']}@" if config.get("user") else ""
    host = config.get("host") or "localhost"
    host = f"[{host}]" if ":" in str(host) else host
    port = f":{config['port']}" if config.get("port") else ""
    return f"{user}{host}{port}/{config.get('database', '')}"


def _named(catalog: Catalog, driver: str | None) -> Driver:
    if driver is None:
        raise UsageError(
            "A connection needs a URL, a file, or a driver with its fields.",
            hint="As `%tusk connect shop postgresql://ana@db.example.org/shop`, or `%tusk connect lake lake.duckdb`.",
        )
    return catalog.named(driver)


def _manifest_of(driver: Driver) -> Manifest:
    if driver.manifest is None:
        raise UsageError(f"The driver {driver.name!r} cannot be used: {driver.problem}")
    return driver.manifest


def _from_url(catalog: Catalog, url: str, driver: str | None) -> tuple[Driver, dict[str, Any]]:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _from_path(catalog, url, driver)
    found = catalog.named(driver) if driver else catalog.for_scheme(scheme.partition("+")[0])
    if "path" in _manifest_of(found).properties:
        return found, _file_parts(rest)
    return found, _server_parts(url)


def _from_path(catalog: Catalog, path: str, driver: str | None) -> tuple[Driver, dict[str, Any]]:
    found = catalog.named(driver) if driver else catalog.for_file(path)
    if found is None:
        endings = sorted({end for one in catalog.drivers() if one.manifest for end in one.manifest.suffixes})
        raise UsageError(
            f"{_shown(path)} is neither a URL nor a database file that a driver knows.",
            hint=kind.advice
            if (kind := file_kinds.named(Path(path)))
            else f"A URL begins as postgresql://, a file ends in one of {', '.join(endings)}; `--driver` takes any other.",
        )
    return found, {"path": path}


def _shown(path: str) -> str:
    """Return what was given for a message; a single word may be a password in the wrong place."""
    return repr(path) if re.search(r"[/\\]|\w\.\w+$", path) else "What was given"


def _file_parts(rest: str) -> dict[str, Any]:
    """`rest` follows the `://`: `` or `/` or `/:memory:` is memory, `/x` relative, `//x` absolute."""
    path, _, query = rest.partition("?")
    path = unquote(path.removeprefix("/"))
    return {"path": path or MEMORY, **_query(query)}


def _server_parts(url: str) -> dict[str, Any]:
    try:
        parsed = urlsplit(url)
        port = parsed.port
    except ValueError:
        raise _unreadable() from None  # its message may hold part of a password
    if "@" in parsed.path + parsed.query + parsed.fragment:
        raise _unreadable()
    parts: dict[str, Any] = {
        "host": unquote(parsed.hostname) if parsed.hostname else None,
        "port": port,
        "user": unquote(parsed.username) if parsed.username else None,
        "password": unquote(parsed.password) if parsed.password else None,
        "database": unquote(parsed.path.removeprefix("/")) or None,
    }
    return {**{name: value for name, value in parts.items() if value is not None}, **_query(parsed.query)}


def _unreadable() -> UsageError:
    return UsageError(
        "The URL cannot be read: its port is no number, or its user or password holds / ? # or @ as they are.",
        hint="The form is scheme://user@host:port/database?field=value; write such characters as %2F %3F %23 %40.",
    )


def _query(text: str) -> dict[str, Any]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _refuse_unknown(given: Mapping[str, Any], manifest: Manifest) -> None:
    for name in given:
        if name not in manifest.properties:
            near = get_close_matches(name, manifest.properties, 1)
            raise UsageError(
                f"The driver {manifest.name!r} has no field {name!r}; it has: {', '.join(manifest.properties)}.",
                hint=f"Did you mean {near[0]!r}?" if near else None,
            )


def _refuse_missing(checked: Mapping[str, Any], manifest: Manifest) -> None:
    missing = [name for name in manifest.fields.get("required", ()) if name not in checked]
    if missing:
        raise UsageError(
            f"A {manifest.title} connection needs {' and '.join(missing)}.",
            hint=f"Give it in the URL or as `--set {missing[0]}=...`.",
        )


def _coerce(name: str, value: object, spec: Mapping[str, Any], manifest: Manifest) -> Any:  # noqa: ANN401
    """Return `value` as the field's type; None when it is empty."""
    if value is None or value == "":
        return None
    try:
        typed = _TYPES.get(spec.get("type", "string"), str)(value)
    except (TypeError, ValueError):
        raise UsageError(f"{manifest.name}: {name} must be of type {spec['type']}, not {value!r}.") from None
    if "enum" in spec and typed not in spec["enum"]:
        raise UsageError(f"{manifest.name}: {name} is one of {', '.join(map(str, spec['enum']))}, not {typed!r}.")
    if not spec.get("minimum", typed) <= typed <= spec.get("maximum", typed):
        raise UsageError(
            f"{manifest.name}: {name} lies between {spec.get('minimum')} and {spec.get('maximum')}, not {typed}."
        )
    return typed


def _boolean(value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError(value) from None


_TYPES: dict[str, Any] = {"integer": int, "number": float, "boolean": _boolean, "string": str}


def _absolute(path: str, base: str) -> Path:
    return working_folder.below(base, working_folder.expanded(path))
