"""A password that was typed where it would stay: found, refused, and never repeated.

What a shell or a notebook keeps of a line is out of our hands, so nothing in such a line may be a secret. It is looked
for in every form in which people write one: URLs (complete, without a scheme, JDBC's), DSNs, options, variables in front
of a command, a word too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.secret_names import is_secret_parameter

_URL = re.compile(r"(?:[A-Za-z][\w+.-]*:)+//(\S*)")
_BARE_URL = re.compile(r"([^\s/@:'\"=]+):(\S+)@(?=[\w.\[-])")
_PORT_AND_QUERY = re.compile(r"\d*(?:/[^?]*)?\?.*", re.DOTALL)
_ORACLE = re.compile(r"jdbc:\w+:\w+:[^\s/@]+/([^\s@]+)@")
_ASSIGNED = re.compile(
    r"(?:^|(?<=[\s;&?,('\"]))-{0,2}([A-Za-z_][\w.-]*)\s*=\s*('(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s;&]+)"
)
_OPTION = re.compile(r"-{1,2}([A-Za-z][\w-]*)")
_SHORT_OPTION = re.compile(r"-p(?!assword)(.+)", re.DOTALL)
_SAFE_OPTIONS = frozenset(["password-env", "password-command", "passphrase-env", "no-password", "url-env"])
_NAMES_SECRET_TO_NOBODY = frozenset(
    ["log", "schema", "queries", "running", "cancel", "drivers", "core", "doctor", "info"]
)
"""Verbs that take no connection's fields: there `--text password=x` is something to look for."""
_ENVIRONMENT = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_VARIABLE_OPTIONS = frozenset(["--password-env", "--passphrase-env", "--url-env"])


def typed_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets among the words of a command, without its `tusk`."""
    verb = next((word for word in words if not word.startswith("-")), "")
    found = [secret for word in words for secret in _in_url(word)]
    if verb not in _NAMES_SECRET_TO_NOBODY:
        for index, word in enumerate(words):
            found += _in_word(word)
            found += _behind_option(word, words[index + 1] if index + 1 < len(words) else None)
        found += _misplaced(words)
    if list(words[:2]) == ["queries", "save"]:
        from tusk_jupyter.sqltext.redaction import secrets_in

        found += [secret for word in words[3:4] for secret in secrets_in(word, "ansi")]
    return tuple(dict.fromkeys(secret for secret in found if secret.strip("'\"")))


def secrets_of_sql_line(line: str) -> tuple[str, ...]:
    """Return the secrets in the head of a `%sql` line, before its SQL."""
    words = line.split(maxsplit=3)[:3]
    if not words:
        return ()
    found = [*_in_url(words[0])]
    if not any(sign in words[0] for sign in "('\""):
        found += _in_word(words[0])
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if not word.startswith("-"):
            continue
        found += [*_behind_option(word, following), *_in_word(word)]
    return tuple(dict.fromkeys(found))


def secrets_of_urls(text: str) -> tuple[str, ...]:
    """Return the passwords of all URLs in a text."""
    return tuple(secret for word in text.split() for secret in _in_url(word.rstrip("'\"),;")))


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """Return a text with `***` for each of the secrets that were typed in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = (
            re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
            if len(secret) < 4
            else text.replace(secret, "***")
        )
    return text


def _in_url(word: str) -> Iterator[str]:
    """A password before the last `@`, since people paste passwords with @ and / in them; or among the query's fields."""
    for match in _URL.finditer(word):
        rest = match[1]
        user, colon, password = rest.rpartition("@")[0].partition(":")
        plain = user.startswith("[") or re.search(r"[/?]", user) or not colon
        # Digits and a path up to the query are a port: host:5432/d?mail=a@b
        if password and not plain and not _PORT_AND_QUERY.fullmatch(password):
            yield password
        for name, value in re.findall(r"[?&;]([\w.%-]+)=([^\s&;]+)", rest):
            if is_secret_parameter(unquote(name)):
                yield value
    yield from _ORACLE.findall(word)


def _in_word(word: str) -> Iterator[str]:
    """`u:pw@h/d`, `host=h password=x`, `PGPASSWORD=x`, `password=x`."""
    if "://" not in word and (match := _BARE_URL.match(word)) and not word.startswith("-"):
        yield match[2]
    for text in {word, unquote(word)}:
        for name, value in _ASSIGNED.findall(text):
            if is_secret_parameter(name) and name.lower() not in _SAFE_OPTIONS:
                yield value.strip("'\"")
        if text.startswith(("--set=", "--url=")):
            yield from _in_word(text.partition("=")[2])


def _behind_option(word: str, following: str | None) -> Iterator[str]:
    """`--password X`, `-p X`, `-pX`; what is given with `=` is found in the word."""
    option = _OPTION.fullmatch(word)
    if option and following and not following.startswith("-"):
        name = option[1]
        if (name == "p" or is_secret_parameter(name)) and name not in _SAFE_OPTIONS:
            yield following
    if word in _VARIABLE_OPTIONS and following and not _ENVIRONMENT.fullmatch(following):
        yield following  # the password itself, where its variable is asked for
    if (glued := _SHORT_OPTION.fullmatch(word)) and "=" not in word and not word.startswith("--"):
        yield glued[1]


def _misplaced(words: Sequence[str]) -> Iterator[str]:
    """`credentials set NAME X`: the secret where none is taken."""
    if list(words[:2]) == ["credentials", "set"]:
        given, skip = [], False
        for word in words[2:]:
            if not skip and not word.startswith("-"):
                given.append(word)
            skip = word in ("--kind", "--password-env", "--tier")
        yield from given[1:]


def refusal(*, where: str, stays: str) -> UsageError:
    """Return the error for a password that was typed.

    Args:
        where: "on a magic line".
        stays: where the password remains, and what takes it out.
    """
    return UsageError(
        f"A password does not belong {where}; nothing was stored and nothing was connected.",
        hint=(
            "Leave the password out, also of a URL: it is asked for without an echo (`connect`, `credentials set NAME`). "
            "Where nobody can answer, use `--password-env VARIABLE`, `--password-command COMMAND`, or `--url-env VARIABLE` "
            f"for the whole URL; in SQL, a parameter as `:password`. {stays}"
        ),
    )


def unreadable_url() -> UsageError:
    """Return the error for a URL whose brackets cannot be read; it does not repeat the URL."""
    return UsageError(
        "The URL cannot be read: its user or password holds [ or ] as they are, or its host a bracket that is not closed.",
        hint="The form is scheme://user@host:port/database; write such characters as %5B and %5D.",
    )


def shown_variable(name: str) -> str:
    """Return a variable's name for a message; what does not look like one may be the password itself."""
    return name if name == name.upper() and _ENVIRONMENT.fullmatch(name) else "that was named"
