"""How a verb refuses what may be a password: without a repetition of it, and with the safe ways."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.secret_names import is_secret_parameter

if TYPE_CHECKING:
    import click

NAMES_SECRET_TO_NOBODY = frozenset(
    ["log", "schema", "queries", "running", "cancel", "drivers", "core", "doctor", "info"]
)
"""Verbs that take no connection's fields: there `--text password=x` is something to look for."""
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_PLACES = frozenset(["URL", "URI", "DSN"])


class WordsRefused(UsageError):
    """Words that no verb takes, where a password may have been meant: for the history, not for the message."""

    def __init__(self, message: str, *, words: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.words = tuple(words)


def refusal(*, where: str, stays: str) -> UsageError:
    """Return the error for a password that was typed.

    Args:
        where: "on a magic line".
        stays: where the password remains, and what takes it out.
    """
    return UsageError(
        f"A password does not belong {where}; nothing was stored and nothing was connected.",
        hint=(
            "Leave the password out, even of a URL: `connect` and `credentials set NAME` ask for it without an echo. "
            "Where nobody can answer, use `--password-env VARIABLE`, `--password-command COMMAND`, or `--url-env VARIABLE` "
            f"for the whole URL; in SQL, a parameter as `:password`. {stays}"
        ),
    )


def unreadable_url() -> UsageError:
    """Return the error for a URL whose brackets cannot be read; it does not repeat the URL."""
    return UsageError(
        "The URL cannot be read: its user or password has an unencoded [ or ], or its host a bracket that is not closed.",
        hint="The form is scheme://user@host:port/database; write such characters as %5B and %5D.",
    )


def shown_variable(name: str) -> str:
    """Return a variable's name for a message, where it says itself what it is; another may be the password."""
    if _VARIABLE.fullmatch(name) and (
        is_secret_parameter(name.rpartition("_")[2])
        or is_secret_parameter(name)
        or not _PLACES.isdisjoint(name.split("_"))
    ):
        return name
    return "that was named"


def of_click(exc: click.UsageError, words: Sequence[str]) -> UsageError:
    """Return click's error as ours; behind a verb that takes a password no word of the user's is repeated."""
    import click  # 9 ms, and `%load_ext` needs the other functions

    message, hint = exc.format_message(), _usage(exc)
    if "unexpected extra argument" in message:
        extra = message[message.find("(") + 1 : message.rfind(")")]
        message = "There are more words than the verb takes."
        return WordsRefused(message, words=[word for word in words if word in extra], hint=hint)
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb in NAMES_SECRET_TO_NOBODY:
        return UsageError(message, hint=hint)
    if isinstance(exc, click.NoSuchOption):
        return WordsRefused(message, words=_from(words, exc.option_name), hint=hint)
    if isinstance(exc, click.BadParameter) and not isinstance(exc, click.MissingParameter) and exc.param is not None:
        kind = exc.param.type
        takes = f"one of {', '.join(map(str, kind.choices))}" if isinstance(kind, click.Choice) else f"a {kind.name}"
        message = f"{exc.param.opts[-1]} takes {takes}; something else was given."
        return WordsRefused(message, words=_given(words, exc.param.opts), hint=hint)
    return UsageError(message, hint=hint)


def doubtful(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a refused command that may be secrets, whatever it was refused for.

    A variable's name that no variable has, a kind of secret that is none, `u:pw` where a URL belongs.
    """
    if not words or words[0] in NAMES_SECRET_TO_NOBODY:
        return ()
    variables = _given(words, ["--password-env", "--passphrase-env", "--url-env"])
    found = [name for name in variables if name not in os.environ and shown_variable(name) != name]
    found += [kind for kind in _given(words, ["--kind"]) if not is_secret_parameter(kind)]
    behind_name = _LOGIN if words[0] == "connect" else BEHIND_NAME
    found += [match[1] for word in words[1:] if (match := behind_name.fullmatch(word))]
    return tuple(found)


BEHIND_NAME = re.compile(r"[A-Za-z_][\w.-]*[^\w.-](.+)", re.DOTALL)
"""`pg=pw`, `pg:pw`: no connection's name has such a sign."""
_LOGIN = re.compile(r"[A-Za-z][\w.-]+:(?!\d{1,5}(?:/|\Z))([^/\\]\S*)")


def _from(words: Sequence[str], option: str) -> list[str]:
    """Return what was given from an unknown option on: the line may be that of another program, as `h -U u -W pw`."""
    begin = next((at for at, word in enumerate(words) if word.startswith(option)), len(words))
    found = []
    for word in words[begin:]:
        name, equals, value = word.partition("=")
        found.append(value if equals and word.startswith("-") else word if not word.startswith("-") else "")
        if word.startswith("-") and not word.startswith("--") and not equals:
            found.append(name[2:])  # glued: -Wpw
    return [word for word in found if word]


def _given(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return what stands behind an option, as `--tier X` or `--tier=X`."""
    glued = [word.partition("=")[2] for word in words if word.partition("=")[0] in options and "=" in word]
    behind = [value for word, value in itertools.pairwise(words) if word in options]
    return [*glued, *(value for value in behind if not value.startswith("-"))]


def _usage(exc: click.UsageError) -> str | None:
    if exc.ctx is None:
        return None
    return f"{exc.ctx.get_usage()} (`{exc.ctx.command_path} --help` explains it)"
