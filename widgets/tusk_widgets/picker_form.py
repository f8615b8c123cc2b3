"""A form's content against the driver's manifest, and what it becomes: a test or a stored connection.

The page checks while one types; this is the check that counts, and the page shows its words beside the field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tusk_jupyter.api._environment import secret_from
from tusk_jupyter.protocol.control import ConnectionDetails, DriverInfo, SaveConnection, TryConnection
from tusk_jupyter.protocol.manifest import SignIn
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_widgets.picker_messages import Form, Source

NAME = re.compile(r"[^\W\d][\w.-]{0,63}")
URL = "url"
ACCOUNT = ("host", "port", "unix_socket", "user")
"""The fields that say whose password it is: the core hands a stored one to no other account."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form with all that is needed to judge it."""

    form: Form
    driver: DriverInfo
    typed: Mapping[str, str] = field(repr=False)
    """Secrets held in the kernel."""
    environ: Mapping[str, str] = field(repr=False)
    details: ConnectionDetails | None = None
    """Of the connection that is being changed."""
    taken: Collection[str] = ()
    """Names of the connections."""

    @property
    def by_url(self) -> bool:
        """Whether a URL stands for the fields."""
        return self.form.way == URL

    @property
    def way(self) -> SignIn | None:
        """The way to sign in, where the driver declares some."""
        return next((way for way in self.driver.sign_in if way.name == self.form.way), None)

    @property
    def required(self) -> set[str]:
        """The fields that must be given."""
        return {*self.driver.fields.get("required", ()), *(self.way.required if self.way else ())}

    def properties(self) -> dict[str, dict[str, Any]]:
        """Return the fields that the form shows, in order, with the way's own words for them."""
        found: dict[str, dict[str, Any]] = self.driver.fields.get("properties", {})
        way = self.way
        if way is None:
            return dict(found)
        elsewhere = {name for one in self.driver.sign_in for name in one.fields} - set(way.fields)
        names = [*way.fields, *(name for name in found if name not in elsewhere and name not in way.fields)]
        return {name: {**found[name], **way.properties.get(name, {})} for name in names if name in found}

    def config(self) -> dict[str, Any]:
        """Return the fields that go into the connection: what is filled in, and what the way sets by itself."""
        if self.by_url:
            return {}
        config = {}
        for name, spec in self.properties().items():
            value = spec.get("const", self.form.config.get(name))
            if value not in (None, "") and not spec.get("secret"):
                config[name] = value
        return config

    def secrets(self) -> dict[str, str]:
        """Return the secrets that are given now: typed, or read from the environment."""
        found = {}
        for name, source in self.sources().items():
            secret = secret_from(self.environ, source.variable) if source.source == "environment" else None
            secret = self.typed.get(name) if source.source == "typed" else secret
            if secret:
                found[name] = secret
        return found

    def sources(self) -> dict[str, Source]:
        """Return where each secret comes from that the form shows."""
        shown = {URL} if self.by_url else {name for name, spec in self.properties().items() if spec.get("secret")}
        return {name: source for name, source in self.form.secrets.items() if name in shown}

    @property
    def password_command(self) -> str | None:
        """The command that prints the password."""
        source = self.sources().get("password")
        return source.command.strip() or None if source and source.source == "command" else None

    @property
    def is_short_of_memory(self) -> bool:
        """Whether a cap is given now that is less than the driver needs; one that was stored before may stay."""
        cap, known = self.form.memory_limit_mb, self.details.connection if self.details else None
        if cap is None or (known is not None and (known.driver, known.memory_limit_mb) == (self.driver.name, cap)):
            return False
        return cap < self.driver.least_memory_mb

    @property
    def gives_secrets_up(self) -> bool:
        """Whether the connection had stored secrets, and the form says that it shall have none."""
        had = self.details is not None and bool(self.details.secret_fields or self.details.password_command)
        return had and not self.by_url and all(one.source == "none" for one in self.sources().values())


def problems(filled: Filled) -> dict[str, str]:
    """Return what is wrong, by field (`name`, `url`, `timeout_s`, `memory_limit_mb`, or a field of the driver)."""
    name = _name_problem(filled)
    found = {"name": name} if name else {}
    if filled.by_url:
        if not filled.secrets().get(URL):
            found[URL] = "A URL is needed, as scheme://user@host:port/database."
    else:
        found |= _field_problems(filled)
        found |= _secret_problems(filled)
    for name in ("timeout_s", "memory_limit_mb"):
        value = getattr(filled.form, name)
        if value is not None and value <= 0:
            found[name] = "Must be above zero; empty means no limit of its own."
    if "memory_limit_mb" not in found and filled.is_short_of_memory:
        least = filled.driver.least_memory_mb
        found["memory_limit_mb"] = f"A process of this driver needs {least} MB to live; empty means the usual cap."
    return found


def field_problem(value: object, spec: Mapping[str, Any]) -> str | None:
    """Return what is wrong with one value that is filled in."""
    kind = spec.get("type", "string")
    if kind == "boolean":
        return None if isinstance(value, bool) else "Must be on or off."
    if kind in ("integer", "number"):
        fits = isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
        if not fits:
            return "Must be a whole number." if kind == "integer" else "Must be a number."
        return _range_problem(value, spec)  # type: ignore[arg-type] # checked in the line before
    if not isinstance(value, str):
        return "Must be a text."
    if "enum" in spec and value not in spec["enum"]:
        return f"Must be one of: {', '.join(map(str, spec['enum']))}."
    if spec.get("pattern") and not re.search(spec["pattern"], value):
        return "This value does not fit this way to sign in."
    return None


def to_try(filled: Filled, *, session: str, base: str) -> TryConnection:
    """Return the request that tests the form."""
    secrets = filled.secrets()
    original = filled.details.connection.name if filled.details and not filled.by_url else None
    keeps = any(one.source == "kept" for one in filled.sources().values())
    return TryConnection(
        session=session,
        url=secrets.pop(URL, None),
        driver=filled.driver.name,
        config=filled.config(),
        secrets=secrets,
        password_command=filled.password_command,
        name=original if keeps else None,
        base=base,
    )


def to_save(filled: Filled, *, session: str, base: str) -> SaveConnection:
    """Return the request that stores the form; it has been tested before, so that the steps can be shown."""
    form, secrets = filled.form, filled.secrets()
    return SaveConnection(
        session=session,
        name=form.name,
        url=secrets.pop(URL, None),
        driver=filled.driver.name,
        config=filled.config(),
        secrets=secrets,
        password_command=filled.password_command,
        tier=form.tier if secrets or filled.by_url else None,
        read_only=form.read_only,
        environment=form.environment,
        timeout_s=form.timeout_s,
        memory_limit_mb=form.memory_limit_mb,
        isolation=form.isolation,
        log=form.log,
        replace=form.original is not None,
        seen=form.seen,
        rename_from=form.original if form.original not in (None, form.name) else None,
        use=form.original is None,
        test=False,
        base=base,
    )


def _name_problem(filled: Filled) -> str | None:
    name, original = filled.form.name, filled.form.original
    if not name:
        return "A name is needed: cells say it, as %%sql NAME."
    if not NAME.fullmatch(name):
        return "A name begins with a letter and goes on with letters, digits, _ . or -, 64 at most."
    if name.casefold() in STATEMENT_KEYWORDS:
        return f"{name} begins SQL statements, so a cell could not tell it from SQL."
    others = {one.casefold() for one in filled.taken} - {original.casefold() if original else None}
    return f"There is a connection {name} already." if name.casefold() in others else None


def _field_problems(filled: Filled) -> dict[str, str]:
    found = {}
    config = filled.config()
    for name, spec in filled.properties().items():
        if spec.get("secret"):
            continue
        if name not in config:
            if name in filled.required:
                found[name] = f"{spec.get('title', name)} is needed."
        elif (problem := field_problem(config[name], spec)) is not None:
            found[name] = problem
    return found


def _secret_problems(filled: Filled) -> dict[str, str]:
    given = {*filled.secrets(), *(name for name, one in filled.sources().items() if one.source in ("kept", "command"))}
    found = {
        name: f"{spec.get('title', name)} is needed."
        for name, spec in filled.properties().items()
        if spec.get("secret") and name in filled.required and name not in given
    }
    for name, source in filled.sources().items():
        if source.source == "environment" and not secret_from(filled.environ, source.variable):
            found[name] = (
                f"${source.variable} is not set in this kernel, or empty."
                if source.variable
                else "Name the variable that holds it."
            )
        elif source.source == "command" and not source.command.strip():
            found[name] = "Give the command whose first line of output is the password."
        elif source.source == "kept" and not _same_account(filled):
            found[name] = "The stored one belongs to another account (host, port, user): give it again for this one."
    return found


def _same_account(filled: Filled) -> bool:
    if filled.details is None:
        return False
    before, now = filled.details.connection.config, filled.config()
    return all(before.get(name) == now.get(name) for name in ACCOUNT)


def _range_problem(value: float, spec: Mapping[str, Any]) -> str | None:
    low, high = spec.get("minimum"), spec.get("maximum")
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    if low is None or high is None:
        return f"Must be {low} or more." if high is None else f"Must be {high} or less."
    return f"Must be between {low} and {high}."
