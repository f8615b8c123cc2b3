"""A password that was typed where it would stay: found, refused, and never repeated.

What a shell or a notebook keeps of a line is out of our hands, so nothing in such a line may be a secret. It is looked
for in every form in which people write one: logins (`logins`), DSNs, JSON, options, variables in front of a command, a word
too much; also under a name that was misspelt.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from tusk_jupyter.cli.logins import in_login, in_url, in_urls_of
from tusk_jupyter.cli.refusals import NAMES_SECRET_TO_NOBODY
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret

_ASSIGNED = re.compile(
    r"(?:^|(?<=[\s;&?,('\"]))-{0,2}([A-Za-z_][\w.-]*)\s*=\s*('(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s;&]+)"
)
_OPTION = re.compile(r"-{1,2}([A-Za-z][\w-]*)")
_SHORT_OPTION = re.compile(r"-p(?!assword)(.+)", re.DOTALL)
_SAFE_OPTIONS = frozenset(["password-env", "password-command", "passphrase-env", "no-password", "url-env"])
_ENVIRONMENT = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_VARIABLE_OPTIONS = frozenset(["--password-env", "--passphrase-env", "--url-env"])
_ASK_FOR_SECRET = {("credentials", "set"): 1, ("credentials", "unlock"): 0, ("credentials", "delete"): 1}
"""Verbs behind whose words people type the secret itself, and how many words they take."""
_WITH_VALUE = frozenset(["--kind", "--password-env", "--passphrase-env", "--tier"])


def typed_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets among the words of a command, without its `tusk`."""
    verb = next((word for word in words if not word.startswith("-")), "")
    found = [secret for word in words for secret in in_url(word)]
    if verb not in NAMES_SECRET_TO_NOBODY:
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
    if line.isidentifier():
        return ()  # the name of a connection, as in most cells
    words = line.split(maxsplit=3)[:3]
    if not words:
        return ()
    found = [*in_url(words[0])]
    if not any(sign in words[0] for sign in "('\""):
        found += _in_word(words[0])
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if not word.startswith("-"):
            continue
        found += [*_behind_option(word, following), *_in_word(word)]
    return tuple(dict.fromkeys(found))


def secrets_of_refused_line(line: str, body: str | None = None) -> tuple[str, ...]:
    """Return the secrets of a `%sql` line, and of the cell below it, that was refused: where its head ends, nobody knows."""
    from tusk_jupyter.sqltext.redaction import secrets_in
    from tusk_jupyter.sqltext.secret_shapes import hide_and_find

    text = f"{line}\n{body or ''}"
    found = [*in_urls_of(line), *hide_and_find(line)[1], *secrets_in(text, "ansi"), *secrets_in(body or "", "ansi")]
    found += [secret for word in line.split() for secret in _in_word(word)]
    for word in itertools.islice(re.finditer(r"\S+", line), _WORDS_OF_HEAD):  # as SQL, `--limit 5 CREATE` is a comment
        found += secrets_in(text[word.start() : word.start() + _READ_AGAIN], "ansi")
    return tuple(dict.fromkeys(found))


_WORDS_OF_HEAD = 24
_READ_AGAIN = 4_000
"""Characters from each of them on; 24 readings of so many take a tenth of a second."""


def without_secrets(text: str, secrets: Sequence[str]) -> str:
    """Return a text with `***` for each of the secrets that were typed in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = (
            re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
            if len(secret) < 4
            else text.replace(secret, "***")
        )
    return text


def _in_word(word: str) -> Iterator[str]:
    """`u:pw@h/d`, `host=h password=x`, `PGPASSWORD=x`, `password=x`, `{"password": "x"}`."""
    yield from in_login(word)
    for text in {word, unquote(word)}:
        for name, value in _ASSIGNED.findall(text):
            if _is_secret(name):
                yield value.strip("'\"")
        if text.startswith(("--set=", "--url=")):
            yield from _in_word(text.partition("=")[2])
    if "{" in word:
        from tusk_jupyter.sqltext.secret_shapes import hide_and_find

        yield from hide_and_find(word)[1]


def _is_secret(name: str) -> bool:
    return name.lower() not in _SAFE_OPTIONS and is_meant_as_secret(name)


def _behind_option(word: str, following: str | None) -> Iterator[str]:
    """`--password X`, `-p X`, `-pX`; what is given with `=` is found in the word."""
    option = _OPTION.fullmatch(word)
    if option and following and not following.startswith("-") and (option[1] == "p" or _is_secret(option[1])):
        yield following
    if word in _VARIABLE_OPTIONS and following and not _ENVIRONMENT.fullmatch(following):
        yield following  # the password itself, where its variable is asked for
    if (glued := _SHORT_OPTION.fullmatch(word)) and "=" not in word and not word.startswith("--"):
        yield glued[1]


def _misplaced(words: Sequence[str]) -> Iterator[str]:
    """`credentials set NAME X`, `credentials unlock X`, `set password X`: the secret where none is taken."""
    if words[:1] == ["set"] and len(words) > 2 and _is_secret(words[1]):
        yield from words[2:]
    taken = _ASK_FOR_SECRET.get((words[0], words[1])) if len(words) > 1 else None
    if taken is None:
        return
    given, skip = [], False
    for word in words[2:]:
        if not skip and not word.startswith("-"):
            given.append(word)
        skip = word in _WITH_VALUE
    yield from given[taken:]
