"""`credentials`: where passwords are kept. No verb shows one."""

from __future__ import annotations

import difflib

import click

from tusk_jupyter import api
from tusk_jupyter.cli.options import (
    from_environment,
    json_option,
    pass_output,
    print_json,
    secret_variable_option,
)
from tusk_jupyter.cli.output import Listing, Output
from tusk_jupyter.cli.refusals import WordsRefused
from tusk_jupyter.cli.times import ago
from tusk_jupyter.client import get_client
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.control import DeleteCredential, GetConnection, SetCredential, UnlockVault


class _Verbs(click.Group):
    """A group behind whose name people type the secret itself: what is no verb of it is not repeated."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or list those that there are."""
        if args and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            raise WordsRefused(
                f"`credentials` has no verb of that name. Verbs: {', '.join(self.commands)}.",
                words=args[1:] if near and args[0].isalpha() else args,
                hint=f"Did you mean `credentials {near[0]}`?" if near else "`credentials --help` explains them.",
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, invoke_without_command=True)
@json_option
@click.pass_context
def credentials(ctx: click.Context, as_json: bool) -> None:
    """Where passwords are kept: the tiers and what is in them, never a secret.

    \b
    Examples:
      credentials                          the same as `credentials list`
      credentials set warehouse            asks for a new password
      credentials set ci --password-env CI_PASSWORD --tier memory
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json=as_json)


@credentials.command("list")
@json_option
@pass_output
def list_(output: Output, as_json: bool) -> None:
    """List the tiers and the stored secrets."""
    _list(output, as_json=as_json)


def _list(output: Output, *, as_json: bool) -> None:
    found = api.credentials()
    if as_json:
        return print_json(found)
    tiers = [(tier.name, "usable" if tier.usable else "not usable", tier.reason) for tier in found.tiers]
    output.listing(
        Listing(columns=("tier", "state", "what it is"), rows=tiers, records=found, empty="There is no tier.")
    )
    rows = [
        (item.connection, item.kind, item.tier, "there" if item.present else "MISSING", ago(item.stored_at))
        for item in found.credentials
    ]
    columns = ("connection", "secret", "tier", "state", "stored")
    empty = f"No secret is stored. `{output.prefix} connect` asks for one where a database needs it."
    return output.listing(Listing(columns=columns, rows=rows, records=found, empty=empty))


@credentials.command("set")
@click.argument("name")
@click.option("--kind", default="password", show_default=True, help="Which secret field of the driver.")
@secret_variable_option("--password-env", help="Take it from an environment variable.")
@click.option("--tier", type=click.Choice(["keyring", "vault", "memory"]), help="Where to keep it.")
@pass_output
def set_(output: Output, name: str, kind: str, password_env: str | None, tier: str | None) -> None:
    """Give a connection a new password."""
    get_client().call(GetConnection(session="", name=name))  # whether it is there is known before a secret is asked for
    secret = _secret(output, f"New {kind} for {name}: ", password_env, option="--password-env")
    stored = get_client().call(SetCredential(connection=name, kind=kind, secret=secret, tier=tier))
    output.say(f"The {kind} of {name} is in: {stored.tier}.")
    for notice in stored.notices:
        output.say(f"Note: {notice}")


@credentials.command("delete")
@click.argument("name")
@pass_output
def delete(output: Output, name: str) -> None:
    """Delete every copy of a connection's secrets."""
    gone = get_client().call(DeleteCredential(connection=name))
    output.say(
        f"Deleted the secrets of {name} from: {', '.join(gone.tiers)}." if gone.tiers else f"{name} had no secret."
    )


@credentials.command("unlock")
@secret_variable_option("--passphrase-env", help="Take the passphrase from an environment variable.")
@pass_output
def unlock(output: Output, passphrase_env: str | None) -> None:
    """Open the sealed vault with its passphrase, until the core stops; makes the vault if there is none."""
    passphrase = _secret(output, "Passphrase of the vault: ", passphrase_env, option="--passphrase-env")
    tier = get_client().call(UnlockVault(passphrase=passphrase))
    output.say(f"The {tier.name} is {'open' if tier.usable else 'not usable'}: {tier.reason}")


def _secret(output: Output, prompt: str, variable: str | None, *, option: str) -> str:
    """Return a secret from the environment or from the person in front."""
    if variable:
        return from_environment(variable, what="the secret")
    if not output.can_ask:
        raise UsageError("Nobody can be asked for the secret here.", hint=f"Use {option} VARIABLE.")
    secret = output.ask_secret(prompt)
    if not secret:
        raise UsageError("Nothing was entered; nothing was changed.", hint=f"Try again, or use {option} VARIABLE.")
    return secret
