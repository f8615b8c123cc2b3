"""A password that was typed where it would stay: found, refused, and never repeated.

What a shell or a notebook keeps of a line is out of our hands, so nothing in such a line may be a secret. It is looked
for in every form in which people write one: logins (`logins`), DSNs, JSON, options, variables in front of a command, a word
too much; also under a name that was misspelt.
"""

from __future__ import annotations

import difflib
import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from tusk_jupyter.cli.logins import USERS, in_broken_url, in_login, in_url, in_urls_of, in_user
from tusk_jupyter.cli.refusals import BEHIND_NAME, NAMES_SECRET_TO_NOBODY
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret

_ASSIGNED = re.compile(
    r"(?:^|(?<=[\s;&?,('\"]))-{0,2}([A-Za-z_][\w.-]*)\s*=\s*('(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s;&]+)"
)
_WITH_BLANKS = re.compile(r"([A-Za-z_][\w.-]*)\s*=\s*([^\s;&'\"]+(?:[ \t]+(?!-|[\w.-]+\s*=)[^\s;&'\"]+)+)")
"""`password=two words`: up to the next name, for nobody knows where it ends."""
_NOTED = re.compile(r"(?:^|(?<=[\s,;{(]))([A-Za-z_][\w-]*):(?!//)\s*([^\s,;]+)")
_SPOKEN = re.compile(
    r"\b(?:IDENTIFIED\s+BY|PASSWORD|PASSWD|PWD|PASSPHRASE|PASSWORT)\s+(?:is\s+)?(?![=:])([^\s,;]+)", re.IGNORECASE
)
_OF_OTHERS = frozenset(["-W", "-P", "-u", "-U"])
"""Options of psql, sqlcmd and curl behind which people type a password, or a user with one."""
_ENTRY = re.compile(r"(?<!\S)--?secret(?:[-_](?:id|name|arn))?=\S*")
"""`aws ... --secret-id=prod/db`: which one, in a command that fetches it."""
_FILE = re.compile(r"\.\w{1,8}['\"]?\Z")
_OPTION = re.compile(r"-{1,2}([A-Za-z][\w-]*)")
_SHORT_OPTION = re.compile(r"-p(?!assword)(.+)", re.DOTALL)
_SAFE_OPTIONS = frozenset(["password-env", "password-command", "passphrase-env", "no-password", "url-env"])
_ENVIRONMENT = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_VARIABLE_OPTIONS = frozenset(["--password-env", "--passphrase-env", "--url-env"])
_ASK_FOR_SECRET = {("credentials", "set"): 1, ("credentials", "unlock"): 0, ("credentials", "delete"): 1}
"""Verbs behind whose words people type the secret itself, and how many words they take."""
_RAW_WORD = re.compile(r"(?:[^\s'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+", re.DOTALL)
_WITH_VALUE = frozenset(["--kind", "--password-env", "--passphrase-env", "--tier"])


def typed_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets among the words of a command, without its `tusk`."""
    verb = next((word for word in words if not word.startswith("-")), "")
    found = [secret for word in words for secret in in_url(word)]
    if verb in NAMES_SECRET_TO_NOBODY:
        found += _in_options(words)
    else:
        for before, word, following in zip([None, *words], words, [*words[1:], None], strict=False):
            is_command = before == "--password-command" or word.startswith("--password-command=")
            found += within_word(_ENTRY.sub(" ", word) if is_command else word)
            found += _behind_option(word, following)
            if " " in word.strip() and not is_command:
                found += _in_text(word)
        found += [*in_broken_url(words), *_misplaced(words)]
    if list(words[:2]) == ["queries", "save"]:
        from tusk_jupyter.sqltext.redaction import secrets_in

        found += [secret for word in words[3:4] for secret in secrets_in(word, "ansi")]
    return tuple(dict.fromkeys(secret for secret in found if secret.strip("'\"")))


def _in_options(words: Sequence[str]) -> Iterator[str]:
    """`info --password X`, `log --token=X`: secrets by the name of an option that the verb has not."""
    for word, following in zip(words, [*words[1:], None], strict=True):
        option, equals, value = word.partition("=")
        yield from (value,) if equals and _OPTION.fullmatch(option) and _is_secret(option.lstrip("-")) else ()
        yield from _behind_option(word, following)


def as_written(line: str, secrets: Sequence[str]) -> tuple[str, ...]:
    """Return secrets together with the words of the line that hold one in quotes or behind backslashes."""
    written = [*secrets]
    for raw in _RAW_WORD.findall(line):
        if raw.isalnum():
            continue
        try:
            plain = "".join(shlex.split(raw))
        except ValueError:
            continue
        if plain != raw and any(secret in plain and secret not in raw for secret in secrets):
            written.append(raw)
    return tuple(dict.fromkeys(written))


def secrets_of_sql_line(line: str) -> tuple[str, ...]:
    """Return the secrets in the head of a `%sql` line, before its SQL."""
    if line.isidentifier():
        return ()  # the name of a connection, as in most cells
    words = line.split(maxsplit=3)[:3]
    if not words:
        return ()
    found = [*in_url(words[0]), *(in_broken_url(line.split()[:_WORDS_OF_URL]) if "://" in words[0] else ())]
    if not any(sign in words[0] for sign in "('\""):
        found += within_word(words[0])
        found += _behind_name(line.split(maxsplit=_WORDS_OF_URL)[:_WORDS_OF_URL])
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if not word.startswith("-"):
            continue
        found += [*_behind_option(word, following), *within_word(word)]
    return tuple(dict.fromkeys(found))


def _behind_name(words: Sequence[str]) -> Iterator[str]:
    """`pg password=x`, `pg host=h password=x`: behind a connection's name no SQL begins with an assignment."""
    if words[0].lower() in STATEMENT_KEYWORDS or not words[0].replace("-", "_").replace(".", "_").isidentifier():
        return
    for word in words[1:]:
        if not _DSN_FIELD.fullmatch(word):
            return
        yield from within_word(word)


_DSN_FIELD = re.compile(r"[A-Za-z_]\w*=[^\s=:<>].*", re.DOTALL)


def secrets_of_refused_line(line: str, body: str | None = None) -> tuple[str, ...]:
    """Return the secrets of a `%sql` line, and of the cell below it, that was refused: where its head ends, nobody knows."""
    from tusk_jupyter.sqltext.redaction import secrets_in
    from tusk_jupyter.sqltext.secret_shapes import hide_and_find

    text = f"{line}\n{body or ''}"
    found = [*in_urls_of(line), *hide_and_find(line)[1], *secrets_in(text, "ansi"), *secrets_in(body or "", "ansi")]
    found += [secret for word in line.split() for secret in within_word(word)]
    for word in itertools.islice(re.finditer(r"\S+", line), _WORDS_OF_HEAD):  # as SQL, `--limit 5 CREATE` is a comment
        found += secrets_in(text[word.start() : word.start() + _READ_AGAIN], "ansi")
    return tuple(dict.fromkeys(found))


_WORDS_OF_URL = 8
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


def within_word(word: str) -> Iterator[str]:
    """`u:pw@h/d`, `host=h password=x`, `PGPASSWORD=x`, `password=x`, `{"password": "x"}`, `user=u:pw`."""
    yield from in_login(word)
    for text in {word, unquote(word)}:
        for name, value in [*_ASSIGNED.findall(text), *(_WITH_BLANKS.findall(text) if " " in text else ())]:
            if _is_secret(name):
                yield value.strip("'\"")
            elif name.lower() in USERS:
                yield from in_user(value.strip("'\""))
        if text.startswith(("--set=", "--url=")):
            yield from within_word(text.partition("=")[2])
    if "{" in word:
        from tusk_jupyter.sqltext.secret_shapes import hide_and_find

        yield from hide_and_find(word)[1]


def _in_text(word: str) -> Iterator[str]:
    """`mysql -u root -px -h h`, `user: u, password: x`, `IDENTIFIED BY x`: what was put into quotes as a whole."""
    inner = word.split()
    is_file = _FILE.search(word)  # "My Passwords 2024.duckdb"
    for part, following in zip(inner, [*inner[1:], None], strict=True):
        is_port = part in ("-p", "-P") and (following or "").isdecimal()  # psql's, mysql's
        yield from () if is_port else _behind_option(part, following)
        if part in _OF_OTHERS and following and not is_port:
            yield from in_user(following) if part in ("-u", "-U") else (following,)
        yield from () if is_file else in_login(part)
    yield from (value.strip("'\"") for name, value in _NOTED.findall(word) if _is_secret(name))
    if not is_file:
        yield from (value.strip("'\"") for value in _SPOKEN.findall(word))


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
    if word == "--user" and following:
        yield from in_user(following)


def behind_secret_verb(words: Sequence[str]) -> tuple[str, ...]:
    """Return what stands behind a verb that does not exist and reads as if it took a secret: `passwd NAME X`, `login u X`."""
    verb, rest = (words[0], words[1:]) if words else ("", ())
    if verb.startswith("-") or verb == "credentials":
        return ()
    parts = verb.lower().replace("_", "-").split("-")
    takes = any(part in _SECRET_VERBS or (part != "conn" and is_meant_as_secret(part)) for part in parts)
    takes = takes or bool(difflib.get_close_matches(verb.lower(), _SECRET_VERBS, 1, 0.8))
    return tuple(word for word in rest if not _NOT_TYPED.fullmatch(word)) if takes else ()


_SECRET_VERBS = (
    "credentials",
    "credential",
    "creds",
    "cred",
    "login",
    "logon",
    "signin",
    "sign",
    "auth",
    "unlock",
    "vault",
    "keyring",
)
_NOT_TYPED = re.compile(r"-{1,2}[a-z-]+|set|list|delete|unlock|keyring|vault|memory")


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
    yield from (match[1] for name in given[:taken] if (match := BEHIND_NAME.fullmatch(name)))
