"""`connect`: add a connection without its password ever standing in a command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import from_environment, pairs, pass_output, secret_variable_option
from tusk_jupyter.cli.output import Output
from tusk_jupyter.cli.passwords import without_secrets
from tusk_jupyter.cli.refusals import unreadable_url
from tusk_jupyter.errors import ConnectError, TuskError, UsageError
from tusk_jupyter.protocol.control import ConnectionSaved, DriverInfo

_PLACES = ("host", "port", "user", "database")


@click.command()
@click.argument("name")
@click.argument("url", required=False)
@secret_variable_option("--url-env", help="Take the URL from an environment variable; it may hold a password.")
@click.option("--driver", metavar="NAME", help="Driver; otherwise the URL's scheme or the file's ending decides.")
@click.option("--host", metavar="HOST")
@click.option("--port", metavar="PORT")
@click.option("--user", metavar="USER")
@click.option("--database", metavar="NAME")
@click.option("--set", "fields", metavar="FIELD=VALUE", multiple=True, help="Any field of the driver (`drivers NAME`).")
@secret_variable_option("--password-env", help="Take the password from an environment variable, now.")
@click.option("--password-command", metavar="CMD", help="Run CMD at each sign-in; its first line is the password.")
@click.option("--no-password", is_flag=True, help="Do not ask for a password.")
@click.option("--tier", type=click.Choice(["keyring", "vault", "memory"]), help="Where to keep the password.")
@click.option("--read-only", is_flag=True, help="Let the server refuse every change.")
@click.option("--environment", type=click.Choice(["production", "staging", "development"]), help="Shown at each run.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop its runs after this time.")
@click.option("--memory", type=int, metavar="MB", help="Memory cap of its driver process.")
@click.option("--isolation", type=click.Choice(["session", "statement"]), default="session", show_default=True)
@click.option("--no-log", is_flag=True, help="Leave its runs out of the query log.")
@click.option("--no-test", is_flag=True, help="Store it without signing in.")
@click.option("--replace", is_flag=True, help="Replace the connection of that name.")
@pass_output
def connect(output: Output, /, **given: Any) -> None:  # noqa: ANN401 - one per option, as click hands them over
    """Add a connection; it is tested before anything is stored.

    NAME is what cells say, URL where the database is: a URL without a password, or the path of a database file. When
    the server wants a password, it is asked for without an echo, and goes into the OS keyring, a sealed vault or
    memory; never into a notebook.

    \b
    Examples:
      connect lake ./lake.duckdb
      connect warehouse postgresql://ann@db.example.org/sales --environment production --read-only
      connect shop mysql://ann@localhost/shop --password-env SHOP_PASSWORD
      connect ci --url-env DATABASE_URL --tier memory
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    url = _url(given)
    try:
        _connect(output, given, url)
    except TuskError as exc:
        if url and given["url_env"]:
            _hide(exc, url)
        raise


def _connect(output: Output, given: dict[str, Any], url: str | None) -> None:
    fields = {key: given[key] for key in _PLACES if given[key] is not None}
    fields |= pairs(given["fields"], option="--set")
    takes_secret = _takes_secret(given, url, fields)
    password = from_environment(given["password_env"], what="the password") if given["password_env"] else None
    may_ask = takes_secret and output.can_ask and not (password or given["password_command"] or given["no_password"])
    if may_ask and given["no_test"]:
        password = _ask(output, given["name"])
    try:
        saved = _save(given, url, fields, password)
    except ConnectError as exc:
        # As psql does: whether a password is wanted, only the server knows (peer, trust, ~/.pgpass, a stored one).
        if exc.scenario != "bad_password" or password or given["password_command"]:
            raise
        if not may_ask:
            exc.hint = "Give a password: `--password-env VARIABLE`, `--password-command COMMAND`, or answer the prompt."
            raise
        saved = _save(given, url, fields, _ask(output, given["name"]))
    _tell(output, saved)


def _hide(exc: TuskError, url: str) -> None:
    """Take what a variable held out of an error: also of a URL that nobody can read, everything before its `@`."""
    login = re.sub(r"^[\w.+-]*:/+|^/+", "", url.rpartition("@")[0])
    pieces = [
        piece for piece in (login, *re.split(r"[:/]", login)[1:], *re.split(r"[:/]", login, maxsplit=1)[1:]) if piece
    ]
    secrets = [*pieces, *map(unquote, pieces)]
    exc.reword(lambda text: without_secrets(text, secrets))


def _save(given: dict[str, Any], url: str | None, fields: dict[str, Any], password: str | None) -> ConnectionSaved:
    return api.connect(
        given["name"], url, driver=given["driver"], password=password, password_command=given["password_command"],
        tier=given["tier"], read_only=given["read_only"], environment=given["environment"],
        timeout_s=given["timeout"], memory_limit_mb=given["memory"], isolation=given["isolation"],
        log=not given["no_log"], replace=given["replace"], test=not given["no_test"], **fields,
    )  # fmt: skip


def _ask(output: Output, name: str) -> str | None:
    return output.ask_secret(f"Password for {name} (empty for none): ") or None


def _tell(output: Output, saved: ConnectionSaved) -> None:
    connection = saved.connection
    verb = "Already there, nothing changed:" if saved.unchanged else "Replaced" if saved.replaced else "Added"
    answered = ", ".join(filter(None, (saved.server or connection.driver, saved.link)))
    where = f"{connection.name} → {connection.target} ({answered})"
    tier = connection.credential_tier
    kept = "; password from its command" if tier == "command" else f"; password in: {tier}" if tier else ""
    output.say(f"{verb} {where}{kept}.")
    for notice in saved.notices:
        output.say(f"Note: {notice}")
    output.say(f"Run SQL with `%%sql {connection.name}`.")


def _url(given: dict[str, Any]) -> str | None:
    """Return the URL or path, made sense of with the other ways to say it."""
    url, variable = given["url"], given["url_env"]
    if url and variable:
        raise UsageError("A URL and --url-env exclude each other.", hint="Leave one of them out.")
    if variable:
        return from_environment(variable, what="the URL")
    if not url and not given["driver"]:
        raise UsageError(
            f"`connect {given['name']}` does not say to which database.",
            hint="Add a URL (postgresql://user@host/database), a database file's path, or --driver and its fields.",
        )
    return str(url) if url else None


def _takes_secret(given: dict[str, Any], url: str | None, fields: dict[str, Any]) -> bool:
    """Return whether the driver takes a password that is not there yet.

    Raises:
        UsageError: a secret stands among the fields.
    """
    driver = _driver(url, given["driver"])
    properties = driver.fields.get("properties", {}) if driver else {}
    secrets = [name for name, spec in properties.items() if spec.get("secret")]
    typed = next((name for name in secrets if name in fields), None)
    if typed:
        raise UsageError(
            f"--set {typed}=... would leave a secret in your history; nothing was stored.",
            hint="Use --password-env VARIABLE or --password-command COMMAND, or answer the prompt.",
        )
    try:
        typed_password = url and urlsplit(url).password  # only --url-env brings one this far
    except ValueError:  # its message may hold part of a password
        raise unreadable_url() from None
    return "password" in secrets and not typed_password


def _driver(url: str | None, name: str | None) -> DriverInfo | None:
    """Return the driver that is meant, or None: the core says what is wrong with it."""
    scheme = name or (url.partition("://")[0].partition("+")[0] if url and "://" in url else None)
    if scheme is None or (url and "://" not in url and Path(url).suffix and not name):
        return None
    return next((info for info in api.drivers() if scheme == info.name or scheme in info.schemes), None)
